//! A profile moves into its user's, once: nothing is lost and nothing counts twice, wherever it is interrupted.

use hilo_core::event::Gist;
use hilo_core::profile::{Profile, fold};
use serde_json::Value;

use super::*;
use crate::calls::link::{Earlier, LinkTo, Moved, Taken};
use crate::calls::{Claimed, Proof, Whose};

mod choices;
mod deliveries;
mod erasures;
mod pointers;
mod users;

fn to(name: &str) -> LinkTo {
    LinkTo {
        name: name.to_owned(),
        label: format!("u:id of {name}"),
        user: Some(format!("id of {name}")),
        subject: format!("subject of {name}"),
        controller: "Shop".to_owned(),
        at_ms: 0,
        cart: Some(format!("cart of {name}")),
        earlier: Earlier::Device("hash".to_owned()),
    }
}

/// How a call between two objects fails.
#[derive(Clone, Copy, Debug)]
enum Break {
    /// It does not arrive.
    Lost,
    /// It is done, and its answer does not arrive.
    Unanswered,
    /// It is done, and then both objects lose their memory.
    Crash,
}

/// A few objects that call each other, as a shell lets them.
struct Objects {
    objects: Vec<Object>,
    /// The number of calls between objects so far.
    calls: usize,
    /// Which call fails, and how.
    cut: Option<(usize, Break)>,
    /// The bytes of the longest of these calls.
    bytes: usize,
}

impl Objects {
    fn new(names: &[&'static str]) -> Objects {
        let object =
            |name| Object { name, sql: MemorySql::new().unwrap().of(name), ..Object::new() };
        let objects = names.iter().copied().map(object).collect();
        Objects { objects, calls: 0, cut: None, bytes: 0 }
    }

    fn get(&mut self, name: &str) -> &mut Object {
        self.objects.iter_mut().find(|object| object.name == name).unwrap()
    }

    /// Sends a call, and follows at most one pointer.
    fn text(&mut self, name: &str, call: &str) -> String {
        let reply = self.get(name).answer(call).unwrap().reply;
        if !reply.starts_with(Moved::BEGINNING) {
            return reply;
        }
        let Moved { moved } = decode(&reply).unwrap();
        let reply = self.get(&moved).answer(call).unwrap().reply;
        assert!(!reply.starts_with(Moved::BEGINNING), "a second pointer");
        reply
    }

    fn ask<A: DeserializeOwned>(&mut self, name: &str, call: &ProfileCall) -> A {
        let reply = self.text(name, &encode(call).unwrap());
        decode(if reply.is_empty() { "null" } else { &reply }).unwrap()
    }

    fn link(&mut self, name: &str, user: &str) -> bool {
        self.ask(name, &ProfileCall::Link(to(user)))
    }

    /// Makes the calls of one alarm. Returns false where one of them fails.
    fn alarm(&mut self, name: &str) -> bool {
        for round in 0.. {
            let object = self.get(name);
            let Some(next) = errand(&object.sql, &mut object.volatile, round == 0).unwrap() else {
                return true;
            };
            // No shard of the index is here: shell/memory has them.
            let Errand::Profile { to, call } = &next else {
                ended(&object.sql, &mut object.volatile, next, None).unwrap();
                continue;
            };
            self.calls += 1;
            self.bytes = self.bytes.max(encode(call).unwrap().len());
            let broken = self.cut.filter(|(at, _)| *at == self.calls).map(|(_, how)| how);
            if matches!(broken, Some(Break::Lost)) {
                return false;
            }
            let answer: Option<Taken> = self.ask(to, call);
            match broken {
                Some(Break::Crash) => {
                    self.get(to).volatile = Volatile::default();
                    self.get(name).volatile = Volatile::default();
                    return false;
                }
                Some(_) => return false,
                None => {}
            }
            let object = self.get(name);
            let own = ended(&object.sql, &mut object.volatile, next, answer).unwrap();
            if let Some(Own { name, call }) = own {
                self.ask::<Value>(&name, &call);
            }
        }
        true
    }

    /// Lets the alarm of an object come until nothing is left to do.
    fn settle(&mut self, name: &str) {
        for _ in 0..3 {
            self.alarm(name);
        }
    }

    fn summary(&mut self, name: &str) -> Summary {
        self.ask(name, &ProfileCall::Summary)
    }

    fn rows(&mut self, name: &str, call: fn(Option<String>, u32) -> ProfileCall) -> Vec<Value> {
        let page: Page = self.ask(name, &call(None, 200));
        page.rows.iter().map(|row| decode(row.get()).unwrap()).collect()
    }

    /// Everything that is told about a person, without the times of receipts.
    fn told(&mut self, name: &str) -> Vec<Value> {
        let Summary { profile, events, consent, optins, links, .. } = self.summary(name);
        let mut told =
            vec![json!([decode::<Value>(profile.get()).unwrap(), events, consent, optins, links])];
        told.extend(self.rows(name, |cursor, limit| ProfileCall::Events { cursor, limit }));
        told.extend(self.rows(name, |cursor, limit| ProfileCall::Receipts { cursor, limit }));
        told.extend(self.rows(name, |cursor, limit| ProfileCall::OptIns { cursor, limit }));
        told.extend(self.rows(name, |cursor, limit| ProfileCall::Deliveries { cursor, limit }));
        told
    }
}

/// The keys of an object's own values.
fn keys(object: &Object) -> Vec<String> {
    let rows = object.sql.exec("SELECT key FROM meta ORDER BY key", &[]).unwrap();
    rows.iter().map(|row| row.text("key").unwrap().to_owned()).collect()
}

/// Numbers that look random and are the same every day.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// An event of any time, kind, session and touch.
    fn event(&mut self, id: &str, device: &str, user: Option<&str>) -> Sent {
        let mut event = serde_json::to_value(event(id, 1)).unwrap();
        let at = format!("2026-11-{:02}T10:00:{:02}Z", 1 + self.roll(24), self.roll(60));
        event["timestamp"] = at.into();
        event["anonymousId"] = device.into();
        event["userId"] = user.into();
        event["context"]["locale"] = format!("l{}", self.roll(3)).into();
        event["context"]["hilo"]["session"]["id"] = self.roll(4).to_string().into();
        if self.roll(2) == 0 {
            let channel =
                ["Email", "Direct", "Paid Search"][usize::try_from(self.roll(3)).unwrap()];
            event["context"]["hilo"]["touch"] = json!({"channel": channel, "via": "page"});
        }
        if self.roll(3) == 0 {
            event["type"] = "identify".into();
            event["traits"] = json!({format!("t{}", self.roll(4)): self.roll(9)});
        }
        Sent { event: serde_json::from_value(event).unwrap(), to: vec![] }
    }
}

