//! Tests of the journal's objects: what they keep, what they answer, and when they forget.

use std::collections::BTreeMap;

use super::answer::DAY_MS;
use super::*;
use crate::calls::encode;
use crate::calls::journal::gathered::{HOUR_MS, Shard};
use crate::calls::journal::lines::{
    DeadLetter, Health, Reject, RejectCount, RejectKind, ShownAnswer, ShownRequest,
};
use crate::calls::journal::{JournalCall, KeptRejects, RejectIndex, RejectsCall};
use crate::platform::SqlValue;
use crate::shell::memory::MemorySql;
use crate::store::schema;

const NOW_MS: i64 = 1_795_000_000_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

/// A part of the journal in memory.
struct Object {
    sql: MemorySql,
    volatile: Volatile,
    part: Part,
}

impl Object {
    fn new(part: Part) -> Object {
        Object { sql: MemorySql::new().unwrap(), volatile: Volatile::default(), part }
    }

    fn ask(&mut self, call: &impl serde::Serialize, now_ms: i64) -> JournalAnswer {
        let call = encode(call).unwrap();
        answer(&self.sql, &mut self.volatile, self.part, &call, at(now_ms)).unwrap()
    }

    fn read<T: serde::de::DeserializeOwned>(&mut self, call: &impl serde::Serialize) -> T {
        decode(&self.ask(call, NOW_MS).reply).unwrap()
    }

    fn fire(&mut self, rejects_days: u32, now_ms: i64) -> AfterAlarm {
        on_alarm(&self.sql, &mut self.volatile, self.part, rejects_days, at(now_ms)).unwrap()
    }

    /// Lists the tables.
    fn tables(&self) -> usize {
        self.sql.exec("SELECT name FROM sqlite_master WHERE type = 'table'", &[]).unwrap().len()
    }
}

/// A bundle with `seen` refusals of one kind, of which `lines` have a line.
fn bundle(code: &str, seen: u32, lines: u32) -> RejectsCall {
    let line = |index| Reject { code: code.to_owned(), index: Some(index), ..Reject::default() };
    let rejects: Vec<_> = (0..lines).map(line).collect();
    let kind = RejectKind { code: code.to_owned(), ..RejectKind::default() };
    RejectsCall::Keep(KeptRejects {
        counts: vec![RejectCount { kind, seen, kept: lines }],
        rejects,
    })
}

fn kept(shard: &mut Object) -> Vec<(String, u32, u32)> {
    let kept: KeptRejects = shard.read(&RejectsCall::Read { since_ms: 0, limit: 1, code: None });
    kept.counts.into_iter().map(|count| (count.kind.code, count.seen, count.kept)).collect()
}

fn letter(id: usize) -> DeadLetter {
    DeadLetter {
        profile: "p".to_owned(),
        message_hash: format!("m{id}"),
        destination: "webhook".to_owned(),
        code: "refused".to_owned(),
        reason: "refused: gone".to_owned(),
        at: at(NOW_MS).to_string(),
        request: None,
        answer: None,
    }
}

#[test]
fn a_dead_letter_is_found_by_its_id_also_behind_the_newest_five_hundred() {
    let mut head = Object::new(Part::Head);
    head.ask(&JournalCall::Dead { letters: vec![letter(0)] }, NOW_MS - 1);
    head.ask(&JournalCall::Dead { letters: (1..=600).map(letter).collect() }, NOW_MS);
    let find = |ids: &[&str]| JournalCall::DeadLetters {
        destination: Some("webhook".to_owned()),
        since_ms: 0,
        until_ms: None,
        code: None,
        messages: ids.iter().map(|id| (*id).to_owned()).collect(),
        limit: 500,
    };
    let found: Vec<DeadLetter> = head.read(&find(&["m0", "m7", "unknown"]));
    let ids: Vec<_> = found.iter().map(|letter| letter.message_hash.as_str()).collect();
    assert_eq!(ids, ["m7", "m0"]);
    assert_eq!(head.read::<Vec<DeadLetter>>(&find(&[])).len(), 500);
}

