//! What the object answers to calls of imports, in memory.

use super::*;
use crate::calls::imports::Verdict::{self, Conflict, Duplicate, New, Update};
use crate::shell::memory::MemorySql;

struct Ledger {
    sql: MemorySql,
    volatile: Volatile,
    now: Timestamp,
}

fn ledger() -> Ledger {
    let now = "2026-11-30T10:00:00Z".parse().unwrap();
    Ledger { sql: MemorySql::new().unwrap(), volatile: Volatile::default(), now }
}

impl Ledger {
    fn ask<A: serde::de::DeserializeOwned>(&mut self, call: &ImportsCall) -> A {
        let call = encode(call).unwrap();
        decode(&answer(&self.sql, &mut self.volatile, &call, self.now).unwrap()).unwrap()
    }

    fn begin(&mut self, id: &str, seq: u32, rows: &[(&str, &str)], updates: bool) -> Begun {
        let rows: Vec<_> =
            rows.iter().map(|(key, digest)| ((*key).to_owned(), (*digest).to_owned())).collect();
        let [source, kind] = ["till", "orders"].map(str::to_owned);
        let body = encode(&rows).unwrap();
        self.ask(&ImportsCall::Begin(Begin {
            id: id.to_owned(),
            seq,
            source,
            kind,
            body,
            updates,
            rows,
        }))
    }

    #[track_caller]
    fn judges(&mut self, id: &str, seq: u32, rows: &[(&str, &str)], expected: &[Verdict]) {
        assert_eq!(self.begin(id, seq, rows, false), Begun::Go(expected.to_vec()));
    }

    fn settle(
        &mut self,
        id: &str,
        seq: u32,
        rows: &[(&str, &str)],
        accepted: u64,
        released: &[&str],
    ) -> Settled {
        let counts = Counts {
            rows: rows.len() as u64,
            accepted,
            rejected: released.len() as u64,
            ..Counts::default()
        };
        let fault = |key: &&str| LineFault {
            line: 7,
            column: None,
            code: "bad_time".to_owned(),
            message: (*key).to_owned(),
        };
        let rows: Vec<_> =
            rows.iter().map(|(key, digest)| ((*key).to_owned(), (*digest).to_owned())).collect();
        self.ask(&ImportsCall::Settle(Settle {
            id: id.to_owned(),
            seq,
            body: encode(&rows).unwrap(),
            is_last: seq == 1,
            counts,
            faults: released.iter().map(fault).collect(),
            released: released.iter().map(|key| (*key).to_owned()).collect(),
        }))
    }

    fn standing(&mut self, id: &str) -> Option<ImportStanding> {
        self.ask(&ImportsCall::Standing { id: id.to_owned() })
    }
}

#[test]
fn a_row_counts_once_in_a_call_in_an_import_and_in_all_imports() {
    let mut ledger = ledger();
    ledger.judges(
        "one",
        0,
        &[("a", "1"), ("b", "1"), ("a", "1"), ("a", "2")],
        &[New, New, Duplicate, Conflict],
    );
    ledger.settle("one", 0, &[("a", "1"), ("b", "1"), ("a", "1"), ("a", "2")], 2, &[]);
    ledger.judges("one", 1, &[("b", "1"), ("c", "1")], &[Duplicate, New]);
    ledger.judges("two", 0, &[("a", "1"), ("b", "9"), ("d", "1")], &[Duplicate, Conflict, New]);
}

#[test]
fn a_call_that_was_cut_gets_the_same_answer_and_one_that_is_done_its_counts() {
    let (mut ledger, rows) = (ledger(), [("a", "1"), ("b", "1")]);
    ledger.judges("one", 0, &rows, &[New, New]);
    ledger.judges("one", 0, &rows, &[New, New]);
    let settled = ledger.settle("one", 0, &rows, 2, &[]);
    assert_eq!((settled.counts.accepted, settled.next_seq), (2, 1));
    assert_eq!(ledger.begin("one", 0, &rows, false), Begun::Done(settled.clone()));
    assert_eq!(ledger.settle("one", 0, &rows, 0, &[]), settled, "the first settlement counts");
    assert_eq!(ledger.begin("one", 0, &[("z", "1")], false), Begun::Changed);
}

