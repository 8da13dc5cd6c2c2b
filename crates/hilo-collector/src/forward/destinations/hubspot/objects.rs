//! Orders and carts as objects of HubSpot, for accounts that have them.
//!
//! Events about orders and carts → requests of the step after the contact. A new order is created with its contact. What changes it later
//! is found by the shop's own number, so that property must have unique values. A cart is written by its id, without its contact:
//! HubSpot joins objects only when it creates them.

use hilo_core::event::Event;
use serde_json::{Map, Value, json};

use super::settings::{HubSpot, OBJECT, put_new};
use crate::forward::destination::{Batch, BatchEvent, MappedRequest, Mapping, MissingSecret};
use crate::forward::destinations::commerce::Commerce;
use crate::forward::destinations::contact::{text, track};
use crate::platform::Outgoing;

/// HubSpot's own association of an order with its contact.
const ORDER_TO_CONTACT: u32 = 507;

/// Whether an event of this name is about an order.
pub(super) fn is_order(name: &str) -> bool {
    ["Order Completed", "Order Updated", "Order Refunded", "Order Cancelled"].contains(&name)
}

/// Whether an event of this name tells of a whole cart that is worth a record.
pub(super) fn is_cart(name: &str) -> bool {
    ["Checkout Started", "Cart Abandoned"].contains(&name)
}

/// Whether the event is a new order.
pub(super) fn is_new_order(event: &Event) -> bool {
    track(event).is_some_and(|(name, _)| name == "Order Completed")
}

impl HubSpot {
    /// Makes the requests of orders and carts: new orders first, because a change may be in the same batch.
    pub(super) fn objects(
        &self,
        batch: &Batch<'_>,
        named: &[(usize, String)],
        mapping: &mut Mapping,
    ) -> Result<(), MissingSecret> {
        let (mut changes, mut carts, mut cart_events) = (Vec::new(), Vec::new(), Vec::new());
        for (at, email) in named {
            let Some(one) = batch.events.get(*at) else { continue };
            let Some((name, _)) = track(one.event) else { continue };
            let commerce = Commerce::of(one.event);
            if self.orders && is_order(name) {
                let Some(id) = commerce.order_id else { continue };
                let request = self.order(one, name, id, email, batch)?;
                let request = request.map(|outgoing| MappedRequest {
                    outgoing,
                    events: vec![*at],
                    step: OBJECT,
                });
                match is_new_order(one.event) {
                    true => mapping.requests.extend(request),
                    false => changes.extend(request),
                }
            } else if self.carts && is_cart(name) {
                let Some(input) = self.cart(one, &commerce) else { continue };
                // A cart may not be twice in a request: the later state of it counts.
                carts.retain(|other: &Value| other.get("id") != input.get("id"));
                carts.push(input);
                cart_events.push(*at);
            }
        }
        mapping.requests.append(&mut changes);
        if !carts.is_empty() {
            let path = format!("crm/objects/{}/carts/batch/upsert", self.version);
            let outgoing = self.call("POST", &path, &json!({"inputs": carts}), &batch.access)?;
            mapping.requests.push(MappedRequest { outgoing, events: cart_events, step: OBJECT });
        }
        Ok(())
    }

    /// The request that creates an order, or changes one; `None` where nothing is to be changed.
    fn order(
        &self,
        one: &BatchEvent<'_>,
        name: &str,
        id: &str,
        email: &str,
        batch: &Batch<'_>,
    ) -> Result<Option<Outgoing>, MissingSecret> {
        let mut properties = Map::new();
        let stage = self.order_stages.get(name).map(String::as_str);
        put_new(&mut properties, "hs_pipeline_stage", stage);
        if self.event_name(one).is_none() {
            for (name, value) in &one.mapped.fields {
                put_new(&mut properties, name, text(value).as_deref());
            }
        }
        let orders = format!("crm/objects/{}/orders", self.version);
        if is_new_order(one.event) {
            put_price(&mut properties, &Commerce::of(one.event));
            put_new(&mut properties, "hs_order_name", Some(&format!("#{id}")));
            put_new(&mut properties, &self.order_id_property, Some(id));
            let associations: Vec<Value> =
                batch.found(email).map(association).into_iter().collect();
            let body = json!({"properties": properties, "associations": associations});
            return self.call("POST", &orders, &body, &batch.access).map(Some);
        }
        if properties.is_empty() {
            return Ok(None);
        }
        let (id, property) = (escaped(id), escaped(&self.order_id_property));
        let path = format!("{orders}/{id}?idProperty={property}");
        self.call("PATCH", &path, &json!({"properties": properties}), &batch.access).map(Some)
    }

    /// The record of a cart; `None` for a cart without its id.
    fn cart(&self, one: &BatchEvent<'_>, commerce: &Commerce<'_>) -> Option<Value> {
        let id = track(one.event)?.1.get("cart_id").and_then(Value::as_str).or(commerce.cart_id)?;
        let mut properties = Map::new();
        put_price(&mut properties, commerce);
        put_new(&mut properties, "hs_cart_name", Some(&format!("Cart {id}")));
        put_new(&mut properties, &self.cart_id_property, Some(id));
        Some(json!({"idProperty": self.cart_id_property, "id": id, "properties": properties}))
    }
}

/// The association of an order with a contact.
fn association(contact: &str) -> Value {
    let kind =
        json!({"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": ORDER_TO_CONTACT});
    json!({"to": {"id": contact}, "types": [kind]})
}

fn put_price(properties: &mut Map<String, Value>, commerce: &Commerce<'_>) {
    put_new(properties, "hs_currency_code", commerce.currency);
    let total = commerce.total.or(commerce.value).map(ToString::to_string);
    put_new(properties, "hs_total_price", total.as_deref());
}

/// A text as one segment of an address, or one value of a query (RFC 3986).
fn escaped(text: &str) -> String {
    let mut all = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                all.push(char::from(byte));
            }
            _ => all.push_str(&format!("%{byte:02X}")),
        }
    }
    all
}
