//! A visitor of whom the page has no id: the first events leave at once, and the answer tells whose they are.

use super::*;

mod logouts;

const OTHER: &str = "22222222-2222-4222-8222-222222222222";

/// A page whose visitor has just granted, its tracker and its first request.
fn newcomer() -> (Memory, Tracker<Memory>, Request) {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    grant(&mut tracker);
    let mut sent = page.sent();
    assert_eq!(sent.len(), 1, "{sent:?}");
    (page, tracker, sent.remove(0))
}

/// An event of its own task.
fn act(tracker: &mut Tracker<Memory>, page: &Memory, name: &str) {
    tracker.track(name, "", page.now_ms());
    tracker.happened(Happened::TaskEnded);
}

/// Answers every request with this id until no more come.
fn serve_as(tracker: &mut Tracker<Memory>, page: &Memory, id: &str) -> Vec<Request> {
    let (mut seen, id) = (Vec::new(), format!("{id}|0|7"));
    for _ in 0..9 {
        for request in page.sent() {
            tracker.happened(Happened::Answered(naming(&request, &id)));
            seen.push(request);
        }
        if page.pass(TOGETHER_MS) {
            tracker.happened(Happened::Woke);
        }
    }
    seen
}

fn lost(request: &Request) -> Happened {
    Happened::Answered(Answer { ticket: request.ticket, ..Answer::default() })
}

#[test]
fn the_first_request_of_a_new_visitor_is_the_first_batch_and_proposes_its_id() {
    let (page, tracker, first) = newcomer();
    assert_eq!(first.call, Call::Batch);
    let (id, proof) = (field(&first, "spareId"), field(&first, "spareProof"));
    assert!(first.body.starts_with("{\"hello\":{\"spareId\":"), "{}", first.body);
    assert_eq!(field(&first, "anonymousId"), id, "the events have that id");
    assert_eq!(proof.len(), 36);
    assert_eq!(page.stored()["hilo.id"], format!("{id} {proof}"));
    assert_eq!(tracker.anonymous_id(), None, "it is not certain yet");
}

#[test]
fn the_answered_id_counts_for_everything_later_and_what_waits_offers_the_first_one_once_more() {
    let (page, mut tracker, first) = newcomer();
    let (id, proof) = (field(&first, "spareId"), field(&first, "spareProof"));
    act(&mut tracker, &page, "Product Viewed");
    tracker.happened(Happened::Answered(naming(&first, OTHER)));
    assert_eq!(tracker.anonymous_id(), Some(OTHER));
    assert_eq!(page.stored()["hilo.id"], format!("{OTHER} {id} {proof}"));
    act(&mut tracker, &page, "Product Added");
    let sent = serve_as(&mut tracker, &page, OTHER);
    let batch = sent.iter().find(|one| one.call == Call::Batch).unwrap();
    assert_eq!((field(batch, "spareId"), field(batch, "spareProof")), (id.clone(), proof));
    for (name, id) in [("Product Viewed", &*id), ("Product Added", OTHER)] {
        let behind = batch.body.split_once(name).unwrap().1;
        assert!(behind.split_once("\"type\"").map_or(behind, |(event, _)| event).contains(id));
    }
    let record = sent.iter().find(|one| one.call == Call::Consent).unwrap();
    assert_eq!(field(record, "spareId"), id, "the collector answers the same: {sent:?}");
    assert_eq!(page.stored()["hilo.id"], OTHER, "nothing of the first id waits any more");
    act(&mut tracker, &page, "Last");
    tracker.flush();
    assert!(!page.sent().remove(0).body.contains("hello"));
}

#[test]
fn a_lost_answer_lets_the_same_id_and_proof_come_again_on_this_page_and_the_next() {
    let (page, mut tracker, first) = newcomer();
    tracker.happened(lost(&first));
    page.pass(60_000);
    tracker.happened(Happened::Woke);
    let again = page.sent().into_iter().find(|one| one.call == Call::Batch).unwrap();
    let next = page.next_document("https://a.example/2", "https://a.example/");
    let mut later = start(&next);
    later.flush();
    let third = next.sent().into_iter().find(|one| one.call == Call::Batch).unwrap();
    for name in ["spareId", "spareProof", "messageId"] {
        assert!(!field(&first, name).is_empty(), "{name}");
        assert_eq!(field(&first, name), field(&again, name), "{name}");
        assert_eq!(field(&first, name), field(&third, name), "{name}");
    }
}

