//! A logout that the collector does not hear of: the next request tells it, before anything counts for the earlier visitor.

use super::*;

/// A known visitor's page after a logout, its tracker, the new id and the hello that tells it.
fn logged_out() -> (Memory, Tracker<Memory>, String, Request) {
    let (page, mut tracker, first) = newcomer();
    tracker.happened(Happened::Answered(naming(&first, &format!("{OTHER}|6|7"))));
    serve_as(&mut tracker, &page, OTHER);
    tracker.reset();
    let (own, hello) = (tracker.anonymous_id().unwrap().to_owned(), page.sent().remove(0));
    assert_eq!((hello.call, field(&hello, "anonymousId")), (Call::Hello, own.clone()));
    (page, tracker, own, hello)
}

/// The request of this kind among those that are sent within the next minute.
fn next_of(tracker: &mut Tracker<Memory>, page: &Memory, call: Call) -> Option<Request> {
    page.pass(60_000);
    tracker.happened(Happened::Woke);
    page.sent().into_iter().find(|one| one.call == call)
}

#[test]
fn a_logout_whose_hello_was_lost_is_told_with_the_next_batch_and_by_another_hello() {
    let (page, mut tracker, own, hello) = logged_out();
    tracker.happened(lost(&hello));
    act(&mut tracker, &page, "Product Viewed");
    let batch = next_of(&mut tracker, &page, Call::Batch).unwrap();
    assert!(batch.body.starts_with("{\"hello\":{\"anonymousId\""), "{}", batch.body);
    // The cookie of the earlier visitor proves nothing, so the answer has the terms alone.
    tracker.happened(Happened::Answered(naming(&batch, "|6|7")));
    let again = page.sent().remove(0);
    assert_eq!((again.call, field(&again, "anonymousId")), (Call::Hello, own.clone()));
    tracker.happened(Happened::Answered(naming(&again, &format!("{own}|6|7"))));
    act(&mut tracker, &page, "Product Added");
    let later = next_of(&mut tracker, &page, Call::Batch).unwrap();
    assert!(!later.body.contains("hello"), "it is known now: {}", later.body);
}

#[test]
fn a_page_asks_no_more_than_twice_where_no_hello_helps() {
    let (page, mut tracker, _, hello) = logged_out();
    tracker.happened(lost(&hello));
    let mut hellos = 0;
    for _ in 0..5 {
        act(&mut tracker, &page, "Product Viewed");
        let batch = next_of(&mut tracker, &page, Call::Batch).unwrap();
        tracker.happened(Happened::Answered(naming(&batch, "|6|7")));
        for hello in page.sent() {
            assert_eq!(hello.call, Call::Hello);
            hellos += 1;
            tracker.happened(lost(&hello));
        }
    }
    assert_eq!(hellos, ASKED_AGAIN_MAX);
}

#[test]
fn a_logout_whose_page_was_closed_is_told_by_the_next_page_before_its_events() {
    let (page, _, own, _) = logged_out();
    let next = page.next_document("https://a.example/2", "https://a.example/");
    let sent = serve(&mut start(&next), &next, 200);
    assert_eq!((sent[0].call, field(&sent[0], "anonymousId")), (Call::Hello, own));
    assert_eq!(sent[1].call, Call::Batch, "{sent:?}");
}

#[test]
fn an_answer_of_the_earlier_visitor_that_comes_after_the_logout_is_followed_by_a_hello() {
    let (page, mut tracker, first) = newcomer();
    tracker.happened(Happened::Hidden);
    let record = page.sent().remove(0);
    tracker.happened(Happened::Shown);
    tracker.happened(Happened::Answered(naming(&record, OTHER)));
    tracker.reset();
    let (own, hello) = (tracker.anonymous_id().unwrap().to_owned(), page.sent().remove(0));
    assert_eq!((record.call, hello.call), (Call::Consent, Call::Hello));
    tracker.happened(Happened::Answered(naming(&hello, &own)));
    page.sent();
    tracker.happened(Happened::Answered(naming(&first, OTHER)));
    assert_eq!(tracker.anonymous_id(), Some(own.as_str()));
    let again = page.sent().into_iter().find(|one| one.call == Call::Hello).unwrap();
    assert_eq!(field(&again, "anonymousId"), own, "the cookie may be the earlier one again");
}
