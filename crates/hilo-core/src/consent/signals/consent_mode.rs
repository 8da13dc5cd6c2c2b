//! Google Consent Mode v2: the commands that a page puts into its `dataLayer`, and the states that hilo puts there itself.
//!
//! In: `consent` commands in order. Out: an answer for each purpose. Only an `update` is a choice: a default that grants says nothing,
//! and a default that denies withholds until the visitor chooses. The visitor's region is unknown here, so that a default for a
//! region counts everywhere.

use alloc::string::String;

use super::{Answer, Answers, Told};
use crate::consent::{ConsentState, Purpose};
use crate::plain::Plain;

/// A key, the purpose that it is about, and a second purpose that its grant needs.
type Key = (&'static str, Purpose, Option<Purpose>);

/// Google's keys. A tool may leave out a key that needs two purposes; it may not leave out another.
const KEYS: [Key; 6] = [
    ("analytics_storage", Purpose::Analytics, None),
    ("ad_storage", Purpose::Advertising, None),
    ("ad_user_data", Purpose::Advertising, None),
    ("ad_personalization", Purpose::Advertising, Some(Purpose::Personalization)),
    ("functionality_storage", Purpose::Functional, None),
    ("personalization_storage", Purpose::Personalization, None),
];

/// What was told about each key.
#[derive(Debug, Default)]
pub(super) struct ConsentMode([Answer; KEYS.len()]);

impl ConsentMode {
    /// Reads a command: `command` and its `states`.
    pub(super) fn read(&mut self, told: &Plain) -> Told {
        let states = told.get("states")?;
        let is_update = match told.word("command") {
            "update" => true,
            "default" => false,
            _ => return self.told(),
        };
        for ((key, ..), known) in KEYS.into_iter().zip(&mut self.0) {
            *known = match states.word(key) {
                "granted" if is_update => Answer::Granted,
                "denied" if is_update => Answer::Denied,
                "denied" => (*known).max(Answer::Withheld),
                _ => *known,
            };
        }
        self.told()
    }

    fn told(&self) -> Told {
        let (mut answers, mut raw) = (Answers::default(), String::new());
        for purpose in Purpose::ASKED {
            answers.add(purpose, self.answer(purpose));
        }
        for ((key, ..), known) in KEYS.into_iter().zip(self.0) {
            if known == Answer::Granted {
                push_word(&mut raw, key);
            }
        }
        Some((answers, raw))
    }

    /// A purpose is denied with any of its keys, and granted with all of them.
    fn answer(&self, purpose: Purpose) -> Answer {
        let (mut strongest, mut weakest) = (Answer::Silent, Answer::Denied);
        for ((_, about, also), known) in KEYS.into_iter().zip(self.0) {
            if about == purpose {
                strongest = strongest.max(known);
                if also.is_none() || known != Answer::Silent {
                    weakest = weakest.min(known);
                }
            }
        }
        if strongest == Answer::Granted { weakest } else { strongest }
    }
}

/// The keys that these choices grant, with blanks between them: what hilo tells Google's tags.
pub fn granted_keys(state: &ConsentState) -> String {
    let mut keys = String::from("security_storage");
    for (key, about, also) in KEYS {
        if state.is_granted(about) && also.is_none_or(|also| state.is_granted(also)) {
            push_word(&mut keys, key);
        }
    }
    keys
}

/// Adds a word, behind a blank where it is not the first.
pub(super) fn push_word(words: &mut String, word: &str) {
    if !words.is_empty() {
        words.push(' ');
    }
    words.push_str(word);
}
