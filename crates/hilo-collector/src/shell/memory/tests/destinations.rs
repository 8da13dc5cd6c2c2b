//! Destinations that are slow, dead or unknown, beside one that is well: hours and days of an injected clock.

use std::collections::BTreeMap;

use super::*;
use crate::calls::journal::lines::DeadLetter;
use crate::calls::journal::{JournalCall, ask_journal};
use crate::calls::{DeliveryState, Page, ProfileCall, ask_profile, decode};
use crate::platform::Sql as _;

const WELL: &str = "http://127.0.0.1:9001/";
const ILL: &str = "http://127.0.0.1:9002/";

/// The built-in file with two destinations, `well` and `ill`.
fn config() -> String {
    let built_in = include_str!("../../../../hilo.toml");
    let well = built_in.replace("name = \"webhook\"", "name = \"well\"");
    let well = well.replace("confirm_by = \"webhook\"", "confirm_by = \"well\"");
    let well = well.replace("http://127.0.0.1:8787/dev/webhook", WELL);
    let ill = format!(
        "[[destination]]\nname = \"ill\"\ntype = \"webhook\"\npurposes = [\"analytics\"]\nurl = \"{ILL}\"\n\
         secret = {{ secret = \"WEBHOOK_SECRET\" }}\n"
    );
    format!("{well}\n{ill}")
}

/// A deployment with both destinations, in which this number of people send ten page views each.
fn deployment(people: usize) -> Memory {
    let memory = memory();
    memory.configure(&config());
    for person in 0..people {
        for view in 0..10 {
            let mut event = page_view();
            event["messageId"] = format!("m{person}-{view}").into();
            event["anonymousId"] = format!("a{person}").into();
            send(&memory, &event);
        }
    }
    memory
}

/// Lets this time pass, in steps.
fn pass(memory: &Memory, time: SignedDuration, step: SignedDuration) {
    let end = memory.now() + time;
    while memory.now() < end {
        settle(memory);
        memory.advance(step);
    }
}

/// Counts the requests for each event that reached a destination.
fn requests(memory: &Memory, url: &str) -> BTreeMap<String, u32> {
    let mut requests = BTreeMap::new();
    for sent in memory.sent().iter().filter(|sent| sent.url == url) {
        let id = crate::shell::memory::delivered_id(sent);
        *requests.entry(id).or_default() += 1;
    }
    requests
}

/// Reads the deliveries of all people to a destination.
fn outbox(memory: &Memory, people: usize, destination: &str) -> Vec<DeliveryState> {
    let secret = crate::call::secret(memory).unwrap();
    let mut states = Vec::new();
    for person in 0..people {
        let key = hilo_core::identity::ProfileKey::Anonymous(format!("a{person}"));
        let name = crate::signature::object_name(secret.naming(), &key);
        let call = ProfileCall::Deliveries { cursor: None, limit: 200 };
        let page: Page = run(ask_profile(memory, name, &call)).unwrap().unwrap();
        states.extend(page.rows.iter().map(|row| decode::<DeliveryState>(row.get()).unwrap()));
    }
    states.retain(|one| one.destination == destination);
    states
}

fn dead_letters(memory: &Memory) -> Vec<DeadLetter> {
    let call = JournalCall::DeadLetters {
        destination: Some("ill".to_owned()),
        since_ms: 0,
        until_ms: None,
        code: None,
        messages: Vec::new(),
        limit: 500,
    };
    run(ask_journal(memory, &call)).unwrap().unwrap()
}

#[test]
fn a_destination_that_takes_two_seconds_gets_each_event_once() {
    let memory = deployment(20);
    memory.set_answer(ILL, 204, SignedDuration::from_secs(2));
    pass(&memory, SignedDuration::from_mins(30), SignedDuration::from_secs(1));
    let seen = requests(&memory, ILL);
    assert_eq!(seen.len(), 200);
    assert!(seen.values().all(|count| *count == 1), "{seen:?}");
    let outbox = outbox(&memory, 20, "ill");
    assert!(outbox.iter().all(|one| (one.state.as_str(), one.attempts) == ("delivered", 0)));
}

#[test]
fn a_destination_that_never_answers_gets_few_requests_and_slows_nobody() {
    let memory = deployment(20);
    memory.set_answer(ILL, 0, SignedDuration::from_secs(10));
    pass(&memory, SignedDuration::from_mins(2), SignedDuration::from_secs(1));
    assert_eq!(requests(&memory, WELL).len(), 200, "the other one has everything");
    pass(&memory, SignedDuration::from_mins(23), SignedDuration::from_secs(1));
    let count: u32 = requests(&memory, ILL).values().sum();
    assert!((5..25).contains(&count), "{count} requests in 25 minutes");
    let attempts: u32 = outbox(&memory, 20, "ill").iter().map(|one| one.attempts).sum();
    assert!(attempts >= count - 1, "{attempts} attempts of {count} requests count");
    // It comes back, and gets everything within the longest wait.
    memory.set_answer(ILL, 204, SignedDuration::ZERO);
    pass(&memory, SignedDuration::from_mins(20), SignedDuration::from_secs(5));
    assert_eq!(requests(&memory, ILL).len(), 200);
    assert!(outbox(&memory, 20, "ill").iter().all(|one| one.state == "delivered"));
    assert_eq!(dead_letters(&memory), []);
    assert!(requests(&memory, WELL).values().all(|count| *count == 1));
}

