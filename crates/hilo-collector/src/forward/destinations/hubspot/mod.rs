//! HubSpot: contacts by address of e-mail, custom events on their timelines, submitted forms, orders and carts as objects, and the
//! subscription to e-mail (<https://developers.hubspot.com/docs/api-reference/overview>, dated paths).
//!
//! Event and person → requests of up to four steps: contact, subscription, object, event. The first three bear to be repeated. An event
//! without an address of e-mail is skipped. Creates no definitions: HubSpot must know custom properties and events already.

mod answers;
mod contacts;
mod events;
mod objects;
mod settings;

use hilo_core::config::{DestinationEntry, Problem};
use hilo_core::consent::{OptInChannel, Purpose};
use hilo_core::event::{Event, EventKind, OPT_IN_REQUESTED};
use hilo_core::profile::Person;
use hilo_core::rate::Rate;
use serde_json::json;

use self::settings::{App, EVENT, HubSpot, SUBSCRIPTION};
use super::commerce::Commerce;
use super::contact::{Contact, by_email, insert_by_time, is_choice, is_form, track};
use crate::forward::destination::{
    Access, Batch, BatchEvent, ClientAuth, Destination, Flow, Kind, LeftOut, Limits, MappedRequest,
    Mapping, MissingSecret, OAuth, OptIns, Reception,
};
use crate::forward::reason;
use crate::platform::{Outgoing, Response};

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "hubspot",
    title: "HubSpot",
    is_silent: false,
    optins: OptIns::Kept,
    load,
    purposes: &[Purpose::Analytics],
    limits: Limits {
        // HubSpot takes 100 contacts in a request.
        events: 100,
        bytes: 1_000_000,
        age_s_max: None,
        is_ordered: false,
        mixes_people: true,
        wants_person: true,
        // 100 requests in 10 s, for all integrations of an account without a plan.
        pace: Some(Rate { per_s: 4, burst: 20 }),
    },
};

/// The scopes that a grant asks for.
const SCOPES: &str = "crm.objects.contacts.write%20crm.objects.contacts.read%20\
    analytics.behavioral_events.send";

fn load(entry: &DestinationEntry) -> Result<Box<dyn Destination>, Problem> {
    Ok(Box::new(settings::load(entry)?))
}

impl Destination for HubSpot {
    fn wants(&self, event: &Event) -> bool {
        match &event.kind {
            EventKind::Identify { .. } => true,
            EventKind::Page { .. } => {
                self.event_names.contains_key("page") || self.event_prefix.is_some()
            }
            EventKind::Screen { .. } => {
                self.event_names.contains_key("screen") || self.event_prefix.is_some()
            }
            EventKind::Track { event, .. } => self.wants_name(event),
            EventKind::Group { .. } | EventKind::Alias { .. } => false,
        }
    }

    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let mut mapping = Mapping::default();
        let mut named = Vec::new();
        for (at, one) in batch.events.iter().enumerate() {
            match self.email(one) {
                Ok(email) => insert_by_time(batch, &mut named, at, email),
                Err(why) => mapping.left_out.push((at, why)),
            }
        }
        let is_no_form = |(at, _): &&(usize, String)| {
            batch.events.get(*at).is_some_and(|one| self.form(one.event).is_none())
        };
        let contacts: Vec<_> = named.iter().filter(is_no_form).cloned().collect();
        self.contacts(batch, &by_email(&contacts), &mut mapping)?;
        self.subscriptions(batch, &named, &mut mapping)?;
        self.objects(batch, &named, &mut mapping)?;
        self.events(batch, &named, &mut mapping)?;
        Ok(mapping)
    }

    fn classify(&self, request: &MappedRequest, response: &Response) -> Reception {
        answers::classify(request, response)
    }

    fn found(&self, request: &MappedRequest, response: &Response) -> Vec<(String, String)> {
        match self.orders {
            true => answers::contact_id(request, response).into_iter().collect(),
            false => Vec::new(),
        }
    }

    /// HubSpot counts a repeated submission and a repeated custom event again. The other steps bear a repeat.
    fn assumes_sent(&self, one: &BatchEvent<'_>, step: u32) -> bool {
        step == EVENT && (self.form(one.event).is_some() || self.event_name(one).is_some())
    }

    fn oauth(&self) -> Option<OAuth> {
        let App { client_id, client_secret, refresh_token } = self.app.clone()?;
        Some(OAuth {
            token_url: format!("https://api.hubapi.com/oauth/{}/token", self.version),
            authorize_url: Some(format!(
                "https://app.hubspot.com/oauth/authorize?scope={}",
                self.scopes()
            )),
            flow: Flow::Refresh {
                id: client_id,
                secret: client_secret,
                first: refresh_token,
                rotates: false,
            },
            client: ClientAuth::Body,
            host_member: None,
            hosts: &[],
            life_s: 1_800,
        })
    }

    fn deletion(
        &self,
        person: &Person,
        access: &Access<'_>,
    ) -> Option<Result<Outgoing, MissingSecret>> {
        let email = person.traits.get("email").and_then(|email| email.value.as_str());
        let body = json!({"objectId": email.unwrap_or_default().trim().to_lowercase(), "idProperty": "email"});
        let path = format!("crm/objects/{}/contacts/gdpr-delete", self.version);
        let outgoing = self.call("POST", &path, &body, access);
        (outgoing.is_err() || email.is_some()).then_some(outgoing)
    }
}

