//! For people: what was kept, refused, delivered, and the live stream; replay of dead letters.
//!
//! In: a request below `/admin/` and a bearer token. Out: JSON that nobody caches. Reads through the objects' calls;
//! shows no secret and no more than the profile keeps.

mod carts;

use hilo_core::identity::ProfileKey;
use hilo_core::outcome::{Code, Rejection};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::calls::journal::{DeadLetter, Health, JournalCall, Rejects, ask_journal};
use crate::calls::{DeliveryState, PAGE_ROWS_MAX, Page, ProfileCall, Summary, ask_profile, decode};
use crate::loaded::Loaded;
use crate::platform::{Body, Failure, Headers, Incoming, Platform, Reply, Upload};
use crate::signature;

/// The secret that opens this door.
const TOKEN: &str = "HILO_ADMIN_TOKEN";
/// Dead letters of one replay; call again for more.
const REPLAY_MAX: u32 = 500;

/// Why there is no better answer.
enum Trouble {
    Refused(Rejection),
    Failed(Failure),
}

impl From<Rejection> for Trouble {
    fn from(why: Rejection) -> Trouble {
        Trouble::Refused(why)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Failed(failure)
    }
}

/// Answers one request; `path` is what stands below `/admin/`.
pub async fn serve<P: Platform>(
    incoming: &Incoming,
    path: &str,
    loaded: &Loaded,
    platform: &P,
) -> Reply {
    let answer = match open(incoming, platform) {
        Ok(()) => answer(incoming, path, loaded, platform).await,
        Err(why) => Err(why.into()),
    };
    answer.unwrap_or_else(|trouble| match trouble {
        Trouble::Refused(why) => error(&why),
        Trouble::Failed(failure) => {
            error(&Rejection::new(Code::Unavailable, format!("try again: {}", failure.message())))
        }
    })
}

fn open<P: Platform>(incoming: &Incoming, platform: &P) -> Result<(), Rejection> {
    let Some(token) = platform.secret(TOKEN).filter(|token| !token.is_empty()) else {
        let message = "the admin door is closed: wrangler secret put HILO_ADMIN_TOKEN opens it";
        return Err(Rejection::new(Code::Unauthorized, message));
    };
    let header = incoming.headers.get("authorization").unwrap_or_default();
    match header.strip_prefix("Bearer ") {
        Some(given) if signature::equal(&token, given.trim()) => Ok(()),
        Some(_) | None => {
            Err(Rejection::new(Code::Unauthorized, "send Authorization: Bearer <HILO_ADMIN_TOKEN>"))
        }
    }
}

async fn answer<P: Platform>(
    incoming: &Incoming,
    path: &str,
    loaded: &Loaded,
    platform: &P,
) -> Result<Reply, Trouble> {
    let path = path.strip_prefix("v1/").unwrap_or_default();
    let method = incoming.method.as_str();
    if let Some(rest) = path.strip_prefix("profiles/") {
        allow("GET", method)?;
        return profile(incoming, rest, platform).await;
    }
    if let Some(key) = path.strip_prefix("carts/") {
        allow("GET", method)?;
        return carts::show(key, platform).await;
    }
    match path {
        "live" => allow("GET", method).map(|()| live(incoming)).map_err(Trouble::from),
        "rejects" => {
            allow("GET", method)?;
            let call = JournalCall::Rejects { since_ms: since(incoming)?, limit: limit(incoming)? };
            Ok(ok(&ask_journal::<P, Rejects>(platform, &call).await?))
        }
        "deliveries" => {
            allow("GET", method)?;
            let health: Vec<Health> = ask_journal(platform, &JournalCall::Deliveries).await?;
            Ok(ok(&json!({ "destinations": health })))
        }
        "dead-letters" => {
            allow("GET", method)?;
            let letters = dead_letters(
                incoming.query_value("destination"),
                since(incoming)?,
                Vec::new(),
                limit(incoming)?,
                platform,
            );
            Ok(ok(&json!({ "deadLetters": letters.await? })))
        }
        "dead-letters/replay" => {
            allow("POST", method)?;
            replay(incoming, platform).await
        }
        "config" => allow("GET", method).map(|()| config(loaded)).map_err(Trouble::from),
        _ => Err(Rejection::new(Code::NotFound, "there is nothing at this path").into()),
    }
}

fn allow(wanted: &str, method: &str) -> Result<(), Rejection> {
    if method == wanted || (wanted == "GET" && method == "HEAD") {
        return Ok(());
    }
    Err(Rejection::new(Code::MethodNotAllowed, format!("this path is called with {wanted}")))
}

/// `profiles/:key` and what stands below it.
async fn profile<P: Platform>(
    incoming: &Incoming,
    rest: &str,
    platform: &P,
) -> Result<Reply, Trouble> {
    let (key, part) = rest.split_once('/').unwrap_or((rest, ""));
    let key = crate::platform::http::percent_decode(key);
    let key = ProfileKey::parse(&key)
        .ok_or_else(|| Rejection::new(Code::NotFound, "a key is a:<anonymousId> or u:<userId>"))?;
    let secret = platform.secret(signature::SECRET).unwrap_or_default();
    let name = signature::object_name(&secret, &key);
    let (cursor, limit) = (incoming.query_value("cursor"), limit(incoming)?);
    let call = match part {
        "" => {
            let summary: Summary = ask_profile(platform, name, &ProfileCall::Summary).await?;
            return Ok(ok(&summary));
        }
        "events" => ProfileCall::Events { cursor, limit },
        "receipts" => ProfileCall::Receipts { cursor, limit },
        "optins" => ProfileCall::OptIns { cursor, limit },
        "deliveries" => ProfileCall::Deliveries { cursor, limit },
        _ => {
            let message = "events, receipts, optins or deliveries";
            return Err(Rejection::new(Code::NotFound, message).into());
        }
    };
    let page: Page = ask_profile(platform, name, &call).await?;
    let rows = match part {
        "deliveries" => {
            let rows: Result<Vec<DeliveryState>, Failure> =
                page.rows.iter().map(|row| decode(row.get())).collect();
            json!(rows?)
        }
        _ => json!(page.rows),
    };
    Ok(ok(&json!({ part: rows, "next": page.next })))
}