#[test]
fn each_batch_says_hello_until_one_is_answered() {
    let (page, mut tracker, first) = newcomer();
    act(&mut tracker, &page, "Product Viewed");
    tracker.happened(Happened::Hidden);
    let sent = page.sent();
    assert_eq!(sent.iter().map(|one| one.call).collect::<Vec<_>>(), [Call::Batch, Call::Consent]);
    tracker.happened(Happened::Shown);
    for request in std::iter::once(&first).chain(&sent) {
        assert_eq!(field(request, "spareProof"), field(&first, "spareProof"));
        tracker.happened(Happened::Answered(naming(request, OTHER)));
    }
    assert_eq!(page.stored()["hilo.id"], OTHER, "all that had the first id has arrived");
}

#[test]
fn the_grant_follows_the_first_batch_and_offers_the_same_id() {
    let (page, mut tracker, first) = newcomer();
    tracker.happened(Happened::Answered(naming(&first, OTHER)));
    let record = page.sent().remove(0);
    assert_eq!((record.call, field(&record, "spareId")), (Call::Consent, field(&first, "spareId")));
}

#[test]
fn a_grant_without_an_event_proposes_the_id_itself() {
    let page = Memory::new("https://a.example/");
    let mut tracker = Tracker::new(Options { pages: false, ..options() }, page.clone());
    tracker.begin();
    grant(&mut tracker);
    let record = page.sent().remove(0);
    assert_eq!((record.call, field(&record, "spareProof").len()), (Call::Consent, 36));
    tracker.happened(Happened::Answered(naming(&record, OTHER)));
    assert_eq!(tracker.anonymous_id(), Some(OTHER));
}

#[test]
fn a_grant_while_the_page_loads_waits_for_the_view_and_leaves_behind_it() {
    let page = Memory::new("https://a.example/");
    let mut tracker = load(&page);
    grant(&mut tracker);
    page.pass(1_000);
    tracker.happened(Happened::Woke);
    assert!(page.sent().is_empty());
    tracker.happened(Happened::Ready);
    assert!(page.pass(10), "the view leaves soon");
    tracker.happened(Happened::Woke);
    let batch = page.sent().remove(0);
    assert_eq!(batch.call, Call::Batch);
    tracker.happened(Happened::Answered(naming(&batch, OTHER)));
    assert_eq!(page.sent().remove(0).call, Call::Consent);
}

#[test]
fn a_grant_under_way_does_not_hold_the_first_events() {
    let page = Memory::new("https://a.example/");
    let mut tracker = Tracker::new(Options { pages: false, ..options() }, page.clone());
    tracker.begin();
    grant(&mut tracker);
    tracker.page("", "", page.now_ms());
    page.pass(10);
    tracker.happened(Happened::Woke);
    let sent = page.sent();
    assert_eq!(sent.iter().map(|one| one.call).collect::<Vec<_>>(), [Call::Consent, Call::Batch]);
    assert_eq!(field(&sent[0], "spareProof"), field(&sent[1], "spareProof"));
}

#[test]
fn an_answer_from_before_a_choice_was_recorded_takes_nothing_back() {
    let page = Memory::new("https://a.example/");
    let mut tracker = Tracker::new(Options { pages: false, ..options() }, page.clone());
    tracker.begin();
    grant(&mut tracker);
    act(&mut tracker, &page, "Product Viewed");
    page.pass(10);
    tracker.happened(Happened::Woke);
    let [record, batch] = page.sent().try_into().unwrap();
    tracker.recorded(record.ticket, 5, "");
    tracker.happened(Happened::Answered(naming(&record, OTHER)));
    tracker.recorded(batch.ticket, 4, "analytics");
    let word = "consent_denied".to_owned();
    tracker.happened(Happened::Answered(Answer { word, ..naming(&batch, OTHER) }));
    assert!(tracker.choices().any(|one| one == (Purpose::Analytics, Choice::Granted)));
    let again = batches(&serve_as(&mut tracker, &page, OTHER));
    assert_eq!(again.matches("Product Viewed").count(), 1, "{again}");
}

#[test]
fn a_page_that_may_have_an_id_and_send_no_events_says_hello_in_a_call_of_its_own() {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    tracker.choose("functional", Choice::Granted);
    let hello = page.sent().into_iter().find(|one| one.call == Call::Hello).unwrap();
    assert_eq!(field(&hello, "spareProof").len(), 36);
    tracker.happened(Happened::Answered(naming(&hello, OTHER)));
    assert_eq!(tracker.anonymous_id(), Some(OTHER));
}

