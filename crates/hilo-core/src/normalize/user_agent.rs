//! What it happened with: browser family and major version, operating system, class of device; the raw text goes.
//! By woothee, which matches by plain search where others compile thousands of expressions.

use woothee::parser::Parser;

use crate::event::{Browser, Device, Event, Facts, Os, Trust};

/// What woothee says when it does not know.
const UNKNOWN: &str = "UNKNOWN";

/// Reduces the user agent.
pub fn apply(event: &mut Event, facts: &Facts) {
    let told = event.context.user_agent.take();
    event.context.user_agent_data = None;
    // A server speaks for its customer's browser; a page's own request is the better witness.
    let text = match facts.trust {
        Trust::Server => told,
        Trust::Public => facts.user_agent.clone().or(told),
    };
    let Some(found) = text.as_deref().and_then(|text| Parser::new().parse(text)) else { return };
    let known = |text: &str| (!text.is_empty() && text != UNKNOWN).then(|| text.to_owned());
    if let Some(name) = known(found.name) {
        event.context.hilo.browser =
            Some(Browser { name, major: known(found.version).and_then(|v| major(&v)) });
    }
    event.context.os = known(found.os).map(|name| os(&name, known(&found.os_version)));
    let class = match found.category {
        "pc" => "desktop",
        "smartphone" | "mobilephone" => "mobile",
        "crawler" => "bot",
        "appliance" => "appliance",
        _ => "other",
    };
    event.context.device = Some(Device { class: Some(class.to_owned()) });
}

/// Family and major version: woothee names Windows by its edition and Apple's systems by the device.
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
