//! What happened, on the contact's timeline: custom events, and forms that were submitted.
//!
//! Events → one `send/batch` request and one request for each form. HubSpot refuses a property that the event's definition lacks, so
//! only its default properties are sent unasked.

use hilo_core::event::{Event, EventKind};
use hilo_core::text::shortened;
use serde_json::{Map, Value, json};

use super::settings::{EVENT, Form, HubSpot, put_new, snake, split_name};
use crate::forward::destination::{Batch, BatchEvent, MappedRequest, Mapping, MissingSecret};
use crate::forward::destinations::contact::{Contact, text, track};

/// The longest address in a default property, in bytes.
const URL_BYTES_MAX: usize = 1_024;
/// The longest other text, in bytes.
const TEXT_BYTES_MAX: usize = 256;
/// The most properties of an event.
const PROPERTIES_MAX: usize = 50;

impl HubSpot {
    /// The full name of the custom event that an event is, if it is one.
    pub(super) fn event_name(&self, one: &BatchEvent<'_>) -> Option<String> {
        let own = match &one.event.kind {
            EventKind::Page { .. } => "page",
            EventKind::Screen { .. } => "screen",
            EventKind::Track { event, .. } => event,
            EventKind::Identify { .. } | EventKind::Group { .. } | EventKind::Alias { .. } => {
                return None;
            }
        };
        let prefixed = |name: &str| Some(format!("{}{}", self.event_prefix.as_ref()?, snake(name)));
        match &one.mapped.name {
            Some(name) if split_name(name).is_some() => Some(name.clone()),
            Some(name) => prefixed(name),
            None => self.event_names.get(own).cloned().or_else(|| match own {
                "page" => prefixed("page_viewed"),
                "screen" => prefixed("screen_viewed"),
                _ => prefixed(own),
            }),
        }
    }

    pub(super) fn events(
        &self,
        batch: &Batch<'_>,
        named: &[(usize, String)],
        mapping: &mut Mapping,
    ) -> Result<(), MissingSecret> {
        let (mut inputs, mut events) = (Vec::new(), Vec::new());
        for (at, email) in named {
            let Some(one) = batch.events.get(*at) else { continue };
            if let Some(form) = self.form(one.event) {
                let outgoing = self.submission(one, form, email, batch)?;
                mapping.requests.push(MappedRequest { outgoing, events: vec![*at], step: EVENT });
            } else if let Some(name) = self.event_name(one) {
                inputs.push(json!({
                    "eventName": name, "email": email,
                    "occurredAt": one.event.occurred_at.to_string(), "uuid": one.event.message_id,
                    "properties": self.event_properties(one),
                }));
                events.push(*at);
            }
        }
        if !events.is_empty() {
            let path = format!("events/custom/{}/send/batch", self.version);
            let outgoing = self.call("POST", &path, &json!({"inputs": inputs}), &batch.access)?;
            mapping.requests.push(MappedRequest { outgoing, events, step: EVENT });
        }
        Ok(())
    }

    fn event_properties(&self, one: &BatchEvent<'_>) -> Map<String, Value> {
        let mut all = Map::new();
        for (name, value) in &one.mapped.fields {
            if let Some(text) = text(value) {
                put_new(&mut all, name, Some(shortened(&text, TEXT_BYTES_MAX)));
            }
        }
        for name in &self.event_properties {
            let value = one.event.kind.details().and_then(|details| details.get(name));
            let text = value.filter(|value| !value.is_null()).and_then(text);
            let text = text.as_deref().map(|text| shortened(text, TEXT_BYTES_MAX));
            put_new(&mut all, &snake(name), text);
        }
        put_default(one.event, &mut all);
        all.into_iter().take(PROPERTIES_MAX).collect()
    }

    fn submission(
        &self,
        one: &BatchEvent<'_>,
        form: &Form,
        email: &str,
        batch: &Batch<'_>,
    ) -> Result<crate::platform::Outgoing, MissingSecret> {
        let told = self.properties_of(one);
        let mut fields = vec![json!({"objectTypeId": "0-1", "name": "email", "value": email})];
        for name in form.fields.iter().filter(|name| *name != "email") {
            let details =
                track(one.event).and_then(|(_, details)| details.get(name)).and_then(text);
            let value = told.get(name).and_then(Value::as_str).map(str::to_owned).or(details);
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                fields.push(json!({"objectTypeId": "0-1", "name": name, "value": value}));
            }
        }
        let mut context = Map::new();
        if let Some(page) = &one.event.context.page {
            put_new(&mut context, "pageUri", page.url.as_deref());
            put_new(&mut context, "pageName", page.title.as_deref());
        }
        // The browser whose earlier visits HubSpot knows.
        put_new(&mut context, "hutk", Contact::of(one).service_id("hubspotutk"));
        let mut body = json!({
            "fields": fields, "context": context,
            "submittedAt": one.event.occurred_at.as_millisecond().to_string(),
        });
        if let (Some(words), Some(body)) = (&form.consent_text, body.as_object_mut()) {
            let agreed = json!({"consent": self.agreed(&Contact::of(one), words)});
            body.insert("legalConsentOptions".to_owned(), agreed);
        }
        let portal = self.portal_id.unwrap_or_default();
        let url = format!(
            "https://api.hsforms.com/submissions/v3/integration/secure/submit/{portal}/{}",
            form.guid
        );
        self.post(url, &body, &batch.access)
    }

    /// What the person has agreed to: that the form is processed, and e-mail where the opt-in stands.
    fn agreed(&self, contact: &Contact<'_>, words: &str) -> Value {
        let mut agreed = json!({"consentToProcess": true, "text": words});
        let choice =
            self.subscription_id.zip(contact.stands(hilo_core::consent::OptInChannel::Email));
        if let (Some((subscription, may_write)), Some(agreed)) = (choice, agreed.as_object_mut()) {
            let one =
                json!({"value": may_write, "subscriptionTypeId": subscription, "text": words});
            agreed.insert("communications".to_owned(), json!([one]));
        }
        agreed
    }
}

/// The default properties of HubSpot's events, as far as the event has them.
fn put_default(event: &Event, all: &mut Map<String, Value>) {
    if let Some(page) = &event.context.page {
        // Half an address leads nowhere.
        let is_short = |url: &&str| url.len() <= URL_BYTES_MAX;
        put_new(all, "hs_page_url", page.url.as_deref().filter(is_short));
        put_new(all, "hs_referrer", page.referrer.as_deref().filter(is_short));
        put_new(
            all,
            "hs_page_title",
            page.title.as_deref().map(|title| shortened(title, TEXT_BYTES_MAX)),
        );
    }
    if let Some(campaign) = &event.context.campaign {
        for (name, text) in [
            ("hs_utm_source", &campaign.source),
            ("hs_utm_medium", &campaign.medium),
            ("hs_utm_campaign", &campaign.name),
            ("hs_utm_content", &campaign.content),
            ("hs_utm_term", &campaign.term),
        ] {
            put_new(all, name, text.as_deref().map(|text| shortened(text, TEXT_BYTES_MAX)));
        }
    }
}
