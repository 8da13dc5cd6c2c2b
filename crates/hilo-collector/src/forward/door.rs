//! What opens a service's door: which destinations have access tokens, and how a delivery gets one.
//!
//! The object of the destination keeps the tokens (`calls::tokens`). A token that the service refuses is renewed once for a batch.
//! This file makes no token request.

use hilo_core::config::Config;

use super::destination::{OAuth, Token};
use super::gate::Held;
use super::plan::Configured;
use crate::calls::tokens::{Described, Door, NoToken, ask_token};
use crate::platform::Platform;

/// Why a person cannot connect a destination whose secrets stay.
pub const NEEDS_NOBODY: &str = "nobody has to connect this destination: its secrets are enough";

/// How the destination called `name` gets access tokens.
///
/// # Errors
/// Why it gets none, for people.
pub fn oauth_of(name: &str, config: &Config) -> Result<OAuth, String> {
    let unknown = || format!("hilo.toml has no destination called {name:?}");
    let entry = config.destination(name).ok_or_else(unknown)?;
    let loaded = Configured::of(entry).loaded.map_err(|problem| problem.to_string())?;
    loaded.destination.oauth().ok_or_else(|| NEEDS_NOBODY.to_owned())
}

/// Describes every destination whose settings can be read.
pub fn described(config: &Config) -> Vec<Described> {
    let configured = Configured::all(&config.destinations);
    let described = configured.iter().filter_map(|one| {
        let loaded = one.loaded.as_ref().ok()?;
        let door = match loaded.destination.oauth() {
            None => Door::Secrets,
            Some(oauth) if oauth.needs_grant() => Door::Grant,
            Some(_) => Door::Client,
        };
        let (name, kind) = (one.entry.name.clone(), one.entry.kind.clone());
        Some(Described { name, kind, title: loaded.kind.title.to_owned(), door })
    });
    described.collect()
}

/// Gets a token of the destination called `name`, in place of one that the service refused.
///
/// # Errors
/// Why deliveries have to wait.
pub(super) async fn token<P: Platform>(
    name: &str,
    stale: Option<Token>,
    platform: &P,
) -> Result<Token, Held> {
    let asked = ask_token(platform, name, stale.as_ref()).await;
    asked.map_err(|NoToken { after_s, reason }| Held { after_s, reason, is_its_turn: false })
}
