//! Opt-ins that have to be confirmed: pending, confirmed by their own link, ended by a link or by the person.

use hilo_core::event::{EventKind, Gist, OPT_IN_REQUESTED, OptInLinks};

use super::*;
use crate::calls::optin::{Confirmed, ConfirmedBy, LinkAct, OptInLink, OptInRequest};

const EMAIL: OptInChannel = OptInChannel::Email;

/// The event that asks to confirm the request `nonce`, and its carrier.
fn request(nonce: &str) -> OptInRequest {
    let mut asks = event(&format!("optin-{nonce}"), 1);
    let properties = serde_json::Map::new();
    asks.kind = EventKind::Track { event: OPT_IN_REQUESTED.to_owned(), properties };
    asks.context.hilo.optin = Some(OptInLinks::default());
    let carrier = Planned {
        name: "webhook".to_owned(),
        purposes: vec![Purpose::Essential],
        channel: None,
        wants_person: false,
        wants_key: false,
        is_owed: false,
    };
    OptInRequest { carrier, gist: Gist::of(&asks), event: encode(&asks).unwrap() }
}

fn link(act: LinkAct, nonce: &str, address: &str) -> OptInLink {
    OptInLink { act, channel: EMAIL, address_hash: address.to_owned(), nonce: nonce.to_owned() }
}

/// A contact tool that is owed every change, and another tool that needs the grant of its purpose.
fn listeners() -> Listeners {
    let one = |name: &str, is_owed| Planned {
        name: name.to_owned(),
        purposes: vec![Purpose::Analytics],
        channel: None,
        wants_person: is_owed,
        wants_key: false,
        is_owed,
    };
    let all = vec![one("letters", true), one("charts", false)];
    Listeners {
        confirmed: all.clone(),
        withdrawn: all,
        lang: Some("es".to_owned()),
        is_server: false,
        is_late: false,
    }
}

impl Object {
    /// Asks for a subscription that has to be confirmed.
    fn request(&mut self, nonce: &str, address: &str) -> OptIn {
        self.try_request(nonce, address).unwrap()
    }

    fn try_request(&mut self, nonce: &str, address: &str) -> Result<OptIn, Failure> {
        let said = OptIn {
            at: self.now.to_string(),
            address: Some(address.to_owned()),
            address_hash: Some(address.to_owned()),
            nonce: Some(nonce.to_owned()),
            ..opt_in(EMAIL, OptInState::Pending)
        };
        let (request, listeners) = (Some(request(nonce)), listeners());
        let call = OptInCall { said, request, listeners };
        let call = encode(&ProfileCall::OptIn(Box::new(call))).unwrap();
        self.answer(&call).map(|answered| decode(&answered.reply).unwrap())
    }

    fn follow(&mut self, link: &OptInLink, acts: bool) -> LinkStanding {
        let listeners = listeners();
        self.ask(&ProfileCall::OptInLink { link: link.clone(), acts, listeners })
    }

    /// Records a choice of which destinations learn.
    fn choose(&mut self, said: OptIn, is_server: bool) -> OptIn {
        let said = OptIn { at: self.now.to_string(), ..said };
        let listeners = Listeners { is_server, ..listeners() };
        self.ask(&ProfileCall::OptIn(Box::new(OptInCall { said, request: None, listeners })))
    }

    /// What destinations learn now: name, event, properties.
    fn told(&mut self) -> Vec<(String, String, serde_json::Value)> {
        let mut told = Vec::new();
        for one in self.deliveries() {
            let event: serde_json::Value = decode(&one.event).unwrap();
            let name = event["event"].as_str().unwrap().to_owned();
            if name != OPT_IN_REQUESTED {
                told.push((one.destination, name, event["properties"].clone()));
            }
        }
        told
    }

    fn ledger(&mut self) -> Vec<OptIn> {
        let page: Page = self.ask(&ProfileCall::OptIns { cursor: None, limit: 100 });
        page.rows.iter().map(|row| decode(row.get()).unwrap()).collect()
    }

    /// Whether a destination that writes e-mails gets an event now.
    fn is_written_to(&mut self, id: &str) -> bool {
        let mut sent = bound(id);
        sent.to[0].channel = Some(EMAIL);
        self.record(vec![sent]) == [stored(&["webhook"])]
    }
}

#[test]
fn a_pending_subscription_is_none_and_its_own_link_makes_it_one() {
    let mut object = Object::new();
    assert_eq!(object.request("n1", "ana").state, OptInState::Pending);
    let messages: Vec<_> = object.due().into_iter().map(|(id, _)| id).collect();
    assert_eq!(messages, ["optin-n1"], "the link goes out with the entry");
    assert!(!object.is_written_to("m1"));
    let confirm = link(LinkAct::Confirm, "n1", "ana");
    // A mail scanner opens the link as often as it likes.
    for _ in 0..3 {
        assert_eq!(object.follow(&confirm, false), LinkStanding::Open);
    }
    assert!(!object.is_written_to("m2"));
    object.now += SignedDuration::from_secs(60);
    assert_eq!(object.follow(&confirm, true), LinkStanding::Done);
    assert!(object.is_written_to("m3"));
    let ledger = object.ledger();
    let [confirmed, pending] = &ledger[..] else { panic!("{ledger:?}") };
    let proof = Confirmed {
        at: "2026-11-24T10:01:00Z".to_owned(),
        by: ConfirmedBy::Link,
        requested_at: Some("2026-11-24T10:00:00Z".to_owned()),
    };
    assert_eq!((confirmed.confirmed.as_ref(), confirmed.by_link), (Some(&proof), true));
    assert_eq!((&confirmed.text, &confirmed.address), (&pending.text, &pending.address));
    assert_eq!(object.follow(&confirm, true), LinkStanding::Used);
    assert_eq!(object.ledger().len(), 2, "a link confirms once");
}

