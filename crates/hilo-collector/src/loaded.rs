//! The configuration in force: the uploaded one, or else the built-in one. A broken configuration never replaces a good one.
//!
//! Text of `hilo.toml` → [`Loaded`]. This file fetches nothing: the platform reads the text and keeps the result.

use std::rc::Rc;

use hilo_core::config::{Config, Problem, parse};

/// The configuration that is in force where nothing was uploaded.
const EMBEDDED: &str = include_str!("../hilo.toml");

/// The configuration in force.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The problems of the newest text, if it could not be loaded.
    pub problems: Vec<Problem>,
    /// The text of this configuration, to detect a newer one.
    text: String,
}

impl Loaded {
    /// Reads `uploaded`, or the built-in file. If the text has problems, the configuration `before` stays in force, or
    /// else the built-in one, and `problems` lists them.
    pub fn read(uploaded: Option<&str>, before: Option<&Rc<Loaded>>) -> Rc<Loaded> {
        let text = uploaded.unwrap_or(EMBEDDED);
        if let Some(before) = before.filter(|before| before.text == text) {
            return Rc::clone(before);
        }
        let (config, problems) = match open(text) {
            Ok(config) => (config, Vec::new()),
            Err(problems) => (before.map_or_else(built_in, |b| b.config.clone()), problems),
        };
        Rc::new(Loaded { config, problems, text: text.to_owned() })
    }
}

fn open(text: &str) -> Result<Config, Vec<Problem>> {
    parse(text)
}

fn built_in() -> Config {
    // A test of this module parses the built-in file. A collector without sources refuses every request.
    open(EMBEDDED).unwrap_or_else(|_| Config {
        controller: String::new(),
        environment: String::new(),
        sources: Vec::new(),
        identity: hilo_core::config::IdentityRules::default(),
        consent: hilo_core::config::ConsentRules {
            notice_version: String::new(),
            ask_again_months: 6,
            purposes: Vec::new(),
            categories: hilo_core::config::Categories::default(),
        },
        normalize: hilo_core::config::NormalizeRules::default(),
        cart: hilo_core::config::CartRules::default(),
        destinations: Vec::new(),
        retention: hilo_core::config::Retention::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_configuration_has_no_problems() {
        assert_eq!(Loaded::read(None, None).problems, []);
    }

    #[test]
    fn a_broken_configuration_is_not_loaded_and_its_problems_are_kept() {
        let good = EMBEDDED.replace("wk_shop", "wk_other");
        let first = Loaded::read(Some(&good), None);
        let second = Loaded::read(Some("[[source]]\nnam = \"x\""), Some(&first));
        assert_eq!(second.config, first.config);
        assert!(!second.problems.is_empty());
        assert!(Loaded::read(Some(&good), Some(&second)).problems.is_empty());
    }
}
