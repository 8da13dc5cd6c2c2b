//! One event before a step → what the step changed.
//!
//! In: `{message, sentAt, ip, userAgent, hints, geo, server, unwantedReferrals, ownHosts, country, assistants}`, each optional; the
//! message is laid over an ordinary page view.
//! Out: `changed`, the paths whose value is another, with the value after.

use std::collections::BTreeMap;

use hilo_core::config::{AssistantPolicy, NormalizeRules};
use hilo_core::event::{ClientHints, Event, Facts, Geo, Trust};
use hilo_core::normalize::{
    self, campaign, channel, click_id, clock, contact, currency, geo, name, page, scrub, user_agent,
};
use hilo_core::testing::{event_of, facts, page_message};
use serde_json::{Map, Value, json};

pub(crate) fn clock_step(input: &Value) -> Value {
    run(input, clock::apply)
}
pub(crate) fn name_step(input: &Value) -> Value {
    run(input, name::apply)
}
pub(crate) fn page_step(input: &Value) -> Value {
    run(input, page::apply)
}
pub(crate) fn campaign_step(input: &Value) -> Value {
    run(input, |event, facts| drop(campaign::apply(event, facts)))
}
pub(crate) fn click_id_step(input: &Value) -> Value {
    run(input, click_id::apply)
}
pub(crate) fn user_agent_step(input: &Value) -> Value {
    run(input, user_agent::apply)
}
pub(crate) fn geo_step(input: &Value) -> Value {
    run(input, geo::apply)
}
pub(crate) fn scrub_step(input: &Value) -> Value {
    run(input, |event, facts| drop(scrub::apply(event, facts)))
}
/// The channel reads what campaign and click ids have found.
pub(crate) fn channel_step(input: &Value) -> Value {
    let rules = rules(input);
    run(input, |event, facts| {
        drop(campaign::apply(event, facts));
        click_id::apply(event, facts);
        drop(channel::apply(event, &rules));
    })
}
pub(crate) fn contact_step(input: &Value) -> Value {
    let rules = rules(input);
    run(input, |event, _| drop(contact::apply(event, &rules)))
}
/// The shop's own currency is the euro.
pub(crate) fn currency_step(input: &Value) -> Value {
    run(input, |event, _| {
        currency::apply(
            event,
            &NormalizeRules { currency: Some("EUR".to_owned()), ..NormalizeRules::default() },
        );
    })
}
pub(crate) fn all(input: &Value) -> Value {
    let rules = rules(input);
    run(input, |event, facts| drop(normalize::apply(event, facts, &rules)))
}

fn rules(input: &Value) -> NormalizeRules {
    let texts = |key: &str| -> Vec<String> {
        let listed = input.get(key).and_then(Value::as_array);
        listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let is_channel = input.get("assistants").is_some_and(|choice| choice == "channel");
    NormalizeRules {
        unwanted_referrals: texts("unwantedReferrals"),
        own_hosts: texts("ownHosts"),
        country: input.get("country").and_then(Value::as_str).map(str::to_owned),
        ai_assistants: if is_channel {
            AssistantPolicy::Channel
        } else {
            AssistantPolicy::Referral
        },
        ..NormalizeRules::default()
    }
}

fn run(input: &Value, step: impl Fn(&mut Event, &Facts)) -> Value {
    let text = |key: &str| input.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut message = page_message();
    lay_over(&mut message, input.get("message").unwrap_or(&Value::Null));
    let Some(mut event) = event_of(&message) else {
        return json!("the message does not pass validation");
    };
    event.sent_at = text("sentAt").and_then(|at| at.parse().ok());
    let place = |key: &str| input.get("geo")?.get(key)?.as_str().map(str::to_owned);
    let hint = |key: &str| input.get("hints")?.get(key)?.as_str().map(str::to_owned);
    let is_server = input.get("server").is_some_and(|server| server == true);
    let facts = Facts {
        ip: text("ip"),
        user_agent: text("userAgent"),
        geo: Geo {
            country: place("country"),
            region: place("region"),
            city: place("city"),
            timezone: place("timezone"),
        },
        hints: ClientHints {
            brands: hint("brands"),
            mobile: hint("mobile"),
            platform: hint("platform"),
            platform_version: hint("platformVersion"),
        },
        trust: if is_server { Trust::Server } else { Trust::Public },
        ..facts()
    };
    let before = flat(&event);
    step(&mut event, &facts);
    let after = flat(&event);
    let mut changed: Map<String, Value> = after
        .iter()
        .filter(|(path, value)| before.get(*path) != Some(value))
        .map(|(p, v)| (p.clone(), v.clone()))
        .collect();
    changed.extend(
        before
            .keys()
            .filter(|path| !after.contains_key(*path))
            .map(|path| (path.clone(), Value::Null)),
    );
    json!({ "changed": changed })
}

/// Objects are merged, everything else is replaced; `null` takes away.
pub(crate) fn lay_over(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                if value.is_null() {
                    base.remove(key);
                } else {
                    lay_over(base.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (_, Value::Null) => {}
        (base, over) => *base = over.clone(),
    }
}

fn flat(event: &Event) -> BTreeMap<String, Value> {
    let mut paths = BTreeMap::new();
    let mut open = vec![(String::new(), serde_json::to_value(event).unwrap_or_default())];
    while let Some((path, value)) = open.pop() {
        if let Value::Object(fields) = value {
            let below = |key: String| if path.is_empty() { key } else { format!("{path}.{key}") };
            open.extend(fields.into_iter().map(|(key, value)| (below(key), value)));
        } else {
            paths.insert(path, value);
        }
    }
    paths
}
