//! People and custom events as Braze has them: the identifier, profile fields, custom attributes, properties.
//!
//! Event and person → one object each. Fields that Braze would refuse are left out, because they only describe.

use hilo_core::consent::OptInChannel;
use hilo_core::event::{EventKind, Properties};
use hilo_core::text::shortened;
use serde_json::{Map, Value, json};

use super::goods::Goods;
use super::{Braze, plain_name};
use crate::forward::destination::{BatchEvent, LeftOut};
use crate::forward::destinations::contact::Contact;
use crate::forward::reason;

/// The longest name of an event or a property, and the longest text of one, in bytes: Braze counts characters.
const TEXT_BYTES_MAX: usize = 255;
/// The most bytes of an event's properties.
const PROPERTIES_BYTES_MAX: usize = 50 * 1024;

/// Traits of Segment's spec, and the profile fields of Braze that have their texts.
const FIELDS: [(&str, &str); 3] =
    [("firstName", "first_name"), ("lastName", "last_name"), ("avatar", "image_url")];

impl Braze {
    /// What names the person: the verified user, or else the device's alias, or else the address of e-mail.
    pub(super) fn identity(
        &self,
        one: &BatchEvent<'_>,
        contact: &Contact<'_>,
    ) -> Option<Properties> {
        let mut identity = Map::new();
        if let Some(id) = user_id(one) {
            identity.insert("external_id".to_owned(), id.into());
        } else if let Some(id) = device_id(one) {
            identity.insert("user_alias".to_owned(), self.alias(id));
            // Without this Braze silently makes no profile of an alias.
            identity.insert("_update_existing_only".to_owned(), false.into());
        } else {
            identity.insert("email".to_owned(), contact.email()?.into());
        }
        Some(identity)
    }

    pub(super) fn alias(&self, id: &str) -> Value {
        json!({"alias_name": id, "alias_label": self.alias_label})
    }

    /// The device's alias becomes part of the user whom the event has identified.
    pub(super) fn join(&self, one: &BatchEvent<'_>) -> Option<Value> {
        let (user, device) = (user_id(one)?, device_id(one)?);
        Some(json!({"external_id": user, "user_alias": self.alias(device)}))
    }

    /// The attributes of the person; `None` if there is nothing but its identifier.
    pub(super) fn attributes(
        &self,
        one: &BatchEvent<'_>,
        contact: &Contact<'_>,
        identity: &Properties,
    ) -> Option<Value> {
        let mut all = identity.clone();
        let named = all.len();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                all.insert(name.to_owned(), value);
            }
        };
        // A form or a choice about another address tells nothing of this profile, except what its person chose.
        if !contact.is_other {
            self.put_fields(one, contact, &mut put);
        }
        self.put_choices(contact, &mut put);
        if !matches!(one.event.kind, EventKind::Track { .. }) {
            for (name, value) in &one.mapped.fields {
                put(name, Some(value.clone()));
            }
        }
        // Nothing may rename the person.
        let told = all.len() > named;
        all.extend(identity.clone());
        told.then_some(Value::Object(all))
    }

    /// The fields of Braze's profiles, and the custom attributes that `hilo.toml` names.
    fn put_fields(
        &self,
        one: &BatchEvent<'_>,
        contact: &Contact<'_>,
        put: &mut impl FnMut(&str, Option<Value>),
    ) {
        for (from, to) in FIELDS {
            let is_text = |value: &&Value| value.is_string() || value.is_null();
            put(to, contact.value(from).filter(is_text).cloned());
        }
        put("email", contact.email().map(Value::from));
        put("phone", contact.phone().map(Value::from));
        let city = contact.place("city").and_then(Value::as_str);
        put("home_city", city.map(Value::from));
        put("country", contact.place("country").and_then(country));
        put("dob", contact.value("birthday").and_then(date));
        put("gender", contact.value("gender").and_then(gender));
        put("language", one.event.context.locale.as_deref().and_then(language));
        put("time_zone", one.event.context.timezone.as_deref().map(Value::from));
        for name in &self.attributes {
            put(name, contact.value(name).cloned());
        }
    }

    /// What the person has chosen about the channels that Braze writes by.
    fn put_choices(&self, contact: &Contact<'_>, put: &mut impl FnMut(&str, Option<Value>)) {
        let mut groups = Vec::new();
        let channels = [
            (OptInChannel::Email, Some("email_subscribe"), &self.subscription_groups.email),
            (OptInChannel::Push, Some("push_subscribe"), &None),
            (OptInChannel::Sms, None, &self.subscription_groups.sms),
        ];
        for (channel, field, group) in channels {
            let Some(may_write) = contact.choice(channel) else { continue };
            if let Some(field) = field {
                put(field, Some(if may_write { "opted_in" } else { "unsubscribed" }.into()));
            }
            if let Some(id) = group {
                let state = if may_write { "subscribed" } else { "unsubscribed" };
                groups.push(json!({"subscription_group_id": id, "subscription_state": state}));
            }
        }
        put("subscription_groups", Some(groups).filter(|all| !all.is_empty()).map(Value::from));
    }

    /// The event: one of Braze's own about goods, or else a custom event of its own name.
    pub(super) fn event(
        &self,
        one: &BatchEvent<'_>,
        identity: &Properties,
    ) -> Result<Value, LeftOut> {
        let goods = Goods::of(one.event, &self.source).map_err(LeftOut::Refused)?;
        let is_closed = goods.is_some() && one.mapped.name.is_none();
        let (name, mut properties) = match goods {
            Some(Goods { name, properties }) => (name, properties),
            None => (plain_name(one.event), plain_properties(one)),
        };
        let name = one.mapped.name.as_deref().unwrap_or(name);
        if is_closed && !one.mapped.fields.is_empty() {
            // The members of Braze's own events are closed, except for those of this one.
            let metadata = properties.entry("metadata").or_insert_with(|| json!({}));
            if let Some(metadata) = metadata.as_object_mut() {
                metadata.extend(one.mapped.fields.clone());
            }
        } else {
            properties.extend(one.mapped.fields.clone());
        }
        let bytes = Value::Object(properties.clone()).to_string().len();
        if bytes > PROPERTIES_BYTES_MAX {
            return Err(LeftOut::Refused(reason::too_large("braze", PROPERTIES_BYTES_MAX)));
        }
        let mut event = identity.clone();
        if let Some(app) = &self.app_id {
            event.insert("app_id".to_owned(), app.as_str().into());
        }
        let name = shortened(name, TEXT_BYTES_MAX);
        if name.is_empty() {
            return Err(LeftOut::Refused(reason::invalid("the event has no name")));
        }
        event.insert("name".to_owned(), name.into());
        event.insert("time".to_owned(), one.event.occurred_at.to_string().into());
        event.insert("properties".to_owned(), Value::Object(properties));
        Ok(Value::Object(event))
    }
}

