//! What the tracker needs from a page, as one trait: clocks, chance, storage, the document, the network.
//!
//! Traits and plain types only, which decide nothing. `shell/browser/` fulfills the trait, and `shell/memory.rs`
//! for tests. Listening, timers and requests need callbacks, so they stand in `js/sdk/src/page.ts`: closures and
//! futures in wasm cost the visitor more than the tracker itself. Whatever happens in the page comes back as [`Happened`].

#[cfg(any(feature = "page", feature = "more", feature = "shop"))]
pub mod capture;
pub mod codes;

use alloc::string::String;

use hilo_core::consent::PurposeSet;
use hilo_core::text::words;

/// Everything that can happen to the tracker from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// The address changed without a new document.
    Navigated(Change),
    /// The page is ready: its scripts ran and its title stands.
    Ready,
    /// The document came back from the back/forward cache.
    Restored,
    /// The page is hidden or left: it may never be shown again.
    Hidden,
    /// The page is seen again.
    Shown,
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

/// How an address came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The visitor went there.
    Went,
    /// The site replaced the address in the tab's history.
    Replaced,
    /// The page before led here at once.
    Redirected,
}

/// The kinds of requests. The kind decides how the answer is read.
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
    /// The request's name, which its answer bears as well.
    pub ticket: u32,
    /// The request's kind.
    pub call: Call,
    /// JSON.
    pub body: String,
}

/// The collector's answer to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The name of the request.
    pub ticket: u32,
    /// HTTP status; 0 for no answer (network, timeout), and for a 200 that is not the collector's.
    pub status: u16,
    /// `Retry-After` in seconds, if it was a number.
    pub retry_after_s: Option<u32>,
    /// Of an error: its code; empty for none. Of a batch's answer: the code of its first refused event. Portals, firewalls and proxies
    /// answer in the collector's place, some of them with codes of their own.
    pub word: String,
    /// The `anonymousId`; behind a blank the `spareProof`, where there is one. Behind bars `askAgainMonths` and `noticeVersion`, empty
    /// where the answer has none. A reserved id stands for nobody.
    pub hello: String,
}

/// The document's address and what goes with it.
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
    /// The wall clock, milliseconds since the epoch. It does not follow a jump while the page lives.
    fn now_ms(&self) -> i64;

    /// A time of the wall clock, as [`Platform::now_ms`] would have told it then. An earlier time never becomes the later one.
    fn steady_ms(&self, at_ms: i64) -> i64;

    /// A time in RFC 3339, UTC, with milliseconds.
    fn iso(&self, ms: i64) -> String;

    /// A clock that never jumps, for waiting.
    fn monotonic_ms(&self) -> i64;

    /// Fresh random bytes.
    fn random16(&self) -> [u8; 16];

    /// The purposes that the browser's own signals deny.
    fn denies(&self) -> PurposeSet;

    /// Whether [`Platform::place`] may have changed since the last call of this function.
    fn moved(&self) -> bool;

    /// The document's place.
    fn place(&self) -> Place;

    /// The first same-origin address in this tab's history, where the browser has the Navigation API.
    ///
    /// Empty text stands for the current document.
    fn first_in_history(&self) -> Option<String>;

    /// The browser's description of itself, as fields of the envelope's context: `"locale":…,"screen":…`. Behind them stand the
    /// cookies of other services that the site names and that begin with one of `readable`.
    fn surroundings(&self, readable: &str) -> String;

    /// Reads a key of the storage, or of memory where there is none.
    fn load(&self, key: &str) -> Option<String>;

    /// Writes a key. Returns `false` if only memory keeps it.
    fn save(&self, key: &str, value: &str) -> bool;

    /// Where the last key was saved: one of the `PERSISTENCE_` codes. Before that, where it would be.
    fn persistence(&self) -> u8;

    /// Removes a key.
    fn remove(&self, key: &str);

    /// The stored keys that begin with `prefix`, a line each, in any order. Lists of texts would be more code.
    fn keys(&self, prefix: &str) -> String;

    /// Removes every stored key that begins with `prefix`.
    fn forget(&self, prefix: &str) {
        for key in words(&self.keys(prefix), b'\n') {
            self.remove(key);
        }
    }

    /// Sends a request. Its answer comes back as [`Happened::Answered`].
    fn post(&self, request: Request);

    /// Wakes the tracker once, in `ms`. A later call replaces an earlier one.
    fn wake_in(&self, ms: i64);

    /// Lets [`Happened::TaskEnded`] come once the page's current task is over, before anything else can happen.
    fn notice_task_end(&self);

    /// The event `json` as the site's own code changes it, before it is queued; empty where the site drops it. The pieces of its text
    /// stay pieces, see [`crate::queue::Batch`].
    fn changed(&self, json: String) -> String;

    /// Tells the developer in debug mode: a code of `js/sdk/src/more/words.ts`, and what it is about behind a blank.
    fn say(&self, code: &str);
}
