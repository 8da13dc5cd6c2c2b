//! The client of an event: browser family and major version, operating system, class of device, and whether it is a bot. The raw text
//! is removed. What the sender says of system and device stays, and only what is missing is filled. An HTTP library tells nothing.
//!
//! Client hints count before the text (`hints.rs`). Browsers have frozen parts of their texts, and a frozen version is left out.
//!
//! woothee reads user agents by a hundred ordered rules, where other libraries match thousands of expressions.
//!
//! Results are cached by text, because an envelope's events share one text, and an hour's visitors a few dozen.

mod bots;
mod hints;

use std::cell::RefCell;
use std::collections::BTreeMap;

use woothee::parser::{Parser, WootheeResult};

use hints::Hinted;

use crate::event::{Browser, Event, Facts, Os, Trust};
use crate::text::shortened;

/// woothee's name for every HTTP library that it recognizes.
const LIBRARY: &str = "HTTP Library";
/// The HTTP library of Apple's systems. woothee takes it for an iPhone, but Macs use it as well.
const APPLE_LIBRARY: &str = "CFNetwork/";
/// woothee's word for an unknown value.
const UNKNOWN: &str = "UNKNOWN";
/// What browsers write whatever the system's version is: Windows since Chrome 107, macOS since Chrome 90, Safari 11.1 and Firefox 87,
/// Android since Chrome 110 (<https://www.chromium.org/updates/ua-reduction/>).
const FROZEN: [&str; 4] =
    ["Windows NT 10.0", "Mac OS X 10_15_7", "Mac OS X 10.15", "Android 10; K)"];
/// The word before Safari's own version. Safari has the version of its iOS, and its text stays at `iPhone OS 18_6` since version 26
/// (<https://webkit.org/blog/17333/webkit-features-in-safari-26-0/>).
const SAFARI_VERSION: &str = " Version/";
/// The name of Apple's system of telephones.
const IOS: &str = "iOS";
/// The class of a program that works for nobody who looks at the page.
const BOT: &str = "bot";
/// Bytes of a user agent that are read. Browsers stay below 300. A longer text is shortened, so that its reading costs no more.
const BYTES_MAX: usize = 512;
/// Texts in the cache. A full cache is emptied, so that a flood of made-up texts costs no memory.
const REMEMBERED_MAX: usize = 256;

/// The client that a text names.
#[derive(Clone, Default)]
struct Client {
    browser: Option<Browser>,
    os: Option<Os>,
    class: Option<String>,
    is_bot: bool,
}

thread_local! {
    static REMEMBERED: RefCell<BTreeMap<String, Option<Client>>> = const { RefCell::new(BTreeMap::new()) };
    /// Whether the brands of client hints name a bot.
    static BRANDS: RefCell<BTreeMap<String, bool>> = const { RefCell::new(BTreeMap::new()) };
}

/// Reduces the user agent.
pub fn apply(event: &mut Event, facts: &Facts) {
    let told_agent = event.context.user_agent.take();
    let told_hints = event.context.user_agent_data.take();
    // A server sends its customer's user agent. Of a page the request's own user agent counts first. An app's request has the
    // user agent of its HTTP library, and the app sends a better one.
    let texts = match facts.trust {
        Trust::Server => [None, told_agent.as_deref()],
        Trust::Public => [facts.user_agent.as_deref(), told_agent.as_deref()],
    };
    let read = |text: &str| remembered(shortened(text, BYTES_MAX));
    let by_text = texts.into_iter().flatten().find_map(read);
    let by_request = (facts.trust == Trust::Public).then(|| hints::of_request(&facts.hints));
    let by_page = told_hints.as_ref().map(hints::of_page);
    let Some(client) = joined(by_text, [by_page, by_request]) else { return };
    event.context.hilo.bot |= client.is_bot;
    if client.browser.is_some() {
        event.context.hilo.browser = client.browser;
    }
    if let Some(os) = client.os {
        complete(event.context.os.get_or_insert_default(), os);
    }
    if client.class.is_some() {
        let device = event.context.device.get_or_insert_default();
        device.class = told(&mut device.class).or(client.class);
    }
}

/// Lays the hints over what the text names, each part by itself; the last hints count most. A bot's text stays, because its hints are
/// those of the browser that it runs.
fn joined(by_text: Option<Client>, hints: [Option<Hinted>; 2]) -> Option<Client> {
    let has_text = by_text.is_some();
    let mut client = by_text.unwrap_or_default();
    let mut is_hinted = false;
    for hinted in hints.into_iter().flatten() {
        let is_automated = are_a_bots(hinted.brands());
        client.is_bot |= is_automated;
        if client.is_bot {
            is_hinted |= is_automated;
            continue;
        }
        is_hinted |= hinted.browser.is_some() || hinted.os.is_some();
        // The text of a browser that is built on another's names the browser, where its hints name the engine alone.
        let is_engine = hinted.browser.as_ref().is_some_and(|browser| browser.name == "Chrome");
        if !(is_engine && client.browser.is_some()) {
            client.browser = hinted.browser.or(client.browser);
        }
        if let Some(os) = hinted.os {
            let is_same = client.os.as_ref().is_some_and(|known| known.name == os.name);
            let known = client.os.take().filter(|_| is_same).and_then(|known| known.version);
            client.os = Some(Os { version: os.version.or(known), ..os });
        }
        if client.class.is_none() {
            let class = |is_mobile| if is_mobile { "mobile" } else { "desktop" };
            client.class = hinted.is_mobile.map(|is_mobile| class(is_mobile).to_owned());
        }
    }
    if client.is_bot {
        client.class = Some(BOT.to_owned());
    }
    (has_text || is_hinted).then_some(client)
}

