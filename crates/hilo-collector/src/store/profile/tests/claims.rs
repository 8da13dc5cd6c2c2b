//! Whose a profile is: bound once to a proof, and to nothing else.

use super::upkeep::MONTHS;
use super::*;
use crate::calls::{Claimed, ConsentReport, Proof, Whose};

impl Object {
    fn claim(&mut self, shown: &str, fresh: &str) -> Claimed {
        let hash = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        self.ask(&ProfileCall::Claim(Proof {
            shown: hash(shown),
            fresh: hash(fresh),
            ..Proof::default()
        }))
    }
}

#[test]
fn an_unused_profile_is_bound_once_and_opened_by_its_proof_only() {
    let mut object = Object::new();
    assert_eq!(object.claim("", "one").whose, Whose::New);
    object.decide(0, "analytics", "granted");
    for (shown, fresh) in [("", ""), ("", "two"), ("two", "two"), ("on", ""), ("one ", "one")] {
        assert_eq!(
            object.claim(shown, fresh),
            Claimed { whose: Whose::Anothers, ..Claimed::default() }
        );
    }
    let mine = object.claim("one", "two");
    assert_eq!((mine.whose, mine.consent.revision), (Whose::Yours, 1));
    assert_eq!(mine.consent.state["analytics"], "granted");
    object.volatile = Volatile::default();
    assert_eq!(object.claim("one", "").whose, Whose::Yours);
    assert_eq!(object.claim("two", "two").whose, Whose::Anothers);
}

#[test]
fn a_profile_with_events_is_bound_to_nobody_later() {
    let mut object = Object::new();
    object.record(vec![kept("m1", 1)]);
    assert_eq!(object.claim("", "one").whose, Whose::Anothers);
    assert_eq!(object.claim("", "").whose, Whose::Anothers);
}

#[test]
fn a_binding_that_was_forgotten_for_want_of_anything_else_comes_back_with_its_proof() {
    let mut object = Object::new();
    assert_eq!(object.claim("", "one").whose, Whose::New);
    object.now += SignedDuration::from_secs(20);
    let done = upkeep(&object.sql, &mut object.volatile, &MONTHS, object.now);
    assert_eq!(done, Ok(Some(Upkeep::Forget)), "an id that is not used leaves nothing");
    let mut object = Object { now: object.now, ..Object::new() };
    object.record(vec![kept("m1", 1)]);
    assert_eq!(object.claim("", "two").whose, Whose::Anothers);
    assert_eq!(object.claim("one", "two").whose, Whose::Yours);
    assert_eq!(object.claim("two", "two").whose, Whose::Anothers, "it is bound again");
    assert_eq!(object.claim("one", "").whose, Whose::Yours);
}

#[test]
fn a_proof_of_the_pages_own_making_opens_only_what_was_bound_to_it() {
    let claim = |object: &mut Object, offered: &str, may_bind: bool| -> Claimed {
        let offered = Some(offered.to_owned());
        let fresh = offered.clone().filter(|_| may_bind);
        object.ask(&ProfileCall::Claim(Proof { offered, fresh, ..Proof::default() }))
    };
    let mut object = Object::new();
    assert_eq!(claim(&mut object, "one", false), Claimed::default(), "nothing is bound");
    assert_eq!(claim(&mut object, "one", true).whose, Whose::New);
    object.decide(0, "analytics", "denied");
    for may_bind in [true, false] {
        let again = claim(&mut object, "one", may_bind);
        assert_eq!((again.whose, again.consent.denied()), (Whose::New, vec!["analytics"]));
        assert_eq!(claim(&mut object, "two", may_bind).whose, Whose::Anothers);
    }
    let mut used = Object::new();
    used.record(vec![kept("m1", 1)]);
    for may_bind in [true, false] {
        assert_eq!(claim(&mut used, "one", may_bind).whose, Whose::Anothers);
    }
}

#[test]
fn a_claim_that_binds_nothing_makes_no_storage() {
    let mut object = Object::new();
    assert_eq!(object.claim("one", ""), Claimed::default());
    assert!(object.sql.exec("SELECT name FROM sqlite_master", &[]).unwrap().is_empty());
}

#[test]
fn a_report_under_the_key_of_a_page_changes_nothing_in_a_bound_profile() {
    for (is_vouched, state) in [(false, "granted"), (true, "denied")] {
        let mut object = Object::new();
        object.claim("", "one");
        object.decide(0, "analytics", "granted");
        object.now = "2026-11-25T10:00:00Z".parse().unwrap();
        let chosen_at = "2026-11-25T09:00:00Z".parse().unwrap();
        let report = Some(ConsentReport { message_id: "r1".to_owned(), is_vouched });
        let told: ConsentRecorded = object.ask(&ProfileCall::Consent(ConsentChange {
            report,
            chosen_at,
            ..change(0, "analytics", "denied")
        }));
        assert_eq!(told.consent.state["analytics"], state);
        assert_eq!(told.receipt.is_some(), is_vouched);
    }
}
