//! Groups by revenue; recency, frequency and money; the lifecycle.

use jiff::ToSpan as _;

use super::*;

#[test]
fn customers_are_cut_at_one_five_and_twenty_percent() {
    let revenues: Vec<i64> = (1..=1_000).collect();
    let cuts = GroupCuts::of(&revenues).unwrap();
    let count = |group| revenues.iter().filter(|one| cuts.group(**one) == group).count();
    let sizes = [Group::Top, Group::Large, Group::Medium, Group::Small].map(count);
    assert_eq!(sizes, [10, 40, 150, 800]);
    assert_eq!(cuts.group(0).word(), "pequenos");
}

#[test]
fn equal_revenues_are_in_the_higher_group_together() {
    let mut revenues = vec![100; 50];
    revenues.extend([900, 900, 900]);
    let cuts = GroupCuts::of(&revenues).unwrap();
    assert_eq!(cuts, GroupCuts { top: 900, large: 900, medium: 100 });
    assert_eq!(cuts.group(900), Group::Top);
    assert_eq!(cuts.group(100), Group::Medium);
    assert_eq!(GroupCuts::of(&[70]).map(|cuts| cuts.group(70)), Some(Group::Top));
    assert_eq!(GroupCuts::of(&[]), None);
}

/// 250 customers, of whom a hundred have equal figures.
fn customers() -> Vec<Customer> {
    let one = |at: i64| {
        let rank = if (100..200).contains(&at) { 100 } else { at };
        Customer { recency_days: 700 - 2 * rank, orders: 1, net: 1_000 + 10 * rank }
    };
    (0..250).map(one).collect()
}

#[test]
fn a_score_is_the_share_of_customers_who_are_worse() {
    let customers = customers();
    let (cuts, rules) = (RfmCuts::of(&customers).unwrap(), RfmRules::default());
    for one in &customers {
        let share = |is_worse: &dyn Fn(&Customer) -> bool| {
            let worse = customers.iter().filter(|other| is_worse(other)).count();
            u8::try_from((1 + 5 * worse / customers.len()).min(5)).unwrap()
        };
        let scores = cuts.scores(one, &rules);
        assert_eq!(scores.recency, share(&|other| other.recency_days > one.recency_days));
        assert_eq!(scores.monetary, share(&|other| other.net < one.net));
        assert_eq!(scores.frequency, 1);
    }
    let best = Customer { recency_days: 0, orders: 8, net: 1_000_000 };
    let worst = Customer { recency_days: 730, orders: 1, net: 0 };
    let (best, worst) = (cuts.scores(&best, &rules), cuts.scores(&worst, &rules));
    assert_eq!((best.recency, best.frequency, best.monetary), (5, 5, 5));
    assert_eq!((worst.recency, worst.frequency, worst.monetary), (1, 1, 1));
    assert_eq!(best.segment(), RfmSegment::Champion);
    assert_eq!(worst.segment(), RfmSegment::Hibernating);
}

#[test]
fn too_few_customers_are_not_ranked() {
    assert_eq!(RfmCuts::of(&customers()[..CUSTOMERS_MIN - 1]), None);
    assert!(RfmCuts::of(&customers()[..CUSTOMERS_MIN]).is_some());
}

#[test]
fn frequency_goes_by_fixed_steps() {
    let cuts = RfmCuts::of(&customers()).unwrap();
    let score = |orders| {
        let customer = Customer { recency_days: 10, orders, net: 1 };
        cuts.scores(&customer, &RfmRules::default()).frequency
    };
    assert_eq!([1, 2, 3, 4, 5, 7, 8, 100].map(score), [1, 2, 3, 3, 4, 4, 5, 5]);
}

#[test]
fn every_cell_of_the_grid_has_its_name() {
    let grid = [
        (5, ["nuevo", "prometedor", "leal", "campeon", "campeon"]),
        (4, ["nuevo", "prometedor", "leal", "campeon", "campeon"]),
        (3, ["necesita_atencion", "necesita_atencion", "leal", "leal", "leal"]),
        (2, ["a_punto_de_dormirse", "a_punto_de_dormirse", "en_riesgo", "en_riesgo", "en_riesgo"]),
        (1, ["hibernando", "hibernando", "en_riesgo", "no_perder", "no_perder"]),
    ];
    for (recency, words) in grid {
        let cell = |fm: u8| Rfm { recency, frequency: fm, monetary: fm }.segment().word();
        assert_eq!([1, 2, 3, 4, 5].map(cell), words, "{recency}");
    }
    let fm = |frequency, monetary| Rfm { recency: 1, frequency, monetary }.fm();
    assert_eq!([fm(1, 1), fm(1, 2), fm(1, 4), fm(5, 4), fm(5, 5), fm(2, 5)], [1, 2, 3, 5, 5, 4]);
}

#[test]
fn the_figures_of_a_customer_are_those_of_two_years() {
    let history = bought(&[
        ("2024-06-30", 1_000, &[]),
        ("2024-07-01", 2_000, &[]),
        ("2026-05-01", 4_000, &[("2026-05-20", 500)]),
        ("2026-06-01", 800, &[("2026-06-03", 800)]),
    ]);
    let on = day("2026-06-30");
    let found = RfmRules::default().purchases(&history, on, Basis::Happened).unwrap();
    let net = found.net.of(euros(0).currency);
    let customer = Customer::of(&found, net, on);
    assert_eq!(customer, Customer { recency_days: 60, orders: 2, net: 5_500 });
    let later = day("2028-06-30");
    assert_eq!(RfmRules::default().purchases(&history, later, Basis::Happened), None);
}