/// A device and a user with something of everything.
fn people(seed: u64) -> (Objects, Vec<String>) {
    let mut dice = Dice(seed);
    let mut both = Objects::new(&["device", "user"]);
    let mut order = Vec::new();
    for (name, user) in [("user", Some("id of user")), ("device", None)] {
        for _ in 0..dice.roll(40) {
            let id = format!("m{}", dice.roll(60));
            let device = format!("a{}", dice.roll(3));
            let sent = dice.event(&id, &device, user);
            if !order.contains(&id) {
                order.push(id);
            }
            both.get(name).record(vec![sent]);
        }
    }
    (both, order)
}

/// Folds the stored events of both, the user's first.
fn union(both: &mut Objects, order: &[String]) -> Profile {
    let mut stored: BTreeMap<String, Event> = BTreeMap::new();
    for name in ["device", "user"] {
        for event in both.rows(name, |cursor, limit| ProfileCall::Events { cursor, limit }) {
            let event: Event = serde_json::from_value(event).unwrap();
            stored.insert(event.message_id.clone(), event);
        }
    }
    let user = Profile { user_id: Some("id of user".to_owned()), ..Profile::default() };
    order.iter().fold(user, |profile, id| fold(profile, &Gist::of(&stored[id]), Some("shop")))
}

#[test]
fn the_users_profile_is_the_fold_of_the_events_of_both() {
    for seed in 0..60 {
        let (mut both, order) = people(seed);
        let expected = union(&mut both, &order);
        let is_known = both.get("device").sql.exec("SELECT 1 FROM batches", &[]).is_ok();
        assert_eq!(both.link("device", "user"), is_known, "seed {seed}");
        both.settle("device");
        if !is_known {
            continue;
        }
        let summary = both.summary("user");
        let profile: Profile = decode(summary.profile.get()).unwrap();
        assert_eq!(profile, expected, "seed {seed}");
        assert_eq!(usize::try_from(summary.events).unwrap(), order.len(), "seed {seed}");
        // Also after a restart, and when all is folded again.
        both.get("user").volatile = Volatile::default();
        both.get("user")
            .sql
            .run("UPDATE meta SET value = '{}' WHERE key = 'profile'", &[])
            .unwrap();
        let again: Profile = decode(both.summary("user").profile.get()).unwrap();
        assert_eq!(again, expected, "seed {seed}");
    }
}

/// A device and a user with events, choices, opt-ins and deliveries, before the link.
fn lives() -> Objects {
    let mut both = Objects::new(&["device", "user"]);
    let user = both.get("user");
    user.record(vec![bound("u1"), kept("shared", 1)]);
    user.decide(0, "analytics", "granted");
    user.decide(0, "advertising", "granted");
    user.say(OptInChannel::Sms, OptInState::Subscribed);
    let device = both.get("device");
    let claim = Proof { fresh: Some("proof".to_owned()), ..Proof::default() };
    assert_eq!(device.ask::<Claimed>(&ProfileCall::Claim(claim)).whose, Whose::New);
    for n in 0..20 {
        device.record(vec![kept(&format!("d{n}"), 1), kept("shared", 1)]);
    }
    device.decide(0, "analytics", "granted");
    device.now += SignedDuration::from_secs(1);
    device.decide(1, "advertising", "denied");
    device.say(OptInChannel::Email, OptInState::Subscribed);
    device.record(vec![bound("late")]);
    let events = [("page".to_owned(), 5)].into_iter().collect();
    let remainder = Profile { events, ..Profile::default() };
    stored_profile::write_remainder(&device.sql, remainder).unwrap();
    both
}

