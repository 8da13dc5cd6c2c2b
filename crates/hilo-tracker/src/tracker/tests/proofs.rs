//! The page's part in proving its id, and what it takes over from the collector's record.

use super::*;

const OTHER: &str = "22222222-2222-4222-8222-222222222222";

fn refused(request: &Request) -> Answer {
    let word = "not_yours".to_owned();
    Answer { ticket: request.ticket, status: 403, word, ..Answer::default() }
}

fn told(request: &Request, word: &str) -> Answer {
    Answer { word: word.to_owned(), ..answer(request, 200) }
}

/// A tracker whose visitor has granted, and the visitor's id.
fn granted(page: &Memory) -> (Tracker<Memory>, String) {
    let mut tracker = start(page);
    grant(&mut tracker);
    serve(&mut tracker, page, 200);
    let id = tracker.anonymous_id().unwrap().to_owned();
    (tracker, id)
}

/// The one request that was sent.
fn only(page: &Memory, call: Call) -> Request {
    let mut sent = page.sent();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0].call, call);
    sent.remove(0)
}

#[test]
fn a_denial_is_sent_without_an_id_and_leaves_nothing_but_the_denial() {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    tracker.choose("analytics functional", Choice::Denied);
    let denial = only(&page, Call::Consent);
    assert!(!denial.body.contains("anonymousId"), "{}", denial.body);
    assert!(denial.body.contains(r#""base":0,"#) && denial.body.contains("denied"));
    tracker.recorded(denial.ticket, 0, "");
    tracker.happened(Happened::Answered(told(&denial, "")));
    assert!(serve(&mut tracker, &page, 200).is_empty());
    assert_eq!(page.stored().into_keys().collect::<Vec<_>>(), ["hilo.c"]);
}

#[test]
fn a_page_that_cannot_prove_its_id_goes_on_under_another_and_keeps_session_and_choice() {
    let page = Memory::new("https://a.example/");
    let (mut tracker, id) = granted(&page);
    let session = tracker.session_id();
    tracker.choose("advertising", Choice::Granted);
    let record = only(&page, Call::Consent);
    tracker.happened(Happened::Answered(refused(&record)));
    let hello = only(&page, Call::Hello);
    // As a spare one the id would come behind the cookie's, which may be that of a visitor who has logged out.
    assert!(hello.body.contains(&format!(r#""anonymousId":"{id}""#)), "{}", hello.body);
    tracker.happened(Happened::Answered(naming(&hello, OTHER)));
    let again = only(&page, Call::Consent);
    assert!(again.body.contains(OTHER) && again.body.contains("advertising"), "{}", again.body);
    assert_eq!((tracker.anonymous_id(), tracker.session_id()), (Some(OTHER), session));
    // The cookie did not stay: now the page asks for a token. Where that does not come back either, it asks no more.
    tracker.happened(Happened::Answered(refused(&again)));
    let hello = only(&page, Call::Hello);
    tracker.happened(Happened::Answered(naming(&hello, OTHER)));
    let again = only(&page, Call::Consent);
    tracker.happened(Happened::Answered(refused(&again)));
    assert!(serve(&mut tracker, &page, 200).is_empty());
    assert!(page.stored().keys().all(|key| !key.starts_with("hilo.r.")));
}

#[test]
fn a_withdrawal_that_cannot_be_proved_is_not_repeated() {
    let page = Memory::new("https://a.example/");
    let (mut tracker, _) = granted(&page);
    tracker.withdraw();
    let record = only(&page, Call::Consent);
    tracker.happened(Happened::Answered(refused(&record)));
    assert!(serve(&mut tracker, &page, 200).is_empty());
    assert_eq!(tracker.anonymous_id(), None);
}

#[test]
fn a_recorded_denial_counts_in_the_page_and_its_revision_is_the_base_of_the_next_choice() {
    let page = Memory::new("https://a.example/");
    let (mut tracker, id) = granted(&page);
    tracker.take_consent_change();
    tracker.ask();
    let hello = only(&page, Call::Hello);
    tracker.recorded(hello.ticket, 7, "analytics");
    tracker.happened(Happened::Answered(naming(&hello, &id)));
    assert!(tracker.take_consent_change());
    tracker.track("Product Viewed", "", page.now_ms());
    assert!(serve(&mut tracker, &page, 200).is_empty());
    assert!(page.stored()["hilo.c"].starts_with("7|1026|"));
    tracker.choose("analytics", Choice::Granted);
    assert!(only(&page, Call::Consent).body.contains(r#""base":7,"#));
}

#[test]
fn a_choice_that_is_still_to_be_sent_is_newer_than_the_record() {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    grant(&mut tracker);
    let hello = only(&page, Call::Batch);
    tracker.recorded(hello.ticket, 5, "analytics");
    tracker.happened(Happened::Answered(naming(&hello, OTHER)));
    assert!(tracker.choices().any(|one| one == (Purpose::Analytics, Choice::Granted)));
    assert!(only(&page, Call::Consent).body.contains(r#""state":"granted""#));
}

#[test]
fn events_wait_for_the_record_that_lifts_a_denial_even_where_the_page_is_left() {
    let page = Memory::new("https://a.example/");
    let (mut tracker, _) = granted(&page);
    tracker.choose("analytics", Choice::Denied);
    serve(&mut tracker, &page, 200);
    tracker.choose("analytics", Choice::Granted);
    tracker.track("Product Viewed", "", page.now_ms());
    tracker.happened(Happened::Hidden);
    let record = only(&page, Call::Consent);
    tracker.happened(Happened::Answered(told(&record, "")));
    assert!(batches(&serve(&mut tracker, &page, 200)).contains("Product Viewed"));
}

#[test]
fn a_page_whose_visitor_was_erased_forgets_the_id_and_makes_another_only_after_another_grant() {
    for call in [Call::Batch, Call::Hello] {
        let page = Memory::new("https://a.example/");
        let (mut tracker, id) = granted(&page);
        tracker.take_consent_change();
        tracker.track("Product Viewed", "", page.now_ms());
        if call == Call::Hello {
            tracker.ask();
        } else {
            tracker.flush();
        }
        let request = only(&page, call);
        let status = if call == Call::Hello { 403 } else { 200 };
        let erased = Answer { status, hello: String::new(), ..told(&request, "erased") };
        tracker.happened(Happened::Answered(erased));
        assert!(tracker.take_consent_change(), "{call:?}");
        assert_eq!((tracker.anonymous_id(), tracker.session_id()), (None, None), "{call:?}");
        assert!(tracker.choices().all(|(_, choice)| choice == Choice::Unset), "{call:?}");
        assert!(page.stored().is_empty(), "{call:?}: {:?}", page.stored());
        assert!(serve(&mut tracker, &page, 200).is_empty(), "{call:?}");
        grant(&mut tracker);
        let record = only(&page, Call::Consent);
        assert!(record.body.contains("spareId") && !record.body.contains(&id), "{call:?}");
    }
}

#[test]
fn a_denial_about_an_erased_id_is_judged_and_stays_in_the_page() {
    let page = Memory::new("https://a.example/");
    let (mut tracker, _) = granted(&page);
    tracker.withdraw();
    let record = only(&page, Call::Consent);
    let erased = Answer { status: 403, ..told(&record, "erased") };
    tracker.happened(Happened::Answered(erased));
    assert!(serve(&mut tracker, &page, 200).is_empty());
    assert!(tracker.choices().all(|(_, choice)| choice == Choice::Denied));
    assert_eq!(page.stored().into_keys().collect::<Vec<_>>(), ["hilo.c"]);
}

#[test]
fn a_page_whose_events_meet_a_denial_asks_what_is_recorded() {
    let page = Memory::new("https://a.example/");
    let (mut tracker, id) = granted(&page);
    tracker.track("Product Viewed", "", page.now_ms());
    tracker.flush();
    let batch = only(&page, Call::Batch);
    tracker.happened(Happened::Answered(told(&batch, "consent_denied")));
    let hello = only(&page, Call::Hello);
    tracker.recorded(hello.ticket, 2, "analytics");
    tracker.happened(Happened::Answered(naming(&hello, &id)));
    assert!(tracker.choices().any(|one| one == (Purpose::Analytics, Choice::Denied)));
    assert_eq!(tracker.anonymous_id(), Some(id.as_str()), "functional is still granted");
}

#[test]
fn an_answer_to_a_hello_from_before_a_logout_counts_no_more() {
    let page = Memory::new("https://a.example/");
    let (mut tracker, id) = granted(&page);
    tracker.ask();
    let before = only(&page, Call::Hello);
    tracker.reset();
    let own = tracker.anonymous_id().unwrap().to_owned();
    let after = only(&page, Call::Hello);
    assert!(after.body.contains(&format!(r#""anonymousId":"{own}""#)), "{}", after.body);
    assert!(!tracker.recorded(before.ticket, 9, "analytics"));
    tracker.happened(Happened::Answered(naming(&before, &id)));
    assert_eq!(tracker.anonymous_id(), Some(own.as_str()));
    tracker.happened(Happened::Answered(naming(&after, &own)));
    assert_eq!((tracker.anonymous_id(), page.stored()["hilo.id"].as_str()), (Some(&*own), &*own));
    assert!(tracker.choices().any(|one| one == (Purpose::Analytics, Choice::Granted)));
}
