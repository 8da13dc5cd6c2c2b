//! Laws over many seeded runs: chance makes no more alarms than it may, and an order does not matter.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::chance::Chance;
use super::*;

fn units(count: u32) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("a:{number:08x}"))
}

/// How far a count may be from its expectation: four standard errors.
#[track_caller]
fn as_expected(found: u32, all: u32, share: f64) {
    let (found, all) = (f64::from(found), f64::from(all));
    let error = (all * share * (1.0 - share)).sqrt();
    assert!((found - all * share).abs() <= 4.0 * error, "{found} of {all}, not {share}");
}

#[test]
fn arms_get_their_planned_shares_of_200_000_people() {
    const PEOPLE: u32 = 200_000;
    for weights in [&[1, 1][..], &[2, 1], &[1, 1, 1], &[90, 5, 5], &[1; 10]] {
        let arms = Arms::of(weights).unwrap();
        let arms =
            Experiment { name: "shares".into(), version: "1".into(), arms, coverage: BUCKETS };
        let mut people = vec![0_u32; weights.len()];
        for unit in units(PEOPLE) {
            people[arms.arm_of(&unit, None).unwrap()] += 1;
        }
        let counts = arms.arms.counts(&people);
        for one in &counts {
            as_expected(one.people, PEOPLE, f64::from(one.weight) / f64::from(BUCKETS));
        }
        assert_eq!(SampleRatio::of(EValue::of(&counts)), SampleRatio::AsPlanned, "{people:?}");
    }
}

#[test]
fn two_experiments_divide_people_independently() {
    const PEOPLE: u32 = 200_000;
    let mut table: BTreeMap<(u16, u16), u32> = BTreeMap::new();
    for unit in units(PEOPLE) {
        let tenth = |name: &str| bucket(name, "1", &unit) / (BUCKETS / 10);
        *table.entry((tenth("one"), tenth("two"))).or_default() += 1;
    }
    let expected = f64::from(PEOPLE) / 100.0;
    let distance: f64 =
        table.values().map(|found| (f64::from(*found) - expected).powi(2) / expected).sum();
    // χ² with 99 degrees of freedom has a mean of 99 and a standard deviation of √198.
    assert_eq!(table.len(), 100);
    assert!((distance - 99.0).abs() < 4.0 * 198_f64.sqrt(), "{distance}");
}

/// In how many of `runs` the event happened.
fn count(runs: u64, happens: impl Fn(&mut Chance) -> bool) -> u32 {
    (1..=runs).map(|seed| u32::from(happens(&mut Chance::of(seed << 32)))).sum()
}

#[test]
fn chance_alone_rarely_has_an_e_value_that_rejects_at_any_look() {
    // Either all people are counted, or the converters among them at a rate that wanders over the day.
    for (weights, is_wandering) in [(&[1, 1][..], false), (&[1, 1], true), (&[3, 1, 1], false)] {
        let alarms = count(1_000, |chance| {
            let whole: u32 = weights.iter().sum();
            let mut arms: Vec<ArmCount> =
                weights.iter().map(|&weight| ArmCount { weight, people: 0 }).collect();
            (0..2_000_u32).any(|person| {
                let rate = if is_wandering { f64::from(person % 100) / 100.0 } else { 1.0 };
                let drawn = chance.share() * f64::from(whole);
                if !chance.hits(rate) {
                    return false;
                }
                let mut until = 0.0;
                let arm = weights.iter().position(|weight| {
                    until += f64::from(*weight);
                    drawn < until
                });
                arms[arm.unwrap()].people += 1;
                EValue::of(&arms).rejects(ALPHA)
            })
        });
        assert!(alarms <= 50, "{alarms} of 1,000 runs with {weights:?}");
    }
}

#[test]
fn a_true_difference_is_found() {
    let found = count(50, |chance| {
        let mut arms = [ArmCount { weight: 1, people: 0 }; 2];
        (0..20_000).any(|person| {
            let arm = person % 2;
            arms[arm].people += u32::from(chance.hits([0.05, 0.075][arm]));
            EValue::of(&arms).rejects(ALPHA)
        })
    });
    assert!(found >= 45, "{found} of 50");
}

/// Whether the interval misses the true difference at any look, where somebody looks after so many people again.
fn is_missed(chance: &mut Chance, rates: [f64; 2], people_a_look: usize) -> bool {
    let mut counts = [[0_u32; 2]; 2];
    (1..=20_000_usize).any(|person| {
        let arm = person % 2;
        counts[arm][0] += 1;
        counts[arm][1] += u32::from(chance.hits(rates[arm]));
        let [a, b] = counts.map(|[people, converted]| Sample::of_rate(people, converted));
        let is_look = person % people_a_look == 0;
        let look = is_look.then(|| compare(&a, &b, 10_000)).flatten();
        look.is_some_and(|look| !contains(&look, rates[1] - rates[0]))
    })
}

