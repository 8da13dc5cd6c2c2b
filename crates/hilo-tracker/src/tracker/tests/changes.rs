//! The site's own changes of events, before they are queued.

use super::*;

/// A page whose site drops every view, and calls every act "Changed".
fn page() -> Memory {
    let page = Memory::new("https://a.example/?utm_source=mail");
    page.change_events(|event| match event.contains("\"page\"") && !event.contains("\"event\"") {
        true => String::new(),
        false => event.replace("\"event\":\"Kept\"", "\"event\":\"Changed\""),
    });
    page
}

#[test]
fn an_event_is_sent_as_the_site_changed_it_and_a_dropped_one_is_counted() {
    let page = page();
    let mut tracker = start(&page);
    grant(&mut tracker);
    tracker.track("Kept", "{\"n\":1}", page.now_ms());
    tracker.flush();
    let sent = serve(&mut tracker, &page, 200);
    let batches: Vec<_> = sent.iter().filter(|one| one.call == Call::Batch).collect();
    let [batch] = batches.as_slice() else { panic!("one batch: {batches:?}") };
    assert!(
        batch.body.contains("\"event\":\"Changed\",\"properties\":{\"n\":1}"),
        "{}",
        batch.body
    );
    assert!(!batch.body.contains("\"type\":\"page\""), "{}", batch.body);
    assert!(batch.body.contains("\"dropped\":{\"site_dropped\":1}"), "{}", batch.body);
}

#[test]
fn the_site_sees_no_event_before_consent() {
    let page = Memory::new("https://a.example/");
    page.change_events(|event| unreachable!("the visitor has not answered: {event}"));
    let mut tracker = start(&page);
    tracker.track("Early", "", page.now_ms());
    tracker.choose("analytics", Choice::Denied);
    tracker.track("Late", "", page.now_ms());
    assert_eq!(page.said().len(), 5, "{:?}", page.said());
}

#[test]
fn a_session_whose_first_event_the_site_drops_is_begun_by_the_next_one() {
    let page = page();
    let mut tracker = start(&page);
    grant(&mut tracker);
    tracker.track("Kept", "", page.now_ms());
    tracker.flush();
    let sent = serve(&mut tracker, &page, 200);
    let landing = "\"landing\":{\"url\":\"https://a.example/?utm_source=mail\"";
    assert!(sent.iter().any(|one| one.body.contains(landing)), "{sent:?}");
}
