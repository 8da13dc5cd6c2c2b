//! Records that a service has deleted because their persons must be forgotten → what is erased here.
//!
//! The record's person is whom its id or its address leads to. The feed's setting says whether what the feed told is erased, or the whole
//! person. Nothing of the person stands in a line of the log.

use hilo_core::config::Source;
use hilo_core::identity::ProfileKey;

use crate::address::Keys;
use crate::call::secret;
use crate::calls::feed::{FeedCall, RecordOf, ask_feed};
use crate::calls::index::{Found, IndexAsk, ask_index, forget_keys};
use crate::calls::unlearn::{Unlearn, Unlearned};
use crate::calls::{ProfileCall, Summary, ask_profile, erasing};
use crate::forward;
use crate::ingest::feeds::Configured;
use crate::ingest::feeds::shape::{Deletion, Recorded};
use crate::keyring::Keyring;
use crate::loaded::Loaded;
use crate::platform::{Failure, Platform, log_line};
use crate::signature::{object_name, record_hash};

/// How the id of a deleted record begins among the ids of which a service has told.
const DELETED: &str = "deleted:";
/// The most calls for one person, each for 32 rows of the timeline. The next run goes on.
const CALLS_MAX: u32 = 100;

/// The id by which a deletion is noted.
pub(super) fn told(record: &str) -> String {
    format!("{DELETED}{record}")
}

/// Parts the records that were deleted from the ids that have to be read.
pub(super) fn part(told: Vec<String>) -> (Vec<String>, Vec<String>) {
    told.into_iter().partition(|id| id.starts_with(DELETED))
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
        }
    };
    Ok(records.iter().map(record).collect())
}

/// Erases what the feed's setting says of each deleted record's person, and forgets the record.
///
/// # Errors
/// A failure if a step is not known to be done. The next run repeats it.
pub(super) async fn erase<P: Platform>(
    deleted: &[String],
    feed: &Configured<'_>,
    loaded: &Loaded,
    platform: &P,
) -> Result<(), Failure> {
    if deleted.is_empty() {
        return Ok(());
    }
    let secret = secret(platform)?;
    let desk = Desk { feed, loaded, secret: &secret, platform };
    for told in deleted {
        let record = told.strip_prefix(DELETED).unwrap_or_default();
        let of = record_hash(secret.naming(), &["record", &feed.source.name, record]);
        let name = feed.source.name.as_str();
        let known: Option<RecordOf> =
            ask_feed(platform, name, &FeedCall::Record { of: of.clone() }).await?;
        let persons = match known {
            Some(known) => desk.of_record(&known).await?,
            None => 0,
        };
        let () = ask_feed(platform, name, &FeedCall::Forget { told: told.clone(), of }).await?;
        let count = persons.to_string();
        let line = [("feed", name), ("persons", count.as_str())];
        platform.log(&log_line("info", "a record was deleted", &line));
    }
    Ok(())
}

/// The work on deletions.
struct Desk<'d, P> {
    feed: &'d Configured<'d>,
    loaded: &'d Loaded,
    secret: &'d Keyring,
    platform: &'d P,
}

impl<P: Platform> Desk<'_, P> {
    /// Erases what the record's persons lose. Returns their number: none, or one.
    async fn of_record(&self, record: &RecordOf) -> Result<usize, Failure> {
        let (object, label) = match (&record.object, &record.key) {
            (Some(object), _) => (object.clone(), None),
            (None, Some(key)) => match self.of_address(key).await? {
                Some((object, label)) => (object, Some(label)),
                None => return Ok(0),
            },
            (None, None) => return Ok(0),
        };
        match self.feed.reader.deletion() {
            Deletion::Nothing => return Ok(0),
            Deletion::Told => self.unlearn(&object, record.key.as_deref()).await?,
            Deletion::Person => {
                let key = match label {
                    Some(label) => Some(label),
                    None => self.user(&object).await?,
                };
                let Some(key) = key else { return Ok(0) };
                let deleting = forward::deleting(&self.loaded.config);
                erasing::begin(&key, Vec::new(), &deleting, self.secret, self.platform).await?;
            }
        }
        Ok(1)
    }

    /// The person to whom an address leads: exactly one, or a contact who waits under it.
    async fn of_address(&self, key: &str) -> Result<Option<(String, ProfileKey)>, Failure> {
        let found: Found = ask_index(self.platform, key, IndexAsk::Find).await?;
        if let [owner] = found.owners.as_slice() {
            return Ok(ProfileKey::parse(&owner.label).map(|key| (owner.object.clone(), key)));
        }
        let waiting = found.waiting.filter(|_| found.owners.is_empty());
        Ok(waiting.map(|one| (one.object, ProfileKey::Contact(one.id))))
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

    /// Erases what the feed has told, and the record's address where nothing else tells it.
    async fn unlearn(&self, object: &str, key: Option<&str>) -> Result<(), Failure> {
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
        let Some(key) = key else { return Ok(()) };
        let keys = Keys::of(self.secret, &self.loaded.config.normalize).named_by(self.feed.source);
        let is_told = left.addresses.iter().any(|one| keys.email(one).as_deref() == Some(key));
        if is_told {
            return Ok(());
        }
        // The index first: a key that the profile notes and the index lacks harms nobody.
        forget_keys(&[key.to_owned()], object, self.platform).await?;
        let call = ProfileCall::Unlearn(Unlearn::Key(key.to_owned()));
        let _: Unlearned = ask_profile(self.platform, object.to_owned(), &call).await?;
        Ok(())
    }
}