#[test]
fn a_row_of_an_import_that_was_given_up_in_the_middle_is_stored_by_the_next_one() {
    let mut ledger = ledger();
    ledger.judges("one", 0, &[("a", "1"), ("b", "1")], &[New, New]);
    ledger.judges("two", 0, &[("a", "1"), ("b", "2")], &[New, Conflict]);
    ledger.settle("two", 0, &[("a", "1"), ("b", "2")], 1, &[]);
    ledger.judges("one", 0, &[("a", "1"), ("b", "1")], &[Duplicate, New]);
}

#[test]
fn a_refused_row_may_come_again() {
    let mut ledger = ledger();
    ledger.judges("one", 0, &[("a", "1"), ("b", "1")], &[New, New]);
    ledger.settle("one", 0, &[("a", "1"), ("b", "1")], 1, &["b"]);
    ledger.judges("two", 0, &[("a", "1"), ("b", "1")], &[Duplicate, New]);
}

#[test]
fn a_changed_row_is_an_update_only_where_the_call_says_so() {
    let mut ledger = ledger();
    ledger.judges("one", 0, &[("a", "1")], &[New]);
    ledger.settle("one", 0, &[("a", "1")], 1, &[]);
    ledger.judges("two", 0, &[("a", "2")], &[Conflict]);
    assert_eq!(ledger.begin("two", 0, &[("a", "2")], true), Begun::Go(vec![Update]));
    assert_eq!(
        ledger.begin("two", 0, &[("a", "2")], true),
        Begun::Go(vec![Update]),
        "cut, and sent again"
    );
    ledger.settle("two", 0, &[("a", "2")], 1, &[]);
    ledger.judges("three", 0, &[("a", "2")], &[Duplicate]);
}

#[test]
fn an_import_is_done_when_no_call_up_to_the_last_one_is_missing() {
    let mut ledger = ledger();
    assert_eq!(ledger.standing("one"), None);
    ledger.judges("one", 1, &[("b", "1")], &[New]);
    ledger.settle("one", 1, &[("b", "1")], 0, &["b"]);
    let standing = ledger.standing("one").unwrap();
    assert_eq!((standing.state.as_str(), standing.next_seq), ("running", 0));
    assert_eq!(
        (standing.counts.rows, standing.counts.rejected, standing.rejected_rows.len()),
        (1, 1, 1)
    );
    ledger.judges("one", 0, &[("a", "1")], &[New]);
    assert_eq!(ledger.settle("one", 0, &[("a", "1")], 1, &[]).next_seq, 2);
    assert_eq!(ledger.standing("one").unwrap().state, "done");
    assert_eq!(ledger.begin("one", 66, &[], false), Begun::Ahead(2));
}

#[test]
fn an_import_lists_its_first_thousand_refused_rows() {
    let mut ledger = ledger();
    for seq in 0..3 {
        let keys: Vec<String> = (0..400).map(|n| format!("{seq}-{n}")).collect();
        let rows: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "1")).collect();
        let refused: Vec<&str> = keys.iter().map(String::as_str).collect();
        ledger.begin("one", seq, &rows, false);
        ledger.settle("one", seq, &rows, 0, &refused);
    }
    let standing = ledger.standing("one").unwrap();
    assert_eq!((standing.counts.rejected, standing.rejected_rows.len()), (1_200, FAULTS_MAX));
}

#[test]
fn hashes_of_rows_end_after_three_years() {
    let mut ledger = ledger();
    ledger.judges("one", 0, &[("a", "1")], &[New]);
    ledger.settle("one", 0, &[("a", "1")], 1, &[]);
    ledger.now += jiff::SignedDuration::from_hours(24 * 1_000);
    ledger.judges("two", 0, &[("a", "1")], &[Duplicate]);
    ledger.now += jiff::SignedDuration::from_hours(24 * 200);
    ledger.judges("three", 0, &[("a", "1")], &[New]);
}
