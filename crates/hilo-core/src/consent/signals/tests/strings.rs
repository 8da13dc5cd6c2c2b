//! Strings of TCF, made with `@iabtcf/core` 1.5.6 and decoded by hand too.

use alloc::vec;

use super::super::tc_string::TcString;
use super::*;

const ACCEPT_ALL: &str =
    "CQt-4cAQt-4cAAfABBENB4FgAP_gAAAAAAiQGMwAgF5gMZAAAAAA.IGMwAgF5gMZA.cGAAAAAAAAAA";
const REJECT_ALL: &str = "CQt-4cAQt-4cAAfABBENB4FgAAAAAAAAAAiQAAAAAAAA.IGMwAgF5gMZA.YAAAAAAAAAAA";
const ANALYTICS: &str =
    "CQt-4cAQt-4cAAfABBENB4FgAIEAAAAAAAiQGMwAQGMgAAAA.IGMwAgF5gMZA.YAAAAAAAAAAA";
const UNDISCLOSED: &str = "CQt-4cAQt-4cAAfABBENB4FgAIEAAAAAAAiQGMwAQGMgAAAA";

fn decoded(text: &str) -> (Vec<u8>, Vec<u8>, [bool; 4]) {
    let string = TcString::read(text).unwrap();
    let purposes = (1..=24).filter(|one| string.consents(*one)).collect();
    let publisher = (1..=24).filter(|one| string.publisher_consents(*one)).collect();
    let vendors =
        [string.allows(755), string.allows(793), string.discloses(755), string.discloses(793)];
    (purposes, publisher, vendors)
}

#[test]
fn a_string_holds_consents_vendors_and_who_was_disclosed() {
    let all: Vec<u8> = ALL.to_vec();
    assert_eq!(decoded(ACCEPT_ALL), (all, vec![1, 7, 8], [true; 4]));
    assert_eq!(decoded(REJECT_ALL), (vec![], vec![], [false, false, true, true]));
    assert_eq!(decoded(ANALYTICS), (vec![1, 8], vec![], [false, true, true, true]));
    assert_eq!(decoded(UNDISCLOSED), (vec![1, 8], vec![], [false, true, false, false]));
}

#[test]
fn a_string_that_is_cut_off_or_odd_discloses_nobody() {
    for end in 0..ACCEPT_ALL.len() {
        if let Some(string) = TcString::read(&ACCEPT_ALL[..end]) {
            assert!(
                !string.discloses(1) && !string.allows(1) && !string.discloses(65_535),
                "{end}"
            );
        }
    }
    for odd in ["", ".", "BQt-", "CQt-.", "C....", "1YNN", "CQt-4cA.I//é"] {
        assert!(!TcString::read(odd).is_some_and(|string| string.discloses(793)), "{odd}");
    }
}

#[test]
fn the_string_tells_who_was_disclosed_where_the_interface_does_not() {
    let told = |string: &str, purposes: &[u8]| {
        let mut told = tc("tcloaded", purposes);
        told["string"] = json!(string);
        told["disclosed"] = json!(null);
        told
    };
    let granted = [Silent, Granted, Granted, Granted, Silent];
    assert_eq!(of_vendor(told(ACCEPT_ALL, &ALL)), granted);
    assert_eq!(of_vendor(told(ANALYTICS, &[1, 8])), [Silent, Granted, Denied, Denied, Silent]);
    assert_eq!(of_vendor(told(UNDISCLOSED, &[1, 8])), REFUSED, "TCF 2.3: invalid for vendors");
    assert_eq!(of_vendor(told("", &ALL)), REFUSED);
}

#[test]
fn gpp_carries_the_same_string() {
    let told = |string: &str| {
        json!({ "signalStatus": "ready", "applicableSections": [2], "sectionList": [2, 7],
            "gppString": alloc::format!("DBABrw~{string}~BVQqAAAAAgA.QA"), "parsedSections": {} })
    };
    assert_eq!(alone("gpp", told(ACCEPT_ALL)), [Silent, Granted, Denied, Denied, Silent]);
    assert_eq!(alone("gpp", told(REJECT_ALL)), REFUSED);
    assert_eq!(alone("gpp", told("")), WAITS, "not a string of TCF");
    for (string, expected) in [
        (ACCEPT_ALL, [Silent, Granted, Granted, Granted, Silent]),
        (ANALYTICS, [Silent, Granted, Denied, Denied, Silent]),
        (UNDISCLOSED, REFUSED),
    ] {
        let settings = Settings { vendor: Some(793), ..Settings::default() };
        assert_eq!(heard(&mut Signals::new(settings), "gpp", told(string)), expected, "{string}");
    }
}
