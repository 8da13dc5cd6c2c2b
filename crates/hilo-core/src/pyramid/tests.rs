//! The vectors and the edge cases of the levels. Movement, scores and laws have their own files.

mod laws;
mod movement;
mod scores;

use jiff::civil::Date;

use super::*;
use crate::money::{Amount, Currency};
use crate::zone::Zone;

const WINDOWS: Windows = Windows { active_days: 365, probable_days: 90, potential_days: None };

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn amount(minor: i64, currency: &str) -> Amount {
    Amount { minor, currency: Currency::parse(currency).unwrap() }
}

fn euros(minor: i64) -> Amount {
    amount(minor, "EUR")
}

/// An order: its day, its worth, and the days and amounts of its refunds.
type Told<'a> = (&'a str, i64, &'a [(&'a str, i64)]);

/// A history of orders, in which everything was known at once.
fn bought(orders: &[Told<'_>]) -> History {
    let mut history = History::default();
    for (at, (on, total, refunds)) in orders.iter().enumerate() {
        let mut order = Order::of(Moment::at_once(day(on)), euros(*total));
        for (at, (on, minor)) in refunds.iter().enumerate() {
            let refund = Refund { at: Moment::at_once(day(on)), amount: Some(euros(*minor)) };
            order.refunds.insert(format!("r{at}"), refund);
        }
        history.orders.insert(format!("o{at}"), order);
    }
    history
}

impl History {
    fn related(mut self, on: &str) -> History {
        self.relation.insert(Moment::at_once(day(on)));
        self
    }

    fn signaled(mut self, on: &str) -> History {
        self.signals.insert(Moment::at_once(day(on)));
        self
    }
}

#[track_caller]
fn check(history: &History, expected: &[(&str, &str)]) {
    for (on, word) in expected {
        let found = level(history, day(on), &WINDOWS, Basis::Happened);
        assert_eq!(found.word(), *word, "{on}");
    }
}

/// The changes as `day from>to cause`.
fn told(history: &History, until: &str, basis: Basis) -> Vec<String> {
    let word = |level: Option<Level>| level.map_or("-", Level::word);
    let tell = |one: Change| {
        let carried = if one.is_carried { " carried" } else { "" };
        let moved = format!("{}>{}", word(one.from), word(one.to));
        format!("{} {moved} {}{carried}", one.day, one.cause.word())
    };
    changes(history, day(until), &WINDOWS, basis).into_iter().map(tell).collect()
}

#[test]
fn a_customer_is_active_for_a_year_from_the_order_on() {
    let history = bought(&[("2026-01-15", 5_000, &[])]).related("2026-01-15");
    check(
        &history,
        &[
            ("2026-01-14", "resto"),
            ("2026-01-15", "activo"),
            ("2027-01-14", "activo"),
            ("2027-01-15", "inactivo"),
        ],
    );
    assert_eq!(
        told(&history, "2030-01-01", Basis::Happened),
        ["2026-01-15 ->activo order", "2027-01-15 activo>inactivo time"]
    );
}

#[test]
fn an_only_order_counts_until_all_of_it_is_refunded() {
    let refunds: &[_] = &[("2026-03-10", 5_000)];
    let history = bought(&[("2026-03-01", 5_000, refunds)]);
    let history = history.related("2026-03-01").signaled("2026-02-20");
    check(
        &history,
        &[
            ("2026-02-25", "probable"),
            ("2026-03-01", "activo"),
            ("2026-03-09", "activo"),
            ("2026-03-10", "potencial"),
        ],
    );
    assert_eq!(
        told(&history, "2030-01-01", Basis::Happened),
        [
            "2026-02-20 ->probable signal",
            "2026-03-01 probable>activo order",
            "2026-03-10 activo>potencial refund"
        ]
    );
}

#[test]
fn one_cent_that_is_left_of_an_order_counts() {
    let history = bought(&[("2026-03-01", 5_000, &[("2026-03-10", 4_999)])]);
    check(&history, &[("2026-03-10", "activo")]);
    let net = |on| {
        let bought = history.purchases(day("2025-03-10"), day(on), Basis::Happened).unwrap();
        bought.net.of(euros(0).currency)
    };
    assert_eq!(net("2026-03-09"), 5_000);
    assert_eq!(net("2026-03-10"), 1, "revenue falls on the day of the refund");
}

#[test]
fn an_old_customer_whose_new_order_is_sent_back_is_inactive_again() {
    let history =
        bought(&[("2024-05-01", 9_000, &[]), ("2026-03-01", 5_000, &[("2026-03-10", 5_000)])]);
    check(
        &history,
        &[("2026-02-01", "inactivo"), ("2026-03-05", "activo"), ("2026-03-10", "inactivo")],
    );
    let found = told(&history, "2026-12-31", Basis::Happened);
    assert_eq!(found.last().unwrap(), "2026-03-10 activo>inactivo refund");
}

#[test]
fn a_refund_on_the_day_on_which_a_window_ends_is_not_the_cause() {
    let ends = "2026-03-10";
    let other = bought(&[("2024-05-01", 9_000, &[(ends, 9_000)]), ("2025-03-10", 5_000, &[])]);
    let found = told(&other, "2026-12-31", Basis::Happened);
    assert_eq!(found.last().unwrap(), "2026-03-10 activo>inactivo time");
    let same = bought(&[("2024-05-01", 9_000, &[]), ("2025-03-10", 5_000, &[(ends, 5_000)])]);
    let found = told(&same, "2026-12-31", Basis::Happened);
    assert_eq!(found.last().unwrap(), "2026-03-10 activo>inactivo time");
    let alone = bought(&[("2025-03-10", 5_000, &[(ends, 5_000)])]);
    let found = told(&alone, "2026-12-31", Basis::Happened);
    assert_eq!(found.last().unwrap(), "2026-03-10 activo>resto refund", "not even inactive");
}

#[test]
fn a_visitor_is_probable_for_ninety_days() {
    let history = History::default().signaled("2026-06-01");
    check(
        &history,
        &[("2026-06-01", "probable"), ("2026-08-29", "probable"), ("2026-08-30", "resto")],
    );
}

#[test]
fn a_relation_does_not_lapse_unless_it_has_a_window() {
    let history = History::default().signaled("2026-06-01").related("2026-06-02");
    check(
        &history,
        &[("2026-06-01", "probable"), ("2026-06-02", "potencial"), ("2028-06-02", "potencial")],
    );
    let lapsing = Windows { potential_days: Some(30), ..WINDOWS };
    let at = |on| level(&history, day(on), &lapsing, Basis::Happened);
    assert_eq!(at("2026-07-01"), Level::Potential);
    assert_eq!(at("2026-07-02"), Level::Probable, "the visit of June is still a signal");
    let again = history.clone().related("2026-06-20");
    assert_eq!(level(&again, day("2026-07-19"), &lapsing, Basis::Happened), Level::Potential);
    let next = next_change(&history, day("2026-06-02"), &lapsing, Basis::Happened);
    assert_eq!(next, Some(day("2026-07-02")));
}

#[test]
fn a_refund_after_the_window_changes_no_level() {
    let history = bought(&[("2024-01-10", 5_000, &[("2026-02-01", 2_000)])]);
    assert_eq!(
        told(&history, "2026-12-31", Basis::Happened),
        ["2024-01-10 ->activo order", "2025-01-09 activo>inactivo time"]
    );
}

#[test]
fn an_order_that_is_cancelled_on_its_own_day_never_counts() {
    let mut history = bought(&[("2026-03-01", 5_000, &[])]).related("2026-03-01");
    history.orders.get_mut("o0").unwrap().cancelled = Some(Moment::at_once(day("2026-03-01")));
    assert_eq!(told(&history, "2027-12-31", Basis::Happened), ["2026-03-01 ->potencial relation"]);
    history.orders.get_mut("o0").unwrap().cancelled = Some(Moment::at_once(day("2026-03-04")));
    assert_eq!(
        told(&history, "2027-12-31", Basis::Happened),
        ["2026-03-01 ->activo order", "2026-03-04 activo>potencial cancel"]
    );
}

#[test]
fn the_new_order_of_an_exchange_counts_from_its_own_day() {
    let history =
        bought(&[("2026-03-01", 5_000, &[("2026-03-20", 5_000)]), ("2026-03-20", 5_500, &[])]);
    check(
        &history,
        &[("2026-03-20", "activo"), ("2027-03-19", "activo"), ("2027-03-20", "inactivo")],
    );
    assert_eq!(
        told(&history, "2027-12-31", Basis::Happened),
        ["2026-03-01 ->activo order", "2027-03-20 activo>inactivo time"]
    );
}

#[test]
fn a_refund_of_all_without_an_amount_takes_an_order_of_unknown_worth_back() {
    let mut history = bought(&[("2026-03-01", 5_000, &[])]).signaled("2026-02-27");
    let order = history.orders.get_mut("o0").unwrap();
    order.total = None;
    let francs =
        Refund { at: Moment::at_once(day("2026-03-05")), amount: Some(amount(9_000, "CHF")) };
    order.refunds.insert("r0".to_owned(), francs);
    let whole = Refund { at: Moment::at_once(day("2026-03-10")), amount: None };
    order.refunds.insert("r1".to_owned(), whole);
    check(&history, &[("2026-03-09", "activo"), ("2026-03-10", "probable")]);
    history.orders.get_mut("o0").unwrap().total = Some(euros(5_000));
    check(&history, &[("2026-03-09", "activo"), ("2026-03-10", "probable")]);
}

#[test]
fn two_orders_in_two_currencies_make_one_level_and_two_revenues() {
    let mut history = bought(&[("2026-03-01", 5_000, &[])]);
    let francs = Order::of(Moment::at_once(day("2026-04-01")), amount(7_000, "CHF"));
    history.orders.insert("francs".to_owned(), francs);
    check(&history, &[("2027-03-31", "activo"), ("2027-04-01", "inactivo")]);
    let bought = history.purchases(day("2025-12-31"), day("2026-12-31"), Basis::Happened).unwrap();
    assert_eq!((bought.orders, bought.last), (2, day("2026-04-01")));
    assert_eq!(bought.net.of(euros(0).currency), 5_000);
    assert_eq!(bought.net.of(amount(0, "CHF").currency), 7_000);
}

#[test]
fn an_order_belongs_to_the_local_day_of_the_shop() {
    let madrid = Zone::of("Europe/Madrid").unwrap();
    let on = madrid.day("2026-12-31T22:30:00Z".parse().unwrap());
    assert_eq!(on, day("2026-12-31"), "half past eleven in the evening");
    let history = bought(&[(&on.to_string(), 5_000, &[])]);
    check(
        &history,
        &[("2026-12-31", "activo"), ("2027-12-30", "activo"), ("2027-12-31", "inactivo")],
    );
}

#[test]
fn a_window_has_days_and_no_hours() {
    // A day of 23 and one of 25 hours in Madrid lie within the ninety days.
    let history = History::default().signaled("2026-03-28");
    check(&history, &[("2026-06-25", "probable"), ("2026-06-26", "resto")]);
    let history = History::default().signaled("2026-10-24");
    check(&history, &[("2027-01-21", "probable"), ("2027-01-22", "resto")]);
    // A year with a leap day.
    let history = bought(&[("2027-12-31", 100, &[])]);
    check(&history, &[("2028-12-29", "activo"), ("2028-12-30", "inactivo")]);
}

#[test]
fn an_order_of_the_future_counts_from_its_day_on_and_an_old_one_as_an_old_one() {
    let mut history = History::default();
    let future = Moment::late(day("2027-02-01"), day("2026-11-30"));
    let old = Moment::late(day("2020-02-01"), day("2026-11-30"));
    history.orders.insert("future".to_owned(), Order::of(future, euros(100)));
    history.orders.insert("old".to_owned(), Order::of(old, euros(100)));
    check(
        &history,
        &[("2026-11-30", "inactivo"), ("2027-01-31", "inactivo"), ("2027-02-01", "activo")],
    );
    let next = next_change(&history, day("2026-11-30"), &WINDOWS, Basis::PRINTED);
    assert_eq!(next, Some(day("2027-02-01")));
}

#[test]
fn an_order_by_which_the_shop_tries_itself_out_is_nothing() {
    let mut history = bought(&[("2026-03-01", 5_000, &[])]);
    history.orders.get_mut("o0").unwrap().is_test = true;
    assert_eq!(told(&history, "2030-01-01", Basis::Happened), [""; 0]);
    assert_eq!(known_level(&history, day("2026-03-02"), &WINDOWS, Basis::Happened), None);
}

#[test]
fn a_company_stands_where_its_highest_person_stands() {
    assert_eq!(
        Level::of_group([Level::Potential, Level::Inactive, Level::Rest]),
        Some(Level::Inactive)
    );
    assert_eq!(Level::of_group([]), None);
    assert!(Level::ALL.is_sorted());
}

#[test]
fn a_guest_who_turns_out_to_be_somebody_brings_their_orders() {
    let mut person = History::default().related("2026-06-01");
    let guest = bought(&[("2026-06-10", 5_000, &[("2026-07-05", 5_000)])]).signaled("2026-05-20");
    person.take_over(guest.clone());
    assert_eq!(
        told(&person, "2026-12-31", Basis::Happened),
        [
            "2026-05-20 ->probable link",
            "2026-06-01 probable>potencial relation",
            "2026-06-10 potencial>activo link",
            "2026-07-05 activo>potencial link"
        ]
    );
    // The same order came under both names, and the refund under one.
    let mut known = bought(&[("2026-06-10", 5_000, &[])]).related("2026-06-01");
    known.take_over(guest);
    assert_eq!(known.orders.len(), 1);
    check(&known, &[("2026-07-04", "activo"), ("2026-07-05", "potencial")]);
    let found = told(&known, "2026-12-31", Basis::Happened);
    assert!(found.contains(&"2026-06-10 potencial>activo order".to_owned()), "{found:?}");
}

#[test]
fn an_erased_person_stands_nowhere() {
    let mut history = bought(&[("2026-03-01", 5_000, &[])]);
    history.erased = Some(day("2026-05-02"));
    assert_eq!(
        told(&history, "2030-01-01", Basis::Happened),
        ["2026-03-01 ->activo order", "2026-05-02 activo>- erase"]
    );
    assert_eq!(next_change(&history, day("2026-05-02"), &WINDOWS, Basis::Happened), None);
}

#[test]
fn other_windows_change_a_level_for_their_own_reason() {
    let history = bought(&[("2026-03-01", 5_000, &[])]);
    let shorter = Windows { active_days: 180, ..WINDOWS };
    let change = |on| change_of_rules(&history, day(on), &WINDOWS, &shorter, Basis::Happened);
    assert_eq!(change("2026-08-27"), None);
    let change = change("2026-08-28").unwrap();
    assert_eq!((change.from, change.to), (Some(Level::Active), Some(Level::Inactive)));
    assert_eq!((change.cause, change.known), (Cause::RuleChange, day("2026-08-28")));
}

#[test]
fn what_comes_to_be_known_after_a_month_is_frozen_is_carried_over() {
    let mut history = History::default().related("2026-04-01");
    let until = "2027-12-31";
    for (known, day_of_change) in [("2026-06-30", "2026-05-10"), ("2026-07-01", "2026-07-01")] {
        let placed = Moment::late(day("2026-05-10"), day(known));
        history.orders.insert("o".to_owned(), Order::of(placed, euros(100)));
        let carried = if day_of_change == known { " carried" } else { "" };
        let rise = format!("{day_of_change} potencial>activo order{carried}");
        assert_eq!(told(&history, until, Basis::PRINTED)[1], rise);
        assert_eq!(told(&history, until, Basis::Happened)[1], "2026-05-10 potencial>activo order");
        let change = changes(&history, day(until), &WINDOWS, Basis::PRINTED)[1];
        assert_eq!(change.known, day(known));
        let end = told(&history, until, Basis::PRINTED)[2].clone();
        assert_eq!(end, "2027-05-10 activo>inactivo time", "the window begins with the order");
    }
}

#[test]
fn a_first_fact_that_counts_for_nothing_any_more_makes_somebody_known() {
    let mut history = History::default();
    history.signals.insert(Moment::late(day("2026-01-05"), day("2026-11-30")));
    assert_eq!(told(&history, "2027-12-31", Basis::PRINTED), ["2026-11-30 ->resto signal carried"]);
    let mut cancelled = bought(&[("2026-03-01", 5_000, &[])]);
    cancelled.orders.get_mut("o0").unwrap().cancelled = Some(Moment::at_once(day("2026-03-01")));
    assert_eq!(told(&cancelled, "2027-12-31", Basis::Happened), ["2026-03-01 ->resto order"]);
}

#[test]
fn windows_that_cannot_be_used_are_refused() {
    let field = |windows: Windows| windows.check().map_err(|bad| bad.field);
    assert_eq!(field(WINDOWS), Ok(()));
    assert_eq!(WINDOWS, Windows::default());
    assert_eq!(field(Windows { active_days: 0, ..WINDOWS }), Err("active_days"));
    assert_eq!(field(Windows { probable_days: 3_651, ..WINDOWS }), Err("probable_days"));
    assert_eq!(field(Windows { potential_days: Some(0), ..WINDOWS }), Err("potential_days"));
    assert_eq!(field(Windows { potential_days: Some(3_650), ..WINDOWS }), Ok(()));
}
