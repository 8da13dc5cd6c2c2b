//! Tests that a profile from another version of the fold is folded again.

use super::*;

fn profile(object: &mut Object) -> serde_json::Value {
    let summary: Summary = object.ask(&ProfileCall::Summary);
    decode(summary.profile.get()).unwrap()
}

/// Stores a profile in the way of an earlier collector.
fn store(object: &Object, profile: &serde_json::Value) {
    let statement = "INSERT OR REPLACE INTO meta (key, value) VALUES ('profile', ?), ('folded', ?)";
    let last = object.sql.exec("SELECT max(seq) AS last FROM events", &[]).unwrap();
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
    assert_eq!(stored["profile"]["traits"]["number"]["value"], json!(249));
    assert_eq!(profile(&mut object)["events"], json!({"identify": 250, "page": 1}));
}
