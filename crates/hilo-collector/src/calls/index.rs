//! The calls of the index: the keyed hash of an address → the person who has it, and the unknown contacts who wait for one.
//!
//! `pipeline` and the shell of a profile ask, and `store/index` answers. Shapes, and one function that sends a call.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};

use super::{decode, encode};
use crate::platform::{Failure, Object, Platform};

/// The hex digits of a key: 128 bits.
pub const KEY_CHARS: usize = 32;
/// The hex digits of a key that name its shard: 256 shards. Another number would be other objects, so it never changes.
const SHARD_CHARS: usize = 2;
/// The most persons of one key. An address of more is an office's, and joins nobody in any case.
pub const PERSONS_MAX: usize = 8;

/// Who has proved an address that a person's own link proves. No source has this name.
pub const BY_LINK: &str = "*";

/// A person in the index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// The name of the profile's object.
    pub object: String,
    /// The profile's label: `u:<userId>` or `a:<anonymousId>`.
    pub label: String,
}

/// A contact whom nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The name of the profile's object.
    pub object: String,
    /// The contact's id: its label is `c:<id>`.
    pub id: String,
}

/// A question about one key, or a change of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexAsk {
    /// Who has it. Answers [`Found`].
    Find,
    /// Lets this contact wait for a person, unless another one waits already, or the address has other owners than the caller knows of.
    /// Answers [`Found`].
    Wait {
        /// The contact.
        contact: Waiting,
        /// The number of owners that the caller was told.
        owners: usize,
    },
    /// The address is proved for this person. Answers [`Proved`].
    Prove(Owner),
    /// The profile in the object `from` has moved into that of `to`: what the index has of the first is the other's. Answers `()`.
    Repoint {
        /// The object.
        from: String,
        /// The person.
        to: Owner,
    },
    /// Forgets what it has of a profile. Answers `()`.
    Forget {
        /// The profile's object.
        object: String,
    },
}

/// A call of a shard.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IndexCall {
    /// The keyed hash of an address.
    pub key: String,
    /// What to do.
    pub ask: IndexAsk,
}

/// Who has an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The persons for whom it is proved.
    pub owners: Vec<Owner>,
    /// The contact who waits under it and whom nobody has claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
}

/// What became of a proof.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proved {
    /// Whether other persons have the address too. Then it joins nobody.
    pub is_shared: bool,
    /// The contacts who have waited for this person. They are claimed, so that nobody else gets them.
    pub waiting: Vec<Waiting>,
}

/// The answer of a profile that has noted keys of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knows {
    /// The object that has them: another than the one that was asked, if that has moved.
    pub object: String,
    /// The user whose profile it is; `None` for a device's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether it had no room for a key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_full: bool,
}

/// Asks the shard of `key`.
///
/// # Errors
/// The object's own failure, or a failure to reach the object.
pub async fn ask_index<P: Platform, A: serde::de::DeserializeOwned>(
    platform: &P,
    key: &str,
    ask: IndexAsk,
) -> Result<A, Failure> {
    let shard = key.get(..SHARD_CHARS).unwrap_or_default().to_owned();
    let call = encode(&IndexCall { key: key.to_owned(), ask })?;
    decode(&platform.ask(&Object::Index(shard), call).await?)
}

/// Lets the index forget what it has of the profile in this object under these keys.
///
/// # Errors
/// The first failure of a shard. The call may be repeated.
pub async fn forget_keys<P: Platform>(
    keys: &[String],
    object: &str,
    platform: &P,
) -> Result<(), Failure> {
    /// The most shards that are asked at once: an object may wait for six answers.
    const AT_ONCE: usize = 6;
    let forget = |key: &String| {
        let (key, object) = (key.clone(), object.to_owned());
        async move { ask_index::<_, ()>(platform, &key, IndexAsk::Forget { object }).await }
    };
    stream::iter(keys.iter().map(forget))
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(())
}
