//! The client of an event: browser family and major version, operating system, class of device. The raw text is removed. What the
//! sender says of system and device stays, and only what is missing is filled. An HTTP library tells nothing.
//!
//! woothee reads user agents by a hundred ordered rules, where other libraries match thousands of expressions.
//!
//! Results are cached by text, because an envelope's events share one text, and an hour's visitors a few dozen.

use std::cell::RefCell;
use std::collections::BTreeMap;

use woothee::parser::Parser;

use crate::event::{Browser, Event, Facts, Os, Trust};
use crate::text::shortened;

/// woothee's name for every HTTP library that it recognizes.
const LIBRARY: &str = "HTTP Library";
/// The HTTP library of Apple's systems. woothee takes it for an iPhone, but Macs use it as well.
const APPLE_LIBRARY: &str = "CFNetwork/";
/// woothee's word for an unknown value.
const UNKNOWN: &str = "UNKNOWN";
/// Bytes of a user agent that are read. Browsers stay below 300. A longer text is shortened, so that its reading costs no more.
const BYTES_MAX: usize = 512;
/// Texts in the cache. A full cache is emptied, so that a flood of made-up texts costs no memory.
const REMEMBERED_MAX: usize = 256;

/// The client that a text names.
#[derive(Clone)]
struct Client {
    browser: Option<Browser>,
    os: Option<Os>,
    class: Option<String>,
}

thread_local! {
    static REMEMBERED: RefCell<BTreeMap<String, Option<Client>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Reduces the user agent.
pub fn apply(event: &mut Event, facts: &Facts) {
    let told_agent = event.context.user_agent.take();
    event.context.user_agent_data = None;
    // A server sends its customer's user agent. Of a page the request's own user agent counts first. An app's request has the
    // user agent of its HTTP library, and the app sends a better one.
    let texts = match facts.trust {
        Trust::Server => [None, told_agent.as_deref()],
        Trust::Public => [facts.user_agent.as_deref(), told_agent.as_deref()],
    };
    let read = |text: &str| remembered(shortened(text, BYTES_MAX));
    let Some(client) = texts.into_iter().flatten().find_map(read) else { return };
    if client.browser.is_some() {
        event.context.hilo.browser = client.browser;
    }
    if let Some(os) = client.os {
        complete(event.context.os.get_or_insert_default(), os);
    }
    let device = event.context.device.get_or_insert_default();
    device.class = told(&mut device.class).or(client.class);
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
    REMEMBERED.with_borrow_mut(|remembered| {
        if let Some(client) = remembered.get(text) {
            return client.clone();
        }
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        let client = read(text);
        remembered.insert(text.to_owned(), client.clone());
        client
    })
}

fn read(text: &str) -> Option<Client> {
    let found = Parser::new().parse(text)?;
    if found.name == LIBRARY || text.contains(APPLE_LIBRARY) {
        return None;
    }
    let known = |text: &str| (!text.is_empty() && text != UNKNOWN).then(|| text.to_owned());
    let version = || known(found.version).and_then(|version| major(&version));
    let class = match found.category {
        "pc" => "desktop",
        "smartphone" | "mobilephone" => "mobile",
        "crawler" => "bot",
        "appliance" => "appliance",
        _ => "other",
    };
    Some(Client {
        browser: known(found.name).map(|name| Browser { name, major: version() }),
        os: known(found.os).map(|name| os(&name, known(&found.os_version))),
        class: Some(class.to_owned()),
    })
}

/// Family and major version. woothee names Windows by its edition and Apple's systems by the device.
fn os(name: &str, version: Option<String>) -> Os {
    if let Some(edition) = name.strip_prefix("Windows ") {
        return Os { name: Some("Windows".to_owned()), version: Some(edition.to_owned()) };
    }
    let family = if matches!(name, "iPhone" | "iPad" | "iPod") { "iOS" } else { name };
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
