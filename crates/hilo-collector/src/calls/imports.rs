//! The calls of the object that knows what was imported: which rows, by their keyed hashes, and how far each import is.
//!
//! A call with rows asks twice. [`ImportsCall::Begin`] claims its rows and tells which are new; after these are stored,
//! [`ImportsCall::Settle`] counts them. A call that was cut in between is begun again and gets the same answer, so it counts once.

use serde::{Deserialize, Serialize};

use super::{decode, encode};
use crate::platform::{Failure, Object, Platform};

/// The most refused rows of one import that are listed.
pub const FAULTS_MAX: usize = 1_000;
/// The most calls that may come before an earlier one is done.
pub const AHEAD_MAX: u32 = 64;

/// A call of the object.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportsCall {
    /// Claims rows. Answers [`Begun`].
    Begin(Begin),
    /// Counts a call whose rows are stored. Answers [`Settled`].
    Settle(Settle),
    /// Asks how far an import is. Answers `Option<ImportStanding>`.
    Standing {
        /// The import's id.
        id: String,
    },
}

/// A call of an import, before its rows are stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Begin {
    /// The import's id, which its sender chose.
    pub id: String,
    /// The number of the call within the import.
    pub seq: u32,
    /// The source.
    pub source: String,
    /// The kind of the rows.
    pub kind: String,
    /// The hash of the call's body: the same number with another body is a mistake.
    pub body: String,
    /// Whether changed orders become updates.
    pub updates: bool,
    /// The rows: keyed hash of the key, and digest.
    pub rows: Vec<(String, String)>,
}

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No import has brought it, or this very call did before it was cut.
    New,
    /// An import has brought it with other values, and this call may change it.
    Update,
    /// An import has brought it.
    Duplicate,
    /// An import has brought it with other values.
    Conflict,
}

/// The answer to [`ImportsCall::Begin`].
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Begun {
    /// What becomes of each row, in order.
    Go(Vec<Verdict>),
    /// The call is done already.
    Done(Settled),
    /// The import's id belongs to another source or kind, or the call's number to another body.
    Changed,
    /// The call is too far ahead of the next one that is missing, which this is.
    Ahead(u32),
}

/// A call of an import whose rows are stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settle {
    /// The import's id.
    pub id: String,
    /// The number of the call.
    pub seq: u32,
    /// The hash of the call's body.
    pub body: String,
    /// Whether no call comes behind it.
    pub is_last: bool,
    /// The counts.
    pub counts: Counts,
    /// The refused rows.
    pub faults: Vec<LineFault>,
    /// The keyed hashes of rows that were claimed and then refused: a later import may bring them.
    pub released: Vec<String>,
}

/// The numbers of rows by what became of them. An order of many lines in a file is one row here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All rows.
    pub rows: u64,
    /// Those that are stored now.
    pub accepted: u64,
    /// Those that were imported before.
    pub duplicate: u64,
    /// Those that were imported before with other values.
    pub conflict: u64,
    /// Those that were refused.
    pub rejected: u64,
}

/// A refused row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineFault {
    /// The line in the file.
    pub line: u64,
    /// The column to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The stable code.
    pub code: String,
    /// The sentence.
    pub message: String,
}

/// A call that is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Its counts.
    pub counts: Counts,
    /// Its refused rows.
    pub faults: Vec<LineFault>,
    /// The next call of the import that is missing.
    pub next_seq: u32,
}

/// How far an import is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportStanding {
    /// The source.
    pub source: String,
    /// The kind of the rows.
    pub kind: String,
    /// `running`, or `done` once no call is missing up to the last one.
    pub state: String,
    /// When its first call came, milliseconds since the epoch.
    pub began_ms: i64,
    /// When its last call came.
    pub changed_ms: i64,
    /// The next call that is missing.
    pub next_seq: u32,
    /// The counts of all calls that are done.
    #[serde(flatten)]
    pub counts: Counts,
    /// The first refused rows, [`FAULTS_MAX`] at most.
    pub rejected_rows: Vec<LineFault>,
}

/// Sends a call to the object.
///
/// # Errors
/// The object's own failure, or a failure to reach it.
pub async fn ask_imports<P: Platform, A: serde::de::DeserializeOwned>(
    platform: &P,
    call: &ImportsCall,
) -> Result<A, Failure> {
    decode(&platform.ask(&Object::Imports, encode(call)?).await?)
}