impl HubSpot {
    fn wants_name(&self, name: &str) -> bool {
        is_form(name)
            || self.forms.contains_key(name)
            || (is_choice(name) && self.subscription_id.is_some())
            || (self.orders && objects::is_order(name))
            || (self.carts && objects::is_cart(name))
            || self.event_names.contains_key(name)
            || (self.event_prefix.is_some() && name != OPT_IN_REQUESTED)
    }

    /// The address of the event's contact.
    ///
    /// # Errors
    /// Why the event is left out.
    fn email(&self, one: &BatchEvent<'_>) -> Result<String, LeftOut> {
        if !self.wants(one.event) {
            let why = reason::invalid("HubSpot has no use for such an event");
            return Err(LeftOut::Skipped(why));
        }
        if self.orders && is_nameless_order(one.event) {
            return Err(LeftOut::Refused(reason::invalid("an order needs its order_id")));
        }
        let missing = || LeftOut::Skipped(reason::missing_identifier("an e-mail address"));
        Contact::of(one).email().ok_or_else(missing)
    }

    fn scopes(&self) -> String {
        let mut scopes = SCOPES.to_owned();
        let more = [
            (self.orders, "crm.objects.orders.write"),
            (self.carts, "crm.objects.carts.write"),
            (self.subscription_id.is_some(), "communication_preferences.statuses.batch.write"),
            (!self.forms.is_empty(), "forms"),
        ];
        for (_, scope) in more.iter().filter(|(is_needed, _)| *is_needed) {
            scopes.push_str("%20");
            scopes.push_str(scope);
        }
        scopes
    }

