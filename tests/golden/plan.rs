//! A tracking plan and a message → the violations of its event, its flags, and what is left of its details.
//!
//! In: `{plan, message}`; the message is laid over an ordinary page view and normalized first, as at the edge.

use hilo_core::config::{NormalizeRules, parse_plan};
use hilo_core::event::Facts;
use hilo_core::normalize;
use hilo_core::plan::{check, typescript};
use hilo_core::testing::{event_of, facts, page_message};
use serde_json::{Value, json};

pub(crate) fn run(input: &Value) -> Value {
    let text = input.get("plan").and_then(Value::as_str).unwrap_or_default();
    let plan = match parse_plan(text) {
        Ok(plan) => plan.unwrap_or_default(),
        Err(problems) => return json!({ "problems": problems }),
    };
    let mut message = page_message();
    crate::normalize::lay_over(&mut message, input.get("message").unwrap_or(&Value::Null));
    let Some(mut event) = event_of(&message) else {
        return json!("the message does not pass validation");
    };
    normalize::apply(
        &mut event,
        &Facts { user_agent: None, ..facts() },
        &NormalizeRules::default(),
    );
    let violations = check(&mut event, &plan);
    let flags = &event.context.hilo.flags;
    json!({ "violations": violations, "flags": flags, "details": event.kind.details() })
}

#[test]
fn the_types_of_the_example_plan_are_those_that_the_type_check_reads() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/planned");
    let plan = std::fs::read_to_string(format!("{folder}/plan.toml")).unwrap_or_default();
    let plan = parse_plan(&plan).ok().flatten().unwrap_or_default();
    let (made, path) = (typescript(&plan, "plan.toml"), format!("{folder}/plan.ts"));
    if std::env::var_os("HILO_BLESS").is_some() {
        assert!(std::fs::write(&path, &made).is_ok());
    }
    assert_eq!(made, std::fs::read_to_string(path).unwrap_or_default());
}
