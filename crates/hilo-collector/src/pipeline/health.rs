//! Looks for faults of the deployment: configuration → secrets → destinations. `GET /health` tells all of them,
//! `GET /readyz` only whether the collector can take events, and calls no object.
//!
//! Anybody may ask. An isolate looks at most once in [`LOOK_S`] seconds, so that nobody makes work for the journal.

use hilo_core::outcome::{Code, Rejection};
use jiff::Timestamp;

use crate::admin;
use crate::calls::feed::{FeedCall, FeedStanding, ask_feed};
use crate::calls::journal::lines::Health;
use crate::calls::journal::watch::{Remembered, Watched};
use crate::calls::journal::{JournalCall, ask_journal};
use crate::calls::tokens::{Described, Door, TokensCall, TokensStanding, ask_tokens};
use crate::fault::{Fault, FaultCode};
use crate::forward::{self, reason};
use crate::ingest::{feeds, hooks, reply, status, user};
use crate::keyring::Keyring;
use crate::loaded::{Checkup, Loaded, Standing};
use crate::platform::{Failure, Incoming, Platform, Reply};

/// The seconds for which a look counts.
const LOOK_S: i64 = 10;
/// The seconds of failed attempts after which a destination is down. A deployment of a vendor takes less.
const DOWN_S: i64 = 600;
/// The seconds for which a call counts that an object refused, because its storage is newer than this version.
const SCHEMA_NEWER_S: i64 = 600;
/// How long probes of the queue stay away until it counts as stuck: three checks.
const STUCK_MS: i64 = 900_000;
/// The least time for which a feed may be late: three turns of the scheduled trigger.
const FEED_LATE_MS: i64 = 900_000;
/// The environment that the file of a developer's machine names.
const DEVELOPMENT: &str = "development";

/// Answers `GET /health`.
pub(super) async fn answer<P: Platform>(
    standing: &Standing,
    incoming: &Incoming,
    platform: &P,
) -> Reply {
    let faults = match standing {
        Ok(loaded) => look(loaded, platform).await,
        Err(fault) => {
            let mut faults = vec![fault.clone()];
            faults.extend(of_secrets(None, platform));
            faults
        }
    };
    let loaded = standing.as_ref().ok().map(|loaded| &**loaded);
    status::health(&faults, admin::sees_faults(incoming, loaded, platform).await)
}

/// Answers `GET /readyz`.
pub(super) fn ready<P: Platform>(standing: &Standing, platform: &P) -> Reply {
    let fault = match standing {
        Ok(loaded) => of_place(loaded, platform).map(|fault| fault.rejection()),
        Err(fault) => Some(fault.rejection()),
    };
    match fault.or_else(|| Keyring::of(platform).err()) {
        Some(why) => reply::refused(&why),
        None => status::ready(),
    }
}

/// Returns the faults of the last look, or looks again.
pub(super) async fn look<P: Platform>(loaded: &Loaded, platform: &P) -> Vec<Fault> {
    let now = platform.now();
    let last = loaded.health.borrow().clone();
    if let Some(last) = &last
        && now.duration_since(last.at).as_secs() < LOOK_S
    {
        return last.faults.clone();
    }
    let mut faults: Vec<Fault> = loaded.fault.clone().into_iter().collect();
    faults.extend(of_place(loaded, platform));
    faults.extend(of_storage(loaded, now));
    faults.extend(of_secrets(Some(loaded), platform));
    let known = last.map(|last| last.faults).unwrap_or_default();
    let lasting = |fault: Fault| {
        let same = |one: &&Fault| one.code == fault.code && one.about == fault.about;
        let before = known.iter().find(same);
        fault.lasting(before)
    };
    faults = faults.into_iter().map(lasting).collect();
    // The journal's answer is still to come. Whoever asks meanwhile gets this list.
    loaded.health.replace(Some(Checkup { at: now, faults: faults.clone() }));
    faults.extend(of_destinations(loaded, platform).await.into_iter().map(lasting));
    faults.extend(of_access(loaded, platform).await.into_iter().map(lasting));
    faults.extend(of_feeds(loaded, platform).await.into_iter().map(lasting));
    let faults = remembered(faults, platform).await;
    loaded.health.replace(Some(Checkup { at: now, faults: faults.clone() }));
    faults
}

