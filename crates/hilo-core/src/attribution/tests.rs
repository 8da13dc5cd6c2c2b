//! Vectors that independent solvers computed, and laws over random journeys.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::shapley::values;
use super::*;

/// Repeats, a path without an order, orders and none on one path.
const ABC: [(&str, u32, i64, u32); 5] =
    [("ABC", 3, 300, 2), ("AC", 2, 160, 3), ("B", 1, 40, 4), ("CAC", 1, 90, 1), ("BBA", 0, 0, 3)];
/// Loops; D is direct.
const PDS: [(&str, u32, i64, u32); 4] =
    [("PDPD", 4, 400, 1), ("D", 2, 100, 8), ("PPS", 1, 75, 4), ("SD", 3, 210, 7)];

fn journeys(rows: &[(&str, u32, i64, u32)]) -> Vec<Journeys<char>> {
    let row = |&(path, orders, value, nulls): &(&str, u32, i64, u32)| Journeys {
        channels: path.chars().collect(),
        orders,
        value,
        nulls,
    };
    rows.iter().map(row).collect()
}

#[track_caller]
fn near(found: &BTreeMap<char, f64>, expected: &[(char, f64)], precision: f64) {
    for (channel, value) in expected {
        let found = found.get(channel).copied().unwrap_or_default();
        assert!((found - value).abs() <= precision, "{channel}: {found}, not {value}");
    }
    let names: BTreeSet<char> = expected.iter().map(|(channel, _)| *channel).collect();
    assert!(found.iter().all(|(one, value)| names.contains(one) || *value == 0.0), "{found:?}");
}

/// What each channel gets of all orders and of their value, if `weigh` gives the weights of a path.
fn summed(
    journeys: &[Journeys<char>],
    weigh: impl Fn(&[char]) -> Vec<f64>,
) -> (BTreeMap<char, f64>, BTreeMap<char, f64>) {
    let (mut orders, mut value) = (BTreeMap::new(), BTreeMap::new());
    for one in journeys {
        for (channel, weight) in one.channels.iter().zip(weigh(&one.channels)) {
            *orders.entry(*channel).or_default() += weight * f64::from(one.orders);
            #[expect(clippy::cast_precision_loss, reason = "small amounts")]
            let worth = one.value as f64;
            *value.entry(*channel).or_default() += weight * worth;
        }
    }
    (orders, value)
}

fn ruled(rows: &[(&str, u32, i64, u32)], rule: Rule) -> (BTreeMap<char, f64>, BTreeMap<char, f64>) {
    summed(&journeys(rows), |channels| {
        let step = |one: &char| Step { age_days: 1.0, is_direct: *one == 'D' };
        weights(rule, &channels.iter().map(step).collect::<Vec<_>>())
    })
}

#[test]
fn rules_share_orders_and_value_as_in_the_vectors() {
    type Row = (Rule, &'static [(char, f64)], &'static [(char, f64)]);
    let abc: [Row; 4] = [
        (
            Rule::First,
            &[('A', 5.0), ('B', 1.0), ('C', 1.0)],
            &[('A', 460.0), ('B', 40.0), ('C', 90.0)],
        ),
        (
            Rule::Last,
            &[('A', 0.0), ('B', 1.0), ('C', 6.0)],
            &[('A', 0.0), ('B', 40.0), ('C', 550.0)],
        ),
        (
            Rule::Linear,
            &[('A', 2.333_333), ('B', 2.0), ('C', 2.666_667)],
            &[('A', 210.0), ('B', 140.0), ('C', 240.0)],
        ),
        (
            Rule::Position,
            &[('A', 2.4), ('B', 1.6), ('C', 3.0)],
            &[('A', 218.0), ('B', 100.0), ('C', 272.0)],
        ),
    ];
    let pds: [Row; 5] = [
        (
            Rule::First,
            &[('P', 5.0), ('D', 2.0), ('S', 3.0)],
            &[('P', 475.0), ('D', 100.0), ('S', 210.0)],
        ),
        (
            Rule::Last,
            &[('P', 0.0), ('D', 9.0), ('S', 1.0)],
            &[('P', 0.0), ('D', 710.0), ('S', 75.0)],
        ),
        (
            Rule::LastNonDirect,
            &[('P', 4.0), ('D', 2.0), ('S', 4.0)],
            &[('P', 400.0), ('D', 100.0), ('S', 285.0)],
        ),
        (
            Rule::Linear,
            &[('P', 2.666_667), ('D', 5.5), ('S', 1.833_333)],
            &[('P', 250.0), ('D', 405.0), ('S', 130.0)],
        ),
        (
            Rule::Position,
            &[('P', 2.6), ('D', 5.5), ('S', 1.9)],
            &[('P', 245.0), ('D', 405.0), ('S', 135.0)],
        ),
    ];
    for (rows, table) in [(&ABC[..], &abc[..]), (&PDS[..], &pds[..])] {
        for (rule, orders, value) in table {
            let found = ruled(rows, *rule);
            near(&found.0, orders, 1e-6);
            near(&found.1, value, 1e-6);
        }
    }
}

