//! How long a visitor's choices hold, and what is left of a page's work when they end, in this tab or in another one.

use super::*;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Answers the hello that rides on the first batch with the collector's terms, and every other request with 200.
fn greeted(tracker: &mut Tracker<Memory>, page: &Memory, terms: &str) {
    let hello = first(tracker, page);
    assert!(hello.body.starts_with("{\"hello\":{"), "{}", hello.body);
    let visitor = format!("11111111-1111-4111-8111-111111111111|{terms}");
    tracker.happened(Happened::Answered(naming(&hello, &visitor)));
    serve(tracker, page, 200);
}

/// The first batch of a page.
fn first(tracker: &mut Tracker<Memory>, page: &Memory) -> Request {
    tracker.happened(Happened::Ready);
    tracker.flush();
    page.sent().into_iter().find(|request| request.call == Call::Batch).unwrap()
}

/// A page whose visitor consented while the collector told these terms.
fn consented(terms: &str) -> (Memory, Tracker<Memory>) {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    grant(&mut tracker);
    greeted(&mut tracker, &page, terms);
    (page, tracker)
}

/// The next page of the same visitor, `days` later.
fn later(page: &Memory, days: i64) -> Memory {
    page.pass(days * DAY_MS);
    page.next_document("https://a.example/later", "https://a.example/")
}

fn analytics(tracker: &Tracker<Memory>) -> Choice {
    tracker.choices().nth(1).unwrap().1
}

#[test]
fn a_choice_holds_for_the_months_that_the_collector_tells_and_no_longer() {
    for (months, days, choice) in
        [("6", 182, Choice::Granted), ("6", 184, Choice::Unset), ("12", 184, Choice::Granted)]
    {
        let (page, _) = consented(&format!("{months}|1"));
        let next = later(&page, days);
        let tracker = start(&next);
        assert_eq!(analytics(&tracker), choice, "{months} months, {days} days");
        assert_eq!(tracker.anonymous_id().is_some(), choice == Choice::Granted);
    }
}

