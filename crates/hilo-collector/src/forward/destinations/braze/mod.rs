//! Braze: people as attributes, events as custom events, and what concerns goods as Braze's recommended `ecommerce.*` events
//! (`POST /users/track`, <https://www.braze.com/docs/api/endpoints/user_data/post_user_track>).
//!
//! Event and person → objects of `users/track`, at most 75 in a request. `objects.rs` writes people, `goods.rs` goods. Braze drops no
//! repeat, so an event that may have arrived is not sent again. Does not send legacy purchases and asks Braze nothing.

mod goods;
mod objects;

use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::consent::Purpose;
use hilo_core::event::{Event, EventKind, OPT_IN_REQUESTED};
use hilo_core::profile::Person;
use hilo_core::rate::Rate;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{by_status, post, quoted, retry};
use super::contact::{Contact, track};
use crate::forward::destination::{
    Acceptance, Access, Batch, BatchEvent, Destination, Kind, LeftOut, Limits, MappedRequest,
    Mapping, MissingSecret, OptIns, Reception, SecretName,
};
use crate::forward::reason;
use crate::platform::{Outgoing, Response};

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "braze",
    title: "Braze",
    is_silent: false,
    optins: OptIns::Kept,
    load,
    purposes: &[Purpose::Analytics],
    limits: Limits {
        events: OBJECTS_MAX,
        // Braze takes 4 MB. Its own names and the person add less than the event has.
        bytes: 1_500_000,
        age_s_max: None,
        is_ordered: false,
        mixes_people: true,
        wants_person: true,
        // Braze allows 3,000 requests in 3 s for the whole company.
        pace: Some(Rate { per_s: 50, burst: 100 }),
    },
};

/// The most objects of one request, of all arrays together (<https://www.braze.com/docs/api/api_limits>).
const OBJECTS_MAX: usize = 75;
/// The most people of one request that joins or deletes them.
const PEOPLE_MAX: usize = 50;

/// The step that joins a device to its user.
const JOIN: u32 = 0;
/// The step that brings attributes and events.
const TRACK: u32 = 1;
/// The clusters whose hosts end with `.braze.com`.
const CLUSTERS_COM: [&str; 13] = [
    "iad-01", "iad-02", "iad-03", "iad-04", "iad-05", "iad-06", "iad-07", "iad-08", "us-09",
    "us-10", "au-01", "id-01", "jp-01",
];
/// The clusters whose hosts end with `.braze.eu`.
const CLUSTERS_EU: [&str; 2] = ["fra-01", "fra-02"];

/// The settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Braze {
    /// The cluster, such as `fra-01`.
    instance: String,
    /// The REST API key.
    key: SecretName,
    /// The app to which events belong.
    app_id: Option<String>,
    /// The label of aliases: the name under which Braze keeps the ids of devices.
    #[serde(default = "alias_label")]
    alias_label: String,
    /// Where a shop sells, as Braze's events about goods name it.
    #[serde(default = "source")]
    source: String,
    /// Traits that become custom attributes of the same name.
    #[serde(default)]
    attributes: Vec<String>,
    /// The subscription groups that follow the opt-ins.
    #[serde(default)]
    subscription_groups: Groups,
}

/// The id of the subscription group for each channel that Braze writes by.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Groups {
    email: Option<String>,
    sms: Option<String>,
}

fn alias_label() -> String {
    "hilo_anonymous_id".to_owned()
}

fn source() -> String {
    "web".to_owned()
}

fn load(entry: &DestinationEntry) -> Result<Box<dyn Destination>, Problem> {
    let braze: Braze = entry.read_settings()?;
    if host(&braze.instance).is_none() {
        let why = "Braze has no such instance: it is the part between `rest.` and `.braze` of your REST \
                   endpoint, such as `fra-01`";
        return Err(entry.problem("instance", ProblemCode::BadValue, why));
    }
    if braze.alias_label.is_empty() {
        return Err(entry.problem("alias_label", ProblemCode::BadValue, "a label has a name"));
    }
    Ok(Box::new(braze))
}

fn host(instance: &str) -> Option<String> {
    let ending = match instance {
        _ if CLUSTERS_COM.contains(&instance) => "com",
        _ if CLUSTERS_EU.contains(&instance) => "eu",
        _ => return None,
    };
    Some(format!("rest.{instance}.braze.{ending}"))
}

