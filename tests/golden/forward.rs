//! One event → the exact requests a destination makes of it, or that it is not for it.
//!
//! In: `{message, settings, events, nowS}`, the message laid over an ordinary page view that was normalized before.
//! Out: `requests`, or `planned: false`.

use hilo_collector::forward::destinations::Destination;
use hilo_collector::forward::{Configured, plan};
use hilo_core::config::parse;
use hilo_core::testing::{event_of, page_message};
use serde_json::{Value, json};

/// 32 bytes, as `wrangler secret put` would hold them.
const SECRET: &str = "whsec_aGlsby1nb2xkZW4td2ViaG9vay1zZWNyZXQtMzI=";

pub(crate) fn webhook(input: &Value) -> Value {
    let mut message = page_message();
    if let (Some(base), Some(over)) =
        (message.as_object_mut(), input.get("message").and_then(Value::as_object))
    {
        base.extend(over.clone());
    }
    let Some(event) = event_of(&message) else {
        return json!("the message does not pass validation");
    };
    let extra = input.get("settings").and_then(Value::as_str).unwrap_or_default();
    let text = format!(
        "[project]\ncontroller = \"Shop\"\n[[source]]\nname = \"shop\"\nkind = \"browser\"\nkeys = [\"wk_shop\"]\n\
         origins = [\"https://shop.example\"]\n[[destination]]\nname = \"hook\"\ntype = \"webhook\"\n\
         purposes = [\"analytics\"]\nurl = \"https://hooks.example/in\"\nsecret = {{ secret = \"HOOK\" }}\n{extra}\n"
    );
    let config = match parse(&text) {
        Ok(config) => config,
        Err(problems) => {
            return json!(problems.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
    };
    if plan(&event, &Configured::all(&config.destinations)).is_empty() {
        return json!({ "planned": false });
    }
    let Some(entry) = config.destinations.first() else { return Value::Null };
    let destination = match Destination::load(entry) {
        Ok(destination) => destination,
        Err(problem) => return json!(problem.to_string()),
    };
    let secrets = |name: &str| match name {
        "HOOK" => Some(SECRET.to_owned()),
        "OLD" => Some("whsec_b2xkLWhpbG8tZ29sZGVuLXdlYmhvb2stc2VjcmV0LTAx".to_owned()),
        _ => None,
    };
    let now_s = input.get("nowS").and_then(Value::as_i64).unwrap_or(1_795_514_400);
    match destination.requests(&event, &secrets, now_s) {
        Ok(requests) => {
            let requests: Vec<Value> = requests
                .into_iter()
                .map(|request| {
                    let headers: serde_json::Map<String, Value> =
                        request.headers.0.into_iter().map(|(name, value)| (name, value.into())).collect();
                    json!({ "method": request.method, "url": request.url, "headers": headers, "body": request.body })
                })
                .collect();
            json!({ "requests": requests })
        }
        Err(why) => json!(format!("{why:?}")),
    }
}
