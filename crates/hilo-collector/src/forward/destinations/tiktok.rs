//! TikTok Events API 2.0: events → `POST /open_api/v1.3/event/track/` with hashed contact details
//! (<https://business-api.tiktok.com/portal/docs?id=1771100865818625>).
//!
//! TikTok answers 200 to nearly everything: the code in the body decides. It knows an event again by its name and id for 48 hours, so
//! a repeat counts once. City, region and country are not sent, because nobody outside TikTok knows in which form it takes them.

use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::consent::{Choice, Purpose};
use hilo_core::event::{Event, EventKind};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{by_status, post, quoted, retry};
use super::commerce::Product;
use super::conversion::{
    Contact, Place, choice, goods, has_address, is_page, page_referrer, page_url, put, query,
    remove_addresses, service_id, standard_name, units, user_agent, worth,
};
use super::hashing;
use crate::forward::destination::{
    Acceptance, Batch, BatchEvent, Destination, Kind, LeftOut, Limits, MappedRequest, Mapping,
    MissingSecret, OptIns, Reception, SecretName,
};
use crate::forward::reason;
use crate::platform::Response;

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "tiktok",
    title: "TikTok Events API",
    is_silent: false,
    optins: OptIns::Read,
    load,
    purposes: &[Purpose::Advertising],
    limits: Limits {
        // The limit is not published. Other senders stop at 50.
        events: 50,
        bytes: 500_000,
        age_s_max: None,
        is_ordered: false,
        mixes_people: true,
        wants_person: true,
        pace: None,
    },
};

const URL: &str = "https://business-api.tiktok.com/open_api/v1.3/event/track/";

/// The settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TikTok {
    /// The code of the pixel that gets the events of pages.
    pixel_code: String,
    /// The id of the event set that gets the events of shops, telephones and servers.
    offline_event_set_id: Option<String>,
    /// The access token.
    access_token: SecretName,
    /// Shows the events in TikTok's test tool.
    test_event_code: Option<String>,
    /// Names of further acts that become events of their own name.
    #[serde(default)]
    also: Vec<String>,
}

fn load(entry: &DestinationEntry) -> Result<Box<dyn Destination>, Problem> {
    let settings: TikTok = entry.read_settings()?;
    let is_id =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let why = "write the letters and digits that Events Manager shows";
    if !is_id(&settings.pixel_code) {
        return Err(entry.problem("pixel_code", ProblemCode::BadValue, why));
    }
    if settings.offline_event_set_id.as_deref().is_some_and(|id| !is_id(id)) {
        return Err(entry.problem("offline_event_set_id", ProblemCode::BadValue, why));
    }
    Ok(Box::new(settings))
}

