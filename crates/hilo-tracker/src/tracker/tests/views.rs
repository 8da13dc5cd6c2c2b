//! Views: when they are captured, with which title, and what comes behind them.

use super::*;

/// Path, title and name of each event in `bodies`, envelopes one behind the other, in order.
fn pages_in(bodies: &str) -> Vec<[String; 3]> {
    let mut pages = Vec::new();
    for envelope in serde_json::Deserializer::from_str(bodies).into_iter() {
        let envelope: serde_json::Value = envelope.unwrap();
        for event in envelope["batch"].as_array().unwrap() {
            let own = &event["context"]["page"];
            let page = if own.is_null() { &envelope["context"]["page"] } else { own };
            let of = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            let what = if event["type"] == "page" { &event["name"] } else { &event["event"] };
            pages.push([of(&page["path"]), of(&page["title"]), of(what)]);
        }
    }
    pages
}

fn texts(rows: &[[&str; 3]]) -> Vec<[String; 3]> {
    rows.iter().map(|row| row.map(str::to_owned)).collect()
}

/// A page whose visitor has consented, and a tracker that has sent its first view.
fn visited(url: &str) -> (Memory, Tracker<Memory>) {
    let page = Memory::new(url);
    let mut tracker = start(&page);
    grant(&mut tracker);
    serve(&mut tracker, &page, 200);
    (page, tracker)
}

