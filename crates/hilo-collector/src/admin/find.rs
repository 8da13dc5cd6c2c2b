//! `POST /admin/v1/profiles/find`: an address → the labels of the persons who have proved it, and of the contacts who wait under it.
//!
//! The address stands in the body, because addresses of requests are written into logs. It must match exactly: nobody can look around.
//! The door's line about the call has the hash of what was looked for.

use hilo_core::identity::ProfileKey;
use hilo_core::outcome::{Code, Rejection};
use serde::Deserialize;
use serde_json::json;

use super::http::{body_as, ok};
use crate::address::Keys;
use crate::call::{Call, Trouble, secret};
use crate::calls::index::{Found, IndexAsk, ask_index};
use crate::platform::{Platform, Reply};

/// What the call is about: exactly one address.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct FindBody {
    email: Option<String>,
    phone: Option<String>,
    /// The country of a number without one, ISO 3166-1 alpha-2.
    country: Option<String>,
    order_id: Option<String>,
    loyalty_id: Option<String>,
}

/// What the log's line about a call has beside the caller: a name and a value that tells nothing of a person.
pub(super) type Detail = (&'static str, String);

/// The characters of a hash in the log. They tell looks apart.
const LOGGED_CHARS: usize = 12;
/// What the body has.
const USAGE: &str = "send one of {\"email\":…}, {\"phone\":…}, {\"orderId\":…} and {\"loyaltyId\":…}; {\"country\":\"ES\"} beside a phone number without its country";

/// Finds a person. Beside the answer it returns what the log's line about the call has of the look.
pub(super) async fn person<P: Platform>(
    call: &Call<'_, P>,
) -> Result<(Reply, Vec<Detail>), Trouble> {
    let body: FindBody = body_as(call.incoming, USAGE)?;
    let secret = secret(call.platform)?;
    let config = &call.loaded.config;
    let keys = Keys::of(&secret, &config.normalize).in_country(body.country.as_deref());
    let (by, found) = match (&body.email, &body.phone, &body.order_id, &body.loyalty_id) {
        (Some(text), None, None, None) => ("email", keys.email(text).into_iter().collect()),
        (None, Some(text), None, None) => ("phone", keys.phone(text).into_iter().collect()),
        // Each source counts its own orders.
        (None, None, Some(text), None) => {
            let sources = config.sources.iter().filter(|source| source.is_server());
            ("order", sources.filter_map(|source| keys.order(&source.name, text)).collect())
        }
        (None, None, None, Some(text)) => ("loyalty", keys.loyalty(text).into_iter().collect()),
        _ => return Err(Rejection::new(Code::MalformedBody, USAGE).into()),
    };
    let keys: Vec<String> = found;
    if keys.is_empty() {
        let message =
            "this cannot be read: an e-mail address, or a telephone number with its country";
        return Err(Rejection::at(Code::WrongType, by, message).into());
    }
    let (mut labels, mut waiting) = (Vec::new(), Vec::new());
    for key in &keys {
        let found: Found = ask_index(call.platform, key, IndexAsk::Find).await?;
        labels.extend(found.owners.into_iter().map(|owner| owner.label));
        waiting.extend(found.waiting.map(|one| ProfileKey::Contact(one.id).to_string()));
    }
    for found in [&mut labels, &mut waiting] {
        found.sort();
        found.dedup();
    }
    let hash = keys.iter().flat_map(|key| key.chars()).take(LOGGED_CHARS).collect();
    let look = vec![("lookup", by.to_owned()), ("hash", hash), ("found", labels.len().to_string())];
    Ok((ok(&json!({ "found": labels, "waiting": waiting })), look))
}
