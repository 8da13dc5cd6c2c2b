//! The client of an event: browser family and major version, operating system, class of device. The raw text is removed.
//! woothee reads user agents by a hundred ordered rules, where other libraries match thousands of expressions.
//!
//! Results are cached by text, because an envelope's events share one text, and an hour's visitors a few dozen.

use std::cell::RefCell;
use std::collections::BTreeMap;

use woothee::parser::Parser;

use crate::event::{Browser, Device, Event, Facts, Os, Trust};
use crate::text::shortened;

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
    device: Device,
}

thread_local! {
    static REMEMBERED: RefCell<BTreeMap<String, Option<Client>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Reduces the user agent.
pub fn apply(event: &mut Event, facts: &Facts) {
    let told = event.context.user_agent.take();
    event.context.user_agent_data = None;
    // A server sends its customer's user agent. Of a page the request's own user agent counts first.
    let text = match facts.trust {
        Trust::Server => told,
        Trust::Public => facts.user_agent.clone().or(told),
    };
    let Some(client) = text.as_deref().and_then(|text| remembered(shortened(text, BYTES_MAX)))
    else {
        return;
    };
    if client.browser.is_some() {
        event.context.hilo.browser = client.browser;
    }
    event.context.os = client.os;
    event.context.device = Some(client.device);
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
        device: Device { class: Some(class.to_owned()) },
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
