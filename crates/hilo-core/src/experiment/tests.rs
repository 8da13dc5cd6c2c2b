//! Vectors that other programs computed (savvi, gbstats, SciPy), and single rules.

use jiff::{SignedDuration, Timestamp};

use super::bucket::first_bytes;
use super::log_gamma::log_gamma;
use super::means::half_width;
use super::*;
use crate::kpi::Estimate;

#[track_caller]
fn near(found: f64, expected: f64, precision: f64) {
    assert!((found - expected).abs() <= precision, "{found}, not {expected}");
}

#[test]
fn an_id_has_the_bucket_of_the_vectors() {
    let table = [
        ("checkout-copy", "p_7f3a", 0x32c3_8596_fdd8_55b7, 1_982),
        ("checkout-copy", "p_7f3b", 0x822e_05b9_8309_a7fd, 5_085),
        ("hero", "p_7f3a", 0xfb83_7df9_7d31_ccac, 9_824),
        ("hero", "a:2f1c9e0a-1b1d-4f8e-9d70-0c6a2d1b5e77", 0x1272_46d5_bd8e_090d, 720),
    ];
    for (name, unit, first8, expected) in table {
        assert_eq!(first_bytes(name, "1", unit), first8, "{name} {unit}");
        assert_eq!(bucket(name, "1", unit), expected, "{name} {unit}");
    }
    assert_ne!(bucket("hero", "2", "p_7f3a"), 9_824, "a new version draws anew");
}

#[test]
fn arms_take_consecutive_ranges_by_their_weights() {
    let thirds = Arms::of(&[1, 1, 1]).unwrap();
    let arms = [0, 3_332, 3_333, 6_665, 6_666, 9_999].map(|bucket| thirds.arm_of(bucket));
    assert_eq!(arms, [0, 0, 1, 1, 2, 2]);
    let weights: Vec<u32> = thirds.counts(&[]).iter().map(|one| one.weight).collect();
    assert_eq!(weights, [3_333, 3_333, 3_334]);
    let without = Arms::of(&[0, u32::MAX, 0]).unwrap();
    assert_eq!([0, 9_999].map(|bucket| without.arm_of(bucket)), [1, 1]);
    assert_eq!(Arms::of(&[]), None);
    assert_eq!(Arms::of(&[0, 0]), None);
}

fn experiment(weights: &[u32], coverage: u16) -> Experiment {
    let arms = Arms::of(weights).unwrap();
    Experiment { name: "hero".to_owned(), version: "1".to_owned(), arms, coverage }
}

#[test]
fn more_coverage_moves_nobody_between_arms() {
    let (part, whole) = (experiment(&[1, 1], 2_000), experiment(&[1, 1], BUCKETS));
    let units: Vec<String> = (0..2_000).map(|number| format!("p_{number}")).collect();
    let inside: Vec<&String> =
        units.iter().filter(|unit| part.arm_of(unit, None).is_some()).collect();
    assert!((320..480).contains(&inside.len()), "{} of 2,000", inside.len());
    assert!(inside.iter().all(|unit| part.arm_of(unit, None) == whole.arm_of(unit, None)));
    let second = inside.iter().filter(|unit| whole.arm_of(unit, None) == Some(1)).count();
    assert!((inside.len() * 2 / 5..inside.len() * 3 / 5).contains(&second), "{second}");
    assert!(units.iter().all(|unit| experiment(&[1, 1], 0).arm_of(unit, None).is_none()));
}

fn exposure(arm: usize, second: i64, is_multiple: bool) -> Exposure {
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second);
    Exposure { arm, at, is_multiple }
}

#[test]
fn an_arm_that_was_seen_stays() {
    let changed = experiment(&[0, 1], 0);
    assert_eq!(changed.arm_of("p_7f3a", Some(exposure(0, 5, false))), Some(0));
    assert_eq!(changed.arm_of("p_7f3a", None), None);
}

