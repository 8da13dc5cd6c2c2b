//! What the collector needs from the world, as traits: SQL inside an object, the objects, the clock, the network.
//!
//! `shell/workerd` fulfils them on Cloudflare's runtime, `shell/memory` natively for tests and examples. All other folders are
//! plain Rust and run the same on both. Traits and plain types only.

pub mod http;
mod sql;

use std::future::Future;
use std::rc::Rc;

use hilo_core::identity::public_key::PublicKey;
use jiff::Timestamp;

use crate::loaded::Loaded;

pub use http::{Body, Headers, Incoming, Outgoing, Reply, Response, Upload};
pub use sql::{Sql, SqlRow, SqlValue};

/// What went wrong with our own infrastructure. A sender's mistakes are `hilo_core::outcome::Rejection`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The same call may succeed later.
    Retriable(String),
    /// The same call will fail again: a bug, a missing binding, a value that cannot be stored.
    Fatal(String),
}

impl Failure {
    /// For logs.
    pub fn message(&self) -> &str {
        match self {
            Failure::Retriable(message) | Failure::Fatal(message) => message,
        }
    }
}

/// An object with its own storage, and the only place where that storage is touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// One person or device. The name comes from [`crate::signature::object_name`], so that it cannot be probed.
    Profile(String),
    /// One cart. The name is its label, from [`crate::signature::cart_label`].
    Cart(String),
    /// The one object that keeps rejects, the live stream, delivery counters and dead letters.
    Journal,
}

/// The world, as pipeline, ingest, forward and admin see it.
///
/// Cheap to clone, so that deferred work can take it along.
#[expect(async_fn_in_trait, reason = "one thread per isolate: no future here needs to be Send")]
pub trait Platform: Clone + 'static {
    /// The clock.
    fn now(&self) -> Timestamp;

    /// Fresh random bytes.
    fn random16(&self) -> [u8; 16];

    /// A secret by its name in `hilo.toml` or in the bindings list.
    fn secret(&self, name: &str) -> Option<String>;

    /// Whether `HILO_DEV=1`: loopback destinations and loopback origins are allowed.
    fn is_dev(&self) -> bool;

    /// The path prefix of the collector on the site's own host.
    fn mount(&self) -> String;

    /// The configuration in force.
    async fn config(&self) -> Rc<Loaded>;

    /// Runs `work` after the answer has been given.
    fn defer(&self, work: impl Future<Output = ()> + 'static);

    /// Asks an object: JSON in, JSON out. The answer comes only after what the object wrote is durable. The functions of `calls`
    /// ask with types.
    async fn ask(&self, object: &Object, call: String) -> Result<String, Failure>;

    /// Whether the holder of `key` made `signature` over `message`.
    ///
    /// # Errors
    /// `Fatal` where the key cannot be used at all.
    async fn verify(
        &self,
        key: &PublicKey,
        signature: &[u8],
        message: &[u8],
    ) -> Result<bool, Failure>;

    /// Whether the live stream may have watchers: it has some, or the journal was not asked for a while.
    fn is_watched(&self) -> bool;

    /// Sends a request to the outside world. Redirects are not followed; at most 8 KB of the answer are read.
    ///
    /// # Errors
    /// `Retriable` when no answer came (network, timeout of 10 s).
    async fn send(&self, request: &Outgoing) -> Result<Response, Failure>;

    /// Writes one line to the log; make it with [`log_line`].
    fn log(&self, line: &str);

    /// A file of the tracker, by its path below the assets directory.
    async fn asset(&self, path: &str) -> Result<Option<Vec<u8>>, Failure>;
}

/// One line of JSON for the log. Values are cut; give no bodies, tokens or full addresses.
pub fn log_line(level: &str, what: &str, details: &[(&str, &str)]) -> String {
    /// Bytes of one value (identity.md, abuse).
    const VALUE_CHARS_MAX: usize = 256;
    let mut line = serde_json::Map::new();
    line.insert("level".to_owned(), level.into());
    line.insert("what".to_owned(), what.into());
    for (name, value) in details {
        let value: String = value.chars().take(VALUE_CHARS_MAX).collect();
        line.insert((*name).to_owned(), value.into());
    }
    serde_json::Value::Object(line).to_string()
}
