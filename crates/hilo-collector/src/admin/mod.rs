//! Admin calls, for people: they show stored and refused events, deliveries and the live stream, and replay dead
//! letters.
//!
//! A request below `/admin/` with a bearer token → JSON that no cache stores. These calls read through the objects'
//! calls. They show no secret and no more than the profile stores.

mod carts;
mod config;
mod dead_letters;
mod http;
mod journal;
mod live;
mod profiles;
#[cfg(test)]
mod testing;

use hilo_core::outcome::{Code, Rejection};

use self::http::{error, get, post};
use crate::call::{Call, Trouble};
use crate::platform::{Incoming, Platform, Reply};
use crate::signature;

/// The name of the secret that admin calls must present.
const TOKEN: &str = "HILO_ADMIN_TOKEN";
/// The fewest bytes of the token: 16 random bytes cannot be guessed.
const TOKEN_BYTES_MIN: usize = 16;

/// Answers one request; `path` is the part below `/admin/`, and `deleting` lists the destinations that can delete a person.
pub async fn serve<P: Platform>(path: &str, deleting: &[String], call: &Call<'_, P>) -> Reply {
    let taken = match admit(call) {
        Ok(()) => take(path, deleting, call).await,
        Err(why) => Err(why.into()),
    };
    taken.unwrap_or_else(|trouble| match trouble {
        Trouble::Refused(why) => error(&why),
        Trouble::Failed(failure) => {
            error(&Rejection::new(Code::Unavailable, format!("try again: {}", failure.message())))
        }
    })
}

/// Lists every admin call: its path, its method, and the function that answers it.
async fn take<P: Platform>(
    path: &str,
    deleting: &[String],
    call: &Call<'_, P>,
) -> Result<Reply, Trouble> {
    let path: Vec<&str> = path.split('/').collect();
    match path.as_slice() {
        ["v1", "profiles", key] | ["v1", "profiles", key, ""] => {
            profiles::show(key, get(call)?).await
        }
        ["v1", "profiles", key, "erase"] => profiles::erase(key, deleting, post(call)?).await,
        ["v1", "profiles", key, part] => profiles::list(key, part, get(call)?).await,
        ["v1", "carts", key] => carts::show(key, get(call)?).await,
        ["v1", "live"] => live::stream(get(call)?).await,
        ["v1", "rejects"] => journal::rejects(get(call)?).await,
        ["v1", "deliveries"] => journal::deliveries(get(call)?).await,
        ["v1", "dead-letters"] => dead_letters::list(get(call)?).await,
        ["v1", "dead-letters", "replay"] => dead_letters::replay(post(call)?).await,
        ["v1", "config"] => Ok(config::show(get(call)?.loaded)),
        _ => Err(Rejection::new(Code::NotFound, "there is nothing at this path").into()),
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
        "send Authorization: Bearer and the value of HILO_ADMIN_TOKEN; whoever has lost it makes another: npx wrangler secret put HILO_ADMIN_TOKEN"
    } else {
        "the admin door is closed, because HILO_ADMIN_TOKEN is not set or has fewer than 16 bytes: openssl rand -base64 32 | npx wrangler secret put HILO_ADMIN_TOKEN"
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
    fn an_admin_call_without_the_token_is_refused() {
        for authorization in ["", "token", "Bearer other"] {
            assert_eq!(ask("GET", "v1/deliveries", authorization).0, 401, "{authorization}");
        }
    }
}