#[test]
fn of_two_linked_profiles_the_earliest_exposure_wins() {
    let (early, late) = (exposure(1, 5, false), exposure(0, 9, false));
    assert_eq!(late.linked(early), exposure(1, 5, true), "the person saw both arms");
    assert_eq!(early.linked(exposure(1, 3, false)), exposure(1, 3, false));
    assert_eq!(exposure(1, 5, true).linked(early), exposure(1, 5, true));
    assert!(!are_too_many_multiple(10, 1_000));
    assert!(are_too_many_multiple(11, 1_000));
    assert!(!are_too_many_multiple(0, 0));
}

#[test]
fn the_logarithm_of_the_gamma_function_is_exact() {
    let mut factorial = 1.0_f64;
    for number in 1..=170_u32 {
        let expected = factorial.ln();
        near(log_gamma(f64::from(number)), expected, 1e-15 * expected.max(10.0));
        factorial *= f64::from(number);
    }
    near(log_gamma(0.5), std::f64::consts::PI.sqrt().ln(), 1e-14);
    near(log_gamma(1e-4), 9.210_282_658_633_963, 1e-13);
    near(log_gamma(1.5), -0.120_782_237_635_245_22, 1e-14);
    near(log_gamma(100.5), 361.435_540_467_777_6, 1e-12);
    near(log_gamma(1e7), 151_180_949.369_473_9, 1e-7);
}

fn counts(weights: &[u32], people: &[u32]) -> Vec<ArmCount> {
    let rows = weights.iter().zip(people);
    rows.map(|(&weight, &people)| ArmCount { weight, people }).collect()
}

#[test]
fn people_of_the_arms_have_the_e_values_of_the_vectors() {
    let log = |weights: &[u32], people: &[u32], prior: f64| {
        EValue::with_prior(&counts(weights, people), prior).log
    };
    type Row = (&'static [u32], &'static [u32], f64, f64);
    let table: [Row; 8] = [
        (&[1, 1], &[5_021, 4_979], 100.0, -2.222_7),
        (&[1, 1], &[5_021, 4_979], 1e4, -0.302_484),
        (&[1, 1], &[5_150, 4_850], 100.0, 2.146_507),
        (&[1, 1], &[4_700, 5_300], 100.0, 15.524_012),
        (&[1, 1], &[4_700, 5_300], 1e4, 8.655_215),
        (&[2, 1], &[10_120, 4_880], 100.0, -0.351_021),
        (&[1, 1, 1], &[3_300, 3_350, 3_350], 100.0, -4.373_748),
        (&[1, 1], &[52, 28], 100.0, 3.738_83_f64.ln()),
    ];
    for (weights, people, prior, expected) in table {
        near(log(weights, people, prior), expected, 1e-6);
    }
    let chance = |people: &[u32], prior: f64| EValue { log: log(&[1, 1], people, prior) }.p_value();
    near(chance(&[5_150, 4_850], 100.0), 0.116_892, 1e-6);
    near(chance(&[5_150, 4_850], 1e4), 0.149_030, 1e-6);
    near(chance(&[4_700, 5_300], 100.0), 1.811_37e-7, 1e-12);
    near(chance(&[4_700, 5_300], 1e4), 1.742_16e-4, 1e-9);
    near(chance(&[52, 28], 100.0), 0.267_463, 1e-6);
}

#[test]
fn a_test_of_every_look_is_less_sure_than_a_test_of_one_look() {
    // The p-values of a χ² test that is looked at once.
    let table: [(&[u32], &[u32], f64); 6] = [
        (&[1, 1], &[5_021, 4_979], 0.674_485),
        (&[1, 1], &[5_150, 4_850], 0.002_699_8),
        (&[1, 1], &[4_700, 5_300], 1.973_18e-9),
        (&[2, 1], &[10_120, 4_880], 0.037_666_9),
        (&[1, 1, 1], &[3_300, 3_350, 3_350], 0.778_801),
        (&[1, 1], &[52, 28], 0.007_290_36),
    ];
    for (weights, people, once) in table {
        assert!(EValue::of(&counts(weights, people)).p_value() > once, "{people:?}");
    }
}