impl Destination for TikTok {
    fn wants(&self, event: &Event) -> bool {
        match &event.kind {
            EventKind::Track { event: label, .. } => {
                standard_name(label).is_some() || self.also.contains(label)
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
        // One request names one pixel or one event set.
        let (mut web, mut offline) = (Vec::new(), Vec::new());
        for (at, one) in batch.events.iter().enumerate() {
            let is_web = Place::of(one.event) == Place::Web;
            let made = match (is_web, &self.offline_event_set_id) {
                (false, None) => Err(LeftOut::Refused(reason::invalid(
                    "it has no page, and the settings have no offline_event_set_id",
                ))),
                (true, _) | (false, Some(_)) => item(one, is_web),
            };
            match made {
                Ok(item) if is_web => web.push((at, item)),
                Ok(item) => offline.push((at, item)),
                Err(why) => mapping.left_out.push((at, why)),
            }
        }
        let set = self.offline_event_set_id.as_deref().unwrap_or_default();
        for (source, id, items) in
            [("web", self.pixel_code.as_str(), web), ("offline", set, offline)]
        {
            if items.is_empty() {
                continue;
            }
            let (events, data): (Vec<usize>, Vec<Value>) = items.into_iter().unzip();
            let mut body = json!({ "event_source": source, "event_source_id": id, "data": data });
            if let Value::Object(body) = &mut body {
                put(body, "test_event_code", self.test_event_code.clone());
            }
            let outgoing = post(URL.to_owned(), &[("access-token", token.clone())], &body);
            mapping.requests.push(MappedRequest { outgoing, events, step: 0 });
        }
        Ok(mapping)
    }

    /// The body's code comes first: TikTok's brake may stand in an answer 401.
    fn classify(&self, request: &MappedRequest, response: &Response) -> Reception {
        if is_page(response) {
            return Reception::All(retry(response));
        }
        let body: Value = serde_json::from_str(&response.body).unwrap_or_default();
        let why = || reason::refused(&quoted(response));
        match body.get("code").and_then(Value::as_u64) {
            Some(0) => Reception::All(Acceptance::Delivered),
            Some(20_001) => partial(&body, request, &why()),
            Some(40_001 | 40_104 | 40_105) => {
                Reception::All(Acceptance::Unauthorized { reason: quoted(response) })
            }
            Some(40_100 | 50_000..) => Reception::All(retry(response)),
            Some(40_002) => match named(&body, request.events.len()) {
                Some(bad) => except(request.events.len(), bad, &why()),
                None => Reception::Poison { reason: why() },
            },
            Some(_) => Reception::Poison { reason: why() },
            // An answer without a code tells nothing, and TikTok counts a repeat once.
            None if (200..=299).contains(&response.status) => Reception::All(retry(response)),
            None => by_status(response),
        }
    }
}

/// Some events were refused. Where the answer does not list them, the halves of the request find them: a repeat counts once.
fn partial(body: &Value, request: &MappedRequest, why: &str) -> Reception {
    let listed = body.pointer("/data/failed_events").and_then(Value::as_array);
    let Some(listed) = listed.filter(|listed| !listed.is_empty()) else {
        return Reception::Poison { reason: why.to_owned() };
    };
    let mut each = vec![Acceptance::Delivered; request.events.len()];
    for failed in listed {
        let place = failed.get("order_in_batch").and_then(Value::as_u64);
        let place = place.and_then(|place| usize::try_from(place).ok());
        let Some(slot) = place.and_then(|place| each.get_mut(place)) else {
            return Reception::Poison { reason: why.to_owned() };
        };
        let said = failed.get("error_message").and_then(Value::as_str).unwrap_or(why);
        *slot = Acceptance::Rejected { reason: reason::refused(said) };
    }
    Reception::Each(each)
}

/// The place of the event that a message names, such as `data[2].event_time`.
fn named(body: &Value, count: usize) -> Option<usize> {
    let message = body.get("message")?.as_str()?;
    let (_, rest) = message.split_once("data[")?;
    let place: usize = rest.split(']').next()?.parse().ok()?;
    (place < count).then_some(place)
}

/// TikTok has taken no event of the request, because of this one.
fn except(count: usize, bad: usize, why: &str) -> Reception {
    let mut each = vec![Acceptance::Again; count];
    if let Some(slot) = each.get_mut(bad) {
        *slot = Acceptance::Rejected { reason: why.to_owned() };
    }
    Reception::Each(each)
}

/// One event as TikTok has it.
fn item(one: &BatchEvent<'_>, is_web: bool) -> Result<Value, LeftOut> {
    let event = one.event;
    let user = user(one).ok_or_else(|| {
        let what = "an e-mail address, a phone number, a user's id or a cookie of TikTok";
        LeftOut::Skipped(reason::missing_identifier(what))
    })?;
    let mut properties = Value::Object(properties(one));
    remove_addresses(&mut properties);
    let own = match (&one.mapped.name, &event.kind) {
        (Some(name), _) => name.as_str(),
        (None, EventKind::Track { event: label, .. }) => standard_name(label).unwrap_or(label),
        (None, _) => "Pageview",
    };
    let mut item = json!({
        "event": own, "event_time": event.occurred_at.as_second(), "event_id": event.message_id, "user": user,
        "limited_data_use": choice(event, Purpose::SaleShare) == Choice::Denied,
    });
    if let Value::Object(item) = &mut item {
        let has_some = properties.as_object().is_some_and(|object| !object.is_empty());
        put(item, "properties", has_some.then_some(properties));
        if is_web {
            let mut page = Map::new();
            put(&mut page, "url", page_url(event));
            put(&mut page, "referrer", page_referrer(event));
            item.insert("page".to_owned(), Value::Object(page));
        }
    }
    remove_addresses(&mut item);
    let is_whole = |name: &str| item.pointer(name).is_some();
    match is_whole("/event") && is_whole("/event_id") && (!is_web || is_whole("/page/url")) {
        true => Ok(item),
        false => Err(LeftOut::Refused(reason::invalid(
            "an e-mail address stands in its name, its id or its page's address",
        ))),
    }
}

/// Whom the event is about. `None` if nothing of it can lead TikTok to a person.
fn user(one: &BatchEvent<'_>) -> Option<Map<String, Value>> {
    let event = one.event;
    let contact = Contact::of(one, |_| true);
    let list = |hash: Option<Value>| hash.map(|hash| vec![hash]);
    let mut user = Map::new();
    put(&mut user, "email", list(contact.hash("email", hashing::email)));
    put(&mut user, "phone", list(contact.hash("phone", hashing::phone_tiktok)));
    let id = contact.user_id().and_then(|id| hashing::hashed(id, hashing::id));
    put(&mut user, "external_id", list(id.map(Value::from)));
    put(&mut user, "ttclid", service_id(event, "ttclid"));
    put(&mut user, "ttp", contact.service_id("ttp"));
    if user.is_empty() {
        return None;
    }
    put(&mut user, "first_name", contact.hash("firstName", hashing::name));
    put(&mut user, "last_name", contact.hash("lastName", hashing::name));
    put(&mut user, "zip_code", contact.address_hash("postalCode", hashing::postal_code));
    put(&mut user, "user_agent", user_agent(event));
    put(&mut user, "locale", event.context.locale.as_deref());
    Some(user)
}

/// The goods and the money, and what the deployer's rules add.
fn properties(one: &BatchEvent<'_>) -> Map<String, Value> {
    let goods = goods(one.event);
    let mut properties = Map::new();
    if let Some((value, currency)) = worth(&goods) {
        properties.insert("value".to_owned(), Value::Number(value));
        properties.insert("currency".to_owned(), Value::String(currency));
    }
    put(&mut properties, "order_id", goods.order_id);
    put(&mut properties, "query", query(one.event));
    let contents: Vec<Value> = goods.products.iter().filter_map(content).collect();
    if !contents.is_empty() {
        put(&mut properties, "num_items", units(&goods));
        properties.insert("contents".to_owned(), Value::Array(contents));
        properties.insert("content_type".to_owned(), "product".into());
    }
    for (name, value) in one.mapped.fields.iter().filter(|(_, value)| !value.is_null()) {
        properties.insert(name.clone(), value.clone());
    }
    properties
}

fn content(product: &Product<'_>) -> Option<Value> {
    let id = product.id.filter(|id| !has_address(id))?;
    let mut content = Map::new();
    content.insert("content_id".to_owned(), id.into());
    content.insert("content_type".to_owned(), "product".into());
    put(&mut content, "content_name", product.name);
    put(&mut content, "content_category", product.category);
    put(&mut content, "brand", product.brand);
    put(&mut content, "price", product.price.cloned().map(Value::Number));
    let quantity = product.quantity.filter(|quantity| quantity.as_f64().is_some_and(|n| n >= 0.0));
    put(&mut content, "quantity", quantity.cloned().map(Value::Number));
    Some(Value::Object(content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::destinations::conversion::mapped_order;
    use crate::forward::destinations::testing::problem;

    #[test]
    fn wrong_settings_are_told_with_their_remedy() {
        let with = |pixel: &str, more: &str| {
            problem(
                "tiktok",
                &format!("pixel_code = '{pixel}'\naccess_token = {{ secret = 'T' }}\n{more}"),
            )
        };
        assert_eq!(with("C4ABC123", "offline_event_set_id = '7001'"), "");
        assert!(
            with("C4/ABC", "").contains("destination.pixel_code: write the letters and digits")
        );
        let wrong = with("C4ABC123", "offline_event_set_id = ''");
        assert!(wrong.contains("destination.offline_event_set_id: write the letters"), "{wrong}");
    }

    #[test]
    fn a_rule_gives_name_and_fields_and_no_address() {
        let (event, mapped) = mapped_order();
        let one = BatchEvent { event: &event, source: None, person: None, mapped: &mapped };
        let made = item(&one, false).unwrap();
        assert_eq!(made["event"], "big_order");
        let properties = &made["properties"];
        assert_eq!((&properties["tier"], &properties["value"]), (&json!("gold"), &json!(7.5)));
        assert!(properties.get("note").is_none());
    }
}
