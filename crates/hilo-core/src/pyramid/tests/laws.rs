//! What holds for all histories.

use std::collections::BTreeSet;

use jiff::ToSpan as _;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const BEGIN: Date = jiff::civil::date(2024, 1, 1);
/// Two years of facts, and the time in which their windows end.
const FACTS: i64 = 730;
const DAYS: i64 = 1_300;

fn after(days: i64) -> Date {
    BEGIN.saturating_add(days.days())
}

fn some_moment() -> impl Strategy<Value = Moment> {
    let delay = prop_oneof![Just(0_i64), 0..120_i64];
    (0..FACTS, delay).prop_map(|(on, delay)| Moment::late(after(on), after(on + delay)))
}

fn some_order() -> impl Strategy<Value = Order> {
    let refund = (some_moment(), proptest::option::of(1..6_000_i64));
    let cancelled = proptest::option::weighted(0.2, some_moment());
    (some_moment(), 1..10_000_i64, vec(refund, 0..3), cancelled).prop_map(
        |(placed, total, refunds, cancelled)| {
            let mut order = Order::of(placed, euros(total));
            order.cancelled = cancelled;
            for (at, (moment, minor)) in refunds.into_iter().enumerate() {
                let refund = Refund { at: moment, amount: minor.map(euros) };
                order.refunds.insert(at.to_string(), refund);
            }
            order
        },
    )
}

fn some_history() -> impl Strategy<Value = History> {
    let erased = proptest::option::weighted(0.1, 0..DAYS);
    (vec(some_order(), 0..4), vec(some_moment(), 0..3), vec(some_moment(), 0..5), erased).prop_map(
        |(orders, relation, signals, erased)| History {
            orders: orders.into_iter().enumerate().map(|(at, one)| (at.to_string(), one)).collect(),
            relation: relation.into_iter().collect(),
            signals: signals.into_iter().collect(),
            erased: erased.map(after),
        },
    )
}

fn some_windows() -> impl Strategy<Value = Windows> {
    (1..400_u16, 1..120_u16, proptest::option::of(1..400_u16)).prop_map(
        |(active_days, probable_days, potential_days)| Windows {
            active_days,
            probable_days,
            potential_days,
        },
    )
}

fn some_basis() -> impl Strategy<Value = Basis> {
    prop_oneof![
        Just(Basis::Happened),
        (0..60_u16).prop_map(|late_days| Basis::Printed { late_days })
    ]
}

