//! Destinations that need events in their order.

use super::*;

pub(super) const ORDERED: Limits = Limits { events: 2, is_ordered: true, ..DESK.limits };

/// A destination that gets the people one by one, and then all events in one request. A page view needs no person.
struct Counter;

impl Destination for Counter {
    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let Mapping { requests, left_out } = Desk.requests(batch)?;
        let of_step = |step| requests.iter().filter(move |request| request.step == step);
        let people = of_step(1).flat_map(|request| &request.events).map(|at| {
            let url = "https://desk.example/person".to_owned();
            let (method, headers) = ("POST".to_owned(), Headers::default());
            let body = batch.events[*at].event.message_id.clone();
            let outgoing = Outgoing { method, url, headers, body };
            MappedRequest { outgoing, events: vec![*at], step: 0 }
        });
        let all = of_step(0).map(|request| MappedRequest { step: 1, ..request.clone() });
        Ok(Mapping { requests: people.chain(all).collect(), left_out })
    }

    fn classify(&self, request: &MappedRequest, response: &Response) -> Reception {
        Desk.classify(request, response)
    }
}

#[test]
fn an_ordered_destination_gets_events_in_the_order_in_which_they_happened() {
    let mut sent = tracks(&["m1", "m2", "m3"]);
    sent[2] = before(sent[2].clone(), 60);
    let (log, _) = deliver_with(ORDERED, sent, |_| answer(200, ""));
    assert_eq!(log, ["people m3,m1", "events m3,m1", "people m2", "events m2"]);
}

#[test]
fn an_event_that_waits_holds_back_only_the_later_events_of_its_person() {
    let mut sent = tracks(&["m1", "m2", "m3", "m4"]);
    sent[3].profile = "other".to_owned();
    let (log, mut results) = deliver_with(ORDERED, sent, |line| match line {
        "people m1,m2" => answer(207, "60,ok"),
        _ => answer(200, ""),
    });
    assert_eq!(log, ["people m1,m2", "people m4", "events m4"]);
    // Both events are due again at the same time, so that the next attempt sends them in order.
    assert_eq!(results.remove("m1"), Some(retry(60, "status 207", 0)));
    assert_eq!(results.remove("m2"), Some(retry(60, "status 207", 1)));
    assert_eq!(results.remove("m3"), Some(retry(60, "status 207", 0)));
    assert_eq!(results, delivered(&["m4"]));
    let again = |id: &str, steps| Delivery { steps, ..delivery(id, "track") };
    let sent = vec![again("m1", 0), again("m2", 1), again("m3", 0)];
    let sent = sent.into_iter().zip([60, 30, 0]).map(|(one, seconds)| before(one, seconds));
    let (log, _) = deliver_with(ORDERED, sent.collect(), |_| answer(200, ""));
    assert_eq!(log, ["people m1", "events m1", "events m2", "people m3", "events m3"]);
}

#[test]
fn an_ordered_destination_gets_one_request_at_a_time() {
    let sent = || {
        let sent = vec![delivery("m1", "track"), delivery("m2", "track"), delivery("m3", "page")];
        let sent = sent.into_iter().zip([60, 30, 0]);
        sent.map(|(one, seconds)| before(one, seconds)).collect::<Vec<_>>()
    };
    let limits = Limits { events: 3, ..ORDERED };
    let (log, _) = deliver_to(Box::new(Counter), limits, sent(), |_| answer(200, ""));
    assert_eq!(log, ["person m1", "people m1", "person m2", "people m2,m3"]);
    let fails = |line: &str| if line == "person m1" { answer(503, "60") } else { answer(200, "") };
    let (log, results) = deliver_to(Box::new(Counter), limits, sent(), fails);
    assert_eq!(log, ["person m1"]);
    assert!(results.values().all(|result| *result == retry(60, "status 503", 0)), "{results:?}");
}

#[test]
fn an_event_that_an_ordered_destination_does_not_take_is_not_held_back() {
    let sent = vec![delivery("m1", "track"), delivery("m2", "track"), delivery("m3", "group")];
    let limits = Limits { events: 3, ..ORDERED };
    let (_, results) = deliver_to(Box::new(Counter), limits, sent, |_| answer(503, "60"));
    assert_eq!(results["m2"], retry(60, "status 503", 0));
    assert_eq!(results["m3"], dead("no groups", 0));
}