#[test]
fn the_page_keeps_its_own_proof_until_the_collector_knows_another() {
    let (page, mut tracker, first) = newcomer();
    let (id, proof) = (field(&first, "spareId"), field(&first, "spareProof"));
    let both = format!("{id} {proof}");
    tracker.happened(Happened::Answered(naming(&first, &both)));
    assert_eq!((tracker.anonymous_id(), &page.stored()["hilo.id"]), (Some(&*id), &both));
    let record = page.sent().remove(0);
    assert_eq!((record.call, field(&record, "spareProof")), (Call::Consent, proof));
    tracker.happened(Happened::Answered(naming(&record, &id)));
    assert_eq!(page.stored()["hilo.id"], id, "the cookie came with that request");
}

#[test]
fn events_that_meet_an_earlier_denial_wait_for_the_grant_that_lifts_it() {
    let (page, mut tracker, first) = newcomer();
    tracker.recorded(first.ticket, 4, "analytics");
    let word = "consent_denied".to_owned();
    tracker.happened(Happened::Answered(Answer { word, ..naming(&first, OTHER) }));
    let record = page.sent().remove(0);
    assert_eq!(record.call, Call::Consent);
    tracker.recorded(record.ticket, 5, "");
    tracker.happened(Happened::Answered(naming(&record, OTHER)));
    let again = serve_as(&mut tracker, &page, OTHER);
    assert_eq!(batches(&again).matches("\"type\":\"page\"").count(), 1, "{again:?}");
    assert_eq!(field(&again[0], "spareId"), field(&first, "spareId"), "it is that id's event");
}

#[test]
fn two_tabs_that_learn_of_a_grant_are_one_visitor() {
    let page = Memory::new("https://a.example/");
    let (mut one, mut two) = (start(&page), start(&page));
    grant(&mut one);
    two.happened(Happened::StoredElsewhere);
    act(&mut two, &page, "Product Viewed");
    two.flush();
    let sent: Vec<Request> =
        page.sent().into_iter().filter(|one| one.call == Call::Batch).collect();
    assert!(sent.len() >= 2, "{sent:?}");
    for name in ["spareId", "spareProof"] {
        assert!(sent.iter().all(|batch| field(batch, name) == field(&sent[0], name)), "{name}");
    }
}

#[test]
fn a_tab_that_has_only_learned_of_a_grant_does_not_write_over_the_choices_of_others() {
    let page = Memory::new("https://a.example/");
    let (mut one, mut two) = (start(&page), start(&page));
    grant(&mut one);
    let first = page.sent().remove(0);
    two.happened(Happened::StoredElsewhere);
    two.flush();
    let batch = page.sent().remove(0);
    assert_eq!((first.call, batch.call), (Call::Batch, Call::Batch));
    one.withdraw();
    let before = page.stored()[CONSENT_KEY].clone();
    // The second tab has not heard of it yet.
    two.recorded(batch.ticket, 0, "");
    two.happened(Happened::Answered(naming(&batch, &format!("{OTHER}|6|7"))));
    assert_eq!(page.stored()[CONSENT_KEY], before);
    two.happened(Happened::StoredElsewhere);
    assert!(two.choices().all(|(_, choice)| choice == Choice::Denied));
    one.happened(Happened::Answered(naming(&first, OTHER)));
    assert!(one.choices().all(|(_, choice)| choice == Choice::Denied));
}

#[test]
fn what_another_tab_has_of_the_first_id_offers_it_after_the_answer_too() {
    let (page, mut tracker, first) = newcomer();
    let mut other = start(&page);
    act(&mut other, &page, "In the other tab");
    tracker.happened(Happened::Answered(naming(&first, OTHER)));
    other.happened(Happened::StoredElsewhere);
    assert_eq!(other.anonymous_id(), Some(OTHER));
    let sent = serve_as(&mut other, &page, OTHER);
    let batch = sent.iter().find(|one| one.body.contains("In the other tab")).unwrap();
    for name in ["spareId", "spareProof"] {
        assert_eq!(field(batch, name), field(&first, name));
    }
}

