//! The vector of the score, and the states over time. What holds for all acts stands in `tests/laws.rs`.

mod laws;

use jiff::{SignedDuration, Timestamp};

use super::decay::decayed;
use super::*;

fn rules() -> LeadRules {
    LeadRules::default()
}

/// A time in days after a fixed whole minute.
fn day(days: f64) -> Timestamp {
    Timestamp::from_second(1_700_000_040).unwrap() + SignedDuration::from_secs_f64(days * 86_400.0)
}

fn act(group: Group, millipoints: i64, on: f64) -> Act {
    Act { at: day(on), points: Points { group, millipoints, is_interest: true } }
}

fn score(acts: &[Act]) -> Score {
    let mut score = Score::default();
    acts.iter().for_each(|one| score.add(one, &rules()));
    score
}

#[test]
fn an_amount_is_half_after_each_half_life() {
    for (amount, age, half_life, expected) in [
        (1_000_000, 0, 7, 1_000_000),
        (1_000_000, 7, 7, 500_000),
        (1_000_000, 14, 7, 250_000),
        (1_000_000, 70, 7, 977),
        (-1_000_000, 7, 7, -500_000),
        (1_000_000_000, 1, 7, 905_723_664),
        (1_000_000_000, 6, 7, 552_044_757),
        (1_000_000_000, 1, 2, 707_106_781),
        (i64::MAX, 0, 1, i64::MAX),
        (i64::MAX, 1, 1, i64::MAX / 2 + 1),
        (i64::MAX, 63, 1, 1),
        (i64::MAX, 64, 1, 0),
        (i64::MAX, u64::MAX, 1, 0),
        (5, 1, u64::MAX, 5),
        (5, 1, 0, 0),
    ] {
        assert_eq!(decayed(amount, age, half_life), expected, "{amount} {age} {half_life}");
    }
}

#[test]
fn the_score_is_that_of_the_vector() {
    let acts = [
        act(Group::Browse, 1_000, -6.0),
        act(Group::Browse, 1_000, -6.0),
        act(Group::Browse, 500, -6.0),
        act(Group::Intent, 8_000, -5.0),
        act(Group::Intent, 15_000, -5.0),
        act(Group::Ask, 25_000, -2.0),
        act(Group::Ask, 25_000, -1.0),
        act(Group::Message, 5_000, 0.0),
    ];
    for (on, expected) in [
        (-6.0, 2_500),
        (-5.0, 25_264),
        (-2.0, 43_771),
        (0.0, 68_699),
        (7.0, 52_322),
        (30.0, 26_072),
        (60.0, 12_372),
    ] {
        let known: Vec<Act> = acts.iter().filter(|one| one.at <= day(on)).copied().collect();
        let found = score(&known).at(day(on), &rules());
        assert!((found - expected).abs() <= 1, "{on}: {found}, not {expected}");
    }
    let whole = score(&acts);
    let parts = [Group::Browse, Group::Intent, Group::Ask, Group::Message]
        .map(|group| whole.part(group, day(0.0), &rules()));
    assert_eq!(parts, [1_380, 14_019, 48_300, 5_000]);
    let below = whole.when(day(0.0), &rules(), |score| score < 40_000).unwrap();
    let minutes = below.duration_since(day(0.0)).as_mins();
    let expected = 15.0154_f64 * 24.0 * 60.0;
    #[expect(clippy::cast_precision_loss, reason = "some thousand minutes")]
    let off = minutes as f64 - expected;
    assert!((-1.0..=2.0).contains(&off), "{minutes} minutes, not {expected}");
}

#[test]
fn a_group_has_a_limit_and_a_score_has_one() {
    let many = |group, millipoints| vec![act(group, millipoints, 0.0); 100];
    let mut acts = many(Group::Browse, 1_000);
    assert_eq!(score(&acts).at(day(0.0), &rules()), 10_000);
    acts.extend(many(Group::Minus, -20_000));
    assert_eq!(score(&acts).at(day(0.0), &rules()), -30_000, "the floor is -40 points");
    acts.extend(many(Group::Intent, 15_000));
    acts.extend(many(Group::Ask, 30_000));
    acts.extend(many(Group::Message, 8_000));
    assert_eq!(score(&acts).at(day(0.0), &rules()), 85_000);
    acts.extend(many(Group::Relation, 10_000));
    let all: i64 = Group::ALL.iter().map(|one| score(&acts).part(*one, day(0.0), &rules())).sum();
    assert_eq!(all, 100_000);
    acts.retain(|one| one.points.group != Group::Minus);
    assert_eq!(score(&acts).at(day(0.0), &rules()), 100_000);
}

#[test]
fn points_below_zero_are_forgotten_too_so_a_score_may_rise() {
    let score = score(&[act(Group::Relation, 10_000, 0.0), act(Group::Minus, -20_000, 0.0)]);
    assert_eq!(score.at(day(0.0), &rules()), -10_000);
    let risen = score.when(day(0.0), &rules(), |score| score >= 0).unwrap();
    assert_eq!(risen.duration_since(day(0.0)).as_hours() / 24, 44, "where 2^(t/30 - t/90) is 2");
    assert_eq!(score.when(day(0.0), &rules(), |score| score >= 50_000), None);
}

