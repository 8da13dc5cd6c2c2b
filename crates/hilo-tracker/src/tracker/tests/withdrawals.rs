//! A denial wins: over the network, over the page's end, and over what was sent before it.

use super::*;

const OTHER: &str = "22222222-2222-4222-8222-222222222222";

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
fn a_withdrawal_of_an_id_that_the_page_proves_itself_is_proved_by_the_next_page() {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    grant(&mut tracker);
    let first = page.sent().remove(0);
    let (id, proof) = (field(&first, "spareId"), field(&first, "spareProof"));
    tracker.happened(Happened::Answered(answer(&first, 0)));
    tracker.withdraw();
    for request in page.sent() {
        tracker.happened(Happened::Answered(answer(&request, 0)));
    }
    let next = page.next_document("https://a.example/2", "");
    assert!(!keys(&next).contains(&ID_KEY.to_owned()));
    let sent = serve(&mut start(&next), &next, 200);
    assert_eq!((sent.len(), sent[0].call), (1, Call::Consent), "{sent:?}");
    assert!(sent[0].body.contains(r#""state":"denied""#), "{}", sent[0].body);
    assert_eq!((field(&sent[0], "spareId"), field(&sent[0], "spareProof")), (id.clone(), proof));
    assert_eq!(keys(&next), ["hilo.c"]);
    assert!(next.stored().into_values().all(|value| !value.contains(&id)));
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

#[test]
fn a_grant_that_waits_ends_with_the_id() {
    let (page, mut tracker, id) = granted();
    tracker.choose("advertising", Choice::Granted);
    let lost = page.sent().remove(0);
    tracker.withdraw();
    tracker.happened(Happened::Answered(answer(&lost, 0)));
    let sent = serve(&mut tracker, &page, 200);
    let records = bodies(&sent, Call::Consent);
    assert_eq!((records.len(), sent.len()), (1, 1), "{sent:?}");
    assert!(records[0].contains("denied") && records[0].contains(&id), "{}", records[0]);
}

/// A page whose visitor withdraws before the first batch is answered, and that batch.
fn withdrawn_early() -> (Memory, Tracker<Memory>, Request) {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    grant(&mut tracker);
    let hello = page.sent().remove(0);
    tracker.withdraw();
    (page, tracker, hello)
}

#[test]
fn a_denial_follows_the_answer_that_may_bring_an_id() {
    let (page, mut tracker, hello) = withdrawn_early();
    assert!(page.sent().is_empty(), "the answer could set the cookie after the denial");
    assert!(tracker.recorded(hello.ticket, 3, ""), "the denial needs the proof");
    tracker.happened(Happened::Answered(naming(&hello, OTHER)));
    let sent = serve(&mut tracker, &page, 200);
    assert_eq!((bodies(&sent, Call::Consent).len(), sent.len()), (1, 1), "{sent:?}");
    assert_eq!((tracker.anonymous_id(), keys(&page)), (None, vec!["hilo.c".to_owned()]));
}

#[test]
fn an_id_that_comes_after_a_denial_is_given_back() {
    let acts: [fn(&Memory, &mut Tracker<Memory>); 2] = [
        |page, tracker| {
            tracker.withdraw();
            tracker.happened(Happened::Hidden);
            serve(tracker, page, 200);
        },
        |page, tracker| {
            start(&page.next_document("https://a.example/2", "")).withdraw();
            page.save(CONSENT_KEY, "2|1536|");
            tracker.happened(Happened::StoredElsewhere);
        },
    ];
    for withdraw in acts {
        let page = Memory::new("https://a.example/");
        let mut tracker = start(&page);
        grant(&mut tracker);
        let hello = page.sent().remove(0);
        withdraw(&page, &mut tracker);
        assert!(!tracker.recorded(hello.ticket, 3, ""), "no token is kept");
        tracker.happened(Happened::Answered(naming(&hello, OTHER)));
        let again = page.sent().remove(0);
        assert_eq!(again.call, Call::Hello);
        assert!(again.body.contains(r#""analytics":false"#) && !again.body.contains("Id"));
        tracker.happened(Happened::Answered(answer(&again, 200)));
        assert!(serve(&mut tracker, &page, 200).is_empty());
        assert_eq!((tracker.anonymous_id(), keys(&page)), (None, vec!["hilo.c".to_owned()]));
    }
}

#[test]
fn what_a_hello_tells_is_older_than_a_grant_on_its_way() {
    let (page, mut tracker, id) = granted();
    tracker.ask();
    let hello = page.sent().remove(0);
    tracker.choose("advertising", Choice::Granted);
    assert!(page.sent().is_empty(), "the answer may bring another id");
    tracker.happened(Happened::Hidden);
    let record = page.sent().into_iter().find(|one| one.call == Call::Consent).unwrap();
    tracker.recorded(hello.ticket, 1, "advertising");
    tracker.happened(Happened::Answered(naming(&hello, &id)));
    let advertising = (Purpose::Advertising, Choice::Granted);
    assert!(tracker.choices().any(|one| one == advertising));
    tracker.recorded(record.ticket, 2, "analytics");
    assert!(tracker.choices().any(|one| one == (Purpose::Analytics, Choice::Denied)));
}

#[test]
fn the_answer_to_a_denial_is_older_than_a_grant_in_another_tab() {
    // The other tab's choice is in the storage before this tab hears of it.
    for has_heard in [false, true] {
        let (page, mut tracker, id) = granted();
        let mut other = start(&page);
        tracker.choose("analytics", Choice::Denied);
        let denial = page.sent().into_iter().find(|one| one.call == Call::Consent).unwrap();
        other.happened(Happened::StoredElsewhere);
        other.choose("analytics", Choice::Granted);
        if has_heard {
            tracker.happened(Happened::StoredElsewhere);
        }
        tracker.recorded(denial.ticket, 2, "analytics");
        tracker.happened(Happened::Answered(naming(&denial, &id)));
        other.happened(Happened::StoredElsewhere);
        for (name, tab) in [("this", &tracker), ("other", &other)] {
            let analytics = tab.choices().find(|(purpose, _)| *purpose == Purpose::Analytics);
            let granted = Some((Purpose::Analytics, Choice::Granted));
            assert_eq!(analytics, granted, "{name} tab, has heard: {has_heard}");
        }
    }
}

#[test]
fn a_record_says_whether_its_page_keeps_an_id() {
    let (page, mut tracker, _) = granted();
    tracker.reset();
    tracker.choose("advertising", Choice::Denied);
    let sent = serve(&mut tracker, &page, 200);
    assert!(bodies(&sent, Call::Consent)[0].contains(r#""keepsId":true"#), "{sent:?}");
    tracker.withdraw();
    let sent = serve(&mut tracker, &page, 200);
    assert!(bodies(&sent, Call::Consent)[0].contains(r#""keepsId":false"#), "{sent:?}");
}

#[test]
fn denials_that_were_left_go_before_grants_whose_times_tell_that_they_are_newer() {
    let (page, mut tracker, _) = granted();
    tracker.choose("advertising", Choice::Denied);
    tracker.choose("advertising", Choice::Granted);
    let next = page.next_document("https://a.example/2", "");
    let sent = serve(&mut start(&next), &next, 200);
    let records = bodies(&sent, Call::Consent);
    assert_eq!(records.len(), 2, "{sent:?}");
    assert!(records[0].contains("denied") && records[1].contains("granted"), "{records:?}");
}

#[test]
fn cookies_of_other_services_are_read_for_allowed_purposes_only_and_never_after_a_withdrawal() {
    let page = Memory::new("https://shop.example/");
    let mut tracker = Tracker::new(Options { pages: false, ..options() }, page.clone());
    tracker.begin();
    let mut read = |names: &str, choice: Choice| {
        tracker.choose(names, choice);
        tracker.track("Act", "", page.now_ms());
        let sent = serve(&mut tracker, &page, 200);
        let batches = sent.iter().filter(|request| request.call == Call::Batch);
        batches.map(|batch| field(batch, "cookies")).collect::<Vec<_>>()
    };
    assert_eq!(read("functional", Choice::Granted), [""; 0], "no event may leave");
    assert_eq!(read("analytics", Choice::Granted), ["hub _ga"]);
    assert_eq!(read("advertising", Choice::Granted), ["hub _ga _fb _tt"]);
    assert_eq!(read("functional", Choice::Denied), ["_ga _fb _tt"]);
    assert_eq!(read("advertising", Choice::Denied), ["_ga"]);
    assert_eq!(read("analytics", Choice::Denied), [""; 0]);
}