#[test]
fn a_view_that_the_site_reports_while_the_page_loads_replaces_the_captured_view() {
    let page = Memory::new("https://a.example/mug");
    let mut tracker = load(&page);
    grant(&mut tracker);
    tracker.page("Product Page", r#"{"sku":"MUG-1"}"#, page.now_ms());
    tracker.happened(Happened::Ready);
    let body = batches(&serve(&mut tracker, &page, 200));
    assert_eq!(pages_in(&body), texts(&[["/mug", "A page", "Product Page"]]));
    assert!(body.contains(r#""properties":{"sku":"MUG-1"}"#), "{body}");
}

#[test]
fn a_second_view_that_the_site_reports_is_a_view_of_its_own() {
    let page = Memory::new("https://a.example/mug");
    let mut tracker = load(&page);
    grant(&mut tracker);
    tracker.page("One", "", page.now_ms());
    tracker.page("Two", "", page.now_ms());
    tracker.happened(Happened::Ready);
    let body = batches(&serve(&mut tracker, &page, 200));
    let expected = texts(&[["/mug", "A page", "One"], ["/mug", "A page", "Two"]]);
    assert_eq!(pages_in(&body), expected);
}

#[test]
fn what_is_told_while_a_page_loads_comes_after_its_view() {
    let page = Memory::new("https://a.example/mug");
    let mut tracker = load(&page);
    grant(&mut tracker);
    // The stub recorded this call before the tracker was there.
    tracker.track("Product Viewed", "", page.now_ms() - 300);
    page.name("Mug");
    tracker.happened(Happened::Ready);
    let body = batches(&serve(&mut tracker, &page, 200));
    let expected = texts(&[["/mug", "Mug", ""], ["/mug", "Mug", "Product Viewed"]]);
    assert_eq!(pages_in(&body), expected);
    assert!(body.contains(r#""timestamp":"2026-11-18T11:06:39.699Z""#), "{body}");
}

#[test]
fn a_view_takes_the_title_that_comes_within_half_a_second() {
    let (page, mut tracker) = visited("https://a.example/");
    page.go("https://a.example/list", "");
    tracker.happened(Happened::Navigated(Change::Went));
    tracker.track("Products Listed", "", page.now_ms());
    page.pass(400);
    page.name("List");
    assert!(page.pass(100), "the tracker wakes when the wait is over");
    tracker.happened(Happened::Woke);
    let body = batches(&serve(&mut tracker, &page, 200));
    let expected = texts(&[["/list", "List", ""], ["/list", "List", "Products Listed"]]);
    assert_eq!(pages_in(&body), expected);
}

#[test]
fn the_next_page_ends_the_wait_of_the_page_before_with_its_own_title() {
    let (page, mut tracker) = visited("https://a.example/");
    page.go("https://a.example/list", "");
    tracker.happened(Happened::Navigated(Change::Went));
    page.name("List");
    page.pass(100);
    page.go("https://a.example/mug", "");
    page.name("List");
    tracker.happened(Happened::Navigated(Change::Went));
    page.name("Mug");
    tracker.happened(Happened::Hidden);
    let body = batches(&page.sent());
    assert_eq!(pages_in(&body), texts(&[["/list", "List", ""], ["/mug", "Mug", ""]]));
}

#[test]
fn a_redirect_is_no_view_unless_it_would_lose_a_campaign() {
    for (query, expected) in [("", 1), ("?utm_source=mail", 2)] {
        let page = Memory::new(&format!("https://a.example/{query}"));
        let mut tracker = load(&page);
        grant(&mut tracker);
        page.pass(100);
        page.go("https://a.example/es", "");
        tracker.happened(Happened::Navigated(Change::Replaced));
        tracker.happened(Happened::Ready);
        let body = batches(&serve(&mut tracker, &page, 200));
        assert_eq!(pages_in(&body).len(), expected, "{body}");
        assert!(body.contains(query) && body.contains(r#""path":"/es""#), "{body}");
    }
}

#[test]
fn a_variant_of_an_article_is_no_view_and_keeps_the_campaign() {
    let page = Memory::new("https://a.example/mug?utm_source=news");
    let mut tracker = load(&page);
    for variant in ["101", "102"] {
        page.pass(100);
        page.go(&format!("https://a.example/mug?variant={variant}"), "");
        tracker.happened(Happened::Navigated(Change::Replaced));
    }
    tracker.happened(Happened::Ready);
    grant(&mut tracker);
    let body = batches(&serve(&mut tracker, &page, 200));
    assert_eq!(pages_in(&body).len(), 1);
    assert!(body.contains(r#""search":"?utm_source=news""#), "{body}");
}

#[test]
fn a_page_that_is_left_while_it_loads_sends_its_view() {
    let (page, _) = visited("https://a.example/");
    let next = page.next_document("https://a.example/list", "https://a.example/");
    let mut tracker = load(&next);
    tracker.track("Products Listed", "", next.now_ms());
    tracker.happened(Happened::Hidden);
    assert_eq!(pages_in(&batches(&next.sent())).len(), 2);
}

#[test]
fn a_denial_reaches_what_waits_with_the_view() {
    let page = Memory::new("https://a.example/");
    let mut tracker = load(&page);
    tracker.track("Before", "", page.now_ms());
    tracker.choose("analytics", Choice::Denied);
    grant(&mut tracker);
    tracker.happened(Happened::Ready);
    assert!(batches(&serve(&mut tracker, &page, 200)).is_empty());
}

#[test]
fn a_logout_does_not_give_the_earlier_view_to_the_next_visitor() {
    let (page, mut tracker) = visited("https://a.example/");
    let first = tracker.anonymous_id().unwrap().to_owned();
    page.go("https://a.example/bye", "");
    tracker.happened(Happened::Navigated(Change::Went));
    tracker.reset();
    let body = batches(&serve(&mut tracker, &page, 200));
    assert!(body.contains(&format!(r#""anonymousId":"{first}""#)), "{body}");
}

#[test]
fn the_first_view_belongs_to_the_visitor_who_is_stored_while_it_waits() {
    const OTHER: &str = "22222222-2222-4222-8222-222222222222";
    let (page, _) = visited("https://a.example/");
    let next = page.next_document("https://a.example/list", "https://other.example/");
    let mut tracker = load(&next);
    tracker.track("Products Listed", "", next.now_ms());
    next.save("hilo.id", OTHER);
    tracker.happened(Happened::Ready);
    let body = batches(&serve(&mut tracker, &next, 200));
    assert_eq!(body.matches(r#""anonymousId":"#).count(), 1, "{body}");
    assert!(body.contains(&format!(r#""anonymousId":"{OTHER}""#)), "{body}");
    assert_eq!(tracker.anonymous_id(), Some(OTHER));
}

#[test]
fn a_page_that_never_becomes_ready_gives_its_view_in_the_end() {
    let page = Memory::new("https://a.example/");
    let mut tracker = load(&page);
    grant(&mut tracker);
    assert!(batches(&serve(&mut tracker, &page, 200)).is_empty(), "the view waits");
    assert!(page.pass(5_500), "the wait has an end");
    tracker.happened(Happened::Woke);
    assert!(batches(&serve(&mut tracker, &page, 200)).contains(r#""type":"page""#));
}

#[test]
fn a_page_that_comes_back_follows_a_withdrawal_on_a_later_page() {
    let (page, mut tracker) = visited("https://a.example/");
    tracker.happened(Happened::Hidden);
    page.sent();
    let next = page.next_document("https://a.example/privacy", "https://a.example/");
    start(&next).withdraw();
    page.save(CONSENT_KEY, &next.load(CONSENT_KEY).unwrap());
    tracker.happened(Happened::Restored);
    assert_eq!(tracker.anonymous_id(), None);
    assert!(batches(&serve(&mut tracker, &page, 200)).is_empty());
}

#[test]
fn a_page_that_becomes_ready_ends_the_wait_of_its_first_view_only() {
    let page = Memory::new("https://a.example/");
    let mut tracker = load(&page);
    grant(&mut tracker);
    page.pass(100);
    page.go("https://a.example/list", "");
    tracker.happened(Happened::Navigated(Change::Went));
    tracker.happened(Happened::Ready);
    assert!(page.pass(300), "the first view leaves");
    tracker.happened(Happened::Woke);
    let first = page.sent().remove(0);
    tracker.happened(Happened::Answered(answer(&first, 200)));
    page.name("List");
    tracker.page("Product List", "", page.now_ms());
    let body = first.body + &batches(&serve(&mut tracker, &page, 200));
    let expected = texts(&[["/", "A page", ""], ["/list", "List", "Product List"]]);
    assert_eq!(pages_in(&body), expected);
}
