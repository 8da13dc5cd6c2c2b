//! What people have said about their data and about letters, in reports that join them.

use super::*;

fn optin(id: &str, is_subscribed: bool, at: &str, who: Who) -> Report {
    let told = Told::OptIn {
        channel: "email".to_owned(),
        is_subscribed,
        text: is_subscribed.then(|| "Write to me.".to_owned()),
    };
    let occurred_at = Some(at.parse::<Timestamp>().unwrap());
    Report { id: Some(id.to_owned()), told, occurred_at, who, context: Map::new() }
}

/// The states of a profile's ledger, newest first.
fn ledger(memory: &Memory, key: &str) -> Vec<String> {
    let page = admin(memory, "GET", &format!("profiles/{key}/optins"), &Value::Null);
    let states = page["optins"].as_array().unwrap().iter();
    states.map(|one| one["state"].as_str().unwrap().to_owned()).collect()
}

/// The person denies by another system's report, as a backend sends it.
fn deny(memory: &Memory) {
    tell(
        memory,
        &json!([{
            "type": "track", "event": "Segment Consent Preference Updated", "messageId": "k1", "userId": "ana",
            "context": {"consent": {"categoryPreferences": {"analytics": false}}},
        }]),
    );
}

#[test]
fn a_denial_holds_for_what_joins_at_once_and_for_what_joins_later() {
    let memory = memory();
    taken(&memory, "phone", &[call("c1", who(&[("phone", PHONE)]))]);
    identify(&memory);
    memory.advance(SignedDuration::from_millis(10));
    deny(&memory);
    pass(&memory);
    assert_eq!(timeline(&memory, ANA), ["identify"], "the contact came after the denial");
    let found = taken(&memory, "phone", &[call("c2", who(&[("phone", PHONE)]))]);
    assert_eq!(found[0].0, "consent_denied");
}

#[test]
fn an_opt_out_needs_no_proof_and_reaches_everybody_who_has_the_address() {
    let memory = memory();
    identify(&memory);
    tell(
        &memory,
        &json!([{"type": "identify", "messageId": "i2", "userId": "ben", "traits": {"email": EMAIL}}]),
    );
    let out = optin("u1", false, "2026-11-24T09:00:00Z", who(&[("email", EMAIL)]));
    let found = taken(&memory, "newsletter", &[out]);
    assert_eq!(found[0].0, "accepted");
    for key in [ANA, "u:ben"] {
        assert_eq!(ledger(&memory, key), ["unsubscribed"], "{key}");
    }
}

#[test]
fn a_subscription_counts_from_a_trusted_source_and_lifts_no_later_opt_out() {
    let memory = memory();
    identify(&memory);
    let ana = || who(&[("email", EMAIL)]);
    let claimed = optin("s1", true, "2026-11-24T08:00:00Z", ana());
    assert_eq!(taken(&memory, "newsletter", &[claimed])[0].0, "identity_claimed");
    let out = optin("u1", false, "2026-11-24T09:00:00Z", ana());
    let older = optin("s2", true, "2026-11-24T08:30:00Z", ana());
    let newer = optin("s3", true, "2026-11-24T09:30:00Z", ana());
    let mut silent = newer.clone();
    silent.told = Told::OptIn { channel: "email".to_owned(), is_subscribed: true, text: None };
    let found = taken(&memory, "phone", &[out, older, silent, newer]);
    let words: Vec<_> = found.iter().map(|(word, _)| word.as_str()).collect();
    assert_eq!(words, ["accepted", "consent_outdated", "missing_field", "accepted"]);
    // What is outdated stands in the ledger too, before what counts.
    assert_eq!(ledger(&memory, ANA), ["subscribed", "unsubscribed", "subscribed"]);
}
