//! Meta Conversions API: events → `POST /<version>/<dataset>/events` with hashed contact details
//! (<https://developers.facebook.com/docs/marketing-api/conversions-api>).
//!
//! Meta refuses a whole request for one bad event, so an event that it would refuse is left out here, and a refused request is
//! bisected. Meta does not know an event again that a server has sent before. Does not send an address of the network: hilo keeps none.

mod event;

use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::consent::Purpose;
use hilo_core::event::{Event, EventKind};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{by_status, post, quoted, retry};
use super::conversion::{is_page, put};
use crate::forward::destination::{
    Acceptance, Batch, BatchEvent, Destination, Kind, Limits, MappedRequest, Mapping,
    MissingSecret, OptIns, Reception, SecretName,
};
use crate::forward::reason;
use crate::platform::Response;

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: event::KIND,
    title: "Meta Conversions API",
    is_silent: false,
    optins: OptIns::Read,
    load,
    purposes: &[Purpose::Advertising],
    limits: Limits {
        // Meta takes 1,000. One bad event among them refuses them all.
        events: 100,
        bytes: 1_000_000,
        age_s_max: Some(event::STORE_AGE_S_MAX),
        is_ordered: false,
        mixes_people: true,
        wants_person: true,
        pace: None,
    },
};

/// The version of the Graph API where the settings name none. Meta keeps a version for two years.
const VERSION: &str = "v26.0";
/// The state for people who opted out where the settings name none: California, whose rules Meta has had the longest.
const CALIFORNIA: u32 = 1_000;

/// The settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Meta {
    /// The id of the dataset, which was once called a pixel.
    dataset_id: String,
    /// The access token of a system user.
    access_token: SecretName,
    /// The version of the Graph API.
    api_version: Option<String>,
    /// Shows the events in Meta's test tool. They count all the same.
    test_event_code: Option<String>,
    /// The state of Meta's Limited Data Use, for people who opted out of the sale of their data: 1000 to 1013.
    opt_out_state: Option<u32>,
    /// Names of further acts that become events of their own name.
    #[serde(default)]
    also: Vec<String>,
}

fn load(entry: &DestinationEntry) -> Result<Box<dyn Destination>, Problem> {
    let settings: Meta = entry.read_settings()?;
    let bad = |field, why| Err(entry.problem(field, ProblemCode::BadValue, why));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(&settings.dataset_id) {
        return bad("dataset_id", "write the digits that Events Manager shows");
    }
    let version = settings.api_version.as_deref().unwrap_or(VERSION);
    let number = version.strip_prefix('v').and_then(|rest| rest.strip_suffix(".0"));
    if !number.is_some_and(|number| number.len() <= 3 && is_number(number)) {
        return bad("api_version", "write a version of the Graph API, such as \"v26.0\"");
    }
    if settings.opt_out_state.is_some_and(|state| !(1_000..=1_013).contains(&state)) {
        return bad("opt_out_state", "write a state's number at Meta, 1000 to 1013");
    }
    Ok(Box::new(settings))
}

