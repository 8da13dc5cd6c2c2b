//! What consent tools and browsers tell about a visitor's choices, as one answer for each purpose.
//!
//! In: copied values of a page, each under the name of its source. Out: granted, denied, pending or silent for each purpose, with
//! the source that decided. The order of authority and "a denial wins" stand in [`Answer`] and [`Signals::report`]. Has no clock: no
//! time that passes ever becomes a grant. The page's own calls and stored choices are the gate's (`hilo-tracker/src/gate`).
//!
//! `tcf` reads TCF 2.2 and 2.3, `tc_string` the string that it writes, `gpp` the Global Privacy Platform, `consent_mode` Google's
//! commands, and `tools` the tools that name categories.

mod consent_mode;
mod gpp;
mod tc_string;
mod tcf;
mod tools;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use consent_mode::ConsentMode;
pub use consent_mode::granted_keys;

use super::Purpose;
use crate::plain::Plain;

/// A source's word on one purpose, from the weakest to the strongest: of several sources the strongest answer counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// The source does not speak about the purpose: other sources and earlier choices count.
    #[default]
    Silent,
    /// A default denies, and the visitor has not chosen: earlier choices do not count. A grant of another source does.
    Withheld,
    /// The visitor said yes.
    Granted,
    /// The source has not answered yet: nothing passes until it does.
    Pending,
    /// The visitor said no.
    Denied,
}

/// One answer for each purpose, in the order of [`Purpose::ASKED`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers(pub [Answer; Purpose::ASKED.len()]);

impl Answers {
    /// The same answer for every purpose.
    const fn all(answer: Answer) -> Answers {
        Answers([answer; Purpose::ASKED.len()])
    }

    /// The answer about `purpose`.
    pub fn of(&self, purpose: Purpose) -> Answer {
        let mut pairs = Purpose::ASKED.into_iter().zip(self.0);
        pairs.find(|(known, _)| *known == purpose).map_or(Answer::Silent, |(_, answer)| answer)
    }

    /// Adds an answer about `purpose`. The stronger one stays, so that two categories of one purpose both have to be granted.
    fn add(&mut self, purpose: Purpose, answer: Answer) {
        for (known, mine) in Purpose::ASKED.into_iter().zip(&mut self.0) {
            if known == purpose {
                *mine = answer.max(*mine);
            }
        }
    }
}

/// What the site says about the sources.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The vendor of TCF under whose name the data are processed; `None` for a site that is on no vendor list.
    pub vendor: Option<u64>,
    /// The site's own categories, a line each: the name, a tab, its purposes with blanks between them. They come before hilo's table.
    pub categories: String,
    /// Whether the browser sends Global Privacy Control. A tool's grant does not lift it, because a tool may repeat an older choice.
    pub gpc: bool,
}

/// A source and its last answer.
#[derive(Debug)]
struct Source {
    name: String,
    answers: Answers,
    /// Whether the source told a choice on this page.
    is_decided: bool,
    /// What the source told, for the receipt: a string of TCF or GPP, the names of granted categories.
    raw: String,
}

/// What one source told: its answers, and the text for the receipt. `None` for no choice.
type Told = Option<(Answers, String)>;

/// The merged answer of all sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report<'s> {
    /// The answers. None of them is [`Answer::Withheld`].
    pub answers: Answers,
    /// For each purpose the source that decided; empty for none.
    pub deciders: [&'s str; Purpose::ASKED.len()],
}

/// The sources of a page.
#[derive(Debug, Default)]
pub struct Signals {
    settings: Settings,
    sources: Vec<Source>,
    consent_mode: ConsentMode,
    /// Categories that nobody maps, for the developer, with blanks between them; those before this place were named.
    unknown: String,
    named: usize,
}

/// The sources whose word counts most, the first first. Every other source is a tool and comes before Consent Mode.
const FIRST: [&str; 2] = ["tcf", "gpp"];
const LAST: &str = "consent_mode";

impl Signals {
    /// Sources with these settings, of which none has been heard.
    pub fn new(settings: Settings) -> Signals {
        Signals { settings, ..Signals::default() }
    }

    /// From now on nothing passes before `name` has answered.
    pub fn expect(&mut self, name: &str) {
        self.source(name);
    }

    fn source(&mut self, name: &str) -> Option<&mut Source> {
        if !self.sources.iter().any(|source| source.name == name) {
            let (name, answers) = (name.to_owned(), Answers::all(Answer::Pending));
            self.sources.push(Source { name, answers, is_decided: false, raw: String::new() });
        }
        self.sources.iter_mut().find(|source| source.name == name)
    }

    /// Hears what `name` tells.
    pub fn hear(&mut self, name: &str, told: &Plain) {
        let heard = match name {
            "tcf" => tcf::read(told, self.settings.vendor),
            "gpp" => gpp::read(told, self.settings.vendor),
            LAST => self.consent_mode.read(told),
            _ => tools::read(told, &self.settings.categories, &mut self.unknown),
        };
        let is_gpp = name == "gpp";
        let Some(source) = self.source(name) else { return };
        match heard {
            Some((answers, raw)) => {
                (source.answers, source.raw, source.is_decided) = (answers, raw, true);
            }
            // GPP says so when something is about to change: nothing new flows for what it spoke about. An open panel of another
            // source changes nothing, because the visitor's last choice stands until they confirm another one.
            None if is_gpp && source.is_decided => source.answers = gpp::unready(source.answers),
            None if source.is_decided => {}
            None => source.answers = Answers::all(Answer::Pending),
        }
    }

    /// The categories that nobody maps and that were not named before, with blanks around them.
    pub fn take_unknown(&mut self) -> &str {
        let named = core::mem::replace(&mut self.named, self.unknown.len());
        self.unknown.get(named..).unwrap_or_default()
    }

    /// Of each source that told a choice: its name and its text.
    pub fn raw(&self) -> impl Iterator<Item = (&str, &str)> {
        let told = self.sources.iter().filter(|source| !source.raw.is_empty());
        told.map(|source| (source.name.as_str(), source.raw.as_str()))
    }

    /// Merges the sources: the strongest answer about a purpose counts, and names the source of the highest authority that gave it.
    pub fn report(&self) -> Report<'_> {
        let mut report = Report::default();
        let slots = report.answers.0.iter_mut().zip(&mut report.deciders);
        for (purpose, (slot, decider)) in Purpose::ASKED.into_iter().zip(slots) {
            let mut best = (Answer::Silent, 0);
            for source in &self.sources {
                let mut answer = source.answers.of(purpose);
                let has_gpc = self.settings.gpc && Purpose::GPC_DENIES.contains(&purpose);
                if has_gpc && answer == Answer::Granted {
                    answer = Answer::Silent;
                }
                let bid = (answer, authority(&source.name));
                if bid > best {
                    best = bid;
                    *decider = &source.name;
                }
            }
            *slot = if best.0 == Answer::Withheld { Answer::Pending } else { best.0 };
            if matches!(slot, Answer::Silent | Answer::Pending) {
                *decider = "";
            }
        }
        report
    }
}

/// The weight of a source's word: it decides which of two equal answers names the method of a receipt.
fn authority(name: &str) -> u8 {
    match FIRST.iter().position(|known| *known == name) {
        Some(0) => 4,
        Some(_) => 3,
        None if name == LAST => 1,
        None => 2,
    }
}

#[cfg(test)]
#[cfg(feature = "edge")]
mod tests;
