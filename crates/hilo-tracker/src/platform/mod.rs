//! What the tracker needs from a page, as one trait: clocks, chance, storage, the document, the network.
//!
//! `shell/browser/` fulfils it with web-sys and gloo, `shell/memory.rs` for tests. What needs callbacks (listening, timers, fetch)
//! stands in `js/sdk/src/page.ts`: closures and futures would cost the visitor more than the tracker itself. What happens
//! in the page comes back as [`Happened`]. Nothing here decides anything.

#[cfg(feature = "more")]
pub mod capture;
pub mod codes;

use alloc::string::String;
use alloc::vec::Vec;

/// Everything that can happen to the tracker from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// The address changed without a new document.
    Navigated,
    /// The document came back from the back/forward cache: the visitor looks at it again.
    Restored,
    /// The page is hidden or left: it may never be shown again.
    Hidden,
    /// The network is back.
    Online,
    /// The timer set by [`Platform::wake_in`] ran out.
    Woke,
    /// The page's task is over in which [`Platform::notice_task_end`] was called.
    TaskEnded,
    /// Another tab wrote the consent, the id, the session or the claim.
    StoredElsewhere,
    /// The answer to [`Platform::post`].
    Answered(Answer),
}

/// What a request asks for, which says how its answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `POST /v1/batch`.
    Batch,
    /// `POST /v1/hello`.
    Hello,
    /// `POST /v1/consent`.
    Consent,
}

impl Call {
    /// The path behind the endpoint.
    pub const fn path(self) -> &'static str {
        match self {
            Call::Batch => "/v1/batch",
            Call::Hello => "/v1/hello",
            Call::Consent => "/v1/consent",
        }
    }
}

/// A request to the collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Comes back with the answer.
    pub ticket: u32,
    /// What it asks for.
    pub call: Call,
    /// JSON.
    pub body: String,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Whose answer it is.
    pub ticket: u32,
    /// HTTP status; 0 when there was none (network, timeout).
    pub status: u16,
    /// `Retry-After` in seconds, where it was a number.
    pub retry_after_s: Option<u32>,
    /// `anonymousId` of a hello's answer; empty for none.
    pub anonymous_id: String,
    /// How many events the answer says were rejected.
    pub rejected: u32,
}

/// Where the document is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// `location.href`.
    pub url: String,
    /// `document.referrer`.
    pub referrer: String,
    /// `document.title`.
    pub title: String,
}

/// A page, as the tracker sees it.
pub trait Platform {
    /// The wall clock, milliseconds since the epoch.
    fn now_ms(&self) -> i64;

    /// A time in RFC 3339, UTC, with milliseconds.
    fn iso(&self, ms: i64) -> String;

    /// A clock that never jumps, for waiting.
    fn monotonic_ms(&self) -> i64;

    /// Fresh random bytes.
    fn random16(&self) -> [u8; 16];

    /// Whether `navigator.globalPrivacyControl` is on.
    fn gpc(&self) -> bool;

    /// Whether [`Platform::place`] may say something else than when this was last asked.
    fn moved(&self) -> bool;

    /// Where the document is.
    fn place(&self) -> Place;

    /// The first same-origin address in this tab's history, where the Navigation API tells it.
    ///
    /// `Some("")` when the current document itself is the first.
    fn first_in_history(&self) -> Option<String>;

    /// What the browser says about itself, as fields of the envelope's context: `"locale":…,"timezone":…,"screen":…`.
    fn surroundings(&self) -> String;

    /// Reads a key of the persistent storage, or of memory where there is none.
    fn load(&self, key: &str) -> Option<String>;

    /// Writes a key; `false` when it was only kept in memory.
    fn save(&self, key: &str, value: &str) -> bool;

    /// Whether what is saved outlives the page.
    fn is_persistent(&self) -> bool;

    /// Removes a key.
    fn remove(&self, key: &str);

    /// The stored keys that begin with `prefix`, in any order.
    fn keys(&self, prefix: &str) -> Vec<String>;

    /// Sends a request; its answer comes back as [`Happened::Answered`].
    fn post(&self, request: Request);

    /// Wakes the tracker once, in `ms`; replaces an earlier wish.
    fn wake_in(&self, ms: i64);

    /// Lets [`Happened::TaskEnded`] come once the page's current task is over, before anything else can happen.
    fn notice_task_end(&self);

    /// Tells the developer something, in debug mode.
    fn say(&self, sentence: &str);
}
