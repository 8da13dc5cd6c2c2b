//! The page of the touchpoints has every row of the list.
//!
//! `TOUCHPOINTS` → the facts of the page.

use hilo_core::event::fields::Privacy;
use hilo_core::event::touchpoints::{Property, TOUCHPOINTS, Touchpoint};

use crate::facts::stale;

#[test]
fn the_page_of_touchpoints_has_every_row_of_the_list() {
    assert_eq!(stale("crates/hilo-collector/docs/touchpoints.md", &table()), None);
}

fn table() -> String {
    let mut table = "| name | channel | began by | seen by the person | properties |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for Touchpoint { name, channel, initiator, is_visible, properties } in TOUCHPOINTS {
        let channel = channel.unwrap_or_default();
        let seen = if *is_visible { "yes" } else { "no" };
        let properties: Vec<String> = properties.iter().map(property).collect();
        let (by, properties) = (initiator.name(), properties.join("; "));
        table.push_str(&format!("| `{name}` | {channel} | {by} | {seen} | {properties} |\n"));
    }
    table
}

fn property(one: &Property) -> String {
    let needed = if one.is_required { " (expected)" } else { "" };
    let privacy = match one.privacy {
        Privacy::Plain => "",
        Privacy::Identifier => ", identifier",
        Privacy::Url => ", address: redacted",
        Privacy::Personal => ", personal",
        Privacy::Reduced => ", reduced",
        Privacy::Device => ", device",
        Privacy::Unkept => ", not kept",
    };
    format!("`{}`{needed} {}{privacy}", one.name, one.kind.expected())
}
