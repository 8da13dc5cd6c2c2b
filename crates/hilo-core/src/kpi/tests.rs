//! The vector of a small shop, vectors of intervals (statsmodels), and single rules.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::attribution::Met;
use crate::money::{Amount, Currency};

#[track_caller]
fn near(found: f64, expected: f64, precision: f64) {
    assert!((found - expected).abs() <= precision, "{found}, not {expected}");
}

#[track_caller]
fn near_all(found: Estimate, lower: f64, upper: f64) {
    near(found.lower, lower, 1e-6);
    near(found.upper, upper, 1e-6);
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn order<P>(person: P, on: &str, gross: i64, refunds: &[(&str, i64)]) -> Order<P> {
    let refund = |&(on, amount): &(&str, i64)| Refund { day: day(on), amount };
    let refunds = refunds.iter().map(refund).collect();
    Order { person, day: day(on), gross, cancelled: None, refunds }
}

/// Vector K1: p2 sends everything back, and the refund of p3 comes after the period.
fn shop() -> Vec<Order<&'static str>> {
    vec![
        order("p1", "2026-01-05", 6_000, &[]),
        order("p1", "2026-02-10", 4_000, &[]),
        order("p2", "2026-01-20", 10_000, &[("2026-02-01", 10_000)]),
        order("p3", "2026-01-25", 3_000, &[]),
        order("p3", "2026-03-30", 5_000, &[("2026-04-02", 2_000)]),
        order("p4", "2026-02-03", 8_000, &[]),
        order("p5", "2026-02-14", 2_000, &[]),
        order("p5", "2026-02-20", 2_500, &[]),
        order("p6", "2026-03-03", 7_000, &[]),
    ]
}

const AS_OF: Date = date(2026, 6, 30);
const QUARTER: Period = Period { first: date(2026, 1, 1), last: date(2026, 3, 31) };

