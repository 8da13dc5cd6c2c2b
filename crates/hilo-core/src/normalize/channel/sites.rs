//! Sites by their kind, by name and host. After the source categories of GA4
//! (<https://support.google.com/analytics/answer/9756891>, the list "GA4 default channel group – sources"), reduced to sites
//! that send visitors to shops. A host matches with its subdomains and country endings.
//!
//! Behind them stands the public list of `lists/referrers.txt` (`cargo xtask update lists`), with AI assistants, and smaller search
//! engines and networks. Webmail is a list of our own, because the public one has none.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::hosts::is_host_of;

/// Sites, one name of a kind each line: `kind|name|hosts`, where `*` stands for any ending.
const LIST: &str = include_str!("../../../lists/referrers.txt");
/// The fewest bytes of an assistant's name that may stand for it as a campaign's source. `you` may be anything.
const NAME_BYTES_MIN: usize = 4;
/// Labels before a country's ending that belong to the ending.
const BELOW_COUNTRIES: [&str; 4] = ["co", "com", "ne", "or"];

/// The listed sites by host, by the beginning of a host with `.*`, and assistants by name.
static LISTED: LazyLock<BTreeMap<&str, (&str, Kind)>> = LazyLock::new(listed);

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
    /// Webmail, or an app for e-mail.
    Mail,
    /// An AI assistant.
    Assistant,
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

/// Hosts of webmail and of apps for e-mail: the pages of the large services' own help, September 2026.
const MAIL: [(&str, &str); 30] = [
    ("com.google.android.gm", "gmail"),
    ("com.microsoft.office.outlook", "outlook"),
    ("com.yahoo.mobile.client.android.mail", "yahoo mail"),
    ("ch.protonmail.android", "proton mail"),
    ("mail.google.com", "gmail"),
    ("inbox.google.com", "gmail"),
    ("outlook.live.com", "outlook"),
    ("outlook.office.com", "outlook"),
    ("outlook.office365.com", "outlook"),
    ("mail.live.com", "outlook"),
    ("mail.yahoo.com", "yahoo mail"),
    ("mail.yahoo.co.jp", "yahoo mail"),
    ("mail.aol.com", "aol mail"),
    ("mail.proton.me", "proton mail"),
    ("mail.zoho.com", "zoho mail"),
    ("mail.zoho.eu", "zoho mail"),
    ("app.fastmail.com", "fastmail"),
    ("app.hey.com", "hey"),
    ("app.tuta.com", "tuta"),
    ("navigator.gmx.net", "gmx"),
    ("deref-gmx.net", "gmx"),
    ("deref-web.de", "web.de"),
    ("navigator.web.de", "web.de"),
    ("webmail.freenet.de", "freenet"),
    ("mail.orange.fr", "orange"),
    ("webmail.laposte.net", "laposte"),
    ("webmail.libero.it", "libero"),
    ("mail.ionos.com", "ionos"),
    ("e.mail.ru", "mail.ru"),
    ("email.seznam.cz", "seznam mail"),
];

/// Beginnings of hosts that are no search, social or video site: mail, documents, accounts.
const NOT: [&str; 6] = ["mail.", "docs.", "accounts.", "drive.", "meet.", "calendar."];

/// The name and kind of a source, which may be a name (`google`) or a host (`www.google.es`).
pub(super) fn kind_of(source: &str) -> Option<(&'static str, Kind)> {
    if let Some((_, name)) = MAIL.iter().find(|(host, _)| is_host_of(source, host)) {
        return Some((name, Kind::Mail));
    }
    let listed = find_listed(source);
    // `gemini.google.com` is an assistant, and no search engine.
    if let Some((_, Kind::Assistant)) = listed {
        return listed;
    }
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
        .or(listed)
}

/// Reads the public list. A line of another form is passed over.
fn listed() -> BTreeMap<&'static str, (&'static str, Kind)> {
    let mut sites = BTreeMap::new();
    for line in LIST.lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.split('|');
        let (Some(kind), Some(name), Some(hosts)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let kind = match kind {
            "assistant" => Kind::Assistant,
            "search" => Kind::Search,
            "social" => Kind::Social,
            _ => continue,
        };
        if kind == Kind::Assistant && name.len() >= NAME_BYTES_MIN {
            sites.entry(name).or_insert((name, kind));
        }
        for host in hosts.split(' ') {
            sites.entry(host).or_insert((name, kind));
        }
    }
    sites
}

/// Finds a host, or a host above it, in the public list; or an assistant by its name.
fn find_listed(source: &str) -> Option<(&'static str, Kind)> {
    let ending = ending(source);
    let bare = source.strip_suffix(ending).unwrap_or(source);
    let above = |host: &str| host.split_once('.').map(|(_, rest)| rest.to_owned());
    let mut host = Some(source.to_owned());
    while let Some(one) = host {
        if let Some(found) = LISTED.get(one.as_str()) {
            return Some(*found);
        }
        host = above(&one);
    }
    let mut start = Some(bare.trim_end_matches('.').to_owned())
        .filter(|start| !ending.is_empty() && !start.is_empty());
    while let Some(one) = start {
        if let Some(found) = LISTED.get(format!("{one}.*").as_str()) {
            return Some(*found);
        }
        start = above(&one);
    }
    None
}

/// The ending of a host: `com`, `co.uk`. Empty where it is no host.
fn ending(host: &str) -> &str {
    let Some((before, last)) = host.rsplit_once('.') else { return "" };
    let below = before.rsplit('.').next().unwrap_or_default();
    let is_two = last.len() == 2 && BELOW_COUNTRIES.contains(&below) && before.contains('.');
    let bytes = if is_two { below.len() + 1 + last.len() } else { last.len() };
    host.get(host.len() - bytes..).unwrap_or_default()
}

/// Whether `name` is the label before the ending: true for `google.co.uk`, false for `google.example.com`.
fn is_label(source: &str, name: &str) -> bool {
    let mut labels = source.rsplit('.');
    let Some(ending) = labels.next() else { return false };
    let second = labels.next();
    let is_country =
        ending.len() == 2 && second.is_some_and(|label| BELOW_COUNTRIES.contains(&label));
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
        for source in [
            "google.example.com",
            "notgoogle.com",
            "docs.google.com",
            "netflix.com",
            "fox.com",
            "you",
        ] {
            assert_eq!(kind_of(source), None, "{source}");
        }
        assert_eq!(kind_of("m.facebook.com"), Some(("facebook", Kind::Social)));
        assert_eq!(kind_of("t.co"), Some(("twitter", Kind::Social)));
    }

    #[test]
    fn the_public_list_has_assistants_and_sites_that_our_own_lists_do_not_have() {
        for (source, name, kind) in [
            ("chatgpt.com", "chatgpt", Kind::Assistant),
            ("www.perplexity.ai", "perplexity", Kind::Assistant),
            ("gemini.google.com", "gemini", Kind::Assistant),
            ("claude", "claude", Kind::Assistant),
            ("search.seznam.cz", "seznam", Kind::Search),
            ("suche.web.de", "web.de", Kind::Search),
            ("123people.co.uk", "123people", Kind::Search),
            ("meinvz.net", "meinvz", Kind::Social),
            ("com.reddit.frontpage", "reddit", Kind::Social),
            ("mail.google.com", "gmail", Kind::Mail),
            ("com.google.android.gm", "gmail", Kind::Mail),
        ] {
            assert_eq!(kind_of(source), Some((name, kind)), "{source}");
        }
        assert!(LISTED.len() > 600, "{}", LISTED.len());
    }
}
