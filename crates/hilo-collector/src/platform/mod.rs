//! The runtime's services that the collector needs, as traits: SQL inside an object, the objects, the clock, the
//! network.
//!
//! `shell/workerd` implements them on Cloudflare's runtime, `shell/memory` natively for tests and examples. All other
//! folders are plain Rust and run the same on both. This folder has only traits and plain types.

pub mod http;
mod scope;
mod sql;

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

use hilo_core::delivery::Brakes;
use hilo_core::identity::public_key::PublicKey;
use jiff::Timestamp;

use crate::calls::journal::gathered::Gathered;
use crate::fault::{Fault, FaultCode};
use crate::loaded::Standing;

pub use http::{Body, Headers, Incoming, Outgoing, Reply, Response, Upload};
pub use scope::{Metrics, Point, REQUEST_ID, Scope, Tally, with_request};
pub use sql::{Sql, SqlRow, SqlValue, atomically};

/// The longest time that a request to the outside world may take, its answer's body included (identity.md, abuse).
pub const SEND_MS_MAX: u32 = 10_000;

/// A failure of our own infrastructure. A mistake of a sender is a `hilo_core::outcome::Rejection`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The same call may succeed later.
    Retriable(String),
    /// The same request may succeed later, and this one surely did not arrive: no name, no connection, no certificate.
    Unreached(String),
    /// The same call will fail again: a bug, a missing binding, a value that cannot be stored.
    Fatal(String),
    /// A newer version of the collector has changed the object's storage, and this version cannot run on it. Nothing was
    /// changed: the same call succeeds when a newer version runs again.
    SchemaNewer,
    /// Too much at once. The same call may succeed after so many seconds.
    Busy {
        /// The seconds to wait.
        after_s: u32,
    },
}

impl Failure {
    /// For logs.
    pub fn message(&self) -> &str {
        match self {
            Failure::Retriable(message) | Failure::Unreached(message) | Failure::Fatal(message) => {
                message
            }
            Failure::SchemaNewer => FaultCode::SchemaNewer.remedy(),
            Failure::Busy { .. } => "too much at once",
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        Failure::Retriable(format!("{}: {}", fault.code.name(), fault.code.remedy()))
    }
}

/// A rate limit of the deployment. Its numbers stand in `wrangler.jsonc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// Requests under one write key.
    Key,
    /// Requests from one network.
    Peer,
}

/// An object with its own storage. Only the object itself reads and writes that storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// The object of one person or device. [`crate::signature::object_name`] makes the name, so that nobody can guess
    /// it.
    Profile(String),
    /// The object of one cart. The name is its label, made by [`crate::signature::cart_label`].
    Cart(String),
    /// The journal's head: delivery counters, dead letters, and the index of the shards.
    Journal,
    /// A shard of the journal, which keeps refusals of one hour. `calls::journal` makes the name.
    Rejects(String),
    /// The object that the watchers of the live stream are connected to.
    Live,
    /// The object that keeps the access tokens of the destination with this name. `calls::tokens` has its calls.
    Tokens(String),
    /// An object that keeps calls of webhooks until their work is done. `calls::inbox` makes the name.
    Inbox(String),
    /// The shard of the index with this name: who has an address. `calls::index` has its calls.
    Index(String),
    /// The object that knows what was imported. `calls::imports` has its calls.
    Imports,
    /// The object of the feed with this name. `calls::feed` has its calls.
    Feed(String),
}

