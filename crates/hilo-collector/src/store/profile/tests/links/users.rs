//! Two users who are one person, on a server's word.

use super::*;

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
        assert_eq!(all.summary("device").events, 8, "call {at}");
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
        assert_eq!(all.summary("new").events, 4, "call {at}");
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
        assert_eq!(all.summary("new").events, 3);
        // The other way is closed from now on.
        all.link("new", "old");
        all.settle("new");
        assert_eq!(link::linked_to(&all.get("new").sql).unwrap(), None);
    }
}
