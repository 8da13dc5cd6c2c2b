//! Google Analytics 4: events of one person → requests of the Measurement Protocol, `POST /mp/collect` with at most 25 events
//! (<https://developers.google.com/analytics/devguides/collection/protocol/ga4>).
//!
//! Google answers 2xx to whatever it cannot use, so everything that it would drop or change in silence is refused here. It has no call
//! for a person alone: who somebody is goes with their next event. Does not read Google's cookies: whoever sends the event does.

mod client;
mod names;
mod params;
mod settings;
mod text;

use hilo_core::consent::Purpose;
use hilo_core::event::{Event, EventKind};
use serde_json::{Map, Value, json};

use super::answer::{by_status, post, retry};
use super::conversion::{is_page, remove_addresses};
use crate::forward::destination::{
    Batch, BatchEvent, Destination, Kind, LeftOut, Limits, MappedRequest, Mapping, MissingSecret,
    OptIns, Reception,
};
use crate::forward::reason;
use crate::platform::Response;
use settings::{Ga4, Region};

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "ga4",
    title: "Google Analytics 4",
    is_silent: true,
    optins: OptIns::Read,
    load: settings::load,
    purposes: &[Purpose::Analytics],
    limits: Limits {
        events: EVENTS_MAX,
        bytes: BODY_BYTES_MAX,
        // Google moves an older event to 72 hours ago, without a word.
        age_s_max: Some(72 * 3_600),
        is_ordered: false,
        mixes_people: false,
        wants_person: true,
        pace: None,
    },
};

/// The most events of a request.
const EVENTS_MAX: usize = 25;
/// The most bytes of a request's events. Google takes less than 130 kB, with what stands once in a request.
const BODY_BYTES_MAX: usize = 120_000;

impl Destination for Ga4 {
    /// Acts and page views. Google reserves `screen_view` for apps, and takes no person without an event.
    fn wants(&self, event: &Event) -> bool {
        match &event.kind {
            EventKind::Track { .. } => !event.kind.is_consent_change() && !event.is_optin_request(),
            EventKind::Page { .. } => true,
            EventKind::Screen { .. }
            | EventKind::Identify { .. }
            | EventKind::Group { .. }
            | EventKind::Alias { .. } => false,
        }
    }

    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let url = self.url(&batch.access.secret(&self.api_secret)?)?;
        let mut mapping = Mapping::default();
        let mut groups: Vec<Group> = Vec::new();
        for (at, one) in batch.events.iter().enumerate() {
            match self.hit(one) {
                Ok((head, hit)) => Group::add(&mut groups, head, hit, at),
                Err(why) => mapping.left_out.push((at, why)),
            }
        }
        for Group { mut head, hits, events, .. } in groups {
            head.insert("events".to_owned(), Value::Array(hits));
            let outgoing = post(url.clone(), &[], &Value::Object(head));
            mapping.requests.push(MappedRequest { outgoing, events, step: 0 });
        }
        Ok(mapping)
    }

    /// The status alone. A page of Google's repeats the address, and the secret stands in it, so no reason quotes an answer.
    fn classify(&self, _: &MappedRequest, response: &Response) -> Reception {
        let Response { status, headers, .. } = response.clone();
        let bare = Response { status, headers, body: String::new() };
        match is_page(response) {
            true => Reception::All(retry(&bare)),
            false => by_status(&bare),
        }
    }

    /// Google knows a purchase again by its order, and counts every other event anew.
    fn assumes_sent(&self, one: &BatchEvent<'_>, _: u32) -> bool {
        names::of(one).is_ok_and(|name| name != "purchase")
    }
}

impl Ga4 {
    /// Google takes the secret in the address only.
    fn url(&self, secret: &str) -> Result<String, MissingSecret> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if secret.is_empty() || !secret.bytes().all(is_plain) {
            return Err(MissingSecret(self.api_secret.secret.clone()));
        }
        let host = match self.region {
            Region::Any => "www",
            Region::Eu => "region1",
        };
        let id = &self.measurement_id;
        Ok(format!(
            "https://{host}.google-analytics.com/mp/collect?measurement_id={id}&api_secret={secret}"
        ))
    }

    /// The event as Google has it, and what stands once in its request.
    fn hit(&self, one: &BatchEvent<'_>) -> Result<(Map<String, Value>, Value), LeftOut> {
        let head = client::head(one, &self.user_properties)
            .ok_or_else(|| LeftOut::Skipped(reason::missing_identifier("the id of a browser")))?;
        let name = names::of(one).map_err(|why| LeftOut::Refused(reason::invalid(&why)))?;
        let params = params::of(self, one, &name);
        let mut params = Value::Object(params);
        remove_addresses(&mut params);
        names::check_params(&name, &params)
            .map_err(|why| LeftOut::Refused(reason::invalid(&why)))?;
        let micros = one.event.occurred_at.as_microsecond();
        let hit = json!({ "name": name, "params": params, "timestamp_micros": micros });
        match hit.to_string().len() > BODY_BYTES_MAX {
            true => Err(LeftOut::Refused(reason::too_large(KIND.name, BODY_BYTES_MAX))),
            false => Ok((head, hit)),
        }
    }
}