#[test]
fn dead_letters_are_found_by_their_time_and_code_and_show_the_last_request() {
    let mut head = Object::new(Part::Head);
    let request = ShownRequest {
        method: "POST".to_owned(),
        url: "https://desk.example/".to_owned(),
        headers: BTreeMap::new(),
        body: serde_json::json!({"id": "<text 2>"}),
    };
    let answer = ShownAnswer { status: 400, body: "no".to_owned() };
    let shown = DeadLetter { request: Some(request), answer: Some(answer), ..letter(1) };
    let old = DeadLetter { code: "too_old".to_owned(), ..letter(2) };
    head.ask(&JournalCall::Dead { letters: vec![shown.clone()] }, NOW_MS);
    head.ask(&JournalCall::Dead { letters: vec![old.clone()] }, NOW_MS + 10);
    let mut find = |since_ms, until_ms, code: Option<&str>| -> Vec<DeadLetter> {
        head.read(&JournalCall::DeadLetters {
            destination: None,
            since_ms,
            until_ms,
            code: code.map(str::to_owned),
            messages: Vec::new(),
            limit: 10,
        })
    };
    assert_eq!(find(0, None, None), [old.clone(), shown.clone()]);
    assert_eq!(find(0, Some(NOW_MS + 10), None), std::slice::from_ref(&shown));
    assert_eq!(find(NOW_MS + 1, None, None), [old]);
    assert_eq!(find(0, None, Some("refused")), [shown]);
    assert_eq!(find(0, None, Some("given_up")), []);
}

#[test]
fn skipped_and_assumed_events_of_two_isolates_add_up_by_code() {
    let mut head = Object::new(Part::Head);
    let counted = |code: &str| Health {
        destination: "webhook".to_owned(),
        assumed: 2,
        skipped: BTreeMap::from([(code.to_owned(), 3)]),
        ..Health::default()
    };
    for code in ["missing_identifier", "consent_denied", "consent_denied"] {
        head.ask(&JournalCall::Counted { shard: None, attempts: vec![counted(code)] }, NOW_MS);
    }
    let [health]: [Health; 1] = head.read::<Vec<_>>(&JournalCall::Deliveries).try_into().unwrap();
    let skipped: Vec<_> = health.skipped.iter().map(|(code, n)| (code.as_str(), *n)).collect();
    assert_eq!(
        (health.assumed, skipped),
        (6, vec![("consent_denied", 6), ("missing_identifier", 3)])
    );
}

#[test]
fn counted_attempts_of_two_isolates_add_up_and_the_last_error_stays() {
    let mut head = Object::new(Part::Head);
    let delivered = Health {
        destination: "webhook".to_owned(),
        delivered: 3,
        last_delivered_at: Some("t1".to_owned()),
        ..Health::default()
    };
    let failed = Health {
        destination: "webhook".to_owned(),
        retried: 2,
        dead: 1,
        last_error: Some("gone".to_owned()),
        last_error_at: Some("t2".to_owned()),
        ..Health::default()
    };
    let later = Health { last_delivered_at: Some("t3".to_owned()), ..delivered.clone() };
    for health in [delivered, failed.clone(), later] {
        head.ask(&JournalCall::Counted { shard: None, attempts: vec![health] }, NOW_MS);
    }
    let expected = Health { delivered: 6, last_delivered_at: Some("t3".to_owned()), ..failed };
    assert_eq!(head.read::<Vec<Health>>(&JournalCall::Deliveries), [expected]);
}

#[test]
fn a_part_of_the_journal_that_was_only_read_holds_no_storage() {
    let mut head = Object::new(Part::Head);
    let index = JournalCall::RejectIndex { since_ms: 0, limit: 1 };
    assert_eq!(head.ask(&index, NOW_MS).alarm_ms, None);
    assert_eq!(head.read::<Vec<Health>>(&JournalCall::Deliveries), []);
    assert_eq!(head.tables(), 0);
    let mut shard = Object::new(Part::Shard);
    assert_eq!(kept(&mut shard), []);
    assert_eq!(shard.tables(), 0);
}

#[test]
fn a_flood_of_one_kind_keeps_its_first_lines_then_one_a_minute_and_counts_all() {
    let mut shard = Object::new(Part::Shard);
    for second in 0..180 {
        shard.ask(&bundle("unknown_key", 1_000, 100), NOW_MS + second * 1_000);
    }
    shard.ask(&bundle("no_consent", 1, 1), NOW_MS + 181_000);
    let expected = [("no_consent", 1, 1), ("unknown_key", 180_000, 202)];
    assert_eq!(kept(&mut shard), expected.map(|(code, seen, kept)| (code.to_owned(), seen, kept)));
    let newest: KeptRejects = shard.read(&RejectsCall::Read { since_ms: 0, limit: 2, code: None });
    let codes: Vec<_> = newest.rejects.iter().map(|reject| reject.code.as_str()).collect();
    assert_eq!(codes, ["no_consent", "unknown_key"]);
}

