//! Deliveries that are not attempted: the destination fails, the lease ends, a secret is missing.

use super::order::ORDERED;
use super::*;

/// Delivers to a destination that has this brake.
fn behind(brakes: &Rc<RefCell<Brakes>>, sent: Vec<Delivery>, status: u16) -> Delivered {
    deliver_through(Rc::clone(brakes), Box::new(Desk), DESK.limits, sent, |_| answer(status, ""))
}

#[test]
fn a_destination_that_fails_gets_a_few_requests_and_the_other_events_wait() {
    let ids: Vec<String> = (0..60).map(|n| format!("m{n:02}")).collect();
    let sent = || ids.iter().map(|id| delivery(id, "track")).collect();
    let brakes = Rc::default();
    let (log, results) = behind(&brakes, sent(), 0);
    assert_eq!(log.len(), 3, "{log:?}");
    let count = |is: fn(&DeliveryResult) -> bool| results.values().filter(|one| is(one)).count();
    assert_eq!(count(|one| matches!(one, DeliveryResult::Retry { .. })), 9);
    assert_eq!(
        count(|one| matches!(one, DeliveryResult::Wait { after_s: 1.., reason, .. }
            if reason.ends_with("failed 3 times in a row, last: no answer"))),
        51
    );
    // The next invocation of the same isolate sends nothing before its time.
    assert_eq!(behind(&brakes, sent(), 200).0, [""; 0]);
    // An isolate that has seen no failure sends.
    assert_eq!(behind(&Rc::default(), sent(), 200).0.len(), 40);
}

#[test]
fn an_answer_that_refuses_an_event_is_no_failure_of_the_destination() {
    let ids: Vec<String> = (0..10).map(|n| format!("m{n}")).collect();
    let sent = ids.iter().map(|id| delivery(id, "track")).collect();
    let limits = Limits { events: 1, ..DESK.limits };
    let (log, results) = deliver_with(limits, sent, |_| answer(400, ""));
    assert_eq!(log.len(), 10);
    assert!(results.values().all(|one| matches!(one, DeliveryResult::Dead { .. })));
}

#[test]
fn a_delivery_whose_lease_ends_too_soon_is_handed_back() {
    let mut sent = tracks(&["m1", "m2", "m3"]);
    sent[0].until_ms -= LEASE_MS - 29_999;
    sent[1].until_ms -= LEASE_MS - 30_000;
    sent[2].until_ms = 0;
    let (log, results) = deliver(sent, |_| answer(200, ""));
    assert_eq!(log, ["people m2", "events m2"]);
    for id in ["m1", "m3"] {
        let DeliveryResult::Wait { reason, .. } = &results[id] else { panic!("{results:?}") };
        assert_eq!(reason, "waits: it was in the queue for too long");
    }
}

#[test]
fn a_delivery_that_our_own_queue_has_kept_is_never_given_up() {
    let mut sent = tracks(&["m1"]);
    sent[0].since_ms -= 2_000 * i64::from(hilo_core::delivery::PENDING_S_MAX);
    sent[0].until_ms = 0;
    let (log, results) = deliver(sent, |_| answer(200, ""));
    assert_eq!(log, [""; 0]);
    let waits =
        |one: &DeliveryResult| matches!(one, DeliveryResult::Wait { after_s: 1..=3_600, .. });
    assert!(waits(&results["m1"]), "{results:?}");
}

#[test]
fn a_delivery_whose_attempts_were_all_lost_is_given_up_without_another() {
    let sent = vec![Delivery { attempt: 19, ..delivery("m1", "track") }];
    let (log, results) = deliver(sent, |_| answer(200, ""));
    let reason = "given_up: after 19 attempts, the last of them lost";
    assert_eq!((log, &results["m1"]), (vec![], &dead(reason, 0)));
}

#[test]
fn a_delivery_without_its_secret_waits_and_is_given_up_by_its_age() {
    let mut sent = tracks(&["m1", "m2"]);
    sent[1].profile = "other".to_owned();
    sent[1].since_ms -= 1_000 * i64::from(hilo_core::delivery::PENDING_S_MAX);
    let limits = Limits { mixes_people: false, ..DESK.limits };
    let (log, results) = deliver_to(Box::new(Keyless), limits, sent, |_| answer(200, ""));
    let reason =
        "the secret DESK is not set or is none: cargo xtask wrangler secret put DESK".to_owned();
    let (after_s, steps) = (1, 0);
    assert_eq!(results["m2"], dead(&format!("given_up: after 4 days: {reason}"), 0));
    assert_eq!(results["m1"], DeliveryResult::Wait { after_s, reason, steps });
    assert_eq!(log, [""; 0]);
}

/// A destination whose secret is not set.
struct Keyless;

impl Destination for Keyless {
    fn requests(&self, _: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        Err(MissingSecret("DESK".to_owned()))
    }

    fn classify(&self, request: &MappedRequest, response: &Response) -> Reception {
        Desk.classify(request, response)
    }
}

#[test]
fn an_event_that_waits_holds_back_the_later_events_of_its_person_too() {
    let brakes: Rc<RefCell<Brakes>> = Rc::default();
    let now_ms = NOW.parse::<Timestamp>().unwrap().as_millisecond();
    (0..3).for_each(|_| brakes.borrow_mut().of("desk").press(10, None, "status 503", now_ms));
    let sent = vec![before(delivery("m1", "track"), 60), delivery("m2", "track")];
    let limits = Limits { events: 1, ..ORDERED };
    let (log, results) = deliver_through(brakes, Box::new(Desk), limits, sent, |_| answer(200, ""));
    assert_eq!((log, &results["m1"]), (vec![], &results["m2"]));
    assert!(matches!(results["m1"], DeliveryResult::Wait { .. }));
}

/// A destination that writes an event's body and its people into its answer.
struct Echo;

impl Destination for Echo {
    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        Desk.requests(batch)
    }

    fn classify(&self, _: &MappedRequest, response: &Response) -> Reception {
        Reception::All(super::super::destinations::answer::retry(response))
    }
}

#[test]
fn the_brake_tells_other_people_nothing_of_the_person_whose_request_failed() {
    let one = |id: &str, user: &str| {
        let mut sent = delivery(id, "track");
        sent.profile = user.to_owned();
        sent
    };
    let sent = (0..9).map(|n| one(&format!("ana-{n}"), &format!("p{n}"))).collect();
    let limits = Limits { events: 1, mixes_people: false, ..DESK.limits };
    let echo = |line: &str| answer(503, &format!("no room for {line}"));
    let (_, results) = deliver_to(Box::new(Echo), limits, sent, echo);
    let told = format!("{results:?}");
    assert!(told.contains("no room for people <hidden>") && told.contains("Wait"), "{told}");
    for n in 0..9 {
        assert!(!told.contains(&format!("people ana-{n}")), "{told}");
    }
}
