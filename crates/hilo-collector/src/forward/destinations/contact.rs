//! What an event and its person tell about a contact: traits, address, ids of other services, and what the person chose about a channel.
//!
//! Event and person → values under the names of Segment's `identify`. Knows no service and writes no name of one. What the person may
//! be known by was decided before: the person that comes here has only what consent allows.

use hilo_core::consent::{Decision, OptInChannel, OptInState, decide};
use hilo_core::event::{
    Event, EventKind, OPT_IN_CONFIRMED, OPT_IN_WITHDRAWN, Properties, purposes_of_service_id,
};
use hilo_core::profile::{Person, Trait};
use serde_json::{Map, Value};

use crate::forward::destination::{Acceptance, Batch, BatchEvent, Reception};

/// The longest address of e-mail (RFC 5321 4.5.3.1.3: a path of 256 with its brackets).
const EMAIL_BYTES_MAX: usize = 254;
/// Events whose properties are the words of the person: what a form asked for.
const FORMS: [&str; 3] = ["Lead Submitted", "Form Submitted", "Signed Up"];
/// Events that tell of an opt-out: the collector's own, and that of Segment's spec for e-mail.
pub(super) const OPT_OUTS: [&str; 2] = [OPT_IN_WITHDRAWN, "Unsubscribed"];

/// What an event and its person tell about a contact.
#[derive(Clone, Copy)]
pub(super) struct Contact<'b> {
    event: &'b Event,
    person: Option<&'b Person>,
    /// Whether the event names another address than the person's: a form or a choice may be about somebody else.
    pub(super) is_other: bool,
}

impl<'b> Contact<'b> {
    pub(super) fn of(one: &BatchEvent<'b>) -> Contact<'b> {
        let person = one.person;
        let known = person.and_then(|person| person.traits.get("email")).map(|known| &known.value);
        let known = [known, one.event.context.traits.get("email")];
        let mut known = known.into_iter().flatten().filter_map(email);
        let is_other = named(one.event).is_some_and(|named| known.any(|known| known != named));
        Contact { event: one.event, person, is_other }
    }

    /// A trait: the latest of what the person has and what the event itself tells. `Null` where the sender took it back.
    pub(super) fn value(&self, name: &str) -> Option<&'b Value> {
        let told = self.told(name);
        match self.known(name) {
            Some(known) if told.is_none() || known.at >= self.event.occurred_at => {
                Some(&known.value)
            }
            Some(_) | None => told,
        }
    }

