//! The door of admin calls: who calls, and by which proof.
//!
//! A request → its [`Caller`], or a refusal with its remedy. A bearer token is the collector's own or that of an `[[admin]]`. An
//! assertion of Cloudflare Access names the address of an `[[admin]]`. Which call a caller may make is decided in `roles.rs`.

use hilo_core::config::{Admin, Role};
use hilo_core::outcome::{Code, Rejection};

use super::access;
use crate::loaded::Loaded;
use crate::platform::{Incoming, Platform};
use crate::signature;

/// The name of the secret that opens every admin call.
pub(super) const TOKEN: &str = "HILO_ADMIN_TOKEN";
/// The fewest bytes of the token: 16 random bytes cannot be guessed.
const TOKEN_BYTES_MIN: usize = 16;
/// The header field in which Cloudflare Access vouches for a person. Its cookie is not read: Cloudflare does not promise it, and a page
/// could send it along unasked.
const ASSERTION: &str = "cf-access-jwt-assertion";

/// Somebody who may make admin calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    /// The name in `hilo.toml`, or the name of the secret.
    pub(super) name: String,
    /// The role.
    pub(super) role: Role,
    /// `token` or `access`.
    pub(super) by: &'static str,
}

impl Caller {
    fn of(admin: &Admin, by: &'static str) -> Caller {
        Caller { name: admin.name.clone(), role: admin.role, by }
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
pub fn is_open<P: Platform>(loaded: Option<&Loaded>, platform: &P) -> bool {
    token(platform).is_some() || loaded.is_some_and(|loaded| !loaded.config.admins.is_empty())
}

/// Finds the caller. Without a configuration only the collector's own token counts.
///
/// # Errors
/// `unauthorized`, with what to send instead.
pub(super) async fn caller<P: Platform>(
    incoming: &Incoming,
    loaded: Option<&Loaded>,
    platform: &P,
) -> Result<Caller, Rejection> {
    let by_token = by_token(incoming, loaded, platform);
    let rules = loaded.and_then(|loaded| Some((loaded, loaded.config.access.as_ref()?)));
    let Some((loaded, rules)) = rules else {
        return by_token.ok_or_else(|| refusal(loaded, platform));
    };
    let Some(assertion) = incoming.headers.get(ASSERTION) else {
        let lacks = "this deployment needs Cloudflare Access beside the token: open the call through the hostname that Access protects";
        return match by_token {
            Some(_) if rules.required => Err(Rejection::new(Code::Unauthorized, lacks)),
            Some(caller) => Ok(caller),
            None => Err(refusal(Some(loaded), platform)),
        };
    };
    // A token that counts by itself needs no key of Cloudflare's.
    if let Some(caller) = by_token.clone().filter(|_| !rules.required) {
        return Ok(caller);
    }
    let email = access::email(assertion, rules, loaded, platform).await?;
    let person = loaded.config.admin_by_email(&email).map(|admin| Caller::of(admin, "access"));
    let person = person.ok_or_else(|| {
        let message = "Cloudflare Access knows you, and hilo.toml does not: add an [[admin]] with your email and a role";
        Rejection::new(Code::Unauthorized, message)
    })?;
    // The role is the person's: a token that somebody found opens no more than that.
    if rules.required && by_token.is_none() {
        return Err(refusal(Some(loaded), platform));
    }
    Ok(person)
}

fn by_token<P: Platform>(
    incoming: &Incoming,
    loaded: Option<&Loaded>,
    platform: &P,
) -> Option<Caller> {
    let header = incoming.headers.get("authorization").unwrap_or_default();
    let given = header.strip_prefix("Bearer ").map(str::trim).filter(|given| !given.is_empty())?;
    if token(platform).is_some_and(|token| signature::equal(&token, given)) {
        return Some(Caller { name: TOKEN.to_owned(), role: Role::Owner, by: "token" });
    }
    loaded?.config.admin_by_token(given).map(|admin| Caller::of(admin, "token"))
}

fn refusal<P: Platform>(loaded: Option<&Loaded>, platform: &P) -> Rejection {
    let message = if is_open(loaded, platform) {
        "send Authorization: Bearer and your admin token, or the value of HILO_ADMIN_TOKEN; whoever has lost that one makes another: cargo xtask wrangler secret put HILO_ADMIN_TOKEN"
    } else {
        "the admin door is closed, because HILO_ADMIN_TOKEN is not set or has fewer than 16 bytes: openssl rand -base64 32 | cargo xtask wrangler secret put HILO_ADMIN_TOKEN"
    };
    Rejection::new(Code::Unauthorized, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::memory::{Memory, run};

    const OWN: &str = "an admin token of some length";

    fn memory(more: &str) -> Memory {
        let built_in = include_str!("../../hilo.toml");
        let admins = format!(
            "[[admin]]\nname = \"ana\"\nrole = \"marketer\"\nsha256 = \"{}\"\n{more}",
            signature::sha256_hex(b"ana-token")
        );
        let text = format!("{built_in}\n{admins}");
        let memory = Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), Some(&text)).unwrap();
        memory.set_secret(TOKEN, OWN);
        memory
    }

    fn called(memory: &Memory, fields: &[(&str, &str)]) -> Result<(String, Role), String> {
        let mut incoming = Incoming::default();
        fields.iter().for_each(|(name, value)| incoming.headers.push(name, *value));
        let loaded = run(memory.config()).unwrap().unwrap();
        let found = run(caller(&incoming, Some(&loaded), memory)).unwrap();
        found.map(|caller| (caller.name, caller.role)).map_err(|why| {
            assert_eq!(why.code, Code::Unauthorized);
            why.message
        })
    }

    fn bearer(token: &str) -> String {
        format!("Bearer {token}")
    }

    #[test]
    fn each_token_is_one_caller_in_one_role() {
        let memory = memory("");
        let called = |token: &str| called(&memory, &[("authorization", &bearer(token))]);
        assert_eq!(called(OWN), Ok((TOKEN.to_owned(), Role::Owner)));
        assert_eq!(called("ana-token"), Ok(("ana".to_owned(), Role::Marketer)));
        for wrong in ["", "ana-toke", "ana-token2", "ANA-TOKEN"] {
            assert!(
                called(wrong).unwrap_err().starts_with("send Authorization: Bearer"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn the_cookie_of_access_opens_nothing() {
        let memory = memory("[access]\nteam = \"shop\"\naudience = \"a\"\n");
        let refused = called(&memory, &[("cookie", "CF_Authorization=a.b.c")]);
        assert!(refused.unwrap_err().starts_with("send Authorization: Bearer"));
        assert_eq!(memory.sent().len(), 0, "no key of Cloudflare's is asked for");
    }

    #[test]
    fn where_access_is_required_a_token_alone_opens_nothing() {
        for (required, is_open) in [("false", true), ("true", false)] {
            let access =
                format!("[access]\nteam = \"shop\"\naudience = \"a\"\nrequired = {required}\n");
            let memory = memory(&access);
            let found = called(&memory, &[("authorization", &bearer(OWN))]);
            assert_eq!(found.is_ok(), is_open, "{found:?}");
        }
    }

    #[test]
    fn without_a_configuration_the_collectors_own_token_counts_alone() {
        let memory = memory("");
        let ask = |token: &str| {
            let mut incoming = Incoming::default();
            incoming.headers.push("authorization", bearer(token));
            run(caller(&incoming, None, &memory)).unwrap().is_ok()
        };
        assert!(ask(OWN) && !ask("ana-token"));
    }
}