impl Destination for Meta {
    fn wants(&self, event: &Event) -> bool {
        match &event.kind {
            EventKind::Track { event: name, .. } => {
                event::name(name).is_some() || self.also.contains(name)
            }
            EventKind::Page { .. } => true,
            EventKind::Screen { .. }
            | EventKind::Identify { .. }
            | EventKind::Group { .. }
            | EventKind::Alias { .. } => false,
        }
    }

    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let token = batch.access.secret(&self.access_token)?;
        let mut mapping = Mapping::default();
        let (mut data, mut events) = (Vec::new(), Vec::new());
        let state = self.opt_out_state.unwrap_or(CALIFORNIA);
        for (at, one) in batch.events.iter().enumerate() {
            match event::of(one, state, batch.now) {
                Ok(event) => {
                    data.push(event);
                    events.push(at);
                }
                Err(why) => mapping.left_out.push((at, why)),
            }
        }
        if !events.is_empty() {
            let mut body = json!({ "data": data });
            if let Value::Object(body) = &mut body {
                put(body, "test_event_code", self.test_event_code.clone());
            }
            let version = self.api_version.as_deref().unwrap_or(VERSION);
            let url = format!("https://graph.facebook.com/{version}/{}/events", self.dataset_id);
            let outgoing = post(url, &[("authorization", format!("Bearer {token}"))], &body);
            mapping.requests.push(MappedRequest { outgoing, events, step: 0 });
        }
        Ok(mapping)
    }

    fn classify(&self, request: &MappedRequest, response: &Response) -> Reception {
        if is_page(response) {
            return Reception::All(retry(response));
        }
        let body: Value = serde_json::from_str(&response.body).unwrap_or_default();
        if let Some(error) = body.get("error") {
            return refusal(error, response);
        }
        let received = body.get("events_received").and_then(Value::as_u64);
        let sent = u64::try_from(request.events.len()).unwrap_or_default();
        match (response.status, received) {
            (200..=299, Some(received)) if received < sent => Reception::Poison {
                reason: reason::refused(&format!("Meta received {received} of {sent} events")),
            },
            // Also for an answer that was cut off: Meta would count a repeat again.
            _ => by_status(response),
        }
    }

    fn assumes_sent(&self, _: &BatchEvent<'_>, _: u32) -> bool {
        true
    }
}

/// What an error of the Graph API means. Its code says more than the status, which is 400 for nearly everything.
fn refusal(error: &Value, response: &Response) -> Reception {
    let number = |name: &str| error.get(name).and_then(Value::as_u64).unwrap_or_default();
    let is_passing = error.get("is_transient").and_then(Value::as_bool).unwrap_or_default();
    match (number("code"), number("error_subcode")) {
        // The token, a permission, or a dataset that the token may not use.
        (3 | 10 | 102 | 190 | 200..=299, _) | (100, 33) => {
            Reception::All(Acceptance::Unauthorized { reason: quoted(response) })
        }
        // Meta's own trouble, and its brakes.
        (1 | 2 | 4 | 17 | 341 | 368 | 613 | 5_000 | 21_009 | 80_000..=80_014, _) => {
            Reception::All(retry(response))
        }
        _ if is_passing => Reception::All(retry(response)),
        (0, _) => by_status(response),
        _ => Reception::Poison { reason: reason::refused(&quoted(response)) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::destination::BatchEvent;
    use crate::forward::destinations::conversion::mapped_order;
    use crate::forward::destinations::testing::problem;

    #[test]
    fn wrong_settings_are_told_with_their_remedy() {
        let with = |dataset: &str, more: &str| {
            problem(
                "meta",
                &format!("dataset_id = '{dataset}'\naccess_token = {{ secret = 'T' }}\n{more}"),
            )
        };
        assert_eq!(with("123", "api_version = 'v25.0'\nopt_out_state = 1003"), "");
        assert!(with("123/events", "").contains("destination.dataset_id: write the digits"));
        for version in ["26", "v26", "v26.1", "v26.0/x", "v1234.0", "v.0"] {
            let told = with("123", &format!("api_version = '{version}'"));
            assert!(told.contains("destination.api_version: write a version"), "{version}: {told}");
        }
        assert!(with("123", "opt_out_state = 1").contains("destination.opt_out_state"));
    }

    #[test]
    fn a_rule_gives_name_and_fields_and_no_address() {
        let (event, mapped) = mapped_order();
        let one = BatchEvent { event: &event, source: None, person: None, mapped: &mapped };
        let made = event::of(&one, CALIFORNIA, event.occurred_at).unwrap();
        assert_eq!(made["event_name"], "big_order");
        let custom = &made["custom_data"];
        assert_eq!((&custom["tier"], &custom["value"]), (&json!("gold"), &json!(7.5)));
        assert!(custom.get("note").is_none());
    }
}