    /// A trait that the person has. A form or a choice about somebody else has none of this person's.
    pub(super) fn known(&self, name: &str) -> Option<&'b Trait> {
        self.person.filter(|_| !self.is_other)?.traits.get(name)
    }

    /// An id of another service that the event itself has, or else the newest that the person's events had.
    pub(super) fn service_id(&self, name: &str) -> Option<&'b str> {
        let own = self.event.context.ids.get(name).map(String::as_str);
        own.or_else(|| self.kept_id(name)?.value.as_str())
    }

    /// The newest id of another service that the person's events had, where the event's own consent allows what the id is for. A page
    /// sends the ids of its own browser, so an event of a visit gets none that may be another browser's.
    pub(super) fn kept_id(&self, name: &str) -> Option<&'b Trait> {
        let context = &self.event.context;
        let person = self.person.filter(|_| !self.is_other && context.hilo.session.is_none())?;
        let said = context.consent.as_ref().map(|claim| claim.state()).unwrap_or_default();
        let purposes = purposes_of_service_id(name)?;
        person.ids.get(name).filter(|_| decide(&said, purposes) == Decision::Pass)
    }

    /// A part of the trait `address`, such as `city`.
    pub(super) fn place(&self, part: &str) -> Option<&'b Value> {
        self.value("address")?.get(part)
    }

    /// The address of e-mail, in lower case: the one that the event names, or else the trait. A text that is no address counts as none.
    pub(super) fn email(&self) -> Option<String> {
        named(self.event).or_else(|| self.value("email").and_then(email))
    }

    /// The number of a phone with its country's code: `+` and 8 to 15 digits (E.164). Any other number counts as none.
    pub(super) fn phone(&self) -> Option<String> {
        let text = self.value("phone")?.as_str()?.trim().strip_prefix('+')?;
        let is_written = |c: char| c.is_ascii_digit() || " -().".contains(c);
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        (text.chars().all(is_written) && (8..=15).contains(&digits.len()))
            .then(|| format!("+{digits}"))
    }

    /// What the person has chosen about a channel and the service must know now: whether the shop may write. `None` where there is
    /// nothing to tell.
    ///
    /// An opt-out of the ledger goes with everything. A sender's opt-out is believed, whatever the ledger has: it may come from
    /// somebody who writes to the person, and it may be about another address than the ledger's. An opt-in goes only with the event that
    /// tells of it, and only if it stands: a later opt-out at the service itself must not be undone by a page view.
    pub(super) fn choice(&self, channel: OptInChannel) -> Option<bool> {
        let stands = self.ledger(channel);
        let name = track(self.event).filter(|(_, details)| channel_of(details) == Some(channel));
        let name = name.map(|(name, _)| name);
        // The collector's own event is as old as its entry, so an opt-in that stands is the newer one.
        let is_outdated = self.event.context.hilo.ledger
            && !self.is_other
            && stands == Some(OptInState::Subscribed);
        if name.is_some_and(|name| OPT_OUTS.contains(&name)) && !is_outdated {
            return Some(false);
        }
        match stands {
            Some(OptInState::Unsubscribed) => Some(false),
            Some(OptInState::Subscribed) => {
                name.filter(|name| *name == OPT_IN_CONFIRMED).map(|_| true)
            }
            Some(OptInState::Pending) | None => None,
        }
    }

    /// The entry of the ledger about the contact. A form about somebody else has none.
    fn ledger(&self, channel: OptInChannel) -> Option<OptInState> {
        let is_choice = track(self.event).is_some_and(|(name, _)| is_choice(name));
        let person = self.person.filter(|_| !self.is_other || is_choice)?;
        person.optins.get(&channel).copied()
    }

    /// What the ledger has about a channel: whether the shop may write. `None` without an answer of the person.
    pub(super) fn stands(&self, channel: OptInChannel) -> Option<bool> {
        match self.ledger(channel)? {
            OptInState::Subscribed => Some(true),
            OptInState::Unsubscribed => Some(false),
            OptInState::Pending => None,
        }
    }

    /// Whether the event is there to tell about the person: an identify event, a form, or a choice.
    pub(super) fn is_told(&self) -> bool {
        matches!(self.event.kind, EventKind::Identify { .. })
            || track(self.event).is_some_and(|(name, _)| is_form(name) || is_choice(name))
    }

    /// A trait that the event itself tells.
    pub(super) fn told(&self, name: &str) -> Option<&'b Value> {
        let own = match &self.event.kind {
            EventKind::Identify { traits } => Some(traits),
            EventKind::Track { event, properties } => Some(properties).filter(|_| is_form(event)),
            EventKind::Page { .. }
            | EventKind::Screen { .. }
            | EventKind::Group { .. }
            | EventKind::Alias { .. } => None,
        };
        // What the context tells is about the person who is signed in.
        let context = Some(&self.event.context.traits).filter(|_| !self.is_other);
        own.and_then(|own| own.get(name)).or_else(|| context?.get(name))
    }
}

/// Whether an event of this name has the person's own words in its properties.
pub(super) fn is_form(name: &str) -> bool {
    FORMS.contains(&name)
}

/// Whether an event of this name tells of an opt-in or an opt-out.
pub(super) fn is_choice(name: &str) -> bool {
    name == OPT_IN_CONFIRMED || OPT_OUTS.contains(&name)
}

/// Name and properties of a track event.
pub(super) fn track(event: &Event) -> Option<(&str, &Properties)> {
    match &event.kind {
        EventKind::Track { event, properties } => Some((event, properties)),
        EventKind::Page { .. }
        | EventKind::Screen { .. }
        | EventKind::Identify { .. }
        | EventKind::Group { .. }
        | EventKind::Alias { .. } => None,
    }
}

/// A contact of a batch: the address, and the indexes of its events in the order of their time.
pub(super) struct Group {
    pub(super) email: String,
    pub(super) events: Vec<usize>,
}

