//! How many rows are written, and that no row of an earlier layout is lost.

use super::*;

/// The number of rows that all statements so far have written. Index entries come on top, and these tables have none.
fn written(object: &Object) -> i64 {
    let rows = object.sql.exec("SELECT total_changes() AS n", &[]).unwrap();
    rows[0].int("n").unwrap()
}

#[test]
fn a_batch_writes_one_row_for_its_events_and_two_for_its_delivery() {
    let mut object = Object::new();
    object.record(vec![bound("m")]);
    object.deliveries();
    object.confirm("m", DeliveryResult::Delivered);
    let ids: Vec<String> = (0..10).map(|n| format!("m{n}")).collect();
    let before = written(&object);
    object.record(ids.iter().map(|id| bound(id)).collect());
    assert_eq!(written(&object) - before, 2);
    object.deliveries();
    let results: Vec<_> = ids.iter().map(|id| (id.as_str(), DeliveryResult::Delivered)).collect();
    object.confirm_all(&results);
    assert_eq!(written(&object) - before, 3);
    let indexes =
        "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name IN ('batches', 'outbox')";
    assert_eq!(object.sql.exec(indexes, &[]).unwrap(), []);
}

#[test]
fn a_mark_before_a_request_writes_one_row_and_the_result_one_more() {
    let mut object = Object::new();
    object.record(vec![bound("m1"), bound("m2")]);
    let deliveries = object.deliveries();
    let before = written(&object);
    let asked = deliveries.iter().map(Delivery::under_way).collect();
    object.ask::<Vec<Option<i64>>>(&ProfileCall::Sending(asked));
    assert_eq!(written(&object) - before, 1);
    object.confirm_all(&[("m1", DeliveryResult::Delivered), ("m2", DeliveryResult::Delivered)]);
    assert_eq!(written(&object) - before, 2);
}

#[test]
fn a_delivery_that_is_done_is_shown_without_a_row() {
    let mut object = Object::new();
    object.record(vec![bound("m1"), bound("m2"), kept("m3", 1)]);
    object.deliveries();
    object.confirm_all(&[("m1", DeliveryResult::Delivered), ("m2", retry(1))]);
    let of = |id: &str, state: &str, attempts| (id.to_owned(), state.to_owned(), attempts);
    assert_eq!(object.outbox(), [of("m2", "pending", 1), of("m1", "delivered", 0)]);
    let rows = object.sql.exec("SELECT message_ids FROM outbox", &[]).unwrap();
    assert_eq!(
        rows.iter().map(|row| row.text("message_ids").unwrap()).collect::<Vec<_>>(),
        ["[\"m2\"]"]
    );
}

#[test]
fn a_row_of_the_outbox_does_not_get_the_number_of_one_that_has_just_ended() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    let first = object.row("m1");
    object.deliveries();
    object.confirm("m1", DeliveryResult::Delivered);
    object.record(vec![bound("m2")]);
    assert!(object.row("m2") > first);
}

