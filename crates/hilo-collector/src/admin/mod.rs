//! Admin calls, for people: they show stored and refused events, deliveries and the live stream, and replay dead
//! letters.
//!
//! A request below `/admin/` from somebody whom `door.rs` lets in, in a role that `roles.rs` lists → JSON that no cache stores. These
//! calls read through the objects' calls. They show no secret and no more than the profile stores.

mod access;
mod archive;
mod carts;
mod config;
mod dead_letters;
mod deployment;
mod destinations;
mod door;
mod feeds;
mod find;
mod held;
mod http;
mod imports;
mod inbox;
mod journal;
mod live;
mod profiles;
mod roles;
mod table;
#[cfg(test)]
mod testing;

use hilo_core::config::Role;
use hilo_core::outcome::{Code, Rejection};
use serde::Serialize;
use serde_json::json;

use self::door::Caller;
pub use self::door::is_open;
use self::find::Detail;
use self::http::{called_with, error, ok};
use self::table::{AdminCall, Row};
use crate::call::{Call, Trouble};
use crate::calls::journal::held::HeldWanted;
use crate::calls::tokens::Described;
use crate::loaded::Loaded;
use crate::platform::{Incoming, Platform, Reply, log_line};

/// What the pipeline hands over about the destinations of `hilo.toml`.
#[derive(Clone, Copy, Debug)]
pub struct Known<'k> {
    /// The names of those that can delete a person.
    pub deleting: &'k [String],
    /// What each is.
    pub described: &'k [Described],
}

/// What became of a request.
pub enum Served {
    /// The answer.
    Reply(Reply),
    /// An admitted call with rows of an import. They pass the stages, so the pipeline answers.
    Import,
    /// An admitted call that takes refused events up again, which pass the stages too. [`held_events`] reads it.
    ReplayRejects,
    /// The answer to a call that made a feed due. The pipeline reads it behind the answer.
    ReadFeeds(Reply),
}

/// Answers one request; `path` is the part below `/admin/`.
pub async fn serve<P: Platform>(path: &str, known: &Known<'_>, call: &Call<'_, P>) -> Served {
    answer(path, known, call).await.unwrap_or_else(|trouble| Served::Reply(refusal(trouble)))
}

/// The answer of a call that did not succeed.
pub fn refusal(trouble: Trouble) -> Reply {
    match trouble {
        Trouble::Refused(why) => error(&why),
        Trouble::Failed(failure) => {
            error(&Rejection::new(Code::Unavailable, format!("try again: {}", failure.message())))
        }
    }
}

/// The answer of a call that succeeded.
pub fn told(value: &serde_json::Value) -> Reply {
    ok(value)
}

/// Reads which held events a replay is about, for the pipeline.
///
/// # Errors
/// The refusal of a body that is none.
pub fn held_events<P: Platform>(limit: u32, call: &Call<'_, P>) -> Result<HeldWanted, Trouble> {
    held::wanted(limit, call)
}

/// Lets the caller in, finds the call of the path in the table, and answers it unless the pipeline has to. The log says who made which
/// call.
async fn answer<P: Platform>(
    path: &str,
    known: &Known<'_>,
    call: &Call<'_, P>,
) -> Result<Served, Trouble> {
    let caller = door::caller(call.incoming, Some(call.loaded), call.platform).await?;
    let Some((row, named)) = table::find(path) else {
        let message = "there is nothing at this path: GET /admin/v1/ lists every admin call";
        return Err(Rejection::new(Code::NotFound, message).into());
    };
    called_with(row.method, call)?;
    let taken = if roles::may(caller.role, row.call) {
        take(row.call, &named, &caller, known, call).await
    } else {
        Err(role_missing(&caller, row).into())
    };
    note(&caller, row, &taken, call.platform);
    taken.map(|(served, _)| served)
}

fn role_missing(caller: &Caller, row: &Row) -> Rejection {
    let able: Vec<_> = roles::of(row.call).iter().map(|role| role.name()).collect();
    let message = format!(
        "{} is {}, and this call needs the role {}: GET /admin/v1/ lists your calls, and [[admin]] in hilo.toml gives roles",
        caller.name,
        caller.role.name(),
        able.join(" or ")
    );
    Rejection::new(Code::RoleMissing, message)
}