/// Fills what the sender did not say. A version belongs to its system.
fn complete(os: &mut Os, read: Os) {
    let (name, version) = (told(&mut os.name), told(&mut os.version));
    let is_same = name.is_none() || name == read.name;
    os.version = version.or(read.version.filter(|_| is_same));
    os.name = name.or(read.name);
}

/// What the sender says. Some libraries send empty texts for what they do not know.
fn told(slot: &mut Option<String>) -> Option<String> {
    slot.take().filter(|text| !text.trim().is_empty())
}

fn remembered(text: &str) -> Option<Client> {
    REMEMBERED.with_borrow_mut(|remembered| cached(remembered, text, read))
}

/// Whether brands name a bot. Every event of an envelope has the same ones, or none.
fn are_a_bots(brands: &str) -> bool {
    let brands = shortened(brands, BYTES_MAX);
    !brands.is_empty() && BRANDS.with_borrow_mut(|known| cached(known, brands, bots::is_bot))
}

fn cached<T: Clone>(known: &mut BTreeMap<String, T>, text: &str, make: fn(&str) -> T) -> T {
    if let Some(found) = known.get(text) {
        return found.clone();
    }
    if known.len() >= REMEMBERED_MAX {
        known.clear();
    }
    let made = make(text);
    known.insert(text.to_owned(), made.clone());
    made
}

fn read(text: &str) -> Option<Client> {
    let is_bot = bots::is_bot(text);
    let found = Parser::new().parse(text);
    let is_library = |found: &WootheeResult<'_>| found.name == LIBRARY;
    if !is_bot && (text.contains(APPLE_LIBRARY) || found.as_ref().is_some_and(is_library)) {
        return None;
    }
    let Some(found) = found.filter(|found| !is_library(found)) else {
        return is_bot.then(|| Client { is_bot, class: Some(BOT.to_owned()), ..Client::default() });
    };
    let known = |text: &str| (!text.is_empty() && text != UNKNOWN).then(|| text.to_owned());
    let version = || known(found.version).and_then(|version| major(&version));
    let class = match found.category {
        _ if is_bot => BOT,
        "pc" => "desktop",
        "smartphone" | "mobilephone" => "mobile",
        "crawler" => BOT,
        "appliance" => "appliance",
        _ => "other",
    };
    let version_of_os =
        known(&found.os_version).filter(|_| !FROZEN.iter().any(|frozen| text.contains(frozen)));
    let mut os = known(found.os).map(|name| os(&name, version_of_os));
    if let Some(os) = os.as_mut().filter(|os| os.name.as_deref() == Some(IOS)) {
        os.version = newer(os.version.take(), safari_version(text));
    }
    Some(Client {
        browser: known(found.name).map(|name| Browser { name, major: version() }),
        os,
        class: Some(class.to_owned()),
        is_bot: class == BOT,
    })
}

/// The major version behind `Version/`.
fn safari_version(text: &str) -> Option<String> {
    let (_, behind) = text.split_once(SAFARI_VERSION)?;
    major(behind.split(' ').next()?)
}

/// The greater of two versions.
fn newer(one: Option<String>, other: Option<String>) -> Option<String> {
    let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<u32>().ok());
    if number(&other) > number(&one) { other } else { one }
}

/// Family and major version. woothee names Windows by its edition and Apple's systems by the device.
fn os(name: &str, version: Option<String>) -> Os {
    if let Some(edition) = name.strip_prefix("Windows ") {
        let version = (version.is_some() || edition != "10").then(|| edition.to_owned());
        return Os { name: Some("Windows".to_owned()), version };
    }
    let family = if matches!(name, "iPhone" | "iPad" | "iPod") { IOS } else { name };
    Os { name: Some(family.to_owned()), version: version.and_then(|version| major(&version)) }
}

fn major(version: &str) -> Option<String> {
    let major = version.split(['.', '_']).next()?;
    (!major.is_empty() && major.len() <= 8).then(|| major.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_stays_bounded_under_a_flood_of_user_agents() {
        let text = |n: usize| format!("Mozilla/5.0 (X11; Linux x86_64) Firefox/{n}.0");
        for n in 0..=REMEMBERED_MAX {
            let browser = remembered(&text(n)).and_then(|client| client.browser);
            assert_eq!(browser.and_then(|browser| browser.major), Some(n.to_string()));
        }
        REMEMBERED.with_borrow(|remembered| assert!(remembered.len() <= REMEMBERED_MAX));
    }
}
