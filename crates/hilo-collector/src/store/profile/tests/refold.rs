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

/// Events that fill several rows of a megabyte.
fn object_with_a_large_timeline(rows: usize) -> Object {
    let mut object = Object::new();
    for row in 0..rows {
        let sent = |n: usize| {
            let mut sent = kept(&format!("m{row}-{n}"), 1);
            let traits = json!({"number": row * 40 + n, "filler": "x".repeat(30_000)});
            let traits = traits.as_object().cloned().unwrap();
            sent.event.kind = hilo_core::event::EventKind::Identify { traits };
            sent
        };
        object.record((0..40).map(sent).collect());
    }
    object
}

/// The version of the stored profile, and whether a fold is under way.
fn refolding(object: &Object) -> (Option<i64>, bool) {
    let rows = object
        .sql
        .exec("SELECT value ->> 'version' AS version FROM meta WHERE key = 'profile'", &[])
        .unwrap();
    let part = object.sql.exec("SELECT key FROM meta WHERE key = 'refold'", &[]).unwrap();
    (rows[0].int("version").ok(), !part.is_empty())
}

/// Lets the alarm come until it has nothing to fold. Returns how often it came.
fn alarms(object: &mut Object) -> usize {
    let retention = hilo_core::config::Retention::default();
    for n in 1..100 {
        let next = upkeep(&object.sql, &mut object.volatile, &retention, object.now).unwrap();
        let Some(Upkeep::Next(at)) = next else { panic!("{next:?}") };
        if at > object.now + SignedDuration::from_secs(1) {
            return n;
        }
        object.now = at;
    }
    panic!("the fold never ends");
}

#[test]
fn a_long_timeline_is_folded_again_in_steps_while_calls_are_answered() {
    let mut object = object_with_a_large_timeline(6);
    let expected = profile(&mut object);
    let old =
        json!({"version": 2, "profile": {"events": {"identify": 240}, "anonymousIds": ["a1"]}});
    store(&object, &old);
    object.volatile = Volatile::default();
    // The profile of the other version counts meanwhile, with what has just come.
    let call = object.answer(&call(&[kept("new", 1)])).unwrap();
    assert_eq!(call.alarm, Some(crate::store::profile::soon(object.now).unwrap()));
    assert_eq!(refolding(&object), (Some(2), true));
    assert!(object.ask::<Summary>(&ProfileCall::Summary).refolding);
    let meanwhile = profile(&mut object);
    assert_eq!(meanwhile["events"], json!({"identify": 240, "page": 1}));
    assert_eq!(object.record(vec![kept("new", 1)]), [Recorded::Duplicate]);
    let came = alarms(&mut object);
    assert!((2..=6).contains(&came), "{came}");
    assert_eq!(refolding(&object), (Some(i64::from(hilo_core::profile::VERSION)), false));
    let after = profile(&mut object);
    assert_eq!(after["events"], json!({"identify": 240, "page": 1}));
    assert_eq!(after["traits"], expected["traits"]);
    assert!(!object.ask::<Summary>(&ProfileCall::Summary).refolding);
    assert_eq!(object.record(vec![kept("newer", 1)]), [stored(&[])]);
}

#[test]
fn a_fold_that_is_under_way_goes_on_after_a_restart_and_keeps_what_comes_meanwhile() {
    let mut object = object_with_a_large_timeline(4);
    store(&object, &json!({"version": 2, "profile": {"shape": ["unknown"], "events": 7}}));
    for n in 0..40 {
        object.volatile = Volatile::default();
        object.record(vec![kept(&format!("new{n}"), 1)]);
    }
    object.volatile = Volatile::default();
    alarms(&mut object);
    assert_eq!(profile(&mut object)["events"], json!({"identify": 160, "page": 40}));
}

