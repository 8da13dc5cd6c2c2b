//! Erasures of devices and users that move or have moved.

use super::*;
use crate::calls::OwnPart;
use crate::calls::erasure::{CartClaim, CartToErase, Ended, Erase, Erased, ErasureStatus, Task};
use crate::calls::optin::{LinkAct, Listeners, OptInLink};

const PHONE: &str = "hash of the phone's id";

fn earlier(name: &str, earlier: Earlier) -> ProfileCall {
    ProfileCall::Link(LinkTo { earlier, ..to(name) })
}

/// A phone that has moved into an old user, who has moved into a new one.
fn merged() -> Objects {
    let mut all = Objects::new(&["phone", "old", "new"]);
    for name in ["phone", "old", "new"] {
        all.get(name).record(vec![kept(&format!("of {name}"), 1)]);
    }
    assert!(all.ask::<bool>("phone", &earlier("old", Earlier::Device(PHONE.to_owned()))));
    all.settle("phone");
    let cart = "cart of old".to_owned();
    assert!(all.ask::<bool>("old", &earlier("new", Earlier::User(cart))));
    all.settle("old");
    all
}

impl Objects {
    fn erase(&mut self, name: &str, erase: Erase) -> Erased {
        let now = self.get(name).now + SignedDuration::from_mins(1);
        self.objects.iter_mut().for_each(|object| object.now = now);
        self.ask(name, &ProfileCall::Erase(Box::new(erase)))
    }

    fn task(&mut self, name: &str) -> Option<Task> {
        let object = self.get(name);
        erasure_task(&object.sql, &mut object.volatile, object.now).unwrap()
    }

    /// Does what is due of an erasure, and returns it.
    fn tasks(&mut self, name: &str) -> Vec<Task> {
        let mut done = Vec::new();
        while let Some(task) = self.task(name) {
            let ended = match &task {
                Task::Devices { .. } => Ended::Devices { left: vec![], has_failed: false },
                Task::Leave { to, from } => {
                    let () = self.ask(to, &ProfileCall::Leave { from: from.clone() });
                    Ended::Done
                }
                Task::Cart(_)
                | Task::Addresses { .. }
                | Task::Journal { .. }
                | Task::Destination(_) => Ended::Done,
            };
            let object = self.get(name);
            erasure_ended(&object.sql, &task, &ended, object.now).unwrap();
            done.push(task);
        }
        done
    }
}

/// Whether one of the tasks erases this cart for this reason.
fn erases(tasks: &[Task], label: &str, claim: &CartClaim) -> bool {
    tasks.iter().any(|task| {
        matches!(task, Task::Cart(CartToErase { label: found, claim: why, .. }) if found == label && why == claim)
    })
}

#[test]
fn whoever_was_another_user_reads_and_erases_what_moved_to_the_new_one() {
    let mut all = merged();
    let own = ProfileCall::Own { part: OwnPart::Profile, cursor: None };
    assert_eq!(all.ask::<Summary>("old", &own).events, 3);
    let erased = all.erase("old", Erase::default());
    assert_eq!((erased.name.as_str(), erased.linked_to), ("new", None));
    assert_eq!(all.summary("new").events, 0);
    let tasks = all.tasks("new");
    let Some(Task::Devices { names, .. }) = tasks.first() else { panic!("{tasks:?}") };
    assert_eq!(names, &["old", "phone"]);
    assert!(erases(&tasks, "cart of new", &CartClaim::Proved), "{tasks:?}");
}

