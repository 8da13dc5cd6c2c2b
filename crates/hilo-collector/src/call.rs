//! One call at work: the request, the configuration in force, and the world. Also why a call has no better answer.
//!
//! `pipeline`, `ingest` and `admin` share these shapes, so that none of them imports another.

use hilo_core::outcome::Rejection;

use crate::loaded::Loaded;
use crate::platform::{Failure, Incoming, Platform};
use crate::signature::SECRET;

/// What every step of a call works with.
#[derive(Debug)]
pub struct Call<'a, P> {
    /// The request.
    pub incoming: &'a Incoming,
    /// The configuration in force.
    pub loaded: &'a Loaded,
    /// The world.
    pub platform: &'a P,
}

/// Why a call has no better answer.
#[derive(Debug)]
pub enum Trouble {
    /// The sender's fault.
    Refused(Rejection),
    /// Our own failure.
    Failed(Failure),
}

impl From<Rejection> for Trouble {
    fn from(why: Rejection) -> Trouble {
        Trouble::Refused(why)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Failed(failure)
    }
}

/// The secret that signs cookies and names objects.
///
/// # Errors
/// `Fatal` where no secret is set: an empty secret would sign what anybody can sign.
pub fn secret<P: Platform>(platform: &P) -> Result<String, Failure> {
    platform
        .secret(SECRET)
        .filter(|secret| !secret.is_empty())
        .ok_or_else(|| Failure::Fatal("the secret HILO_SECRET is not set".to_owned()))
}