/// The same faults, each since the scheduled check that found it first: an isolate that has just begun knows no earlier time. And the
/// fault of a queue that brings no probe of these checks.
async fn remembered<P: Platform>(faults: Vec<Fault>, platform: &P) -> Vec<Fault> {
    // The journal's failure is a fault already, and nothing is lost but an earlier time.
    let asked = ask_journal(platform, &JournalCall::Faults).await;
    let Remembered { faults: known, probed_ms, arrived_ms } = asked.unwrap_or_default();
    let mut faults = faults;
    if probed_ms - arrived_ms >= STUCK_MS {
        let since = Timestamp::from_millisecond(arrived_ms).unwrap_or_default();
        faults.push(Fault::new(FaultCode::QueueStuck, since));
    }
    let since = |fault: &Fault| {
        let about = fault.about.as_deref().unwrap_or_default();
        let is_same = |one: &&Watched| one.code == fault.code.name() && one.about == about;
        Timestamp::from_millisecond(known.iter().find(is_same)?.since_ms).ok()
    };
    let lasting = |fault: Fault| {
        let before = since(&fault);
        Fault { since: before.map_or(fault.since, |before| before.min(fault.since)), ..fault }
    };
    faults.into_iter().map(lasting).collect()
}

/// Finds the file of a developer's machine on a live site.
fn of_place<P: Platform>(loaded: &Loaded, platform: &P) -> Option<Fault> {
    let is_wrong = loaded.config.environment == DEVELOPMENT && !platform.is_dev();
    is_wrong.then(|| Fault::new(FaultCode::ConfigDevelopment, platform.now()))
}

/// Finds objects whose storage is newer than this version. The isolate knows those that were called.
fn of_storage(loaded: &Loaded, now: Timestamp) -> Option<Fault> {
    let at = loaded.schema_newer_at.get()?;
    let is_recent = now.duration_since(at).as_secs() < SCHEMA_NEWER_S;
    is_recent.then(|| Fault::new(FaultCode::SchemaNewer, at))
}

/// Finds secrets that are missing or too short.
fn of_secrets<P: Platform>(loaded: Option<&Loaded>, platform: &P) -> Vec<Fault> {
    let now = platform.now();
    let mut faults: Vec<Fault> =
        Keyring::of(platform).err().map(|why| of_keyring(why, now)).into_iter().collect();
    if let Some(Loaded { config, .. }) = loaded {
        let of_tokens = user::unusable_secrets(config, platform).into_iter();
        faults.extend(of_tokens.map(|n| Fault::about(FaultCode::TokenSecretUnusable, now, n)));
        let of_webhooks = hooks::unusable_secrets(config, platform).into_iter();
        faults.extend(of_webhooks.map(|n| Fault::about(FaultCode::WebhookSecretUnusable, now, n)));
        let is_set = |name: &str| platform.secret(name).is_some_and(|secret| !secret.is_empty());
        for (destination, name) in forward::missing_secrets(config, &is_set) {
            let fault = Fault::about(FaultCode::DestinationSecretMissing, now, destination);
            faults.push(Fault { details: vec![name.to_owned()], ..fault });
        }
        let alert = config.health.alert.as_ref().and_then(|alert| alert.secret.as_deref());
        let is_key = |name: &&str| {
            platform
                .secret(name)
                .is_some_and(|text| forward::destinations::signing_key(&text).is_some())
        };
        if let Some(name) = alert.filter(|name| !is_key(name)) {
            faults.push(Fault::about(FaultCode::AlertUnusable, now, name));
        }
        for (feed, name) in feeds::missing_secrets(config, &is_set) {
            let fault = Fault::about(FaultCode::FeedSecretMissing, now, feed);
            faults.push(Fault { details: vec![name.to_owned()], ..fault });
        }
    }
    if !admin::is_open(loaded, platform) {
        faults.push(Fault::new(FaultCode::AdminDoorClosed, now));
    }
    faults
}