/// Writes who made which call. The path stands as in the table, because the one that was called names a person.
fn note<P: Platform>(
    caller: &Caller,
    row: &Row,
    taken: &Result<(Served, Vec<Detail>), Trouble>,
    platform: &P,
) {
    let status = match taken {
        Ok((Served::Reply(reply) | Served::ReadFeeds(reply), _)) => reply.status,
        // The pipeline goes on with it.
        Ok((Served::Import | Served::ReplayRejects, _)) => 200,
        Err(Trouble::Refused(why)) => why.code.status(),
        Err(Trouble::Failed(_)) => Code::Unavailable.status(),
    };
    let (status, made) = (status.to_string(), format!("{} {}", row.method, row.path));
    let mut details = vec![
        ("who", caller.name.as_str()),
        ("role", caller.role.name()),
        ("by", caller.by),
        ("call", made.as_str()),
        ("status", status.as_str()),
    ];
    if let Ok((_, more)) = taken {
        details.extend(more.iter().map(|(name, value)| (*name, value.as_str())));
    }
    platform.log(&log_line("info", "admin", &details));
}

/// Lists the calls that the caller may make, each with its roles.
fn list(caller: &Caller) -> Reply {
    #[derive(Serialize)]
    struct Listed {
        #[serde(flatten)]
        row: &'static Row,
        roles: &'static [Role],
    }
    let rows = table::ROWS.iter().filter(|row| roles::may(caller.role, row.call));
    let calls: Vec<_> = rows.map(|row| Listed { row, roles: roles::of(row.call) }).collect();
    ok(&json!({ "name": caller.name, "role": caller.role, "calls": calls }))
}

/// Answers a call that the caller may make, and returns what the log has of it beside the caller. `named` are the parts of the path that
/// the table gives a name.
async fn take<P: Platform>(
    admin_call: AdminCall,
    named: &[&str],
    caller: &Caller,
    known: &Known<'_>,
    call: &Call<'_, P>,
) -> Result<(Served, Vec<Detail>), Trouble> {
    let plainly = |served| (served, Vec::new());
    let part = |place: usize| named.get(place).copied().unwrap_or_default();
    let reply = match admin_call {
        AdminCall::Calls => Ok(list(caller)),
        AdminCall::Find => {
            let (reply, look) = find::person(call).await?;
            return Ok((Served::Reply(reply), look));
        }
        AdminCall::Profile => profiles::show(part(0), call).await,
        AdminCall::Erase => profiles::erase(part(0), known.deleting, call).await,
        AdminCall::PersonArchive => archive::person(part(0), call).await,
        AdminCall::ArchiveFiles => archive::files(call).await,
        AdminCall::ArchiveLines => archive::lines(call).await,
        AdminCall::ArchiveOpen => archive::open(call).await,
        AdminCall::ProfileRows => profiles::list(part(0), part(1), call).await,
        AdminCall::Cart => carts::show(part(0), call).await,
        AdminCall::Live => live::stream(call).await,
        AdminCall::Rejects => journal::rejects(call).await,
        // The pipeline answers it, because it has the stages.
        AdminCall::Destinations => Ok(destinations::list(known.described, call).await),
        AdminCall::Connect => destinations::connect(part(0), call).await,
        AdminCall::Feeds => Ok(feeds::list(call).await),
        AdminCall::FeedEvents => feeds::events(part(0), call).await,
        AdminCall::ReadFeed => {
            return feeds::read(part(0), call).await.map(Served::ReadFeeds).map(plainly);
        }
        AdminCall::Deliveries => journal::deliveries(call).await,
        AdminCall::DeadLetters => dead_letters::list(call).await,
        AdminCall::Replay => dead_letters::replay(call).await,
        AdminCall::Inbox => inbox::list(call).await,
        AdminCall::ReplayInbox => inbox::replay(call).await,
        AdminCall::Config => Ok(config::show(call.loaded)),
        AdminCall::ImportStanding => imports::show(part(0), call).await,
        AdminCall::Deployment => deployment::show(call).await,
        AdminCall::Import => return Ok(plainly(Served::Import)),
        AdminCall::ReplayRejects => return Ok(plainly(Served::ReplayRejects)),
    };
    reply.map(Served::Reply).map(plainly)
}

/// Whether the request comes from somebody who learns what exactly is wrong with the deployment.
pub async fn sees_faults<P: Platform>(
    incoming: &Incoming,
    loaded: Option<&Loaded>,
    platform: &P,
) -> bool {
    let caller = door::caller(incoming, loaded, platform).await;
    caller.is_ok_and(|caller| roles::sees_faults(caller.role))
}

