//! The erasure of the person: what goes, what is refused afterwards, and the steps in their order.

use std::path::PathBuf;

use super::upkeep::MONTHS;
use super::*;
use crate::calls::erasure::{
    CartClaim, CartErased, CartToErase, Ended, Erase, Erased, ErasureStatus, Parting, Step, Task,
};
use crate::calls::{Claimed, Proof, ReportTaken, UnderWay, Whose};
use crate::signature::sha256_hex;

const LABEL: &str = "0123456789abcdef0123456789abcdef";

impl Object {
    fn erase(&mut self, erase: Erase) -> Erased {
        self.ask(&ProfileCall::Erase(Box::new(erase)))
    }

    fn task(&mut self) -> Option<Task> {
        erasure_task(&self.sql, &mut self.volatile, self.now).unwrap()
    }

    fn ended(&mut self, task: &Task, ended: Ended) {
        erasure_ended(&self.sql, task, &ended, self.now).unwrap();
    }

    /// Ends the due task, which has to be of this step.
    fn pass(&mut self, step: Step) {
        let task = self.task().unwrap();
        assert_eq!(task.step(), step);
        self.ended(&task, Ended::Done);
    }

    fn standing(&mut self) -> (ErasureStatus, Option<Step>) {
        let summary: Summary = self.ask(&ProfileCall::Summary);
        let standing = summary.erasure.unwrap();
        (standing.status, standing.step)
    }
}

pub(super) fn device() -> Erase {
    Erase { is_device: true, device: Some(sha256_hex(b"a1")), ..Erase::default() }
}

/// An event of this time.
fn at(id: &str, time: &str) -> Sent {
    let mut sent = kept(id, 1);
    sent.event.occurred_at = time.parse().unwrap();
    sent
}

#[test]
fn an_erased_device_has_nothing_and_takes_nothing_for_ever() {
    let mut object = Object::new();
    object.record(vec![kept("m1", 1)]);
    object.decide(0, "analytics", "granted");
    object.say(OptInChannel::Email, OptInState::Subscribed);
    object.erase(device());
    let summary: Summary = object.ask(&ProfileCall::Summary);
    assert_eq!((summary.events, summary.consent.len(), summary.optins.len()), (0, 0, 0));
    for restarts in [false, true] {
        if restarts {
            object.volatile = Volatile::default();
        }
        object.now += SignedDuration::from_hours(24);
        let later = at("m9", "2027-01-01T10:00:00Z");
        assert_eq!(object.record(vec![kept("m1", 1), later]), [Recorded::Erased, Recorded::Erased]);
        let grant = object.decide(9, "analytics", "granted");
        assert_eq!((grant.is_erased, grant.receipt), (true, None));
        let said = opt_in(OptInChannel::Email, OptInState::Subscribed);
        let call = ProfileCall::OptIn(Box::new(OptInCall {
            said,
            request: None,
            listeners: Listeners::default(),
        }));
        assert_eq!(object.ask::<Option<OptIn>>(&call), None);
        let reports = ProfileCall::ConsentReports(vec![change(0, "analytics", "granted")]);
        assert_eq!(object.ask::<Vec<ReportTaken>>(&reports), [ReportTaken::Erased]);
        for shown in [None, Some("one".to_owned())] {
            let claim = Proof { shown, fresh: Some("two".to_owned()), ..Proof::default() };
            let claimed: Claimed = object.ask(&ProfileCall::Claim(claim));
            assert_eq!(claimed.whose, Whose::Erased);
        }
        let summary: Summary = object.ask(&ProfileCall::Summary);
        assert_eq!((summary.events, summary.consent.len(), summary.optins.len()), (0, 0, 0));
    }
}

#[test]
fn a_user_may_come_back_and_what_is_from_before_stays_refused() {
    let mut object = Object::new();
    object.record(vec![kept("m1", 1)]);
    object.now += SignedDuration::from_mins(1);
    object.erase(Erase::default());
    let (before, after) = ("2026-11-24T10:01:00Z", "2026-11-24T10:01:00.001Z");
    let recorded = object.record(vec![kept("m1", 1), at("m2", before), at("m3", after)]);
    assert_eq!(recorded, [Recorded::Erased, Recorded::Erased, stored(&[])]);
    assert!(object.decide(0, "analytics", "granted").is_erased, "it was chosen before");
    let chosen_at = after.parse().unwrap();
    let change = ConsentChange { chosen_at, ..change(0, "analytics", "granted") };
    let granted: ConsentRecorded = object.ask(&ProfileCall::Consent(change));
    assert_eq!(granted.consent.revision, 1);
    let summary: Summary = object.ask(&ProfileCall::Summary);
    assert_eq!(summary.events, 1);
}

