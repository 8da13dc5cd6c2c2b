//! The rules about calls. Shape only.

use serde_json::Value;

use super::super::condition::Conditions;
use super::super::path::Path;
use super::super::reading::Reading;

/// Bytes of all properties of one report, about: an event may have 32 KiB.
pub const REPORT_BYTES_MAX: usize = 24 * 1024;

/// The rules of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The rules in their order.
    pub rules: Vec<Rule>,
    /// The field of the body whose text is JSON itself.
    pub json_field: Option<String>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its number in the file, from 1.
    pub number: usize,
    /// The elements that the rule is about. Without it, the rule is about the body.
    pub each: Option<Path>,
    /// When it matches.
    pub when: Conditions,
    /// What it tells. `None`: a body that matches is left out on purpose.
    pub tells: Option<Tells>,
    /// Whether later rules are left out.
    pub stops: bool,
}

/// What a rule tells about a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tells {
    /// The act, the traits or the opt-in.
    pub what: What,
    /// The parts of the other system's stable id. All must be there.
    pub id: Vec<Reading>,
    /// When it happened.
    pub time: Option<Field>,
    /// How the other system names the person: fields of [`Who`](crate::inbound::Who).
    pub who: Vec<Field>,
    /// Parts of the event's context. `campaign.name` is the member of an object.
    pub context: Vec<Field>,
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// An act. Where its name has no value, the rule does not match.
    Act {
        /// Its name.
        name: Box<Reading>,
        /// Its properties.
        properties: Vec<Field>,
    },
    /// Facts about the person.
    Traits(Vec<Field>),
    /// Whether the person may be written to.
    OptIn {
        /// The channel.
        channel: Box<Reading>,
        /// `subscribed` or `unsubscribed`. Where it is neither, the rule does not match.
        state: Box<Reading>,
        /// The text that the person saw.
        text: Option<Box<Reading>>,
    },
}

/// A value with the name that it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name.
    pub name: String,
    /// How the value is read.
    pub reading: Reading,
    /// Whether nothing is told without it.
    pub is_required: bool,
}

/// A call of another system.
#[derive(Clone, Copy, Debug)]
pub struct Call<'c> {
    /// The body, decoded.
    pub body: &'c Value,
    /// An object of the headers that the rules read, by their names in small letters.
    pub headers: &'c Value,
}

impl Rules {
    /// The names of the headers that the rules read, each once. Whoever stores a body stores these with it.
    pub fn headers(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for name in self.rules.iter().flat_map(Rule::paths).filter_map(Path::header) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

impl Rule {
    fn paths(&self) -> impl Iterator<Item = &Path> {
        let told = self.tells.iter().flat_map(Tells::readings).flat_map(Reading::paths);
        self.when.paths().chain(told)
    }
}

impl Tells {
    fn readings(&self) -> Vec<&Reading> {
        let mut readings: Vec<&Reading> = self.id.iter().collect();
        let mut fields: Vec<&Field> =
            self.time.iter().chain(&self.who).chain(&self.context).collect();
        match &self.what {
            What::Act { name, properties } => {
                readings.push(name);
                fields.extend(properties);
            }
            What::Traits(traits) => fields.extend(traits),
            What::OptIn { channel, state, text } => {
                readings.extend([&**channel, &**state]);
                readings.extend(text.as_deref());
            }
        }
        readings.extend(fields.into_iter().map(|field| &field.reading));
        readings
    }
}
