//! What every rule and every document keep: no panic, the same result twice, bounded fields, and no more work than rules times document.

use std::ops::ControlFlow;

use hilo_core::mapping::{
    Applied, Cast, Clock, Condition, Conditions, CurrencyOf, EACH_MAX, Edits, FIELDS_BYTES_MAX,
    Input, Path, Reading, Rule, Side, Test, Unit, apply,
};
use hilo_core::money::Currency;
use hilo_core::phone::{Market, e164};
use hilo_core::testing::{any_json, any_text};
use hilo_tests::mapping::rules;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Number, Value};

/// Paths that lead somewhere often: the generator's keys are short.
fn any_path() -> impl Strategy<Value = Path> {
    let step = prop_oneof![
        3 => "[.][a-z]{1,2}",
        2 => Just("[*]".to_owned()),
        1 => "\\[-?[1-3]\\]",
        1 => Just("[?@.a == 1]".to_owned()),
        1 => Just("['type']".to_owned()),
    ];
    vec(step, 0..6)
        .prop_filter_map("no path", |steps| Path::parse(&format!("${}", steps.concat())).ok())
}

fn any_cast() -> impl Strategy<Value = Cast> {
    let euro = Currency::parse("EUR");
    prop_oneof![
        Just(Cast::Text),
        Just(Cast::Int),
        Just(Cast::Bool),
        Just(Cast::Decimal),
        Just(Cast::Email),
        Just(Cast::Lower),
        Just(Cast::Digits),
        Just(Cast::Url),
        Just(Cast::Country),
        Just(Cast::Time(Clock::Milliseconds)),
        Just(Cast::Time(Clock::Iso)),
        Just(Cast::Phone(Market::of("ES"))),
        any_path().prop_map(|path| Cast::Money(Unit::Minor, CurrencyOf::At(path))),
        Just(euro).prop_filter_map("a currency", |it| Some(Cast::Money(
            Unit::Major,
            CurrencyOf::Fixed(it?)
        ))),
    ]
}

fn any_reading() -> impl Strategy<Value = Reading> {
    let input = prop_oneof![
        any_json().prop_map(Input::Fixed),
        vec(any_path(), 1..4).prop_map(Input::First),
        (vec(any_path(), 1..4), any_text()).prop_map(|(paths, with)| Input::Join(paths, with)),
        (any_path(), any_path(), 1..EACH_MAX)
            .prop_map(|(list, path, max)| Input::Each(list, path, max)),
    ];
    (input, proptest::option::of(any_cast()), proptest::option::of(any_json())).prop_map(
        |(input, cast, otherwise)| Reading {
            input,
            edits: Edits::default(),
            cast,
            table: Vec::new(),
            otherwise,
        },
    )
}

fn any_condition() -> impl Strategy<Value = Condition> {
    let test = prop_oneof![
        any_json().prop_map(Test::Equal),
        any_json().prop_map(Test::Unequal),
        vec(any_json(), 0..3).prop_map(Test::In),
        Just(Test::Exists),
        Just(Test::Absent),
        any::<i64>().prop_map(|than| Test::Is(Side::AtLeast, Number::from(than))),
        any_text().prop_map(Test::StartsWith),
        any_text().prop_map(Test::Contains),
    ];
    (any_path(), test).prop_map(|(path, test)| Condition { path, test })
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let when = (vec(any_condition(), 0..2), vec(any_condition(), 0..2))
        .prop_map(|(all, any)| Conditions { all, any });
    let fields = vec(("[a-z]{1,4}", any_reading()), 0..4);
    (when, prop::bool::weighted(0.1), proptest::option::of(any_text()), fields, any::<bool>())
        .prop_map(|(when, drops, name, fields, stops)| Rule { when, drops, name, fields, stops })
}

/// The nodes of a document, itself included.
fn nodes(value: &Value) -> usize {
    let list = value.as_array().into_iter().flatten();
    let members = value.as_object().into_iter().flat_map(|object| object.values());
    1 + list.chain(members).map(nodes).sum::<usize>()
}

proptest! {
    #[test]
    fn rules_over_any_document_end_and_their_fields_are_bounded(rules in vec(any_rule(), 0..3), document in any_json()) {
        let applied = apply(&rules, &document);
        prop_assert_eq!(&apply(&rules, &document), &applied);
        if let Applied::Mapped { fields, .. } = applied {
            let fixed: usize = rules.iter().flat_map(|rule| &rule.fields).map(|(_, reading)| {
                reading.otherwise.as_ref().map_or(0, |value| value.to_string().len())
            }).sum();
            // JSON escapes a character by six at most.
            prop_assert!(Value::Object(fields).to_string().len() <= 6 * FIELDS_BYTES_MAX + fixed);
        }
    }

    #[test]
    fn a_path_leads_to_each_node_once_at_most(path in any_path(), document in any_json()) {
        let mut found = 0;
        let _ = path.visit(&document, &mut |_| {
            found += 1;
            ControlFlow::Continue(())
        });
        prop_assert!(found <= nodes(&document));
        prop_assert_eq!(path.first(&document).is_some(), found > 0);
    }

    #[test]
    fn any_text_is_a_path_or_a_mistake_inside_it(text in any_text(), rest in "[$.\\[\\]*?@='a1 -]{0,20}") {
        for text in [text, format!("${rest}")] {
            if let Err(unread) = Path::parse(&text) {
                prop_assert!(text.is_char_boundary(unread.at), "{text} {unread:?}");
            }
        }
    }

    #[test]
    fn any_toml_is_rules_or_problems(path in any_text(), name in any_text(), value in any_text()) {
        let [path, name, value] = [path, name, value].map(toml_text);
        let _ = rules(&format!(
            "[[destination.map]]\nwhen = {{ path = {path}, {name} = {value} }}\nevent = {value}\n[destination.map.fields]\n{name} = {path}\n"
        ));
    }

    #[test]
    fn a_telephone_number_is_a_plus_and_at_most_15_digits(text in any_text(), digits in "[+0-9() -]{0,24}") {
        for market in std::iter::once(None).chain(Market::countries().map(Market::of)) {
            for text in [&text, &digits] {
                if let Some(number) = e164(text, market) {
                    let behind = number.strip_prefix('+').unwrap_or_default();
                    prop_assert!((7..=15).contains(&behind.len()) && behind.bytes().all(|b| b.is_ascii_digit()));
                    prop_assert_eq!(e164(&number, None), Some(number.clone()), "written once more");
                }
            }
        }
    }
}

/// A text as TOML writes it: JSON's escapes are among TOML's.
fn toml_text(text: String) -> String {
    Value::from(text.replace('\u{7f}', "")).to_string()
}