impl Destination for Braze {
    /// Braze has no use for groups and for the joining of ids that nobody vouches for. A request to confirm a subscription belongs to
    /// the carrier that `hilo.toml` names.
    fn wants(&self, event: &Event) -> bool {
        match &event.kind {
            EventKind::Track { event, .. } => event != OPT_IN_REQUESTED,
            EventKind::Page { .. } | EventKind::Screen { .. } | EventKind::Identify { .. } => true,
            EventKind::Group { .. } | EventKind::Alias { .. } => false,
        }
    }

    /// Step 0 joins a device's alias with the user who was just identified. Step 1 brings attributes and events.
    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let mut mapping = Mapping::default();
        let mut joined = Vec::new();
        let mut written = Vec::new();
        for (at, one) in batch.events.iter().enumerate() {
            match self.objects(one) {
                Ok(objects) => written.push((at, objects)),
                Err(why) => mapping.left_out.push((at, why)),
            }
        }
        written.retain(|(at, objects)| {
            if let Some(join) = &objects.join {
                joined.push((*at, join.clone()));
            }
            let is_empty = objects.attributes.is_none() && objects.event.is_none();
            if is_empty && objects.join.is_none() {
                let why = "the event tells nothing of the person that Braze keeps";
                mapping.left_out.push((*at, LeftOut::Skipped(reason::invalid(why))));
            }
            !is_empty
        });
        for people in joined.chunks(PEOPLE_MAX) {
            let list: Vec<&Value> = people.iter().map(|(_, join)| join).collect();
            let body = json!({"aliases_to_identify": list, "merge_behavior": "merge"});
            let events = people.iter().map(|(at, _)| *at).collect();
            let outgoing = self.post("users/identify", &body, &batch.access)?;
            mapping.requests.push(MappedRequest { outgoing, events, step: JOIN });
        }
        self.track(written, &batch.access, &mut mapping)?;
        Ok(mapping)
    }

    fn classify(&self, request: &MappedRequest, response: &Response) -> Reception {
        match response.status {
            200..=299 => accepted(request, response),
            429 => Reception::All(throttled(response)),
            _ => by_status(response),
        }
    }

    /// Braze adds every event, also one that it has already. A join and attributes alone bear a repeat.
    fn assumes_sent(&self, one: &BatchEvent<'_>, step: u32) -> bool {
        step == TRACK && !matches!(one.event.kind, EventKind::Identify { .. })
    }

    fn deletion(
        &self,
        person: &Person,
        access: &Access<'_>,
    ) -> Option<Result<Outgoing, MissingSecret>> {
        let mut body = Map::new();
        if let Some(id) = &person.user_id {
            body.insert("external_ids".to_owned(), json!([id]));
        }
        let aliases = person.anonymous_ids.iter().take(PEOPLE_MAX).map(|id| self.alias(id));
        let aliases: Vec<Value> = aliases.collect();
        if !aliases.is_empty() {
            body.insert("user_aliases".to_owned(), aliases.into());
        }
        let outgoing = self.post("users/delete", &Value::Object(body), access);
        let is_nobody = person.user_id.is_none() && person.anonymous_ids.is_empty();
        (outgoing.is_err() || !is_nobody).then_some(outgoing)
    }
}

/// What one event is for Braze.
struct Objects {
    /// The device's alias that becomes part of a user.
    join: Option<Value>,
    attributes: Option<Value>,
    event: Option<Value>,
}

impl Objects {
    fn count(&self) -> usize {
        usize::from(self.attributes.is_some()) + usize::from(self.event.is_some())
    }

    /// The place among the objects of a request: attributes alone, then both, then events alone.
    fn rank(&self) -> u8 {
        match (&self.attributes, &self.event) {
            (Some(_), None) | (None, None) => 0,
            (Some(_), Some(_)) => 1,
            (None, Some(_)) => 2,
        }
    }
}

impl Braze {
    fn objects(&self, one: &BatchEvent<'_>) -> Result<Objects, LeftOut> {
        if !self.wants(one.event) {
            let why = LeftOut::Skipped(reason::invalid("Braze has no use for such an event"));
            return Err(why);
        }
        let contact = Contact::of(one);
        let Some(identity) = self.identity(one, &contact) else {
            let what = "a user id, a device's id or an e-mail address";
            return Err(LeftOut::Skipped(reason::missing_identifier(what)));
        };
        let is_identify = matches!(one.event.kind, EventKind::Identify { .. });
        let join = Some(one).filter(|_| is_identify).and_then(|one| self.join(one));
        let attributes = contact.is_told().then(|| self.attributes(one, &contact, &identity));
        let event = match is_identify {
            true => None,
            false => Some(self.event(one, &identity)?),
        };
        Ok(Objects { join, attributes: attributes.flatten(), event })
    }