fn of_keyring(why: Rejection, now: Timestamp) -> Fault {
    let is_missing = why.code == Code::SecretMissing;
    let code = if is_missing { FaultCode::SecretMissing } else { FaultCode::SecretShort };
    Fault { details: vec![why.message], ..Fault::new(code, now) }
}

/// Finds destinations that accept nothing, by the journal's counters.
async fn of_destinations<P: Platform>(loaded: &Loaded, platform: &P) -> Vec<Fault> {
    let asked = ask_journal(platform, &JournalCall::Deliveries).await;
    let rows: Vec<Health> = match asked {
        Ok(rows) => rows,
        Err(Failure::SchemaNewer) => {
            let now = platform.now();
            let is_listed = of_storage(loaded, now).is_some();
            loaded.schema_newer_at.set(Some(now));
            return of_storage(loaded, now).filter(|_| !is_listed).into_iter().collect();
        }
        Err(failure) => {
            let fault = Fault::new(FaultCode::JournalUnreachable, platform.now());
            return vec![Fault { details: vec![failure.message().to_owned()], ..fault }];
        }
    };
    let is_configured = |row: &&Health| loaded.config.destination(&row.destination).is_some();
    rows.iter().filter(is_configured).filter_map(of_destination).collect()
}

/// Finds destinations that get no access tokens until the deployer acts. One whose object does not answer now is asked at the next look.
async fn of_access<P: Platform>(loaded: &Loaded, platform: &P) -> Vec<Fault> {
    let mut faults = Vec::new();
    for Described { name, door, .. } in forward::described(&loaded.config) {
        let asked = match door {
            Door::Secrets => continue,
            Door::Client | Door::Grant => {
                ask_tokens::<_, TokensStanding>(platform, &name, &TokensCall::Standing).await
            }
        };
        let Ok(standing) = asked else { continue };
        if standing.must_mend {
            let failed_at =
                standing.failed.as_ref().and_then(|f| Timestamp::from_millisecond(f.at_ms).ok());
            let since = failed_at.unwrap_or_else(|| platform.now());
            let details = standing.failed.map(|failed| failed.reason).into_iter().collect();
            let fault = Fault::about(FaultCode::DestinationDisconnected, since, name);
            faults.push(Fault { details, ..fault });
        }
    }
    faults
}

/// Finds feeds that are behind: everything was to be read by a time that is over for long, or the deployer has to mend something. One whose
/// object does not answer now is asked at the next look.
async fn of_feeds<P: Platform>(loaded: &Loaded, platform: &P) -> Vec<Fault> {
    let mut faults = Vec::new();
    for feed in feeds::all(&loaded.config).filter_map(Result::ok) {
        let Some(every_s) = feed.every_s else { continue };
        let asked = ask_feed(platform, &feed.source.name, &FeedCall::Standing).await;
        let Ok(standing): Result<FeedStanding, _> = asked else { continue };
        let (now_ms, every_ms) = (platform.now().as_millisecond(), i64::from(every_s) * 1_000);
        let read_ms = standing.done_ms.or(standing.first_ms);
        let due_ms = read_ms.map_or(now_ms, |ms| ms + every_ms);
        let is_late = read_ms.is_none() || now_ms - due_ms > every_ms.max(FEED_LATE_MS);
        let is_stuck = standing.must_mend && standing.failing_ms.is_some();
        if is_late || is_stuck {
            let since_ms = standing.failing_ms.map_or(due_ms, |ms| ms.min(due_ms));
            let since = Timestamp::from_millisecond(since_ms).unwrap_or_default();
            let details = standing.reason.into_iter().collect();
            let fault = Fault::about(FaultCode::FeedBehind, since, feed.source.name.as_str());
            faults.push(Fault { details, ..fault });
        }
    }
    faults
}