#[test]
fn a_touch_weighs_half_as_much_for_each_week() {
    // The second line is Google's own example: a click eight days before weighs half of one a day before.
    let table: [(&[f64], &[f64]); 6] = [
        (&[0.0], &[1.0]),
        (&[8.0, 1.0], &[0.333_333_333, 0.666_666_667]),
        (&[14.0, 7.0, 0.0], &[0.142_857_143, 0.285_714_286, 0.571_428_571]),
        (&[21.0, 14.0, 7.0, 0.0], &[0.066_666_667, 0.133_333_333, 0.266_666_667, 0.533_333_333]),
        (
            &[30.0, 10.0, 3.0, 3.0, 0.0],
            &[0.017_626_374, 0.127_716_994, 0.255_433_989, 0.255_433_989, 0.343_788_654],
        ),
        (&[90.0, 0.0], &[0.000_134_758, 0.999_865_242]),
    ];
    for (ages, expected) in table {
        let step = |age_days: &f64| Step { age_days: *age_days, is_direct: false };
        let found = weights(Rule::TimeDecay, &ages.iter().map(step).collect::<Vec<_>>());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }
    assert_eq!(weights(Rule::TimeDecay, &[]), [0.0; 0]);
}

#[test]
fn amounts_are_split_to_the_last_unit() {
    let third = 1.0 / 3.0;
    let (seventh, fifteenth, sixth) = (1.0 / 7.0, 1.0 / 15.0, 1.0 / 6.0);
    let table: [(i64, &[f64], &[i64]); 6] = [
        (10_000, &[third, third, third], &[3_334, 3_333, 3_333]),
        (9_999, &[0.4, 0.2, 0.4], &[4_000, 2_000, 3_999]),
        (1, &[0.5, 0.5], &[1, 0]),
        (12_345, &[seventh, 2.0 * seventh, 4.0 * seventh], &[1_764, 3_527, 7_054]),
        (100, &[sixth; 6], &[17, 17, 17, 17, 16, 16]),
        (5_000, &[0.4, fifteenth, fifteenth, fifteenth, 0.4], &[2_000, 334, 333, 333, 2_000]),
    ];
    for (net, weights, expected) in table {
        assert_eq!(split(net, weights), expected);
        let back: Vec<i64> = expected.iter().map(|one| -one).collect();
        assert_eq!(split(-net, weights), back, "a refund takes back what the order gave");
    }
    assert_eq!(split(100, &[]), [0; 0]);
}