#[test]
fn converters_of_the_arms_have_the_e_values_of_the_vectors() {
    let table = [
        ([100, 130], 0.770_975, 0.462_562),
        ([200, 260], 2.362_807, 0.094_156),
        ([250, 320], 2.715_711, 0.066_158),
        ([48, 52], -0.307_62, 1.0),
    ];
    for (people, log, chance) in table {
        let found = EValue::of(&counts(&[1, 1], &people));
        near(found.log, log, 1e-6);
        near(found.p_value(), chance, 1e-6);
    }
}

#[test]
fn an_arm_without_weight_must_have_nobody() {
    let impossible = EValue::of(&counts(&[1, 1, 0], &[50, 50, 1]));
    assert_eq!(impossible.p_value(), 0.0);
    assert_eq!(SampleRatio::of(impossible), SampleRatio::Broken);
    let same = EValue::of(&counts(&[1, 1], &[52, 28])).log;
    near(EValue::of(&counts(&[1, 1, 0], &[52, 28, 0])).log, same, 1e-12);
    for nobody in [&counts(&[1, 1], &[0, 0])[..], &[]] {
        near(EValue::of(nobody).log, 0.0, 1e-12);
    }
}

#[test]
fn an_alarm_does_not_end_by_luck() {
    let of = |people: [u32; 2]| EValue::of(&counts(&[1, 1], &people));
    assert_eq!(SampleRatio::of(of([5_021, 4_979])), SampleRatio::AsPlanned);
    assert_eq!(SampleRatio::of(of([4_750, 5_250])), SampleRatio::Broken);
    assert_eq!(SampleRatio::of(of([4_800, 5_200])), SampleRatio::Doubtful);
    let strongest = of([4_700, 5_300]).or_stronger(of([50_000, 50_000]));
    assert_eq!(SampleRatio::of(strongest), SampleRatio::Broken);
    let arms = Arms::of(&[1, 1, 1]).unwrap();
    let ratio = SampleRatio::of(EValue::of(&arms.counts(&[3_300, 3_350, 3_350])));
    assert_eq!(ratio, SampleRatio::AsPlanned);
}

#[test]
fn rates_have_the_intervals_of_the_vectors() {
    type Row = ((u32, u32), (u32, u32), (f64, f64), f64);
    let table: [Row; 4] = [
        ((1_000, 100), (1_000, 130), (-0.014_517_962_1, 0.074_517_962_1), 0.378_931_508),
        ((5_000, 500), (5_000, 575), (-0.003_960_161_2, 0.033_960_161_2), 0.260_163_4),
        ((20_000, 2_000), (20_000, 2_150), (-0.002_294_283_5, 0.017_294_283_5), 0.408_627_8),
        ((400, 40), (400, 42), (-0.069_831_9, 0.079_831_9), 1.0),
    ];
    for (a, b, (lower, upper), chance) in table {
        let (a, b) = (Sample::of_rate(a.0, a.1), Sample::of_rate(b.0, b.1));
        let found = compare(&a, &b, 5_000).unwrap();
        near(found.difference.value, b.mean - a.mean, 1e-15);
        near(found.difference.lower, lower, 6e-8);
        near(found.difference.upper, upper, 6e-8);
        near(found.evidence.p_value(), chance, 6e-8);
    }
    let (a, b) = (Sample::of_rate(1_000, 100), Sample::of_rate(1_000, 130));
    let found = compare(&a, &b, 5_000).unwrap();
    near(found.difference.value, 0.03, 1e-12);
    near(found.difference.lower, -0.014_517_962_1, 1e-10);
    near((found.difference.upper - 0.03) / half_width(2_000.0, 5_000.0), 0.014_251_315_7, 1e-10);
    // The interval of a test that is looked at once.
    assert!(found.difference.lower < 0.002_050_8 && 0.057_949_2 < found.difference.upper);
    let (a, b) = (Sample::of_rate(20_000, 2_000), Sample::of_rate(20_000, 2_150));
    near(compare(&a, &b, 40_000).unwrap().evidence.p_value(), 0.204, 5e-4);
}

