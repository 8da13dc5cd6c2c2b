//! What stands in for stages whose own files are still to come: normalize and profile of the core, `forward`, `admin`, and
//! `store/journal.rs`.
//!
//! Each has the name and shape of what will replace it, so that replacing it changes one `use` line. They pass through,
//! keep nothing and send nothing.

/// For `hilo_core::normalize`.
pub(crate) mod normalize {
    use hilo_core::event::{Event, Facts};

    pub(crate) fn apply(_event: &mut Event, _facts: &Facts) {}
}

/// For `hilo_core::profile`.
pub(crate) mod profile {
    use hilo_core::event::Event;
    use serde::{Deserialize, Serialize};

    #[derive(Default, Serialize, Deserialize)]
    pub(crate) struct Profile {
        seen: u64,
    }

    pub(crate) fn fold(profile: Profile, _event: &Event) -> Profile {
        Profile { seen: profile.seen + 1 }
    }
}

/// For `crate::forward`.
pub(crate) mod forward {
    use hilo_core::config::DestinationEntry;
    use hilo_core::consent::{Decision, decide};
    use hilo_core::event::Event;

    use crate::calls::Delivery;
    use crate::platform::Platform;

    pub(crate) fn plan(event: &Event, destinations: &[DestinationEntry]) -> Vec<String> {
        let said = event.context.consent.as_ref().map(|claim| claim.state()).unwrap_or_default();
        let is_wanted = |entry: &&DestinationEntry| {
            entry.events.wants(event) && decide(&said, &entry.purposes) == Decision::Pass
        };
        destinations.iter().filter(is_wanted).map(|entry| entry.name.clone()).collect()
    }

    pub(crate) async fn deliver<P: Platform>(_deliveries: Vec<Delivery>, _platform: &P) {}
}

/// For `crate::admin`.
pub(crate) mod admin {
    use hilo_core::identity::ProfileKey;
    use hilo_core::outcome::{Code, Rejection};

    use crate::calls::{PAGE_ROWS_MAX, Page, ProfileCall, ask_profile};
    use crate::ingest::{presented_key, reply};
    use crate::loaded::Loaded;
    use crate::platform::{Incoming, Platform, Reply};
    use crate::{signature, store};

    pub(crate) async fn serve<P: Platform>(
        incoming: &Incoming,
        path: &str,
        _loaded: &Loaded,
        platform: &P,
    ) -> Reply {
        let refuse = |code| reply::refused(&Rejection::new(code, "not available"));
        let token = platform.secret("HILO_ADMIN_TOKEN").filter(|token| !token.is_empty());
        let presented = presented_key(&incoming.headers);
        match (token, presented) {
            (Some(token), Some(presented)) if signature::equal(&token, &presented) => {}
            _ => return refuse(Code::Unauthorized),
        }
        let key = path.strip_prefix("v1/profiles/").and_then(|rest| rest.strip_suffix("/events"));
        let Some(key) = key.and_then(ProfileKey::parse) else { return refuse(Code::NotFound) };
        let secret = platform.secret(crate::SECRET).unwrap_or_default();
        let name = store::object_name(&secret, &key);
        let cursor = incoming.query_value("cursor");
        let call = ProfileCall::Events { cursor, limit: PAGE_ROWS_MAX };
        match ask_profile::<P, Page>(platform, name, &call).await {
            Ok(page) => {
                reply::json(200, &serde_json::json!({"events": page.rows, "next": page.next}))
            }
            Err(_) => reply::unavailable(),
        }
    }
}

/// For `crate::store::journal`.
pub(crate) mod journal {
    use jiff::Timestamp;

    use crate::platform::{Failure, Sql};
    use crate::store::Answered;

    pub(crate) fn answer(
        _sql: &impl Sql,
        _call: &str,
        _now: Timestamp,
    ) -> Result<Answered, Failure> {
        Ok(Answered { reply: "null".to_owned(), live: Vec::new() })
    }

    // Read by the live stream's shell, which is compiled for workerd only.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn ring(_sql: &impl Sql, _after: i64) -> Result<Vec<String>, Failure> {
        Ok(Vec::new())
    }
}
