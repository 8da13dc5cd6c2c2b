//! The examples of `docs/mapping.md`: rules, a document, and what comes out.
//!
//! Each block of TOML is followed by a block of JSON with the document and one with the result. Together they show every word of the form.

use hilo_tests::mapping::{applied, rules};
use serde_json::Value;

const PAGE: &str = include_str!("../../crates/hilo-collector/docs/mapping.md");
/// Every word that a rule may have.
const WORDS: &str = "when also any drop event fields stop path first join with value each max as unit currency \
    default_country table else eq ne in exists absent gt ge lt le starts_with contains";
/// What `as` may be.
const CASTS: &str = "text int bool decimal money time phone email lower digits url country";

/// The fenced blocks of the page, each with its language.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let fenced = PAGE.split("```").skip(1).step_by(2);
    fenced.filter_map(|block| block.split_once('\n')).collect()
}

#[test]
fn every_example_comes_out_as_it_is_written() {
    let blocks = blocks();
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
        let rules = rules(toml).unwrap_or_else(|problems| panic!("{problems:?}\n{toml}"));
        assert_eq!(applied(&rules, &json(at + 1)), json(at + 2), "{toml}");
        count += 1;
    }
    assert!(count > 3, "{count} examples");
}

#[test]
fn every_word_of_the_form_stands_in_an_example() {
    let toml: String = blocks()
        .into_iter()
        .filter(|(language, _)| *language == "toml")
        .map(|(_, toml)| toml)
        .collect();
    let keys: Vec<&str> = toml
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    let missing: Vec<_> = WORDS.split_whitespace().filter(|word| !keys.contains(word)).collect();
    assert!(missing.is_empty(), "no example has {missing:?}");
    let missing: Vec<_> = CASTS
        .split_whitespace()
        .filter(|cast| !toml.contains(&format!("as = \"{cast}\"")))
        .collect();
    assert!(missing.is_empty(), "no example has as = {missing:?}");
}
