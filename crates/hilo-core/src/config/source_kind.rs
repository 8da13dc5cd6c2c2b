//! The kinds of source. Shape only.

use serde::Serialize;

/// The kind of sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// Pages, with a public key.
    Browser,
    /// Apps, with a public key: their native code, and the pages that they show in a web view.
    App,
    /// The company's own backends, with a secret key.
    Server,
    /// Another system, such as a shop, a till or a telephone, that calls by itself and proves its calls.
    Webhook,
    /// A service that hilo reads at times, or that calls in its own way.
    Feed,
}