#[test]
fn the_steps_follow_in_their_order_and_each_is_repeated_until_it_is_done() {
    let mut object = Object::new();
    let mut sent = bound("m1");
    let about = json!({"cart_id": LABEL}).as_object().cloned().unwrap();
    sent.event.kind =
        hilo_core::event::EventKind::Track { event: "A".to_owned(), properties: about };
    object.record(vec![sent]);
    let link = "INSERT INTO links (name, at) VALUES ('phone', 1)";
    object.sql.run(link, &[]).unwrap();
    let proved = "INSERT INTO meta (key, value) VALUES ('device:phone', ?)";
    object.sql.run(proved, &[sha256_hex(b"a2").into()]).unwrap();
    let began = object.now;
    let own = "f".repeat(32);
    let (carts, destinations) = (vec![own.clone()], vec!["desk".to_owned()]);
    object.erase(Erase { carts, destinations: destinations.clone(), ..Erase::default() });
    let names = vec!["phone".to_owned()];
    let devices =
        |step| Task::Devices { step, names: names.clone(), destinations: destinations.clone() };
    assert_eq!(object.task(), Some(devices(Step::Devices)));
    object.volatile = Volatile::default();
    assert_eq!(object.task(), Some(devices(Step::Devices)), "a crash repeats the task");
    object.pass(Step::Devices);
    let cart = object.task().unwrap();
    let asked_ms = began.as_millisecond();
    let task =
        |label: &str, claim| Task::Cart(CartToErase { label: label.to_owned(), claim, asked_ms });
    assert_eq!(cart, task(&own, CartClaim::Proved));
    let guests = vec!["guest".to_owned()];
    object.ended(&cart, Ended::Cart(CartErased { guests }));
    let of_event = CartClaim::OfDevice(vec![sha256_hex(b"a2")]);
    let found = object.task().unwrap();
    assert_eq!(found, task(LABEL, of_event));
    object.ended(&found, Ended::Failed);
    assert_eq!(object.task(), None, "it waits");
    object.now += SignedDuration::from_secs(1);
    object.pass(Step::Carts);
    assert_eq!(object.task(), Some(task("guest", CartClaim::MovedInto(own))));
    object.pass(Step::Carts);
    assert_eq!((object.task(), object.standing().1), (None, Some(Step::Deliveries)));
    assert_eq!(
        erasure_alarm(&object.sql, &mut object.volatile).unwrap(),
        Some(began + SignedDuration::from_secs(40))
    );
    object.now = began + SignedDuration::from_secs(40);
    let journal = object.task().unwrap();
    assert_eq!(journal, Task::Journal { profile: "p".to_owned() });
    object.pass(Step::Journal);
    object.pass(Step::Links);
    let Some(Task::Destination(parting)) = object.task() else { panic!("no destination") };
    let Parting { destination, person, attempt, .. } = *parting;
    assert_eq!((destination.as_str(), attempt), ("desk", 0));
    assert_eq!(person.anonymous_ids, ["a1"]);
    let task = object.task().unwrap();
    object.ended(&task, Ended::Later { after_s: 60 });
    assert_eq!(object.task(), None);
    object.now += SignedDuration::from_secs(60);
    let task = object.task().unwrap();
    object.ended(&task, Ended::Refused);
    assert_eq!(object.task(), None);
    let summary: Summary = object.ask(&ProfileCall::Summary);
    let standing = summary.erasure.unwrap();
    assert_eq!((standing.status, standing.step), (ErasureStatus::Done, None));
    assert_eq!(standing.refused_by, destinations, "somebody has to ask it by hand");
}

#[test]
fn a_second_call_meanwhile_adds_its_carts_and_a_later_one_begins_anew() {
    let mut object = Object::new();
    let first = object.erase(device());
    object.now += SignedDuration::from_secs(1);
    let second = object.erase(Erase { carts: vec![LABEL.to_owned()], ..device() });
    assert_eq!(second.standing.since, first.standing.since);
    assert_eq!(second.standing.step, Some(Step::Carts));
    object.pass(Step::Carts);
    object.pass(Step::Journal);
    assert_eq!(object.task(), None);
    object.now += SignedDuration::from_secs(1);
    assert_ne!(object.erase(device()).standing.since, first.standing.since);
}

