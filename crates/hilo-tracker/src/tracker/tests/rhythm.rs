//! When batches leave: how often, how soon, and from which tab.

use super::*;

/// A granted visitor's page whose first events have arrived.
fn settled() -> (Memory, Tracker<Memory>) {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    grant(&mut tracker);
    serve(&mut tracker, &page, 200);
    (page, tracker)
}

/// Lets `ms` pass, a tenth of a second at a time, and answers at once. Returns the requests.
fn pass(tracker: &mut Tracker<Memory>, page: &Memory, ms: i64) -> Vec<Request> {
    let mut seen = Vec::new();
    for _ in 0..ms / 100 {
        if page.pass(100) {
            tracker.happened(Happened::Woke);
        }
        for request in page.sent() {
            tracker.happened(Happened::Answered(answer(&request, 200)));
            seen.push(request);
        }
    }
    seen
}

fn act(tracker: &mut Tracker<Memory>, page: &Memory, name: &str) {
    tracker.track(name, "", page.now_ms());
    tracker.happened(Happened::TaskEnded);
}

#[test]
fn an_event_each_two_seconds_makes_a_request_for_three_events() {
    let page = settled().0.next_document("https://a.example/list", "https://a.example/");
    let mut tracker = start(&page);
    let mut sent = pass(&mut tracker, &page, 2_000);
    assert_eq!(sent.len(), 1, "the first view leaves soon");
    for i in 0..24 {
        act(&mut tracker, &page, if i == 23 { "Order Completed" } else { "Product Viewed" });
        sent.extend(pass(&mut tracker, &page, 2_000));
    }
    let events: usize = sent.iter().map(|one| one.body.matches("messageId").count()).sum();
    assert_eq!((sent.len(), events), (9, 25));
}

#[test]
fn what_happens_while_a_batch_is_under_way_waits_for_others_too() {
    let (page, mut tracker) = settled();
    act(&mut tracker, &page, "First");
    page.pass(TOGETHER_MS);
    tracker.happened(Happened::Woke);
    let first = page.sent().remove(0);
    act(&mut tracker, &page, "Second");
    tracker.happened(Happened::Answered(answer(&first, 200)));
    assert!(page.sent().is_empty());
    assert_eq!(pass(&mut tracker, &page, TOGETHER_MS).len(), 1);
}

#[test]
fn an_order_a_flush_a_choice_and_a_hidden_page_do_not_wait() {
    type Hurry = fn(&mut Tracker<Memory>);
    let acts: [(&str, Hurry); 4] = [
        ("Order Completed", |_| {}),
        ("Product Viewed", Tracker::flush),
        ("Product Viewed", |tracker| tracker.choose("advertising", Choice::Granted)),
        ("Product Viewed", |tracker| tracker.happened(Happened::Hidden)),
    ];
    for (i, (name, hurry)) in acts.into_iter().enumerate() {
        let (page, mut tracker) = settled();
        act(&mut tracker, &page, "Product Added");
        act(&mut tracker, &page, name);
        hurry(&mut tracker);
        let body = batches(&pass(&mut tracker, &page, 300));
        assert!(body.contains("Product Added") && body.contains(name), "{i}: {body}");
    }
}

#[test]
fn a_flush_during_a_request_leaves_after_its_answer() {
    let (page, mut tracker) = settled();
    act(&mut tracker, &page, "First");
    tracker.flush();
    let first = page.sent().remove(0);
    act(&mut tracker, &page, "Second");
    tracker.flush();
    assert!(page.sent().is_empty(), "one request at a time");
    tracker.happened(Happened::Answered(answer(&first, 200)));
    assert!(batches(&page.sent()).contains("Second"));
}

#[test]
fn a_hidden_page_holds_no_event_and_a_page_that_is_seen_again_does() {
    let (page, mut tracker) = settled();
    tracker.happened(Happened::Hidden);
    act(&mut tracker, &page, "Unseen");
    // No timer is needed: browsers slow those of hidden pages down.
    assert!(batches(&page.sent()).contains("Unseen"));
    tracker.happened(Happened::Shown);
    act(&mut tracker, &page, "Seen");
    assert!(page.sent().is_empty());
}

#[test]
fn a_session_that_another_tab_goes_on_with_sends_nothing() {
    let (page, mut tracker) = settled();
    act(&mut tracker, &page, "Product Viewed");
    tracker.happened(Happened::StoredElsewhere);
    assert!(page.sent().is_empty());
}

#[test]
fn of_two_tabs_that_know_of_the_same_events_one_sends_them() {
    let (page, mut first) = settled();
    act(&mut first, &page, "Product Viewed");
    // Both tabs have one storage and one clock here.
    let mut second = start(&page);
    act(&mut second, &page, "Product Added");
    let body = batches(&pass(&mut second, &page, TOGETHER_MS));
    assert!(body.contains("Product Viewed") && body.contains("Product Added"), "{body}");
    first.happened(Happened::Hidden);
    assert!(page.sent().is_empty());
}

#[test]
fn of_two_tabs_in_an_outage_one_sends_the_events_when_it_is_over() {
    let (page, mut first) = settled();
    act(&mut first, &page, "Product Viewed");
    first.flush();
    let lost = page.sent().remove(0);
    first.happened(Happened::Answered(answer(&lost, 0)));
    let mut second = start(&page);
    first.happened(Happened::Online);
    second.happened(Happened::Online);
    assert_eq!(batches(&page.sent()).matches("Product Viewed").count(), 1);
}

#[test]
fn what_an_earlier_page_left_leaves_with_the_first_view() {
    let (page, mut tracker) = settled();
    act(&mut tracker, &page, "Product Viewed");
    let next = page.next_document("https://a.example/2", "https://a.example/");
    let mut tracker = start(&next);
    let sent = pass(&mut tracker, &next, 2_000);
    assert_eq!(sent.len(), 1);
    assert!(batches(&sent).contains("Product Viewed") && batches(&sent).contains("\"page\""));
}

#[test]
fn ids_page_and_session_stand_once_in_an_envelope() {
    let (page, mut tracker) = settled();
    for name in ["A", "B", "C"] {
        act(&mut tracker, &page, name);
    }
    let body = batches(&pass(&mut tracker, &page, TOGETHER_MS));
    for once in ["anonymousId", "\"page\":{", "\"session\":{"] {
        assert_eq!(body.matches(once).count(), 1, "{once} in {body}");
    }
    assert!(!body.contains("\n"), "{body}");
}

#[test]
fn the_counts_of_an_envelope_that_does_not_arrive_are_told_again_and_then_no_more() {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    grant(&mut tracker);
    serve(&mut tracker, &page, 200);
    tracker.lose("expired", 2);
    tracker.track("First", "", page.now_ms());
    tracker.flush();
    let sent = page.sent();
    let told = r#""dropped":{"expired":2}"#;
    assert!(batches(&sent).contains(told), "{sent:?}");
    tracker.happened(Happened::Answered(answer(&sent[0], 503)));
    assert!(batches(&serve(&mut tracker, &page, 200)).contains(told));
    tracker.track("Second", "", page.now_ms());
    tracker.flush();
    assert!(!batches(&serve(&mut tracker, &page, 200)).contains("dropped"));
}
