//! What golden cases, laws and documents of the mapping form share: rules out of TOML, and what they make of a document or a call as JSON.

use hilo_core::config::{Problem, parse};
use hilo_core::inbound::{Told, Who};
use hilo_core::mapping::inbound::{Call, Made, Rules, Step, decode, trace};
use hilo_core::mapping::{Applied, Rule, apply};
use serde_json::{Map, Value, json};

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

/// The head of a file with one webhook source, to which settings and rules are added.
const HOOK: &str = r#"
[project]
controller = "Shop"

[[source]]
name = "hook"
kind = "webhook"
verify = "shopify"
secrets = [{ secret = "HOOK_SECRET" }]
"#;

/// The rules of a webhook source with these settings: `map = "stripe"`, or `[[source.map]]`.
///
/// # Errors
/// Every problem of the settings and rules. Their lines are those of `toml`.
pub fn inbound(toml: &str) -> Result<Rules, Vec<String>> {
    let above = HOOK.lines().count();
    let told = |problems: Vec<Problem>| -> Vec<String> {
        let shift =
            |problem: Problem| Problem { line: problem.line.saturating_sub(above), ..problem };
        problems.into_iter().map(|problem| shift(problem).to_string()).collect()
    };
    let config = parse(&format!("{HOOK}{toml}")).map_err(told)?;
    let source = config.sources.into_iter().next();
    Ok(source.and_then(|source| source.inbound).map(|inbound| inbound.rules).unwrap_or_default())
}

/// What a golden case calls with: `body` as JSON, `form` as the fields of a form, or `text` as it is; and `headers`.
///
/// # Errors
/// The refusal of the body.
pub fn called(rules: &Rules, input: &Value) -> Result<Value, String> {
    let part = |name: &str| input.get(name).cloned().unwrap_or_default();
    let (kind, body) = match (input.get("form"), input.get("text")) {
        (Some(form), _) => ("application/x-www-form-urlencoded", fields(form)),
        (None, Some(text)) => ("text/plain", text.as_str().unwrap_or_default().to_owned()),
        (None, None) => ("application/json", part("body").to_string()),
    };
    let body = decode(kind, body.as_bytes(), rules.json_field.as_deref());
    let body = body.map_err(|why| format!("{}: {}", why.code.name(), why.message))?;
    let steps = trace(rules, Call { body: &body, headers: &part("headers") });
    Ok(steps.iter().map(step).collect())
}

/// The fields of a form. A list is a repeated field, and an object is JSON as text.
fn fields(form: &Value) -> String {
    let mut pairs = Vec::new();
    for (name, value) in form.as_object().into_iter().flatten() {
        let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        for value in values {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            pairs.push(format!("{}={}", escaped(name), escaped(&text)));
        }
    }
    pairs.join("&")
}

/// The text as forms have it, with every byte but letters and digits escaped.
fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// One result as JSON: the report, `nothing`, or the fault.
fn step(step: &Step) -> Value {
    let mut out = match &step.made {
        Made::Nothing => json!({ "nothing": true }),
        Made::Fault(fault) => json!({
            "fault": fault.code.name(), "message": fault.to_string(), "lost": fault.is_report_lost,
        }),
        Made::Report(report) => {
            let mut told = match &report.told {
                Told::Act { event, properties } => {
                    json!({ "event": event, "properties": properties })
                }
                Told::Traits(traits) => json!({ "traits": traits }),
                Told::OptIn { channel, is_subscribed, text } => {
                    json!({ "optin": channel, "subscribed": is_subscribed, "text": text })
                }
            };
            let Who { user_id, anonymous_id, email, phone, order_id, loyalty_id } = &report.who;
            let names = [
                ("user_id", user_id),
                ("anonymous_id", anonymous_id),
                ("email", email),
                ("phone", phone),
                ("order_id", order_id),
                ("loyalty_id", loyalty_id),
            ];
            let who: Map<_, _> = names
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?))))
                .collect();
            let mut more = Map::new();
            more.insert("id".to_owned(), json!(report.id));
            more.insert("at".to_owned(), json!(report.occurred_at));
            more.insert("who".to_owned(), who.into());
            if !report.context.is_empty() {
                more.insert("context".to_owned(), report.context.clone().into());
            }
            told.as_object_mut().into_iter().for_each(|told| told.extend(more.clone()));
            told
        }
    };
    let numbers = [("rule", step.rule), ("element", step.element)];
    let numbers = numbers.into_iter().filter_map(|(name, at)| Some((name.to_owned(), json!(at?))));
    if let Some(out) = out.as_object_mut() {
        out.extend(numbers);
    }
    out
}
