//! Loads the configuration: the uploaded file, or else an earlier one that this version can read, or else none.
//!
//! A shelf of texts → the configuration in force, or the fault. Both shells run this code, each over its own shelf. The
//! built-in file is for a developer's machine alone.

use std::rc::Rc;

use hilo_core::config::{Config, Retention};
use jiff::Timestamp;

use crate::fault::{Fault, FaultCode};
use crate::loaded::{Loaded, Standing};
use crate::pipeline;
use crate::platform::{Failure, Platform};

/// The key of the file that is meant to be in force.
pub const CURRENT: &str = "hilo.toml";
/// The keys of the files that `cargo xtask config push` has uploaded, newest first. The newest equals [`CURRENT`], unless
/// somebody has changed that by hand. A version of the collector that was rolled back finds the newest that it can read.
pub const PUSHED: [&str; 3] = ["hilo.toml.1", "hilo.toml.2", "hilo.toml.3"];

/// What a shelf has under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A text.
    Text(String),
    /// Nothing.
    Nothing,
    /// The shelf did not answer, with the reason.
    Failed(String),
}

/// Where texts of `hilo.toml` are stored.
#[expect(async_fn_in_trait, reason = "one thread per isolate: no future here needs to be Send")]
pub trait Shelf {
    /// Reads a text by its key.
    async fn read(&self, key: &str) -> Found;

    /// Reads the copy of the text that was last in force here, from a store that does not fail together with the other.
    async fn copy(&self) -> Option<String>;

    /// Stores that copy. A failure has no consequence.
    fn keep_copy(&self, text: &str);
}

/// Returns how long things are kept.
///
/// # Errors
/// `Retriable` while the newest configuration is not in force. An earlier one may have shorter times, and nothing that is removed
/// comes back.
pub(super) async fn retention<P: Platform>(platform: &P) -> Result<Retention, Failure> {
    let fault = match platform.config().await {
        Ok(loaded) if loaded.fault.is_none() => return Ok(loaded.config.retention),
        Ok(loaded) => loaded.fault.clone(),
        Err(fault) => Some(fault),
    };
    let name = fault.map_or("", |fault| fault.code.name());
    Err(Failure::Retriable(format!("nothing is removed: {name}")))
}

/// Lets an object call others, unless the deployment names another jurisdiction than `hilo.toml`, or nobody knows the file: the object might
/// call strangers of the same names, and take their answers for those of the objects that it means.
///
/// # Errors
/// `Retriable` until a file is known that names the same one.
pub(super) async fn placed<P: Platform>(platform: &P) -> Result<(), Failure> {
    platform.config().await.map(drop).map_err(Failure::from)
}

/// What a deployment itself says, whatever file is uploaded.
pub struct Deployed {
    is_dev: bool,
    jurisdiction: String,
}

impl Deployed {
    /// What this platform's deployment says.
    pub fn of<P: Platform>(platform: &P) -> Deployed {
        Deployed { is_dev: platform.is_dev(), jurisdiction: platform.jurisdiction() }
    }

    /// Whether objects are where this file says. The runtime on a developer's machine has no jurisdictions, and takes every file.
    fn fits(&self, config: &Config) -> bool {
        self.is_dev || self.jurisdiction == config.storage.name()
    }
}

/// Loads the configuration. `before` is the result of the last load of this isolate.
///
/// # Errors
/// The fault, if neither the uploaded file nor an earlier one can be had. Requests are refused then, because a wrong
/// configuration would refuse them for good.
pub async fn load<S: Shelf>(
    shelf: &S,
    before: Option<&Standing>,
    now: Timestamp,
    deployed: &Deployed,
) -> Standing {
    let kept = before.and_then(|before| before.as_ref().ok());
    let fault = match shelf.read(CURRENT).await {
        Found::Text(text) => {
            if let Some(kept) = kept.filter(|kept| kept.text == text && kept.fault.is_none()) {
                return Ok(Rc::clone(kept));
            }
            match open(&text, deployed, now) {
                Ok(config) => {
                    shelf.keep_copy(&text);
                    return Ok(Loaded::new(config, &text, None));
                }
                Err(fault) => fault,
            }
        }
        Found::Nothing if deployed.is_dev => return built_in(kept, None, now),
        Found::Nothing => Fault::new(FaultCode::ConfigMissing, now),
        Found::Failed(why) => {
            Fault { details: vec![why], ..Fault::new(FaultCode::ConfigUnreadable, now) }
        }
    };
    let known = match before {
        Some(Ok(kept)) => kept.fault.as_ref(),
        Some(Err(fault)) => Some(fault),
        None => None,
    };
    stand_in(shelf, kept, fault.lasting(known), deployed).await
}

