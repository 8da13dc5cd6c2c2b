//! The end of what the index and a contact have: an erasure, and the end of its time.

use super::*;

/// Erases a person, step by step.
fn erase(memory: &Memory, key: &str) {
    let begun = admin(memory, "POST", &format!("profiles/{key}/erase"), &Value::Null);
    assert_eq!(begun["status"], "erasing", "{begun}");
    for _ in 0..20 {
        run(memory.settle()).unwrap().unwrap();
        memory.advance(SignedDuration::from_mins(20));
    }
}

#[test]
fn an_erasure_reaches_the_index_and_the_contacts_who_had_joined() {
    let memory = memory();
    taken(&memory, "phone", &[call("c1", who(&[("phone", PHONE)]))]);
    let (_, waiting) = find(&memory, &json!({"phone": PHONE}));
    identify(&memory);
    pass(&memory);
    erase(&memory, ANA);
    let summary = admin(&memory, "GET", "profiles/u:ana", &Value::Null);
    assert_eq!(summary["erasure"]["status"], "done", "{summary}");
    for body in [json!({"phone": PHONE}), json!({"email": EMAIL}), json!({"loyaltyId": "L-1"})] {
        assert_eq!(find(&memory, &body), (vec![], vec![]), "{body}");
    }
    assert_eq!(timeline(&memory, &waiting[0]), Vec::<String>::new());
    // The number is a stranger's again, under another label.
    let found = taken(&memory, "phone", &[call("c2", who(&[("phone", PHONE)]))]);
    assert_eq!(found, [accepted(&[Code::ContactUnknown])]);
    let (_, anew) = find(&memory, &json!({"phone": PHONE}));
    assert_ne!(anew, waiting);
    assert_eq!(timeline(&memory, ANA), Vec::<String>::new());
}

#[test]
fn an_erased_contact_leaves_nothing_in_the_index() {
    let memory = memory();
    taken(&memory, "phone", &[call("c1", who(&[("phone", PHONE), ("email", EMAIL)]))]);
    let (_, waiting) = find(&memory, &json!({"phone": PHONE}));
    erase(&memory, &waiting[0]);
    for body in [json!({"phone": PHONE}), json!({"email": EMAIL})] {
        assert_eq!(find(&memory, &body), (vec![], vec![]), "{body}");
    }
}

#[test]
fn a_contact_whose_time_is_over_is_forgotten_with_its_place_in_the_index() {
    let memory = memory();
    taken(&memory, "phone", &[call("c1", who(&[("phone", PHONE)]))]);
    assert_eq!(find(&memory, &json!({"phone": PHONE})).1.len(), 1);
    for _ in 0..40 {
        run(memory.settle()).unwrap().unwrap();
        memory.advance(SignedDuration::from_hours(24 * 30));
    }
    assert_eq!(find(&memory, &json!({"phone": PHONE})), (vec![], vec![]));
}

#[test]
fn a_contact_of_an_erased_person_takes_no_late_event() {
    let memory = memory();
    identify(&memory);
    erase(&memory, ANA);
    let late = call("c1", who(&[("user", "ana")]));
    assert_eq!(taken(&memory, "phone", &[late])[0].0, "erased");
}
