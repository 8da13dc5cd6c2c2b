//! What the page's consent tools say → one report for the first module's gate, as text for JavaScript.
//!
//! In: the site's settings, and copies of what each source says. Out: a report as `face.rs` takes it, where it differs from the last
//! one, and categories that nobody maps. `hilo_core::consent::signals` decides.

use hilo_core::consent::signals::{Answer, Settings, Signals, granted_keys};
use hilo_core::consent::{Choice, ConsentState, Purpose};
use hilo_core::digits;
use hilo_core::plain::Plain;
use hilo_core::text::parts;

use crate::json::Json;
use crate::platform::codes::{CHOICE_DENIED, CHOICE_GRANTED, CHOICE_PENDING, CHOICE_UNSET};

/// The sources with a method of their own in a receipt. Every other one is a tool that the signals name.
const METHODS: [&str; 3] = ["tcf", "gpp", "consent_mode"];

/// The sources of this page.
#[derive(Debug, Default)]
pub struct Sources {
    signals: Signals,
    last: String,
}

impl Sources {
    /// Sources of which none has been heard. `settings` has `expected`, the names of sources that must answer before anything passes,
    /// `vendor`, `categories` as [`Settings`] has them, and `gpc`.
    pub fn new(settings: &Plain) -> Sources {
        let mut signals = Signals::new(Settings {
            vendor: settings.get("vendor").and_then(Plain::text).and_then(digits::read),
            categories: settings.word("categories").to_owned(),
            gpc: settings.flag("gpc"),
        });
        for name in parts(settings.word("expected"), b' ').filter(|name| !name.is_empty()) {
            signals.expect(name);
        }
        Sources { signals, last: String::new() }
    }

    /// Hears a source; an empty name is none. Answers lines: the report, with tabs between its codes, methods and signals, and then the
    /// categories that nobody maps. Empty text where nothing is new.
    pub fn hear(&mut self, name: &str, told: &Plain) -> String {
        if !name.is_empty() {
            self.signals.hear(name, told);
        }
        let report = self.report();
        let mut lines = String::new();
        if report != self.last {
            lines.push_str(&report);
            self.last = report;
        }
        for category in parts(self.signals.take_unknown(), b' ').filter(|name| !name.is_empty()) {
            lines.push('\n');
            lines.push_str(category);
        }
        lines
    }

    fn report(&self) -> String {
        let report = self.signals.report();
        // `Essential` has the lowest bit, and nobody is asked about it.
        let (mut codes, mut place, mut methods) = (0, 1, String::new());
        for (answer, decider) in report.answers.0.into_iter().zip(report.deciders) {
            let code = match answer {
                Answer::Silent => CHOICE_UNSET,
                Answer::Granted => CHOICE_GRANTED,
                Answer::Denied => CHOICE_DENIED,
                Answer::Pending | Answer::Withheld => CHOICE_PENDING,
            };
            codes |= u64::from(code) << place;
            place += 1;
            if !decider.is_empty() {
                let known = METHODS.contains(&decider);
                methods.push_str(if known { decider } else { "tool" });
            }
            methods.push(' ');
        }
        let mut text = String::new();
        digits::push(&mut text, false, codes);
        text.push('\t');
        text.push_str(&methods);
        text.push('\t');
        let mut json = Json::new();
        for (name, raw) in self.signals.raw() {
            json.text(name, raw);
        }
        text.push_str(",\"signals\":");
        text.push_str(&json.done());
        text
    }
}

/// The keys of Consent Mode that a visitor grants who granted these purposes; blanks separate both.
pub fn keys(granted: &str) -> String {
    let mut state = ConsentState::default();
    for purpose in parts(granted, b' ').filter_map(Purpose::from_name) {
        state.set(purpose, Choice::Granted);
    }
    granted_keys(&state)
}
