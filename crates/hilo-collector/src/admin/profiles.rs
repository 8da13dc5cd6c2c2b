//! `GET /admin/v1/profiles/:key` and the paths below it, and `POST …/erase`; `key` is `a:<anonymousId>` or `u:<userId>`.
//! The figures of a profile, and the place of each touchpoint under the lenses, are found here: the objects have no configuration.

use hilo_core::config::usual_lenses;
use hilo_core::identity::ProfileKey;
use hilo_core::journey::Touchpoint;
use hilo_core::journey::lens::{LensRule, place};
use hilo_core::outcome::{Code, Rejection};
use hilo_core::profile::{Figures, Profile, figures};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use super::http::{limit, ok};
use crate::call::{Call, Trouble, secret};
use crate::calls::erasure::ErasureStanding;
use crate::calls::{Page, ProfileCall, Summary, ask_profile, decode, encode, erasing};
use crate::platform::http::percent_decode;
use crate::platform::{Failure, Platform, Reply};
use crate::signature::object_name;

/// Shows a profile.
pub(super) async fn show<P: Platform>(key: &str, call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let name = name(key, call.platform)?;
    let summary: Summary = ask_profile(call.platform, name, &ProfileCall::Summary).await?;
    let states = &call.loaded.config.touchpoints.states;
    // A profile that another version is folding may have another shape.
    let profile: Option<Profile> = decode(summary.profile.get()).ok().flatten();
    let figures = profile.map(|profile| figures(&profile, call.platform.now(), states));
    Ok(ok(&Shown { summary, figures }))
}

/// A profile with its figures.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    summary: Summary,
    /// What the profile comes to now.
    #[serde(skip_serializing_if = "Option::is_none")]
    figures: Option<Figures>,
}

/// The facts of an event's touchpoint, as the object tells them.
#[derive(Deserialize)]
struct Told {
    touchpoint: Touchpoint,
}

/// Writes before each event where its touchpoint stands under the lenses.
fn placed(rows: &[Box<RawValue>], own: &[LensRule]) -> Result<Vec<Box<RawValue>>, Trouble> {
    let usual = usual_lenses();
    let with_lens = |row: &RawValue| -> Result<Box<RawValue>, Failure> {
        let Told { touchpoint } = decode(row.get())?;
        let lens = encode(&place(&touchpoint, own.iter().chain(&usual)))?;
        let rest = row.get().strip_prefix('{').unwrap_or_default();
        let text = format!("{{\"lens\":{lens},{rest}");
        RawValue::from_string(text).map_err(|error| Failure::Fatal(error.to_string()))
    };
    Ok(rows.iter().map(|row| with_lens(row)).collect::<Result<_, _>>()?)
}

/// Lists one page of a profile's rows; `part` selects the kind of rows.
pub(super) async fn list<P: Platform>(
    key: &str,
    part: &str,
    call: &Call<'_, P>,
) -> Result<Reply, Trouble> {
    let name = name(key, call.platform)?;
    let (cursor, limit) = (call.incoming.query_value("cursor"), limit(call.incoming)?);
    let question = match part {
        "events" => ProfileCall::Events { cursor, limit },
        "receipts" => ProfileCall::Receipts { cursor, limit },
        "optins" => ProfileCall::OptIns { cursor, limit },
        "deliveries" => ProfileCall::Deliveries { cursor, limit },
        _ => {
            let message = "events, receipts, optins or deliveries";
            return Err(Rejection::new(Code::NotFound, message).into());
        }
    };
    let mut page: Page = ask_profile(call.platform, name, &question).await?;
    if part == "events" {
        page.rows = placed(&page.rows, &call.loaded.config.touchpoints.lenses)?;
    }
    Ok(ok(&json!({ part: page.rows, "next": page.next })))
}

/// The answer to an erasure.
#[derive(Serialize)]
struct Begun {
    #[serde(flatten)]
    standing: ErasureStanding,
    /// Says that a user's profile stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<Rejection>,
}

/// Erases the person with this key, for a request that came by letter. The same call again answers how far the erasure is; once it is
/// done, it begins anew.
pub(super) async fn erase<P: Platform>(
    key: &str,
    deleting: &[String],
    call: &Call<'_, P>,
) -> Result<Reply, Trouble> {
    let (key, secret) = (parse(key)?, secret(call.platform)?);
    let erased = erasing::begin(&key, Vec::new(), deleting, &secret, call.platform).await?;
    let message = "this device belongs to a user, whose profile stays: erase the profile of the user too, if the person asks for it";
    let notice = erased.linked_to.map(|_| Rejection::new(Code::UserKept, message));
    Ok(Reply { status: 202, ..ok(&Begun { standing: erased.standing, notice }) })
}

/// The name of the profile's object.
fn name<P: Platform>(key: &str, platform: &P) -> Result<String, Trouble> {
    Ok(object_name(secret(platform)?.naming(), &parse(key)?))
}

pub(super) fn parse(key: &str) -> Result<ProfileKey, Rejection> {
    let unknown = || {
        Rejection::new(
            Code::NotFound,
            "a key is a:<anonymousId>, u:<userId> or c:<hash of an address>",
        )
    };
    ProfileKey::parse(&percent_decode(key)).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::super::testing::ask;

    #[test]
    fn an_erasure_is_answered_with_its_standing() {
        let (status, answer) = ask("POST", "v1/profiles/u:17/erase", "Bearer token");
        let expected = r#"{"status":"erasing","since":"2026-11-24T10:00:00Z","step":"carts"}"#;
        assert_eq!((status, answer.as_str()), (202, expected));
    }
}
