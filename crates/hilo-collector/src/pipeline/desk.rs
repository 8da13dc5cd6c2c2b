//! What the steps of a call with reports share. Shape only.

use hilo_core::config::Source;
use hilo_core::event::Facts;

use crate::keyring::Keyring;
use crate::loaded::Loaded;

/// What the steps of a call share.
pub(super) struct Desk<'d, P> {
    pub(super) source: &'d Source,
    pub(super) secret: &'d Keyring,
    pub(super) loaded: &'d Loaded,
    pub(super) facts: &'d Facts,
    pub(super) platform: &'d P,
}
