//! What golden cases, laws and documents of the mapping form share: rules out of TOML, and what they make of a document as JSON.

use hilo_core::config::{Problem, parse};
use hilo_core::mapping::{Applied, Rule, apply};
use serde_json::{Value, json};

const HEAD: &str = r#"
[project]
controller = "Shop"

[[source]]
name = "shop"
kind = "browser"
keys = ["wk_shop"]
origins = ["https://shop.example"]

[[destination]]
name = "hook"
type = "webhook"
purposes = ["analytics"]
"#;

/// The rules of some `[[destination.map]]`.
///
/// # Errors
/// Every problem of the rules. Their lines are those of `toml`.
pub fn rules(toml: &str) -> Result<Vec<Rule>, Vec<String>> {
    let above = HEAD.lines().count();
    let told = |problems: Vec<Problem>| -> Vec<String> {
        let shift =
            |problem: Problem| Problem { line: problem.line.saturating_sub(above), ..problem };
        problems.into_iter().map(|problem| shift(problem).to_string()).collect()
    };
    let config = parse(&format!("{HEAD}{toml}")).map_err(told)?;
    Ok(config.destinations.into_iter().flat_map(|entry| entry.map).collect())
}

/// What the rules make of a document: `event` and `fields`, and `unfit` where there are any; or the number of the rule that drops it.
pub fn applied(rules: &[Rule], document: &Value) -> Value {
    match apply(rules, document) {
        Applied::Dropped(number) => json!({ "dropped": number }),
        Applied::Mapped { name, fields, unfit } if unfit.is_empty() => {
            json!({ "event": name, "fields": fields })
        }
        Applied::Mapped { name, fields, unfit } => {
            json!({ "event": name, "fields": fields, "unfit": unfit })
        }
    }
}
