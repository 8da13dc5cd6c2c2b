//! A script of faults: how a destination, or the way to it, fails, and what becomes of events meanwhile.
//!
//! Lines of the catalogue → the end of each event, and the requests that were sent. The clock goes on as the outbox's would.

use std::cell::Cell;

use super::*;
use crate::forward::destination::Token;
use crate::forward::gate::Held;

pub(super) const EMAIL: &str = "ana.garcia@shop.example";
pub(super) const PHONE: &str = "+34600111222";
/// The rounds after which an event must have its end: four days of hourly waits and all attempts.
pub(super) const ROUNDS_MAX: usize = 2_000;

/// How one request goes.
#[derive(Clone, Debug)]
pub(super) enum Way {
    Answers(Response),
    /// The answer tells all that the request has, as careless services do.
    Echoes(u16),
    /// No answer comes in time. Nobody knows whether the request arrived.
    Silent,
    /// There is no way to the destination.
    Unreached(&'static str),
}

pub(super) fn answers(status: u16, body: &str) -> Way {
    Way::Answers(answer(status, body))
}

pub(super) fn with_header(status: u16, name: &str, value: &str) -> Way {
    let mut response = answer(status, "");
    response.headers.push(name, value);
    Way::Answers(response)
}

/// What became of events.
pub(super) struct Outcome {
    pub(super) ends: BTreeMap<String, DeliveryResult>,
    /// The seconds at which each request was sent.
    pub(super) sent_s: Vec<i64>,
    /// Everything that people can read of it.
    pub(super) texts: String,
    pub(super) renewals: usize,
}

/// What becomes of a request.
pub(super) fn goes(
    way: &Way,
    request: &Outgoing,
    clock: &Cell<Timestamp>,
) -> Result<Response, Failure> {
    assert!(!request.url.contains("169.254"), "a redirect was followed");
    match way {
        Way::Answers(response) => Ok(response.clone()),
        Way::Echoes(status) => Ok(answer(*status, &format!("{request:?}"))),
        Way::Unreached(why) => Err(Failure::Unreached((*why).to_owned())),
        Way::Silent => {
            clock.set(clock.get() + SignedDuration::from_secs(10));
            Err(Failure::Retriable("the operation was aborted due to timeout".to_owned()))
        }
    }
}

/// The next attempt and its time, as the outbox makes them; or the end of the event.
pub(super) fn repeated(
    delivery: Delivery,
    result: DeliveryResult,
    now: Timestamp,
) -> Result<(Timestamp, Delivery), (String, DeliveryResult)> {
    let after = |after_s: u32| now + SignedDuration::from_secs(after_s.into());
    match result {
        DeliveryResult::Retry { after_s, steps, .. } => {
            let attempt = delivery.attempt + 1;
            Ok((after(after_s), Delivery { steps, attempt, ..delivery }))
        }
        DeliveryResult::Wait { after_s, steps, .. } => {
            Ok((after(after_s), Delivery { steps, ..delivery }))
        }
        end @ (DeliveryResult::Delivered
        | DeliveryResult::Skipped { .. }
        | DeliveryResult::Assumed { .. }
        | DeliveryResult::Dead { .. }) => Err((delivery.message_id, end)),
    }
}

/// Lets a destination go through a script, whose last line repeats, until each event has its end.
pub(super) fn live_through(
    loaded: Loaded,
    events: Vec<Delivery>,
    secrets: &BTreeMap<String, String>,
    script: &[Way],
) -> Outcome {
    let config = config("");
    let configured = Configured::with(&config.destinations[0], Ok(loaded));
    let began: Timestamp = NOW.parse().unwrap();
    let (clock, brakes, renewals) = (Cell::new(began), Rc::default(), Cell::new(0));
    let (sent_s, results) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let send = async |request: &Outgoing| {
        let way = script.get(sent_s.borrow().len()).or(script.last()).unwrap();
        sent_s.borrow_mut().push(clock.get().duration_since(began).as_secs());
        goes(way, request, &clock)
    };
    let now = || clock.get();
    let lookup = |name: &str| secrets.get(name).cloned();
    let mark = |_: String, asked: Vec<UnderWay>| -> outside::Later<'_, Option<Vec<Option<i64>>>> {
        Box::pin(async move { Some(asked.iter().map(|one| Some(one.row)).collect()) })
    };
    let renew = |_: Option<Token>| -> outside::Later<'_, Result<Token, Held>> {
        renewals.set(renewals.get() + 1);
        let access = format!("at_secret_{}", renewals.get());
        let host = configured.loaded.as_ref().ok().and_then(|loaded| loaded.destination.oauth());
        let host = host.and_then(|oauth| oauth.host_member.and(oauth.hosts.first()));
        let host = host.map(|ending| format!("fault{ending}"));
        Box::pin(async move { Ok(Token { access, host }) })
    };
    let mut outcome =
        Outcome { ends: BTreeMap::new(), sent_s: vec![], texts: String::new(), renewals: 0 };
    let mut waiting: Vec<(Timestamp, Delivery)> =
        events.into_iter().map(|one| (began, one)).collect();
    for round in 0.. {
        let Some(next) = waiting.iter().map(|(due, _)| *due).min() else { break };
        assert!(
            round < ROUNDS_MAX,
            "no end after {} s",
            clock.get().duration_since(began).as_secs()
        );
        clock.set(clock.get().max(next));
        let (due, later) = waiting.into_iter().partition(|(due, _)| *due <= clock.get());
        waiting = later;
        let until_ms = clock.get().as_millisecond() + LEASE_MS;
        let due: Vec<(Timestamp, Delivery)> = due;
        let group = due.into_iter().map(|(_, one)| Delivery { until_ms, ..one }).collect();
        let outside = Outside {
            send: async |request: &Outgoing| send(request).await,
            secrets: &lookup,
            now: &now,
            is_dev: false,
            keyring: None,
            gate: Gate::new("desk", Rc::clone(&brakes), clock.get()),
            renew: &renew,
            mark: &mark,
            mark_id: "first".to_owned(),
        };
        let report = async |more: Vec<Ended>| results.borrow_mut().extend(more);
        run(deliver_group(group, &configured, 1, &outside, report)).unwrap();
        for Ended { delivery, result, shown, .. } in results.take() {
            outcome.texts.push_str(&format!("{result:?} {shown:?}\n"));
            match repeated(delivery, result, clock.get()) {
                Ok(again) => waiting.push(again),
                Err((id, end)) => drop(outcome.ends.insert(id, end)),
            }
        }
    }
    Outcome { sent_s: sent_s.take(), renewals: renewals.get(), ..outcome }
}