#[test]
fn money_has_the_intervals_of_the_vectors() {
    let sample = |people, mean, variance| Sample { people, converted: people / 10, mean, variance };
    let of = |people| compare(&sample(people, 12.0, 900.0), &sample(people, 13.5, 1_100.0), 5_000);
    let found = of(2_000).unwrap();
    near(found.difference.upper - 1.5, 3.040_373_7, 6e-8);
    near(found.evidence.p_value(), 1.0, 1e-12);
    let found = of(8_000).unwrap();
    near(found.difference.upper - 1.5, 1.551_570_0, 6e-8);
    near(found.difference.lower, -0.051_57, 6e-6);
    near(found.difference.upper, 3.051_57, 6e-6);
    near(found.evidence.log.exp(), 14.774_713_8, 6e-8);
    near(found.evidence.p_value(), 0.067_683_2, 6e-8);
}

#[test]
fn nothing_is_computed_for_few_people_and_where_nobody_differs() {
    let enough = Sample::of_rate(100, 5);
    assert!(compare(&enough, &enough, 1_000).is_some());
    for few in [Sample::of_rate(99, 50), Sample::of_rate(100, 4), Sample::of_rate(0, 0)] {
        assert_eq!(compare(&few, &enough, 1_000), None);
        assert_eq!(compare(&enough, &few, 1_000), None);
    }
    let all = Sample::of_rate(100, 100);
    assert_eq!(compare(&all, &all, 1_000), None);
}

#[test]
fn amounts_are_capped_and_people_without_an_order_count() {
    let raw = Sample::of_amounts(4, &[1_000, 9_000], None);
    assert_eq!((raw.people, raw.converted, raw.mean), (4, 2, 2_500.0));
    near(
        raw.variance,
        (1_500_f64.powi(2) + 6_500_f64.powi(2) + 2.0 * 2_500_f64.powi(2)) / 3.0,
        1e-6,
    );
    assert_eq!(Sample::of_amounts(4, &[1_000, 9_000], Some(3_000)).mean, 1_000.0);
    assert_eq!(Sample::of_amounts(0, &[], None).mean, 0.0);
    let month: Vec<i64> = (1..=200).rev().collect();
    assert_eq!(cap(&month), Some(198));
    assert_eq!(cap(&[]), None);
}

#[test]
fn the_planner_says_how_many_people_and_weeks() {
    let people = people_per_arm(0.05, 0.06).unwrap();
    assert_eq!((people.fixed, people.sequential), (8_155, 12_233));
    assert_eq!(people_per_arm(0.05, 0.05), None);
    assert_eq!(weeks(people.sequential, 2, 3_000), Some(9), "more than {WEEKS_MAX} is too long");
    assert_eq!(weeks(people.sequential, 2, 0), None);
}

fn comparison(lower: f64, upper: f64) -> Comparison {
    let value = f64::midpoint(lower, upper);
    Comparison { difference: Estimate { value, lower, upper }, evidence: EValue { log: 0.0 } }
}

#[test]
fn an_interval_reads_as_one_of_five_answers() {
    let read =
        |lower, upper| Reading::of(SampleRatio::Doubtful, Some(&comparison(lower, upper)), 0.01);
    assert_eq!(read(0.001, 0.03), Reading::Better);
    assert_eq!(read(-0.03, -0.001), Reading::Worse);
    assert_eq!(read(-0.009, 0.009), Reading::Equivalent);
    assert_eq!(read(-0.01, 0.009), Reading::Undecided);
    assert_eq!(read(-0.009, 0.01), Reading::Undecided);
    assert_eq!(read(0.001, 0.009), Reading::Better, "better by less than matters is better");
    assert_eq!(Reading::of(SampleRatio::AsPlanned, None, 0.01), Reading::Undecided);
    let broken = Reading::of(SampleRatio::Broken, Some(&comparison(0.1, 0.2)), 0.01);
    assert_eq!(broken, Reading::Invalid);
}

