//! Recorded choices: reports are ordered by their time, and a choice lifts Global Privacy Control for its own purpose.

use super::*;
use crate::calls::ConsentReport;

impl Object {
    fn change(&mut self, change: ConsentChange) -> ConsentRecorded {
        self.ask(&ProfileCall::Consent(change))
    }

    /// The newest page of the person's copy.
    fn copy(&mut self) -> ConsentCopy {
        self.ask(&ProfileCall::ConsentCopy { cursor: None })
    }

    fn report(&mut self, id: &str, at: &str, state: &str) -> ConsentRecorded {
        self.report_by(true, id, at, state)
    }

    fn report_by(&mut self, is_vouched: bool, id: &str, at: &str, state: &str) -> ConsentRecorded {
        let chosen_at = at.parse().unwrap();
        let report = Some(ConsentReport { message_id: id.to_owned(), is_vouched });
        self.change(ConsentChange { report, chosen_at, ..change(0, "analytics", state) })
    }
}

#[test]
fn of_two_reports_the_later_counts_in_whatever_order_they_arrive() {
    let mut object = Object::new();
    let stands = |recorded: ConsentRecorded| recorded.consent.state["analytics"].clone();
    object.report("r1", "2026-11-24T08:00:00Z", "denied");
    assert_eq!(stands(object.report("r2", "2026-11-24T09:00:00Z", "granted")), "granted");
    assert_eq!(stands(object.report("r3", "2026-11-24T08:30:00Z", "denied")), "granted");
    assert_eq!(stands(object.report("r4", "2026-11-24T09:00:00Z", "denied")), "denied");
    assert_eq!(stands(object.report("r5", "2026-11-24T09:00:00Z", "granted")), "denied");
}

#[test]
fn a_report_takes_the_next_revision_and_is_recorded_once() {
    let mut object = Object::new();
    object.decide(0, "analytics", "granted");
    let first = object.report("r1", "2026-11-24T11:00:00Z", "denied");
    assert_eq!(first.receipt.as_ref().unwrap().revision, 2);
    let again = object.report("r1", "2026-11-24T09:59:59Z", "denied");
    assert_eq!(again.receipt, first.receipt);
    assert_eq!(object.record(vec![kept("m1", 4)]), [Recorded::ConsentDenied]);
}

#[test]
fn a_choice_lifts_gpc_only_if_it_was_made_while_the_signal_was_on() {
    let purposes = vec![Purpose::Analytics, Purpose::Advertising];
    let (name, channel, wants_person, wants_key) = ("ads".to_owned(), None, false, false);
    let ads = Planned { name, purposes, channel, wants_person, wants_key, is_owed: false };
    let claim = |id: &str| {
        let mut event = event(id, 1);
        let consent = event.context.consent.as_mut().unwrap();
        consent.category_preferences.insert("advertising".to_owned(), false);
        consent.against_gpc.push(Purpose::Advertising);
        Sent { event, to: vec![ads.clone()] }
    };
    let mut object = Object::new();
    assert_eq!(object.record(vec![claim("m1")]), [stored(&[])]);
    object.decide(1, "advertising", "granted");
    assert_eq!(object.record(vec![claim("m2")]), [stored(&[])]);
    let signals = [("gpc".to_owned(), "1".to_owned())].into();
    object.change(ConsentChange { signals, ..change(2, "advertising", "granted") });
    assert_eq!(object.record(vec![claim("m3")]), [stored(&["ads"])]);
    let page: Page = object.ask(&ProfileCall::Events { cursor: None, limit: 1 });
    let event: Event = decode(page.rows[0].get()).unwrap();
    assert!(event.context.consent.unwrap().category_preferences["advertising"]);
    object.decide(3, "advertising", "denied");
    assert_eq!(object.record(vec![claim("m4")]), [stored(&[])]);
}

#[test]
fn a_choice_from_before_choices_had_a_time_stays_until_a_report_that_is_newer_than_the_migration() {
    let mut object = Object::new();
    schema::apply(&object.sql, schema::PROFILE.first(5)).unwrap();
    let choices = "INSERT INTO consent (purpose, state, revision) VALUES ('analytics', 'denied', 4), ('advertising', 'granted', 4)";
    object.sql.exec(choices, &[]).unwrap();
    let stands = |copy: ConsentCopy| (copy.revision, copy.state["analytics"].clone());
    let copy = object.copy();
    assert_eq!(copy.state["advertising"], "granted");
    assert_eq!(stands(copy), (4, "denied".to_owned()));
    let rows = object.sql.exec("SELECT chosen_ms, by_report FROM consent", &[]).unwrap();
    assert!(rows.iter().all(|row| row.int("by_report").unwrap() == 0));
    let migrated_ms = rows[0].int("chosen_ms").unwrap();
    let at = |s: i64| Timestamp::from_millisecond(migrated_ms + s * 1_000).unwrap();
    object.now = at(3_600);
    object.report("r1", &at(-1).to_string(), "granted");
    assert_eq!(stands(object.copy()).1, "denied");
    // A report under the key of a page lifts no denial of the visitor's, and every denial before was one.
    object.report_by(false, "r2", &at(1).to_string(), "granted");
    assert_eq!(stands(object.copy()).1, "denied");
    object.report("r3", &at(1).to_string(), "granted");
    assert_eq!(stands(object.copy()), (5, "granted".to_owned()));
}

