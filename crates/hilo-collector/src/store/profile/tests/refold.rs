//! Tests that a profile from another version of the fold is folded again.

use super::*;

fn profile(object: &mut Object) -> serde_json::Value {
    let summary: Summary = object.ask(&ProfileCall::Summary);
    decode(summary.profile.get()).unwrap()
}

/// Stores a profile in the way of an earlier collector.
fn store(object: &Object, profile: &serde_json::Value) {
    let statement = "INSERT OR REPLACE INTO meta (key, value) VALUES ('profile', ?), ('folded', ?)";
    let last = object.sql.exec("SELECT max(last) AS last FROM batches", &[]).unwrap();
    let folded = SqlValue::Text(last[0].int("last").unwrap().to_string());
    object.sql.run(statement, &[SqlValue::Text(profile.to_string()), folded]).unwrap();
}

/// Makes more events than one page has, with traits that an earlier fold did not read.
fn object_with_a_long_timeline() -> Object {
    let mut object = Object::new();
    let sent = |n: usize| {
        let mut sent = kept(&format!("m{n}"), 1);
        let traits = json!({"number": n}).as_object().cloned().unwrap();
        sent.event.kind = hilo_core::event::EventKind::Identify { traits };
        sent
    };
    object.record((0..250).map(sent).collect());
    object
}

#[test]
fn events_that_were_stored_before_a_field_existed_fill_the_field() {
    let mut object = object_with_a_long_timeline();
    let stored = [
        json!({"events": {"identify": 250}}),
        json!({"version": 0, "profile": {"events": {"identify": 250}}}),
        json!({"version": 4_000_000_000_u32, "profile": {"shape": "unknown"}}),
    ];
    for stored in stored {
        store(&object, &stored);
        object.volatile = Volatile::default();
        let profile = profile(&mut object);
        assert_eq!(profile["traits"]["number"]["value"], json!(249));
        assert_eq!(profile["events"], json!({"identify": 250}));
    }
}

#[test]
fn a_profile_that_was_folded_again_is_stored_with_its_version() {
    let mut object = object_with_a_long_timeline();
    store(&object, &json!({"events": {"identify": 250}}));
    object.volatile = Volatile::default();
    object.record(vec![kept("m", 1)]);
    let rows = object.sql.exec("SELECT value FROM meta WHERE key = 'profile'", &[]).unwrap();
    let stored: serde_json::Value = decode(rows[0].text("value").unwrap()).unwrap();
    assert_eq!(stored["version"], json!(hilo_core::profile::VERSION));
    let sealed = stored["profile"].as_str().unwrap();
    let opened = crate::store::at_rest::open_text(&object.sql, "profile", sealed).unwrap();
    let opened: serde_json::Value = decode(&opened).unwrap();
    assert_eq!(opened["traits"]["number"]["value"], json!(249));
    assert_eq!(profile(&mut object)["events"], json!({"identify": 250, "page": 1}));
}

/// A storage as the collector before destinations had steps has left it: two rows of the outbox, one of them pending.
fn object_before_steps() -> Object {
    let object = Object::new();
    schema::apply(&object.sql, schema::PROFILE.first(4)).unwrap();
    let body = encode(&event("m1", 1)).unwrap();
    let rows = "INSERT INTO events (message_id, occurred_ms, body) SELECT value, 1, replace(?, 'm1', value)
        FROM json_each('[\"m1\",\"m2\"]')";
    object.sql.run(rows, &[SqlValue::Text(body)]).unwrap();
    for (ids, state) in [("[\"m1\",\"m2\"]", "pending"), ("[\"m1\"]", "dead")] {
        let row = "INSERT INTO outbox (message_ids, destination, purposes, state, attempts, next_ms, updated_ms)
            VALUES (?, 'webhook', 'analytics', ?, 3, 0, 0)";
        object.sql.run(row, &[SqlValue::from(ids), SqlValue::from(state)]).unwrap();
    }
    let named = "INSERT INTO meta (key, value) VALUES ('name', 'p')";
    object.sql.run(named, &[]).unwrap();
    object
}

#[test]
fn deliveries_that_were_stored_before_steps_existed_go_on() {
    let mut object = object_before_steps();
    let seen =
        |one: &Delivery| (one.message_id.clone(), one.attempt, one.steps, one.person.is_some());
    let deliveries = object.deliveries();
    let expected = [("m1".to_owned(), 3, 0, false), ("m2".to_owned(), 3, 0, false)];
    assert_eq!(deliveries.iter().map(seen).collect::<Vec<_>>(), expected);
    object.confirm_all(&[("m1", DeliveryResult::Delivered), ("m2", retry(60))]);
    let replay = ProfileCall::Replay { destination: None, message: None };
    assert_eq!(object.ask::<u32>(&replay), 1);
    assert_eq!(object.due(), [("m1".to_owned(), 0)]);
    assert_eq!(profile(&mut object)["events"], json!({"page": 2}));
}