impl Group {
    /// The record of the contact: what its events tell, where a later one wins over an earlier one, and the address.
    pub(super) fn record(
        &self,
        batch: &Batch<'_>,
        of: impl Fn(&BatchEvent<'_>) -> Map<String, Value>,
    ) -> Map<String, Value> {
        let mut all = Map::new();
        for one in self.events.iter().filter_map(|at| batch.events.get(*at)) {
            all.extend(of(one));
        }
        all.insert("email".to_owned(), self.email.as_str().into());
        all
    }
}

/// Inserts an event and its contact's address into a list in the order of time.
pub(super) fn insert_by_time(
    batch: &Batch<'_>,
    named: &mut Vec<(usize, String)>,
    at: usize,
    email: String,
) {
    let time = |at: usize| batch.events.get(at).map(|one| one.event.occurred_at);
    let place = named.partition_point(|(other, _)| time(*other) <= time(at));
    named.insert(place, (at, email));
}

/// Groups events by the address of their contact, because services refuse a contact that is twice in a request.
pub(super) fn by_email(named: &[(usize, String)]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (at, email) in named {
        match groups.iter_mut().find(|group| group.email == *email) {
            Some(group) => group.events.push(*at),
            None => groups.push(Group { email: email.clone(), events: vec![*at] }),
        }
    }
    groups
}

/// The results of a request whose records are contacts and have the given results. A contact may have several events, and the request
/// does not tell which ones, so a batch with a refused contact is bisected.
pub(super) fn of_contacts(records: Vec<Acceptance>, events: usize, reason: String) -> Reception {
    match records.as_slice() {
        all if all.iter().all(|one| *one == Acceptance::Delivered) => {
            Reception::All(Acceptance::Delivered)
        }
        [one] => Reception::All(one.clone()),
        all if all.len() == events => Reception::Each(records),
        _ => Reception::Poison { reason },
    }
}

/// A value as text: numbers by their digits, a list by its texts with `;` between them, and nothing for what was taken back. `None` for
/// what is no plain value.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(is_true) => Some(is_true.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Array(list) => {
            let mut all = String::new();
            for one in list {
                let one = one.as_str()?;
                all.push_str(if all.is_empty() { "" } else { ";" });
                all.push_str(one);
            }
            Some(all)
        }
        Value::Object(_) => None,
    }
}

/// The channel of a choice; e-mail where the event names none.
fn channel_of(details: &Properties) -> Option<OptInChannel> {
    match details.get("channel") {
        Some(name) => name.as_str().and_then(OptInChannel::from_name),
        None => Some(OptInChannel::Email),
    }
}

/// The address of e-mail that a form or a choice names.
pub(super) fn named(event: &Event) -> Option<String> {
    let (name, details) = track(event)?;
    match name {
        _ if is_choice(name) => details.get("address").and_then(email),
        _ if is_form(name) => details.get("email").and_then(email),
        _ => None,
    }
}

