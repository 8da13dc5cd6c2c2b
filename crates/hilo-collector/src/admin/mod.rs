//! Admin calls, for people: they show stored and refused events, deliveries and the live stream, and replay dead
//! letters.
//!
//! A request below `/admin/` with a bearer token → JSON that no cache stores. These calls read through the objects'
//! calls. They show no secret and no more than the profile stores.

mod carts;
mod config;
mod dead_letters;
mod destinations;
mod feeds;
mod http;
mod journal;
mod live;
mod profiles;
mod table;
#[cfg(test)]
mod testing;

use hilo_core::outcome::{Code, Rejection};
use serde_json::json;

use self::http::{called_with, error, ok};
use self::table::AdminCall;
use crate::call::{Call, Trouble};
use crate::calls::tokens::Described;
use crate::platform::{Incoming, Platform, Reply};
use crate::signature;

/// The name of the secret that admin calls must present.
const TOKEN: &str = "HILO_ADMIN_TOKEN";
/// The fewest bytes of the token: 16 random bytes cannot be guessed.
const TOKEN_BYTES_MIN: usize = 16;

/// What the pipeline hands over about the destinations of `hilo.toml`.
#[derive(Clone, Copy, Debug)]
pub struct Known<'k> {
    /// The names of those that can delete a person.
    pub deleting: &'k [String],
    /// What each is.
    pub described: &'k [Described],
}

/// Answers one request; `path` is the part below `/admin/`.
pub async fn serve<P: Platform>(path: &str, known: &Known<'_>, call: &Call<'_, P>) -> Reply {
    let taken = match admit(call) {
        Ok(()) => take(path, known, call).await,
        Err(why) => Err(why.into()),
    };
    taken.unwrap_or_else(|trouble| match trouble {
        Trouble::Refused(why) => error(&why),
        Trouble::Failed(failure) => {
            error(&Rejection::new(Code::Unavailable, format!("try again: {}", failure.message())))
        }
    })
}

/// Whether the call at this path makes a feed due.
pub fn reads_feed(path: &str) -> bool {
    table::find(path).is_some_and(|(row, _)| row.call == AdminCall::ReadFeed)
}

/// Finds the call of a path in the table, and answers it.
async fn take<P: Platform>(
    path: &str,
    known: &Known<'_>,
    call: &Call<'_, P>,
) -> Result<Reply, Trouble> {
    let Some((row, named)) = table::find(path) else {
        let message = "there is nothing at this path: GET /admin/v1/ lists every admin call";
        return Err(Rejection::new(Code::NotFound, message).into());
    };
    called_with(row.method, call)?;
    let part = |place: usize| named.get(place).copied().unwrap_or_default();
    match row.call {
        AdminCall::Calls => Ok(ok(&json!({ "calls": table::ROWS }))),
        AdminCall::Profile => profiles::show(part(0), call).await,
        AdminCall::Erase => profiles::erase(part(0), known.deleting, call).await,
        AdminCall::ProfileRows => profiles::list(part(0), part(1), call).await,
        AdminCall::Cart => carts::show(part(0), call).await,
        AdminCall::Live => live::stream(call).await,
        AdminCall::Rejects => journal::rejects(call).await,
        AdminCall::Destinations => Ok(destinations::list(known.described, call).await),
        AdminCall::Connect => destinations::connect(part(0), call).await,
        AdminCall::Feeds => Ok(feeds::list(call).await),
        AdminCall::FeedEvents => feeds::events(part(0), call).await,
        AdminCall::ReadFeed => feeds::read(part(0), call).await,
        AdminCall::Deliveries => journal::deliveries(call).await,
        AdminCall::DeadLetters => dead_letters::list(call).await,
        AdminCall::Replay => dead_letters::replay(call).await,
        AdminCall::Config => Ok(config::show(call.loaded)),
    }
}

/// The token that opens the door; `None` where it is not set, or so short that it could be guessed. On a developer's
/// machine every token will do.
fn token<P: Platform>(platform: &P) -> Option<String> {
    let is_safe =
        |token: &String| !token.is_empty() && (platform.is_dev() || token.len() >= TOKEN_BYTES_MIN);
    platform.secret(TOKEN).filter(is_safe)
}

/// Whether anybody can make admin calls.
pub fn is_open<P: Platform>(platform: &P) -> bool {
    token(platform).is_some()
}

/// Whether the request shows the token.
pub fn is_operator<P: Platform>(incoming: &Incoming, platform: &P) -> bool {
    let header = incoming.headers.get("authorization").unwrap_or_default();
    let given = header.strip_prefix("Bearer ").map(str::trim);
    let token = token(platform);
    token.zip(given).is_some_and(|(token, given)| signature::equal(&token, given))
}

fn admit<P: Platform>(call: &Call<'_, P>) -> Result<(), Rejection> {
    if is_operator(call.incoming, call.platform) {
        return Ok(());
    }
    let message = if is_open(call.platform) {
        "send Authorization: Bearer and the value of HILO_ADMIN_TOKEN; whoever has lost it makes another: cargo xtask wrangler secret put HILO_ADMIN_TOKEN"
    } else {
        "the admin door is closed, because HILO_ADMIN_TOKEN is not set or has fewer than 16 bytes: openssl rand -base64 32 | cargo xtask wrangler secret put HILO_ADMIN_TOKEN"
    };
    Err(Rejection::new(Code::Unauthorized, message))
}

#[cfg(test)]
mod tests {
    use super::testing::{ask, check};

    #[test]
    fn an_admin_call_answers_its_method_on_its_path_only() {
        check("GET", "v1/deliveries", 200, r#"{"destinations":[]}"#);
        check("GET", "v1/dead-letters", 200, r#"{"deadLetters":[]}"#);
        check("POST", "v1/dead-letters/replay", 200, r#"{"replayed":0}"#);
        for (method, path, status) in [
            ("POST", "v1/deliveries", 405),
            ("GET", "v1/dead-letters/replay", 405),
            ("GET", "v1/profiles/a:1/erase", 405),
            ("POST", "v1/profiles/nobody/erase", 404),
            ("GET", "v1/nothing", 404),
            ("GET", "v2/deliveries", 404),
            ("GET", "v1/profiles/nobody", 404),
            ("GET", "v1/profiles/a:1/secrets", 404),
        ] {
            assert_eq!(ask(method, path, "Bearer token").0, status, "{method} {path}");
        }
    }

    #[test]
    fn the_list_of_admin_calls_names_method_path_and_purpose_of_each() {
        let (status, list) = ask("GET", "v1/", "Bearer token");
        assert_eq!((status, ask("GET", "v1/", "").0), (200, 401));
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        let calls = list["calls"].as_array().unwrap();
        assert_eq!(calls.len(), super::table::ROWS.len());
        assert_eq!(
            calls[0],
            serde_json::json!({ "method": "GET", "path": "/admin/v1/", "purpose": "this list" })
        );
        assert!(ask("GET", "v1/nothing", "Bearer token").1.contains("GET /admin/v1/ lists"));
    }

    #[test]
    fn an_admin_call_without_the_token_is_refused() {
        for authorization in ["", "token", "Bearer other"] {
            assert_eq!(ask("GET", "v1/deliveries", authorization).0, 401, "{authorization}");
        }
    }
}
