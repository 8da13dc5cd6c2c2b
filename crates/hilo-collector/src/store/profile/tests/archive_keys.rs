//! The key that opens the person's lines in an archive: one for each person, and gone with an erasure.

use hilo_core::profile::Person;

use super::erasure::device;
use super::*;

/// An event for an archive, which wants the key and no person.
fn archived(id: &str) -> Sent {
    let mut sent = bound(id);
    sent.to[0].wants_key = true;
    sent
}

/// Returns the keys that are sent with the ready deliveries.
fn keys(object: &mut Object) -> Vec<String> {
    let deliveries = object.deliveries();
    let key = |one: &Delivery| {
        let person = one.person.as_deref().unwrap();
        assert_eq!(Person { archive_key: None, ..person.clone() }, Person::default());
        let key = person.archive_key.as_ref().unwrap();
        assert_eq!(key.subject, "p");
        key.key.clone()
    };
    deliveries.iter().map(key).collect()
}

#[test]
fn each_attempt_has_the_key_of_its_person_and_nothing_else_of_the_person() {
    let mut object = Object::new();
    object.record(vec![archived("m1"), archived("m2")]);
    let first = keys(&mut object);
    assert_eq!(first.len(), 2);
    object.volatile = Volatile::default();
    object.now += SignedDuration::from_mins(5);
    let again = keys(&mut object);
    assert!(again.iter().chain(&first).all(|key| *key == first[0]));
    let mut other = Object::new();
    other.record(vec![archived("m1")]);
    assert_ne!(keys(&mut other), first[..1], "the bytes are drawn");
}

#[test]
fn a_destination_that_wants_no_key_gets_none_and_draws_none() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    assert!(object.deliveries()[0].person.is_none());
    let drawn = "SELECT 1 FROM meta WHERE key = 'archive_key'";
    assert!(object.sql.exec(drawn, &[]).unwrap().is_empty());
}

#[test]
fn an_erased_person_has_another_key_afterwards() {
    let mut object = Object::new();
    object.record(vec![archived("m1")]);
    let before = keys(&mut object);
    object.ask::<crate::calls::erasure::Erased>(&ProfileCall::Erase(Box::new(
        crate::calls::erasure::Erase { is_device: false, ..device() },
    )));
    object.now += SignedDuration::from_hours(1);
    let mut later = archived("m2");
    later.event.occurred_at = object.now;
    later.event.received_at = object.now;
    object.record(vec![later]);
    let after = keys(&mut object);
    assert_eq!(after.len(), 1);
    assert_ne!(after, before);
}
