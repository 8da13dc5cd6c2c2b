//! The tracker on a page in memory: the requests and stored keys of a visit.

mod changes;
mod choices;
mod newcomers;
mod proofs;
mod rhythm;
#[cfg(feature = "more")]
mod sources;
mod tabs;
mod views;
mod withdrawals;

use std::sync::atomic::{AtomicU32, Ordering};

use hilo_core::consent::{Choice, Purpose};

use super::sending::TOGETHER_MS;
use super::*;
use crate::platform::{Answer, Call, Request};
use crate::shell::memory::Memory;

/// No two pages of a test are the same tab.
static TABS: AtomicU32 = AtomicU32::new(1);

fn options() -> Options {
    Options {
        key: "wk_t".to_owned(),
        pages: true,
        query: false,
        hash: false,
        is_strict: false,
        is_awaiting: false,
        notice: "7".to_owned(),
        tab: TABS.fetch_add(1, Ordering::Relaxed),
    }
}

/// A tracker on a page that is ready.
fn start(page: &Memory) -> Tracker<Memory> {
    let mut tracker = load(page);
    tracker.happened(Happened::Ready);
    tracker
}

/// A tracker on a page that still loads, and takes up by itself what earlier pages left.
fn load(page: &Memory) -> Tracker<Memory> {
    let mut tracker = Tracker::new(options(), page.clone());
    tracker.take_up("");
    tracker.begin();
    tracker
}

fn grant(tracker: &mut Tracker<Memory>) {
    tracker.choose("analytics functional", Choice::Granted);
}

/// The collector's answer to `request`; an error has a code, and a new id is the page's own.
fn answer(request: &Request, status: u16) -> Answer {
    let word = if status < 400 { "" } else { "malformed_body" };
    let id = field(request, "spareId");
    let id = if id.is_empty() { field(request, "anonymousId") } else { id };
    let hello = match request.body.starts_with("{\"hello\"") {
        true => id + "|0|7",
        // A denial of everything leaves the page no id, and a batch without a hello asks for none.
        false if request.body.contains("\"keepsId\":false") => String::new(),
        false if request.call == Call::Batch => String::new(),
        false => id,
    };
    let word = word.to_owned();
    Answer { ticket: request.ticket, status, word, hello, ..Answer::default() }
}

/// The answer that names `visitor`.
fn naming(request: &Request, visitor: &str) -> Answer {
    Answer { hello: visitor.to_owned(), ..answer(request, 200) }
}

/// The text of the field `name` of a request; empty where it has none.
fn field(request: &Request, name: &str) -> String {
    let behind = request.body.split_once(&format!("\"{name}\":\"")).map_or("", |(_, rest)| rest);
    behind.split('"').next().unwrap_or_default().to_owned()
}

/// Answers every request until no more come. Returns all requests.
fn serve(tracker: &mut Tracker<Memory>, page: &Memory, status: u16) -> Vec<Request> {
    let mut seen = Vec::new();
    for _ in 0..20 {
        let sent = page.sent();
        for request in &sent {
            tracker.happened(Happened::Answered(answer(request, status)));
        }
        let is_over = sent.is_empty() && !page.pass(TOGETHER_MS);
        seen.extend(sent);
        if is_over {
            break;
        }
        tracker.happened(Happened::Woke);
    }
    seen
}

fn batches(requests: &[Request]) -> String {
    requests.iter().filter(|r| r.call == Call::Batch).map(|r| r.body.as_str()).collect()
}

#[test]
fn before_consent_nothing_is_sent_or_stored() {
    let page = Memory::new("https://a.example/?utm_source=mail");
    let mut tracker = start(&page);
    tracker.track("Product Viewed", "{}", 0);
    tracker.happened(Happened::Hidden);
    tracker.happened(Happened::Woke);
    assert!(page.sent().is_empty() && page.stored().is_empty());
    assert_eq!(tracker.anonymous_id(), None);
}