    /// Brings what people have chosen about e-mail.
    fn subscriptions(
        &self,
        batch: &Batch<'_>,
        named: &[(usize, String)],
        mapping: &mut Mapping,
    ) -> Result<(), MissingSecret> {
        let Some(subscription) = self.subscription_id else { return Ok(()) };
        let (mut inputs, mut events) = (Vec::new(), Vec::new());
        for (at, email) in named {
            let Some(one) = batch.events.get(*at) else { continue };
            let contact = Contact::of(one);
            let told = contact.choice(OptInChannel::Email).filter(|_| contact.is_told());
            let Some(may_write) = told else { continue };
            let text = track(one.event).and_then(|(_, details)| details.get("text")?.as_str());
            let why = text.unwrap_or("The shop's record of opt-ins");
            inputs.push(json!({
                "subscriberIdString": email, "channel": "EMAIL", "subscriptionId": subscription,
                "statusState": if may_write { "SUBSCRIBED" } else { "UNSUBSCRIBED" },
                "legalBasis": self.legal_basis, "legalBasisExplanation": why,
            }));
            events.push(*at);
        }
        if !events.is_empty() {
            let path = format!("communication-preferences/{}/statuses/batch/write", self.version);
            let outgoing = self.call("POST", &path, &json!({"inputs": inputs}), &batch.access)?;
            mapping.requests.push(MappedRequest { outgoing, events, step: SUBSCRIPTION });
        }
        Ok(())
    }
}

fn is_nameless_order(event: &Event) -> bool {
    let is_order = track(event).is_some_and(|(name, _)| objects::is_order(name));
    is_order && Commerce::of(event).order_id.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::destination::Mapped;

    #[test]
    fn an_app_asks_for_the_scopes_that_its_settings_need() {
        let app = json!({"client_id": {"secret": "I"}, "client_secret": {"secret": "S"}});
        let hubspot: HubSpot = serde_json::from_value(json!({"orders": true, "app": app})).unwrap();
        let oauth = hubspot.oauth().unwrap();
        assert_eq!(oauth.token_url, "https://api.hubapi.com/oauth/2026-09/token");
        let scopes = oauth.authorize_url.unwrap();
        assert!(
            scopes.contains("crm.objects.orders.write") && !scopes.contains("forms"),
            "{scopes}"
        );
    }

    #[test]
    fn a_rule_names_the_event_whole_or_behind_the_prefix() {
        let settings = json!({"token": {"secret": "T"}, "event_prefix": "pe123_"});
        let hubspot: HubSpot = serde_json::from_value(settings).unwrap();
        let event = json!({
            "messageId": "m1", "type": "page", "properties": {}, "context": {},
            "timestamp": "2026-11-24T10:00:00Z", "receivedAt": "2026-11-24T10:00:00Z",
        });
        let event = serde_json::from_value(event).unwrap();
        let named = |name: Option<&str>| {
            let name = name.map(str::to_owned);
            let mapped = crate::forward::destination::Mapped { name, ..Default::default() };
            hubspot.event_name(&BatchEvent {
                event: &event,
                source: None,
                person: None,
                mapped: &mapped,
            })
        };
        assert_eq!(named(None).as_deref(), Some("pe123_page_viewed"));
        assert_eq!(named(Some("Hat Seen")).as_deref(), Some("pe123_hat_seen"));
        assert_eq!(named(Some("pe7_hat")).as_deref(), Some("pe7_hat"));
    }

    #[test]
    fn only_the_step_of_a_custom_event_counts_as_sent() {
        let settings =
            json!({"token": {"secret": "T"}, "event_names": {"page": "pe1_page_viewed"}});
        let hubspot: HubSpot = serde_json::from_value(settings).unwrap();
        let is_assumed = |kind: &str, name: Option<&str>, step| {
            let event: Event = serde_json::from_value(json!({
                "messageId": "m1", "type": kind, "event": "Order Completed", "context": {},
                "timestamp": "2026-11-24T10:00:00Z", "receivedAt": "2026-11-24T10:00:00Z",
            }))
            .unwrap();
            let mapped = Mapped { name: name.map(str::to_owned), ..Mapped::default() };
            hubspot.assumes_sent(
                &BatchEvent { event: &event, source: None, person: None, mapped: &mapped },
                step,
            )
        };
        assert!(is_assumed("page", None, EVENT));
        assert!((0..EVENT).all(|step| !is_assumed("page", None, step)));
        // The name that is sent decides.
        assert!(is_assumed("track", Some("pe1_big_order"), EVENT));
        assert!(!is_assumed("track", None, EVENT));
    }
}