pub(super) const HTML: &str = "<!doctype html><title>502</title>ana.garcia@shop.example";
/// The end of an event in a word, with the code of its reason.
pub(super) fn word(end: &DeliveryResult) -> String {
    match end {
        DeliveryResult::Delivered => "delivered".to_owned(),
        DeliveryResult::Skipped { .. } => "skipped".to_owned(),
        DeliveryResult::Assumed { .. } => "assumed".to_owned(),
        DeliveryResult::Dead { reason, .. } => format!("dead {}", reason::code(reason)),
        DeliveryResult::Retry { .. } | DeliveryResult::Wait { .. } => "no end".to_owned(),
    }
}

/// Every line of the catalogue, by what a careful service means with it.
pub(super) fn catalogue() -> Vec<(&'static str, Vec<Way>)> {
    let ok = || answers(200, "{}");
    let large = "<p>".repeat(2_700);
    vec![
        ("connection refused", vec![Way::Unreached("connection refused"), ok()]),
        ("no such name", vec![Way::Unreached("DNS lookup failed"), ok()]),
        ("wrong certificate", vec![Way::Unreached("TLS peer's certificate is not trusted"), ok()]),
        ("no answer once", vec![Way::Silent, ok()]),
        ("no answer for ever", vec![Way::Silent]),
        ("broken off by the edge", vec![answers(520, HTML), ok()]),
        ("out of time at the edge", vec![answers(524, HTML), ok()]),
        ("truncated JSON", vec![answers(200, "{\"results\": [{\"id\""), ok()]),
        ("page with 200", vec![answers(200, HTML), ok()]),
        ("page with 429", vec![answers(429, HTML), ok()]),
        ("page with 502", vec![answers(502, HTML), ok()]),
        ("empty 200", vec![answers(200, "")]),
        ("204", vec![answers(204, "")]),
        ("moved", vec![answers(301, "")]),
        ("moved for good", vec![with_header(308, "location", "https://other.example/")]),
        (
            "redirect to a private host",
            vec![with_header(302, "location", "http://169.254.169.254/")],
        ),
        ("all are refused", vec![answers(400, "{\"message\": \"no\"}")]),
        ("multi-status", vec![answers(207, "ok,no")]),
        ("unauthorized once", vec![answers(401, "{}"), ok()]),
        ("unauthorized for ever", vec![answers(401, "{}")]),
        ("forbidden", vec![answers(403, "{}")]),
        ("not found", vec![answers(404, "{}")]),
        ("conflict", vec![answers(409, "{}")]),
        ("gone", vec![answers(410, "{}")]),
        ("too large", vec![answers(413, "{}")]),
        ("wrong type", vec![answers(415, "{}")]),
        ("unprocessable", vec![answers(422, "{}")]),
        ("too many", vec![answers(429, ""), ok()]),
        ("too many, come after seconds", vec![with_header(429, "retry-after", "120"), ok()]),
        (
            "too many, come after a date",
            vec![with_header(429, "retry-after", "Tue, 24 Nov 2026 10:05:00 GMT"), ok()],
        ),
        ("error three times", vec![answers(500, ""), answers(503, ""), answers(500, ""), ok()]),
        ("error for ever", vec![answers(500, "")]),
        (
            "words that nobody knows",
            vec![answers(200, "{\"status\": \"quux\", \"more\": [1]}"), ok()],
        ),
        ("large page", vec![answers(500, &large), ok()]),
        ("echo of all", vec![Way::Echoes(400)]),
        ("echo of an error", vec![Way::Echoes(503), ok()]),
        ("echo of a refusal of ours", vec![Way::Echoes(401)]),
    ]
}
