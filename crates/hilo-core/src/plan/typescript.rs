//! A tracking plan as TypeScript types, with which a page cannot be built with an event that the plan does not have.
//!
//! Plan → the text of a module. Only people's programs call it: the collector never does.

use std::collections::BTreeMap;

use super::{Plan, PlannedEvent, PlannedKind, PlannedShape, Rule};

/// The types of a plan: an interface of named acts by name, one of traits, and a `track` that knows them. `name` is the plan's file.
pub fn typescript(plan: &Plan, name: &str) -> String {
    let mut out = format!(
        "/** The tracking plan of {name}. Written by `cargo xtask plan`: change the plan, not this file. */\n\n"
    );
    out.push_str(&format!(
        "/** The version of the plan. */\nexport const PLAN_VERSION = {};\n\n",
        quoted(&plan.version)
    ));
    for (kind, title, about) in [
        (PlannedKind::Track, "PlannedEvents", "The properties of each named act."),
        (PlannedKind::Page, "PlannedPages", "The properties of each named page."),
        (PlannedKind::Screen, "PlannedScreens", "The properties of each named screen."),
    ] {
        out.push_str(&format!("/** {about} */\nexport interface {title} {{\n"));
        for event in plan.events.iter().filter(|event| event.kind == kind) {
            let Some(name) = &event.name else { continue };
            let about = event.description.as_deref().unwrap_or("As planned.");
            out.push_str(&format!("  /** {} Version {}. */\n", comment(about), event.version));
            out.push_str(&format!("  {}: {};\n", quoted(name), details(event)));
        }
        out.push_str("}\n\n");
    }
    for (kind, title, about) in [
        (PlannedKind::Identify, "PlannedTraits", "What is told about a person."),
        (PlannedKind::Group, "PlannedGroupTraits", "What is told about a group."),
    ] {
        let planned = plan.events.iter().find(|event| event.kind == kind);
        let shape = planned.map_or_else(|| "{ [key: string]: unknown }".to_owned(), details);
        out.push_str(&format!("/** {about} */\nexport type {title} = {shape};\n\n"));
    }
    out.push_str(
        "/** `hilo.track`, for the acts of the plan alone: `(hilo as PlannedHilo).track(\"Order Completed\", { … })`. */\n\
         export interface PlannedHilo {\n  \
         track<Name extends keyof PlannedEvents>(event: Name, properties: PlannedEvents[Name]): void;\n  \
         identify(userId: string, traits?: PlannedTraits, proof?: { token?: string }): void;\n\
         }\n",
    );
    out
}

fn details(event: &PlannedEvent) -> String {
    object(&event.properties, event.only_planned, 1)
}

fn object(rules: &BTreeMap<String, Rule>, only_planned: bool, depth: usize) -> String {
    let indent = "  ".repeat(depth + 1);
    let mut out = "{\n".to_owned();
    for (name, rule) in rules {
        if let Some(about) = &rule.description {
            out.push_str(&format!("{indent}/** {} */\n", comment(about)));
        }
        let mark = if rule.required { "" } else { "?" };
        out.push_str(&format!("{indent}{}{mark}: {};\n", quoted(name), shape(rule, depth)));
    }
    if !only_planned {
        out.push_str(&format!("{indent}[key: string]: unknown;\n"));
    }
    out.push_str(&format!("{}}}", "  ".repeat(depth)));
    out
}

fn shape(rule: &Rule, depth: usize) -> String {
    let below = || {
        if rule.properties.is_empty() {
            "unknown".to_owned()
        } else {
            object(&rule.properties, false, depth + 1)
        }
    };
    match rule.shape {
        PlannedShape::Text if rule.one_of.is_empty() => "string".to_owned(),
        PlannedShape::Text => {
            let values: Vec<String> = rule.one_of.iter().map(|value| quoted(value)).collect();
            values.join(" | ")
        }
        PlannedShape::Number | PlannedShape::Integer => "number".to_owned(),
        PlannedShape::Flag => "boolean".to_owned(),
        PlannedShape::Time => "string | Date".to_owned(),
        PlannedShape::Object if rule.properties.is_empty() => {
            "{ [key: string]: unknown }".to_owned()
        }
        PlannedShape::Object => below(),
        PlannedShape::List => format!("({})[]", below()),
        PlannedShape::Any => "unknown".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// Text that does not end the comment around it.
fn comment(text: &str) -> String {
    text.replace("*/", "* /").replace('\n', " ")
}
