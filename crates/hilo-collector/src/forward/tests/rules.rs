//! The deployer's rules in a delivery.

use super::*;

/// A destination that gets the names that rules give.
struct Names;

impl Destination for Names {
    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let names = batch.events.iter().map(|one| {
            let name = one.mapped.name.as_deref().unwrap_or("unnamed");
            format!("{name} {}", serde_json::Value::Object(one.mapped.fields.clone()))
        });
        let body = names.collect::<Vec<_>>().join(",");
        let (method, headers) = ("POST".to_owned(), Headers::default());
        let url = "https://desk.example/names".to_owned();
        let outgoing = Outgoing { method, url, headers, body };
        let events = (0..batch.events.len()).collect();
        Ok(Mapping {
            requests: vec![MappedRequest { outgoing, events, step: 0 }],
            left_out: Vec::new(),
        })
    }

    fn classify(&self, request: &MappedRequest, response: &Response) -> Reception {
        Desk.classify(request, response)
    }
}

fn deliver_ruled(rules: &str, sent: Vec<Delivery>) -> Delivered {
    deliver_by(&config(rules), Rc::default(), Box::new(Names), DESK.limits, sent, |_| {
        answer(204, "")
    })
}

#[test]
fn a_destination_gets_the_names_and_fields_of_the_rules() {
    let rules = "[[destination.map]]\nwhen = { path = \"$.event.messageId\", eq = \"m1\" }\nevent = \"first\"\n\
        fields = { who = { first = [\"$.person.userId\", \"$.event.anonymousId\"] } }\n";
    let (log, results) = deliver_ruled(rules, tracks(&["m1", "m2"]));
    assert_eq!(log, ["names first {\"who\":\"a1\"},unnamed {}"]);
    assert_eq!(results, delivered(&["m1", "m2"]));
}

#[test]
fn an_event_that_a_rule_drops_is_not_sent_and_is_no_dead_letter() {
    let rules =
        "[[destination.map]]\nwhen = { path = \"$.event.messageId\", eq = \"m1\" }\ndrop = true\n";
    let (log, results) = deliver_ruled(rules, tracks(&["m1", "m2"]));
    assert_eq!(log, ["names unnamed {}"]);
    let reason = "dropped: rule 1 of [[destination.map]] drops it".to_owned();
    assert_eq!(results["m1"], DeliveryResult::Skipped { reason });
    assert_eq!(results["m2"], DeliveryResult::Delivered);
}

#[test]
fn a_rule_cannot_read_what_the_destinations_purposes_hide() {
    let mut delivery = delivery("m1", "track");
    delivery.event =
        delivery.event.replace("\"context\":{", "\"context\":{\"device\":{\"id\":\"d1\"},");
    let rules = "[[destination.map]]\nfields = { device = \"$.event.context.device.id\" }\n";
    let (log, _) = deliver_ruled(rules, vec![delivery]);
    assert_eq!(log, ["names unnamed {}"]);
}
