//! What CRMs share: who the contact of an event is, what a touchpoint tells, and a person's opt-outs.
//!
//! Event and person → values under the service's names. A person's trait wins over what the event itself tells, because the profile
//! keeps the newest. A form is the exception: no profile keeps its words, and they may be about somebody else. Makes no request, and
//! knows no service.

use std::borrow::Cow;

use hilo_core::consent::OptInChannel;
use hilo_core::event::{Event, EventKind};
use serde_json::{Map, Number, Value};

use super::commerce::Commerce;
use super::contact::{Contact, email as address, is_choice, is_form, named};
use crate::forward::destination::{Batch, BatchEvent, LeftOut};
use crate::forward::reason;

/// The acts by which people give their details, beside `identify`.
const PEOPLE: [&str; 5] =
    ["Lead Submitted", "Form Submitted", "Signed Up", "Signed In", "Order Completed"];

/// The most characters of a touchpoint's text: the usual length of a text field in a CRM.
const TEXT_CHARS_MAX: usize = 255;

/// A record: values by the service's names.
pub(super) type Record = Map<String, Value>;

/// A text of a contact: a trait, and the field that keeps it.
#[derive(Clone, Copy)]
pub(super) struct Field {
    /// The trait in Segment's words; `address.city` for a part of the address.
    pub(super) of: &'static str,
    /// The service's name.
    pub(super) name: &'static str,
    /// The most characters that the service keeps. A longer text is cut.
    pub(super) chars_max: usize,
}

/// Whether an event tells the details of a person.
pub(super) fn tells_of_person(event: &Event) -> bool {
    match &event.kind {
        EventKind::Identify { .. } => true,
        EventKind::Track { event, .. } => PEOPLE.contains(&event.as_str()) || is_choice(event),
        EventKind::Page { .. }
        | EventKind::Screen { .. }
        | EventKind::Group { .. }
        | EventKind::Alias { .. } => false,
    }
}

/// Whether an event is a contact form that somebody sent.
pub(super) fn is_lead(event: &Event) -> bool {
    event.kind.label() == Some("Lead Submitted")
}

/// Whether an event can be a touchpoint. Page views are many, so the deployer decides about them.
pub(super) fn is_touchpoint(event: &Event, with_pages: bool) -> bool {
    match event.kind {
        EventKind::Track { .. } => true,
        EventKind::Page { .. } | EventKind::Screen { .. } => with_pages,
        EventKind::Identify { .. } | EventKind::Group { .. } | EventKind::Alias { .. } => false,
    }
}

/// The e-mail address by which a CRM knows a person, in lower case: the one that a form or a choice names, or else the trait. `None` if
/// none is known or it is no address.
pub(super) fn email(one: &BatchEvent<'_>, chars_max: usize) -> Option<String> {
    let email =
        named(one.event).or_else(|| trait_value(&Contact::of(one), one, "email").and_then(address));
    email.filter(|email| email.chars().count() <= chars_max)
}

/// Adds the texts that are known of a contact.
pub(super) fn describe(one: &BatchEvent<'_>, fields: &[Field], record: &mut Record) {
    let contact = Contact::of(one);
    for Field { of, name, chars_max } in fields {
        if let Some(text) = contact_text(&contact, one, of) {
            record.insert((*name).to_owned(), shortened(&text, *chars_max).into());
        }
    }
}

/// Whether the person's choice forbids messages on this channel. `None` where the service must not hear of it now: see
/// [`Contact::choice`].
pub(super) fn opted_out(one: &BatchEvent<'_>, channel: OptInChannel) -> Option<bool> {
    Contact::of(one).choice(channel).map(|may_write| !may_write)
}

/// What a touchpoint tells beside its name, id and time: pairs of a plain name and a value.
pub(super) fn touchpoint(event: &Event) -> Vec<(&'static str, Value)> {
    let goods = Commerce::of(event);
    let context = &event.context;
    let text = |text: Option<&str>| {
        let text = text.filter(|text| !text.is_empty());
        text.map(|text| Value::from(shortened(text, TEXT_CHARS_MAX)))
    };
    let page = context.page.as_ref().and_then(|page| page.url.as_deref());
    let campaign = context.campaign.as_ref().and_then(|campaign| campaign.name.as_deref());
    let channel = context.hilo.channel.and_then(|channel| serde_json::to_value(channel).ok());
    let mut names = String::new();
    for name in goods.products.iter().filter_map(|product| product.name.or(product.id)) {
        names.push_str(if names.is_empty() { "" } else { ", " });
        names.push_str(name);
    }
    let told = [
        ("Url", text(page)),
        ("Channel", channel),
        ("Campaign", text(campaign)),
        ("Products", text(Some(&names))),
        ("Cart_Id", text(goods.cart_id)),
        ("Order_Number", text(goods.order_id)),
        ("Amount", amount(&goods).map(|amount| Value::Number(amount.clone()))),
        ("Currency_Code", text(goods.currency)),
    ];
    told.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The name of a touchpoint: the rule's, else the act's or the page's own.
pub(super) fn title<'b>(one: &BatchEvent<'b>) -> &'b str {
    let named = one.mapped.name.as_deref().or_else(|| one.event.kind.label());
    named.filter(|name| !name.is_empty()).unwrap_or("Page Viewed")
}

