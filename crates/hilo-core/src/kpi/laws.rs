//! Laws over random orders: all ways to add them up agree.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::*;
use crate::money::{Amount, Currency};

const START: Date = date(2026, 1, 1);

fn after(days: i64) -> Date {
    START.saturating_add(days.days())
}

/// Orders of some people over 200 days, none of which has more refunded than it was worth.
fn some_orders() -> impl Strategy<Value = Vec<Order<u8>>> {
    let refunds = proptest::collection::vec((0..100_i64, 0..50_u8), 0..3);
    let order =
        (0..8_u8, 0..200_i64, 1..100_000_i64, refunds, proptest::option::weighted(0.1, 0..30_i64));
    let order = order.prop_map(|(person, on, gross, refunds, cancelled)| Order {
        person,
        day: after(on),
        gross,
        cancelled: cancelled.map(|days| after(on + days)),
        refunds: refunds
            .into_iter()
            .map(|(days, percent)| Refund {
                day: after(on + days),
                amount: gross * i64::from(percent) / 100 + i64::from(percent == 49),
            })
            .collect(),
    });
    let order = order.prop_map(|mut order| {
        let mut left = order.gross;
        for refund in &mut order.refunds {
            refund.amount = refund.amount.min(left);
            left -= refund.amount;
        }
        order
    });
    proptest::collection::vec(order, 0..40)
}

proptest! {
    #[test]
    fn both_datings_and_all_customers_add_up_to_the_same(orders in some_orders(), days in 0..300_i64) {
        let as_of = after(days);
        let ever = Period { first: START, last: Date::MAX };
        let net = net_revenue(&orders, ever, as_of, Dating::Order);
        prop_assert_eq!(net_revenue(&orders, ever, as_of, Dating::Movement), net);
        let all = histories(&orders, as_of);
        let group: Vec<&History> = all.values().collect();
        prop_assert_eq!(revenue_per_customer(&group).sum, net);
        prop_assert_eq!(order_value(&group).sum, net);
        for least in [1, 3] {
            let rows = cohorts(all.values(), as_of, least);
            let cells = rows.iter().flat_map(|row| &row.cells);
            prop_assert_eq!(cells.map(|one| one.net.sum).sum::<i64>(), net);
            let until = rows.iter().filter_map(|row| row.cells.last());
            prop_assert_eq!(until.map(|one| one.net_until.sum).sum::<i64>(), net);
            let people: u32 = rows.iter().map(|row| row.size).sum();
            prop_assert_eq!(people as usize, all.len());
            prop_assert!(rows.len() < 2 || rows.iter().all(|row| row.size as usize >= least));
        }
    }

    #[test]
    fn the_order_of_orders_does_not_matter(orders in some_orders(), turn in 0..40_usize) {
        let mut turned = orders.clone();
        turned.rotate_left(turn.min(orders.len()));
        prop_assert_eq!(histories(&turned, after(150)), histories(&orders, after(150)));
    }

    #[test]
    fn a_share_is_inside_its_interval(part in 0..1_000_u32, more in 0..1_000_u32) {
        if let Some(found) = (Share { part, all: part + more }).estimate() {
            prop_assert!(0.0 <= found.lower && found.lower <= found.value + 1e-12);
            prop_assert!(found.value <= found.upper + 1e-12 && found.upper <= 1.0);
        }
    }

    #[test]
    fn a_sum_is_the_same_in_any_order_and_within_a_unit_of_its_parts(
        amounts in proptest::collection::vec((0..3_usize, 0..20_i64, -1_000_000..1_000_000_i64), 0..30),
    ) {
        let codes = ["CHF", "JPY", "KWD"].map(|code| Currency::parse(code).unwrap());
        let mut rates = Rates::new(Currency::parse("EUR").unwrap());
        for (currency, rate) in codes.iter().zip(["1.0541", "0.006153467478", "2.912345"]) {
            rates.set(*currency, after(3), Rate::parse(rate).unwrap());
        }
        let mut amounts: Vec<(Date, Amount)> = amounts
            .into_iter()
            .map(|(of, on, minor)| (after(on), Amount { minor, currency: codes[of] }))
            .collect();
        let found = rates.sum(amounts.iter().copied());
        amounts.reverse();
        prop_assert_eq!(rates.sum(amounts.iter().copied()), found.clone());
        let each: i64 = amounts.iter().map(|one| rates.sum([*one]).sum.minor).sum();
        prop_assert!((each - found.sum.minor).unsigned_abs() as usize <= amounts.len() / 2 + 1);
        let outside = amounts.iter().filter(|(on, _)| !(after(3)..=after(10)).contains(on));
        let apart: i64 = outside.map(|(_, one)| one.minor).sum();
        prop_assert_eq!(found.apart.iter().map(|one| one.minor).sum::<i64>(), apart);
    }
}
