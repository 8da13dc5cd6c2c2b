//! Each trap of the sources, with the values that the tools write (`capture.md` names their origin).

use alloc::string::ToString;

use serde_json::{Value, json};

use super::Answer::{Denied, Granted, Pending, Silent, Withheld};
use super::*;
use crate::consent::{Choice, ConsentState};

mod strings;
mod tools;

fn heard(signals: &mut Signals, name: &str, told: Value) -> [Answer; 5] {
    signals.hear(name, &Plain::from(&told));
    signals.report().answers.0
}

/// What one source alone leads to: functional, analytics, personalization, advertising, sale_share.
fn alone(name: &str, told: Value) -> [Answer; 5] {
    heard(&mut Signals::default(), name, told)
}

/// `tcData` in which the publisher's and the vendor's consents are these.
fn tc(status: &str, purposes: &[u8]) -> Value {
    let consents: Value = purposes.iter().map(|one| (one.to_string(), json!(true))).collect();
    json!({
        "ok": true, "status": status, "cmp": "loaded", "applies": true, "string": "C",
        "purposes": consents, "publisher": consents, "restrictions": {}, "consent": true, "disclosed": true,
    })
}

fn with(mut told: Value, name: &str, value: Value) -> Value {
    told[name] = value;
    told
}

const ALL: [u8; 11] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const WAITS: [Answer; 5] = [Pending; 5];
const QUIET: [Answer; 5] = [Silent; 5];
const REFUSED: [Answer; 5] = [Denied, Denied, Denied, Denied, Silent];

#[test]
fn tcf_grants_a_purpose_with_everything_that_it_needs() {
    for (purposes, expected) in [
        (&ALL[..], [Silent, Granted, Granted, Granted, Silent]),
        (&[1, 8], [Silent, Granted, Denied, Denied, Silent]),
        (&[1, 7], [Silent, Denied, Denied, Denied, Silent]),
        (&[8], REFUSED),
        (&[1, 5, 6], [Silent, Denied, Granted, Denied, Silent]),
        (&[1, 2, 3, 4], [Silent, Denied, Denied, Granted, Silent]),
        (&[1, 2, 3], [Silent, Denied, Denied, Denied, Silent]),
        (&[], REFUSED),
    ] {
        for status in ["tcloaded", "useractioncomplete"] {
            assert_eq!(alone("tcf", tc(status, purposes)), expected, "{status} {purposes:?}");
        }
    }
}

#[test]
fn an_open_panel_of_tcf_is_no_choice_and_keeps_the_former_one() {
    let open = tc("cmpuishown", &ALL);
    assert_eq!(alone("tcf", open.clone()), WAITS);
    let mut signals = Signals::default();
    let chosen = heard(&mut signals, "tcf", tc("useractioncomplete", &[1, 8]));
    assert_eq!(heard(&mut signals, "tcf", open), chosen);
    assert_eq!(heard(&mut signals, "tcf", tc("useractioncomplete", &[])), REFUSED);
}

#[test]
fn legitimate_interests_never_grant() {
    let interests = json!({ "ok": true, "status": "useractioncomplete", "cmp": "loaded", "applies": true,
        "purposes": {}, "publisher": {}, "legitimateInterests": { "1": true, "8": true } });
    assert_eq!(alone("tcf", interests), REFUSED);
}

#[test]
fn tcf_that_does_not_apply_says_nothing_and_tcf_that_does_not_know_is_waited_for() {
    assert_eq!(alone("tcf", with(tc("tcloaded", &ALL), "applies", json!(false))), QUIET);
    for unknown in [json!(null), json!("yes"), json!(1)] {
        assert_eq!(alone("tcf", with(tc("tcloaded", &ALL), "applies", unknown)), WAITS);
    }
    assert_eq!(alone("tcf", with(tc("tcloaded", &ALL), "ok", json!(false))), WAITS);
    assert_eq!(alone("tcf", with(tc("tcloaded", &ALL), "cmp", json!("error"))), WAITS);
    assert_eq!(alone("tcf", json!({})), WAITS, "a stub");
    assert_eq!(alone("tcf", with(tc("", &ALL), "status", json!(null))), WAITS);
}

