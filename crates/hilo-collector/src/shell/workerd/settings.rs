//! The variables of `wrangler.jsonc` that every request needs, read once. They cannot change while an isolate lives.

use std::cell::OnceCell;

use worker::Env;

use super::bindings;
use crate::shell::stubs::{self, Stubs};

thread_local! {
    static SETTINGS: OnceCell<Settings> = const { OnceCell::new() };
}

/// See [`bindings::DEV`], [`bindings::STUBS`], [`bindings::MOUNT`] and [`bindings::JURISDICTION`].
pub(super) struct Settings {
    pub is_dev: bool,
    pub stubs: Stubs,
    pub mount: String,
    pub jurisdiction: String,
}

/// Runs `work` on the variables of this isolate.
pub(super) fn with<T>(env: &Env, work: impl Fn(&Settings) -> T) -> T {
    SETTINGS.with(|settings| work(settings.get_or_init(|| read(env))))
}

fn read(env: &Env) -> Settings {
    let var = |name: &str| env.var(name).ok().map(|value| value.to_string());
    let is_dev = var(bindings::DEV).as_deref() == Some("1");
    Settings {
        is_dev,
        stubs: stubs::read(var(bindings::STUBS), is_dev),
        mount: var(bindings::MOUNT).unwrap_or_else(|| bindings::MOUNT_DEFAULT.to_owned()),
        jurisdiction: var(bindings::JURISDICTION).unwrap_or_default(),
    }
}
