//! `POST /v1/reports`: the body of a company's own system that knows people by their addresses → reports.
//!
//! `{"reports": [{"id", "event", "properties", "occurredAt", "who": {"phone", "email", …}, "context"}]}`. In the place of `event`, a report
//! has `traits` or `optIn`. Finds no person: the pipeline does.

use hilo_core::inbound::{Report, Told, Who};
use hilo_core::outcome::{Code, Rejection};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The most reports of a request.
pub const REPORTS_MAX: usize = 500;

/// A report on the wire.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Posted {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    event: Option<String>,
    #[serde(default)]
    properties: Map<String, Value>,
    #[serde(default)]
    traits: Option<Map<String, Value>>,
    #[serde(default)]
    opt_in: Option<PostedOptIn>,
    #[serde(default)]
    occurred_at: Option<Timestamp>,
    #[serde(default)]
    who: PostedWho,
    #[serde(default)]
    context: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PostedOptIn {
    channel: String,
    subscribed: bool,
    #[serde(default)]
    text: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct PostedWho {
    user_id: Option<String>,
    anonymous_id: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    order_id: Option<String>,
    loyalty_id: Option<String>,
}

/// Reads the reports of a body, each by itself.
///
/// # Errors
/// `missing_field` for a body without a list, `too_many_events` for a list that is too long.
pub fn read(mut body: Map<String, Value>) -> Result<Vec<Result<Report, Rejection>>, Rejection> {
    let Some(Value::Array(posted)) = body.remove("reports") else {
        let message =
            "send {\"reports\": [{\"event\": …, \"properties\": …, \"who\": {\"phone\": …}}]}";
        return Err(Rejection::at(Code::MissingField, "reports", message));
    };
    if posted.len() > REPORTS_MAX {
        let message = format!("at most {REPORTS_MAX} reports at once");
        return Err(Rejection::at(Code::TooManyEvents, "reports", message));
    }
    Ok(posted.into_iter().map(report).collect())
}

fn report(posted: Value) -> Result<Report, Rejection> {
    let wrong = |_| {
        let message = "a report has id, event with properties (or traits, or optIn), occurredAt, who and context, and nothing else";
        Rejection::new(Code::MalformedEvent, message)
    };
    let posted: Posted = serde_json::from_value(posted).map_err(wrong)?;
    let Posted { id, event, properties, traits, opt_in, occurred_at, who, context } = posted;
    let told = match (event, traits, opt_in) {
        (Some(event), None, None) => Told::Act { event, properties },
        (None, Some(traits), None) => Told::Traits(traits),
        (None, None, Some(PostedOptIn { channel, subscribed, text })) => {
            Told::OptIn { channel, is_subscribed: subscribed, text }
        }
        _ => {
            let message = "a report has exactly one of event, traits and optIn";
            return Err(Rejection::at(Code::MissingField, "event", message));
        }
    };
    let PostedWho { user_id, anonymous_id, email, phone, order_id, loyalty_id } = who;
    let who = Who { user_id, anonymous_id, email, phone, order_id, loyalty_id };
    Ok(Report { id, told, occurred_at, who, context })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_all(body: &Value) -> Result<Vec<Result<Report, Code>>, Code> {
        let reports = read(body.as_object().unwrap().clone()).map_err(|why| why.code)?;
        Ok(reports.into_iter().map(|one| one.map_err(|why| why.code)).collect())
    }

    #[test]
    fn one_odd_report_costs_no_other() {
        let call = json!({"id": "c1", "event": "Call Received", "who": {"phone": "+34600111222"}});
        let both = json!({"event": "Call Received", "traits": {}, "who": {}});
        let reports = read_all(&json!({"reports": [call, both, {"what": 1}]})).unwrap();
        let report = reports[0].as_ref().unwrap();
        assert_eq!(report.who.phone.as_deref(), Some("+34600111222"));
        assert_eq!(reports[1], Err(Code::MissingField));
        assert_eq!(reports[2], Err(Code::MalformedEvent));
    }

    #[test]
    fn a_body_without_a_list_or_with_too_many_reports_is_refused() {
        assert_eq!(read_all(&json!({"reports": {}})), Err(Code::MissingField));
        let many = vec![json!({}); REPORTS_MAX + 1];
        assert_eq!(read_all(&json!({"reports": many})), Err(Code::TooManyEvents));
    }
}