#[test]
fn a_link_confirms_no_other_request_address_or_person() {
    let mut object = Object::new();
    let confirm = |nonce, address| link(LinkAct::Confirm, nonce, address);
    assert_eq!(object.follow(&confirm("n1", "ana"), true), LinkStanding::Over);
    object.request("n1", "ana");
    object.request("n2", "eva");
    for (nonce, address) in [("n1", "ana"), ("n1", "eva"), ("n2", "ana"), ("", ""), ("n3", "eva")] {
        assert_eq!(object.follow(&confirm(nonce, address), true), LinkStanding::Over);
    }
    assert!(!object.is_written_to("m1"));
    let sms = OptInLink { channel: OptInChannel::Sms, ..confirm("n2", "eva") };
    assert_eq!(object.follow(&sms, true), LinkStanding::Over);
    assert_eq!(object.follow(&confirm("n2", "eva"), true), LinkStanding::Done);
}

#[test]
fn an_opt_out_wins_over_a_pending_confirmation() {
    let mut object = Object::new();
    object.request("n1", "ana");
    object.say(EMAIL, OptInState::Unsubscribed);
    for acts in [false, true] {
        let standing = object.follow(&link(LinkAct::Confirm, "n1", "ana"), acts);
        assert_eq!(standing, LinkStanding::Over);
    }
    assert!(!object.is_written_to("m1"));
    assert_eq!(object.ledger().len(), 2);
}

#[test]
fn an_unsubscribe_link_ends_the_subscription_of_its_own_address_only() {
    let mut object = Object::new();
    object.request("n1", "ana");
    object.follow(&link(LinkAct::Confirm, "n1", "ana"), true);
    let leave = |address| link(LinkAct::Unsubscribe, "n1", address);
    assert_eq!(object.follow(&leave("eva"), true), LinkStanding::Used);
    assert_eq!(object.follow(&leave("ana"), false), LinkStanding::Open);
    assert!(object.is_written_to("m1"));
    assert_eq!(object.follow(&leave("ana"), true), LinkStanding::Done);
    assert_eq!(object.follow(&leave("ana"), true), LinkStanding::Used);
    assert!(!object.is_written_to("m2"));
    assert_eq!(object.follow(&link(LinkAct::Confirm, "n1", "ana"), true), LinkStanding::Over);
    // A pending one ends too: somebody else may have typed the address.
    object.request("n2", "ana");
    assert_eq!(object.follow(&leave("ana"), true), LinkStanding::Done);
    assert_eq!(object.follow(&link(LinkAct::Confirm, "n2", "ana"), true), LinkStanding::Over);
}

#[test]
fn a_second_click_sends_no_second_message_and_a_person_gets_few_a_day() {
    let mut object = Object::new();
    let first = object.request("n1", "ana");
    object.now += SignedDuration::from_mins(9);
    assert_eq!(object.request("n2", "ana"), first);
    object.now += SignedDuration::from_mins(1);
    assert_eq!(object.request("n3", "ana").nonce.as_deref(), Some("n3"), "the message may be lost");
    for address in ["b", "c", "d"] {
        object.request(address, address);
    }
    let Err(Failure::Busy { after_s }) = object.try_request("n4", "e") else { panic!("not busy") };
    assert!((1..=86_400).contains(&after_s), "{after_s}");
    assert_eq!(object.due().len(), 5);
    // Nobody has to wait to be left alone.
    object.say(EMAIL, OptInState::Unsubscribed);
    object.now += SignedDuration::from_hours(24);
    assert_eq!(object.request("n5", "e").state, OptInState::Pending);
}

#[test]
fn a_proven_address_need_not_be_confirmed_again() {
    let mut object = Object::new();
    object.request("n1", "ana");
    object.follow(&link(LinkAct::Confirm, "n1", "ana"), true);
    let again = object.request("n2", "ana");
    assert_eq!((again.state, again.nonce.as_deref()), (OptInState::Subscribed, Some("n1")));
    assert_eq!(object.ledger().len(), 2);
    assert_eq!(object.request("n3", "eva").state, OptInState::Pending);
}

#[test]
fn a_request_is_in_the_timeline_without_making_a_profile_with_ids() {
    let mut object = Object::new();
    object.request("n1", "ana");
    let summary: Summary = object.ask(&ProfileCall::Summary);
    assert_eq!((summary.events, summary.optins["email"].as_str()), (1, "pending"));
    let profile: serde_json::Value = decode(summary.profile.get()).unwrap();
    assert_eq!(profile["anonymousIds"], json!(null));
    let woken = known::Known::read(&object.sql).unwrap();
    assert!(woken.profile.anonymous_ids.is_empty());
}