    /// Makes the requests of step 1. The events of a request stand in the order of [`Objects::rank`], so that an answer that names an
    /// object by its array and index names an event ([`place`]).
    fn track(
        &self,
        written: Vec<(usize, Objects)>,
        access: &Access<'_>,
        mapping: &mut Mapping,
    ) -> Result<(), MissingSecret> {
        let mut rest = written.into_iter().peekable();
        while rest.peek().is_some() {
            let mut count = 0;
            let mut taken = Vec::new();
            while let Some(next) = rest.next_if(|(_, next)| count + next.count() <= OBJECTS_MAX) {
                count += next.1.count();
                taken.push(next);
            }
            let (mut attributes, mut sent, mut events) = (Vec::new(), Vec::new(), Vec::new());
            for rank in 0..=2 {
                for (at, objects) in taken.iter().filter(|(_, objects)| objects.rank() == rank) {
                    attributes.extend(&objects.attributes);
                    sent.extend(&objects.event);
                    events.push(*at);
                }
            }
            let mut body = Map::new();
            for (name, objects) in [("attributes", attributes), ("events", sent)] {
                if !objects.is_empty() {
                    body.insert(name.to_owned(), json!(objects));
                }
            }
            let outgoing = self.post("users/track", &Value::Object(body), access)?;
            mapping.requests.push(MappedRequest { outgoing, events, step: TRACK });
        }
        Ok(())
    }

    fn post(
        &self,
        path: &str,
        body: &Value,
        access: &Access<'_>,
    ) -> Result<Outgoing, MissingSecret> {
        let url = format!("https://{}/{path}", host(&self.instance).unwrap_or_default());
        let key = format!("Bearer {}", access.secret(&self.key)?);
        Ok(post(url, &[("authorization", key)], body))
    }
}

/// Reads a 2xx answer: Braze has taken the request, except for the objects that `errors` names. Nothing of it is sent again, because
/// what was taken would count twice. Only a page of HTML is no answer of Braze.
fn accepted(request: &MappedRequest, response: &Response) -> Reception {
    if response.body.trim_start().starts_with('<') {
        return Reception::All(retry(response));
    }
    let body: Value = serde_json::from_str(&response.body).unwrap_or_default();
    let errors = body.get("errors").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if errors.is_empty() {
        return Reception::All(Acceptance::Delivered);
    }
    let sent: Value = serde_json::from_str(&request.outgoing.body).unwrap_or_default();
    let refused = || Acceptance::Rejected { reason: reason::refused(&quoted(response)) };
    let mut each = vec![Acceptance::Delivered; request.events.len()];
    for error in errors {
        // An error that names no object is about the only event, or about none that can be told.
        let only = Some(0).filter(|_| each.len() == 1);
        let at = place(error, &sent, each.len()).or(only);
        if let Some(one) = at.and_then(|at| each.get_mut(at)) {
            *one = refused();
        }
    }
    Reception::Each(each)
}

/// The place among the request's events of the object that an error names: attributes belong to the first events, events to the last.
fn place(error: &Value, sent: &Value, count: usize) -> Option<usize> {
    let array = error.get("input_array")?.as_str()?;
    let index = usize::try_from(error.get("index")?.as_u64()?).ok()?;
    match array {
        "attributes" | "user_attributes" => Some(index),
        "events" => (count + index).checked_sub(sent.get("events")?.as_array()?.len()),
        _ => None,
    }
}

/// Braze names the seconds to wait in a header of its own.
fn throttled(response: &Response) -> Acceptance {
    let own = response.headers.get("x-ratelimit-retry-after").map(str::to_owned);
    match retry(response) {
        Acceptance::Retry { after, reason } => Acceptance::Retry { after: after.or(own), reason },
        other @ (Acceptance::Delivered
        | Acceptance::Again
        | Acceptance::Rejected { .. }
        | Acceptance::Unauthorized { .. }) => other,
    }
}

