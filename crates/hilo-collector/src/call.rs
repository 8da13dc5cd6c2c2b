//! One call of the collector: the request, the configuration in force, and the runtime. Also the two reasons why a call
//! fails.
//!
//! `pipeline`, `ingest` and `admin` share these shapes, so that none of them imports another.

use hilo_core::outcome::Rejection;

use crate::fault::FaultCode;
use crate::keyring::Keyring;
use crate::loaded::Loaded;
use crate::platform::{Failure, Incoming, Platform};

/// The values that every step of a call works with.
#[derive(Debug)]
pub struct Call<'a, P> {
    /// The request.
    pub incoming: &'a Incoming,
    /// The configuration in force.
    pub loaded: &'a Loaded,
    /// The runtime.
    pub platform: &'a P,
}

/// The reason why a call fails.
#[derive(Debug)]
pub enum Trouble {
    /// The sender made a mistake.
    Refused(Rejection),
    /// Our own infrastructure failed.
    Failed(Failure),
}

impl From<Rejection> for Trouble {
    fn from(why: Rejection) -> Trouble {
        Trouble::Refused(why)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        match failure {
            Failure::SchemaNewer => Trouble::Refused(FaultCode::SchemaNewer.rejection()),
            Failure::Retriable(_)
            | Failure::Unreached(_)
            | Failure::Fatal(_)
            | Failure::Busy { .. } => Trouble::Failed(failure),
        }
    }
}

/// The secrets that sign and name objects.
///
/// # Errors
/// `Fatal` where one of them is missing or too short.
pub fn secret<P: Platform>(platform: &P) -> Result<Keyring, Failure> {
    Keyring::of(platform).map_err(|why| Failure::Fatal(why.message))
}