#[test]
fn reports_of_one_call_are_recorded_in_their_order_or_not_at_all() {
    let mut object = Object::new();
    let report = |id: &str, at: &str, state: &str| {
        let chosen_at = at.parse().unwrap();
        let report = Some(ConsentReport { message_id: id.to_owned(), is_vouched: true });
        ConsentChange { report, chosen_at, ..change(0, "analytics", state) }
    };
    let changes = vec![
        report("r1", "2026-11-24T09:00:00Z", "granted"),
        report("r2", "2026-11-24T09:00:01Z", "denied"),
        report("r1", "2026-11-24T09:00:02Z", "granted"),
    ];
    let call = ProfileCall::ConsentReports(changes);
    for _ in 0..2 {
        object.ask::<()>(&call);
        let copy = object.copy();
        let receipts = copy.receipts.iter().map(|row| decode(row.get()).unwrap());
        let told: Vec<_> = receipts
            .map(|receipt: Receipt| (receipt.revision, receipt.changes[0].state.clone()))
            .collect();
        assert_eq!(told, [(2, "denied".to_owned()), (1, "granted".to_owned())], "newest first");
        assert_eq!(copy.state["analytics"], "denied");
    }
    object.sql.exec("DROP TABLE receipts", &[]).unwrap();
    let later = vec![report("r3", "2026-11-24T09:30:00Z", "granted")];
    assert!(object.answer(&encode(&ProfileCall::ConsentReports(later)).unwrap()).is_err());
    let rows = object.sql.exec("SELECT state FROM consent", &[]).unwrap();
    assert_eq!(rows[0].text("state").unwrap(), "denied");
}

#[test]
fn a_denial_of_the_visitor_counts_whatever_reports_came_before() {
    let mut object = Object::new();
    object.decide(1, "analytics", "granted");
    object.now = "2026-11-25T10:00:00Z".parse().unwrap();
    object.report("r1", "2026-11-25T08:00:00Z", "granted");
    let claimed = change(0, "analytics", "granted");
    let chosen_at = "2026-11-25T09:00:00Z".parse().unwrap();
    let report = Some(ConsentReport { message_id: "r2".to_owned(), is_vouched: true });
    object.change(ConsentChange { report, chosen_at, ..claimed });
    let denied = object.change(change(2, "analytics", "denied"));
    assert_eq!(denied.consent.state["analytics"], "denied");
    assert_eq!(object.record(vec![kept("m1", 3)]), [Recorded::ConsentDenied]);
}

#[test]
fn a_report_under_the_key_of_a_page_lifts_only_what_a_report_denied() {
    for (is_vouched, state) in [(false, "denied"), (true, "granted")] {
        let mut object = Object::new();
        object.change(change(1, "analytics", "denied"));
        object.now = "2026-11-25T10:00:00Z".parse().unwrap();
        let told = object.report_by(is_vouched, "r1", "2026-11-25T09:00:00Z", "granted");
        assert_eq!(told.consent.state["analytics"], state);
    }
    let mut object = Object::new();
    object.report_by(false, "r1", "2026-11-24T08:00:00Z", "denied");
    let told = object.report_by(false, "r2", "2026-11-24T09:00:00Z", "granted");
    assert_eq!(told.consent.state["analytics"], "granted");
}

#[test]
fn a_denial_counts_whatever_revision_the_page_knew_and_only_a_newer_grant_lifts_it() {
    let mut object = Object::new();
    for base in 0..3 {
        object.decide(base, "analytics", "granted");
    }
    let denied = object.decide(0, "analytics", "denied");
    assert_eq!((denied.consent.revision, &*denied.consent.state["analytics"]), (4, "denied"));
    for base in [0, 3] {
        let mut later = change(base, "analytics", "granted");
        later.changes[0].at = "2026-11-24T10:00:01Z".to_owned();
        let refused = object.change(later);
        assert_eq!((refused.receipt, refused.consent), (None, denied.consent.clone()));
        assert_eq!(refused.outdated, ["analytics"]);
    }
    let lifted = object.decide(4, "analytics", "granted");
    assert_eq!((lifted.consent.revision, &*lifted.consent.state["analytics"]), (5, "granted"));
    assert!(lifted.outdated.is_empty());
}