#[test]
fn an_earlier_user_who_is_erased_with_the_new_one_may_come_back_and_a_device_may_not() {
    let mut all = merged();
    for (name, cart, recorded) in
        [("old", Some("cart of old"), stored(&[])), ("phone", None, Recorded::Erased)]
    {
        let by_link =
            || Erase { by_link: true, destinations: vec!["desk".to_owned()], ..Erase::default() };
        all.erase(name, by_link());
        let tasks = all.tasks(name);
        let asked_ms = all.get(name).now.as_millisecond();
        let cart = cart.map(|label| {
            let (label, claim) = (label.to_owned(), CartClaim::Proved);
            Task::Cart(CartToErase { label, claim, asked_ms })
        });
        let journal = Task::Journal { profile: name.to_owned() };
        let expected: Vec<Task> = cart.into_iter().chain([journal]).collect();
        assert_eq!(tasks, expected, "destinations know nobody of this name");
        let mut sent = kept("back", 1);
        sent.event.occurred_at = all.get(name).now + SignedDuration::from_secs(1);
        assert_eq!(all.get(name).record(vec![sent]), [recorded], "{name}");
    }
}

#[test]
fn only_the_devices_that_moved_prove_whose_a_guests_cart_is() {
    let label = "0123456789abcdef0123456789abcdef";
    let mut all = merged();
    let mut forged = kept("forged", 1);
    let about = json!({"cart_id": label}).as_object().cloned().unwrap();
    forged.event.kind =
        hilo_core::event::EventKind::Track { event: "A".to_owned(), properties: about };
    forged.event.anonymous_id = Some("victim".to_owned());
    all.get("new").record(vec![forged]);
    all.erase("new", Erase::default());
    let claim = CartClaim::OfDevice(vec![PHONE.to_owned()]);
    assert!(erases(&all.tasks("new"), label, &claim));
}

#[test]
fn a_device_that_is_erased_on_its_way_says_that_its_user_stays() {
    for (is_settled, steps) in [(false, 0), (false, 1), (true, 0)] {
        let mut both = lives();
        both.link("device", "user");
        for at in 0..steps {
            both.cut = Some((both.calls + 2 + at, Break::Unanswered));
            both.alarm("device");
            both.cut = None;
        }
        if is_settled {
            both.settle("device");
        }
        let device = || Erase { is_device: true, ..Erase::default() };
        for _ in 0..2 {
            let erased = both.erase("device", device());
            assert_eq!(erased.linked_to.as_deref(), Some("user"));
        }
        both.get("device").now += SignedDuration::from_mins(1);
        let tasks = both.tasks("device");
        let leave = Task::Leave { to: "user".to_owned(), from: "device".to_owned() };
        assert!(tasks.contains(&leave), "{tasks:?}");
        let user = &both.get("user").sql;
        assert_eq!(link::links(user).unwrap(), [""; 0]);
        let rest = user
            .exec("SELECT 1 FROM outbox WHERE state = 'elsewhere' UNION SELECT 1 FROM meta WHERE key LIKE '%:device'", &[])
            .unwrap();
        assert_eq!(rest.len(), 0);
        assert!(both.tasks("device").is_empty());
        let erasure = both.summary("device").erasure.unwrap();
        assert_eq!(erasure.status, ErasureStatus::Done);
    }
}

#[test]
fn old_letters_of_an_erased_device_end_the_subscription_of_its_user() {
    let mut both = Objects::new(&["device", "user"]);
    let said = OptIn {
        address_hash: Some("eva".to_owned()),
        nonce: Some("n1".to_owned()),
        ..opt_in(OptInChannel::Email, OptInState::Subscribed)
    };
    let call = ProfileCall::OptIn(Box::new(OptInCall {
        said,
        request: None,
        listeners: Listeners::default(),
    }));
    let _: Option<OptIn> = both.ask("device", &call);
    both.link("device", "user");
    both.settle("device");
    both.erase("device", Erase { is_device: true, ..Erase::default() });
    both.tasks("device");
    let link = OptInLink {
        act: LinkAct::Unsubscribe,
        channel: OptInChannel::Email,
        address_hash: "eva".to_owned(),
        nonce: "n1".to_owned(),
    };
    let follow = ProfileCall::OptInLink { link, acts: true, listeners: Listeners::default() };
    assert_eq!(both.ask::<LinkStanding>("device", &follow), LinkStanding::Done);
    assert_eq!(both.summary("user").optins["email"], "unsubscribed");
}

