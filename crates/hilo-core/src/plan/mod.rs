//! The tracking plan: which events a site means to send, and which properties they have.
//!
//! `(event, plan) → event, violations`. The plan stands in `hilo.toml` (`config` reads it). A violation flags the event, and what
//! becomes of the event is the plan's [`Mode`]. Pure. Does not know which sender sent the event, and checks no ids.

mod check;
mod told;
mod typescript;

pub use check::check;
pub use told::{refusal, told};
pub use typescript::typescript;

use std::collections::BTreeMap;

use serde::Serialize;

/// Events of a plan.
pub const PLAN_EVENTS_MAX: usize = 500;
/// Properties of an event, at each depth.
pub const PLAN_PROPERTIES_MAX: usize = 128;
/// Values that a property may list.
pub const PLAN_VALUES_MAX: usize = 256;
/// How deep properties may stand in objects and lists.
pub const PLAN_DEPTH_MAX: usize = 4;

/// A tracking plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The plan's version, which violations name.
    pub version: String,
    /// What becomes of an event that violates the plan.
    pub mode: Mode,
    /// Whether other named acts than the plan's violate it. hilo's own acts do not.
    pub only_planned: bool,
    /// The events.
    #[serde(rename = "event")]
    pub events: Vec<PlannedEvent>,
}

/// What becomes of an event that violates the plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It is kept, and flagged.
    #[default]
    Flag,
    /// It is kept without the properties that violate the plan, and flagged.
    Strip,
    /// It is refused, and kept sealed for a replay.
    Reject,
}

impl Mode {
    /// The words of `hilo.toml`.
    pub const WORDS: [&str; 3] = ["flag", "strip", "reject"];

    /// The mode of a word.
    pub fn of(word: &str) -> Option<Mode> {
        match word {
            "flag" => Some(Mode::Flag),
            "strip" => Some(Mode::Strip),
            "reject" => Some(Mode::Reject),
            _ => None,
        }
    }
}

/// One event of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedEvent {
    /// The wire's `type`.
    #[serde(rename = "type")]
    pub kind: PlannedKind,
    /// The act's or page's name. Only a named act needs one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The version of the event in the plan.
    pub version: u32,
    /// What it means, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether other properties than these violate the plan.
    pub only_planned: bool,
    /// The properties, or traits, by name.
    pub properties: BTreeMap<String, Rule>,
}

/// The types of event that a plan can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PlannedKind {
    /// A named act.
    Track,
    /// A page view.
    Page,
    /// A view of an app's screen.
    Screen,
    /// What is told about a person.
    Identify,
    /// What is told about a group.
    Group,
}

impl PlannedKind {
    /// The words of `hilo.toml`.
    pub const WORDS: [&str; 5] = ["track", "page", "screen", "identify", "group"];

    /// The kind of a word.
    pub fn of(word: &str) -> Option<PlannedKind> {
        match word {
            "track" => Some(PlannedKind::Track),
            "page" => Some(PlannedKind::Page),
            "screen" => Some(PlannedKind::Screen),
            "identify" => Some(PlannedKind::Identify),
            "group" => Some(PlannedKind::Group),
            _ => None,
        }
    }
}

/// What a property has to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// The type of the value.
    #[serde(rename = "type")]
    pub shape: PlannedShape,
    /// Whether the event needs it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// The texts that it may be; empty means any.
    #[serde(rename = "enum", skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<String>,
    /// The least number, or the fewest letters or elements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// The greatest number, or the most letters or elements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// What it means, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The properties of an object, or of each object of a list.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, Rule>,
}

/// The type of a property.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PlannedShape {
    /// Text.
    #[default]
    Text,
    /// Any number.
    Number,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Flag,
    /// A time or a day, as ISO 8601 writes them.
    Time,
    /// An object.
    Object,
    /// A list.
    List,
    /// Anything.
    Any,
}

impl PlannedShape {
    /// The words of `hilo.toml`.
    pub const WORDS: [&str; 8] =
        ["text", "number", "integer", "flag", "time", "object", "list", "any"];

    /// The shape of a word.
    pub fn of(word: &str) -> Option<PlannedShape> {
        match word {
            "text" => Some(PlannedShape::Text),
            "number" => Some(PlannedShape::Number),
            "integer" => Some(PlannedShape::Integer),
            "flag" => Some(PlannedShape::Flag),
            "time" => Some(PlannedShape::Time),
            "object" => Some(PlannedShape::Object),
            "list" => Some(PlannedShape::List),
            "any" => Some(PlannedShape::Any),
            _ => None,
        }
    }

    /// What to write, for a sentence.
    pub(crate) const fn wanted(self) -> &'static str {
        match self {
            PlannedShape::Text => "text",
            PlannedShape::Number => "a number",
            PlannedShape::Integer => "a whole number",
            PlannedShape::Flag => "true or false",
            PlannedShape::Time => "a time as ISO 8601 writes it",
            PlannedShape::Object => "an object",
            PlannedShape::List => "a list",
            PlannedShape::Any => "anything",
        }
    }
}
