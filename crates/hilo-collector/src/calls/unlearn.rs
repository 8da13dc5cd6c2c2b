//! What a profile has to forget of one source, between pipeline and profile. Shapes only.

use serde::{Deserialize, Serialize};

/// What a profile has to forget, because the person's record at a source was deleted.
#[derive(Debug, Serialize, Deserialize)]
pub enum Unlearn {
    /// The events and traits of the source. Choices stay.
    Told {
        /// The source.
        source: String,
        /// The `next` of the call before; 0 for the first one.
        after: i64,
    },
    /// That the index has the profile under this key.
    Key(String),
}

/// What is left after that.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Unlearned {
    /// The object that answers: another than the one that was asked, if its profile has moved. Empty where nobody is stored.
    pub object: String,
    /// Where another call has to go on: an object has a bounded time.
    pub next: Option<i64>,
    /// The addresses that other sources tell, and those of the ledger.
    pub addresses: Vec<String>,
    /// The keys of addresses that other sources, or the person's own links, have proved.
    pub keys: Vec<String>,
}
