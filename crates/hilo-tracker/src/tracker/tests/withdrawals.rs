//! A denial wins: over the network, over the page's end, and over what was sent before it.

use super::*;

/// A page whose visitor has granted, its tracker and the visitor's id.
fn granted() -> (Memory, Tracker<Memory>, String) {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    grant(&mut tracker);
    serve(&mut tracker, &page, 200);
    let id = tracker.anonymous_id().unwrap().to_owned();
    (page, tracker, id)
}

fn bodies(requests: &[Request], call: Call) -> Vec<&str> {
    requests.iter().filter(|one| one.call == call).map(|one| one.body.as_str()).collect()
}

fn keys(page: &Memory) -> Vec<String> {
    page.stored().into_keys().collect()
}

#[test]
fn a_withdrawal_made_offline_is_sent_by_the_next_page() {
    let (page, mut tracker, _) = granted();
    tracker.withdraw();
    for request in page.sent() {
        tracker.happened(Happened::Answered(answer(&request, 0)));
    }
    let next = page.next_document("https://a.example/2", "");
    assert_eq!(keys(&next), ["hilo.c", "hilo.r.d1"]);
    let sent = serve(&mut start(&next), &next, 200);
    let records = bodies(&sent, Call::Consent);
    assert_eq!((records.len(), sent.len()), (1, 1), "{sent:?}");
    assert!(records[0].contains(r#""state":"denied""#), "{}", records[0]);
    assert!(!records[0].contains("anonymousId"), "the page has no id: {}", records[0]);
    assert_eq!(keys(&next), ["hilo.c"]);
    assert!(serve(&mut start(&next), &next, 200).is_empty());
}

#[test]
fn the_proof_stays_until_the_denial_that_needs_it_is_judged() {
    let (page, mut tracker, _) = granted();
    let mut other = start(&page);
    page.save(TOKEN_KEY, "v2.x");
    tracker.withdraw();
    other.happened(Happened::StoredElsewhere);
    let record = page.sent().remove(0);
    tracker.happened(Happened::Answered(answer(&record, 503)));
    assert!(keys(&page).contains(&TOKEN_KEY.to_owned()));
    serve(&mut tracker, &page, 200);
    assert_eq!(keys(&page), ["hilo.c"]);
}

#[test]
fn a_denial_of_one_purpose_outlives_a_later_withdrawal_and_both_are_about_the_same_id() {
    let (page, mut tracker, id) = granted();
    tracker.choose("advertising", Choice::Denied);
    let lost = page.sent().remove(0);
    tracker.withdraw();
    tracker.happened(Happened::Answered(answer(&lost, 0)));
    assert_eq!(keys(&page), ["hilo.c", "hilo.r.d1", "hilo.r.d2"]);
    let sent = serve(&mut tracker, &page, 200);
    let records = bodies(&sent, Call::Consent);
    assert_eq!(records.len(), 2, "{sent:?}");
    assert!(records.iter().all(|body| body.contains(&id)), "{records:?}");
    assert_eq!(keys(&page), ["hilo.c"]);
}