#[test]
fn a_purpose_that_was_not_asked_for_is_not_granted() {
    // `purposeOneTreatment`: the tool did not ask for storage, and `consents` lacks it.
    let told = with(tc("tcloaded", &[2, 3, 4, 8]), "purposeOneTreatment", json!(true));
    assert_eq!(alone("tcf", told), REFUSED);
}

fn of_vendor(told: Value) -> [Answer; 5] {
    let settings = Settings { vendor: Some(793), ..Settings::default() };
    heard(&mut Signals::new(settings), "tcf", told)
}

#[test]
fn a_listed_vendor_needs_consent_disclosure_and_no_restriction() {
    let all = || tc("tcloaded", &ALL);
    let granted = [Silent, Granted, Granted, Granted, Silent];
    assert_eq!(of_vendor(all()), granted);
    assert_eq!(
        of_vendor(with(all(), "publisher", json!({}))),
        granted,
        "the vendor's own consents"
    );
    assert_eq!(of_vendor(with(all(), "consent", json!(false))), REFUSED);
    assert_eq!(of_vendor(with(all(), "consent", json!(null))), REFUSED);
    assert_eq!(of_vendor(with(all(), "disclosed", json!(false))), REFUSED);
    for (kind, analytics) in [(0, Denied), (1, Granted), (2, Denied)] {
        let told = with(all(), "restrictions", json!({ "8": kind }));
        assert_eq!(of_vendor(told), [Silent, analytics, Granted, Granted, Silent], "{kind}");
    }
}

#[test]
fn a_site_that_is_no_vendor_needs_the_consents_for_the_publisher() {
    assert_eq!(alone("tcf", with(tc("tcloaded", &ALL), "publisher", json!({}))), REFUSED);
    assert_eq!(alone("tcf", with(tc("tcloaded", &ALL), "publisher", json!(null))), REFUSED);
    let publisher = with(tc("tcloaded", &[]), "publisher", json!({ "1": true, "8": true }));
    assert_eq!(alone("tcf", publisher), [Silent, Granted, Denied, Denied, Silent]);
}

fn ping(status: &str, applicable: Value, sections: Value) -> Value {
    json!({ "signalStatus": status, "applicableSections": applicable, "sectionList": applicable,
        "gppString": "DBABLA~BVQqAAAAAgA.QA", "parsedSections": sections })
}

/// The national section, as segments.
fn national(sale: u8, sharing: u8, ads: u8, gpc: bool) -> Value {
    json!({ "usnat": [
        { "Version": 1, "SaleOptOut": sale, "SharingOptOut": sharing, "TargetedAdvertisingOptOut": ads,
            "KnownChildSensitiveDataConsents": [0, 0], "MspaServiceProviderMode": 2 },
        { "SubsectionType": 1, "Gpc": gpc },
    ] })
}

#[test]
fn an_opt_out_denies_and_no_opt_out_grants_nothing() {
    for (sale, sharing, ads, gpc, expected) in [
        (2, 2, 2, false, QUIET),
        (0, 0, 0, false, QUIET),
        (1, 2, 2, false, [Silent, Silent, Silent, Silent, Denied]),
        (2, 1, 2, false, [Silent, Silent, Silent, Silent, Denied]),
        (2, 2, 1, false, [Silent, Silent, Silent, Denied, Silent]),
        (2, 2, 2, true, [Silent, Silent, Silent, Denied, Denied]),
    ] {
        let told = ping("ready", json!([7]), national(sale, sharing, ads, gpc));
        assert_eq!(alone("gpp", told), expected, "{sale} {sharing} {ads} {gpc}");
    }
}