/// What was paid, or what the event is worth.
pub(super) fn amount<'e>(goods: &Commerce<'e>) -> Option<&'e Number> {
    goods.total.or(goods.value)
}

/// What `order.currency` is where the service keeps several currencies.
const EACH: &str = "each";

/// What to do about another setting.
pub(super) const CURRENCY_REMEDY: &str = "write the currency of the amounts, such as \"EUR\", or \"each\" where the service keeps several";

/// Whether a setting can be `order.currency`.
pub(super) fn is_currency(setting: &str) -> bool {
    setting == EACH || (setting.len() == 3 && setting.bytes().all(|b| b.is_ascii_uppercase()))
}

/// What an order adds to its record's money: the amount, and the currency in its field where the service keeps several. Nothing where the
/// amount would be read in another currency than its own.
pub(super) fn add_money(record: &mut Record, goods: &Commerce<'_>, kept: &str, field: &str) {
    let currency = goods.currency.map(str::to_ascii_uppercase);
    let (Some(amount), Some(currency)) = (amount(goods), currency) else { return };
    if kept == EACH {
        record.insert(field.to_owned(), currency.into());
    } else if kept != currency {
        return;
    }
    record.insert("Amount".to_owned(), Value::Number(amount.clone()));
}

/// Writes the fields of the deployer's rules: `Object.Field`, or `Field` for the event's own record.
pub(super) fn own_fields(record: &mut Record, one: &BatchEvent<'_>, object: &str, is_own: bool) {
    for (name, value) in &one.mapped.fields {
        let field = match name.split_once('.') {
            Some((named, field)) => (named == object).then_some(field),
            None => is_own.then_some(name.as_str()),
        };
        if let Some(field) = field {
            record.insert(field.to_owned(), value.clone());
        }
    }
}

/// Checks the fields of the deployer's rules. `known` are the objects and their ids, `reserved` are names of the service itself.
///
/// # Errors
/// A field that no record here may have, or that would name another record.
pub(super) fn check_fields(
    one: &BatchEvent<'_>,
    known: &[(&str, &str)],
    reserved: &[&str],
) -> Result<(), LeftOut> {
    for name in one.mapped.fields.keys() {
        let (object, field) = name
            .split_once('.')
            .map_or((None, name.as_str()), |(object, field)| (Some(object), field));
        let is_known = object.is_none_or(|object| known.iter().any(|(one, _)| *one == object));
        let is_id = reserved.contains(&field) || known.iter().any(|(_, id)| *id == field);
        if !is_known || is_id || !is_field(field) {
            let why = format!("a rule names the field `{name}`, which no record here may have");
            return Err(LeftOut::Refused(reason::invalid(&why)));
        }
    }
    Ok(())
}

/// The stage that an event brings an order to, if it is about an order and `refunded` says what a refund does.
pub(super) fn stage<'s>(
    event: &Event,
    paid: &'s str,
    refunded: Option<&'s str>,
) -> Option<&'s str> {
    match event.kind.label()? {
        "Order Completed" => Some(paid),
        "Order Refunded" | "Order Cancelled" => refunded,
        _ => None,
    }
}

/// Whether a CRM may have a field of this name. Anything else could change the request around the record.
pub(super) fn is_field(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The beginning of a text.
pub(super) fn shortened(text: &str, chars_max: usize) -> &str {
    let end = text.char_indices().nth(chars_max).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or_default().trim_end()
}

/// A text of the contact. A whole name stands in where only that is known.
fn contact_text<'b>(contact: &Contact<'b>, one: &BatchEvent<'b>, of: &str) -> Option<Cow<'b, str>> {
    let text = trait_text(contact, one, of);
    let name = || trait_text(contact, one, "name");
    match of {
        "firstName" => text.or_else(|| part(name()?, |name| Some(name.rsplit_once(' ')?.0))),
        "lastName" => text.or_else(|| {
            part(name()?, |name| Some(name.rsplit_once(' ').map_or(name, |two| two.1)))
        }),
        _ => text,
    }
}

fn part<'b>(
    whole: Cow<'b, str>,
    of: impl for<'t> Fn(&'t str) -> Option<&'t str>,
) -> Option<Cow<'b, str>> {
    let part = of(&whole)?.trim();
    (!part.is_empty()).then(|| Cow::Owned(part.to_owned()))
}