#[test]
fn the_first_id_is_kept_while_a_closed_tab_has_left_events_of_it() {
    let (page, mut tracker, first) = newcomer();
    let mut other = start(&page);
    act(&mut other, &page, "In the other tab");
    drop(other);
    tracker.happened(Happened::Answered(naming(&first, OTHER)));
    serve_as(&mut tracker, &page, OTHER);
    assert_ne!(page.stored()["hilo.id"], OTHER, "its events still wait");
    let next = page.next_document("https://a.example/2", "https://a.example/");
    let sent = serve_as(&mut start(&next), &next, OTHER);
    let batch = sent.iter().find(|one| one.body.contains("In the other tab")).unwrap();
    for name in ["spareId", "spareProof"] {
        assert_eq!(field(batch, name), field(&first, name));
    }
    assert_eq!(next.stored()["hilo.id"], OTHER);
}

#[test]
fn what_a_closed_page_left_of_the_first_id_is_offered_by_the_next() {
    let (page, mut tracker, first) = newcomer();
    act(&mut tracker, &page, "Product Viewed");
    tracker.happened(Happened::TaskEnded);
    tracker.happened(Happened::Answered(naming(&first, OTHER)));
    let next = page.next_document("https://a.example/2", "https://a.example/");
    let mut later = start(&next);
    assert_eq!(later.anonymous_id(), Some(OTHER));
    let sent = serve_as(&mut later, &next, OTHER);
    let batch = sent.iter().find(|one| one.body.contains("Product Viewed")).unwrap();
    assert_eq!(field(batch, "spareId"), field(&first, "spareId"));
    assert_eq!(next.stored()["hilo.id"], OTHER);
}

#[test]
fn the_id_is_stored_before_the_grant_that_other_tabs_learn_of() {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    grant(&mut tracker);
    let saved = page.saved();
    let at = |key: &str| saved.iter().position(|one| one == key).unwrap();
    assert!(at(ID_KEY) < at(CONSENT_KEY), "{saved:?}");
}

#[test]
fn a_logout_before_the_answer_makes_a_new_visitor_too() {
    let (page, mut tracker, first) = newcomer();
    tracker.track("Product Viewed", "", page.now_ms());
    tracker.reset();
    tracker.track("Product Added", "", page.now_ms());
    let own = tracker.anonymous_id().unwrap().to_owned();
    tracker.happened(Happened::Answered(naming(&first, OTHER)));
    assert_eq!(tracker.anonymous_id(), Some(own.as_str()));
    let sent = batches(&serve(&mut tracker, &page, 200));
    assert!(!sent.contains(OTHER), "{sent}");
    for (name, id) in [("Product Viewed", field(&first, "spareId")), ("Product Added", own)] {
        let behind = sent.split_once(name).unwrap().1;
        let event = behind.split_once("\"type\"").map_or(behind, |(event, _)| event);
        assert!(event.contains(&id), "{name} {id}: {sent}");
    }
}

#[test]
fn a_visitor_who_is_known_says_hello_once_a_day_and_it_rides() {
    let (page, mut tracker, first) = newcomer();
    let terms = format!("{OTHER}|6|7");
    tracker.happened(Happened::Answered(naming(&first, &terms)));
    serve_as(&mut tracker, &page, OTHER);
    for (hours, greets) in [(1, false), (24, true)] {
        page.pass(hours * 60 * 60 * 1_000);
        let next = page.next_document("https://a.example/2", "https://a.example/");
        let sent = serve(&mut start(&next), &next, 200);
        assert!(sent.iter().all(|one| one.call == Call::Batch), "{hours}: {sent:?}");
        let hello = format!("{{\"hello\":{{\"anonymousId\":\"{OTHER}\"}},");
        assert_eq!(sent[0].body.starts_with(&hello), greets, "{hours}: {sent:?}");
    }
}

#[test]
fn a_page_whose_cookie_does_not_stay_asks_for_a_token_once_that_is_clear() {
    let (page, mut tracker, first) = newcomer();
    let both = format!("{} {}", field(&first, "spareId"), field(&first, "spareProof"));
    tracker.happened(Happened::Answered(naming(&first, &both)));
    let record = page.sent().remove(0);
    assert_eq!(record.call, Call::Consent, "one answer tells nothing yet");
    tracker.happened(Happened::Answered(naming(&record, &both)));
    let hello = page.sent().remove(0);
    assert_eq!((hello.call, field(&hello, "spareId")), (Call::Hello, field(&first, "spareId")));
}
