//! Flags of a page's records → the opt-outs that are new, and what the feed's object keeps of the flags.
//!
//! A service tells a flag again whenever anything of the record changes. Only a flag that was not heard before is a statement: the person's
//! newer subscription stays in force beside one that is only repeated. A flag about another address than before is new.

use hilo_core::config::Source;
use hilo_core::inbound::{Report, Who};
use serde_json::json;

use crate::call::secret;
use crate::calls::feed::{FeedCall, FlagRecord, ask_feed};
use crate::ingest::feeds::shape::Flag;
use crate::keyring::Keyring;
use crate::platform::{Failure, Platform};
use crate::signature::record_hash;

/// The flags as the object keeps them. Their texts are keyed hashes, because the object forgets nobody who is erased.
///
/// # Errors
/// A failure where the collector has no secret.
pub(super) fn records<P: Platform>(
    flags: &[Flag],
    source: &Source,
    platform: &P,
) -> Result<Vec<FlagRecord>, Failure> {
    if flags.is_empty() {
        return Ok(Vec::new());
    }
    let secret = secret(platform)?;
    let record = |flag: &Flag| FlagRecord {
        of: record_hash(secret.naming(), &["flag", &source.name, &flag.of]),
        about: flag.opt_out.as_ref().map(|report| about(&report.who, &secret)),
    };
    Ok(flags.iter().map(record).collect())
}

/// The opt-outs that were not heard before.
///
/// # Errors
/// A failure if the object does not answer.
pub(super) async fn new<P: Platform>(
    flags: Vec<Flag>,
    records: &[FlagRecord],
    source: &Source,
    platform: &P,
) -> Result<Vec<Report>, Failure> {
    let set = records.iter().filter(|one| one.about.is_some()).cloned().collect::<Vec<_>>();
    if set.is_empty() {
        return Ok(Vec::new());
    }
    let heard: Vec<bool> = ask_feed(platform, &source.name, &FeedCall::Heard(set)).await?;
    let told = flags.into_iter().filter_map(|flag| flag.opt_out);
    // An answer that lacks a flag makes it new.
    let heard = heard.into_iter().chain(std::iter::repeat(false));
    Ok(told.zip(heard).filter(|(_, is_heard)| !is_heard).map(|(report, _)| report).collect())
}

fn about(who: &Who, secret: &Keyring) -> String {
    let Who { user_id, email, phone, .. } = who;
    let address = |text: &Option<String>| text.as_deref().map(str::to_lowercase);
    let named = json!([user_id, address(email), address(phone)]).to_string();
    record_hash(secret.naming(), &["flag about", &named])
}