fn contains(look: &Comparison, difference: f64) -> bool {
    look.difference.lower <= difference && difference <= look.difference.upper
}

#[test]
fn intervals_of_rates_contain_the_truth_at_every_look() {
    let alike = count(1_000, |chance| is_missed(chance, [0.05, 0.05], 1));
    assert!(alike <= 50, "{alike} of 1,000 with arms that are alike");
    for rates in [[0.02, 0.02], [0.05, 0.065], [0.3, 0.2]] {
        let missed = count(400, |chance| is_missed(chance, rates, 10));
        assert!(missed <= 20, "{missed} of 400 with {rates:?}");
    }
}

#[test]
fn intervals_of_money_contain_the_truth_at_every_look() {
    // One person in ten orders, for 20.00 to 100.00, and in the second arm one in eight.
    const RATES: [f64; 2] = [0.1, 0.125];
    let truth = 6_000.0 * (RATES[1] - RATES[0]);
    let missed = count(200, |chance| {
        let mut amounts = [Vec::new(), Vec::new()];
        (1..=40_u32).any(|look| {
            for person in 0..200 {
                let arm = person % 2;
                if chance.hits(RATES[arm]) {
                    #[expect(clippy::cast_possible_truncation, reason = "below 10,000")]
                    amounts[arm].push(2_000 + (8_000.0 * chance.share()) as i64);
                }
            }
            let [a, b] = [0, 1].map(|arm| Sample::of_amounts(look * 100, &amounts[arm], None));
            compare(&a, &b, 4_000).is_some_and(|look| !contains(&look, truth))
        })
    });
    assert!(missed <= 10, "{missed} of 200");
}

fn some_exposure() -> impl Strategy<Value = Exposure> {
    (0..3_usize, 0..4_i64, any::<bool>()).prop_map(|(arm, second, is_multiple)| {
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second);
        Exposure { arm, at, is_multiple }
    })
}

proptest! {
    #[test]
    fn the_order_of_arms_does_not_matter(
        arms in proptest::collection::vec((1..100_u32, 0..10_000_u32), 2..6),
        a in (100..50_000_u32, 5..100_u32), b in (100..50_000_u32, 5..100_u32),
    ) {
        let mut arms: Vec<ArmCount> =
            arms.into_iter().map(|(weight, people)| ArmCount { weight, people }).collect();
        let log = EValue::of(&arms).log;
        arms.reverse();
        prop_assert!((EValue::of(&arms).log - log).abs() < 1e-6);
        arms.rotate_left(1);
        prop_assert!((EValue::of(&arms).log - log).abs() < 1e-6);
        let (a, b) = (Sample::of_rate(a.0, a.1), Sample::of_rate(b.0, b.1));
        if let (Some(one), Some(other)) = (compare(&a, &b, 5_000), compare(&b, &a, 5_000)) {
            prop_assert_eq!(one.difference.lower, -other.difference.upper);
            prop_assert_eq!(one.difference.upper, -other.difference.lower);
            prop_assert_eq!(one.evidence, other.evidence);
        }
    }

    #[test]
    fn an_interval_without_0_goes_with_evidence_that_rejects(
        a in (100..50_000_u32, 5..100_u32), b in (100..50_000_u32, 5..100_u32), planned in 1..100_000_u32,
    ) {
        let (a, b) = (Sample::of_rate(a.0, a.1), Sample::of_rate(b.0, b.1));
        if let Some(found) = compare(&a, &b, planned) {
            prop_assert_eq!(found.difference.is_clear(), found.evidence.rejects(ALPHA));
        }
    }

    #[test]
    fn the_order_in_which_profiles_are_linked_does_not_matter(
        a in some_exposure(), b in some_exposure(), c in some_exposure(),
    ) {
        prop_assert_eq!(a.linked(b), b.linked(a));
        prop_assert_eq!(a.linked(b).linked(c), a.linked(b.linked(c)));
        prop_assert_eq!(a.linked(a), a);
    }

    #[test]
    fn the_order_of_looks_does_not_matter(logs in proptest::collection::vec(-3.0..9.0_f64, 0..12)) {
        let of = |logs: &[f64]| {
            let looks: Vec<EValue> = logs.iter().map(|log| EValue { log: *log }).collect();
            discoveries(&looks, ALPHA)
        };
        let found = of(&logs);
        let mut reversed: Vec<f64> = logs.clone();
        reversed.reverse();
        prop_assert_eq!(of(&reversed), found.iter().rev().copied().collect::<Vec<_>>());
        // Whatever a look alone would not tell is not accepted among many.
        let alone = |log: &f64| EValue { log: *log }.rejects(ALPHA);
        prop_assert!(logs.iter().zip(&found).all(|(log, found)| !found || alone(log)));
    }
}
