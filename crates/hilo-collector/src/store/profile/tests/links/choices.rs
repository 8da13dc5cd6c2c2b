//! Whose a device is, and what its person and its user have chosen.

use std::collections::BTreeSet;

use super::*;
use crate::calls::ConsentReport;
use crate::calls::optin::{LinkAct, Listeners, OptInLink};

#[test]
fn each_chain_of_receipts_stays_provable() {
    let mut both = lives();
    let head = both.rows("device", |cursor, limit| ProfileCall::Receipts { cursor, limit });
    both.link("device", "user");
    both.settle("device");
    both.ask::<ConsentRecorded>(
        "device",
        &ProfileCall::Consent(change(9, "functional", "granted")),
    );
    let copy: ConsentCopy = both.ask("device", &ProfileCall::ConsentCopy { cursor: None });
    let receipts: Vec<Receipt> =
        copy.receipts.iter().rev().map(|one| decode(one.get()).unwrap()).collect();
    let hashes: BTreeSet<&str> = receipts.iter().map(|one| one.hash.as_str()).collect();
    let begins = receipts.iter().filter(|one| one.prev_hash.is_empty()).count();
    assert_eq!((receipts.len(), begins), (6, 2), "two chains");
    for one in &receipts {
        assert_eq!(one.hash, crate::signature::sha256_hex(one.chain_text().as_bytes()));
        assert!(one.prev_hash.is_empty() || hashes.contains(one.prev_hash.as_str()));
    }
    let link = receipts.iter().find(|one| one.signals.contains_key("link")).unwrap();
    assert_eq!(link.signals["link"], head[0]["hash"].as_str().unwrap());
    assert_eq!(link.subject, "subject of user");
    let changed: Vec<_> =
        link.changes.iter().map(|one| (one.purpose.as_str(), one.state.as_str())).collect();
    assert_eq!(changed, [("advertising", "denied")]);
    // A choice that a page repeats because its answer was lost is the same choice.
    let again: ConsentRecorded =
        both.ask("device", &ProfileCall::Consent(change(1, "advertising", "denied")));
    assert_eq!(again.receipt.unwrap().hash, head[0]["hash"].as_str().unwrap());
}

#[test]
fn a_denial_on_either_side_wins_and_only_a_later_grant_lifts_it() {
    for denies in ["device", "user"] {
        let mut both = Objects::new(&["device", "user"]);
        for name in ["device", "user"] {
            both.get(name).record(vec![kept(name, 1)]);
            for base in 0..5 {
                both.get(name).decide(base, "analytics", "granted");
            }
        }
        let object = both.get(denies);
        object.now += SignedDuration::from_secs(60);
        let chosen_at = object.now;
        let denial = ConsentChange { chosen_at, ..change(0, "analytics", "denied") };
        object.ask::<ConsentRecorded>(&ProfileCall::Consent(denial.clone()));
        both.link("device", "user");
        both.settle("device");
        assert_eq!(both.summary("user").consent["analytics"], "denied", "{denies}");
        let refused: Vec<Recorded> = decode(&both.text("device", &call(&[kept("x", 1)]))).unwrap();
        assert_eq!(refused, [Recorded::ConsentDenied], "{denies}");
        // The page of the device knows the revisions of its own profile only: no number of theirs is a later choice.
        let grant = |seconds| ConsentChange {
            chosen_at: chosen_at + SignedDuration::from_secs(seconds),
            changes: vec![ChoiceChange {
                at: seconds.to_string(),
                ..change(0, "analytics", "granted").changes.remove(0)
            }],
            ..change(5, "analytics", "granted")
        };
        both.get("user").now += SignedDuration::from_secs(120);
        let early: ConsentRecorded = both.ask("device", &ProfileCall::Consent(grant(-30)));
        assert_eq!(early.outdated, ["analytics"], "{denies}");
        let late: ConsentRecorded = both.ask("device", &ProfileCall::Consent(grant(30)));
        assert_eq!(late.consent.state["analytics"], "granted", "{denies}");
    }
}

#[test]
fn the_newest_opt_in_counts_and_a_link_of_the_device_still_confirms() {
    let mut both = Objects::new(&["device", "user"]);
    let pending = OptIn {
        address_hash: Some("hash".to_owned()),
        nonce: Some("nonce".to_owned()),
        ..opt_in(OptInChannel::Email, OptInState::Pending)
    };
    let say = |object: &mut Object, said: &OptIn, at: &str| {
        let said = OptIn { at: at.to_owned(), ..said.clone() };
        object.ask::<OptIn>(&ProfileCall::OptIn(Box::new(OptInCall {
            said,
            request: None,
            listeners: Listeners::default(),
        })));
    };
    let sms = |state| opt_in(OptInChannel::Sms, state);
    let user = both.get("user");
    say(user, &opt_in(OptInChannel::Email, OptInState::Unsubscribed), "2026-11-24T08:00:00Z");
    say(user, &sms(OptInState::Unsubscribed), "2026-11-24T09:30:00.5Z");
    let device = both.get("device");
    say(device, &sms(OptInState::Subscribed), "2026-11-24T09:30:00Z");
    say(device, &pending, "2026-11-24T09:00:00Z");
    both.link("device", "user");
    both.settle("device");
    let optins = both.summary("device").optins;
    assert_eq!((optins["email"].as_str(), optins["sms"].as_str()), ("pending", "unsubscribed"));
    let ledger = both.rows("user", |cursor, limit| ProfileCall::OptIns { cursor, limit });
    assert_eq!(ledger.len(), 4);
    let link = OptInLink {
        act: LinkAct::Confirm,
        channel: OptInChannel::Email,
        address_hash: "hash".to_owned(),
        nonce: "nonce".to_owned(),
    };
    let follow = ProfileCall::OptInLink { link, acts: true, listeners: Listeners::default() };
    assert_eq!(both.ask::<LinkStanding>("device", &follow), LinkStanding::Done);
    assert_eq!(both.ask::<LinkStanding>("device", &follow), LinkStanding::Used);
    assert_eq!(both.summary("user").optins["email"], "subscribed");
}

