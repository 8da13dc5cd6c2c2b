//! What a profile that has moved leaves behind, and how long.

use super::super::upkeep::MONTHS;
use super::*;

fn keep_up(object: &mut Object) -> Option<Upkeep> {
    upkeep(&object.sql, &mut object.volatile, &MONTHS, object.now).unwrap()
}

#[test]
fn a_pointer_stays_as_long_as_the_users_profile() {
    let mut both = lives();
    both.link("device", "user");
    both.settle("device");
    both.get("device").deliveries();
    both.get("device").confirm("late", DeliveryResult::Delivered);
    both.settle("device");
    let next = both.get("device").now + SignedDuration::from_hours(180 * 24);
    assert_eq!(keep_up(both.get("device")), Some(Upkeep::Next(next)));
    // The user has not come back for years.
    for table in ["batches", "receipts", "optins", "outbox", "consent"] {
        both.get("user").sql.run(&format!("DELETE FROM {table}"), &[]).unwrap();
    }
    let forget = "DELETE FROM meta WHERE key IN ('profile', 'remainder')";
    both.get("user").sql.run(forget, &[]).unwrap();
    both.get("user").volatile = Volatile::default();
    let waits = both.get("user").now + SignedDuration::from_hours(180 * 24);
    assert_eq!(keep_up(both.get("user")), Some(Upkeep::Next(waits)), "a pointer leads there");
    both.settle("device");
    assert_eq!(keep_up(both.get("device")), Some(Upkeep::Forget));
    assert_eq!(keep_up(both.get("user")), Some(Upkeep::Forget));
}

#[test]
fn what_a_version_without_links_stores_behind_a_pointer_stays() {
    let mut both = Objects::new(&["device", "user"]);
    both.get("user").record(vec![kept("u1", 1)]);
    both.get("device").record(vec![kept("m1", 1)]);
    both.link("device", "user");
    both.settle("device");
    let device = both.get("device");
    device.sql.run("UPDATE meta SET key = 'hidden' WHERE key = 'linked_to'", &[]).unwrap();
    device.volatile = Volatile::default();
    device.record(vec![kept("m2", 1)]);
    device.sql.run("UPDATE meta SET key = 'linked_to' WHERE key = 'hidden'", &[]).unwrap();
    device.volatile = Volatile::default();
    both.settle("device");
    assert_eq!(both.summary("device").events, 2, "those of the user");
    let kept = both.get("device").sql.exec("SELECT seq FROM batches", &[]).unwrap();
    assert_eq!(kept.len(), 1, "the one that came meanwhile");
}

#[test]
fn a_binding_that_is_linked_to_a_user_without_anything_leaves_nothing() {
    let mut both = Objects::new(&["device", "user"]);
    let proof = |shown: &str, fresh: Option<&str>| {
        let (shown, fresh) = (Some(shown.to_owned()), fresh.map(str::to_owned));
        ProfileCall::Claim(Proof { shown, fresh, link: Some(to("user")), ..Proof::default() })
    };
    let new = Proof { fresh: Some("one".to_owned()), ..Proof::default() };
    both.ask::<Claimed>("device", &ProfileCall::Claim(new));
    assert_eq!(both.ask::<Claimed>("device", &proof("one", None)).whose, Whose::Yours);
    both.settle("device");
    for name in ["device", "user"] {
        assert_eq!(keep_up(both.get(name)), Some(Upkeep::Forget), "{name}");
    }
}

#[test]
fn a_device_that_was_linked_keeps_the_key_of_its_lines_in_archives() {
    let mut both = Objects::new(&["device", "user"]);
    both.get("device").record(vec![kept("m1", 1)]);
    let key = |both: &mut Objects| {
        let read = "SELECT value FROM meta WHERE key = 'archive_key'";
        let rows = both.get("device").sql.exec(read, &[]).unwrap();
        rows.first().map(|row| row.text("value").unwrap().to_owned())
    };
    let draw = "INSERT INTO meta (key, value) VALUES ('archive_key', 'drawn')";
    both.get("device").sql.run(draw, &[]).unwrap();
    both.link("device", "user");
    both.settle("device");
    assert_eq!(key(&mut both).as_deref(), Some("drawn"));
}