/// Finds an earlier configuration that is in force in place of the newest.
async fn stand_in<S: Shelf>(
    shelf: &S,
    kept: Option<&Rc<Loaded>>,
    fault: Fault,
    deployed: &Deployed,
) -> Standing {
    let bridged = Fault { is_bridged: true, ..fault.clone() };
    if let Some(kept) = kept {
        if kept.fault.as_ref() == Some(&bridged) {
            return Ok(Rc::clone(kept));
        }
        return Ok(Loaded::new(kept.config.clone(), &kept.text, Some(bridged)));
    }
    for key in PUSHED {
        if let Found::Text(text) = shelf.read(key).await
            && let Ok(config) = open(&text, deployed, fault.since)
        {
            return Ok(Loaded::new(config, &text, Some(bridged)));
        }
    }
    if let Some(text) = shelf.copy().await
        && let Ok(config) = open(&text, deployed, fault.since)
    {
        return Ok(Loaded::new(config, &text, Some(bridged)));
    }
    if deployed.is_dev { built_in(None, Some(bridged), fault.since) } else { Err(fault) }
}

/// Reads a file with everything that this version must know about it, the settings of destinations too. A destination
/// that cannot be read would get none of the events of that time.
fn open(text: &str, deployed: &Deployed, now: Timestamp) -> Result<Config, Fault> {
    let (config, problems) = pipeline::examine(text);
    if !problems.is_empty() {
        return Err(Fault::invalid(&problems, now));
    }
    if !deployed.fits(&config) {
        let (file, deployment) = (config.storage.name(), &deployed.jurisdiction);
        let details = vec![format!("hilo.toml: \"{file}\", deployment: \"{deployment}\"")];
        return Err(Fault { details, ..Fault::new(FaultCode::JurisdictionChanged, now) });
    }
    Ok(config)
}