/// A storage as the collector before rows of many events has left it.
fn object_with_a_row_for_each_event() -> Object {
    let object = Object::new();
    schema::apply(&object.sql, schema::PROFILE.first(6)).unwrap();
    for n in 1..=70_i64 {
        let mut event = event(&format!("m{n}"), 1);
        event.context.hilo.session = serde_json::from_value(json!({"id": "s1"})).unwrap();
        let insert = "INSERT INTO events (seq, message_id, occurred_ms, body, source) VALUES (?, ?, ?, ?, 'app')";
        let (id, body) = (event.message_id.clone(), encode(&event).unwrap());
        let values = [SqlValue::Int(n), id.into(), SqlValue::Int(n), SqlValue::Text(body)];
        object.sql.run(insert, &values).unwrap();
    }
    let touch = json!({"channel": "Email", "via": "page"}).to_string();
    let session = "INSERT INTO sessions (id, touch) VALUES ('s1', ?)";
    object.sql.run(session, &[SqlValue::Text(touch)]).unwrap();
    for (ids, state, attempts) in
        [("[\"m1\",\"m70\"]", "pending", 1), ("[\"m2\"]", "delivered", 0), ("[\"m3\"]", "dead", 9)]
    {
        let row = "INSERT INTO outbox (message_ids, destination, purposes, state, attempts, next_ms, updated_ms)
            VALUES (?, 'webhook', 'analytics', ?, ?, 0, 0)";
        let values = [SqlValue::from(ids), SqlValue::from(state), SqlValue::from(attempts)];
        object.sql.run(row, &values).unwrap();
    }
    let meta =
        "INSERT INTO meta (key, value) VALUES ('name', 'p'), ('folded', '64'), ('profile', ?)";
    let profile =
        json!({"version": hilo_core::profile::VERSION, "profile": {"events": {"page": 64}}});
    object.sql.run(meta, &[SqlValue::Text(profile.to_string())]).unwrap();
    object
}

#[test]
fn no_row_of_the_layout_with_a_row_for_each_event_is_lost() {
    let mut object = object_with_a_row_for_each_event();
    let summary: Summary = object.ask(&ProfileCall::Summary);
    let profile: serde_json::Value = decode(summary.profile.get()).unwrap();
    assert_eq!((summary.events, &profile["events"]), (70, &json!({"page": 70})));
    let page: Page = object.ask(&ProfileCall::Events { cursor: None, limit: 200 });
    let ids = page.rows.iter().map(|row| decode::<Event>(row.get()).unwrap().message_id);
    assert!(ids.eq((1..=70).rev().map(|n| format!("m{n}"))));
    let of = |id: &str, state: &str, attempts| (id.to_owned(), state.to_owned(), attempts);
    let expected = [
        of("m70", "pending", 1),
        of("m3", "dead", 9),
        of("m2", "delivered", 0),
        of("m1", "pending", 1),
    ];
    assert_eq!(object.outbox(), expected);
    assert_eq!(object.due(), [("m1".to_owned(), 1), ("m70".to_owned(), 1)]);
    // The session of old events is known, and their ids are.
    let mut later = kept("m71", 1);
    later.event.context.hilo.session = serde_json::from_value(json!({"id": "s1"})).unwrap();
    let channel = Some(hilo_core::journey::Channel::Email);
    let stored = Recorded::Stored { channel, destinations: vec![] };
    assert_eq!(object.record(vec![kept("m5", 1), later]), [Recorded::Duplicate, stored]);
    let tables = "SELECT name FROM sqlite_master WHERE name IN ('events', 'sessions')";
    assert_eq!(object.sql.exec(tables, &[]).unwrap(), []);
}

#[test]
fn a_page_by_time_finds_late_events_in_whatever_row_they_stand() {
    let mut object = Object::new();
    for batch in 0..9 {
        let at = |n: i64| {
            let mut sent = kept(&format!("m{}", batch * 3 + n), 1);
            // Each row has one early and one late event, so all rows overlap.
            sent.event.occurred_at += SignedDuration::from_secs((batch * 7 + n * 40) % 60);
            sent
        };
        object.record((0..3).map(at).collect());
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page: Page = object.ask(&ProfileCall::Events { cursor, limit: 4 });
        let events = page.rows.iter().map(|row| decode::<Event>(row.get()).unwrap());
        seen.extend(events.map(|event| (event.occurred_at, event.message_id)));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 27);
    assert!(seen.iter().map(|(at, _)| at).is_sorted_by(|a, b| a >= b));
    let ids: std::collections::BTreeSet<_> = seen.iter().map(|(_, id)| id).collect();
    assert_eq!(ids.len(), 27);
}

#[test]
fn numbers_beyond_a_double_are_refused() {
    assert!(SqlValue::int(1 << 53).is_err());
    assert!(SqlValue::int((1 << 53) - 1).is_ok());
}