#[test]
fn removal_effects_are_those_of_the_vectors() {
    let abc = journeys(&ABC);
    let first = Markov::of(&abc, 1).unwrap();
    assert!((first.rate - 7.0 / 20.0).abs() < 1e-9);
    near(&first.effects, &[('A', 383.0 / 637.0), ('B', 193.0 / 343.0), ('C', 109.0 / 126.0)], 1e-9);
    near(
        &Markov::share(7.0, &first.effects),
        &[('A', 2.0743), ('B', 1.941_223), ('C', 2.984_477)],
        1e-6,
    );
    near(
        &Markov::share(590.0, &first.value_effects),
        &[('A', 175.8805), ('B', 148.7024), ('C', 265.417)],
        1e-4,
    );
    let (orders, value) = summed(&abc, |channels| first.weights(channels));
    near(&orders, &[('A', 2.119_105), ('B', 1.831_953), ('C', 3.048_942)], 1e-6);
    near(&value, &[('A', 191.4085), ('B', 123.1953), ('C', 275.3962)], 1e-4);
    let second = Markov::of(&abc, 2).unwrap();
    near(&second.effects, &[('A', 6.0 / 7.0), ('B', 4.0 / 7.0), ('C', 6.0 / 7.0)], 1e-9);
    near(
        &Markov::share(590.0, &second.value_effects),
        &[('A', 225.3472), ('B', 139.3056), ('C', 225.3472)],
        1e-4,
    );

    let pds = journeys(&PDS);
    let first = Markov::of(&pds, 1).unwrap();
    near(&first.effects, &[('P', 13.0 / 30.0), ('D', 41.0 / 45.0), ('S', 7.0 / 16.0)], 1e-9);
    near(
        &Markov::share(785.0, &first.value_effects),
        &[('P', 190.9354), ('D', 402.7398), ('S', 191.3248)],
        1e-4,
    );
    let (orders, value) = summed(&pds, |channels| first.weights(channels));
    near(&orders, &[('P', 1.786_864), ('D', 6.737_52), ('S', 1.475_616)], 1e-5);
    near(&value, &[('P', 166.2462), ('D', 512.9487), ('S', 105.8051)], 1e-4);
    let second = Markov::of(&pds, 2).unwrap();
    near(&second.effects, &[('P', 0.5), ('D', 0.9), ('S', 0.4)], 1e-9);
    near(
        &Markov::share(785.0, &second.value_effects),
        &[('P', 253.6565), ('D', 379.1497), ('S', 152.1939)],
        1e-4,
    );
}

#[test]
fn shapley_values_of_orders_are_those_of_the_vectors() {
    let abc = journeys(&ABC);
    let game = Shapley::of(&abc, 0.0).unwrap();
    let of = |game: &Shapley<char>, path: &str| {
        let channels: Vec<char> = path.chars().collect();
        channels.iter().copied().zip(game.weights(&channels)).collect::<BTreeMap<_, _>>()
    };
    near(&of(&game, "ABC"), &[('A', 61.0 / 196.0), ('B', 53.0 / 196.0), ('C', 41.0 / 98.0)], 1e-9);
    near(&of(&game, "AC"), &[('A', 0.5), ('C', 0.5)], 1e-9);
    near(&of(&game, "B"), &[('B', 1.0)], 1e-9);
    let (orders, value) = summed(&abc, |channels| game.weights(channels));
    near(&orders, &[('A', 2.433_673), ('B', 1.811_224), ('C', 2.755_102)], 1e-6);
    near(&value, &[('A', 218.3673), ('B', 121.1224), ('C', 250.5102)], 1e-4);

    let pds = journeys(&PDS);
    let game = Shapley::of(&pds, 0.0).unwrap();
    near(&of(&game, "PS"), &[('P', 0.5), ('S', 0.5)], 1e-9);
    near(&of(&game, "SD"), &[('D', 0.9), ('S', 0.1)], 1e-9);
    let (orders, value) = summed(&pds, |channels| game.weights(channels));
    near(&orders, &[('D', 7.7), ('P', 1.5), ('S', 0.8)], 1e-9);
    near(&value, &[('D', 589.0), ('P', 137.5), ('S', 58.5)], 1e-9);
}

#[test]
fn nothing_is_known_where_nobody_ordered() {
    let none = journeys(&[("AB", 0, 0, 5)]);
    assert_eq!(Markov::of(&none, 1), None);
    assert!(Shapley::of(&none, PRIOR_JOURNEYS).is_none());
}

#[test]
fn more_channels_than_can_play_share_as_one() {
    let rows: Vec<Journeys<u8>> = (0..20)
        .map(|channel| Journeys {
            channels: vec![channel, 0],
            orders: 1,
            value: 100,
            nulls: u32::from(20 - channel),
        })
        .collect();
    let game = Shapley::of(&rows, PRIOR_JOURNEYS).unwrap();
    let weights = game.weights(&[15, 15, 16, 0]);
    assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert!((weights[0] - weights[1]).abs() < 1e-12);
    assert!(
        (weights[0] - weights[2]).abs() < 1e-12,
        "both play as one, and have their parts by touches"
    );
}

fn day(day: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * (20_000 + day))
}

fn touches(days: impl IntoIterator<Item = i64>) -> Vec<Met<i64>> {
    days.into_iter().map(|on| Met { at: day(on), is_direct: false, touch: on }).collect()
}

