//! The configuration in force, and what is wrong with the newest one. A configuration that cannot be read never becomes
//! another one: an earlier good one stays in force, or requests are refused.
//!
//! Text of `hilo.toml` → [`Loaded`] or [`Fault`]. This file fetches nothing: `shell/config.rs` finds the texts.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hilo_core::config::{Config, Problem, parse};
use hilo_core::identity::public_key::PublicKey;
use jiff::Timestamp;

use crate::fault::Fault;

/// The file that is in force on a developer's machine where nothing was uploaded, and nowhere else.
const BUILT_IN: &str = include_str!("../hilo.toml");

/// The result of the last attempt to load a configuration.
pub type Standing = Result<Rc<Loaded>, Fault>;

/// The configuration in force.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The reason why the newest text is not in force, if it is not.
    pub fault: Option<Fault>,
    /// The text of this configuration, to detect a newer one.
    pub text: String,
    /// The faults that `/health` has found last. They are kept here, so that a new configuration is looked at anew.
    pub health: RefCell<Option<Checkup>>,
    /// The last time at which an object refused a call, because a newer version has changed its storage.
    pub schema_newer_at: Cell<Option<Timestamp>>,
    /// The keys of the team whose assertions of Cloudflare Access count.
    pub access_keys: RefCell<AccessKeys>,
}

/// The public keys with which Cloudflare Access signs, by their names.
#[derive(Clone, Debug, Default)]
pub struct AccessKeys {
    /// The time at which the keys came.
    pub fetched_at: Option<Timestamp>,
    /// The time at which they were asked for last.
    pub asked_at: Option<Timestamp>,
    /// The keys.
    pub keys: Vec<(String, PublicKey)>,
}

/// The faults that a look at the deployment has found.
#[derive(Clone, Debug, Default)]
pub struct Checkup {
    /// The time of the look.
    pub at: Timestamp,
    /// The faults.
    pub faults: Vec<Fault>,
}

impl Loaded {
    /// A configuration with its text, and the fault of a newer one.
    pub fn new(config: Config, text: &str, fault: Option<Fault>) -> Rc<Loaded> {
        let text = text.to_owned();
        let (health, schema_newer_at, access_keys) = Default::default();
        Rc::new(Loaded { config, fault, text, health, schema_newer_at, access_keys })
    }

    /// The built-in file, for a developer's machine.
    ///
    /// # Errors
    /// The file's problems. A test of this module shows that it has none.
    pub fn built_in(fault: Option<Fault>) -> Result<Rc<Loaded>, Vec<Problem>> {
        Ok(Loaded::new(parse(BUILT_IN)?, BUILT_IN, fault))
    }

    /// Whether this is the built-in file.
    pub fn is_built_in(&self) -> bool {
        self.text == BUILT_IN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_configuration_has_no_problems() {
        assert!(Loaded::built_in(None).is_ok());
    }
}