#[test]
fn points_belong_to_a_name_and_to_what_it_is_about() {
    let found = |kind, about| points(kind, about).map(|one| (one.group, one.millipoints));
    assert_eq!(found("Product List Viewed", None), Some((Group::Browse, 500)));
    assert_eq!(found("Form Submitted", Some("lead")), Some((Group::Ask, 25_000)));
    assert_eq!(found("Form Submitted", Some("newsletter")), None);
    assert_eq!(found("Call Received", Some("sales")), Some((Group::Ask, 25_000)));
    assert_eq!(found("Call Received", Some("support")), None);
    assert_eq!(found("Call Made", Some("unanswered")), Some((Group::Minus, -2_000)));
    assert_eq!(found("Checkout Started", Some("anything")), Some((Group::Intent, 15_000)));
    assert_eq!(found("Email Opened", None), None);
    assert_eq!(found("Support Article Viewed", None), None);
}

#[test]
fn numbers_of_leads_that_cannot_be_used_are_refused() {
    let field = |change: &dyn Fn(&mut LeadRules)| {
        let mut rules = rules();
        change(&mut rules);
        rules.check().map_err(|bad| bad.field)
    };
    assert_eq!(field(&|_| ()), Ok(()));
    assert_eq!(field(&|rules| rules.groups.ask.half_life_days = 0), Err("ask"));
    assert_eq!(field(&|rules| rules.groups.intent.limit = -1), Err("intent"));
    assert_eq!(field(&|rules| rules.groups.minus.limit = 40_000), Err("minus"));
    assert_eq!(field(&|rules| rules.hot_days = 0), Err("hot_days"));
    assert_eq!(field(&|rules| rules.cold_days = 9_999), Err("cold_days"));
    assert_eq!(field(&|rules| rules.score_max = 0), Err("score_max"));
    assert_eq!(field(&|rules| rules.cold_below = 0), Err("cold_below"));
    assert_eq!(field(&|rules| rules.qualified.leaves = 30_000), Err("qualified"));
    assert_eq!(field(&|rules| rules.hot.enters = 100_001), Err("hot"));
    let low = Threshold { enters: 29_000, leaves: 10_000 };
    assert_eq!(field(&|rules| rules.hot = low), Err("hot"));
}

fn deed(on: f64, what: What) -> Deed {
    Deed { at: day(on), what }
}

/// An act of the table.
fn did(on: f64, kind: &str) -> Deed {
    let about = match kind {
        "Form Submitted" => Some("lead"),
        "Call Received" => Some("sales"),
        _ => None,
    };
    deed(on, What::Act { kind: kind.to_owned(), points: points(kind, about) })
}

/// The changes as `day from>to`.
fn told(deeds: &[Deed], until: f64) -> Vec<String> {
    let tell = |one: &LeadChange| {
        let hours = one.at.duration_since(day(0.0)).as_hours();
        format!("{} {}>{}", hours.div_euclid(24), one.from.word(), one.to.word())
    };
    Lead::of(deeds, day(until), &rules()).changes.iter().map(tell).collect()
}

#[test]
fn interest_makes_a_lead_of_somebody_whom_the_shop_can_recognize() {
    let wishes = [did(1.0, "Product Added to Wishlist"), deed(2.0, What::Identified)];
    assert_eq!(told(&wishes[..1], 5.0), [""; 0]);
    assert_eq!(told(&wishes, 5.0), ["2 none>lead"]);
    let viewed = [deed(0.0, What::Identified), did(1.0, "Product Viewed")];
    assert_eq!(told(&viewed, 5.0), [""; 0], "a view is no interest");
}

#[test]
fn a_lead_is_qualified_and_hot_until_the_score_has_fallen_well_below() {
    let deeds = [
        deed(0.0, What::Identified),
        deed(0.0, What::Reachable),
        did(0.0, "Form Submitted"),
        did(1.0, "Callback Requested"),
        did(2.0, "Checkout Started"),
        did(15.0, "Email Link Clicked"),
    ];
    // 54.4 points on day 1, and 68.2 on day 2. Below 40 from day 21.2 on, below 20 from day 47.0 on, below 5 from day 104.8 on.
    let all = told(&deeds, 200.0);
    assert_eq!(
        all,
        [
            "0 none>lead",
            "1 lead>qualified",
            "2 qualified>hot",
            "21 hot>qualified",
            "47 qualified>lead",
            "194 lead>cold"
        ]
    );
}