/// The services of the runtime, as pipeline, ingest, forward and admin use them.
///
/// A platform is cheap to clone, so that deferred work can own a clone.
#[expect(async_fn_in_trait, reason = "one thread per isolate: no future here needs to be Send")]
pub trait Platform: Metrics + Clone + 'static {
    /// The platform for one request. Its log lines have the request's id, and so have those of deferred work.
    fn scoped(&self, scope: Rc<Scope>) -> Self;

    /// The request that this platform works for; `None` for work that no request waits for.
    fn scope(&self) -> Option<&Scope>;

    /// Makes an id for a request that came without one.
    fn fresh_request_id(&self) -> String;

    /// Returns the time.
    fn now(&self) -> Timestamp;

    /// Returns fresh random bytes.
    fn random16(&self) -> [u8; 16];

    /// Returns a secret by its name in `hilo.toml` or in the bindings list.
    fn secret(&self, name: &str) -> Option<String>;

    /// Whether `HILO_DEV=1`: loopback destinations and loopback origins are allowed.
    fn is_dev(&self) -> bool;

    /// Returns the path prefix of the collector on the site's own host.
    fn mount(&self) -> String;

    /// Returns the name of the jurisdiction in which every object is; empty for none. It is that of the installation.
    fn jurisdiction(&self) -> String;

    /// Returns the configuration in force.
    ///
    /// # Errors
    /// The fault, if there is none. No other configuration takes its place.
    async fn config(&self) -> Standing;

    /// Runs `work` after the answer has been given.
    fn defer(&self, work: impl Future<Output = ()> + 'static);

    /// Sends a call to an object: JSON in, JSON out. The answer comes only when all writes of the object are durable.
    /// The functions of `calls` do the same with types.
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

    /// Signs `message` with a private key (RSASSA-PKCS1-v1_5 with SHA-256), as a JWT with `RS256` is signed.
    ///
    /// # Errors
    /// `Fatal` where the key is no such key in PKCS#8.
    async fn sign(&self, pkcs8: &[u8], message: &[u8]) -> Result<Vec<u8>, Failure>;

    /// Runs `work` on what this isolate has gathered for the journal.
    fn with_gathered<T>(&self, work: impl FnOnce(&mut Gathered) -> T) -> T;

    /// Adds a message to the queue of deliveries.
    ///
    /// # Errors
    /// `Retriable` where the queue does not take it.
    async fn enqueue(&self, message: String) -> Result<(), Failure>;

    /// The names of the bindings of `wrangler.jsonc`, and whether each is there.
    fn bindings(&self) -> Vec<(&'static str, bool)>;

    /// Waits. Only deferred work may wait.
    async fn pause(&self, ms: u32);

    /// Counts a request against a limit that `wrangler.jsonc` sets. Returns false if it is one too many. A limit that cannot be
    /// asked allows everything: it is a brake, and the objects count exactly.
    async fn is_within(&self, limit: Limit, key: &str) -> bool;

    /// Sends a request to the outside world, or to a bucket ([`Outgoing::object`]). It follows no redirects and reads at most 64 KB of
    /// the answer.
    ///
    /// # Errors
    /// `Unreached` where the request surely did not arrive. `Retriable` where nobody knows: the connection broke, or [`SEND_MS_MAX`] is
    /// over.
    async fn send(&self, request: &Outgoing) -> Result<Response, Failure> {
        self.fetch(request, http::ANSWER_BYTES_MAX).await
    }

    /// As [`Platform::send`], and reads so many bytes of the answer.
    ///
    /// # Errors
    /// The same.
    async fn fetch(&self, request: &Outgoing, bytes_max: usize) -> Result<Response, Failure>;

    /// Returns the brakes before destinations. They are in the isolate's memory, and each isolate has its own.
    fn brakes(&self) -> Rc<RefCell<Brakes>>;

    /// Writes one line to the log. [`log_line`] makes the line.
    fn log(&self, line: &str);

    /// Reads a file of the tracker, by its path below the assets directory.
    async fn asset(&self, path: &str) -> Result<Option<Vec<u8>>, Failure>;

    /// Lists the files of a bound bucket whose names begin with `prefix`, in the order of their names, behind `cursor`.
    async fn files(
        &self,
        binding: &str,
        prefix: &str,
        cursor: Option<&str>,
    ) -> Result<Files, Failure>;

    /// Reads a file of a bound bucket. `None` where there is none of this name.
    async fn file(&self, binding: &str, name: &str) -> Result<Option<String>, Failure>;
}

/// A page of a bucket's files.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Files {
    /// Their names.
    pub names: Vec<String>,
    /// What the call for the next page passes as its cursor.
    pub next: Option<String>,
}

/// Makes one line of JSON for the log. Long values are cut. Pass no bodies, tokens or full addresses.
pub fn log_line(level: &str, what: &str, details: &[(&str, &str)]) -> String {
    /// The most characters of one value (identity.md, abuse).
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