#[test]
fn only_a_shown_proof_links_and_the_first_user_counts() {
    let mut all = Objects::new(&["device", "user", "other"]);
    let claim = |shown: Option<&str>, fresh: Option<&str>, user: &str| {
        let hash = |text: Option<&str>| text.map(str::to_owned);
        ProfileCall::Claim(Proof {
            shown: hash(shown),
            fresh: hash(fresh),
            link: Some(to(user)),
            ..Proof::default()
        })
    };
    assert_eq!(all.ask::<Claimed>("device", &claim(None, Some("one"), "other")).whose, Whose::New);
    all.get("device").record(vec![kept("m1", 1)]);
    for (shown, fresh) in
        [(None, None), (None, Some("two")), (Some("two"), Some("two")), (Some(""), None)]
    {
        let claimed: Claimed = all.ask("device", &claim(shown, fresh, "other"));
        assert_eq!(claimed, Claimed { whose: Whose::Anothers, ..Claimed::default() });
        all.settle("device");
        assert!(!all.summary("device").linking);
        assert!(!all.summary("other").known);
    }
    assert_eq!(all.ask::<Claimed>("device", &claim(Some("one"), None, "user")).whose, Whose::Yours);
    for _ in 0..2 {
        all.ask::<Claimed>("device", &claim(Some("one"), None, "other"));
        assert!(all.link("device", "other"));
        all.settle("device");
    }
    let claimed: Claimed = all.ask("device", &claim(Some("one"), None, "other"));
    assert_eq!((claimed.moved.as_deref(), claimed.whose), (Some("user"), Whose::Yours));
    assert_eq!(claimed.consent, ConsentStanding::default());
    assert_eq!((all.summary("user").events, all.summary("other").known), (1, false));
    let stranger: Claimed = all.ask("device", &claim(Some("two"), None, "other"));
    assert_eq!(stranger, Claimed { whose: Whose::Anothers, ..Claimed::default() });
}

#[test]
fn a_strangers_report_about_a_device_does_not_reach_its_user() {
    let mut both = lives();
    both.link("device", "user");
    both.settle("device");
    for (is_vouched, taken) in [(false, Some(vec![ReportTaken::NotYours])), (true, None)] {
        let report = Some(ConsentReport { message_id: format!("r{is_vouched}"), is_vouched });
        let chosen_at = "2026-11-25T09:00:00Z".parse().unwrap();
        both.get("user").now = "2026-11-25T10:00:00Z".parse().unwrap();
        let denial = ConsentChange { report, chosen_at, ..change(0, "analytics", "denied") };
        let told: Option<Vec<ReportTaken>> =
            both.ask("device", &ProfileCall::ConsentReports(vec![denial]));
        assert_eq!(told, taken);
        let state = if is_vouched { "denied" } else { "granted" };
        assert_eq!(both.summary("user").consent["analytics"], state);
    }
}

#[test]
fn of_two_devices_the_newest_id_of_a_service_counts_unless_either_has_denied_what_it_is_for() {
    for denies in [None, Some("device"), Some("user")] {
        let mut both = Objects::new(&["device", "user"]);
        for (name, after_s, id) in [("device", 20, "2.2"), ("user", 10, "1.1")] {
            let mut sent = kept(name, 9);
            sent.event.occurred_at += SignedDuration::from_secs(after_s);
            sent.event.context.ids = [("ga".to_owned(), id.to_owned())].into();
            both.get(name).record(vec![sent]);
        }
        if let Some(name) = denies {
            let object = both.get(name);
            object.now += SignedDuration::from_secs(30);
            for (state, after_s) in [("denied", 25), ("granted", 30)] {
                let mut change = change(9, "analytics", state);
                change.chosen_at += SignedDuration::from_secs(after_s);
                object.ask::<ConsentRecorded>(&ProfileCall::Consent(change));
            }
        }
        both.link("device", "user");
        both.settle("device");
        both.get("user").volatile = Volatile::default();
        let profile: Value = decode(both.summary("user").profile.get()).unwrap();
        let expected = if denies.is_none() { json!("2.2") } else { Value::Null };
        assert_eq!(profile["ids"]["ga"]["value"], expected, "{denies:?}");
    }
}
