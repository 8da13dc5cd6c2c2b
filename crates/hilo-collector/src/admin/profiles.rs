//! `GET /admin/v1/profiles/:key` and the paths below it; `key` is `a:<anonymousId>` or `u:<userId>`.

use hilo_core::identity::ProfileKey;
use hilo_core::outcome::{Code, Rejection};
use serde_json::json;
use serde_json::value::RawValue;

use super::http::{limit, ok};
use crate::call::{Call, Trouble, secret};
use crate::calls::{Page, ProfileCall, ask_profile};
use crate::platform::http::percent_decode;
use crate::platform::{Platform, Reply};
use crate::signature::object_name;

/// Shows a profile.
pub(super) async fn show<P: Platform>(key: &str, call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let name = name(key, call.platform)?;
    let summary: Box<RawValue> = ask_profile(call.platform, name, &ProfileCall::Summary).await?;
    Ok(ok(&summary))
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
    let page: Page = ask_profile(call.platform, name, &question).await?;
    Ok(ok(&json!({ part: page.rows, "next": page.next })))
}

/// The name of the profile's object.
fn name<P: Platform>(key: &str, platform: &P) -> Result<String, Trouble> {
    let key = ProfileKey::parse(&percent_decode(key))
        .ok_or_else(|| Rejection::new(Code::NotFound, "a key is a:<anonymousId> or u:<userId>"))?;
    Ok(object_name(secret(platform)?.naming(), &key))
}