#[test]
fn after_a_grant_waiting_events_are_sent_with_their_own_times() {
    let page = Memory::new("https://a.example/?utm_source=mail");
    let mut tracker = start(&page);
    page.pass(5_000);
    grant(&mut tracker);
    let sent = serve(&mut tracker, &page, 200);
    assert_eq!(sent[0].call, Call::Batch, "nothing goes before the first events");
    let body = batches(&sent);
    assert!(body.contains(r#""timestamp":"2026-11-18T11:06:40.000Z""#), "{body}");
    assert!(
        body.contains(r#""landing":{"url":"https://a.example/?utm_source=mail","via":"page"}"#),
        "{body}"
    );
    assert!(
        body.contains(r#""categoryPreferences":{"functional":true,"analytics":true}"#),
        "{body}"
    );
    assert!(
        sent.iter()
            .any(|r| r.call == Call::Consent && r.body.contains(r#""notice":{"version":"7"}"#))
    );
    assert!(page.stored().keys().all(|key| !key.starts_with("hilo.q.")), "judged events are gone");
}

#[test]
fn the_landing_survives_two_page_loads_before_consent() {
    let first = Memory::new("https://a.example/?utm_source=mail&gclid=7");
    first.remember_first("https://a.example/?utm_source=mail&gclid=7");
    start(&first);
    let second = first.next_document("https://a.example/list", "https://a.example/");
    start(&second);
    let third = second.next_document("https://a.example/cart", "https://a.example/list");
    let mut tracker = start(&third);
    grant(&mut tracker);
    let body = batches(&serve(&mut tracker, &third, 200));
    assert!(
        body.contains(
            r#""landing":{"url":"https://a.example/?utm_source=mail&gclid=7","via":"history"}"#
        ),
        "{body}"
    );
}

#[test]
fn a_withdrawal_leaves_only_the_denial_and_reports_it_once() {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    grant(&mut tracker);
    serve(&mut tracker, &page, 503);
    tracker.flush();
    serve(&mut tracker, &page, 200);
    let id = tracker.anonymous_id().unwrap().to_owned();
    tracker.withdraw();
    assert_eq!(page.stored().into_keys().collect::<Vec<_>>(), ["hilo.c", "hilo.r.d1"]);
    assert!(page.stored().into_values().all(|value| !value.contains(&id)));
    let sent = serve(&mut tracker, &page, 200);
    assert_eq!(page.stored().into_keys().collect::<Vec<_>>(), ["hilo.c"]);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0].call == Call::Consent && sent[0].body.contains(&id));
    tracker.track("Product Viewed", "", 0);
    assert!(serve(&mut tracker, &page, 200).is_empty());
}

#[test]
fn events_that_a_page_could_not_send_are_sent_by_the_next_page() {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    grant(&mut tracker);
    serve(&mut tracker, &page, 0);
    tracker.track("Product Viewed", r#"{"n":1}"#, page.now_ms());
    tracker.happened(Happened::TaskEnded);
    let next = page.next_document("https://a.example/2", "https://a.example/");
    let mut tracker = start(&next);
    let body = batches(&serve(&mut tracker, &next, 200));
    assert!(
        body.contains("Product Viewed") && body.matches(r#""type":"page""#).count() == 2,
        "{body}"
    );
}

#[test]
fn a_logout_in_another_tab_counts_in_this_tab() {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    grant(&mut tracker);
    serve(&mut tracker, &page, 200);
    let other = "22222222-2222-4222-8222-222222222222";
    page.save(ID_KEY, other);
    tracker.happened(Happened::StoredElsewhere);
    assert_eq!(tracker.anonymous_id(), Some(other));
}

#[test]
fn a_session_and_a_claim_of_another_tab_count_in_this_tab() {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    grant(&mut tracker);
    serve(&mut tracker, &page, 200);
    page.save(SESSION_KEY, "1795000000000|1795000000000|utm_source=x");
    page.save(CLAIM_KEY, "eva");
    tracker.track("Before", "", 1_795_000_000_500);
    tracker.happened(Happened::StoredElsewhere);
    tracker.track("After", "", 1_795_000_000_500);
    let body = batches(&serve(&mut tracker, &page, 200));
    let after = body.split_once("Before").unwrap().1;
    assert!(
        after.contains(r#""userId":"eva""#) && body.contains(r#""id":"1795000000000""#),
        "{body}"
    );
    assert_eq!(body.matches("eva").count(), 1);
}

#[test]
fn a_logout_and_a_claim_of_another_user_begin_a_new_visitor() {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    grant(&mut tracker);
    serve(&mut tracker, &page, 200);
    let first = tracker.anonymous_id().unwrap().to_owned();
    tracker.identify("ana", "", 1);
    assert_eq!(tracker.anonymous_id(), Some(first.as_str()));
    tracker.identify("eva", "", 2);
    assert_ne!(tracker.anonymous_id(), Some(first.as_str()));
    tracker.identify("undefined", "", 3);
    let body = batches(&serve(&mut tracker, &page, 200));
    assert!(!body.contains("undefined"));
}

#[test]
fn one_poisonous_event_is_dropped_alone() {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    grant(&mut tracker);
    serve(&mut tracker, &page, 200);
    for i in 0..9 {
        tracker.track(if i == 4 { "poison" } else { "fine" }, "", page.now_ms());
    }
    let (mut fine, mut rounds) = (0, 0);
    while rounds < 60 {
        rounds += 1;
        if page.pass(TOGETHER_MS) {
            tracker.happened(Happened::Woke);
        }
        for request in page.sent() {
            let is_poisoned = request.body.contains("\"event\":\"poison\"");
            fine += if is_poisoned { 0 } else { request.body.matches("\"fine\"").count() };
            let status = if is_poisoned { 400 } else { 200 };
            tracker.happened(Happened::Answered(answer(&request, status)));
        }
    }
    assert_eq!(fine, 8);
    assert!(page.stored().keys().all(|key| !key.starts_with("hilo.q.")));
}

#[test]
fn a_page_without_storage_keeps_events_in_memory_and_reports_it() {
    let page = Memory::new("https://a.example/");
    page.block_storage();
    let mut tracker = start(&page);
    grant(&mut tracker);
    let body = batches(&serve(&mut tracker, &page, 200));
    assert!(body.contains(r#""persistence":"memory""#), "{body}");
    assert!(page.stored().is_empty());
}

#[test]
fn a_page_that_is_left_sends_its_events_at_once_and_keeps_them_until_judged() {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    grant(&mut tracker);
    serve(&mut tracker, &page, 200);
    tracker.track("Product Viewed", "", page.now_ms());
    tracker.happened(Happened::Hidden);
    assert!(batches(&page.sent()).contains("Product Viewed"));
    assert!(page.stored().keys().any(|key| key.starts_with("hilo.q.")), "no answer, no forgetting");
}

#[test]
fn a_failed_request_is_repeated_even_if_nothing_else_happens() {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    grant(&mut tracker);
    serve(&mut tracker, &page, 200);
    tracker.track("Product Viewed", "", page.now_ms());
    page.pass(TOGETHER_MS);
    tracker.happened(Happened::Woke);
    let lost = page.sent().remove(0);
    // Random bytes count upwards in this page, so the first delays are 0.
    tracker.happened(Happened::Answered(Answer { ticket: lost.ticket, ..Answer::default() }));
    assert!(page.pass(60_000), "a timer is set");
    tracker.happened(Happened::Woke);
    assert_eq!(page.sent().remove(0).body.matches("Product Viewed").count(), 1);
}

#[test]
fn a_click_by_each_click_id_of_the_core_opens_a_new_session() {
    for (key, ..) in hilo_core::query_keys::CLICK_IDS {
        let page = Memory::new("https://a.example/?utm_source=mail");
        let mut tracker = start(&page);
        grant(&mut tracker);
        serve(&mut tracker, &page, 200);
        let url = format!("https://a.example/list?{key}=1");
        let clicked = page.next_document(&url, "https://ads.example/");
        let mut tracker = start(&clicked);
        let body = batches(&serve(&mut tracker, &clicked, 200));
        assert!(body.contains(&format!(r#""landing":{{"url":"{url}""#)), "{body}");
    }
}

#[test]
fn an_answer_in_the_collectors_place_costs_no_event_no_record_and_no_id() {
    for status in [204, 400, 403, 410, 413] {
        let page = Memory::new("https://a.example/");
        let mut tracker = start(&page);
        grant(&mut tracker);
        tracker.track("Product Viewed", "", page.now_ms());
        for _ in 0..10 {
            for request in page.sent() {
                let foreign = Answer { ticket: request.ticket, status, ..Answer::default() };
                tracker.happened(Happened::Answered(foreign));
            }
            tracker.happened(Happened::TaskEnded);
            page.pass(60_000);
            tracker.happened(Happened::Woke);
        }
        page.sent();
        let next = page.next_document("https://a.example/2", "https://a.example/");
        let mut tracker = start(&next);
        let sent = serve(&mut tracker, &next, 200);
        assert_eq!(batches(&sent).matches("Product Viewed").count(), 1, "{status}");
        assert!(sent.iter().any(|request| request.call == Call::Consent), "{status}");
    }
}

#[test]
fn a_revoked_key_ends_the_tracker_and_deletes_what_waits() {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    grant(&mut tracker);
    serve(&mut tracker, &page, 503);
    tracker.flush();
    let request = page.sent().remove(0);
    let word = "key_revoked".to_owned();
    let revoked = Answer { word, ..answer(&request, 410) };
    tracker.happened(Happened::Answered(revoked));
    assert!(
        page.stored().keys().all(|key| !key.starts_with("hilo.q.") && !key.starts_with("hilo.r."))
    );
    tracker.track("Never", "", page.now_ms());
    assert!(serve(&mut tracker, &page, 200).is_empty());
}

#[test]
fn in_debug_mode_each_event_that_waits_or_is_dropped_is_named_with_the_reason() {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    tracker.track("Product Viewed", "", page.now_ms());
    tracker.track("", "", page.now_ms());
    tracker.choose("analytics nonsense", Choice::Denied);
    tracker.track("Late", "", page.now_ms());
    let expected = [
        "held page ",
        "held track Product Viewed",
        "unnamed_event",
        "unknown_purpose nonsense",
        "consent_denied page ",
        "consent_denied track Product Viewed",
        "consent_denied track Late",
    ];
    assert_eq!(page.said(), expected);
}