#[test]
fn nothing_is_sent_or_kept_under_a_choice_that_is_too_old() {
    let (page, mut tracker) = consented("6|1");
    tracker.track("Unsent", "", page.now_ms());
    tracker.happened(Happened::TaskEnded);
    let next = later(&page, 200);
    let mut tracker = start(&next);
    assert!(tracker.take_consent_change(), "the site's banner has to ask again");
    tracker.track("Product Viewed", "", next.now_ms());
    tracker.happened(Happened::Hidden);
    assert!(serve(&mut tracker, &next, 200).is_empty());
    assert_eq!(next.stored().into_keys().collect::<Vec<_>>(), ["hilo.c"]);
    grant(&mut tracker);
    let sent = serve(&mut tracker, &next, 200);
    let body = batches(&sent);
    assert!(body.contains("Product Viewed") && !body.contains("Unsent"), "{body}");
    let record = sent.iter().find(|request| request.call == Call::Consent).unwrap();
    assert!(record.body.contains(r#""base":1"#), "{}", record.body);
    assert_eq!(analytics(&start(&later(&next, 182))), Choice::Granted, "the answer is a new one");
}

#[test]
fn a_denial_that_is_too_old_is_asked_again_as_well() {
    let (page, mut tracker) = consented("6|1");
    tracker.withdraw();
    serve(&mut tracker, &page, 200);
    assert_eq!(analytics(&start(&later(&page, 182))), Choice::Denied);
    assert_eq!(analytics(&start(&later(&page, 2))), Choice::Unset);
}

#[test]
fn a_choice_ends_while_its_page_is_open() {
    let (page, mut tracker) = consented("1|1");
    page.pass(31 * DAY_MS);
    tracker.track("Product Viewed", "", page.now_ms());
    tracker.flush();
    assert!(serve(&mut tracker, &page, 200).is_empty());
    assert_eq!((analytics(&tracker), tracker.anonymous_id()), (Choice::Unset, None));
}

/// A tracker of a site that names this notice.
fn under(notice: &str, page: &Memory) -> Tracker<Memory> {
    let mut tracker =
        Tracker::new(Options { notice: notice.to_owned(), ..options() }, page.clone());
    tracker.begin();
    tracker
}

#[test]
fn another_notice_of_the_site_ends_a_choice_and_the_collectors_does_not_count_beside_it() {
    let (page, _) = consented("6|1");
    assert_eq!(analytics(&under("8", &later(&page, 0))), Choice::Unset);
    assert_eq!(analytics(&under("", &later(&page, 0))), Choice::Granted, "none is no other one");
    let next = later(&page, 2);
    let mut tracker = under("7", &next);
    greeted(&mut tracker, &next, "6|2");
    assert_eq!(analytics(&tracker), Choice::Granted);
}

#[test]
fn where_the_site_names_no_notice_another_one_of_the_collector_ends_a_choice() {
    let page = Memory::new("https://a.example/");
    let mut tracker = under("", &page);
    grant(&mut tracker);
    greeted(&mut tracker, &page, "6|1");
    let soon = later(&page, 0);
    let batch = first(&mut under("", &soon), &soon);
    assert!(!batch.body.contains("\"hello\""), "asked today already: {}", batch.body);
    let next = later(&page, 2);
    let mut tracker = under("", &next);
    assert_eq!(analytics(&tracker), Choice::Granted, "the page has to learn it first");
    greeted(&mut tracker, &next, "6|2");
    assert_eq!((analytics(&tracker), tracker.anonymous_id()), (Choice::Unset, None));
    tracker.track("Product Viewed", "", next.now_ms());
    assert!(serve(&mut tracker, &next, 200).is_empty());
    assert_eq!(analytics(&under("", &later(&next, 0))), Choice::Unset);
}

#[test]
fn terms_that_the_first_hello_tells_hold_from_then_on() {
    let page = Memory::new("https://a.example/");
    page.save(CONSENT_KEY, "1|6|");
    let mut tracker = Tracker::new(Options { notice: String::new(), ..options() }, page.clone());
    tracker.begin();
    assert_eq!(analytics(&tracker), Choice::Granted);
    greeted(&mut tracker, &page, "6|1");
    assert_eq!(analytics(&tracker), Choice::Unset, "a choice without a time is older than any");
    assert!(page.sent().is_empty());
}

#[test]
fn a_hello_without_terms_changes_none() {
    let (page, _) = consented("6|1");
    let next = later(&page, 2);
    let mut tracker = start(&next);
    greeted(&mut tracker, &next, "|");
    assert_eq!(analytics(&tracker), Choice::Granted);
    assert_eq!(analytics(&start(&later(&next, 200))), Choice::Unset);
}

#[test]
fn a_withdrawal_in_another_tab_counts_in_this_tab() {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    grant(&mut tracker);
    serve(&mut tracker, &page, 200);
    let other = page.next_document("https://a.example/privacy", "https://a.example/");
    start(&other).withdraw();
    page.save(CONSENT_KEY, &other.load(CONSENT_KEY).unwrap());
    tracker.happened(Happened::StoredElsewhere);
    tracker.track("Product Viewed", "", 0);
    assert!(serve(&mut tracker, &page, 200).is_empty());
    assert_eq!(tracker.anonymous_id(), None);
}

#[test]
fn an_event_that_waited_too_long_for_a_grant_is_dropped_and_counted() {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    tracker.track("Product Viewed", "", page.now_ms());
    page.pass(31 * 60 * 1_000);
    grant(&mut tracker);
    tracker.track("Late", "", page.now_ms());
    let body = batches(&serve(&mut tracker, &page, 200));
    assert!(body.contains(r#""dropped":{"held_expired":2}"#), "{body}");
    assert!(body.contains("Late") && !body.contains("Product Viewed"), "{body}");
}

#[test]
fn an_answer_of_the_visitor_removes_the_older_ones_that_the_stub_stored() {
    for choice in [Choice::Granted, Choice::Denied] {
        let page = Memory::new("https://a.example/");
        page.save(ANSWERS_KEY, ",grant,advertising;");
        let mut tracker = start(&page);
        assert!(page.stored().contains_key(ANSWERS_KEY), "the page reads the key after the start");
        tracker.choose("analytics", choice);
        assert!(!page.stored().contains_key(ANSWERS_KEY));
    }
}