#[test]
fn a_shard_keeps_a_bounded_number_of_lines_and_kinds_and_counts_all() {
    let mut shard = Object::new(Part::Shard);
    for kind in 0..1_010 {
        shard.ask(&bundle(&format!("code-{kind}"), 10, 10), NOW_MS);
    }
    let kept = kept(&mut shard);
    assert_eq!(kept.len(), 1_001);
    assert_eq!(kept.iter().map(|(_, seen, _)| seen).sum::<u32>(), 10_100);
    assert_eq!(kept.iter().map(|(_, _, kept)| kept).sum::<u32>(), 5_000);
}

#[test]
fn a_shard_looks_at_the_bound_every_day_and_deletes_its_storage_when_its_days_are_over() {
    let mut shard = Object::new(Part::Shard);
    let day = |n: i64| NOW_MS + n * DAY_MS;
    assert_eq!(shard.ask(&bundle("no_consent", 1, 1), day(0)).alarm_ms, Some(day(1)));
    let read = RejectsCall::Read { since_ms: 0, limit: 1, code: None };
    assert_eq!(shard.ask(&read, NOW_MS).alarm_ms, None, "reading does not move the alarm");
    assert_eq!(shard.fire(14, day(1)), AfterAlarm::Again(day(2)));
    assert_eq!(shard.fire(3, day(2)), AfterAlarm::Again(day(3)), "the bound has become shorter");
    assert_eq!(shard.fire(3, day(3)), AfterAlarm::Delete);
    assert_eq!(Object::new(Part::Shard).fire(14, NOW_MS), AfterAlarm::Delete);
}

#[test]
fn the_head_shows_refusals_of_the_version_before_and_forgets_them_by_alarm() {
    let mut head = Object::new(Part::Head);
    schema::apply(&head.sql, schema::JOURNAL.first(1)).unwrap();
    let line = encode(&Reject { code: "no_consent".to_owned(), ..Reject::default() }).unwrap();
    let insert = "INSERT INTO rejects (at_ms, code, reject) VALUES (?, 'no_consent', ?)";
    head.sql.exec(insert, &[SqlValue::int(NOW_MS).unwrap(), line.into()]).unwrap();
    let index = JournalCall::RejectIndex { since_ms: NOW_MS, limit: 10 };
    let alarm_ms = head.ask(&index, NOW_MS).alarm_ms.unwrap();
    assert_eq!(alarm_ms, (NOW_MS / DAY_MS + 1) * DAY_MS);
    let own = |head: &mut Object| head.read::<RejectIndex>(&index).own.rejects.len();
    assert_eq!(own(&mut head), 1);
    assert_eq!(head.fire(14, alarm_ms), AfterAlarm::Again(alarm_ms + DAY_MS));
    assert_eq!(own(&mut head), 1);
    assert_eq!(head.fire(14, alarm_ms + 14 * DAY_MS), AfterAlarm::Rest);
    assert_eq!(own(&mut head), 0);
}

#[test]
fn the_index_lists_the_shards_of_a_time_range_newest_hour_first_and_forgets_old_ones() {
    let mut head = Object::new(Part::Head);
    let hour = NOW_MS / HOUR_MS;
    for (hour, number) in [(hour - 1, 2), (hour, 3), (hour, 1), (hour, 3), (hour - 30, 0)] {
        let shard = Some(Shard { hour, number });
        head.ask(&JournalCall::Counted { shard, attempts: Vec::new() }, NOW_MS);
    }
    let mut list = |since_ms| {
        let index: RejectIndex = head.read(&JournalCall::RejectIndex { since_ms, limit: 0 });
        index.shards.iter().map(|shard| (shard.hour - hour, shard.number)).collect::<Vec<_>>()
    };
    assert_eq!(list(0), [(0, 1), (0, 3), (-1, 2), (-30, 0)]);
    assert_eq!(list(NOW_MS), [(0, 1), (0, 3)]);
    head.fire(1, NOW_MS);
    let index: RejectIndex = head.read(&JournalCall::RejectIndex { since_ms: 0, limit: 0 });
    assert_eq!(index.shards.len(), 3);
}
