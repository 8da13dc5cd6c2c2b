//! The fault catalogue over a made-up kind: the end of each event and the number of requests, line by line.

use super::script::{EMAIL, Outcome, Way, answers, catalogue, live_through, word};
use super::*;
use crate::forward::destination::{ClientAuth, Flow, OAuth, SecretName};
use crate::forward::destinations::answer::{by_status, retry as asks_again};

/// A made-up kind: one JSON request for the batch or two, and answers as most services give them.
#[derive(Clone, Copy, Default)]
struct Post {
    assumes: bool,
    has_token: bool,
    /// Whether a request goes before, which bears a repeat.
    has_record: bool,
}

impl Destination for Post {
    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let token = batch.access.token.map(|token| token.access.clone());
        let key = token.or_else(|| (batch.access.secrets)("DESK"));
        let mut headers = Headers::default();
        headers.push("authorization", format!("Bearer {}", key.unwrap_or_default()));
        let events = batch.events.iter();
        let body = events.map(|one| json!({"id": one.event.message_id, "email": EMAIL}));
        let body = json!({ "events": body.collect::<Vec<_>>() }).to_string();
        let to = |path: &str, step| {
            let (method, url) = ("POST".to_owned(), format!("https://desk.example/{path}"));
            let outgoing = Outgoing { method, url, headers: headers.clone(), body: body.clone() };
            MappedRequest { outgoing, events: (0..batch.events.len()).collect(), step }
        };
        let mut requests = vec![to("events", self.last())];
        if self.has_record {
            requests.insert(0, to("records", 0));
        }
        Ok(Mapping { requests, left_out: vec![] })
    }

    fn classify(&self, _: &MappedRequest, response: &Response) -> Reception {
        let is_json = || serde_json::from_str::<serde_json::Value>(&response.body).is_ok();
        let one = |word: &str| match word {
            "ok" => Acceptance::Delivered,
            "no" => Acceptance::Rejected { reason: reason::refused("no") },
            _ => asks_again(response),
        };
        match response.status {
            207 => Reception::Each(response.body.split(',').map(one).collect()),
            200 if !response.body.is_empty() && !is_json() => Reception::All(asks_again(response)),
            _ => by_status(response),
        }
    }

    fn assumes_sent(&self, _: &BatchEvent<'_>, step: u32) -> bool {
        self.assumes && step == self.last()
    }

    fn oauth(&self) -> Option<OAuth> {
        let secret = || SecretName { secret: "DESK".to_owned() };
        self.has_token.then(|| OAuth {
            token_url: "https://desk.example/token".to_owned(),
            authorize_url: None,
            flow: Flow::Client { id: secret(), secret: secret() },
            client: ClientAuth::Body,
            host_member: None,
            hosts: &[],
            life_s: 3_600,
        })
    }
}

impl Post {
    /// The step that brings the events.
    fn last(self) -> u32 {
        u32::from(self.has_record)
    }
}

fn secrets() -> BTreeMap<String, String> {
    BTreeMap::from([("DESK".to_owned(), "k3y-of-the-desk".to_owned())])
}

fn of_post(post: Post, script: &[Way]) -> Outcome {
    let limits = Limits { age_s_max: None, events: 10, bytes: 100_000, ..DESK.limits };
    let loaded = Loaded { kind: Kind { limits, ..DESK }, destination: Box::new(post) };
    live_through(loaded, tracks(&["m1", "m2"]), &secrets(), script)
}

/// Asserts the ends of both events, and the number of requests.
#[track_caller]
fn check_post(post: Post, script: &[Way], ends: [&str; 2], requests: usize) -> Outcome {
    let outcome = of_post(post, script);
    let found: Vec<_> = outcome.ends.values().map(word).collect();
    assert_eq!(
        (found, outcome.sent_s.len()),
        (ends.map(str::to_owned).to_vec(), requests),
        "{script:?}"
    );
    for hidden in ["k3y-of-the-desk", "at_secret", EMAIL] {
        assert!(!outcome.texts.contains(hidden), "{}", outcome.texts);
    }
    outcome
}

#[track_caller]
fn check(script: &[Way], ends: [&str; 2], requests: usize) -> Outcome {
    check_post(Post::default(), script, ends, requests)
}

const BOTH: [&str; 2] = ["delivered"; 2];

fn script(name: &str) -> Vec<Way> {
    catalogue().into_iter().find(|(known, _)| *known == name).unwrap().1
}

#[test]
fn what_surely_did_not_arrive_is_sent_again() {
    for name in ["connection refused", "no such name", "wrong certificate"] {
        check(&script(name), BOTH, 2);
        check_post(Post { assumes: true, ..Post::default() }, &script(name), BOTH, 2);
    }
}

#[test]
fn an_attempt_without_an_answer_is_repeated_unless_a_repeat_would_count_twice() {
    let assumes = Post { assumes: true, ..Post::default() };
    for name in ["no answer once", "broken off by the edge", "out of time at the edge"] {
        check(&script(name), BOTH, 2);
        check_post(assumes, &script(name), ["assumed"; 2], 1);
    }
    check(&script("no answer for ever"), ["dead given_up"; 2], 19);
    // A definite answer is obeyed by both.
    check_post(assumes, &script("error three times"), BOTH, 4);
    check_post(assumes, &script("all are refused"), ["dead refused"; 2], 3);
}