#[test]
fn a_profile_without_calls_is_folded_again_by_its_alarm() {
    let mut object = object_with_a_long_timeline();
    store(&object, &json!({"version": 2, "profile": {"events": {"identify": 250}}}));
    object.volatile = Volatile::default();
    alarms(&mut object);
    assert_eq!(refolding(&object), (Some(i64::from(hilo_core::profile::VERSION)), false));
}

#[test]
fn an_event_stands_in_the_timeline_with_the_state_before_it_also_where_it_was_stored_without() {
    let mut object = Object::new();
    let act = |id: &str, name: &str, second: i64| {
        let mut sent = kept(id, 1);
        let properties = json!({"order_id": "1", "total": 10, "currency": "EUR"});
        let properties = properties.as_object().cloned().unwrap();
        sent.event.kind = hilo_core::event::EventKind::Track { event: name.to_owned(), properties };
        sent.event.occurred_at += SignedDuration::from_secs(second);
        sent
    };
    object.record(vec![act("m3", "Store Visited", 3), act("m1", "Call Received", 1)]);
    object.record(vec![act("m2", "Order Completed", 2)]);
    let shown = |object: &mut Object| {
        let page: Page = object.ask(&ProfileCall::Events { cursor: None, limit: 10 });
        let of = |row: &serde_json::value::RawValue| {
            let row: serde_json::Value = decode(row.get()).unwrap();
            (row["messageId"].clone(), row["touchpoint"].clone())
        };
        page.rows.iter().map(|row| of(row)).collect::<Vec<_>>()
    };
    let expected = |state_of_the_visit: &str| {
        let at = |channel: &str, kind: &str, state: &str| json!({"kind": kind, "channel": channel, "state": state});
        [
            (json!("m3"), at("Store", "Store Visited", state_of_the_visit)),
            (json!("m2"), json!({"kind": "Order Completed", "state": "new"})),
            (json!("m1"), at("Phone", "Call Received", "new")),
        ]
    };
    assert_eq!(shown(&mut object), expected("new"), "the order came later");
    object.sql.run("UPDATE batches SET facts = NULL", &[]).unwrap();
    assert_eq!(shown(&mut object), expected("fresh"), "found again, it is what it was");
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

#[test]
fn a_click_that_an_earlier_fold_counted_as_the_persons_is_told_apart_as_a_machines() {
    let mut object = Object::new();
    let sent = |name: &str, at: &str| {
        let mut sent = kept(name, 1);
        let properties = json!({"message_id": "mail-1"}).as_object().cloned().unwrap();
        sent.event.kind = hilo_core::event::EventKind::Track { event: name.to_owned(), properties };
        sent.event.occurred_at = at.parse().unwrap();
        sent
    };
    object.record(vec![
        sent("Email Link Clicked", "2026-11-24T09:00:01Z"),
        sent("Email Delivered", "2026-11-24T09:00:00Z"),
    ]);
    let fates = json!({"delivered": "2026-11-24T09:00:00Z", "clicked": "2026-11-24T09:00:01Z", "way": "email", "last": "2026-11-24T09:00:01Z"});
    store(
        &object,
        &json!({"version": 3, "profile": {"events": {"track": 2}, "messages": {"listed": {"mail-1": fates}}}}),
    );
    object.volatile = Volatile::default();
    let message = &profile(&mut object)["messages"]["listed"]["mail-1"];
    assert_eq!(message["clicked_by_machine"], "2026-11-24T09:00:01Z");
    assert_eq!(message.get("clicked"), None);
    let page: Page = object.ask(&ProfileCall::Events { cursor: None, limit: 10 });
    let touchpoint = |row: &serde_json::value::RawValue| {
        let row: serde_json::Value = decode(row.get()).unwrap();
        (row["event"].clone(), row["touchpoint"].get("machine").cloned())
    };
    let shown: Vec<_> = page.rows.iter().map(|row| touchpoint(row)).collect();
    let expected =
        [(json!("Email Link Clicked"), Some(json!(true))), (json!("Email Delivered"), None)];
    assert_eq!(shown, expected);
}