#[test]
fn a_path_is_what_lies_between_two_orders_within_the_lookback() {
    let rules = PathRules::default();
    let all = touches([0, 10, 80, 100, 101]);
    let path = |at, previous: Option<i64>, rules| Path::of(&all, day(at), previous.map(day), rules);
    assert_eq!(path(100, None, rules).touches, [80, 100], "the touch of day 10 is 90 days old");
    assert_eq!(path(100, Some(80), rules).touches, [100]);
    assert_eq!(path(99, Some(90), rules).touches, [10, 80], "nothing lies between");
    assert!(path(99, Some(90), rules).is_repeat_without_touch);
    let whole = PathRules { since_previous_order: false, ..rules };
    assert_eq!(path(100, Some(80), whole).touches, [80, 100]);
    let ages: Vec<f64> = path(100, None, rules).steps.iter().map(|one| one.age_days).collect();
    assert_eq!(ages, [20.0, 0.0]);
    let none: Path<i64> = Path::of(&[], day(1), None, rules);
    assert_eq!(
        (none.touches.len(), none.is_repeat_without_touch, none.is_truncated),
        (0, false, false)
    );
}

#[test]
fn a_long_path_keeps_its_first_touch_and_its_last_ones() {
    let path = Path::of(&touches(0..80), day(80), None, PathRules::default());
    assert_eq!((path.touches.len(), path.is_truncated), (TOUCHES_MAX, true));
    assert_eq!((path.touches[0], path.touches[1], path.touches[49]), (0, 31, 79));
}

/// Random journeys of five channels, of which at least one ended with an order.
fn some_journeys() -> impl Strategy<Value = Vec<Journeys<char>>> {
    let path = proptest::collection::vec(proptest::char::range('A', 'E'), 1..6);
    let row =
        (path, 0..20_u32, 0..20_u32, 0..10_000_i64).prop_map(|(channels, orders, nulls, each)| {
            Journeys { channels, orders, value: i64::from(orders) * each, nulls }
        });
    let rows = proptest::collection::vec(row, 1..12);
    rows.prop_filter("an order", |rows| rows.iter().any(|one| one.orders > 0))
}

proptest! {
    #[test]
    fn credits_add_up_to_the_order(
        ages in proptest::collection::vec((0.0..400.0_f64, any::<bool>()), 1..50),
        net in -1_000_000_000_000..1_000_000_000_000_i64,
    ) {
        let steps: Vec<Step> =
            ages.iter().map(|&(age_days, is_direct)| Step { age_days, is_direct }).collect();
        for rule in Rule::ALL {
            let weights = weights(rule, &steps);
            prop_assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            prop_assert_eq!(split(net, &weights).iter().sum::<i64>(), net, "{}", rule.name());
        }
    }

    #[test]
    fn the_chain_has_the_observed_rate_and_weights_add_up(rows in some_journeys()) {
        let orders: u32 = rows.iter().map(|one| one.orders).sum();
        let all: u32 = rows.iter().map(|one| one.orders + one.nulls).sum();
        let game = Shapley::of(&rows, PRIOR_JOURNEYS).unwrap();
        for order in 1..=3 {
            let markov = Markov::of(&rows, order).unwrap();
            prop_assert!((markov.rate - f64::from(orders) / f64::from(all)).abs() < 1e-9);
            for one in &rows {
                for weights in [markov.weights(&one.channels), game.weights(&one.channels)] {
                    prop_assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                    prop_assert!(weights.iter().all(|weight| *weight >= -1e-9));
                }
            }
        }
    }

    #[test]
    fn a_game_of_counts_shares_each_order_equally_over_its_channels(rows in some_journeys()) {
        let set = |channels: &[char]| channels.iter().fold(0_usize, |set, one| set | 1 << (*one as usize - 'A' as usize));
        let worth = |of: usize| rows.iter().filter(|one| set(&one.channels) & !of == 0).map(|one| f64::from(one.orders)).sum();
        let found = values(5, worth);
        for (player, found) in found.into_iter().enumerate() {
            let with = rows.iter().filter(|one| set(&one.channels) & (1 << player) != 0);
            let expected: f64 = with.map(|one| f64::from(one.orders) / f64::from(set(&one.channels).count_ones())).sum();
            prop_assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }
}