/// The events that may share a request: Google reads client, user and consent once in it.
struct Group {
    head: Map<String, Value>,
    hits: Vec<Value>,
    events: Vec<usize>,
    bytes: usize,
}

impl Group {
    fn add(groups: &mut Vec<Group>, head: Map<String, Value>, hit: Value, at: usize) {
        let more = hit.to_string().len();
        let has_room = |group: &&mut Group| {
            group.events.len() < EVENTS_MAX && group.bytes + more <= BODY_BYTES_MAX
        };
        match groups.iter_mut().rfind(|group| group.head == head).filter(has_room) {
            Some(group) => {
                group.hits.push(hit);
                group.events.push(at);
                group.bytes += more;
            }
            None => groups.push(Group { head, hits: vec![hit], events: vec![at], bytes: more }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::destination::{Mapped, SecretName};
    use crate::forward::destinations::conversion::mapped_order;
    use crate::forward::destinations::testing::problem;

    #[test]
    fn wrong_settings_are_told_with_their_remedy() {
        let with = |id: &str, more: &str| {
            problem(
                "ga4",
                &format!("measurement_id = '{id}'\napi_secret = {{ secret = 'S' }}\n{more}"),
            )
        };
        assert_eq!(with("G-ABC123", "parameters = ['store_id']\nuser_properties = ['plan']"), "");
        for id in ["", "G-", "ABC123", "G-abc", "G-A&api_secret=x", "UA-1-1"] {
            assert!(with(id, "").contains("destination.measurement_id: write the id"), "{id}");
        }
        let lead = with("G-ABC123", "lead = { value = 1, currency = 'euro' }");
        assert!(lead.contains("destination.lead: write the currency"), "{lead}");
        assert!(with("G-ABC123", "parameters = ['ga_x']").contains("is no name of a parameter"));
        let long = with("G-ABC123", &format!("user_properties = ['{}']", "p".repeat(25)));
        assert!(long.contains("is no name of a user property"), "{long}");
    }

    fn settings() -> Ga4 {
        Ga4 {
            measurement_id: "G-ABC123".to_owned(),
            api_secret: SecretName { secret: "S".to_owned() },
            region: Region::Any,
            user_properties: Vec::new(),
            parameters: Vec::new(),
            lead: None,
        }
    }

    #[test]
    fn a_rule_gives_name_and_fields_but_no_list_and_no_address() {
        let (event, mapped) = mapped_order();
        let one = BatchEvent { event: &event, source: None, person: None, mapped: &mapped };
        let (_, hit) = settings().hit(&one).unwrap();
        assert_eq!(hit["name"], "big_order");
        let params = &hit["params"];
        assert_eq!((&params["tier"], &params["value"]), (&json!("gold"), &json!(7.5)));
        assert!(params.get("note").is_none() && params.get("list").is_none());
    }

    #[test]
    fn whether_google_knows_a_repeat_depends_on_the_name_that_it_gets() {
        let (event, big) = mapped_order();
        let named = |name: Option<&str>| Mapped { name: name.map(str::to_owned), ..big.clone() };
        let is_assumed = |mapped: &Mapped| {
            settings()
                .assumes_sent(&BatchEvent { event: &event, source: None, person: None, mapped }, 0)
        };
        assert!(is_assumed(&big));
        assert!(!is_assumed(&named(None)) && !is_assumed(&named(Some("purchase"))));
    }

    #[test]
    fn a_secret_that_would_change_the_address_counts_as_missing() {
        let settings = settings();
        for secret in ["", "a b", "a&b=c", "a#", "a\n"] {
            assert_eq!(settings.url(secret), Err(MissingSecret("S".to_owned())), "{secret:?}");
        }
        assert!(settings.url("aB3-_").is_ok_and(|url| url.ends_with("&api_secret=aB3-_")));
    }
}