#[test]
fn numbers_of_scores_that_cannot_be_used_are_refused() {
    let usual = RfmRules::default();
    let field = |rules: RfmRules| rules.check().map_err(|bad| bad.field);
    assert_eq!(field(usual), Ok(()));
    assert_eq!(field(RfmRules { months: 0, ..usual }), Err("months"));
    for steps in [[2, 3, 4, 5, 6], [1, 2, 2, 3, 4], [1, 3, 2, 4, 5]] {
        assert_eq!(field(RfmRules { frequency_steps: steps, ..usual }), Err("frequency_steps"));
    }
}

#[track_caller]
fn check_lifecycle(orders: &[&str], expected: &[(&str, Lifecycle)]) {
    let days: Vec<Date> = orders.iter().map(|on| day(on)).collect();
    for (on, state) in expected {
        assert_eq!(lifecycle(&days, day(on), &LifecycleRules::default()), Some(*state), "{on}");
    }
}

#[test]
fn a_customer_with_one_order_is_new_then_single_then_at_risk_then_lost() {
    check_lifecycle(
        &["2026-01-01"],
        &[
            ("2026-01-01", Lifecycle::First),
            ("2026-01-31", Lifecycle::First),
            ("2026-02-01", Lifecycle::Single),
            ("2026-04-01", Lifecycle::Single),
            ("2026-04-02", Lifecycle::AtRisk),
            ("2026-06-30", Lifecycle::AtRisk),
            ("2026-07-01", Lifecycle::Lost),
        ],
    );
    assert_eq!(lifecycle(&[], day("2026-01-01"), &LifecycleRules::default()), None);
    let future = [day("2026-01-02")];
    assert_eq!(lifecycle(&future, day("2026-01-01"), &LifecycleRules::default()), None);
}

#[test]
fn a_customer_who_was_lost_and_orders_again_is_recovered_for_a_month() {
    check_lifecycle(
        &["2026-01-01", "2026-07-02"],
        &[
            ("2026-07-01", Lifecycle::Lost),
            ("2026-07-02", Lifecycle::Recovered),
            ("2026-08-01", Lifecycle::Recovered),
            ("2026-08-02", Lifecycle::Repeat),
            ("2026-09-30", Lifecycle::Repeat),
            ("2026-10-01", Lifecycle::AtRisk),
        ],
    );
    // The day before the second order was the last one of the risk.
    check_lifecycle(&["2026-01-01", "2026-07-01"], &[("2026-07-01", Lifecycle::Repeat)]);
}

#[test]
fn an_order_that_was_sent_back_is_no_part_of_the_lifecycle() {
    let history = bought(&[
        ("2026-04-20", 900, &[]),
        ("2026-01-01", 1_000, &[]),
        ("2026-06-01", 800, &[("2026-06-10", 800)]),
    ]);
    let state = |on| {
        let days = history.counted_days(day(on), Basis::Happened);
        lifecycle(&days, day(on), &LifecycleRules::default())
    };
    assert_eq!(state("2026-06-09"), Some(Lifecycle::Repeat));
    assert_eq!(state("2026-07-19"), Some(Lifecycle::Repeat), "ninety days after the one of April");
    assert_eq!(state("2026-07-20"), Some(Lifecycle::AtRisk));
    let mut gaps = Gaps::default();
    gaps.add(&history.counted_days(day("2027-12-31"), Basis::Happened), day("2027-12-31"));
    assert_eq!((gaps.count(), gaps.no_repeats()), (1, 1));
}

#[test]
fn percentiles_use_gaps_that_had_a_year_to_end() {
    let today = day("2026-11-30");
    let mut gaps = Gaps::default();
    let begin = day("2025-01-01");
    for gap in 1..=200_i64 {
        gaps.add(&[begin, begin.saturating_add(gap.days())], today);
    }
    assert_eq!((gaps.count(), gaps.no_repeats()), (200, 200), "each second order is a year old");
    assert_eq!(gaps.lapse(), Lapse { at_risk_days: 150, lapsed_days: 190 });
    // A gap that began too late, one of more than a year, one that has not ended.
    let before = gaps.clone();
    gaps.add(&[day("2025-12-01"), day("2025-12-02")], today);
    assert_eq!(gaps, before);
    gaps.add(&[day("2024-01-01"), day("2025-01-02")], today);
    gaps.add(&[day("2024-01-01")], today);
    assert_eq!((gaps.count(), gaps.no_repeats()), (200, 203));
}

#[test]
fn the_usual_days_count_while_there_are_too_few_gaps() {
    let mut gaps = Gaps::default();
    for _ in 1..GAPS_MIN {
        gaps.add(&[day("2024-01-01"), day("2024-01-08")], day("2026-01-01"));
    }
    assert_eq!(gaps.lapse(), Lapse { at_risk_days: 90, lapsed_days: 180 });
    gaps.add(&[day("2024-01-01"), day("2024-01-08")], day("2026-01-01"));
    assert_eq!(gaps.lapse(), Lapse { at_risk_days: 7, lapsed_days: 7 });
    let field = |lapse: Lapse| lapse.check().map_err(|bad| bad.field);
    assert_eq!(field(gaps.lapse()), Ok(()));
    assert_eq!(field(Lapse { at_risk_days: 0, lapsed_days: 7 }), Err("at_risk_days"));
    assert_eq!(field(Lapse { at_risk_days: 8, lapsed_days: 7 }), Err("lapsed_days"));
    let rules = LifecycleRules { onboarding_days: 0, lapse: gaps.lapse() };
    assert_eq!(rules.check().map_err(|bad| bad.field), Err("onboarding_days"));
}
