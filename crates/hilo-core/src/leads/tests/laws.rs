//! What holds for all acts and deeds.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn some_act() -> impl Strategy<Value = Act> {
    let group = proptest::sample::select(Group::ALL.to_vec());
    (group, 1..40_000_i64, 0..8_640_000_i64).prop_map(|(group, points, seconds)| {
        let millipoints = if group == Group::Minus { -points } else { points };
        let at = day(0.0) + SignedDuration::from_secs(seconds);
        Act { at, points: Points { group, millipoints, is_interest: false } }
    })
}

/// Deeds at whole hours of a hundred days.
fn some_deeds() -> impl Strategy<Value = Vec<Deed>> {
    let kinds = ["Product Viewed", "Checkout Started", "Form Submitted", "Callback Requested"];
    let act = proptest::sample::select(kinds.to_vec()).prop_map(|kind| did(0.0, kind).what);
    let known = proptest::sample::select(vec![
        What::Identified,
        What::Reachable,
        What::Unreachable,
        What::Fits(Fit::C),
        What::Fits(Fit::A),
        What::Declared,
        What::Lost,
    ]);
    let what = prop_oneof![3 => act, 1 => known];
    let one = (0..2_400_i32, what).prop_map(|(hour, what)| deed(f64::from(hour) / 24.0, what));
    vec(one, 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_acts_does_not_change_a_score_by_more_than_a_millipoint_of_each_group(
        acts in vec(some_act(), 1..60),
        seed in any::<u64>(),
    ) {
        let mut shuffled = acts.clone();
        shuffled.sort_by_key(|one| one.at.as_second().unsigned_abs().wrapping_mul(seed | 1));
        let at = day(100.0);
        for group in Group::ALL {
            let part = |acts: &[Act]| score(acts).part(group, at, &rules());
            prop_assert!((part(&acts) - part(&shuffled)).abs() <= 1);
        }
    }

    #[test]
    fn a_score_is_that_of_the_formula(acts in vec(some_act(), 1..60)) {
        let at = day(100.0);
        for group in Group::ALL {
            let GroupRules { half_life_days, limit } = *rules().groups.of(group);
            let left = |one: &Act| {
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let millipoints = one.points.millipoints as f64;
                let age = at.duration_since(one.at).as_secs_f64() / 86_400.0;
                millipoints * (-age / f64::from(half_life_days)).exp2()
            };
            let sum: f64 = acts.iter().filter(|one| one.points.group == group).map(left).sum();
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let limit = limit as f64;
            let expected = if limit < 0.0 { sum.max(limit) } else { sum.min(limit) };
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let found = score(&acts).part(group, at, &rules()) as f64;
            prop_assert!((found - expected).abs() <= 0.51, "{} {}", found, expected);
        }
    }

    #[test]
    fn the_order_of_deeds_does_not_matter(deeds in some_deeds()) {
        let mut turned = deeds.clone();
        turned.reverse();
        let until = day(200.0);
        prop_assert_eq!(Lead::of(&turned, until, &rules()), Lead::of(&deeds, until, &rules()));
    }

    #[test]
    fn a_state_of_an_instant_is_that_of_the_whole_story(deeds in some_deeds(), hours in vec(0..6_000_i32, 8)) {
        let whole = Lead::of(&deeds, day(300.0), &rules());
        let mut state = LeadState::None;
        for change in &whole.changes {
            prop_assert_eq!(change.from, state, "each change begins where the one before ends");
            state = change.to;
        }
        prop_assert!(whole.changes.is_sorted_by_key(|one| one.at));
        for hour in hours {
            let at = day(f64::from(hour) / 24.0);
            let part = Lead::of(&deeds, at, &rules());
            let told: Vec<_> = whole.changes.iter().filter(|one| one.at <= at).cloned().collect();
            prop_assert_eq!(&part.changes, &told);
            prop_assert_eq!(part.state, told.last().map_or(LeadState::None, |one| one.to));
            let next = whole.changes.iter().map(|one| one.at).find(|next| *next > at);
            let is_alone = deeds.iter().all(|deed| deed.at <= at);
            if let (true, Some(next)) = (is_alone, next) {
                prop_assert!(part.next_look.is_some_and(|look| look <= next));
            }
        }
    }

    #[test]
    fn looking_more_often_changes_nothing(deeds in some_deeds()) {
        let until = day(220.0);
        let mut looked_at = deeds.clone();
        // Whoever is identified once more is looked at, and nothing else happens.
        let first = deeds.iter().filter(|one| one.what == What::Identified).map(|one| one.at).min();
        let hours = |first| (0..1_000).map(move |at| first + SignedDuration::from_hours(5 * at));
        let hours = first.into_iter().flat_map(hours);
        looked_at.extend(hours.map(|at| Deed { at, what: What::Identified }));
        let often = Lead::of(&looked_at, until, &rules());
        prop_assert_eq!(often.changes, Lead::of(&deeds, until, &rules()).changes);
    }
}
