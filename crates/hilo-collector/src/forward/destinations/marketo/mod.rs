//! Adobe Marketo Engage: leads by address of e-mail, custom activities, orders as custom objects, and submitted forms
//! (<https://developer.adobe.com/marketo-apis/>).
//!
//! Event and person → requests of up to four steps: lead, order, new order, activity or form. The answer of the first step tells the
//! lead's id, which activities need. An event without an address of e-mail is skipped. Deletes nobody: Marketo deletes by an id that a
//! person does not have.

mod answers;
mod records;
mod settings;

use hilo_core::config::{DestinationEntry, Problem};
use hilo_core::consent::Purpose;
use hilo_core::event::{Event, EventKind};
use hilo_core::rate::Rate;

use self::settings::Marketo;
use super::contact::{Contact, by_email, insert_by_time, is_choice, is_form, track};
use crate::access::marketo;
use crate::forward::destination::{
    Batch, BatchEvent, Destination, Kind, LeftOut, Limits, MappedRequest, Mapping, MissingSecret,
    OAuth, OptIns, Reception,
};
use crate::forward::reason;
use crate::platform::Response;

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "marketo",
    title: "Adobe Marketo Engage",
    is_silent: false,
    optins: OptIns::Kept,
    load,
    purposes: &[Purpose::Analytics],
    limits: Limits {
        // Marketo takes 300 records. The answer has about 150 bytes for each, or 1 KB with a long reason, and 64 KB of it are read.
        events: 50,
        // Marketo takes 1 MB. A record has less than its event.
        bytes: 700_000,
        age_s_max: None,
        // A refund must not be overwritten by its order.
        is_ordered: true,
        mixes_people: true,
        wants_person: true,
        // 100 calls in 20 s, for all integrations of an instance. Adobe asks each to stay below the half.
        pace: Some(Rate { per_s: 2, burst: 5 }),
    },
};

fn load(entry: &DestinationEntry) -> Result<Box<dyn Destination>, Problem> {
    Ok(Box::new(settings::load(entry)?))
}