#[test]
fn a_profile_that_has_moved_keeps_its_proof_and_a_pointer() {
    let mut both = lives();
    assert!(both.link("device", "user"));
    assert!(both.summary("device").linking);
    both.settle("device");
    let ids = both.get("device").deliveries();
    assert_eq!(ids.len(), 1, "the device's own delivery");
    both.get("device").confirm("late", DeliveryResult::Delivered);
    both.settle("device");
    assert_eq!(keys(both.get("device")), ["linked_to", "name", "proof", "schema"]);
    for table in ["batches", "receipts", "optins", "consent", "outbox", "links"] {
        let query = format!("SELECT 1 FROM {table}");
        assert_eq!(both.get("device").sql.exec(&query, &[]).unwrap(), [], "{table}");
    }
    assert_eq!(link::linked_to(&both.get("device").sql).unwrap().as_deref(), Some("user"));
    assert_eq!(link::links(&both.get("user").sql).unwrap(), ["device"]);
    assert_eq!(both.told("device"), both.told("user"));
    assert_eq!(both.summary("user").events, 25, "two of them tell of opt-ins");
    let profile: Profile = decode(both.summary("user").profile.get()).unwrap();
    assert_eq!(profile.events["page"], 28, "with the five that were removed long ago");
    assert_eq!(profile.user_id.as_deref(), Some("id of user"));
    assert!(!both.summary("device").linking);
}

#[test]
fn a_move_that_is_interrupted_anywhere_ends_like_one_that_is_not() {
    let told = |cut: Option<(usize, Break)>| {
        let mut both = lives();
        both.link("device", "user");
        both.cut = cut;
        both.settle("device");
        both.get("device").deliveries();
        both.get("device").confirm("late", DeliveryResult::Delivered);
        both.settle("device");
        assert_eq!(keys(both.get("device")).len(), 4, "{cut:?}");
        (both.told("device"), both.calls)
    };
    let (expected, calls) = told(None);
    assert!(calls >= 4, "{calls}");
    for at in 1..=calls {
        for how in [Break::Lost, Break::Unanswered, Break::Crash] {
            assert_eq!(told(Some((at, how))).0, expected, "call {at}, {how:?}");
        }
    }
}

#[test]
fn a_large_profile_moves_in_bounded_parts() {
    let mut both = Objects::new(&["device", "user"]);
    for n in 0..40 {
        let mut sent = kept(&format!("m{n}"), 1);
        let properties = json!({"text": "x".repeat(30_000)}).as_object().cloned().unwrap();
        sent.event.kind =
            hilo_core::event::EventKind::Page { name: None, category: None, properties };
        both.get("device").record(vec![sent]);
        both.get("device").decide(n, "analytics", "granted");
    }
    both.link("device", "user");
    both.settle("device");
    assert_eq!(both.summary("user").events, 40);
    let receipts = both.rows("user", |cursor, limit| ProfileCall::Receipts { cursor, limit });
    assert_eq!(receipts.len(), 41, "each of them, and that of the link");
    assert!(both.calls >= 5 && both.bytes < 700_000, "{} calls, {} bytes", both.calls, both.bytes);
}

#[test]
fn what_comes_during_the_move_is_neither_lost_nor_doubled() {
    let (_, calls) = {
        let mut both = lives();
        both.link("device", "user");
        both.settle("device");
        ((), both.calls)
    };
    for at in 1..=calls {
        let mut both = lives();
        both.link("device", "user");
        both.cut = Some((at, Break::Unanswered));
        both.alarm("device");
        // One event is new, and one is sent again because its answer was lost.
        let again = call(&[bound("new"), bound("late")]);
        let reply: Vec<Recorded> = decode(&both.text("device", &again)).unwrap();
        assert_eq!(reply, [stored(&["webhook"]), Recorded::Duplicate], "call {at}");
        both.ask::<ConsentRecorded>(
            "device",
            &ProfileCall::Consent(change(0, "functional", "denied")),
        );
        both.settle("device");
        let told: Vec<Recorded> = decode(&both.text("device", &again)).unwrap();
        assert_eq!(told, vec![Recorded::Duplicate; 2], "call {at}");
        assert_eq!(both.summary("user").events, 26, "call {at}");
        assert_eq!(both.summary("user").consent["functional"], "denied", "call {at}");
        let mut sent = Vec::new();
        for name in ["device", "user"] {
            sent.extend(both.get(name).due().into_iter().map(|(id, _)| id));
        }
        sent.sort_unstable();
        assert_eq!(sent, ["late", "new", "u1"], "each is delivered once, call {at}");
    }
}