#[test]
fn only_the_request_that_would_count_twice_is_taken_for_sent() {
    let post = Post { assumes: true, has_record: true, ..Post::default() };
    let ok = || answers(200, "{}");
    // The record is sent again, and then the events.
    check_post(post, &[Way::Silent, ok()], BOTH, 3);
    check_post(post, &[answers(524, ""), ok()], BOTH, 3);
    check_post(post, &[ok(), Way::Silent, ok()], ["assumed"; 2], 2);
    check_post(post, &[ok(), answers(500, ""), ok()], BOTH, 3);
}

/// What happens in an attempt, in order: the requests by their path, and the marks.
fn course_of(post: Post, script: &[Way]) -> (Vec<String>, Vec<DeliveryResult>) {
    let config = config("");
    let limits = Limits { events: 10, bytes: 100_000, ..DESK.limits };
    let loaded = Loaded { kind: Kind { limits, ..DESK }, destination: Box::new(post) };
    let configured = Configured::with(&config.destinations[0], Ok(loaded));
    let (log, results) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let clock = std::cell::Cell::new(NOW.parse().unwrap());
    let sent = std::cell::Cell::new(0);
    let outside = Outside {
        send: async |request: &Outgoing| {
            log.borrow_mut().push(request.url.replace("https://desk.example/", ""));
            let way = &script[sent.replace(sent.get() + 1)];
            super::script::goes(way, request, &clock)
        },
        secrets: &|_| None,
        now: &|| NOW.parse().unwrap(),
        is_dev: false,
        keyring: None,
        gate: Gate::new("desk", Rc::default(), NOW.parse().unwrap()),
        renew: &|_| Box::pin(async { panic!("a desk needs no token") }),
        mark: &|_, asked| {
            log.borrow_mut().push(format!("mark {}", asked.len()));
            Box::pin(async move { Some(asked.iter().map(|one| Some(one.row + 6)).collect()) })
        },
        mark_id: "first".to_owned(),
    };
    let report = async |more: Vec<Ended>| results.borrow_mut().extend(more);
    run(deliver_group(tracks(&["m1", "m2"]), &configured, 1, &outside, report)).unwrap();
    (log.take(), results.take().into_iter().map(|one| one.result).collect())
}

#[test]
fn events_are_marked_before_the_step_that_would_count_twice_and_no_earlier() {
    let post = Post { assumes: true, has_record: true, ..Post::default() };
    let (course, results) = course_of(post, &[answers(200, "{}"), answers(200, "{}")]);
    assert_eq!(course, ["records", "mark 2", "events"]);
    assert!(results.iter().all(|result| *result == DeliveryResult::Delivered), "{results:?}");
    // A crash here leaves nothing marked, so the next attempt begins with the record.
    let (course, results) = course_of(post, &[Way::Silent]);
    assert_eq!(course, ["records"]);
    assert!(
        results.iter().all(|result| matches!(result, DeliveryResult::Retry { steps: 0, .. })),
        "{results:?}"
    );
    let (course, _) = course_of(Post { assumes: true, ..Post::default() }, &[Way::Silent]);
    assert_eq!(course, ["mark 2", "events"]);
}

#[test]
fn an_answer_that_is_no_answer_of_the_service_is_asked_for_again() {
    for name in [
        "truncated JSON",
        "page with 200",
        "page with 429",
        "page with 502",
        "too many",
        "large page",
    ] {
        check(&script(name), BOTH, 2);
    }
    for name in ["empty 200", "204"] {
        check(&script(name), BOTH, 1);
    }
    check(&script("error three times"), BOTH, 4);
    check(&script("error for ever"), ["dead given_up"; 2], 19);
}

#[test]
fn a_redirect_is_not_followed_and_costs_no_event_before_its_last_attempt() {
    for name in ["moved", "moved for good", "redirect to a private host"] {
        let outcome = check(&script(name), ["dead given_up"; 2], 19);
        assert!(outcome.texts.contains("redirected: status 30"), "{}", outcome.texts);
        let mended = [script(name), vec![answers(200, "{}")]].concat();
        check(&mended, BOTH, 2);
    }
}

#[test]
fn a_refusal_ends_the_events() {
    let refused = ["dead refused"; 2];
    for name in ["not found", "conflict", "gone", "wrong type"] {
        check(&script(name), refused, 1);
    }
    // The batch, and then each half: one event may have poisoned the other.
    for name in ["all are refused", "too large", "unprocessable"] {
        check(&script(name), refused, 3);
    }
    check(&script("multi-status"), ["delivered", "dead refused"], 1);
}

#[test]
fn retry_after_is_obeyed_in_seconds_and_as_a_date() {
    let of = |name| check(&script(name), BOTH, 2).sent_s;
    assert_eq!(of("too many, come after seconds"), [0, 120]);
    assert_eq!(of("too many, come after a date"), [0, 300]);
}

