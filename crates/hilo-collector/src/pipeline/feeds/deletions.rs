//! Records that a service has deleted because their persons must be forgotten → what is erased here.
//!
//! The record's persons are whom its ids and its addresses lead to, those of before too. The feed's setting says whether what the feed told is
//! erased, or the whole person. A page may tell of a deleted record for some minutes, so a deletion is repeated behind the pages until then.
//! Nothing of the person stands in a line of the log.

use std::collections::BTreeSet;

use hilo_core::config::Source;
use hilo_core::identity::ProfileKey;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::address::Keys;
use crate::call::secret;
use crate::calls::feed::{DELETED, FeedCall, RecordOf, Told, ask_feed};
use crate::calls::index::{Found, IndexAsk, ask_index, forget_keys};
use crate::calls::unlearn::{Unlearn, Unlearned};
use crate::calls::{ProfileCall, Summary, ask_profile, erasing};
use crate::forward;
use crate::ingest::feeds::Configured;
use crate::ingest::feeds::shape::{Deletion, Recorded};
use crate::keyring::Keyring;
use crate::loaded::Loaded;
use crate::pipeline::forget_progress;
use crate::platform::{Failure, Platform, log_line};
use crate::signature::{object_name, record_hash};

/// The most calls for one person, each for 32 rows of the timeline. The next run goes on.
const CALLS_MAX: u32 = 100;
/// So long a service may still tell of a record that it has deleted: a search sees a change late.
const LATE_MS: i64 = 300_000;

/// The id by which a deletion is noted.
pub(super) fn told(record: &str) -> String {
    format!("{DELETED}{record}")
}

/// Where records lead, as the object keeps it.
///
/// # Errors
/// A failure where the collector has no secret.
pub(super) fn records<P: Platform>(
    records: &[Recorded],
    source: &Source,
    loaded: &Loaded,
    platform: &P,
) -> Result<Vec<RecordOf>, Failure> {
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let secret = secret(platform)?;
    let keys = Keys::of(&secret, &loaded.config.normalize).named_by(source);
    let record = |one: &Recorded| {
        let user = one.who.user_id.clone().filter(|_| source.is_trusted).map(ProfileKey::User);
        RecordOf {
            of: record_hash(secret.naming(), &["record", &source.name, &one.of]),
            object: user.map(|user| object_name(secret.naming(), &user)),
            key: one.who.email.as_deref().and_then(|email| keys.email(email)),
            ..RecordOf::default()
        }
    };
    Ok(records.iter().map(record).collect())
}

/// The deletions of a run.
pub(super) struct Deletions<'d, P> {
    feed: &'d Configured<'d>,
    loaded: &'d Loaded,
    platform: &'d P,
    /// Those that have not failed in this run.
    all: Vec<Told>,
    failure: Option<Failure>,
}

impl<'d, P: Platform> Deletions<'d, P> {
    pub(super) const fn of(
        all: Vec<Told>,
        feed: &'d Configured<'d>,
        loaded: &'d Loaded,
        platform: &'d P,
    ) -> Deletions<'d, P> {
        Deletions { feed, loaded, platform, all, failure: None }
    }

    /// The first failure of this run.
    pub(super) const fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Erases what the feed's setting says of each deleted record's person. One that fails stays noted behind the others, and the next run
    /// repeats it.
    pub(super) async fn erase(&mut self) {
        for told in std::mem::take(&mut self.all) {
            match self.erased(&told).await {
                Ok(is_erased) => self.all.push(Told { is_erased, ..told }),
                Err(failure) => {
                    self.log_failure(&failure);
                    let last = FeedCall::Told { ids: vec![told.id] };
                    // Where this fails too, the deletion keeps its place.
                    let _: Result<(), Failure> = self.ask(&last).await;
                    self.failure.get_or_insert(failure);
                }
            }
        }
    }

    /// Forgets the deletions of which a service tells nothing any more, and their records. The run has read everything, and it began at `began`.
    pub(super) async fn forget(&mut self, began: Timestamp) {
        let is_over = |one: &Told| one.at_ms + LATE_MS <= began.as_millisecond();
        for told in std::mem::take(&mut self.all).into_iter().filter(is_over) {
            let forgotten = match secret(self.platform) {
                Ok(secret) => {
                    let of = self.hash(&told, &secret);
                    self.ask::<()>(&FeedCall::Forget { told, of }).await
                }
                Err(failure) => Err(failure),
            };
            if let Err(failure) = forgotten {
                self.log_failure(&failure);
                self.failure.get_or_insert(failure);
            }
        }
    }

    /// Erases what one deletion says. Returns whether its person was erased: a page of this run may tell of a record for the first time.
    async fn erased(&self, told: &Told) -> Result<bool, Failure> {
        let secret = secret(self.platform)?;
        let of = self.hash(told, &secret);
        let Some(known) = self.ask::<Option<RecordOf>>(&FeedCall::Record { of }).await? else {
            return Ok(told.is_erased);
        };
        let desk = Desk {
            feed: self.feed,
            loaded: self.loaded,
            secret: &secret,
            platform: self.platform,
            is_erased: told.is_erased,
        };
        let count = desk.of_record(&known).await?.to_string();
        if !told.is_erased {
            let () = self.ask(&FeedCall::Erased { id: told.id.clone() }).await?;
            let line = [("feed", self.feed.source.name.as_str()), ("persons", count.as_str())];
            self.platform.log(&log_line("info", "a record was deleted", &line));
        }
        Ok(true)
    }

    fn hash(&self, told: &Told, secret: &Keyring) -> String {
        let record = told.id.strip_prefix(DELETED).unwrap_or_default();
        record_hash(secret.naming(), &["record", &self.feed.source.name, record])
    }

    async fn ask<A: DeserializeOwned>(&self, call: &FeedCall) -> Result<A, Failure> {
        ask_feed(self.platform, &self.feed.source.name, call).await
    }

    fn log_failure(&self, failure: &Failure) {
        let line = [("feed", self.feed.source.name.as_str()), ("why", failure.message())];
        self.platform.log(&log_line("warn", "a record is not deleted yet", &line));
    }
}