#[test]
fn a_claim_of_any_revision_lifts_no_denial_and_leaves_the_next_revision_to_the_visitor() {
    let mut object = Object::new();
    object.decide(u32::MAX, "analytics", "granted");
    object.decide(0, "analytics", "denied");
    for revision in [0, 1, 2, 999, u32::MAX] {
        assert_eq!(object.record(vec![kept("m1", revision)]), [Recorded::ConsentDenied]);
    }
    assert_eq!(object.decide(2, "analytics", "granted").consent.revision, 3);
    assert_eq!(object.record(vec![kept("m1", 0)]), [stored(&[])]);
}

#[test]
fn the_denials_of_a_change_count_where_its_grants_are_outdated() {
    let mut object = Object::new();
    object.decide(0, "advertising", "denied");
    let mut mixed = change(0, "advertising", "granted");
    mixed.changes.extend(change(0, "analytics", "denied").changes);
    let told = object.change(mixed);
    assert_eq!(told.outdated, ["advertising"]);
    assert_eq!(told.consent.state["analytics"], "denied");
    let proved: Vec<_> = told.receipt.unwrap().changes.into_iter().map(|one| one.purpose).collect();
    assert_eq!(proved, ["analytics"]);
}

#[test]
fn of_a_persons_devices_the_later_grant_lifts_and_every_denial_counts() {
    let mut object = Object::new();
    let mut at = |time: &str, state: &str| {
        let chosen_at = time.parse().unwrap();
        let mut chosen = ConsentChange { chosen_at, ..change(0, "analytics", state) };
        chosen.changes[0].at = time.to_owned();
        let told = object.change(chosen);
        told.consent.state["analytics"].clone()
    };
    assert_eq!(at("2026-11-24T09:00:00Z", "granted"), "granted");
    assert_eq!(at("2026-11-24T09:30:00Z", "denied"), "denied");
    assert_eq!(at("2026-11-24T09:10:00Z", "granted"), "denied");
    assert_eq!(at("2026-11-24T09:40:00Z", "granted"), "granted");
    assert_eq!(at("2026-11-24T09:20:00Z", "denied"), "denied");
}

#[test]
fn a_grant_that_a_page_only_found_lifts_no_denial() {
    let mut object = Object::new();
    let mut at = |time: &str, base: u32, state: &str, is_found: bool| {
        let chosen_at = time.parse().unwrap();
        let mut chosen = ConsentChange { chosen_at, is_found, ..change(base, "analytics", state) };
        chosen.changes[0].at = time.to_owned();
        object.change(chosen).consent.state["analytics"].clone()
    };
    assert_eq!(at("2026-11-24T09:00:00Z", 0, "granted", true), "granted");
    assert_eq!(at("2026-11-24T09:10:00Z", 0, "denied", false), "denied");
    assert_eq!(at("2026-11-24T09:20:00Z", 0, "granted", true), "denied", "another device");
    assert_eq!(at("2026-11-24T09:30:00Z", 0, "granted", false), "granted", "a choice made there");
    assert_eq!(at("2026-11-24T09:40:00Z", 0, "denied", true), "denied", "a denial always counts");
    assert_eq!(at("2026-11-24T09:50:00Z", 9, "granted", true), "denied", "whatever the page knew");
}

#[test]
fn receipts_with_large_signals_are_read_in_small_pages_that_form_one_chain() {
    let mut object = Object::new();
    for revision in 0..200 {
        object.now += jiff::SignedDuration::from_secs(1);
        let signals = [("tcf".to_owned(), "x".repeat(8_000))].into();
        object.change(ConsentChange { signals, ..change(revision, "analytics", "denied") });
    }
    let (mut cursor, mut hash, mut count) = (None, None, 0);
    loop {
        object.now += jiff::SignedDuration::from_secs(1);
        let copy: ConsentCopy = object.ask(&ProfileCall::ConsentCopy { cursor });
        assert!(encode(&copy).unwrap().len() < 512 * 1024);
        for row in &copy.receipts {
            let receipt: Receipt = decode(row.get()).unwrap();
            assert!(hash.is_none_or(|hash| hash == receipt.hash), "newest first, without a gap");
            hash = Some(receipt.prev_hash);
            count += 1;
        }
        cursor = copy.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((count, hash.as_deref()), (200, Some("")));
}
