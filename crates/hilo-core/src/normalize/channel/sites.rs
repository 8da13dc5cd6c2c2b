//! Sites by their kind, by name and host. After the source categories of GA4
//! (<https://support.google.com/analytics/answer/9756891>, the list "GA4 default channel group – sources"), reduced to sites
//! that send visitors to shops. A host matches with its subdomains and country endings.

use crate::hosts::is_host_of;

/// The kind of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A search engine.
    Search,
    /// A social network.
    Social,
    /// A video site.
    Video,
    /// A market place.
    Shopping,
}

/// Name and kind. A name is also a label of the site's hosts: `google` is in `www.google.es`.
const BY_LABEL: [(&str, Kind); 34] = [
    ("google", Kind::Search),
    ("bing", Kind::Search),
    ("yahoo", Kind::Search),
    ("duckduckgo", Kind::Search),
    ("ecosia", Kind::Search),
    ("qwant", Kind::Search),
    ("startpage", Kind::Search),
    ("brave", Kind::Search),
    ("yandex", Kind::Search),
    ("baidu", Kind::Search),
    ("naver", Kind::Search),
    ("seznam", Kind::Search),
    ("sogou", Kind::Search),
    ("facebook", Kind::Social),
    ("instagram", Kind::Social),
    ("twitter", Kind::Social),
    ("linkedin", Kind::Social),
    ("pinterest", Kind::Social),
    ("tiktok", Kind::Social),
    ("reddit", Kind::Social),
    ("snapchat", Kind::Social),
    ("threads", Kind::Social),
    ("tumblr", Kind::Social),
    ("whatsapp", Kind::Social),
    ("quora", Kind::Social),
    ("youtube", Kind::Video),
    ("vimeo", Kind::Video),
    ("dailymotion", Kind::Video),
    ("twitch", Kind::Video),
    ("amazon", Kind::Shopping),
    ("ebay", Kind::Shopping),
    ("etsy", Kind::Shopping),
    ("aliexpress", Kind::Shopping),
    ("walmart", Kind::Shopping),
];

/// Short hosts and app referrers without their site's name.
const BY_HOST: [(&str, &str, Kind); 10] = [
    ("t.co", "twitter", Kind::Social),
    ("x.com", "twitter", Kind::Social),
    ("lnkd.in", "linkedin", Kind::Social),
    ("fb.com", "facebook", Kind::Social),
    ("pin.it", "pinterest", Kind::Social),
    ("t.me", "telegram", Kind::Social),
    ("bsky.app", "bluesky", Kind::Social),
    ("vk.com", "vkontakte", Kind::Social),
    ("youtu.be", "youtube", Kind::Video),
    ("ask.com", "ask", Kind::Search),
];

/// Beginnings of hosts that are no search, social or video site: mail, documents, accounts.
const NOT: [&str; 6] = ["mail.", "docs.", "accounts.", "drive.", "meet.", "calendar."];

/// The name and kind of a source, which may be a name (`google`) or a host (`www.google.es`).
pub(super) fn kind_of(source: &str) -> Option<(&'static str, Kind)> {
    if NOT.iter().any(|start| source.starts_with(start)) {
        return None;
    }
    if let Some((_, name, kind)) = BY_HOST.iter().find(|(host, _, _)| is_host_of(source, host)) {
        return Some((name, *kind));
    }
    BY_LABEL
        .iter()
        .find(|(name, _)| source == *name || is_label(source, name))
        .map(|(name, kind)| (*name, *kind))
}

/// Whether `name` is the label before the ending: true for `google.co.uk`, false for `google.example.com`.
fn is_label(source: &str, name: &str) -> bool {
    let mut labels = source.rsplit('.');
    let Some(ending) = labels.next() else { return false };
    let second = labels.next();
    let is_country = ending.len() == 2
        && second.is_some_and(|label| matches!(label, "co" | "com" | "ne" | "or"));
    let label = if is_country { labels.next() } else { second };
    label == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subdomains_and_country_endings_match_and_impostors_do_not() {
        for source in
            ["google", "www.google.es", "google.co.uk", "google.com.mx", "news.google.com"]
        {
            assert_eq!(kind_of(source), Some(("google", Kind::Search)), "{source}");
        }
        for source in
            ["google.example.com", "notgoogle.com", "mail.google.com", "netflix.com", "fox.com"]
        {
            assert_eq!(kind_of(source), None, "{source}");
        }
        assert_eq!(kind_of("m.facebook.com"), Some(("facebook", Kind::Social)));
        assert_eq!(kind_of("t.co"), Some(("twitter", Kind::Social)));
    }
}