#[test]
fn somebody_hot_who_does_nothing_for_two_weeks_is_qualified() {
    let mut deeds = vec![deed(0.0, What::Identified), deed(0.0, What::Reachable)];
    for kind in ["Form Submitted", "Callback Requested", "Appointment Booked", "Checkout Started"] {
        deeds.push(did(0.0, kind));
    }
    let all = told(&deeds, 20.0);
    assert_eq!(all, ["0 none>lead", "0 lead>qualified", "0 qualified>hot", "14 hot>qualified"]);
    // A look at the site is a touchpoint, and no question.
    let looked = deed(10.0, What::Act { kind: "page".to_owned(), points: None });
    deeds.push(looked);
    assert_eq!(told(&deeds, 20.0), ["0 none>lead", "0 lead>qualified", "0 qualified>hot"]);
}

#[test]
fn nobody_is_hot_who_cannot_be_reached_and_nobody_qualified_who_does_not_fit() {
    let acts = [
        deed(0.0, What::Identified),
        did(0.0, "Form Submitted"),
        did(0.0, "Callback Requested"),
        did(0.0, "Checkout Started"),
    ];
    assert_eq!(told(&acts, 1.0), ["0 none>lead", "0 lead>qualified"]);
    let mut reached = acts.to_vec();
    reached.push(deed(1.0, What::Reachable));
    assert_eq!(told(&reached, 2.0)[2], "1 qualified>hot");
    reached.push(deed(1.0, What::Unreachable));
    assert_eq!(told(&reached, 2.0).len(), 2, "of two things at once the withdrawal counts");
    let mut unfit = acts.to_vec();
    unfit.push(deed(0.0, What::Fits(Fit::C)));
    assert_eq!(told(&unfit, 1.0), ["0 none>lead"]);
}

#[test]
fn a_coregistration_is_a_lead_as_soon_as_the_person_acts() {
    let declared = [deed(0.0, What::Declared), deed(0.0, What::Identified)];
    assert_eq!(told(&declared, 300.0), ["0 none>coregistro"]);
    let mut acted = declared.to_vec();
    acted.push(deed(3.0, What::Act { kind: "page".to_owned(), points: None }));
    assert_eq!(told(&acted, 10.0), ["0 none>coregistro", "3 coregistro>lead"]);
    let mut bounced = declared.to_vec();
    bounced.push(did(3.0, "Email Bounced"));
    assert_eq!(told(&bounced, 10.0), ["0 none>coregistro"]);
}

#[test]
fn a_lead_cools_down_after_a_low_score_of_ninety_days_and_warms_up_again() {
    let mut deeds = vec![deed(0.0, What::Identified), did(0.0, "Product Added to Wishlist")];
    assert_eq!(told(&deeds, 89.9), ["0 none>lead"], "four points are few from the beginning");
    assert_eq!(told(&deeds, 90.0), ["0 none>lead", "90 lead>cold"]);
    deeds.push(did(100.0, "Product Added"));
    assert_eq!(told(&deeds, 150.0), ["0 none>lead", "90 lead>cold", "100 cold>lead"]);
}

#[test]
fn somebody_lost_comes_back_by_an_act_of_their_own() {
    let mut deeds = vec![
        deed(0.0, What::Identified),
        did(0.0, "Live Chat Conversation Started"),
        did(5.0, "Unsubscribed"),
        deed(5.0, What::Lost),
        did(6.0, "Email Marked as Spam"),
    ];
    assert_eq!(told(&deeds, 10.0), ["0 none>lead", "5 lead>lost"]);
    deeds.push(did(9.0, "Product Viewed"));
    assert_eq!(told(&deeds, 10.0), ["0 none>lead", "5 lead>lost", "9 lost>lead"]);
}

#[test]
fn a_customer_is_no_lead_any_more() {
    let deeds = [
        deed(0.0, What::Identified),
        did(0.0, "Callback Requested"),
        deed(1.0, What::Ordered),
        did(2.0, "Callback Requested"),
        deed(3.0, What::Lost),
    ];
    let found = Lead::of(&deeds, day(400.0), &rules());
    let told: Vec<_> = found.changes.iter().map(|one| one.to.word()).collect();
    assert_eq!(told, ["lead", "qualified", "customer"]);
    assert_eq!((found.state, found.next_look), (LeadState::Customer, None));
}

#[test]
fn a_change_has_its_three_strongest_reasons() {
    let deeds = [
        deed(0.0, What::Identified),
        did(0.0, "Product Viewed"),
        did(0.0, "Checkout Started"),
        did(8.0, "Email Bounced"),
        did(8.0, "Product Added"),
        did(9.0, "Form Submitted"),
        did(10.0, "Appointment Booked"),
    ];
    let found = Lead::of(&deeds, day(10.0), &rules());
    let change = found.changes.last().unwrap();
    assert_eq!(change.to, LeadState::Qualified);
    let reasons: Vec<_> =
        change.reasons.iter().map(|one| (one.kind.as_str(), one.millipoints)).collect();
    assert_eq!(
        reasons,
        [("Appointment Booked", 30_000), ("Form Submitted", 25_000), ("Product Added", 8_000)],
        "of the checkout ten days ago less is left than of the cart"
    );
    assert_eq!(change.score, found.score.at(day(10.0), &rules()));
    assert_eq!(change.fit, Fit::B);
}