#[test]
fn a_section_may_be_one_object_and_a_child_or_a_service_provider_denies() {
    for (section, expected) in [
        (json!({ "SaleOptOut": 1, "Gpc": false }), [Silent, Silent, Silent, Silent, Denied]),
        (json!({ "Gpc": true }), [Silent, Silent, Silent, Denied, Denied]),
        (
            json!({ "KnownChildSensitiveDataConsents": [0, 2] }),
            [Silent, Silent, Silent, Denied, Silent],
        ),
        (json!({ "KnownChildSensitiveDataConsents": 1 }), [Silent, Silent, Silent, Denied, Silent]),
        (json!({ "MspaServiceProviderMode": 1 }), [Silent, Silent, Silent, Silent, Denied]),
    ] {
        let told = ping("ready", json!([8]), json!({ "usca": section }));
        assert_eq!(alone("gpp", told), expected, "{section}");
    }
}

#[test]
fn the_older_privacy_string_opts_out_with_its_third_letter() {
    for (section, sale) in [
        (json!("1YNN"), Silent),
        (json!("1YYN"), Denied),
        (json!({ "OptOutSale": "Y" }), Denied),
        (json!([{ "OptOutSale": "N" }]), Silent),
    ] {
        let told = ping("ready", json!([6]), json!({ "uspv1": section }));
        assert_eq!(alone("gpp", told), [Silent, Silent, Silent, Silent, sale], "{section}");
    }
}

#[test]
fn gpp_is_read_only_when_it_is_ready_and_while_it_changes_its_purposes_wait() {
    let out = national(1, 1, 2, false);
    assert_eq!(alone("gpp", ping("not ready", json!([7]), out.clone())), WAITS);
    assert_eq!(alone("gpp", json!({})), WAITS, "a stub");
    let mut signals = Signals::default();
    heard(&mut signals, "gpp", ping("ready", json!([7]), national(2, 2, 2, false)));
    let open = ping("not ready", json!([7]), national(2, 2, 2, false));
    assert_eq!(
        heard(&mut signals, "gpp", open.clone()),
        [Silent, Silent, Silent, Pending, Pending]
    );
    let denied = [Silent, Silent, Silent, Silent, Denied];
    assert_eq!(heard(&mut signals, "gpp", ping("ready", json!([7]), out)), denied);
    let changing = [Silent, Silent, Silent, Pending, Denied];
    assert_eq!(heard(&mut signals, "gpp", open), changing, "a denial stays");
    assert_eq!(
        heard(&mut signals, "gpp", ping("ready", json!([7]), national(2, 2, 2, false))),
        QUIET
    );
}

#[test]
fn sections_that_do_not_apply_say_nothing_and_unknown_ones_are_waited_for() {
    let out = national(1, 1, 1, true);
    assert_eq!(alone("gpp", ping("ready", json!([-1]), out.clone())), QUIET);
    assert_eq!(alone("gpp", ping("ready", json!([0]), out.clone())), WAITS);
    assert_eq!(alone("gpp", ping("ready", json!([]), out.clone())), WAITS);
    let states_wait = [Silent, Silent, Silent, Pending, Pending];
    assert_eq!(alone("gpp", ping("ready", json!([8]), out.clone())), states_wait, "not parsed");
    assert_eq!(alone("gpp", ping("ready", json!([99]), out)), states_wait, "a section of later");
}