fn built_in(kept: Option<&Rc<Loaded>>, fault: Option<Fault>, now: Timestamp) -> Standing {
    if let Some(kept) = kept.filter(|kept| kept.is_built_in() && kept.fault == fault) {
        return Ok(Rc::clone(kept));
    }
    Loaded::built_in(fault).map_err(|problems| Fault::invalid(&problems, now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::memory::{Memory, run};

    const NEWEST: &str = "[project]\ncontroller = \"x\"\na_key_of_the_future = 1";

    fn file(key: &str) -> String {
        format!(
            "[project]\ncontroller = \"Shop\"\n[[source]]\nname = \"shop\"\nkind = \"browser\"\n\
             keys = [\"{key}\"]\norigins = [\"https://shop.example\"]\n"
        )
    }

    fn live(config: Option<&str>) -> Memory {
        let memory = Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), config).unwrap();
        memory.set_dev(false);
        memory
    }

    fn opened(memory: &Memory) -> Result<(String, Option<Fault>), FaultCode> {
        match run(memory.config()).unwrap() {
            Ok(loaded) => {
                let crate::loaded::Loaded { config, fault, .. } = &*loaded;
                let hilo_core::config::KeyText::Public(key) = &config.sources[0].keys[0].text
                else {
                    panic!("a browser's key is public");
                };
                Ok((key.clone(), fault.clone()))
            }
            Err(fault) => Err(fault.code),
        }
    }

    #[track_caller]
    fn check_bridged(memory: &Memory, key: &str, code: FaultCode) {
        let (found, fault) = opened(memory).unwrap();
        let fault = fault.map(|fault| (fault.code, fault.is_bridged));
        assert_eq!((found.as_str(), fault), (key, Some((code, true))));
    }

    #[test]
    fn the_built_in_file_is_in_force_on_a_developers_machine_only() {
        let memory = live(None);
        assert_eq!(opened(&memory), Err(FaultCode::ConfigMissing));
        let memory = Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), None).unwrap();
        assert_eq!(opened(&memory).unwrap().0, "wk_shop");
    }

    #[test]
    fn a_warm_isolate_keeps_its_configuration_when_the_newest_cannot_be_read() {
        let memory = live(Some(&file("wk_good")));
        assert_eq!(opened(&memory).unwrap(), ("wk_good".to_owned(), None));
        memory.configure(NEWEST);
        check_bridged(&memory, "wk_good", FaultCode::ConfigInvalid);
        memory.lose_kv();
        check_bridged(&memory, "wk_good", FaultCode::ConfigUnreadable);
    }

    #[test]
    fn a_fault_lasts_since_the_isolate_saw_it_first_and_ends_with_a_good_file() {
        let memory = live(Some(&file("wk_good")));
        opened(&memory).unwrap();
        memory.configure(NEWEST);
        let first = opened(&memory).unwrap().1.unwrap();
        memory.advance(jiff::SignedDuration::from_mins(5));
        assert_eq!(opened(&memory).unwrap().1, Some(first));
        memory.configure(&file("wk_good"));
        assert_eq!(opened(&memory).unwrap(), ("wk_good".to_owned(), None));
    }

    #[test]
    fn a_cold_isolate_that_cannot_read_the_newest_file_takes_the_newest_that_it_can_read() {
        let memory = live(Some(NEWEST));
        assert_eq!(opened(&memory), Err(FaultCode::ConfigInvalid));
        memory.upload(PUSHED[0], NEWEST);
        memory.upload(PUSHED[1], &file("wk_before"));
        memory.upload(PUSHED[2], &file("wk_oldest"));
        memory.start_cold();
        check_bridged(&memory, "wk_before", FaultCode::ConfigInvalid);
    }

    #[test]
    fn a_file_with_a_destination_that_this_version_does_not_know_is_not_loaded() {
        let unknown = "[[destination]]\nname = \"new\"\ntype = \"of_the_future\"\n\
            purposes = [\"analytics\"]\n";
        let memory = live(Some(&format!("{}{unknown}", file("wk_new"))));
        memory.upload(PUSHED[1], &file("wk_before"));
        check_bridged(&memory, "wk_before", FaultCode::ConfigInvalid);
    }

    #[test]
    fn a_cold_isolate_without_kv_takes_the_copy_or_refuses() {
        let memory = live(Some(&file("wk_good")));
        opened(&memory).unwrap();
        memory.lose_kv();
        memory.start_cold();
        check_bridged(&memory, "wk_good", FaultCode::ConfigUnreadable);
        let fresh = live(None);
        fresh.lose_kv();
        assert_eq!(opened(&fresh), Err(FaultCode::ConfigUnreadable));
    }

    #[test]
    fn a_file_of_another_jurisdiction_than_the_deployments_is_never_in_force() {
        let stored = |jurisdiction| {
            format!("{}[storage]\njurisdiction = \"{jurisdiction}\"\n", file("wk_stored"))
        };
        for (deployment, wrong) in [
            ("eu", file("wk_plain")),
            ("", stored("eu")),
            ("eu", stored("fedramp")),
            ("EU", stored("eu")),
        ] {
            let memory = live(Some(&wrong));
            memory.set_jurisdiction(deployment);
            memory.upload(PUSHED[0], &wrong);
            assert_eq!(
                opened(&memory),
                Err(FaultCode::JurisdictionChanged),
                "{deployment} {wrong}"
            );
        }
        let memory = live(Some(&stored("eu")));
        memory.set_jurisdiction("eu");
        assert_eq!(opened(&memory).unwrap(), ("wk_stored".to_owned(), None));
        // The file that fits stays in force, in a warm isolate and in a cold one.
        memory.configure(&file("wk_plain"));
        check_bridged(&memory, "wk_stored", FaultCode::JurisdictionChanged);
        memory.upload(PUSHED[0], &file("wk_plain"));
        memory.upload(PUSHED[1], &stored("eu"));
        memory.start_cold();
        check_bridged(&memory, "wk_stored", FaultCode::JurisdictionChanged);
    }

    #[test]
    fn a_developers_machine_takes_a_file_of_any_jurisdiction() {
        let memory = live(Some(&format!("{}[storage]\njurisdiction = \"eu\"\n", file("wk_eu"))));
        memory.set_dev(true);
        assert_eq!(opened(&memory).unwrap(), ("wk_eu".to_owned(), None));
    }

    #[test]
    fn the_command_that_uploads_knows_the_same_keys() {
        let command = include_str!("../../../xtask/src/config.rs");
        for key in [CURRENT].iter().chain(&PUSHED) {
            assert!(command.contains(&format!("\"{key}\"")), "{key}");
        }
    }
}
