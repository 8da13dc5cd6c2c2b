//! The call of another system → what the rules of a preset, or those of a case, tell of it.
//!
//! In: `page`, the vendor's page that shows such a body; `body`, `form` or `text`; `headers`; `settings`, lines of the source. Out: a list
//! of reports and faults. A case of `mapping/inbound` has `rules`, lines of TOML, and `calls`.

use std::path::{Path, PathBuf};

use hilo_core::inbound::presets::{ALL, as_rules};
use hilo_tests::mapping::{called, inbound};
use serde_json::{Value, json};

/// The presets that have rules.
pub(crate) fn presets() -> Vec<&'static str> {
    let with_rules = ALL.iter().filter(|(_, text)| text.contains("[[map]]"));
    with_rules.map(|(name, _)| *name).collect()
}

pub(crate) fn run(preset: &str, input: &Value) -> Value {
    let settings = input.get("settings").and_then(Value::as_str).unwrap_or_default();
    match inbound(&format!("map = \"{preset}\"\n{settings}\n")) {
        Ok(rules) => called(&rules, input).unwrap_or_else(|why| json!({ "refused": why })),
        Err(problems) => json!({ "problems": problems }),
    }
}

pub(crate) fn rules(input: &Value) -> Value {
    let lines = input.get("rules").and_then(Value::as_array).into_iter().flatten();
    let lines: Vec<_> = lines.filter_map(Value::as_str).collect();
    match inbound(&lines.join("\n")) {
        Ok(rules) => {
            let calls = input.get("calls").and_then(Value::as_array).into_iter().flatten();
            calls
                .map(|call| called(&rules, call).unwrap_or_else(|why| json!({ "refused": why })))
                .collect()
        }
        Err(problems) => json!({ "problems": problems }),
    }
}

/// The files of a preset's cases: their names and both texts.
#[expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helper of a test may assert the short way"
)]
fn cases(preset: &str) -> Vec<(String, String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/inbound").join(preset);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|why| panic!("{preset}: {why}"));
    let inputs = files.map(|file| file.unwrap().path());
    let inputs = inputs.filter(|path| path.to_string_lossy().ends_with(".in.json"));
    inputs
        .map(|path| {
            let out = PathBuf::from(path.to_string_lossy().replace(".in.json", ".out.json"));
            let read = |path: &Path| std::fs::read_to_string(path).unwrap();
            (path.display().to_string(), read(&path), read(&out))
        })
        .collect()
}

#[test]
fn every_preset_has_cases_for_its_calls_each_from_a_page_of_the_vendor() {
    for preset in presets() {
        let cases = cases(preset);
        assert!(cases.len() >= 4, "{preset}: {} cases", cases.len());
        let has = |what: &str| cases.iter().any(|(_, _, out)| out.contains(what));
        assert!(has("\"event\"") && has("\"not_mapped\""), "{preset}");
        for (name, input, _) in cases {
            let input: Value = serde_json::from_str(&input).unwrap();
            let page = input["page"].as_str().unwrap_or_default();
            assert!(page.starts_with("https://"), "{name} names no page");
        }
    }
}

#[test]
fn no_personal_text_of_a_call_comes_out_of_a_preset() {
    let mut count = 0;
    for preset in presets() {
        for (name, input, out) in cases(preset) {
            count += input.matches("canary").count();
            assert!(!out.contains("canary"), "{name} lets a personal text through");
        }
    }
    assert!(count > 100, "{count} canaries");
}

#[test]
fn a_preset_that_is_copied_into_hilo_toml_has_the_same_rules() {
    for preset in presets() {
        let settings = "timezone = \"Europe/Madrid\"\ncurrency = \"EUR\"\n";
        let text = ALL.iter().find(|(name, _)| *name == preset).unwrap().1;
        let copied = inbound(&format!("{settings}{}", as_rules(text)));
        assert_eq!(copied, inbound(&format!("{settings}map = \"{preset}\"\n")), "{preset}");
    }
}
