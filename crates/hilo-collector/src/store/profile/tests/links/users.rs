//! Two users who are one person, on a server's word.

use super::*;
use crate::calls::erasure::ErasureStanding;

/// Two users, a device of the first, and a device that is linked later.
fn users() -> Objects {
    let mut all = Objects::new(&["device", "late", "old", "new"]);
    for name in ["device", "late", "old", "new"] {
        all.get(name).record(vec![kept(&format!("of {name}"), 1)]);
        all.get(name).decide(0, "analytics", "granted");
        all.get(name).say(OptInChannel::Sms, OptInState::Subscribed);
    }
    all.link("device", "old");
    all.settle("device");
    all
}

#[test]
fn the_pointers_of_a_user_who_moves_lead_to_the_new_one_in_one_hop() {
    for at in 0..12 {
        let mut all = users();
        assert!(all.link("old", "new"));
        all.cut = Some((all.calls + at, Break::Crash));
        all.settle("old");
        all.cut = None;
        all.settle("old");
        assert_eq!(link::linked_to(&all.get("device").sql).unwrap().as_deref(), Some("new"));
        assert_eq!(link::links(&all.get("new").sql).unwrap(), ["device", "old"]);
        // Somebody with a token of the old id comes later.
        assert!(all.link("late", "old"));
        all.settle("late");
        assert_eq!(link::linked_to(&all.get("late").sql).unwrap().as_deref(), Some("new"));
        for name in ["device", "late", "old", "new"] {
            let reply = all.text(name, &call(&[kept(&format!("later of {name}"), 1)]));
            assert_eq!(reply, "", "call {at}");
        }
        assert_eq!(all.summary("device").events, 12, "call {at}");
        let receipts = all.rows("old", |cursor, limit| ProfileCall::Receipts { cursor, limit });
        let begins = receipts.iter().filter(|one| one["prev_hash"] == "").count();
        assert_eq!(begins, 4, "a chain for each profile");
        assert_eq!(keys(all.get("old")), ["customer", "linked_to", "name", "schema"]);
    }
}

#[test]
fn a_device_that_is_on_its_way_follows_its_user() {
    for at in 1..4 {
        let mut all = users();
        all.link("late", "old");
        all.cut = Some((all.calls + at, Break::Unanswered));
        all.alarm("late");
        all.cut = None;
        all.link("old", "new");
        all.settle("old");
        all.settle("late");
        assert_eq!(link::linked_to(&all.get("late").sql).unwrap().as_deref(), Some("new"));
        assert_eq!(all.summary("new").events, 8, "call {at}");
        let ledger = all.rows("new", |cursor, limit| ProfileCall::OptIns { cursor, limit });
        assert_eq!(ledger.len(), 1, "equal entries are one, call {at}");
    }
}

#[test]
fn of_two_users_that_would_move_into_each_other_one_moves() {
    for order in [["old", "new"], ["new", "old"]] {
        let mut all = users();
        all.link("old", "new");
        all.link("new", "old");
        for _ in 0..3 {
            all.alarm(order[0]);
            all.alarm(order[1]);
        }
        let pointers = ["old", "new"].map(|name| link::linked_to(&all.get(name).sql).unwrap());
        assert_eq!(pointers, [Some("new".to_owned()), None], "{order:?}");
        assert_eq!(all.summary("new").events, 6);
        // The other way is closed from now on.
        all.link("new", "old");
        all.settle("new");
        assert_eq!(link::linked_to(&all.get("new").sql).unwrap(), None);
    }
}

#[test]
fn a_profile_whose_user_was_erased_before_it_told_of_its_link_erases_itself() {
    for is_back in [false, true] {
        let mut all = Objects::new(&["device", "user"]);
        all.get("user").record(vec![kept("u1", 1)]);
        all.get("device").record(vec![bound("m1")]);
        all.get("device").decide(0, "analytics", "granted");
        let moved = ProfileCall::Erase(Box::default());
        if is_back {
            // The link is newer than the erasure, so the user may have it.
            all.ask::<Value>("user", &moved);
            all.objects.iter_mut().for_each(|one| one.now += SignedDuration::from_secs(1));
            all.link("device", "user");
        } else {
            all.link("device", "user");
            all.objects.iter_mut().for_each(|one| one.now += SignedDuration::from_secs(1));
            all.ask::<Value>("user", &moved);
        }
        all.settle("device");
        let pointer = link::linked_to(&all.get("device").sql).unwrap();
        assert_eq!(pointer.is_some(), is_back);
        assert_eq!(link::links(&all.get("user").sql).unwrap().len(), usize::from(is_back));
        let receipts = all.rows("user", |cursor, limit| ProfileCall::Receipts { cursor, limit });
        assert_eq!(receipts.is_empty(), !is_back);
        assert_eq!(all.get("device").due().len(), usize::from(is_back), "what was pending");
        let erased = all.get("device").ask::<Option<ErasureStanding>>(&ProfileCall::Erasure);
        assert_eq!(erased.is_some(), !is_back);
    }
}

#[test]
fn a_circle_of_three_users_links_nobody_to_themselves() {
    let mut all = Objects::new(&["a", "b", "c"]);
    for (name, user) in [("a", "b"), ("b", "c"), ("c", "a")] {
        all.get(name).record(vec![kept(&format!("of {name}"), 1)]);
        assert!(all.link(name, user));
    }
    all.cut = Some((1, Break::Unanswered));
    assert!(!all.alarm("a"));
    assert_eq!(link::links(&all.get("b").sql).unwrap(), ["a"]);
    for name in ["b", "c", "a"] {
        all.settle(name);
    }
    assert_eq!(link::links(&all.get("a").sql).unwrap(), ["b", "c"]);
    for name in ["a", "b", "c"] {
        assert_eq!(all.summary(name).events, 3, "{name}");
    }
}

#[test]
fn a_session_from_before_an_erasure_does_not_come_along() {
    let visit = |id: &str, session: &str, time: &str| {
        let mut event = serde_json::to_value(event(id, 1)).unwrap();
        event["timestamp"] = time.into();
        event["context"]["hilo"]["session"]["id"] = session.into();
        event["context"]["hilo"]["touch"] = json!({"channel": "Email", "via": "page"});
        Sent { event: serde_json::from_value(event).unwrap(), to: vec![] }
    };
    let mut all = Objects::new(&["device", "user"]);
    all.get("user").record(vec![kept("u1", 1)]);
    let visits =
        [("m1", "before", "2026-11-24T09:00:00Z"), ("m2", "after", "2026-11-24T11:00:00Z")];
    all.get("device").record(visits.map(|(id, session, time)| visit(id, session, time)).into());
    all.ask::<Value>("user", &ProfileCall::Erase(Box::default()));
    all.get("device").now += SignedDuration::from_hours(2);
    all.link("device", "user");
    all.settle("device");
    assert_eq!(all.summary("user").events, 1);
    let has = |session| timeline::session(&all.get("user").sql, session).unwrap().is_some();
    assert_eq!(["before", "after"].map(has), [false, true]);
}
