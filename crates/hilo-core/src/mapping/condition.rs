//! The conditions of a rule.
//!
//! `(conditions, document) → yes or no`. A path that leads nowhere fulfills no condition but `absent`.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use serde_json::{Number, Value};

use super::comparison::{compare, equal, number};
use super::document::Document;
use super::path::Path;

/// The conditions of a rule. Without any it always matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Conditions that must all hold: `when` and `also`.
    pub all: Vec<Condition>,
    /// Conditions of which one must hold, if there are any: `any`.
    pub any: Vec<Condition>,
}

/// A test of what is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The path. Where it leads to several nodes, one of them must pass.
    pub path: Path,
    /// The test.
    pub test: Test,
}

/// What a node must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// Equal to a value.
    Equal(Value),
    /// There, and no node is equal to the value.
    Unequal(Value),
    /// Equal to one of the values.
    In(Vec<Value>),
    /// There.
    Exists,
    /// Missing, or `null`.
    Absent,
    /// A number on one side of another.
    Is(Side, Number),
    /// A text with this beginning.
    StartsWith(String),
    /// A text with this part, or a list with this text.
    Contains(String),
    /// A text that is one of these words, in any case and with any blanks and marks around it.
    Says(Vec<String>),
}

/// The side of a number on which another number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `gt`
    Above,
    /// `ge`
    AtLeast,
    /// `lt`
    Below,
    /// `le`
    AtMost,
}

impl Conditions {
    /// Whether the conditions hold.
    pub fn hold<'d>(&self, document: impl Into<Document<'d>>) -> bool {
        let document = document.into();
        self.all.iter().all(|one| one.holds(document))
            && (self.any.is_empty() || self.any.iter().any(|one| one.holds(document)))
    }

    /// Every path of the conditions.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.all.iter().chain(&self.any).map(|one| &one.path)
    }

    /// Whether these conditions hold wherever `other` hold, as far as their texts show.
    pub fn cover(&self, other: &Conditions) -> bool {
        let is_any_covered = self.any.is_empty()
            || self.any.iter().any(|one| other.all.contains(one))
            || (!other.any.is_empty() && other.any.iter().all(|one| self.any.contains(one)));
        is_any_covered && self.all.iter().all(|one| other.all.contains(one))
    }
}

impl Condition {
    fn holds(&self, document: Document<'_>) -> bool {
        match &self.test {
            Test::Exists => self.path.first(document).is_some(),
            Test::Absent => self.path.first(document).is_none(),
            Test::Unequal(value) => {
                self.path.first(document).is_some()
                    && !self.has(document, &mut |node| equal(node, value))
            }
            Test::Equal(value) => self.has(document, &mut |node| equal(node, value)),
            Test::In(values) => {
                self.has(document, &mut |node| values.iter().any(|value| equal(node, value)))
            }
            Test::Is(side, than) => self.has(document, &mut |node| {
                let order = number(node).and_then(|number| compare(&number, than));
                order.is_some_and(|order| side.has(order))
            }),
            Test::StartsWith(text) => {
                self.has(document, &mut |node| node.as_str().is_some_and(|it| it.starts_with(text)))
            }
            Test::Contains(text) => self.has(document, &mut |node| {
                let listed =
                    || node.as_array()?.iter().find(|one| one.as_str() == Some(text.as_str()));
                node.as_str().is_some_and(|it| it.contains(text)) || listed().is_some()
            }),
            Test::Says(words) => self.has(document, &mut |node| {
                let said = node.as_str().unwrap_or_default().to_lowercase();
                let said = said.trim_matches(|c: char| !c.is_alphanumeric());
                words.iter().any(|word| word == said)
            }),
        }
    }

    /// Whether one of the path's nodes passes.
    fn has(&self, document: Document<'_>, passes: &mut dyn FnMut(&Value) -> bool) -> bool {
        let found = self.path.visit(document, &mut |node| match passes(node) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        });
        found.is_break()
    }
}

impl Side {
    const fn has(self, order: Ordering) -> bool {
        match self {
            Side::Above => order.is_gt(),
            Side::AtLeast => order.is_ge(),
            Side::Below => order.is_lt(),
            Side::AtMost => order.is_le(),
        }
    }
}
