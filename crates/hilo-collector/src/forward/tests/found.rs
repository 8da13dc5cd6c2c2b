//! What the answer to one step tells the requests of a later one.

use super::*;

/// A destination that gets the person first, and then the event with the id that the service gave the person.
struct Registry;

impl Destination for Registry {
    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let request = |step, path: &str, body: String| {
            let (method, headers) = ("POST".to_owned(), Headers::default());
            let url = format!("https://registry.example/{path}");
            let outgoing = Outgoing { method, url, headers, body };
            MappedRequest { outgoing, events: (0..batch.events.len()).collect(), step }
        };
        let id = batch.found("ana").unwrap_or("nobody").to_owned();
        let requests = vec![request(0, "people", "ana".to_owned()), request(1, "events", id)];
        Ok(Mapping { requests, left_out: Vec::new() })
    }

    fn classify(&self, request: &MappedRequest, response: &Response) -> Reception {
        Desk.classify(request, response)
    }

    fn found(&self, request: &MappedRequest, response: &Response) -> Vec<(String, String)> {
        let id = Some(response.body.clone()).filter(|id| request.step == 0 && !id.is_empty());
        id.map(|id| ("ana".to_owned(), id)).into_iter().collect()
    }
}

fn deliver(sent: Vec<Delivery>, answer: impl Fn(&str) -> Response) -> Delivered {
    deliver_to(Box::new(Registry), DESK.limits, sent, answer)
}

#[test]
fn a_later_step_has_what_an_earlier_one_found() {
    let (log, results) = deliver(tracks(&["m1", "m2"]), |_| answer(200, "7"));
    assert_eq!(log, ["people ana", "events 7"]);
    assert_eq!(results, delivered(&["m1", "m2"]));
}

#[test]
fn after_a_failure_the_next_attempt_finds_it_again() {
    let fails =
        |line: &str| if line.starts_with("events") { answer(503, "9") } else { answer(200, "7") };
    let (log, results) = deliver(tracks(&["m1"]), fails);
    assert_eq!(log, ["people ana", "events 7"]);
    assert_eq!(results["m1"], retry(9, "status 503", 0));
}

#[test]
fn an_answer_that_tells_nothing_or_refuses_leaves_the_steps_as_they_are() {
    let fails =
        |line: &str| if line.starts_with("events") { answer(503, "9") } else { answer(200, "") };
    let (_, results) = deliver(tracks(&["m1"]), fails);
    assert_eq!(results["m1"], retry(9, "status 503", 1));
    let (log, _) = deliver(tracks(&["m1"]), |_| answer(503, "9"));
    assert_eq!(log, ["people ana"]);
}

#[test]
fn hubspot_creates_an_order_with_the_contact_that_it_has_just_named() {
    let crm = "name = 'crm'\ntype = 'hubspot'\npurposes = ['analytics']\ntoken = { secret = 'T' }\norders = true\n";
    let config = parse(&format!("{HEAD}[[destination]]\n{crm}")).unwrap();
    let Loaded { destination, kind } = Loaded::of(&config.destinations[0]).ok().unwrap();
    let email = json!({"value": "ana@shop.example", "at": NOW});
    let person: Person = serde_json::from_value(json!({"traits": {"email": email}})).unwrap();
    let mut sent = delivery("m1", "track");
    sent.person = Some(Rc::new(person));
    sent.event = sent.event.replace("\"event\":\"x\"", "\"event\":\"Order Completed\"");
    sent.event = sent.event.replace("\"properties\":{}", "\"properties\":{\"order_id\":\"P-1\"}");
    let (log, results) = deliver_to(destination, kind.limits, vec![sent], |line| match line {
        line if line.starts_with("upsert") => answer(200, "{\"results\":[{\"id\":\"55\"}]}"),
        _ => answer(201, "{\"id\":\"77\"}"),
    });
    assert_eq!(log.len(), 2);
    assert!(
        log[1].starts_with("orders ") && log[1].contains("\"to\":{\"id\":\"55\"}"),
        "{}",
        log[1]
    );
    assert_eq!(results, delivered(&["m1"]));
}