#[test]
fn a_second_erasure_meanwhile_takes_what_came_since_and_keeps_what_was_left() {
    let mut all = Objects::new(&["phone", "laptop", "user"]);
    let link = |all: &mut Objects, name: &str| {
        all.get(name).record(vec![kept(&format!("of {name}"), 1)]);
        all.link(name, "user");
        all.settle(name);
    };
    link(&mut all, "phone");
    let erase = |cart: &str, destination: &str| Erase {
        carts: vec![cart.to_owned()],
        destinations: vec![destination.to_owned()],
        ..Erase::default()
    };
    let first = all.erase("user", erase("one", "desk"));
    let mut late = kept("late", 1);
    late.event.occurred_at = all.get("user").now + SignedDuration::from_secs(1);
    late.event.anonymous_id = Some("a2".to_owned());
    assert_eq!(all.get("user").record(vec![late]), [stored(&[])]);
    all.get("laptop").now = all.get("user").now + SignedDuration::from_secs(1);
    link(&mut all, "laptop");
    let second = all.erase("user", erase("two", "other"));
    assert!(second.standing.since > first.standing.since);
    assert_eq!(all.summary("user").events, 0);
    let tasks = all.tasks("user");
    let Some(Task::Devices { names, .. }) = tasks.first() else { panic!("{tasks:?}") };
    assert_eq!(names, &["laptop", "phone"]);
    assert!(
        ["one", "two"].into_iter().all(|cart| erases(&tasks, cart, &CartClaim::Proved)),
        "{tasks:?}"
    );
    let mut partings = Vec::new();
    for task in &tasks {
        if let Task::Destination(parting) = task {
            partings.push((parting.destination.as_str(), &parting.person));
        }
    }
    assert_eq!(partings.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["other", "desk"]);
    let ids: Vec<&str> = partings[0].1.anonymous_ids.iter().map(String::as_str).collect();
    assert_eq!(ids, ["a2", "a1"]);
}

#[test]
fn devices_are_asked_in_parts_and_one_that_fails_comes_last() {
    let mut all = Objects::new(&["user"]);
    all.get("user").record(vec![kept("m1", 1)]);
    for n in 0..60 {
        let link = format!("INSERT INTO links (name, at) VALUES ('d{n:02}', 1)");
        all.get("user").sql.run(&link, &[]).unwrap();
    }
    all.erase("user", Erase::default());
    let end = |all: &mut Objects, left: &[&str]| {
        let task = all.task("user").unwrap();
        let Task::Devices { names, .. } = &task else { panic!("{task:?}") };
        let left = left.iter().map(|name| (*name).to_owned()).collect();
        let object = all.get("user");
        let ended = Ended::Devices { left, has_failed: true };
        erasure_ended(&object.sql, &task, &ended, object.now).unwrap();
        (names.len(), names[0].clone())
    };
    assert_eq!(end(&mut all, &["d00"]), (50, "d00".to_owned()));
    assert_eq!(end(&mut all, &["d50"]), (10, "d50".to_owned()));
    let task = all.task("user").unwrap();
    assert_eq!(task, Task::Journal { profile: "user".to_owned() });
    let object = all.get("user");
    erasure_ended(&object.sql, &task, &Ended::Done, object.now).unwrap();
    assert_eq!(end(&mut all, &["d00"]), (50, "d00".to_owned()));
    all.get("user").now += SignedDuration::from_mins(1);
    assert_eq!(end(&mut all, &["d00"]), (11, "d50".to_owned()));
    all.get("user").now += SignedDuration::from_mins(1);
    assert_eq!(end(&mut all, &[]), (1, "d00".to_owned()));
    assert_eq!(all.task("user"), None);
}