impl Destination for Marketo {
    fn wants(&self, event: &Event) -> bool {
        match &event.kind {
            EventKind::Identify { .. } => true,
            EventKind::Page { .. } => self.activities.contains_key("page"),
            EventKind::Screen { .. } => self.activities.contains_key("screen"),
            EventKind::Track { event, .. } => {
                is_form(event)
                    || is_choice(event)
                    || self.forms.contains_key(event)
                    || self.activities.contains_key(event)
                    || (self.orders.is_some() && records::is_order(event))
            }
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
        // A form makes its lead itself.
        let is_no_form = |(at, _): &&(usize, String)| {
            batch.events.get(*at).is_some_and(|one| self.form(one.event).is_none())
        };
        let leads: Vec<_> = named.iter().filter(is_no_form).cloned().collect();
        self.leads(batch, &by_email(&leads), &mut mapping)?;
        self.orders(batch, &named, &mut mapping)?;
        self.activities(batch, &named, &mut mapping)?;
        self.submissions(batch, &named, &mut mapping)?;
        Ok(mapping)
    }

    fn classify(&self, request: &MappedRequest, response: &Response) -> Reception {
        answers::classify(request, response, self.orders.as_ref())
    }

    fn found(&self, request: &MappedRequest, response: &Response) -> Vec<(String, String)> {
        match (request.step, &self.orders) {
            (settings::LEAD, _) if !self.activities.is_empty() => {
                answers::lead_ids(request, response)
            }
            (settings::ORDER, Some(orders)) => answers::orders_found(request, response, orders),
            _ => Vec::new(),
        }
    }

    /// Marketo adds every activity and every submission again. Leads and orders bear a repeat.
    fn assumes_sent(&self, one: &BatchEvent<'_>, step: u32) -> bool {
        step == settings::ACTIVITY
            && (self.form(one.event).is_some() || self.activity(one).is_some())
    }

    fn oauth(&self) -> Option<OAuth> {
        Some(marketo::oauth(&self.munchkin_id, &self.client_id, &self.client_secret))
    }
}

impl Marketo {
    /// The address of the event's lead.
    ///
    /// # Errors
    /// Why the event is left out.
    fn email(&self, one: &BatchEvent<'_>) -> Result<String, LeftOut> {
        if !self.wants(one.event) {
            let why = reason::invalid("no setting asks for such an event");
            return Err(LeftOut::Skipped(why));
        }
        let is_order = track(one.event).is_some_and(|(name, _)| records::is_order(name));
        if self.orders.is_some() && is_order && records::order_id(one.event).is_none() {
            return Err(LeftOut::Refused(reason::invalid("an order needs its order_id")));
        }
        let missing = || LeftOut::Skipped(reason::missing_identifier("an e-mail address"));
        let email = Contact::of(one).email().ok_or_else(missing)?;
        match email.is_ascii() {
            true => Ok(email),
            false => Err(LeftOut::Refused(reason::invalid(
                "Marketo takes e-mail addresses in ASCII only",
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::forward::destination::{Acceptance, Access, Mapped, Token};

    #[test]
    fn an_order_without_a_state_is_written_by_one_call_and_a_missing_lead_refuses_it() {
        let settings = json!({"munchkin_id": "123-ABC-456", "client_id": {"secret": "I"}, "client_secret": {"secret": "S"},
            "orders": {"object": "order_c", "id": "orderId", "email": "leadEmail"}});
        let marketo: Marketo = serde_json::from_value(settings).unwrap();
        let event: Event = serde_json::from_value(json!({
            "messageId": "m1", "type": "track", "event": "Order Completed", "properties": {"order_id": "P-1"},
            "context": {"traits": {"email": "ana@shop.example"}},
            "timestamp": "2026-11-24T10:00:00Z", "receivedAt": "2026-11-24T10:00:00Z",
        }))
        .unwrap();
        let (token, mapped) = (Token { access: "at".to_owned(), host: None }, Mapped::default());
        let batch = Batch {
            events: vec![BatchEvent { event: &event, source: None, person: None, mapped: &mapped }],
            access: Access { secrets: &|_| None, token: Some(&token) },
            found: &[],
            now: "2026-11-24T10:00:05Z".parse().unwrap(),
        };
        let mapping = marketo.requests(&batch).unwrap();
        let steps: Vec<_> = mapping.requests.iter().map(|one| one.step).collect();
        assert_eq!(steps, [settings::LEAD, settings::ORDER]);
        let order = mapping.requests.last().unwrap();
        assert!(order.outgoing.body.contains("createOrUpdate"), "{}", order.outgoing.body);
        let skipped = json!({"status": "skipped", "reasons": [{"code": "1004", "message": "Lead not found"}]});
        let body = json!({"success": true, "result": [skipped]}).to_string();
        let response = Response { status: 200, body, ..Response::default() };
        let Reception::All(Acceptance::Rejected { reason }) = marketo.classify(order, &response)
        else {
            panic!("not refused")
        };
        assert!(reason.contains("1004"), "{reason}");
    }

    #[test]
    fn only_the_step_of_an_activity_counts_as_sent() {
        let settings = json!({"munchkin_id": "123-ABC-456", "client_id": {"secret": "I"}, "client_secret": {"secret": "S"},
            "activities": {"page": {"type": 1}, "Big Order": {"type": 2}}});
        let marketo: Marketo = serde_json::from_value(settings).unwrap();
        let is_assumed = |kind: &str, name: Option<&str>, step| {
            let event: Event = serde_json::from_value(json!({
                "messageId": "m1", "type": kind, "event": "Order Completed", "context": {},
                "timestamp": "2026-11-24T10:00:00Z", "receivedAt": "2026-11-24T10:00:00Z",
            }))
            .unwrap();
            let mapped = Mapped { name: name.map(str::to_owned), ..Mapped::default() };
            marketo.assumes_sent(
                &BatchEvent { event: &event, source: None, person: None, mapped: &mapped },
                step,
            )
        };
        assert!(is_assumed("page", None, settings::ACTIVITY));
        assert!((0..settings::ACTIVITY).all(|step| !is_assumed("page", None, step)));
        // The name that is sent decides.
        assert!(is_assumed("track", Some("Big Order"), settings::ACTIVITY));
        assert!(!is_assumed("track", None, settings::ACTIVITY));
    }
}
