//! Ids of which services tell by calls: what is told again meanwhile stays, and no deletion goes for a lack of room.

use super::*;
use crate::calls::feed::{Taken, Told};

fn tell(memory: &Memory, ids: Vec<String>) {
    let () = run(ask_feed(memory, "feed", &FeedCall::Told { ids })).unwrap().unwrap();
}

/// Begins a run. Returns what has to be read, and what was deleted.
fn begin(memory: &Memory) -> (Vec<Told>, Vec<Told>) {
    let call = FeedCall::Begin { run: "one".to_owned(), calls_max: 100 };
    let begun: Begun = run(ask_feed(memory, "feed", &call)).unwrap().unwrap();
    let Begun::Run { told, deleted, .. } = &begun else { panic!("{begun:?}") };
    (told.clone(), deleted.clone())
}

#[test]
fn an_id_that_is_told_again_while_it_is_read_is_read_again() {
    let memory =
        deployment("sumup", "api_key = { secret = \"KEY\" }\nwebhook_key = { secret = \"ID\" }");
    tell(&memory, vec!["c-1".to_owned(), "c-2".to_owned()]);
    let (read, _) = begin(&memory);
    // The checkout is paid behind the answer, and the clock still shows the same millisecond.
    tell(&memory, vec!["c-1".to_owned()]);
    let page = FeedCall::Page {
        run: "one".to_owned(),
        state: Value::Null,
        touches: Vec::new(),
        flags: Vec::new(),
        read,
        reports: 2,
        odd: 0,
        goes_on: false,
        calls_max: 100,
    };
    let taken: Taken = run(ask_feed(&memory, "feed", &page)).unwrap().unwrap();
    assert_eq!((taken, standing(&memory).told), (Taken::Stop, 1));
    let hurry = FeedCall::Hurry;
    let () = run(ask_feed(&memory, "feed", &hurry)).unwrap().unwrap();
    assert_eq!(begin(&memory).0.into_iter().map(|one| one.id).collect::<Vec<_>>(), ["c-1"]);
}

#[test]
fn a_deletion_stays_noted_where_more_ids_are_told_than_there_is_room_for() {
    let memory = hubspot();
    let long = format!("deleted:contact:{}", "7".repeat(200));
    tell(&memory, vec!["deleted:contact:7".to_owned(), long.clone()]);
    memory.advance(SignedDuration::from_secs(1));
    tell(&memory, (0..10_050).map(|id: u32| id.to_string()).collect());
    assert_eq!(standing(&memory).told, 10_002);
    let (told, deleted) = begin(&memory);
    assert_eq!(told.len(), 500);
    let deleted: Vec<_> = deleted.into_iter().map(|one| one.id).collect();
    assert_eq!(deleted, ["deleted:contact:7".to_owned(), long]);
}