/// Server-sent events; `Last-Event-ID` or `?after=` continues where a watcher was.
fn live(incoming: &Incoming) -> Reply {
    let after = incoming.query_value("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let mut headers = Headers::default();
    headers.push("content-type", "text/event-stream; charset=utf-8");
    headers.push("cache-control", "no-store");
    headers.push("x-content-type-options", "nosniff");
    Reply { status: 200, headers, body: Body::Live { after } }
}

async fn dead_letters<P: Platform>(
    destination: Option<String>,
    since_ms: i64,
    message_ids: Vec<String>,
    limit: u32,
    platform: &P,
) -> Result<Vec<DeadLetter>, Failure> {
    ask_journal(platform, &JournalCall::DeadLetters { destination, since_ms, message_ids, limit })
        .await
}

/// Makes dead letters pending again: by destination, time or ids.
async fn replay<P: Platform>(incoming: &Incoming, platform: &P) -> Result<Reply, Trouble> {
    #[derive(Default, serde::Deserialize)]
    #[serde(rename_all = "camelCase", default, deny_unknown_fields)]
    struct Asked {
        destination: Option<String>,
        since: Option<String>,
        message_ids: Vec<String>,
    }
    let asked: Asked = body(incoming)?;
    let since_ms = moment(asked.since.as_deref())?;
    let letters =
        dead_letters(asked.destination, since_ms, asked.message_ids, REPLAY_MAX, platform).await?;
    let mut replayed = 0;
    for letter in &letters {
        let call = ProfileCall::Replay {
            destination: Some(letter.destination.clone()),
            message_id: Some(letter.message_id.clone()),
        };
        let count: u32 = ask_profile(platform, letter.profile.clone(), &call).await?;
        replayed += count;
    }
    let _: () = ask_journal(platform, &JournalCall::Replayed { letters }).await?;
    Ok(ok(&json!({ "replayed": replayed })))
}

fn body<T: DeserializeOwned + Default>(incoming: &Incoming) -> Result<T, Rejection> {
    match &incoming.body {
        Upload::Absent => Ok(T::default()),
        Upload::Bytes(bytes) if bytes.is_empty() => Ok(T::default()),
        Upload::Bytes(bytes) => serde_json::from_slice(bytes).map_err(|_| {
            let message =
                "send {\"destination\":…, \"since\":…, \"messageIds\":[…]}, each optional";
            Rejection::new(Code::MalformedBody, message)
        }),
        Upload::TooLarge => Err(Rejection::new(Code::BodyTooLarge, "the body is too large")),
        Upload::Broken => Err(Rejection::new(Code::MalformedBody, "the body was cut short")),
    }
}

fn since(incoming: &Incoming) -> Result<i64, Rejection> {
    moment(incoming.query_value("since").as_deref())
}

/// RFC 3339 or milliseconds since the epoch; nothing means from the beginning.
fn moment(text: Option<&str>) -> Result<i64, Rejection> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(0) };
    text.parse::<i64>()
        .ok()
        .or_else(|| text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond))
        .filter(|ms| (0..=8_640_000_000_000_000).contains(ms))
        .ok_or_else(|| {
            Rejection::at(Code::WrongType, "since", "a time as RFC 3339 writes it, or milliseconds")
        })
}

fn limit(incoming: &Incoming) -> Result<u32, Rejection> {
    match incoming.query_value("limit") {
        None => Ok(PAGE_ROWS_MAX),
        Some(text) => {
            text.parse().ok().filter(|limit| (1..=PAGE_ROWS_MAX).contains(limit)).ok_or_else(|| {
                Rejection::at(Code::WrongType, "limit", format!("1 to {PAGE_ROWS_MAX}"))
            })
        }
    }
}

/// The configuration in force, and what is wrong with a newer one that could not be taken.
fn config(loaded: &Loaded) -> Reply {
    let mut shown = serde_json::to_value(&loaded.config).unwrap_or_default();
    if let Some(entries) = shown.get_mut("destinations").and_then(Value::as_array_mut) {
        for settings in entries.iter_mut().filter_map(|entry| entry.get_mut("settings")) {
            redact(settings);
        }
    }
    let problems: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
    ok(&json!({ "config": shown, "problems": problems }))
}

/// Settings name their secrets; what was written out nevertheless is not shown.
fn redact(settings: &mut Value) {
    const SUSPICIOUS: [&str; 5] = ["secret", "token", "key", "password", "authorization"];
    let Some(table) = settings.as_object_mut() else { return };
    for (name, value) in table.iter_mut() {
        let is_suspicious = SUSPICIOUS.iter().any(|word| name.to_lowercase().contains(word));
        if let Some(text) = value.as_str() {
            if is_suspicious {
                *value = Value::from("redacted");
            } else if text.contains("://") {
                *value = Value::from(hilo_core::redact::url(text));
            }
        } else if !is_suspicious || value.get("secret").is_none() {
            redact(value);
        }
    }
}

fn ok(answer: &impl serde::Serialize) -> Reply {
    match serde_json::to_string(answer) {
        Ok(text) => Reply::json(200, text),
        Err(why) => error(&Rejection::new(Code::Unavailable, why.to_string())),
    }
}

fn error(why: &Rejection) -> Reply {
    Reply::json(why.code.status(), json!({ "error": why }).to_string())
}
