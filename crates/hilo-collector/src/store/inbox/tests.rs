//! What an object of the inbox keeps, for how long, and what its storage shows.

use jiff::SignedDuration;

use super::*;
use crate::calls::inbox::{Arrival, Wanted, Worked};
use crate::shell::memory::MemorySql;
use crate::store::schema;
use hilo_core::outcome::Code;

const NOW: &str = "2026-11-24T10:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn take(sql: &MemorySql, volatile: &mut Volatile, key: &str, body: &str) -> InboxAnswer {
    let arrival = Arrival {
        source: "till".to_owned(),
        at: now(),
        headers: [("topic".to_owned(), "sale".to_owned())].into(),
        body: body.to_owned(),
    };
    let call = InboxCall::Take { key: key.to_owned(), arrival: Box::new(arrival) };
    answer(sql, volatile, &encode(&call).unwrap(), now()).unwrap()
}

fn next_due(sql: &MemorySql, volatile: &mut Volatile, now_ms: i64) -> Option<Due> {
    next(sql, volatile, now_ms).unwrap()
}

fn standing(sql: &MemorySql, volatile: &mut Volatile) -> InboxStanding {
    let call = encode(&InboxCall::Standing { limit: 10 }).unwrap();
    decode(&answer(sql, volatile, &call, now()).unwrap().reply).unwrap()
}

#[test]
fn a_call_waits_until_its_work_is_done_and_its_repeat_is_known() {
    let (sql, mut volatile) = (MemorySql::new().unwrap(), Volatile::default());
    let first = take(&sql, &mut volatile, "k1", "{}");
    assert_eq!((first.reply.as_str(), first.pump, first.alarm_ms.is_some()), ("false", true, true));
    let again = take(&sql, &mut volatile, "k1", "{}");
    assert_eq!((again.reply.as_str(), again.pump, again.alarm_ms), ("true", false, None));
    let now_ms = now().as_millisecond();
    let due = next_due(&sql, &mut volatile, now_ms).unwrap();
    assert_eq!(due.arrival.as_ref().unwrap().headers["topic"], "sale");
    end(&sql, &due, &Worked::Done, now_ms).unwrap();
    assert_eq!(next_due(&sql, &mut volatile, now_ms), None);
    assert_eq!(take(&sql, &mut volatile, "k1", "{}").reply, "true");
}

#[test]
fn a_call_that_fails_waits_longer_each_time_and_is_kept_after_three_days() {
    let (sql, mut volatile) = (MemorySql::new().unwrap(), Volatile::default());
    take(&sql, &mut volatile, "k1", "{}");
    let (began_ms, mut waits) = (now().as_millisecond(), Vec::new());
    let mut now_ms = began_ms;
    while let Some(due) = next_due(&sql, &mut volatile, now_ms) {
        end(&sql, &due, &Worked::Again("no".to_owned()), now_ms).unwrap();
        let next_ms = next_alarm(&sql, &mut volatile, now_ms).unwrap();
        waits.push(next_ms - now_ms);
        now_ms = next_ms;
    }
    assert_eq!(waits[..4], [1_000, 2_000, 4_000, 8_000]);
    assert!(waits.iter().rev().nth(1).is_some_and(|wait| *wait == 600_000));
    assert!(now_ms - began_ms >= 3 * 86_400_000);
    let kept = standing(&sql, &mut volatile);
    assert_eq!((kept.waiting, kept.kept, kept.newest[0].code.as_str()), (0, 1, "unavailable"));
}

#[test]
fn a_large_body_is_stored_in_parts_and_sealed() {
    let (sql, mut volatile) = (MemorySql::new().unwrap(), Volatile::default());
    let body = format!("[\"{}\"]", "a canary ".repeat(300_000));
    take(&sql, &mut volatile, "k1", &body);
    let rows = sql.exec("SELECT sealed FROM parts ORDER BY part", &[]).unwrap();
    assert_eq!(rows.len(), 3);
    let shows = |bytes: &[u8]| bytes.windows(6).any(|six| six == b"canary");
    assert!(rows.iter().all(|row| !shows(row.bytes("sealed").unwrap())));
    let due = next_due(&sql, &mut volatile, now().as_millisecond()).unwrap();
    assert_eq!(due.arrival.unwrap().body, body);
}

#[test]
fn a_call_whose_rows_do_not_open_holds_no_other_up() {
    let (sql, mut volatile) = (MemorySql::new().unwrap(), Volatile::default());
    take(&sql, &mut volatile, "k1", "{}");
    sql.run("UPDATE parts SET sealed = x'00'", &[]).unwrap();
    let due = next_due(&sql, &mut volatile, now().as_millisecond()).unwrap();
    assert_eq!(due.arrival, None);
}

#[test]
fn what_is_kept_can_be_chosen_by_reason_and_time_and_ends_after_its_days() {
    let (sql, mut volatile) = (MemorySql::new().unwrap(), Volatile::default());
    let now_ms = now().as_millisecond();
    for (key, code) in [("k1", Code::NotMapped), ("k2", Code::MalformedBody)] {
        take(&sql, &mut volatile, key, "{}");
        let due = next_due(&sql, &mut volatile, now_ms).unwrap();
        end(&sql, &due, &Worked::Kept(code), now_ms).unwrap();
    }
    let mut replay = |code: Option<&str>, since_ms: i64| {
        let wanted =
            Wanted { since_ms, code: code.map(str::to_owned), limit: 10, ..Wanted::default() };
        let call = encode(&InboxCall::Replay(wanted)).unwrap();
        answer(&sql, &mut volatile, &call, now()).unwrap()
    };
    assert_eq!(replay(None, now_ms + 1).reply, "0");
    let answered = replay(Some("not_mapped"), 0);
    assert_eq!((answered.reply.as_str(), answered.pump), ("1", true));
    let due = next_due(&sql, &mut volatile, now_ms).unwrap();
    end(&sql, &due, &Worked::Done, now_ms).unwrap();
    let later_ms = now_ms + 14 * 86_400_000;
    assert!(matches!(upkeep(&sql, &mut volatile, 14, later_ms - 1).unwrap(), AfterAlarm::Again(_)));
    assert_eq!(upkeep(&sql, &mut volatile, 14, later_ms).unwrap(), AfterAlarm::Delete);
}

#[test]
fn an_object_that_is_only_asked_gets_no_storage() {
    let (sql, mut volatile) = (MemorySql::new().unwrap(), Volatile::default());
    assert_eq!(standing(&sql, &mut volatile), InboxStanding::default());
    assert_eq!(next_due(&sql, &mut volatile, 0), None);
    assert_eq!(upkeep(&sql, &mut volatile, 14, 0).unwrap(), AfterAlarm::Delete);
    assert!(!schema::is_present(&sql).unwrap());
    let later = now().checked_add(SignedDuration::from_hours(1)).unwrap();
    let call = encode(&InboxCall::Replay(Wanted::default())).unwrap();
    assert_eq!(answer(&sql, &mut volatile, &call, later).unwrap().reply, "0");
}