/// The table of the levels, word by word and with sums by hand.
fn by_the_table(history: &History, on: Date, windows: &Windows) -> Level {
    let age = |moment: &Moment| on.since(moment.on).unwrap().get_days();
    let has = |moments: &BTreeSet<Moment>, days: Option<u16>| {
        let is_there = |age: i32| age >= 0 && days.is_none_or(|days| age < i32::from(days));
        moments.iter().map(age).any(is_there)
    };
    let counted = |order: &&Order| {
        let refunds = order.refunds.values().filter(|refund| age(&refund.at) >= 0);
        let total = order.total.unwrap().minor;
        let left =
            refunds.fold(total, |left, one| left - one.amount.map_or(total, |one| one.minor));
        age(&order.placed) >= 0 && order.cancelled.is_none_or(|one| age(&one) < 0) && left > 0
    };
    let ages = history.orders.values().filter(counted).map(|order| age(&order.placed));
    match ages.min() {
        Some(age) if age < i32::from(windows.active_days) => Level::Active,
        Some(_) => Level::Inactive,
        None if has(&history.relation, windows.potential_days) => Level::Potential,
        None if has(&history.signals, Some(windows.probable_days)) => Level::Probable,
        None => Level::Rest,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn changes_and_their_alarms_tell_the_level_of_every_day(
        history in some_history(), windows in some_windows(), basis in some_basis(),
    ) {
        prop_assert_eq!(windows.check(), Ok(()));
        let all = changes(&history, after(DAYS), &windows, basis);
        let mut alarm = next_change(&history, BEGIN.yesterday().unwrap(), &windows, basis);
        let mut level = None;
        for on in (0..DAYS).map(after) {
            let now = known_level(&history, on, &windows, basis);
            if let Some(change) = all.iter().find(|one| one.day == on) {
                prop_assert_eq!((change.from, change.to), (level, now));
                prop_assert_ne!(change.from, change.to);
                prop_assert_eq!(alarm, Some(on), "the alarm rings on the day of the change");
                alarm = next_change(&history, on, &windows, basis);
            }
            prop_assert_eq!(
                all.iter().rev().find(|one| one.day <= on).and_then(|one| one.to), now
            );
            level = now;
        }
    }

    #[test]
    fn it_does_not_matter_which_of_two_profiles_takes_the_other_over_or_how_often(
        history in some_history(), other in some_history(), windows in some_windows(),
        basis in some_basis(),
    ) {
        let own = |id: String| format!("{id} of the other");
        let orders = other.orders.into_iter().map(|(id, order)| (own(id), order)).collect();
        let other = History { orders, erased: None, ..other };
        let history = History { erased: None, ..history };
        let (mut one, mut another) = (history.clone(), other.clone());
        one.take_over(other.clone());
        another.take_over(history);
        let levels = |of: &History| {
            let level = |on| known_level(of, after(on), &windows, basis);
            (0..DAYS).map(level).collect::<Vec<_>>()
        };
        prop_assert_eq!(levels(&one), levels(&another));
        let once = changes(&one, after(DAYS), &windows, basis);
        one.take_over(other);
        prop_assert_eq!(changes(&one, after(DAYS), &windows, basis), once);
    }

    #[test]
    fn a_level_is_that_of_the_table(
        history in some_history(), windows in some_windows(), days in vec(0..DAYS, 50),
    ) {
        let history = History { erased: None, ..history };
        for on in days.into_iter().map(after) {
            let found = level(&history, on, &windows, Basis::Happened);
            prop_assert_eq!(found, by_the_table(&history, on, &windows), "{}", on);
        }
    }

    #[test]
    fn a_level_is_that_of_the_facts_up_to_its_day(
        history in some_history(), windows in some_windows(), on in 0..DAYS,
    ) {
        let on = after(on);
        let mut earlier = history.clone();
        earlier.orders.retain(|_, order| order.placed.on <= on);
        for order in earlier.orders.values_mut() {
            order.cancelled = order.cancelled.filter(|cancelled| cancelled.on <= on);
            order.refunds.retain(|_, refund| refund.at.on <= on);
        }
        earlier.relation.retain(|moment| moment.on <= on);
        earlier.signals.retain(|moment| moment.on <= on);
        let level = |of: &History| known_level(of, on, &windows, Basis::Happened);
        prop_assert_eq!(level(&earlier), level(&history));
    }

    #[test]
    fn movement_adds_up_to_the_change_of_the_stocks(
        people in vec(some_history(), 1..12), windows in some_windows(), basis in some_basis(),
    ) {
        let all: Vec<Change> =
            people.iter().flat_map(|one| changes(one, after(DAYS), &windows, basis)).collect();
        let mut earlier: Option<Matrix> = None;
        for month in 0..40_i64 {
            let month = BEGIN.saturating_add(month.months());
            let matrix = Matrix::of(&people, month, &windows, basis);
            let flow = Flow::of(&all, month);
            for level in Level::ALL {
                let end = month.last_of_month();
                let stock = people
                    .iter()
                    .filter(|one| known_level(one, end, &windows, basis) == Some(level))
                    .count();
                prop_assert_eq!(usize::try_from(matrix.after(level)).unwrap(), stock);
                if let Some(earlier) = &earlier {
                    prop_assert_eq!(matrix.before(level), earlier.after(level));
                }
                let grown = i64::from(matrix.after(level)) - i64::from(matrix.before(level));
                prop_assert_eq!(flow.growth(level), grown);
            }
            earlier = Some(matrix);
        }
    }

    #[test]
    fn a_frozen_month_is_not_changed_by_a_later_fact(
        history in some_history(), late in some_order(), windows in some_windows(),
    ) {
        let known = after(FACTS + 60);
        let is_late = |moment: &mut Moment| moment.known = moment.known.max(known);
        let mut late = late;
        is_late(&mut late.placed);
        late.cancelled.iter_mut().for_each(is_late);
        late.refunds.values_mut().for_each(|refund| is_late(&mut refund.at));
        let mut more = history.clone();
        more.orders.insert("late".to_owned(), late);
        let basis = Basis::Printed { late_days: 30 };
        for month in 0..40_i64 {
            let end = BEGIN.saturating_add(month.months()).last_of_month();
            if end.saturating_add(30.days()) < known {
                prop_assert_eq!(
                    known_level(&more, end, &windows, basis),
                    known_level(&history, end, &windows, basis)
                );
            }
        }
    }

    #[test]
    fn every_change_has_a_cause_that_was_known_by_then(
        history in some_history(), windows in some_windows(),
    ) {
        for change in changes(&history, after(DAYS), &windows, Basis::PRINTED) {
            prop_assert!(change.known <= change.day || !change.is_carried);
            prop_assert_eq!(change.cause == Cause::Erase, change.to.is_none());
            if change.from.is_none() || change.from < change.to && change.to.is_some() {
                let is_beginning = matches!(
                    change.cause, Cause::Order | Cause::Relation | Cause::Signal
                );
                prop_assert!(is_beginning, "{:?}", change);
            } else if change.to.is_some() {
                let is_end = matches!(change.cause, Cause::Time | Cause::Refund | Cause::Cancel);
                prop_assert!(is_end, "{:?}", change);
            }
        }
    }
}
