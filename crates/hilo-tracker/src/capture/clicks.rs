//! Clicks on links: to other sites, to files, to people, and to places where a page is shared.
//!
//! In: a link as the document has it. Out: "Link Clicked", "File Downloaded", "Contact Clicked" or "Content Shared", one event at
//! most. A link within the site gives none, because the next page view shows it. Telephone numbers and addresses are left out.

use hilo_core::hosts::{is_host_of, site};
use hilo_core::plain::Plain;
use hilo_core::redact;
use hilo_core::text::{cut, lists, parts};

use crate::address;
use crate::json::Json;
use crate::platform::capture::{CaptureKind, Captured, Moment, write};

/// Endings of files that people download: what Google Analytics and Plausible count, and books, open documents and programs.
const FILES: &str = "7z apk avi csv deb dmg doc docx epub exe gz ics iso key mid midi mov mp3 mp4 mpeg mpg msi odb odp ods odt pdf \
    pkg pps ppt pptx rar rtf tar tgz txt wav wma wmv xls xlsx zip";

/// Ways to talk to somebody, by the scheme of an address or by its host.
const CONTACTS: &str = "callto=phone facetime=facetime facetime-audio=facetime mailto=email sgnl=signal skype=skype sms=sms \
    tel=phone tg=telegram viber=viber whatsapp=whatsapp wa.me=whatsapp api.whatsapp.com=whatsapp web.whatsapp.com=whatsapp \
    chat.whatsapp.com=whatsapp t.me=telegram m.me=messenger signal.me=signal";

/// Where pages are shared: the beginning of a path, and the first label of the site.
const SHARES: &str = "/sharer=facebook /dialog/share=facebook /sharing=linkedin /shareArticle=linkedin /pin/create=pinterest \
    /intent=twitter /intent=x";

/// The longest path of a link that shares a text by WhatsApp with nobody in particular: `/send/`.
const SEND_PATH_MAX: usize = 6;

/// Clicks on links. Each click stands alone.
#[derive(Debug, Default)]
pub struct Clicks;

impl CaptureKind for Clicks {
    fn read(&mut self, cells: &Plain, _moment: &Moment) -> Vec<Captured> {
        let mut json = Json::new();
        let Some(name) = judge(cells, &mut json) else { return Vec::new() };
        write(&mut json, cells, "frame");
        vec![Captured { name, properties: json.done() }]
    }
}

/// What a click on this link is. Writes its properties.
fn judge(cells: &Plain, json: &mut Json) -> Option<&'static str> {
    let [given, host] = ["url", "host"].map(|name| cells.word(name));
    let url = redact::url(given);
    let (scheme, rest) = cut(given, b':');
    let is_web = lists("http https", scheme);
    // What stands behind `data:` is the file itself.
    let path = if is_web { address::path(&url) } else { "" };
    if let Some(channel) = contact(scheme).or_else(|| contact(host)) {
        let is_share = channel == "whatsapp" && path.len() <= SEND_PATH_MAX;
        if is_share && address::search(&url).starts_with("?text=") {
            json.text("share_via", channel);
            return Some("Content Shared");
        }
        json.text("channel", channel);
        // The site's own number or address stands on the page for everybody.
        if let Some(label) = cells.get("contact").map(|_| cells.word("contact")) {
            json.some("contact", if label.is_empty() { number(rest?) } else { label });
        }
        return Some("Contact Clicked");
    }
    if let Some(network) = network(host, path) {
        json.text("share_via", network);
        return Some("Content Shared");
    }
    if let Some((name, ending)) = file(cells, path) {
        json.some("file_name", &redact::url(name)).some("extension", &ending);
        return Some("File Downloaded");
    }
    if !is_web || is_own(cells, host) {
        return None;
    }
    json.text("kind", "outbound").text("url", cut(cut(&url, b'#').0, b'?').0);
    write(json, cells, "host text");
    Some("Link Clicked")
}

/// The channel behind a scheme or a host.
#[inline(never)]
fn contact(key: &str) -> Option<&'static str> {
    parts(CONTACTS, b' ').map(|pair| cut(pair, b'=')).find(|(known, _)| *known == key)?.1
}

/// The number or address of a contact: what stands behind the scheme, or behind the host.
fn number(rest: &str) -> &str {
    let place = cut(rest, b'?').0;
    let behind_host = place.strip_prefix("//").map(|place| cut(place, b'/').1);
    behind_host.map_or(place, Option::unwrap_or_default)
}

/// The network where this address shares a page.
fn network(host: &str, path: &str) -> Option<&'static str> {
    let label = cut(site(host), b'.').0;
    let is_here = |(begin, network): &(&str, Option<&str>)| {
        *network == Some(label) && path.starts_with(*begin)
    };
    parts(SHARES, b' ').map(|pair| cut(pair, b'=')).find(is_here)?.1
}

/// The name of the file that the link downloads, and its ending.
fn file<'l>(cells: &'l Plain, path: &'l str) -> Option<(&'l str, String)> {
    let given = cells.word("file");
    let name = if given.is_empty() { last(path, b'/') } else { given };
    let ending = last(name, b'.');
    let ending =
        if ending.len() < name.len() { ending.to_ascii_lowercase() } else { String::new() };
    (cells.get("file").is_some() || lists(FILES, &ending)).then_some((name, ending))
}

/// The text behind the last `mark`.
#[inline(never)]
fn last(mut text: &str, mark: u8) -> &str {
    while let (_, Some(behind)) = cut(text, mark) {
        text = behind;
    }
    text
}

/// Whether the host belongs to the page's site, or to another of its owner's.
fn is_own(cells: &Plain, host: &str) -> bool {
    let own = cells.list("domains").iter().filter_map(Plain::text);
    own.chain([site(cells.word("page"))]).any(|own| is_host_of(host, own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_only_ends_like_the_site_is_another_site() {
        let page = ("page".to_owned(), Plain::Text("www.shop.example".to_owned()));
        let cells = Plain::Map(vec![page]);
        assert!(is_own(&cells, "m.shop.example"));
        assert!(!is_own(&cells, "myshop.example"));
    }
}
