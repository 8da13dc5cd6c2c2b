//! A refresh that ends in the middle: the request is lost, its answer is lost, or the object dies before it stores the answer.

use std::task::{Context, Waker};

use super::*;

/// Where a refresh ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// On the way to the service.
    Lost,
    /// On the way back.
    Unanswered,
    /// The object dies after the service has granted the token, and before the object has stored it.
    Crashed,
    /// The object dies before the service has seen the request.
    CrashedBefore,
}

/// Lets the refresh of a token that is due end in the middle, and returns the state of things a minute later.
fn after(settings: &str, ends: Ends) -> (Memory, Shared, Result<Token, NoToken>) {
    let (memory, service) = deployment(settings);
    assert_eq!(access(&memory), "access-1");
    minutes(&memory, 61);
    service.borrow_mut().way = match ends {
        Ends::Lost | Ends::CrashedBefore => Way::Lost,
        Ends::Unanswered => Way::Unanswered,
        Ends::Crashed => Way::Well,
    };
    match ends {
        Ends::Lost | Ends::Unanswered => drop(token(&memory, None).unwrap_err()),
        Ends::Crashed | Ends::CrashedBefore => die_in_the_middle(&memory),
    }
    service.borrow_mut().way = Way::Well;
    minutes(&memory, 1);
    let token = token(&memory, None);
    (memory, service, token)
}

/// Begins to ask for a token, and dies while the request is under way.
fn die_in_the_middle(memory: &Memory) {
    let before = requests(memory);
    memory.slow_down(100);
    let mut asking = Box::pin(ask_token(memory, "vault", None));
    let mut context = Context::from_waker(Waker::noop());
    while requests(memory) == before {
        assert!(asking.as_mut().poll(&mut context).is_pending());
    }
    drop(asking);
    memory.crash();
    memory.slow_down(0);
}

#[test]
fn a_grant_that_the_service_still_honors_is_not_lost() {
    for ends in [Ends::Lost, Ends::Unanswered, Ends::Crashed, Ends::CrashedBefore] {
        for settings in [CLIENT, STAYS] {
            let (memory, service, token) = after(settings, ends);
            assert!(token.is_ok(), "{settings} {ends:?}: {token:?}");
            assert!(!service.borrow().is_revoked);
            assert_eq!(standing(&memory).failed, None);
        }
    }
}

#[test]
fn a_rotating_grant_whose_request_did_not_arrive_is_not_lost() {
    for ends in [Ends::Lost, Ends::CrashedBefore] {
        let (memory, service, token) = after(ROTATES, ends);
        assert_eq!(token.map(|token| token.access), Ok("access-2".to_owned()), "{ends:?}");
        assert!(!service.borrow().is_revoked);
        assert_eq!((requests(&memory), standing(&memory).failed), (3, None), "{ends:?}");
    }
}

#[test]
fn a_rotating_grant_whose_answer_was_lost_is_told_with_its_remedy_and_shown_no_more() {
    for ends in [Ends::Unanswered, Ends::Crashed] {
        let (memory, _, token) = after(ROTATES, ends);
        let why = token.unwrap_err().reason;
        let told = "invalid_grant (an earlier request with this refresh token had no answer)";
        assert!(why.contains("reconnect: ") && why.contains(told), "{ends:?}: {why}");
        assert!(why.ends_with("cargo xtask connect vault"), "{ends:?}: {why}");
        minutes(&memory, 600);
        access(&memory);
        assert_eq!(requests(&memory), 3, "{ends:?}");
        let standing = standing(&memory);
        assert!(standing.must_mend && !standing.is_connected, "{ends:?}");
        let reply = memory.serve(request("GET", "/health", &Value::Null, &[])).unwrap();
        let faults = json(&reply)["faults"].to_string();
        assert!(faults.contains("destination_disconnected"), "{faults}");
    }
}

#[test]
fn a_refresh_token_in_doubt_is_not_shown_while_a_token_is_good() {
    for crashes in [false, true] {
        let (memory, service) = deployment(ROTATES);
        access(&memory);
        minutes(&memory, 50);
        if crashes {
            die_in_the_middle(&memory);
        } else {
            service.borrow_mut().way = Way::Unanswered;
            assert_eq!(access(&memory), "access-1");
            assert!(
                standing(&memory).failed.is_some_and(|failed| failed.reason.contains("no answer"))
            );
        }
        for _ in 0..9 {
            minutes(&memory, 1);
            assert_eq!(access(&memory), "access-1");
        }
        assert_eq!((requests(&memory), service.borrow().is_revoked), (2, false));
        minutes(&memory, 2);
        service.borrow_mut().way = Way::Well;
        assert!(access(&memory).contains("reconnect: "));
    }
}

#[test]
fn a_refresh_token_stays_in_doubt_through_an_outage_and_is_good_if_it_was_not_used() {
    let (memory, service) = deployment(ROTATES);
    access(&memory);
    minutes(&memory, 61);
    for way in [Way::Lost, Way::Down, Way::Lost, Way::Unreached] {
        service.borrow_mut().way = way;
        token(&memory, None).unwrap_err();
        assert!(standing(&memory).is_connected, "{way:?}");
        memory.crash();
        minutes(&memory, 6);
    }
    service.borrow_mut().way = Way::Well;
    assert_eq!(access(&memory), "access-2");
    // What is known to be used up is never shown again.
    minutes(&memory, 48);
    assert_eq!(access(&memory), "access-3");
    assert!(!service.borrow().is_revoked);
}

#[test]
fn a_crash_after_the_answer_was_stored_costs_nothing() {
    let (memory, service) = deployment(ROTATES);
    for expected in ["access-1", "access-2", "access-3"] {
        assert_eq!(access(&memory), expected);
        memory.crash();
        assert_eq!(access(&memory), expected);
        minutes(&memory, 48);
    }
    assert!(!service.borrow().is_revoked);
}

#[test]
fn a_request_that_surely_did_not_arrive_costs_no_grant() {
    let (memory, service) = deployment(ROTATES);
    access(&memory);
    minutes(&memory, 61);
    service.borrow_mut().way = Way::Unreached;
    assert!(access(&memory).contains("could not be reached"));
    service.borrow_mut().way = Way::Well;
    minutes(&memory, 1);
    assert_eq!(access(&memory), "access-2");
    assert!(!service.borrow().is_revoked);
}
