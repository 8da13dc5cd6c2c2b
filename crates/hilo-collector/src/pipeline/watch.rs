//! The scheduled check: posts an alert when the health of the deployment gets worse or better, once for each change.
//!
//! Clock → the faults that `health.rs` finds → what is news, as the journal's head knows it → one request to the receiver. A change
//! counts as told when the receiver has answered 2xx. Until then each check sends it again, under the same `webhook-id`.

use hilo_core::config::Alert;
use jiff::Timestamp;
use serde::Serialize;

use super::health::look;
use crate::calls::journal::watch::{Change, Watched};
use crate::calls::journal::{JournalCall, ask_journal};
use crate::calls::probe;
use crate::fault::{Fault, FaultCode};
use crate::forward::destinations::{signed, signing_key, target};
use crate::ingest::status;
use crate::loaded::Loaded;
use crate::platform::{Failure, Outgoing, Platform, log_line};
use crate::signature;

/// An alert, as its receiver gets it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    r#type: &'static str,
    at: Timestamp,
    environment: &'a str,
    status: &'static str,
    /// One sentence, for chat tools that show nothing else.
    text: String,
    begun: Vec<Shown<'a>>,
    ended: Vec<Shown<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    code: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    about: &'a str,
    since: Timestamp,
    loses_events: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
}

/// Looks at the deployment, and tells what has changed.
pub async fn watch<P: Platform>(platform: &P) {
    if let Err(why) = check(platform).await {
        platform.log(&log_line("error", "watch", &[("why", &why)]));
    }
}

async fn check<P: Platform>(platform: &P) -> Result<(), String> {
    let failed = |failure: Failure| failure.message().to_owned();
    // Without a configuration nobody knows where alerts go. Whoever asks `/health` from outside learns of it.
    let loaded = platform.config().await.map_err(|fault| fault.code.name().to_owned())?;
    let faults = look(&loaded, platform).await;
    // A probe that the queue refuses does not arrive either, so health finds out.
    let probed_ms = platform.now().as_millisecond();
    if let Err(failure) = platform.enqueue(probe(probed_ms)).await {
        platform.log(&log_line("warn", "probe", &[("why", failure.message())]));
    }
    let call = JournalCall::Watch { faults: faults.iter().map(watched).collect(), probed_ms };
    let change: Change = ask_journal(platform, &call).await.map_err(failed)?;
    let Some(alert) = loaded.config.health.alert.as_ref().filter(|_| !change.is_empty()) else {
        return Ok(());
    };
    let request = request(alert, &change, &faults, &loaded, platform)?;
    target::check(&request.url, platform.is_dev()).map_err(str::to_owned)?;
    let answer = platform.send(&request).await.map_err(failed)?;
    if !(200..=299).contains(&answer.status) {
        return Err(format!("the receiver of alerts answered {}", answer.status));
    }
    ask_journal::<_, ()>(platform, &JournalCall::Told { change }).await.map_err(failed)
}

/// Notes that a probe of the queue has arrived.
pub async fn probed<P: Platform>(sent_ms: i64, platform: &P) {
    let noted = ask_journal::<_, ()>(platform, &JournalCall::Probed { sent_ms }).await;
    if let Err(failure) = noted {
        platform.log(&log_line("warn", "probe", &[("why", failure.message())]));
    }
}

/// A fault, as the journal remembers it.
fn watched(fault: &Fault) -> Watched {
    Watched {
        code: fault.code.name().to_owned(),
        about: fault.about.clone().unwrap_or_default(),
        since_ms: fault.since.as_millisecond(),
        loses_events: fault.loses_events(),
    }
}

fn request<P: Platform>(
    alert: &Alert,
    change: &Change,
    faults: &[Fault],
    loaded: &Loaded,
    platform: &P,
) -> Result<Outgoing, String> {
    let shown = |one: &Watched| one.since_ms.to_string() + &one.code + &one.about;
    let told: String = change.begun.iter().chain(&change.ended).map(shown).collect();
    let id = format!("health-{}", signature::message_hash(&told));
    let body = body(change, faults, &loaded.config.environment, platform.now());
    let body = serde_json::to_string(&body).map_err(|why| why.to_string())?;
    let keys = match &alert.secret {
        None => Vec::new(),
        Some(name) => {
            let key = platform.secret(name).and_then(|text| signing_key(&text));
            vec![key.ok_or_else(|| FaultCode::AlertUnusable.remedy().to_owned())?]
        }
    };
    let headers = signed(&id, platform.now().as_second(), &body, &keys);
    Ok(Outgoing { method: "POST".to_owned(), url: alert.url.clone(), headers, body })
}