fn user_id<'b>(one: &BatchEvent<'b>) -> Option<&'b str> {
    let known = one.person.and_then(|person| person.user_id.as_deref());
    one.event.user_id.as_deref().or(known).filter(|id| !id.is_empty())
}

fn device_id<'b>(one: &BatchEvent<'b>) -> Option<&'b str> {
    let known = one.person.and_then(|person| person.anonymous_ids.first()).map(String::as_str);
    one.event.anonymous_id.as_deref().or(known).filter(|id| !id.is_empty())
}

/// The event's own properties and where it happened, as far as Braze takes such names and texts.
fn plain_properties(one: &BatchEvent<'_>) -> Properties {
    let mut all = Map::new();
    if let Some(page) = &one.event.context.page {
        for (name, text) in
            [("url", &page.url), ("title", &page.title), ("referrer", &page.referrer)]
        {
            if let Some(text) = text {
                put_plain(&mut all, name, &text.as_str().into());
            }
        }
    }
    for (name, value) in one.event.kind.details().into_iter().flatten() {
        put_plain(&mut all, name, value);
    }
    all
}

fn put_plain(all: &mut Properties, name: &str, value: &Value) {
    let is_name = !name.is_empty() && name.len() <= TEXT_BYTES_MAX && !name.starts_with('$');
    let value = match value {
        Value::Null => return,
        Value::String(text) => shortened(text, TEXT_BYTES_MAX).into(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.clone(),
    };
    if is_name {
        all.insert(name.to_owned(), value);
    }
}

/// ISO 3166-1 alpha-2.
fn country(value: &Value) -> Option<Value> {
    let code = value.as_str()?.trim();
    let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_code.then(|| code.to_ascii_uppercase().into())
}

/// The language of a tag such as `es-MX`: ISO 639-1.
fn language(tag: &str) -> Option<Value> {
    let language = tag.split(['-', '_']).next()?;
    let is_code = language.len() == 2 && language.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_code.then(|| language.to_ascii_lowercase().into())
}

/// The day of a birthday: `YYYY-MM-DD`.
fn date(value: &Value) -> Option<Value> {
    let day = value.as_str()?.get(..10)?;
    day.parse::<jiff::civil::Date>().ok().map(|_| day.into())
}

/// Segment's word for a gender, or Braze's letter.
fn gender(value: &Value) -> Option<Value> {
    let letter = match value.as_str()?.trim().to_ascii_lowercase().as_str() {
        "male" | "m" => "M",
        "female" | "f" => "F",
        "other" | "o" => "O",
        "n" => "N",
        "p" => "P",
        _ => return None,
    };
    Some(letter.into())
}