/// The work on one deletion.
struct Desk<'d, P> {
    feed: &'d Configured<'d>,
    loaded: &'d Loaded,
    secret: &'d Keyring,
    platform: &'d P,
    /// Whether the whole person was erased by an earlier pass. Whoever comes back is a new person, so this happens once.
    is_erased: bool,
}

impl<P: Platform> Desk<'_, P> {
    /// Erases what the record's persons lose. Returns their number.
    async fn of_record(&self, record: &RecordOf) -> Result<usize, Failure> {
        let deletion = self.feed.reader.deletion();
        if deletion == Deletion::Nothing {
            return Ok(0);
        }
        let mut objects: BTreeSet<String> = record.objects().cloned().collect();
        let has_ids = !objects.is_empty();
        let mut person = None;
        for key in record.keys() {
            let found: Found = ask_index(self.platform, key, IndexAsk::Find).await?;
            if record.key.as_ref() == Some(key) {
                person = whole_person(&found);
            }
            // What a record without an id tells reaches the owner of its address. Of several owners, it is one that nobody knows any more.
            let is_reached = found.owners.len() == 1 || !has_ids;
            let owners = found.owners.into_iter().filter(|_| is_reached).map(|one| one.object);
            objects.extend(owners.chain(found.waiting.map(|one| one.object)));
        }
        if deletion == Deletion::Person && !self.is_erased {
            if let Some(object) = &record.object {
                person = self.user(object).await?;
            }
            if let Some(person) = person {
                let deleting = forward::deleting(&self.loaded.config);
                erasing::begin(&person, Vec::new(), &deleting, self.secret, self.platform).await?;
            }
        }
        for object in &objects {
            self.unlearn(object, record).await?;
        }
        Ok(objects.len())
    }

    /// The user whose profile an object has.
    async fn user(&self, object: &str) -> Result<Option<ProfileKey>, Failure> {
        let summary: Summary =
            ask_profile(self.platform, object.to_owned(), &ProfileCall::Summary).await?;
        let profile: serde_json::Value =
            serde_json::from_str(summary.profile.get()).unwrap_or_default();
        Ok(profile
            .get("userId")
            .and_then(|id| id.as_str())
            .map(|id| ProfileKey::User(id.to_owned())))
    }

    /// Erases what the feed has told, and the record's addresses where nothing else tells them.
    async fn unlearn(&self, object: &str, record: &RecordOf) -> Result<(), Failure> {
        let (mut left, mut next) = (Unlearned::default(), Some(0));
        for _ in 0..CALLS_MAX {
            let Some(after) = next else { break };
            let source = self.feed.source.name.clone();
            let call = ProfileCall::Unlearn(Unlearn::Told { source, after });
            left = ask_profile(self.platform, object.to_owned(), &call).await?;
            next = left.next;
        }
        if next.is_some() {
            return Err(Failure::Retriable("much of a deleted record is left".to_owned()));
        }
        let keys = Keys::of(self.secret, &self.loaded.config.normalize).named_by(self.feed.source);
        let told: BTreeSet<String> =
            left.addresses.iter().filter_map(|one| keys.email(one)).chain(left.keys).collect();
        let lost: Vec<String> = record.keys().filter(|key| !told.contains(*key)).cloned().collect();
        if lost.is_empty() {
            return Ok(());
        }
        // The index has a profile that has moved under the name of the object that answers.
        let owner = Some(left.object.as_str()).filter(|name| !name.is_empty()).unwrap_or(object);
        // The index first: a key that the profile notes and the index lacks harms nobody.
        forget_keys(&lost, owner, self.platform).await?;
        // Whoever proves the address now has to be in the index again.
        forget_progress();
        for key in lost {
            let call = ProfileCall::Unlearn(Unlearn::Key(key));
            let _: Unlearned = ask_profile(self.platform, owner.to_owned(), &call).await?;
        }
        Ok(())
    }
}

/// The person to whom an address leads beyond doubt: the only owner, or a contact who waits under it.
fn whole_person(found: &Found) -> Option<ProfileKey> {
    match (found.owners.as_slice(), &found.waiting) {
        ([owner], _) => ProfileKey::parse(&owner.label),
        ([], Some(contact)) => Some(ProfileKey::Contact(contact.id.clone())),
        ([], None) | ([_, ..], _) => None,
    }
}