#[test]
fn a_cart_that_is_proved_later_is_no_longer_only_claimed() {
    let mut object = Object::new();
    let mut sent = kept("m1", 1);
    let about = json!({"cart_id": LABEL}).as_object().cloned().unwrap();
    sent.event.kind =
        hilo_core::event::EventKind::Track { event: "A".to_owned(), properties: about };
    object.record(vec![sent]);
    object.erase(device());
    let Some(Task::Cart(cart)) = object.task() else { panic!("no cart") };
    assert_eq!(cart.claim, CartClaim::OfDevice(vec![sha256_hex(b"a1")]));
    object.erase(Erase { carts: vec![LABEL.to_owned()], ..device() });
    let (label, claim) = (LABEL.to_owned(), CartClaim::Proved);
    let asked_ms = object.now.as_millisecond();
    assert_eq!(object.task(), Some(Task::Cart(CartToErase { label, claim, asked_ms })));
}

#[test]
fn an_erasure_waits_for_deliveries_only_where_some_may_be_under_way() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    object.due();
    object.confirm("m1", DeliveryResult::Delivered);
    object.erase(device());
    assert_eq!(object.standing().1, Some(Step::Journal));
}

#[test]
fn a_delivery_that_is_under_way_is_not_wanted_after_an_erasure_a_withdrawal_or_its_end() {
    let under_way = |row| UnderWay {
        row,
        message_id: "m1".to_owned(),
        destination: "webhook".to_owned(),
        attempt: 0,
        denied: Vec::new(),
        mark: None,
    };
    let is_wanted = |object: &mut Object| {
        let other = UnderWay { destination: "other".to_owned(), ..under_way(1) };
        let asked = vec![under_way(1), under_way(2), other];
        object.ask::<Vec<bool>>(&ProfileCall::Wanted(asked))
    };
    for end in [
        |object: &mut Object| drop(object.erase(device())),
        |object: &mut Object| drop(object.decide(0, "analytics", "denied")),
        |object: &mut Object| object.confirm("m1", dead("410")),
    ] {
        let mut object = Object::new();
        object.record(vec![bound("m1")]);
        object.due();
        assert_eq!(is_wanted(&mut object), [true, false, false]);
        end(&mut object);
        assert_eq!(is_wanted(&mut object), [false; 3]);
    }
}

#[test]
fn the_record_of_an_erasure_goes_as_receipts_do() {
    let mut object = Object::new();
    object.erase(device());
    object.pass(Step::Journal);
    assert_eq!(object.task(), None);
    let keep_up = |object: &mut Object| {
        upkeep(&object.sql, &mut object.volatile, &MONTHS, object.now).unwrap().unwrap()
    };
    while let Upkeep::Next(at) = keep_up(&mut object) {
        assert!(at > object.now, "an alarm would fire again and again");
        object.now = at;
    }
    let years =
        object.now.duration_since("2026-11-24T10:00:00Z".parse().unwrap()).as_hours() / 8_766;
    assert_eq!(years, 3);
}

/// A profile whose storage is a file.
struct OnDisk {
    object: Object,
    path: PathBuf,
}

impl OnDisk {
    fn new(name: &str) -> OnDisk {
        let path = std::env::temp_dir().join(format!("hilo-{name}-{}", std::process::id()));
        drop(std::fs::remove_file(&path));
        let object = Object { sql: MemorySql::at(&path).unwrap(), ..Object::new() };
        OnDisk { object, path }
    }

    fn has(&self, canary: &str) -> bool {
        let bytes = std::fs::read(&self.path).unwrap();
        bytes.windows(canary.len()).any(|part| part == canary.as_bytes())
    }
}

impl Drop for OnDisk {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.path));
    }
}

#[test]
fn no_byte_of_the_person_is_left_in_the_file() {
    let mut disk = OnDisk::new("erased");
    let mut sent = bound("canary-message");
    sent.event.context.locale = Some("canary-locale".repeat(400));
    sent.event.anonymous_id = Some("canary-id".to_owned());
    disk.object.record(vec![sent]);
    disk.object.sql.run("DELETE FROM outbox", &[]).unwrap();
    assert!(disk.has("canary-message"), "SQLite keeps the bytes of deleted rows");
    disk.object.erase(device());
    assert!(!disk.has("canary"));
    // A destination that deletes people needs the person until it has done so.
    disk.object.erase(device());
    let mut disk = OnDisk::new("parting");
    let mut sent = bound("m1");
    sent.event.anonymous_id = Some("canary-id".repeat(14));
    disk.object.record(vec![sent]);
    disk.object.erase(Erase { destinations: vec!["desk".to_owned()], ..device() });
    assert!(!disk.has("canary-id"), "it is sealed");
    let kept = "SELECT 1 FROM parting WHERE person LIKE 'sealed:%'";
    assert_eq!(disk.object.sql.exec(kept, &[]).unwrap().len(), 1);
    disk.object.now += SignedDuration::from_mins(1);
    disk.object.pass(Step::Journal);
    disk.object.pass(Step::Destinations);
    assert!(!disk.has("canary-id"));
}
