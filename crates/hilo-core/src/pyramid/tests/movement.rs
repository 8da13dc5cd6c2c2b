//! The movement between the levels in a month.

use super::*;

const JANUARY: &str = "2026-01-31";

fn matrix(people: &[History], month: &str) -> Matrix {
    Matrix::of(people, day(month), &WINDOWS, Basis::Happened)
}

/// The worked example: 1,000 active people at the end of January. In February 40 fall by time and 6 by a refund; 120 newcomers buy, of whom 3
/// send everything back. 5 are won back.
fn february() -> Vec<History> {
    let people = |number: usize, one: History| std::iter::repeat_n(one, number);
    let returned: &[_] = &[("2026-02-20", 5_000)];
    people(954, bought(&[("2025-10-01", 5_000, &[])]))
        .chain(people(40, bought(&[("2025-02-10", 5_000, &[])])))
        .chain(people(6, bought(&[("2026-01-20", 5_000, returned)]).related("2026-01-20")))
        .chain(people(117, bought(&[("2026-02-05", 5_000, &[])])))
        .chain(people(3, bought(&[("2026-02-05", 5_000, returned)]).related("2026-02-05")))
        .chain(people(5, bought(&[("2024-01-01", 5_000, &[]), ("2026-02-14", 5_000, &[])])))
        .collect()
}

#[test]
fn churn_is_counted_among_those_who_were_active_before_the_month() {
    let matrix = matrix(&february(), "2026-02-10");
    let churn = matrix.churn();
    assert_eq!(churn, Churn { lost: 46, base: 1_000 });
    assert!((churn.rate().unwrap() - 0.046).abs() < 1e-12);
    assert_eq!(matrix.before(Level::Active), 1_000);
    assert_eq!(matrix.after(Level::Active), 1_000 - 46 + 117 + 5);
    assert_eq!(matrix.moved(Movement::Loss), 40);
    assert_eq!(matrix.moved(Movement::Recovery), 5);
    assert_eq!(matrix.count(None, Some(Level::Active)), 117);
    assert_eq!(matrix.count(None, Some(Level::Potential)), 3, "flow, and no churn");
}

#[test]
fn the_flow_counts_each_change_of_a_month() {
    let people = february();
    let until = day("2026-03-31");
    let all: Vec<Change> =
        people.iter().flat_map(|one| changes(one, until, &WINDOWS, Basis::Happened)).collect();
    let flow = Flow::of(&all, day("2026-02-01"));
    assert_eq!(flow.moves(None, Some(Level::Active)), Moves { all: 120, carried: 0 });
    assert_eq!(flow.moves(Some(Level::Active), Some(Level::Potential)).all, 9);
    assert_eq!(flow.growth(Level::Active), 120 - 9 - 40 + 5);
    let causes = |cause| {
        let month = all.iter().filter(|one| one.day.month() == 2 && one.day.year() == 2026);
        month.filter(|one| one.cause == cause).count()
    };
    assert_eq!((causes(Cause::Time), causes(Cause::Refund)), (40, 9));
}

#[test]
fn movements_have_the_names_that_marketers_know() {
    let people = [
        bought(&[("2026-02-10", 100, &[])]).related("2026-01-10"),
        bought(&[("2026-02-10", 100, &[])]).signaled("2026-01-10"),
        History::default().signaled("2026-01-10").related("2026-02-10"),
        History::default().signaled("2025-11-20"),
        bought(&[("2024-02-10", 100, &[]), ("2026-02-10", 100, &[])]),
        bought(&[("2025-02-10", 100, &[])]),
    ];
    let february = matrix(&people, "2026-02-28");
    let moved = Movement::ALL.map(|one| (one.word(), february.moved(one)));
    assert_eq!(
        moved,
        [
            ("captacion", 2),
            ("recuperacion", 1),
            ("perdida", 1),
            ("activacion", 1),
            ("enfriamiento", 1)
        ]
    );
    assert_eq!(Movement::of(Level::Rest, Level::Active), None);
}

#[test]
fn erased_people_are_neither_lost_nor_kept() {
    let mut people = vec![bought(&[("2025-10-01", 100, &[])]); 3];
    people[0].erased = Some(day("2026-02-03"));
    let matrix = matrix(&people, "2026-02-03");
    assert_eq!(matrix.churn(), Churn { lost: 0, base: 2 });
    assert_eq!((matrix.before(Level::Active), matrix.after(Level::Active)), (3, 2));
    assert_eq!(Matrix::default().churn().rate(), None);
}

#[test]
fn a_printed_month_does_not_change_by_what_is_known_later() {
    let before = bought(&[("2025-06-01", 100, &[])]);
    let mut after = before.clone();
    let placed = Moment::late(day("2026-01-10"), day("2026-03-15"));
    after.orders.insert("late".to_owned(), Order::of(placed, euros(100)));
    let printed =
        |person: &History, month| Matrix::of([person], day(month), &WINDOWS, Basis::PRINTED);
    for month in [JANUARY, "2026-02-28"] {
        assert_eq!(printed(&before, month), printed(&after, month));
    }
    let sent_back = Refund { at: Moment::late(day("2025-07-01"), day("2026-03-15")), amount: None };
    let mut refunded = before.clone().related("2025-06-01");
    refunded.orders.get_mut("o0").unwrap().refunds.insert("late".to_owned(), sent_back);
    assert_eq!(printed(&before, JANUARY), printed(&refunded, JANUARY));
    let all = changes(&refunded, day("2026-12-31"), &WINDOWS, Basis::PRINTED);
    let march = Flow::of(&all, day("2026-03-01"));
    let carried = march.moves(Some(Level::Active), Some(Level::Potential));
    assert_eq!(carried, Moves { all: 1, carried: 1 });
}