#[test]
fn a_destination_that_does_not_let_us_in_is_asked_seldom_and_costs_no_event_for_four_days() {
    let outcome = check(&script("unauthorized once"), BOTH, 2);
    assert!(outcome.sent_s[1] >= 300, "{:?}", outcome.sent_s);
    for name in ["unauthorized for ever", "forbidden"] {
        let outcome = of_post(Post::default(), &script(name));
        assert!(outcome.ends.values().all(|end| word(end) == "dead given_up"), "{name}");
        let apart = outcome.sent_s.windows(2).all(|pair| pair[1] - pair[0] >= 300);
        assert!(apart && outcome.sent_s.len() < 200, "{:?}", outcome.sent_s);
        assert!(*outcome.sent_s.last().unwrap() > 4 * 86_400 - 3 * 3_600, "{name}");
        assert!(
            outcome.texts.contains("after 4 days: unauthorized: ")
                || outcome.texts.contains("does not let us in")
        );
    }
}

#[test]
fn a_refused_token_is_renewed_once_and_the_request_is_repeated_at_once() {
    let post = Post { has_token: true, ..Post::default() };
    let outcome = check_post(post, &script("unauthorized once"), BOTH, 2);
    assert_eq!((outcome.sent_s, outcome.renewals), (vec![0, 0], 2));
    // Each attempt asks for a token, and once more after the refusal.
    let outcome = of_post(post, &script("unauthorized for ever"));
    assert_eq!(
        (outcome.renewals, outcome.sent_s[..3].to_vec()),
        (outcome.sent_s.len() + behind_the_brake(&outcome), vec![0, 0, 300])
    );
    assert!(outcome.sent_s.len() < 400);
}

/// The attempts that got a token and no request: the brake was closed.
fn behind_the_brake(outcome: &Outcome) -> usize {
    outcome.renewals - outcome.sent_s.len()
}

#[test]
fn a_dead_letter_shows_the_request_and_the_answer_without_secrets_and_people() {
    let outcome = check(&script("echo of all"), ["dead refused"; 2], 3);
    assert!(outcome.texts.contains("https://desk.example/events"), "{}", outcome.texts);
    assert!(outcome.texts.contains("\"email\": String(\"<text 23>\")"), "{}", outcome.texts);
}

/// Attempts two events whose marks are answered like this. Returns the requests, each with its path and body, and what ended.
fn marked(
    post: Post,
    mark: impl Fn(&[UnderWay]) -> Option<Vec<Option<i64>>>,
) -> (Vec<String>, Vec<Ended>) {
    let config = config("");
    let loaded = Loaded { kind: DESK, destination: Box::new(post) };
    let configured = Configured::with(&config.destinations[0], Ok(loaded));
    let (log, results) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let outside = Outside {
        send: async |request: &Outgoing| {
            let path = request.url.replace("https://desk.example/", "");
            log.borrow_mut().push(format!("{path} {}", request.body));
            Ok(answer(204, ""))
        },
        secrets: &|_| None,
        now: &|| NOW.parse().unwrap(),
        is_dev: false,
        keyring: None,
        gate: Gate::new("desk", Rc::default(), NOW.parse().unwrap()),
        renew: &|_| Box::pin(async { panic!("a desk needs no token") }),
        mark: &|_, asked| {
            let answer = mark(&asked);
            Box::pin(async move { answer })
        },
        mark_id: "first".to_owned(),
    };
    let report = async |more: Vec<Ended>| results.borrow_mut().extend(more);
    run(deliver_group(tracks(&["m1", "m2"]), &configured, 1, &outside, report)).unwrap();
    (log.take(), results.take())
}

#[test]
fn events_that_nobody_may_send_any_more_leave_the_batch_without_a_result() {
    let post = Post { assumes: true, ..Post::default() };
    let row = |one: &UnderWay| (one.message_id != "m1").then_some(one.row + 6);
    let (log, ended) = marked(post, |asked| Some(asked.iter().map(row).collect()));
    assert!(log.len() == 1 && !log[0].contains("m1") && log[0].contains("m2"), "{log:?}");
    let ended: Vec<_> =
        ended.into_iter().map(|one| (one.delivery.message_id, one.delivery.row)).collect();
    assert_eq!(ended, [("m2".to_owned(), 7)]);
}

#[test]
fn events_of_whose_mark_nobody_knows_are_handed_back_unsent_under_the_id_of_the_mark() {
    let post = Post { assumes: true, has_record: true, ..Post::default() };
    let (log, ended) = marked(post, |asked| {
        assert!(asked.iter().all(|one| one.mark.as_deref() == Some("first")), "{asked:?}");
        None
    });
    assert!(log.len() == 1 && log[0].starts_with("records "), "{log:?}");
    assert_eq!(ended.len(), 2);
    for Ended { delivery, result, mark, .. } in ended {
        let is_wait = matches!(result, DeliveryResult::Wait { after_s: 1, steps: 1, .. });
        let found = (is_wait, delivery.row, mark.as_deref());
        assert_eq!(found, (true, 1, Some("first")), "{result:?}");
    }
}