/// The event's name for Braze, where it is no event about goods.
fn plain_name(event: &Event) -> &str {
    match &event.kind {
        EventKind::Page { .. } => "Page Viewed",
        EventKind::Screen { .. } => "Screen Viewed",
        EventKind::Track { .. }
        | EventKind::Identify { .. }
        | EventKind::Group { .. }
        | EventKind::Alias { .. } => track(event).map_or("", |(name, _)| name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::destination::Mapped;
    use crate::forward::destinations::testing::problem;

    #[test]
    fn only_a_cluster_of_braze_is_an_instance() {
        let with = |instance: &str| {
            problem("braze", &format!("instance = '{instance}'\nkey = {{ secret = 'K' }}\n"))
        };
        assert_eq!(format!("{}{}", with("fra-01"), with("us-10")), "");
        for wrong in ["fra-03", "iad-09", "", "x.example/", "fra-01.braze.eu"] {
            assert!(with(wrong).contains("destination.instance"), "{wrong}");
        }
        assert_eq!(host("fra-02").as_deref(), Some("rest.fra-02.braze.eu"));
        assert_eq!(host("iad-05").as_deref(), Some("rest.iad-05.braze.com"));
    }

    #[test]
    fn an_error_names_the_event_of_its_object() {
        // Attributes of the first two events, and events of the last three.
        let sent = json!({"attributes": [0, 0], "events": [0, 0, 0]});
        let at = |array: &str, index: u64| {
            place(&json!({"input_array": array, "index": index}), &sent, 4)
        };
        assert_eq!(
            (at("attributes", 1), at("events", 0), at("events", 2)),
            (Some(1), Some(1), Some(3))
        );
        assert_eq!(at("purchases", 0), None);
    }

    #[test]
    fn without_user_and_device_a_person_is_known_by_the_address_or_not_at_all() {
        let settings = json!({"instance": "fra-01", "key": {"secret": "K"}});
        let braze: Braze = serde_json::from_value(settings).unwrap();
        let at = "2026-11-24T10:00:00Z";
        let identified = |traits: Value| {
            let event = json!({
                "messageId": "m1", "type": "identify", "traits": traits, "timestamp": at, "receivedAt": at,
                "context": {},
            });
            let event = serde_json::from_value(event).unwrap();
            let mapped = crate::forward::destination::Mapped::default();
            let one = BatchEvent { event: &event, source: None, person: None, mapped: &mapped };
            braze.objects(&one).map(|objects| objects.attributes)
        };
        let known = identified(json!({"email": "ana@shop.example", "firstName": "Ana"}));
        assert_eq!(known, Ok(Some(json!({"email": "ana@shop.example", "first_name": "Ana"}))));
        assert!(matches!(identified(json!({"firstName": "Ana"})), Err(LeftOut::Skipped(_))));
    }

    #[test]
    fn a_rule_adds_to_the_metadata_of_braze_own_events_and_to_the_properties_of_others() {
        let settings = json!({"instance": "fra-01", "key": {"secret": "K"}});
        let braze: Braze = serde_json::from_value(settings).unwrap();
        let event = json!({
            "messageId": "m1", "type": "track", "event": "Product Viewed", "userId": "ana", "context": {},
            "properties": {"product_id": "H-101", "price": 8.9, "currency": "EUR"},
            "timestamp": "2026-11-24T10:00:00Z", "receivedAt": "2026-11-24T10:00:00Z",
        });
        let event = serde_json::from_value(event).unwrap();
        let with = |name: Option<&str>| {
            let fields = json!({"season": "winter"}).as_object().cloned().unwrap();
            let mapped =
                crate::forward::destination::Mapped { name: name.map(str::to_owned), fields };
            let one = BatchEvent { event: &event, source: None, person: None, mapped: &mapped };
            braze.objects(&one).ok().and_then(|objects| objects.event).unwrap()
        };
        let (own, renamed) = (with(None), with(Some("Hat Seen")));
        assert_eq!(own["name"], "ecommerce.product_viewed");
        assert_eq!(own["properties"]["metadata"], json!({"season": "winter"}));
        assert_eq!(
            (&renamed["name"], &renamed["properties"]["season"]),
            (&json!("Hat Seen"), &json!("winter"))
        );
    }

    #[test]
    fn events_that_may_have_arrived_are_not_repeated_and_attributes_are() {
        let event = |kind: &str| -> Event {
            serde_json::from_value(json!({
                "messageId": "m1", "type": kind, "event": "x", "timestamp": "2026-11-24T10:00:00Z",
                "receivedAt": "2026-11-24T10:00:00Z", "context": {},
            }))
            .unwrap()
        };
        let settings = json!({"instance": "fra-01", "key": {"secret": "K"}});
        let braze: Braze = serde_json::from_value(settings).unwrap();
        let mapped = Mapped::default();
        let is_assumed = |kind: &str, step| {
            let event = event(kind);
            braze.assumes_sent(
                &BatchEvent { event: &event, source: None, person: None, mapped: &mapped },
                step,
            )
        };
        assert!(is_assumed("track", TRACK) && is_assumed("page", TRACK));
        assert!(!is_assumed("identify", TRACK) && !is_assumed("track", JOIN));
    }
}
