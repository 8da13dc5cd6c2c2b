//! Tools that name categories, with the states that each of them writes.

use super::*;

#[test]
fn a_tool_counts_once_the_visitor_chose() {
    let yes = json!([["statistics", true], ["marketing", true]]);
    for made in
        [json!(false), json!(null), json!("IMPLICIT"), json!("implied"), json!("shown"), json!(1)]
    {
        let told = json!({ "made": made, "categories": yes });
        assert_eq!(alone("cookiebot", told), WAITS, "{made}");
    }
    for made in [json!(true), json!("EXPLICIT"), json!("dismissed")] {
        let told = json!({ "made": made, "categories": yes });
        assert_eq!(alone("cookiebot", told), [Silent, Granted, Silent, Granted, Silent], "{made}");
    }
    assert_eq!(
        alone("didomi", json!({ "applies": false, "made": true, "categories": yes })),
        QUIET
    );
}

#[test]
fn a_tool_that_asks_for_objections_only_denies_and_grants_nothing() {
    let told = |opt_out: bool| json!({ "made": true, "optOut": opt_out, "categories": [["statistics", true], ["marketing", false]] });
    assert_eq!(alone("complianz", told(true)), [Silent, Silent, Silent, Denied, Silent]);
    assert_eq!(alone("complianz", told(false)), [Silent, Granted, Silent, Denied, Silent]);
}

fn check(name: &str, categories: &Value, expected: [Answer; 5]) {
    let told = json!({ "made": true, "categories": categories });
    assert_eq!(alone(name, told), expected, "{name} {categories}");
}

#[test]
fn the_categories_of_tools_with_many_have_their_purposes() {
    for (name, categories, expected) in [
        (
            "onetrust",
            json!([["C0001", true], ["C0002", true], ["C0003", false], ["C0004", true]]),
            [Denied, Granted, Silent, Granted, Silent],
        ),
        (
            "onetrust",
            json!([["C0004", true], ["C0005", false]]),
            [Silent, Silent, Silent, Denied, Silent],
        ),
        (
            "cookiebot",
            json!([["preferences", true], ["statistics", false], ["marketing", true]]),
            [Granted, Denied, Silent, Granted, Silent],
        ),
        (
            "usercentrics",
            json!([
                ["essential", "ALL_ACCEPTED"],
                ["functional", "SOME_ACCEPTED"],
                ["marketing", "ALL_ACCEPTED"]
            ]),
            [Denied, Silent, Silent, Granted, Silent],
        ),
        (
            "usercentrics",
            json!([["marketing", true], ["marketing", false], ["statistics", true]]),
            [Silent, Granted, Silent, Denied, Silent],
        ),
        (
            "didomi",
            json!([
                ["measure_content_performance", true],
                ["select_basic_ads", true],
                ["create_ads_profile", false]
            ]),
            [Silent, Granted, Silent, Denied, Silent],
        ),
    ] {
        check(name, &categories, expected);
    }
}

#[test]
fn the_categories_of_tools_with_few_have_their_purposes() {
    for (name, categories, expected) in [
        (
            "cookieyes",
            json!([
                ["necessary", true],
                ["analytics", true],
                ["performance", false],
                ["advertisement", true]
            ]),
            [Silent, Denied, Silent, Granted, Silent],
        ),
        (
            "wp",
            json!([["statistics", "allow"], ["marketing", "deny"], ["preferences", ""]]),
            [Pending, Granted, Silent, Denied, Silent],
        ),
        (
            "iubenda",
            json!([["1", true], ["4", true], ["5", false]]),
            [Silent, Granted, Silent, Denied, Silent],
        ),
        (
            "shopify",
            json!([
                ["analytics", "yes"],
                ["marketing", "no"],
                ["preferences", ""],
                ["sale_of_data", null]
            ]),
            [Pending, Granted, Silent, Denied, Pending],
        ),
        (
            "shopify",
            json!([["analytics", true], ["marketing", false]]),
            [Silent, Granted, Silent, Denied, Silent],
        ),
        (
            "cookiefirst",
            json!([["functional", true], ["performance", true], ["advertising", false]]),
            [Granted, Granted, Silent, Denied, Silent],
        ),
    ] {
        check(name, &categories, expected);
    }
}

#[test]
fn the_site_maps_categories_and_an_unmapped_one_grants_nothing_and_is_named_once() {
    let categories = "c0007\tadvertising sale_share\nC0002\tfunctional".to_owned();
    let mut signals = Signals::new(Settings { categories, ..Settings::default() });
    let told =
        json!({ "made": true, "categories": [["C0007", true], ["C0002", true], ["C0666", true]] });
    let expected = [Granted, Silent, Silent, Granted, Granted];
    assert_eq!(heard(&mut signals, "onetrust", told.clone()), expected);
    assert_eq!(signals.take_unknown(), "C0666");
    assert_eq!(heard(&mut signals, "onetrust", told), expected);
    assert_eq!(signals.take_unknown(), "");
}