#[test]
fn events_for_a_destination_that_stays_dead_become_dead_letters_with_the_reason() {
    let memory = deployment(3);
    memory.set_answer(ILL, 500, SignedDuration::from_millis(20));
    pass(&memory, SignedDuration::from_hours(36), SignedDuration::from_mins(10));
    assert!(outbox(&memory, 3, "ill").iter().all(|one| one.state == "pending"));
    // Four days, and the delay of an attempt just before their end.
    pass(&memory, SignedDuration::from_hours(24 * 3 + 12), SignedDuration::from_mins(10));
    let states = outbox(&memory, 3, "ill");
    assert!(states.iter().all(|one| one.state == "dead"), "{states:?}");
    let letters = dead_letters(&memory);
    assert_eq!(letters.len(), 30);
    assert!(letters.iter().all(|letter| letter.reason.contains("status 500")), "{letters:?}");
}

#[test]
fn events_for_an_unknown_destination_wait_until_it_is_known_again() {
    let memory = deployment(2);
    memory.configure(&config().replace("name = \"ill\"", "name = \"renamed\""));
    pass(&memory, SignedDuration::from_hours(5), SignedDuration::from_secs(60));
    for one in outbox(&memory, 2, "ill") {
        assert_eq!((one.state.as_str(), one.attempts), ("pending", 0));
        let reason = one.reason.unwrap();
        assert_eq!(reason, "waits: hilo.toml has no destination called \"ill\"");
    }
    assert_eq!(requests(&memory, WELL).len(), 20);
    memory.configure(&config());
    pass(&memory, SignedDuration::from_mins(70), SignedDuration::from_secs(60));
    let seen = requests(&memory, ILL);
    assert_eq!((seen.len(), seen.values().max()), (20, Some(&1)));
    assert_eq!(dead_letters(&memory), []);
}

#[test]
fn events_for_a_destination_that_stays_unknown_become_dead_letters_after_four_days() {
    let memory = deployment(1);
    memory.configure(&config().replace("name = \"ill\"", "name = \"renamed\""));
    pass(&memory, SignedDuration::from_hours(24 * 4 + 2), SignedDuration::from_mins(10));
    let reasons: Vec<String> = dead_letters(&memory).into_iter().map(|one| one.reason).collect();
    let expected =
        "given_up: after 4 days: waits: hilo.toml has no destination called \"ill\"".to_owned();
    assert_eq!(reasons, vec![expected; 10]);
}

#[test]
fn a_message_that_the_queue_loses_is_sent_again_and_counts() {
    let memory = deployment(1);
    while !memory.0.deferred.borrow().is_empty() {
        let work = memory.0.deferred.borrow_mut().pop_front().unwrap();
        run(work).unwrap();
    }
    assert!(!memory.0.queue.borrow().is_empty());
    memory.0.queue.borrow_mut().clear();
    pass(&memory, SignedDuration::from_mins(3), SignedDuration::from_secs(1));
    let states = outbox(&memory, 1, "well");
    assert!(states.iter().all(|one| (one.state.as_str(), one.attempts) == ("delivered", 1)));
    assert!(requests(&memory, WELL).values().all(|count| *count == 1));
}

#[test]
fn a_dead_letter_that_the_journal_could_not_list_stays_pending_and_is_listed_later() {
    let memory = deployment(1);
    settle(&memory);
    let rename = |from: &str, to: &str| {
        let head = Rc::clone(&memory.0.journal.borrow()["journal"]);
        head.sql.run(&format!("ALTER TABLE {from} RENAME TO {to}"), &[]).unwrap();
    };
    memory.set_answer(ILL, 410, SignedDuration::ZERO);
    rename("dead_letters", "out_of_reach");
    let mut event = page_view();
    (event["messageId"], event["anonymousId"]) = ("late".into(), "a0".into());
    send(&memory, &event);
    pass(&memory, SignedDuration::from_mins(1), SignedDuration::from_secs(1));
    let states = |memory: &Memory| {
        let states = outbox(memory, 1, "ill").into_iter().map(|one| (one.message_id, one.state));
        states.filter(|(id, _)| id == "late").map(|(_, state)| state).collect::<Vec<_>>()
    };
    assert_eq!(states(&memory), ["pending"]);
    assert_eq!(requests(&memory, WELL).len(), 11, "the results of the others are confirmed");
    rename("out_of_reach", "dead_letters");
    pass(&memory, SignedDuration::from_mins(5), SignedDuration::from_secs(1));
    let letters = dead_letters(&memory).into_iter().map(|letter| letter.message_hash);
    assert_eq!(letters.collect::<Vec<_>>(), [crate::signature::message_hash("late")]);
    assert_eq!(states(&memory), ["dead"]);
}
