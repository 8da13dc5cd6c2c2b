//! The deployer's rules: what `[[destination.map]]` of `hilo.toml` makes of one event.
//!
//! `(rules, event, person) → name and fields, or a drop`. The document of the rules is `{event, person}`, exactly what the destination
//! would get: consent and purposes have removed the rest before. Decides nothing about consent and changes no event.

use hilo_core::event::Event;
use hilo_core::mapping::{Applied, Rule, apply};
use hilo_core::profile::Person;
use serde::Serialize;
use serde_json::Value;

use super::destination::Mapped;
use super::reason;

/// What the rules make of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Ruled {
    /// The event goes on, with this.
    Kept {
        /// Name and fields.
        mapped: Mapped,
        /// Fields that are left out, because their values did not fit.
        unfit: Vec<String>,
    },
    /// The destination does not get the event, for this reason.
    Dropped(String),
}

/// Applies the rules to an event and its person, who is `None` if the kind wants no person.
pub fn rule(rules: &[Rule], event: &Event, person: Option<&Person>) -> Ruled {
    #[derive(Serialize)]
    struct Document<'d> {
        event: &'d Event,
        person: Option<&'d Person>,
    }
    if rules.is_empty() {
        return Ruled::Kept { mapped: Mapped::default(), unfit: Vec::new() };
    }
    // By way of text: a second serializer for events and persons would be tens of KB of the script.
    let text = serde_json::to_string(&Document { event, person }).unwrap_or_default();
    let document: Value = match serde_json::from_str(&text) {
        Ok(document) => document,
        // A rule that drops must not let through what it cannot read.
        Err(error) => return Ruled::Dropped(reason::invalid(&error.to_string())),
    };
    match apply(rules, &document) {
        Applied::Dropped(number) => Ruled::Dropped(reason::dropped(number)),
        Applied::Mapped { name, fields, unfit } => {
            Ruled::Kept { mapped: Mapped { name, fields }, unfit }
        }
    }
}