#[test]
fn an_update_of_consent_mode_is_a_choice_and_a_default_only_withholds() {
    let mut signals = Signals::default();
    signals.expect("consent_mode");
    assert_eq!(signals.report().answers.0, WAITS);
    let mut says = |command: &str, states: Value| {
        heard(&mut signals, "consent_mode", json!({ "command": command, "states": states }))
    };
    let granted = json!({ "analytics_storage": "granted", "ad_storage": "granted", "ad_user_data": "granted" });
    assert_eq!(says("default", granted.clone()), QUIET, "a default that grants is no consent");
    let denied = json!({ "analytics_storage": "denied", "ad_storage": "denied", "region": ["ES"] });
    assert_eq!(says("default", denied), [Silent, Pending, Silent, Pending, Silent]);
    assert_eq!(says("default", granted.clone()), [Silent, Pending, Silent, Pending, Silent]);
    let mixed = json!({ "analytics_storage": "granted", "ad_storage": "denied" });
    assert_eq!(says("update", mixed), [Silent, Granted, Silent, Denied, Silent]);
    assert_eq!(says("update", granted), [Silent, Granted, Silent, Granted, Silent]);
    let without_profiles = json!({ "ad_personalization": "denied", "personalization_storage": "granted", "functionality_storage": "granted" });
    assert_eq!(says("update", without_profiles), [Granted, Granted, Granted, Denied, Silent]);
    let withdrawn = json!({ "analytics_storage": "denied" });
    assert_eq!(says("update", withdrawn)[1], Denied);
    let odd = json!({ "analytics_storage": true });
    assert_eq!(says("update", odd)[1], Denied, "an odd value changes nothing");
}

#[test]
fn advertising_needs_every_key_of_consent_mode() {
    let told = json!({ "command": "update", "states": { "ad_storage": "granted" } });
    assert_eq!(alone("consent_mode", told), QUIET, "nobody granted the use of data");
}

#[test]
fn hilo_tells_google_what_the_visitor_granted() {
    let mut state = ConsentState::default();
    assert_eq!(granted_keys(&state), "security_storage");
    state.set(Purpose::Analytics, Choice::Granted);
    state.set(Purpose::Advertising, Choice::Granted);
    assert_eq!(granted_keys(&state), "security_storage analytics_storage ad_storage ad_user_data");
    state.set(Purpose::Personalization, Choice::Granted);
    state.set(Purpose::Analytics, Choice::Denied);
    assert_eq!(
        granted_keys(&state),
        "security_storage ad_storage ad_user_data ad_personalization personalization_storage"
    );
}

#[test]
fn of_several_sources_the_strongest_answer_counts_and_the_first_in_authority_is_named() {
    let mut signals = Signals::default();
    let tool = json!({ "made": true, "categories": [["analytics", true], ["functional", true], ["marketing", false]] });
    heard(&mut signals, "cookieyes", tool);
    heard(
        &mut signals,
        "consent_mode",
        json!({ "command": "default", "states": { "analytics_storage": "denied" } }),
    );
    let answers = heard(&mut signals, "tcf", tc("tcloaded", &ALL));
    assert_eq!(answers, [Granted, Granted, Granted, Denied, Silent], "a denial of either wins");
    let report = signals.report();
    assert_eq!(report.deciders, ["cookieyes", "tcf", "tcf", "cookieyes", ""]);
    assert_eq!(signals.raw().next(), Some(("cookieyes", "analytics functional")));
    signals.expect("gpp");
    assert_eq!(signals.report().answers.0, [Pending, Pending, Pending, Denied, Pending]);
}

#[test]
fn a_withheld_purpose_waits_and_a_grant_of_higher_authority_frees_it() {
    assert!(Silent < Withheld && Withheld < Granted && Granted < Pending && Pending < Denied);
    let mut signals = Signals::default();
    let denied = json!({ "command": "default", "states": { "analytics_storage": "denied" } });
    assert_eq!(heard(&mut signals, "consent_mode", denied)[1], Pending);
    assert_eq!(heard(&mut signals, "tcf", tc("tcloaded", &ALL))[1], Granted);
}

#[test]
fn no_tool_lifts_global_privacy_control() {
    let mut signals = Signals::new(Settings { gpc: true, ..Settings::default() });
    let answers = heard(&mut signals, "tcf", tc("useractioncomplete", &ALL));
    assert_eq!(answers, [Silent, Granted, Granted, Silent, Silent]);
}