/// What the destination called `name` learns of the subscription of `ana`.
fn confirmed(name: &str) -> (String, String, serde_json::Value) {
    let words = json!({"channel": "email", "address": "ana", "text": "Write to me.", "version": "1", "lang": "es"});
    (name.to_owned(), "Opt-In Confirmed".to_owned(), words)
}

/// What the destination called `name` learns of an opt-out.
fn withdrawn(name: &str, address: Option<&str>) -> (String, String, serde_json::Value) {
    let mut properties = json!({"channel": "email"});
    if let Some(address) = address {
        properties["address"] = address.into();
    }
    (name.to_owned(), "Opt-In Withdrawn".to_owned(), properties)
}

fn of(state: OptInState, address: &str) -> OptIn {
    let address = Some(address.to_owned());
    OptIn { address: address.clone(), address_hash: address, ..opt_in(EMAIL, state) }
}

#[test]
fn a_subscription_and_its_end_are_told_at_once_and_once() {
    let mut object = Object::new();
    object.request("n1", "ana");
    assert_eq!(object.told(), [], "a request is no subscription");
    let (confirm, leave) =
        (link(LinkAct::Confirm, "n1", "ana"), link(LinkAct::Unsubscribe, "n1", "ana"));
    object.follow(&confirm, false);
    assert_eq!(object.told(), [], "a mail scanner subscribes nobody");
    object.follow(&confirm, true);
    assert_eq!(object.told(), [confirmed("letters")], "nobody has granted the charts anything");
    object.follow(&confirm, true);
    object.request("n2", "ana");
    assert_eq!(object.told(), []);
    object.follow(&leave, true);
    assert_eq!(object.told(), [withdrawn("letters", Some("ana"))]);
    object.follow(&leave, true);
    object.choose(opt_in(EMAIL, OptInState::Unsubscribed), false);
    assert_eq!(object.told(), []);
    assert_eq!(object.ask::<Summary>(&ProfileCall::Summary).events, 3, "all are in the timeline");
}

#[test]
fn a_tool_that_keeps_opt_ins_learns_of_them_whatever_the_person_denies() {
    let mut object = Object::new();
    object.decide(0, "analytics", "granted");
    object.choose(of(OptInState::Subscribed, "ana"), false);
    assert_eq!(object.told(), [confirmed("letters"), confirmed("charts")]);
    object.choose(opt_in(EMAIL, OptInState::Unsubscribed), false);
    // The person denies while the opt-out waits.
    object.decide(1, "analytics", "denied");
    let deliveries = object.deliveries();
    let [letters] = &deliveries[..] else { panic!("{deliveries:?}") };
    assert_eq!(letters.destination, "letters");
    let person = letters.person.as_deref().unwrap();
    let optins = [(EMAIL, OptInState::Unsubscribed)].into_iter().collect();
    assert_eq!(*person, hilo_core::profile::Person { optins, ..Default::default() });
    let asked = [letters.under_way()];
    assert_eq!(object.ask::<Vec<bool>>(&ProfileCall::Wanted(asked.into())), [true]);
}

#[test]
fn a_page_ends_no_subscription_of_an_address_that_it_merely_names() {
    let mut object = Object::new();
    object.choose(of(OptInState::Unsubscribed, "eva"), false);
    assert_eq!(object.told(), [withdrawn("letters", None)]);
    object.choose(of(OptInState::Unsubscribed, "leo"), true);
    assert_eq!(
        object.told(),
        [withdrawn("letters", Some("leo"))],
        "a server speaks for the company"
    );
    object.choose(of(OptInState::Subscribed, "ana"), false);
    object.told();
    object.choose(of(OptInState::Unsubscribed, "ana"), false);
    assert_eq!(object.told(), [withdrawn("letters", Some("ana"))]);
    // Somebody typed a stranger's address, and does not confirm it.
    object.request("n1", "eva");
    object.choose(opt_in(EMAIL, OptInState::Unsubscribed), false);
    assert_eq!(object.told(), [withdrawn("letters", None)]);
}

#[test]
fn an_event_of_the_ledger_makes_no_profile_with_ids_and_has_those_that_are_known() {
    let mut object = Object::new();
    object.choose(of(OptInState::Subscribed, "ana"), false);
    let first: serde_json::Value = decode(&object.deliveries()[0].event).unwrap();
    assert_eq!((&first["anonymousId"], &first["userId"]), (&json!(null), &json!(null)));
    object.record(vec![kept("m1", 1)]);
    object.choose(of(OptInState::Unsubscribed, "ana"), false);
    let second: serde_json::Value = decode(&object.deliveries()[0].event).unwrap();
    assert_eq!(second["anonymousId"], "a1");
    assert_ne!(first["messageId"], second["messageId"]);
    let woken = known::Known::read(&object.sql).unwrap();
    assert_eq!(woken.profile.anonymous_ids, ["a1"]);
}