fn body<'a>(change: &'a Change, faults: &[Fault], environment: &'a str, at: Timestamp) -> Body<'a> {
    let remedy = |one: &Watched| {
        let is_same = |fault: &&Fault| fault.code.name() == one.code;
        faults.iter().find(is_same).map(|fault| fault.code.remedy())
    };
    let shown = |one: &'a Watched| Shown {
        code: &one.code,
        about: &one.about,
        since: Timestamp::from_millisecond(one.since_ms).unwrap_or_default(),
        loses_events: one.loses_events,
        remedy: remedy(one),
    };
    let named = |one: &Watched| match one.about.as_str() {
        "" => one.code.clone(),
        about => format!("{} ({about})", one.code),
    };
    let list = |many: &[Watched]| many.iter().map(named).collect::<Vec<_>>().join(", ");
    let status = status::word(faults);
    let news = match (change.begun.as_slice(), change.ended.as_slice()) {
        (begun, []) => format!("began: {}", list(begun)),
        ([], ended) => format!("ended: {}", list(ended)),
        (begun, ended) => format!("began: {}; ended: {}", list(begun), list(ended)),
    };
    Body {
        r#type: if change.begun.is_empty() { "health.better" } else { "health.worse" },
        at,
        environment,
        status,
        text: format!("hilo {environment} is {status}. {news}"),
        begun: change.begun.iter().map(shown).collect(),
        ended: change.ended.iter().map(shown).collect(),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use jiff::SignedDuration;
    use serde_json::{Value, json};

    use super::*;
    use crate::shell::memory::{Memory, json as reply_json, request, run};

    const URL: &str = "https://alerts.shop.example/in";

    fn memory(secret: &str) -> Memory {
        let built_in = include_str!("../../hilo.toml");
        let alert = format!("[health]\nalert = {{ url = \"{URL}\"{secret} }}\n");
        let text = format!("{built_in}\n{alert}");
        let memory = Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), Some(&text)).unwrap();
        memory.set_secret("HILO_ADMIN_TOKEN", "an admin token of some length");
        memory.set_secret("WEBHOOK_SECRET", "whsec_aGlsby1nb2xkZW4td2ViaG9vay1zZWNyZXQtMzI=");
        memory
    }

    /// Runs a check, and five minutes pass.
    fn check(memory: &Memory) {
        run(watch(memory)).unwrap();
        run(memory.settle()).unwrap().unwrap();
        memory.advance(SignedDuration::from_mins(5));
    }

    fn alerts(memory: &Memory) -> Vec<Value> {
        let sent = memory.sent().into_iter().filter(|sent| sent.url == URL);
        sent.map(|sent| serde_json::from_str(&sent.body).unwrap()).collect()
    }

    fn told(memory: &Memory) -> Vec<(String, String)> {
        let word = |alert: &Value, name: &str| alert[name].as_str().unwrap().to_owned();
        alerts(memory).iter().map(|alert| (word(alert, "type"), word(alert, "text"))).collect()
    }

    #[test]
    fn a_change_for_the_worse_and_one_for_the_better_are_told_once_each() {
        let memory = memory("");
        check(&memory);
        memory.set_secret("WEBHOOK_SECRET", "");
        (0..4).for_each(|_| check(&memory));
        memory.set_secret("WEBHOOK_SECRET", "whsec_aGlsby1nb2xkZW4td2ViaG9vay1zZWNyZXQtMzI=");
        (0..4).for_each(|_| check(&memory));
        let (worse, better) = (
            "hilo development is failing. began: destination_secret_missing (webhook)",
            "hilo development is ok. ended: destination_secret_missing (webhook)",
        );
        let expected = [("health.worse", worse), ("health.better", better)];
        assert_eq!(told(&memory), expected.map(|(kind, text)| (kind.to_owned(), text.to_owned())));
        let alert = &alerts(&memory)[0];
        assert_eq!(alert["begun"][0]["since"], "2026-11-24T10:05:00Z");
        let remedy = alert["begun"][0]["remedy"].as_str().unwrap();
        assert!(remedy.contains("cargo xtask wrangler secret put"), "{remedy}");
    }

    #[test]
    fn an_alert_that_did_not_arrive_is_sent_again_under_the_same_id() {
        let memory = memory("");
        memory.set_secret("WEBHOOK_SECRET", "");
        for status in [500, 302, 0] {
            memory.set_answer(URL, status, SignedDuration::ZERO);
            check(&memory);
        }
        memory.set_answer(URL, 204, SignedDuration::ZERO);
        (0..3).for_each(|_| check(&memory));
        let sent = memory.sent();
        let ids: Vec<_> = sent.iter().map(|sent| sent.headers.get("webhook-id")).collect();
        assert_eq!(ids.len(), 4, "{:?}", memory.lines());
        assert!(ids.iter().all(|id| id.is_some() && *id == ids[0]), "{ids:?}");
    }

    #[test]
    fn a_fault_that_loses_nothing_is_told_when_it_lasts_and_its_end_only_if_it_was_told() {
        let memory = memory("");
        memory.set_secret("HILO_ADMIN_TOKEN", "");
        check(&memory);
        memory.set_secret("HILO_ADMIN_TOKEN", "an admin token of some length");
        check(&memory);
        assert_eq!(alerts(&memory).len(), 0);
        memory.set_secret("HILO_ADMIN_TOKEN", "");
        (0..4).for_each(|_| check(&memory));
        assert_eq!(alerts(&memory).len(), 1);
        assert_eq!(alerts(&memory)[0]["begun"][0]["code"], "admin_door_closed");
        assert_eq!(alerts(&memory)[0]["status"], "degraded");
    }

    #[test]
    fn a_queue_that_brings_nothing_is_told_and_so_is_its_recovery() {
        let memory = memory("");
        (0..2).for_each(|_| check(&memory));
        memory.fail_queue_after(Some(0));
        (0..6).for_each(|_| check(&memory));
        memory.fail_queue_after(None);
        (0..3).for_each(|_| check(&memory));
        let expected = [
            ("health.worse", "hilo development is failing. began: queue_stuck"),
            ("health.better", "hilo development is ok. ended: queue_stuck"),
        ];
        assert_eq!(told(&memory), expected.map(|(kind, text)| (kind.to_owned(), text.to_owned())));
        // The last probe that arrived was sent by the second check.
        assert_eq!(alerts(&memory)[0]["begun"][0]["since"], "2026-11-24T10:05:00Z");
    }

    #[test]
    fn an_alert_is_signed_where_a_secret_is_named() {
        let memory = memory(", secret = { secret = \"ALERT_SECRET\" }");
        check(&memory);
        assert_eq!(memory.sent().len(), 0, "a fault that lasts for no time is no news");
        memory.set_secret("ALERT_SECRET", "whsec_aGlsby1nb2xkZW4td2ViaG9vay1zZWNyZXQtMzI=");
        memory.set_secret("WEBHOOK_SECRET", "");
        check(&memory);
        let sent = memory.sent().pop().unwrap();
        let field = |name: &str| sent.headers.get(name).unwrap().to_owned();
        let text = format!("{}.{}.{}", field("webhook-id"), field("webhook-timestamp"), sent.body);
        let key = signing_key("whsec_aGlsby1nb2xkZW4td2ViaG9vay1zZWNyZXQtMzI=").unwrap();
        let tag = STANDARD.encode(signature::sign(&key, text.as_bytes()));
        assert_eq!(field("webhook-signature"), format!("v1,{tag}"));
    }

    #[test]
    fn an_alert_goes_to_no_private_host() {
        let built_in = include_str!("../../hilo.toml");
        let text = format!("{built_in}\n[health]\nalert = {{ url = \"https://db.internal/\" }}\n");
        let (_, problems) = crate::forward::examine(&text);
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("health.alert.url: this name never leads"), "{told:?}");
    }

    #[test]
    fn a_fault_lasts_since_the_first_check_that_found_it_also_for_an_isolate_that_starts_later() {
        let memory = memory("");
        memory.set_secret("WEBHOOK_SECRET", "");
        check(&memory);
        memory.start_cold();
        let loaded = run(memory.config()).unwrap().unwrap();
        let faults = run(look(&loaded, &memory)).unwrap();
        assert_eq!(faults[0].since.to_string(), "2026-11-24T10:00:00Z");
        let health = memory.serve(request("GET", "/health", &Value::Null, &[])).unwrap();
        assert_eq!(reply_json(&health)["since"], json!("2026-11-24T10:00:00Z"));
    }
}
