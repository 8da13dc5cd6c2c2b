//! The mapping form: rules of `hilo.toml` that a document goes through.
//!
//! `(rules, document) → a name, fields, or a drop`. Total and pure: rules have no loops, no recursion, no regular expressions, and no
//! arithmetic but between the units of money and time. The cost of a rule is bounded by its own fields times the document.
//! Does not know what a document means: `config` reads rules, and whoever applies them decides what stands in the document.

mod cast;
mod clock;
mod comparison;
mod condition;
mod document;
pub mod inbound;
mod path;
mod plain;
mod reading;

pub use cast::{Cast, CurrencyOf, Unit};
pub use clock::{Clock, Pattern};
pub use condition::{Condition, Conditions, Side, Test};
pub use document::Document;
pub use path::{PATH_CHARS_MAX, Path, STEPS_MAX, Unread};
pub use reading::{Edits, Input, Read, Reading};

use reading::bytes;
use serde_json::{Map, Value};

/// Rules for one destination.
pub const RULES_MAX: usize = 64;
/// Fields of one rule.
pub const FIELDS_MAX: usize = 64;
/// Entries of any list or table of a rule.
pub const LIST_MAX: usize = 64;
/// Values of a field with `each`.
pub const EACH_MAX: usize = 1_000;
/// Bytes of all fields of one document, about. Rules may copy a document many times, and requests have limits.
pub const FIELDS_BYTES_MAX: usize = 8 * 1024;

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// When it matches.
    pub when: Conditions,
    /// Whether documents that match are dropped.
    pub drops: bool,
    /// The name that the document gets.
    pub name: Option<String>,
    /// The fields that the document gets.
    pub fields: Vec<(String, Reading)>,
    /// Whether later rules are left out.
    pub stops: bool,
}

/// What rules make of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    /// The rule with this number, from 1, drops it.
    Dropped(usize),
    /// Its name and its fields.
    Mapped {
        /// The name of the first rule that has one.
        name: Option<String>,
        /// The fields. Of two rules with the same field the first counts.
        fields: Map<String, Value>,
        /// Fields whose values did not fit. They are left out.
        unfit: Vec<String>,
    },
}

/// Applies rules in their order. The first one that matches is the last, unless it says `stop = false`.
pub fn apply(rules: &[Rule], document: &Value) -> Applied {
    let (mut name, mut fields, mut unfit) = (None, Map::new(), Vec::new());
    let mut left = FIELDS_BYTES_MAX;
    for (at, rule) in rules.iter().enumerate() {
        if !rule.when.hold(document) {
            continue;
        }
        if rule.drops {
            return Applied::Dropped(at + 1);
        }
        if name.is_none() {
            name.clone_from(&rule.name);
        }
        for (field, reading) in &rule.fields {
            if fields.contains_key(field) {
                continue;
            }
            match reading.read(document, left) {
                Read::Value(value) => {
                    left = left.saturating_sub(field.len() + bytes(&value));
                    fields.insert(field.clone(), value);
                }
                Read::Unfit => unfit.push(field.clone()),
                Read::Missing => {}
            }
        }
        if rule.stops {
            break;
        }
    }
    Applied::Mapped { name, fields, unfit }
}