/// A destination whose attempts have failed since its last accepted event. One failure alone is no outage.
fn of_destination(row: &Health) -> Option<Fault> {
    let since: Timestamp = row.failing_since.as_deref()?.parse().ok()?;
    let last: Timestamp = row.last_error_at.as_deref()?.parse().ok()?;
    let is_down = last.duration_since(since).as_secs() >= DOWN_S;
    let is_shut = row.last_error.as_deref().map(reason::code) == Some(reason::UNAUTHORIZED);
    let code = match (is_shut, is_down) {
        (true, _) => FaultCode::DestinationUnauthorized,
        (false, true) => FaultCode::DestinationDown,
        (false, false) => FaultCode::DestinationErrors,
    };
    let details = row.last_error.clone().into_iter().collect();
    Some(Fault { details, ..Fault::about(code, since, row.destination.clone()) })
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::{Value, json};

    use super::*;
    use crate::calls::journal::gathered::Gathered;
    use crate::calls::journal::lines::{Attempt, AttemptEnd};
    use crate::shell::memory::{self, Memory, request, run};

    fn memory() -> Memory {
        let memory = Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), None).unwrap();
        memory.set_secret("HILO_ADMIN_TOKEN", "an admin token of some length");
        memory.set_secret("WEBHOOK_SECRET", "whsec_aGlsby1nb2xkZW4td2ViaG9vay1zZWNyZXQtMzI=");
        memory
    }

    fn get(memory: &Memory, path: &str, token: Option<&str>) -> (u16, Value) {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let fields: Vec<_> =
            bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        let reply = memory.serve(request("GET", path, &Value::Null, &fields)).unwrap();
        (reply.status, memory::json(&reply))
    }

    #[track_caller]
    fn check(memory: &Memory, status: u16, word: &str, codes: &[&str]) {
        let (found, health) = get(memory, "/health", None);
        let faults = health["faults"].as_array().unwrap();
        let found_codes: Vec<_> = faults.iter().map(|fault| fault["code"].clone()).collect();
        assert_eq!(
            (found, &health["status"], found_codes),
            (status, &json!(word), codes.iter().map(|code| json!(code)).collect())
        );
    }

    fn attempted(memory: &Memory, end: AttemptEnd, reason: &str) {
        let attempt = Attempt {
            destination: "webhook".to_owned(),
            profile: "p".to_owned(),
            message_hash: "m".to_owned(),
            end,
            code: reason::code(reason).to_owned(),
            reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
            shown: None,
        };
        let mut gathered = Gathered::default();
        gathered.note_attempt(&attempt, &memory.now().to_string());
        let attempts = gathered.take(0).map(|bundle| bundle.attempts).unwrap_or_default();
        let call = JournalCall::Counted { shard: None, attempts };
        run(ask_journal::<_, ()>(memory, &call)).unwrap().unwrap();
        memory.advance(SignedDuration::from_mins(6));
    }

    #[test]
    fn a_deployment_without_faults_is_healthy_and_ready() {
        let memory = memory();
        check(&memory, 200, "ok", &[]);
        assert_eq!(get(&memory, "/readyz", None), (200, json!({"status": "ready"})));
    }

    #[test]
    fn the_file_of_a_developers_machine_on_a_live_site_fails() {
        let memory = memory();
        memory.configure(include_str!("../../hilo.toml"));
        memory.set_dev(false);
        check(&memory, 503, "failing", &["config_development"]);
        assert_eq!(get(&memory, "/readyz", None).0, 503);
    }

    #[test]
    fn a_deployment_without_a_configuration_fails_and_is_not_ready() {
        let memory = memory();
        memory.set_dev(false);
        check(&memory, 503, "failing", &["config_missing"]);
        let (status, answer) = get(&memory, "/readyz", None);
        assert_eq!((status, &answer["code"]), (503, &json!("config_missing")));
    }

    #[test]
    fn a_missing_or_short_secret_fails() {
        for (name, value, code) in [
            ("HILO_SECRET", "", "secret_missing"),
            ("HILO_SECRET", "short", "secret_short"),
            ("HILO_SIGNING_SECRET_1", "short", "secret_short"),
            ("WEBHOOK_SECRET", "", "destination_secret_missing"),
        ] {
            let memory = memory();
            memory.set_secret(name, value);
            check(&memory, 503, "failing", &[code]);
            let is_ready = get(&memory, "/readyz", None).0 == 200;
            assert_eq!(is_ready, name == "WEBHOOK_SECRET", "{name}");
        }
    }

    #[test]
    fn a_destination_that_accepts_nothing_for_ten_minutes_is_down_until_it_accepts_something() {
        let memory = memory();
        attempted(&memory, AttemptEnd::Retried, "status 500");
        check(&memory, 200, "degraded", &["destination_errors"]);
        attempted(&memory, AttemptEnd::Retried, "status 500");
        attempted(&memory, AttemptEnd::Dead, "status 500");
        check(&memory, 503, "failing", &["destination_down"]);
        let (_, health) = get(&memory, "/health", None);
        assert_eq!(health["faults"][0]["since"], "2026-11-24T10:00:00Z");
        attempted(&memory, AttemptEnd::Delivered, "");
        check(&memory, 200, "ok", &[]);
    }

    #[test]
    fn a_destination_that_does_not_let_us_in_fails_at_once_and_says_that_the_deployer_can_mend_it()
    {
        let memory = memory();
        attempted(&memory, AttemptEnd::Shut, "unauthorized: status 401: no such key");
        check(&memory, 503, "failing", &["destination_unauthorized"]);
        let (_, health) = get(&memory, "/health", Some("an admin token of some length"));
        let fault = &health["faults"][0];
        assert_eq!(fault["details"], json!(["unauthorized: status 401: no such key"]));
        assert_eq!(fault["about"], "webhook");
        attempted(&memory, AttemptEnd::Delivered, "");
        check(&memory, 200, "ok", &[]);
    }

    #[test]
    fn a_delivery_that_our_own_rules_end_is_no_failure_of_its_destination() {
        let memory = memory();
        for _ in 0..3 {
            attempted(&memory, AttemptEnd::Dead, "consent_denied");
            attempted(&memory, AttemptEnd::Dead, "too_old: desk takes no event older than 3600 s");
        }
        check(&memory, 200, "ok", &[]);
    }

    #[test]
    fn an_isolate_looks_at_most_once_in_ten_seconds() {
        let memory = memory();
        check(&memory, 200, "ok", &[]);
        memory.set_secret("WEBHOOK_SECRET", "");
        memory.advance(SignedDuration::from_secs(9));
        check(&memory, 200, "ok", &[]);
        memory.advance(SignedDuration::from_secs(1));
        check(&memory, 503, "failing", &["destination_secret_missing"]);
    }

    #[test]
    fn only_an_operator_learns_names_and_details() {
        let memory = memory();
        memory.set_secret("WEBHOOK_SECRET", "");
        for token in [None, Some("another admin token of some length")] {
            let (_, health) = get(&memory, "/health", token);
            assert!(!health.to_string().contains("WEBHOOK_SECRET"), "{health}");
        }
        let (_, health) = get(&memory, "/health", Some("an admin token of some length"));
        let fault = &health["faults"][0];
        assert_eq!(
            (&fault["about"], &fault["details"][0]),
            (&json!("webhook"), &json!("WEBHOOK_SECRET"))
        );
    }
}
