//! The examples of `docs/mapping.md` and `docs/inbound.md`: rules, a document or a call, and what comes out; and the list of presets.
//!
//! Each block of TOML is followed by a block of JSON with the document and one with the result. Together they show every word of the form.

use hilo_core::inbound::presets::ALL;
use hilo_tests::mapping::{applied, called, inbound, rules};
use serde_json::Value;

use crate::facts::stale;

const PAGE: &str = include_str!("../../crates/hilo-collector/docs/mapping.md");
const CALLS: &str = include_str!("../../crates/hilo-collector/docs/inbound.md");
/// Every word that a rule may have.
const WORDS: &str = "when also any drop event fields stop path first join with value each max as unit currency \
    default_country zone except strip prefix table else eq ne in exists absent gt ge lt le starts_with contains says";
/// Every word of the rules about calls, beside those.
const WORDS_OF_CALLS: &str = "each orders event properties traits optin channel state text id time user locale campaign \
    required fields drop stop when user_id anonymous_id email phone order_id loyalty_id json_field timezone default_country currency";
/// What `as` may be.
const CASTS: &str = "text int bool decimal money time phone email lower upper digits url link duration length country";

/// The fenced blocks of a page, each with its language.
fn blocks(page: &'static str) -> Vec<(&'static str, &'static str)> {
    let fenced = page.split("```").skip(1).step_by(2);
    fenced.filter_map(|block| block.split_once('\n')).collect()
}

/// Compares each result of a page with what `make` makes of the rules and the document before it.
#[track_caller]
#[expect(clippy::panic, reason = "the helper of a test may assert the short way")]
fn check_examples(page: &'static str, make: fn(&str, &Value) -> Result<Value, Vec<String>>) {
    let blocks = blocks(page);
    let mut count = 0;
    for (at, (language, toml)) in blocks.iter().enumerate() {
        if *language != "toml" {
            continue;
        }
        let json = |at: usize| {
            let (language, text) = blocks.get(at).copied().unwrap_or_default();
            assert_eq!(language, "json", "behind the rules\n{toml}");
            let value: Result<Value, _> = serde_json::from_str(text);
            value.unwrap_or_else(|error| panic!("{error}\n{text}"))
        };
        let made = make(toml, &json(at + 1));
        let made = made.unwrap_or_else(|problems| panic!("{problems:?}\n{toml}"));
        assert_eq!(made, json(at + 2), "{toml}\n{made:#}");
        count += 1;
    }
    assert!(count > 3, "{count} examples");
}

#[test]
fn every_example_comes_out_as_it_is_written() {
    check_examples(PAGE, |toml, document| Ok(applied(&rules(toml)?, document)));
}

#[test]
fn every_example_about_calls_comes_out_as_it_is_written() {
    check_examples(CALLS, |toml, call| called(&inbound(toml)?, call).map_err(|why| vec![why]));
}

/// The words of a page's rules, and the rules themselves.
fn words(page: &'static str) -> (Vec<&'static str>, String) {
    let toml = blocks(page).into_iter().filter(|(language, _)| *language == "toml");
    let toml: Vec<_> = toml.map(|(_, toml)| toml).collect();
    let is_mark = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    let words = toml.iter().flat_map(|toml| toml.split(is_mark));
    (words.filter(|word| !word.is_empty()).collect(), toml.concat())
}

#[test]
fn every_word_of_the_rules_about_calls_stands_in_an_example() {
    let (keys, _) = words(CALLS);
    let missing: Vec<_> =
        WORDS_OF_CALLS.split_whitespace().filter(|word| !keys.contains(word)).collect();
    assert!(missing.is_empty(), "no example has {missing:?}");
}

#[test]
fn the_page_of_calls_lists_every_preset() {
    assert_eq!(stale("crates/hilo-collector/docs/inbound.md", &presets()), None);
}

/// A row for each preset: its name, the service and what its rules tell.
fn presets() -> String {
    let mut table =
        "| `map =` | service | what its calls become |\n| --- | --- | --- |\n".to_owned();
    for (name, text) in ALL.iter().filter(|(_, text)| text.contains("[[map]]")) {
        let head = text.lines().next().unwrap_or_default().trim_start_matches("# ");
        let (service, page) = head.split_once(": ").unwrap_or((head, ""));
        let mut told: Vec<&str> = Vec::new();
        let mut tell = |one| {
            if !told.contains(&one) {
                told.push(one);
            }
        };
        for line in text.lines() {
            if let Some(event) = line.strip_prefix("event = ") {
                let quoted = event.split('"').skip(1).step_by(2);
                quoted
                    .filter(|one| one.contains(' ') || *one == "Unsubscribed")
                    .for_each(&mut tell);
            }
            if line.starts_with("optin = ") {
                tell("opt-ins and opt-outs");
            }
        }
        let told = told.join(" · ");
        table.push_str(&format!(
            "| [`{name}`](../../hilo-core/presets/{name}.toml) | [{service}]({page}) | {told} |\n"
        ));
    }
    table
}

#[test]
fn every_word_of_the_form_stands_in_an_example() {
    let (keys, toml) = words(PAGE);
    let missing: Vec<_> = WORDS.split_whitespace().filter(|word| !keys.contains(word)).collect();
    assert!(missing.is_empty(), "no example has {missing:?}");
    let missing: Vec<_> = CASTS
        .split_whitespace()
        .filter(|cast| !toml.contains(&format!("as = \"{cast}\"")))
        .collect();
    assert!(missing.is_empty(), "no example has as = {missing:?}");
}