#[test]
fn channels_have_the_figures_of_the_vector() {
    let acquired = BTreeMap::from([
        ("p1", "Paid Social"),
        ("p2", "Paid Social"),
        ("p3", "Email"),
        ("p4", "Paid Search"),
        ("p5", "Paid Search"),
        ("p6", "Paid Social"),
    ]);
    let costs = [("Paid Social", 9_000), ("Paid Search", 5_000), ("Email", 1_000)];
    let cost = |(channel, amount)| Cost {
        day: date(2026, 2, 1),
        channel: Some(channel),
        audience: None,
        amount,
    };
    let costs = Costs::of(&costs.map(cost), QUARTER);
    type Row = (&'static str, u32, i64, i64, (u32, u32), i64, f64, f64);
    let table: [Row; 3] = [
        ("Email", 1, 6_000, 6_000, (1, 1), 1_000, 6.0, 1.4),
        ("Paid Search", 2, 12_500, 6_250, (1, 2), 2_500, 2.5, 0.0),
        ("Paid Social", 2, 17_000, 8_500, (1, 2), 4_500, 1.888_889, -0.244_444),
    ];
    let all = histories(&shop(), AS_OF);
    for (channel, customers, net, each, repeat, cac, expected_roas, expected_roi) in table {
        let is_own = |(person, one): &(&&str, &History)| {
            acquired[*person] == channel && QUARTER.contains(one.first)
        };
        let group: Vec<&History> = all.iter().filter(is_own).map(|(_, one)| one).collect();
        let worth = revenue_per_customer(&group);
        assert_eq!((worth.sum, worth.count, worth.rounded()), (net, customers, Some(each)));
        let (part, all) = repeat;
        let rate = Aged { figure: Share { part, all }, too_young: 0 };
        assert_eq!(repeat_rate(&group, 90, AS_OF), rate, "{channel}");
        assert_eq!(lifetime_value(&group, 90, AS_OF).figure.rounded(), Some(each), "{channel}");
        let spent = costs.channels[channel].on_new();
        assert_eq!(Mean { sum: spent, count: customers }.rounded(), Some(cac), "{channel}");
        near(roas(net, spent).unwrap(), expected_roas, 1e-6);
        near(roi(0.4, net, spent).unwrap(), expected_roi, 1e-6);
    }
    assert_eq!(all.len(), 5, "whoever sends everything back is no customer");
}

#[test]
fn months_have_the_cohorts_of_the_vector() {
    let table = cohorts(histories(&shop(), AS_OF).values(), AS_OF, 1);
    let found: Vec<_> = table
        .iter()
        .map(|row| {
            let cells = row.cells.iter().map(|one| (one.net.sum, one.ordered.part));
            let complete = row.cells.iter().filter(|one| !one.is_partial).count();
            (row.first, row.size, cells.collect::<Vec<_>>(), complete)
        })
        .collect();
    let none = (0, 0);
    let expected = [
        (date(2026, 1, 1), 2, vec![(9_000, 2), (4_000, 1), (3_000, 1), none, none, none], 5),
        (date(2026, 2, 1), 2, vec![(12_500, 2), none, none, none, none], 4),
        (date(2026, 3, 1), 1, vec![(7_000, 1), none, none, none], 3),
    ];
    assert_eq!(found, expected);
    let until: Vec<_> = table[0].cells.iter().map(|one| one.net_until.rounded().unwrap()).collect();
    assert_eq!(until, [4_500, 6_500, 8_000, 8_000, 8_000, 8_000]);
}

#[test]
fn small_months_are_joined_with_their_neighbors() {
    let people = [("2026-01-31", 2), ("2026-02-01", 2), ("2026-03-01", 5), ("2026-05-01", 1)];
    let orders: Vec<Order<(usize, usize)>> = people
        .iter()
        .enumerate()
        .flat_map(|(month, (on, count))| {
            (0..*count).map(move |one| order((month, one), on, 100, &[]))
        })
        .collect();
    let rows = |least| {
        let table = cohorts(histories(&orders, AS_OF).values(), AS_OF, least);
        table.iter().map(|row| (row.first.month(), row.last.month(), row.size)).collect::<Vec<_>>()
    };
    assert_eq!(rows(4), [(1, 2, 4), (3, 5, 6)], "the last month joins the one before");
    assert_eq!(rows(MEMBERS_MIN), [(1, 5, 10)]);
    assert_eq!(rows(11), [(1, 5, 10)], "one row is left, and whoever shows it decides");
    assert_eq!(rows(0).len(), 4);
    assert_eq!(cohorts(&[], AS_OF, 1), []);
}

#[test]
fn rates_have_the_intervals_of_the_vectors() {
    let table = [
        ((0, 10), 0.0, 0.277_533),
        ((3, 10), 0.107_791, 0.603_222),
        ((12, 400), 0.017_243, 0.051_699),
        ((25, 500), 0.034_094, 0.072_768),
        ((96, 240), 0.340_066, 0.463_085),
        ((150, 300), 0.443_780, 0.556_220),
    ];
    for ((part, all), lower, upper) in table {
        near_all(Share { part, all }.estimate().unwrap(), lower, upper);
    }
    let (social, retargeting) = (Share { part: 96, all: 240 }, Share { part: 150, all: 300 });
    let found = social.minus(retargeting).unwrap();
    near(found.value, -0.10, 1e-12);
    near_all(found, -0.182_176, -0.015_499);
    assert!(found.is_clear());
    assert!(!social.minus(social).unwrap().is_clear());
    let nobody = Share { part: 0, all: 0 };
    assert_eq!((nobody.estimate(), nobody.minus(social), social.minus(nobody)), (None, None, None));
}

#[test]
fn a_mean_has_whole_units_and_nobody_has_none() {
    let rounded = |sum, count| Mean { sum, count }.rounded();
    assert_eq!(rounded(10, 4), Some(3));
    assert_eq!(rounded(-10, 4), Some(-3));
    assert_eq!(rounded(9, 4), Some(2));
    assert_eq!(rounded(i64::MIN, 1), Some(i64::MIN));
    assert_eq!(rounded(10, 0), None);
    assert_eq!(Mean { sum: 10, count: 4 }.value(), Some(2.5));
    assert_eq!(Mean { sum: 10, count: 0 }.value(), None);
    let turned = Estimate { value: 2.0, lower: 1.0, upper: 4.0 }.scaled(-2.0);
    assert_eq!(turned, Estimate { value: -4.0, lower: -8.0, upper: -2.0 });
}

#[test]
fn revenue_is_dated_by_order_or_by_movement() {
    let month = |first: &str, last: &str, dating| {
        net_revenue(&shop(), Period { first: day(first), last: day(last) }, AS_OF, dating)
    };
    assert_eq!(month("2026-01-01", "2026-01-31", Dating::Order), 9_000);
    assert_eq!(month("2026-01-01", "2026-01-31", Dating::Movement), 19_000);
    assert_eq!(month("2026-02-01", "2026-02-28", Dating::Movement), 6_500);
    assert_eq!(month("2026-03-01", "2026-03-31", Dating::Order), 10_000);
    assert_eq!(month("2026-03-01", "2026-03-31", Dating::Movement), 12_000);
    assert_eq!(month("2026-04-01", "2026-04-30", Dating::Movement), -2_000);
    let early = net_revenue(&shop(), QUARTER, date(2026, 1, 31), Dating::Order);
    assert_eq!(early, 19_000, "at the end of January the refund of p2 is not known");
    let mut cancelled = order("p7", "2026-01-10", 5_000, &[]);
    cancelled.cancelled = Some(day("2026-01-12"));
    for dating in [Dating::Order, Dating::Movement] {
        let at = |as_of| net_revenue(std::slice::from_ref(&cancelled), QUARTER, as_of, dating);
        assert_eq!((at(date(2026, 1, 11)), at(date(2026, 1, 12))), (5_000, 0));
    }
}

#[test]
fn an_order_counts_until_its_last_cent_is_refunded() {
    let net = |amount, as_of: &str| {
        order("p", "2026-03-01", 5_000, &[("2026-03-10", amount)]).net(day(as_of))
    };
    assert_eq!(net(5_000, "2026-02-28"), None);
    assert_eq!(net(5_000, "2026-03-09"), Some(5_000));
    assert_eq!(net(5_000, "2026-03-10"), None);
    assert_eq!(net(4_999, "2026-03-10"), Some(1));
}

#[test]
fn customers_who_are_too_young_are_left_out_and_counted() {
    let orders = [
        order(1, "2026-01-01", 1_000, &[]),
        order(1, "2026-01-31", 500, &[]),
        order(1, "2026-02-01", 200, &[]),
        order(2, "2026-06-01", 9_000, &[]),
    ];
    let all = histories(&orders, AS_OF);
    let group: Vec<&History> = all.values().collect();
    let value = lifetime_value(&group, 30, AS_OF);
    assert_eq!(value, Aged { figure: Mean { sum: 1_500, count: 1 }, too_young: 1 });
    let value = lifetime_value(&group, 29, AS_OF);
    assert_eq!(value, Aged { figure: Mean { sum: 10_000, count: 2 }, too_young: 0 });
    let rate = |days| repeat_rate(&group, days, AS_OF).figure;
    assert_eq!(rate(29), Share { part: 0, all: 2 });
    assert_eq!(rate(30), Share { part: 1, all: 1 });
    assert_eq!(order_value(&group), Mean { sum: 10_700, count: 4 });
    assert_eq!(orders_per_customer(&group), Mean { sum: 4, count: 2 });
    assert_eq!(all[&1].gaps().collect::<Vec<_>>(), [30, 1]);
}

#[test]
fn payback_is_the_first_step_whose_margin_reaches_the_cost() {
    let orders = [order(1, "2025-01-01", 1_000, &[]), order(1, "2025-02-15", 1_500, &[])];
    let all = histories(&orders, AS_OF);
    let group: Vec<&History> = all.values().collect();
    let at = |cost, as_of| payback(&group, 0.4, Mean { sum: cost, count: 1 }, as_of);
    assert_eq!(at(400, AS_OF), Payback::After(30));
    assert_eq!(at(401, AS_OF), Payback::After(60));
    assert_eq!(at(1_000, AS_OF), Payback::After(60));
    assert_eq!(at(1_001, AS_OF), Payback::Never);
    assert_eq!(at(1_001, date(2025, 6, 1)), Payback::TooYoung);
    let free = payback(&group, 0.4, Mean { sum: 0, count: 0 }, AS_OF);
    assert_eq!(free, Payback::TooYoung, "no new customer has a cost");
    assert_eq!((roas(100, 0), roi(0.4, 100, 0)), (None, None));
}

#[test]
fn a_customer_is_acquired_by_the_first_touch_that_is_not_direct() {
    let at = |days: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * (20_000 + days));
    let met =
        |(on, touch): (i64, &'static str)| Met { at: at(on), is_direct: touch == "Direct", touch };
    let touches = [(0, "Email"), (20, "Direct"), (30, "Paid Social"), (40, "Email")].map(met);
    let of = |on, lookback| Acquisition::of(&touches, at(on), lookback);
    assert_eq!(of(50, 90), Acquisition::By("Email"));
    assert_eq!(of(90, 90), Acquisition::By("Paid Social"), "the first touch is 90 days old");
    assert_eq!(of(29, 29), Acquisition::Direct);
    assert_eq!(of(130, 90), Acquisition::Unknown);
    assert_eq!(of(30, 10), Acquisition::By("Paid Social"), "the order's own visit counts");
}

#[test]
fn times_tell_how_many_have_one() {
    let hours = |count| Some(SignedDuration::from_hours(count));
    let found = time_to(&[hours(5), None, hours(1), hours(9), None]);
    assert_eq!((found.median, found.ninetieth), (hours(5), hours(9)));
    assert_eq!(found.done, Share { part: 3, all: 5 });
    assert_eq!(time_to(&[None]).median, None);
    assert_eq!(
        [0, 25, 50, 51, 100].map(|percent| percentile(&[4, 1, 3, 2], percent)),
        [Some(1), Some(1), Some(2), Some(3), Some(4)]
    );
}

#[test]
fn a_path_has_touches_channels_and_hops() {
    let of = |path: &str| {
        let found = PathFigures::of(&path.chars().collect::<Vec<_>>());
        (found.touches, found.channels, found.hops)
    };
    assert_eq!(of("AABAB"), (5, 2, 3));
    assert_eq!(of("AAA"), (3, 1, 0));
    assert_eq!(of(""), (0, 0, 0));
    assert_eq!(last_steps(&['A', 'B'], 3), [None, Some('A'), Some('B')]);
    assert_eq!(last_steps(&['A', 'B', 'C'], 2), [Some('B'), Some('C')]);
}

#[test]
fn costs_are_summed_by_channel_and_by_audience() {
    let cost = |on, channel, audience, amount| Cost { day: day(on), channel, audience, amount };
    let costs = Costs::of(
        &[
            cost("2026-01-01", Some('E'), Some(Audience::New), 100),
            cost("2026-03-31", Some('E'), Some(Audience::Existing), 30),
            cost("2026-04-01", Some('E'), Some(Audience::New), 5_000),
            cost("2026-02-01", Some('S'), None, 7),
            cost("2026-02-01", None, None, 1_000),
        ],
        QUARTER,
    );
    let email = costs.channels[&'E'];
    assert_eq!((email.all(), email.on_new(), email.is_blended()), (130, 100, false));
    let social = costs.channels[&'S'];
    assert_eq!((social.all(), social.on_new(), social.is_blended()), (7, 7, true));
    let total = costs.total();
    assert_eq!((total.all(), total.on_new(), total.is_blended()), (1_137, 1_107, true));
}

#[test]
fn a_cost_without_a_day_is_spread_over_its_days() {
    let over = |first, last| Period { first, last };
    let days = over(date(2026, 1, 30), date(2026, 2, 1));
    let expected = [(date(2026, 1, 30), 34), (date(2026, 1, 31), 33), (date(2026, 2, 1), 33)];
    assert_eq!(spread_evenly(100, days), expected);
    assert_eq!(spread_evenly(100, over(date(2026, 1, 2), date(2026, 1, 1))), []);
}

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

fn amount(minor: i64, code: &str) -> Amount {
    Amount { minor, currency: currency(code) }
}

#[test]
fn amounts_are_converted_by_the_rate_of_the_day() {
    let mut rates = Rates::new(currency("EUR"));
    for (code, on, rate) in [
        ("CHF", "2026-01-02", "1.0541"),
        ("JPY", "2026-01-02", "0.006153"),
        ("KWD", "2026-01-02", "2.9"),
    ] {
        rates.set(currency(code), day(on), Rate::parse(rate).unwrap());
    }
    let sum = |on: &str, amounts: &[Amount]| {
        let found = rates.sum(amounts.iter().map(|one| (day(on), *one)));
        assert_eq!(found.sum.currency, currency("EUR"));
        (found.sum.minor, found.apart.iter().collect::<Vec<_>>())
    };
    assert_eq!(sum("2026-01-02", &[amount(1_200, "CHF")]), (1_265, vec![]));
    assert_eq!(sum("2026-01-02", &[amount(10_000, "JPY")]), (6_153, vec![]));
    assert_eq!(sum("2026-01-02", &[amount(1_000, "KWD")]), (290, vec![]));
    assert_eq!(sum("2026-01-02", &[amount(50, "JPY"); 3]), (92, vec![]), "92.295 is rounded once");
    assert_eq!(sum("2026-01-02", &[amount(-1_200, "CHF")]), (-1_265, vec![]));
    assert_eq!(sum("2026-01-09", &[amount(1_200, "CHF")]), (1_265, vec![]));
    let late = [amount(500, "EUR"), amount(1_200, "CHF"), amount(1, "CHF")];
    assert_eq!(sum("2026-01-10", &late), (500, vec![amount(1_201, "CHF")]));
    assert_eq!(sum("2026-01-01", &late[1..2]), (0, vec![amount(1_200, "CHF")]));
    let huge = amount(i64::MAX, "KWD");
    assert_eq!(sum("2026-01-02", &[huge; 4]).1.len(), 1, "an amount beyond the range stays apart");
}

#[test]
fn a_rate_is_a_positive_decimal() {
    for text in ["0", "0.0", "", ".5", "5.", "-1", "1,5", "1e3", "NaN", "0.0000000000001", "1.00x"]
    {
        assert_eq!(Rate::parse(text), None, "{text}");
    }
    assert_eq!(Rate::parse("0.00615346747892437"), Rate::parse("0.006153467478"));
    assert_eq!(Rate::parse("18446744.073709551615"), Rate::parse("18446744.0737095516159"));
    assert_eq!(Rate::parse("18446744.073709551616"), None);
    assert!(Rate::parse("1").is_some());
}

#[test]
fn a_report_without_rates_has_one_currency_and_shows_what_it_hides() {
    let orders = [
        amount(5, "USD"),
        amount(9, "EUR"),
        amount(100_000, "CHF"),
        amount(5, "USD"),
        amount(9, "EUR"),
    ];
    let found = one_currency(&orders).unwrap();
    assert_eq!(found.currency, currency("EUR"), "of two the first by its letters");
    let hidden = [amount(100_000, "CHF"), amount(10, "USD")];
    assert_eq!(found.hidden.iter().collect::<Vec<_>>(), hidden);
    assert_eq!(one_currency(&[]), None);
}