/// A trait as text. A trait that was taken back is none, whatever the event itself tells.
fn trait_text<'b>(contact: &Contact<'b>, one: &BatchEvent<'b>, path: &str) -> Option<Cow<'b, str>> {
    let (name, inner) = path.split_once('.').map_or((path, None), |(name, of)| (name, Some(of)));
    let value = trait_value(contact, one, name)?;
    let value = inner.map_or(Some(value), |inner| value.get(inner))?;
    match value {
        Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(Cow::Borrowed),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A trait: of a form the newest of what it says and what the person has, of any other event what the person has, if anything.
fn trait_value<'b>(contact: &Contact<'b>, one: &BatchEvent<'b>, name: &str) -> Option<&'b Value> {
    match one.event.kind.label().is_some_and(is_form) {
        true => contact.value(name),
        false => contact.known(name).map(|known| &known.value).or_else(|| contact.told(name)),
    }
}

/// What an answer tells of a record that was there.
pub(super) const THERE: &str = "there";
/// What it tells of one that was not.
pub(super) const MISSING: &str = "missing";

/// The name under which an answer tells of an order's record.
pub(super) fn order_name(number: &str) -> String {
    format!("order:{number}")
}

/// People are changed, as far as they exist, or made with what is known.
pub(super) const KNOWN: u32 = 0;
/// People are made who do not exist, with all that the service demands.
pub(super) const NEW: u32 = 1;
pub(super) const TOUCHPOINTS: u32 = 2;
/// Orders are changed. Those that may be refunded are changed without their stage, as far as they exist.
pub(super) const ORDERS: u32 = 3;
/// Orders that may be refunded are made, if they do not exist.
pub(super) const NEW_ORDERS: u32 = 4;

/// The records of a batch, by step. People come first because a touchpoint may name its person, who must be there by then.
#[derive(Default)]
pub(super) struct Records {
    pub(super) known: Waves,
    pub(super) new: Waves,
    pub(super) touchpoints: Waves,
    pub(super) orders: Waves,
    pub(super) new_orders: Waves,
}

impl Records {
    /// Adds a person. One who lacks a demanded field is made by the next step with `unknown` in its place, unless the person was there.
    pub(super) fn add_person(
        &mut self,
        person: Row,
        (demanded, unknown): (&[&str], &str),
        batch: &Batch<'_>,
    ) {
        let lacks = demanded.iter().filter(|name| !person.record.contains_key(**name));
        let lacks: Vec<_> = lacks.collect();
        if !lacks.is_empty() && batch.found(&person.key) != Some(THERE) {
            let mut whole = person.record.clone();
            for name in lacks {
                whole.insert((*name).to_owned(), unknown.into());
            }
            self.new.push(Row { at: person.at, key: person.key.clone(), record: whole });
        }
        self.known.push(person);
    }

    /// Adds an order. `guarded` is the field of the stage of one that may be refunded: one record changes what is there without its stage,
    /// and one makes what is missing. So only a new record gets the stage of an order. If an order is repeated, because its answer was
    /// lost, its refund may have come in between.
    pub(super) fn add_order(&mut self, order: Row, guarded: Option<&str>, batch: &Batch<'_>) {
        let Some(stage) = guarded else { return self.orders.push(order) };
        let mut known = order.record.clone();
        known.remove(stage);
        self.orders.push(Row { at: order.at, key: order.key.clone(), record: known });
        if batch.found(&order_name(&order.key)) != Some(THERE) {
            self.new_orders.push(order);
        }
    }
}

/// Records that are sent together, in requests of one id each: a CRM refuses an id that stands twice in one request.
#[derive(Default)]
pub(super) struct Waves(Vec<Vec<Row>>);

/// A record, the id in it, and its event's index in the batch.
pub(super) struct Row {
    pub(super) at: usize,
    pub(super) key: String,
    pub(super) record: Record,
}

impl Waves {
    /// Adds a record behind earlier ones with its id.
    pub(super) fn push(&mut self, row: Row) {
        let has_room = |wave: &&mut Vec<Row>| wave.iter().all(|known| known.key != row.key);
        match self.0.iter_mut().find(has_room) {
            Some(wave) => wave.push(row),
            None => self.0.push(vec![row]),
        }
    }

    /// Whether a record with this id is among them.
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.iter().flatten().any(|row| row.key == key)
    }
}

impl IntoIterator for Waves {
    type Item = Vec<Row>;
    type IntoIter = std::vec::IntoIter<Vec<Row>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hilo_core::profile::Person;
    use serde_json::json;

    use crate::forward::destination::Mapped;

    fn told(person: &Value, event: &Value) -> Record {
        let person: Person = serde_json::from_value(person.clone()).unwrap();
        let mut whole = json!({
            "messageId": "m1", "type": "identify", "traits": {}, "timestamp": "2026-11-24T10:00:00Z",
            "receivedAt": "2026-11-24T10:00:00Z", "context": {},
        });
        whole.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
        let event: Event = serde_json::from_value(whole).unwrap();
        let one = BatchEvent {
            event: &event,
            source: None,
            person: Some(&person),
            mapped: &Mapped::default(),
        };
        let fields = ["firstName", "lastName", "address.city", "company"].map(|of| Field {
            of,
            name: of,
            chars_max: 8,
        });
        let mut record = Record::new();
        if let Some(email) = email(&one, 80) {
            record.insert("email".to_owned(), email.into());
        }
        describe(&one, &fields, &mut record);
        record
    }

    fn of(value: &Value) -> Value {
        json!({ "value": value, "at": "2026-11-24T09:00:00Z" })
    }

    #[test]
    fn a_trait_of_the_person_wins_and_one_that_was_taken_back_is_none() {
        let person =
            json!({"traits": {"company": of(&json!(null)), "lastName": of(&json!("Sol"))}});
        let event = json!({"traits": {"company": "Acme", "lastName": "Old", "email": " Ana@Shop.Example "}});
        assert_eq!(
            Value::Object(told(&person, &event)),
            json!({"lastName": "Sol", "email": "ana@shop.example"})
        );
    }

    #[test]
    fn a_form_says_it_newer_than_the_profile_and_another_address_has_nothing_of_this_person() {
        let ana = json!({"traits": {
            "email": of(&json!("ana@shop.example")), "lastName": of(&json!("Sol")), "company": of(&json!("Acme")),
        }});
        let lead = |words: &Value| {
            told(&ana, &json!({"type": "track", "event": "Lead Submitted", "properties": words}))
        };
        let same =
            lead(&json!({"email": "Ana@shop.example", "firstName": "Ana", "company": "Sol"}));
        let expected = json!({"email": "ana@shop.example", "firstName": "Ana", "lastName": "Sol", "company": "Sol"});
        assert_eq!(Value::Object(same), expected);
        let other = lead(&json!({"email": "leo@shop.example", "firstName": "Leo"}));
        assert_eq!(Value::Object(other), json!({"email": "leo@shop.example", "firstName": "Leo"}));
    }

    #[test]
    fn a_whole_name_is_divided_and_a_long_text_is_cut_at_a_character() {
        let event = json!({"traits": {"name": "Ana María Núñez", "address": {"city": "A Coruña de Galicia"}}});
        let expected =
            json!({"firstName": "Ana Marí", "lastName": "Núñez", "address.city": "A Coruña"});
        assert_eq!(Value::Object(told(&json!({}), &event)), expected);
        let one_word = json!({"traits": {"name": "Ana"}});
        assert_eq!(Value::Object(told(&json!({}), &one_word)), json!({"lastName": "Ana"}));
    }

    #[test]
    fn a_text_that_is_no_address_names_nobody() {
        for email in
            ["ana", "@shop.example", "ana@", "ana@shop", "a na@shop.example", "a@b@shop.example"]
        {
            let event = json!({"traits": {"email": email}});
            assert!(told(&json!({}), &event).is_empty(), "{email}");
        }
    }

    #[test]
    fn an_amount_stands_in_its_own_currency_or_nowhere() {
        let (number, euro) = (Number::from(40), Commerce::default());
        let euro = Commerce { total: Some(&number), currency: Some("eur"), ..euro };
        let money = |goods: &Commerce<'_>, kept: &str| {
            let mut record = Record::new();
            add_money(&mut record, goods, kept, "Currency");
            Value::Object(record)
        };
        assert_eq!(money(&euro, "EUR"), json!({"Amount": 40}));
        assert_eq!(money(&euro, "USD"), json!({}));
        assert_eq!(money(&euro, "each"), json!({"Amount": 40, "Currency": "EUR"}));
        let bare = Commerce { currency: None, ..euro };
        assert_eq!((money(&bare, "EUR"), money(&bare, "each")), (json!({}), json!({})));
        assert!(is_currency("EUR") && is_currency("each"));
        assert!(!is_currency("eur") && !is_currency("EURO") && !is_currency(""));
    }

    #[test]
    fn an_id_that_comes_again_goes_into_the_next_wave() {
        let mut waves = Waves::default();
        for (at, key) in ["a", "b", "a", "a"].into_iter().enumerate() {
            waves.push(Row { at, key: key.to_owned(), record: Record::new() });
        }
        assert!(waves.has("b") && !waves.has("c"));
        let places: Vec<Vec<_>> =
            waves.into_iter().map(|wave| wave.iter().map(|row| row.at).collect()).collect();
        assert_eq!(places, [vec![0, 1], vec![2], vec![3]]);
    }
}