#[test]
fn a_guardrail_that_became_worse_stops_the_arm() {
    assert!(is_go(Reading::Better, &[Reading::Undecided, Reading::Equivalent]));
    let refunds = Reading::Better.where_less_is_better();
    assert!(!is_go(Reading::Better, &[Reading::Equivalent, refunds]));
    assert!(is_go(Reading::Better, &[Reading::Worse.where_less_is_better()]));
    for other in [Reading::Invalid, Reading::Equivalent, Reading::Undecided] {
        assert_eq!(other.where_less_is_better(), other);
        assert!(!is_go(other, &[]));
    }
}

#[test]
fn of_many_looks_those_beyond_luck_are_accepted() {
    let of = |values: &[f64]| {
        let looks: Vec<EValue> = values.iter().map(|one| EValue { log: one.ln() }).collect();
        discoveries(&looks, ALPHA)
    };
    // With 4 looks the strongest needs 80, the second 40, the third 27 and the fourth 20.
    assert_eq!(of(&[79.0, 1.0, 1.0, 1.0]), [false; 4]);
    assert_eq!(of(&[1.0, 81.0, 1.0, 39.0]), [false, true, false, false]);
    assert_eq!(of(&[41.0, 41.0, 26.0, 0.0]), [true, true, false, false]);
    assert_eq!(
        of(&[28.0, 28.0, 19.0, 28.0]),
        [true, true, false, true],
        "the third place lifts all"
    );
    assert_eq!(of(&[21.0; 4]), [true; 4]);
    assert_eq!(of(&[]), [false; 0]);
}

#[test]
fn a_holdout_draws_anew_with_each_version() {
    let units: Vec<String> = (0..10_000).map(|number| format!("p_{number}")).collect();
    let now = Holdout::of_all("2026-Q4", 500);
    let held = units.iter().filter(|unit| now.has(unit)).count();
    assert!((413..=587).contains(&held), "{held}, not 500 within 4 standard errors");
    for other in [Holdout::of_all("2027-Q1", 500), Holdout::of_campaign("autumn", "2026-Q4", 500)] {
        let both = units.iter().filter(|unit| now.has(unit) && other.has(unit)).count();
        assert!(both < 50, "{both}, and 25 are expected of {other:?}");
    }
}

#[test]
fn what_messages_caused_is_the_difference_for_all_who_got_them() {
    let (held, sent) = (Sample::of_rate(10_000, 600), Sample::of_rate(90_000, 7_200));
    let found = caused(&held, &sent, 100_000).unwrap();
    near(found.value, 1_800.0, 1e-6);
    assert!(found.is_clear() && found.upper - found.value - (found.value - found.lower) < 1e-6);
    let calibration = found.scaled(1.0 / 3_600.0);
    near(calibration.value, 0.5, 1e-9);
    assert_eq!(caused(&Sample::of_rate(50, 3), &sent, 100_000), None);
}

#[test]
fn a_holdout_is_as_wide_as_in_the_simulated_world() {
    // The table shows intervals that are looked at once, over channels that cause some of the orders of those who get messages.
    let once = 1.96 / half_width(1e6, 1e6);
    near(once, 0.645_8, 1e-4);
    let table = [
        (100_000, 730, 1_000, 0.23),
        (100_000, 730, 5_000, 0.14),
        (1_000_000, 7_300, 1_000, 0.07),
        (1_000_000, 7_300, 5_000, 0.045),
    ];
    for (people, orders, held, expected) in table {
        near(half_width_planned(people, orders, held).unwrap() * once, expected, 0.012);
    }
    for (people, orders, held) in
        [(0, 0, 500), (100, 0, 500), (100, 100, 500), (100, 5, 0), (100, 5, BUCKETS)]
    {
        assert_eq!(half_width_planned(people, orders, held), None);
    }
}
