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
    };
    OptInRequest { carrier, gist: Gist::of(&asks), event: encode(&asks).unwrap() }
}

fn link(act: LinkAct, nonce: &str, address: &str) -> OptInLink {
    OptInLink { act, channel: EMAIL, address_hash: address.to_owned(), nonce: nonce.to_owned() }
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
        let call = OptInCall { said, request: Some(request(nonce)) };
        let call = encode(&ProfileCall::OptIn(Box::new(call))).unwrap();
        self.answer(&call).map(|answered| decode(&answered.reply).unwrap())
    }

    fn follow(&mut self, link: &OptInLink, acts: bool) -> LinkStanding {
        self.ask(&ProfileCall::OptInLink { link: link.clone(), acts })
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