#[cfg(test)]
mod tests {
    use hilo_core::config::Role;

    use super::testing::{ask, check};
    use crate::shell::memory::{Memory, json, request};
    use crate::signature::sha256_hex;

    #[test]
    fn an_admin_call_answers_its_method_on_its_path_only() {
        check("GET", "v1/deliveries", 200, r#"{"destinations":[]}"#);
        check("GET", "v1/dead-letters", 200, r#"{"deadLetters":[]}"#);
        check("POST", "v1/dead-letters/replay", 200, r#"{"replayed":0}"#);
        check("GET", "v1/inbox", 200, r#"{"sources":[]}"#);
        check("POST", "v1/inbox/replay", 200, r#"{"replayed":0}"#);
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
        let roles = ["marketer", "agent", "owner", "operator"];
        let first = serde_json::json!({
            "method": "GET", "path": "/admin/v1/", "purpose": "this list", "roles": roles,
        });
        assert_eq!((&calls[0], &list["role"]), (&first, &serde_json::json!("owner")));
        assert!(ask("GET", "v1/nothing", "Bearer token").1.contains("GET /admin/v1/ lists"));
    }

    #[test]
    fn an_admin_call_without_the_token_is_refused() {
        for authorization in ["", "token", "Bearer other"] {
            assert_eq!(ask("GET", "v1/deliveries", authorization).0, 401, "{authorization}");
        }
    }

    /// A deployment with an admin of each role, whose token is the role's name and `-token`.
    fn staffed() -> Memory {
        let admins = Role::ALL.map(|role| {
            let (name, digest) =
                (role.name(), sha256_hex(format!("{}-token", role.name()).as_bytes()));
            format!("[[admin]]\nname = \"{name}\"\nrole = \"{name}\"\nsha256 = \"{digest}\"\n")
        });
        let text = format!("{}\n{}", include_str!("../../hilo.toml"), admins.concat());
        Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), Some(&text)).unwrap()
    }

    fn as_role(memory: &Memory, role: Role, method: &str, path: &str) -> (u16, serde_json::Value) {
        let bearer = format!("Bearer {}-token", role.name());
        let fields = [("authorization", bearer.as_str())];
        let path = format!("/_h/admin/{path}");
        let incoming = request(method, &path, &serde_json::Value::Null, &fields);
        let reply = memory.serve(incoming).unwrap();
        (reply.status, json(&reply))
    }

    #[test]
    fn each_role_makes_its_own_calls_and_is_told_which_role_another_call_needs() {
        let memory = staffed();
        for role in Role::ALL {
            for row in super::table::ROWS {
                let path = row.path.trim_start_matches("/admin/").replace(":key", "a:1");
                let path = path.replace(":rows", "events").replace(":name", "webhook");
                let (status, answer) = as_role(&memory, role, row.method, &path);
                let may = super::roles::may(role, row.call);
                assert_eq!(status == 403, !may, "{role:?} {path} {answer}");
                if !may {
                    assert_eq!(answer["code"], "role_missing");
                    let message = answer["message"].as_str().unwrap();
                    assert!(message.contains("this call needs the role "), "{message}");
                }
            }
            let (_, list) = as_role(&memory, role, "GET", "v1/");
            assert_eq!(list["role"], role.name());
        }
    }

    #[test]
    fn the_log_has_who_made_which_call_and_nothing_of_the_person() {
        let memory = staffed();
        as_role(&memory, Role::Agent, "GET", "v1/profiles/u%3Aana@shop.example");
        as_role(&memory, Role::Agent, "POST", "v1/profiles/u%3Aana@shop.example/erase");
        let lines: Vec<serde_json::Value> =
            memory.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let calls: Vec<_> = lines.iter().filter(|line| line["what"] == "admin").collect();
        let told = |at: usize| {
            (calls[at]["who"].clone(), calls[at]["call"].clone(), calls[at]["status"].clone())
        };
        let expected = |call: &str, status: &str| ("agent".into(), call.into(), status.into());
        assert_eq!(told(0), expected("GET /admin/v1/profiles/:key", "200"));
        assert_eq!(told(1), expected("POST /admin/v1/profiles/:key/erase", "403"));
        assert!(!memory.lines().concat().contains("ana@"), "{:?}", memory.lines());
    }
}