/// An address of e-mail in lower case; `None` for a value that is none.
pub(super) fn email(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    let (local, domain) = text.split_once('@')?;
    let is_one = !local.is_empty()
        && domain.contains('.')
        && !domain.contains('@')
        && text.len() <= EMAIL_BYTES_MAX
        && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    is_one.then(|| text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(over: &Value) -> Event {
        let at = "2026-11-24T10:00:00Z";
        let mut event =
            json!({"messageId": "m1", "timestamp": at, "receivedAt": at, "context": {}});
        if let (Value::Object(base), Value::Object(over)) = (&mut event, over) {
            base.extend(over.clone());
        }
        serde_json::from_value(event).unwrap()
    }

    /// A person whose traits are younger than the event.
    fn person(traits: &Value, optins: &Value) -> Person {
        let at = "2026-11-24T10:00:01Z";
        let traits = traits.as_object().unwrap().iter();
        let traits: serde_json::Map<_, _> =
            traits.map(|(name, value)| (name.clone(), json!({"value": value, "at": at}))).collect();
        serde_json::from_value(json!({"traits": traits, "optins": optins})).unwrap()
    }

    #[test]
    fn a_kept_id_goes_with_an_event_that_allows_what_it_is_for_and_belongs_to_no_visit() {
        let given = json!({"ids": {"fbp": {"value": "fb", "at": "2026-11-24T10:00:01Z"}}});
        let person: Person = serde_json::from_value(given).unwrap();
        let consent =
            |state: bool| json!({"categoryPreferences": {"analytics": true, "advertising": state}});
        for (context, is_other, expected) in [
            (json!({"consent": consent(true)}), false, Some("fb")),
            (json!({"consent": consent(true)}), true, None),
            (json!({"consent": consent(true), "ids": {"fbp": "own"}}), true, Some("own")),
            (json!({"consent": consent(true), "hilo": {"session": {"id": "1"}}}), false, None),
            (json!({"consent": consent(false)}), false, None),
            (json!({"consent": {"categoryPreferences": {"analytics": true}}}), false, None),
            (json!({}), false, None),
        ] {
            let event = event(&json!({"type": "page", "properties": {}, "context": context}));
            let contact = Contact { event: &event, person: Some(&person), is_other };
            assert_eq!(contact.service_id("fbp"), expected, "{context}");
            assert_eq!(contact.service_id("ga"), None, "{context}");
        }
    }

    #[track_caller]
    fn check_choice(name: &str, optins: &Value, expected: Option<bool>) {
        let event =
            event(&json!({"type": "track", "event": name, "properties": {"channel": "email"}}));
        let person = person(&json!({}), optins);
        let contact = Contact { event: &event, person: Some(&person), is_other: false };
        assert_eq!(contact.choice(OptInChannel::Email), expected);
    }

    #[test]
    fn an_opt_in_goes_only_with_its_own_event_and_only_if_it_stands() {
        let (on, off) = (json!({"email": "subscribed"}), json!({"email": "unsubscribed"}));
        check_choice("Opt-In Confirmed", &on, Some(true));
        check_choice("Opt-In Confirmed", &off, Some(false));
        check_choice("Opt-In Confirmed", &json!({}), None);
        check_choice("Opt-In Confirmed", &json!({"email": "pending"}), None);
        check_choice("Order Completed", &on, None);
        check_choice("Order Completed", &off, Some(false));
    }

    #[test]
    fn an_opt_out_is_believed_whatever_the_ledger_has() {
        check_choice("Unsubscribed", &json!({}), Some(false));
        for stands in ["subscribed", "pending", "unsubscribed"] {
            check_choice("Unsubscribed", &json!({"email": stands}), Some(false));
            check_choice("Opt-In Withdrawn", &json!({"email": stands}), Some(false));
        }
        check_choice("Order Completed", &json!({"email": "subscribed"}), None);
    }

    #[test]
    fn an_opt_out_of_the_ledger_is_not_told_behind_its_later_opt_in() {
        let told = json!({"type": "track", "event": "Opt-In Withdrawn", "properties": {}});
        let mut event = event(&told);
        event.context.hilo.ledger = true;
        for (stands, expected) in [("subscribed", None), ("unsubscribed", Some(false))] {
            let person = person(&json!({}), &json!({"email": stands}));
            let contact = Contact { event: &event, person: Some(&person), is_other: false };
            assert_eq!(contact.choice(OptInChannel::Email), expected);
        }
    }

    #[test]
    fn an_opt_out_of_another_address_is_not_judged_by_the_ledger_of_this_person() {
        let other = json!({"address": "leo@shop.example"});
        let event =
            event(&json!({"type": "track", "event": "Opt-In Withdrawn", "properties": other}));
        let ana = person(&json!({"email": "ana@shop.example"}), &json!({"email": "subscribed"}));
        let mapped = crate::forward::destination::Mapped::default();
        let contact = Contact::of(&BatchEvent {
            event: &event,
            source: None,
            person: Some(&ana),
            mapped: &mapped,
        });
        assert_eq!(contact.email().as_deref(), Some("leo@shop.example"));
        assert_eq!(contact.choice(OptInChannel::Email), Some(false));
    }

    #[test]
    fn the_latest_trait_counts_and_one_that_was_taken_back_is_not_replaced() {
        let event = event(
            &json!({"type": "identify", "traits": {"email": "old@shop.example", "plan": "pro"}}),
        );
        let person = person(&json!({"email": " New@Shop.example ", "phone": null}), &json!({}));
        let contact = Contact { event: &event, person: Some(&person), is_other: false };
        assert_eq!(contact.email().as_deref(), Some("new@shop.example"));
        assert_eq!(contact.value("plan"), Some(&json!("pro")));
        assert_eq!(contact.value("phone"), Some(&Value::Null));
    }

    #[test]
    fn a_form_about_somebody_else_has_nothing_of_the_person() {
        let words = json!({"email": "leo@shop.example", "firstName": "Leo"});
        let event =
            event(&json!({"type": "track", "event": "Lead Submitted", "properties": words}));
        let traits = json!({"email": "ana@shop.example", "lastName": "García"});
        let ana = person(&traits, &json!({"email": "unsubscribed"}));
        let mapped = crate::forward::destination::Mapped::default();
        let contact = Contact::of(&BatchEvent {
            event: &event,
            source: None,
            person: Some(&ana),
            mapped: &mapped,
        });
        assert_eq!(contact.email().as_deref(), Some("leo@shop.example"));
        assert_eq!(
            (contact.value("firstName"), contact.value("lastName")),
            (Some(&json!("Leo")), None)
        );
    }

    #[test]
    fn only_an_address_is_an_address_and_only_a_number_with_its_country_a_number() {
        for wrong in
            ["", "ana", "ana@shop", "@shop.example", "a@b@shop.example", "a b@shop.example"]
        {
            assert_eq!(email(&json!(wrong)), None, "{wrong}");
        }
        let phone = |number: &str| {
            let event = event(&json!({"type": "identify", "traits": {"phone": number}}));
            Contact { event: &event, person: None, is_other: false }.phone()
        };
        assert_eq!(phone("+34 600-111-222").as_deref(), Some("+34600111222"));
        assert_eq!(
            (phone("600111222"), phone("+34 600 ext 7"), phone("+1234")),
            (None, None, None)
        );
    }

    #[test]
    fn a_list_is_one_text_and_an_object_none() {
        assert_eq!(text(&json!(["a", "b"])).as_deref(), Some("a;b"));
        assert_eq!(text(&json!(38.5)).as_deref(), Some("38.5"));
        assert_eq!((text(&json!([1])), text(&json!({}))), (None, None));
    }
}
