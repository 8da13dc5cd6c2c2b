//! The touchpoints that only the hub can report: edits of servers, orders from webhooks, abandonment and recovery.
//!
//! A change → rows of the outbox, in the shape of the Segment spec's ecommerce events. Their message ids derive from the
//! operation, the order or the idle period, so that a touchpoint that is reported twice is stored once. The pipeline
//! judges consent.

use hilo_core::cart::touchpoint::{CartEvent, Touchpoint, touchpoints};
use hilo_core::cart::{Cart, Dot, LineInfo, LineKey, Quantity};
use hilo_core::money::Amount;
use serde_json::{Map, Value, json};

use super::fit::fit;
use super::hub::Hub;
use super::state::Task;
use crate::calls::cart::{Owner, Person, Speaker};
use crate::platform::{Failure, Sql, SqlValue};

/// An edit as a touchpoint, with its line's display fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    touchpoint: Touchpoint,
    info: LineInfo,
}

/// A quantity of a line, with the line's display fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Product {
    pub line: LineKey,
    /// The exact quantity, if the article is sold by weight or length.
    pub quantity: Quantity,
    pub info: LineInfo,
}

/// Lists the edits that the operations up to `last` made in `before`, line by line.
pub(super) fn edits(before: &Cart, after: &Cart, last: Dot) -> Vec<Edit> {
    let info = |line: &LineKey| after.look(line).or_else(|| before.look(line));
    let edit = |touchpoint: Touchpoint| Edit {
        info: info(&touchpoint.line).map(|(_, info)| info.clone()).unwrap_or_default(),
        touchpoint,
    };
    touchpoints(before, after, last).into_iter().map(edit).collect()
}

/// Lists the lines of a cart as products.
pub(super) fn products(cart: &Cart) -> Vec<Product> {
    let info = |line: &LineKey| cart.look(line).map(|(_, info)| info.clone());
    cart.shown()
        .map(|(line, quantity)| Product {
            line: line.clone(),
            quantity: Quantity::whole(quantity),
            info: info(line).unwrap_or_default(),
        })
        .collect()
}

impl Product {
    /// Writes a product in the shape of the Segment spec.
    fn properties(&self) -> Map<String, Value> {
        let currency = self.line.currency;
        let mut properties = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                properties.insert(name.to_owned(), value);
            }
        };
        put("product_id", Some(self.line.variant.as_str().into()));
        put("name", self.info.name.as_deref().map(Value::from));
        put("price", self.info.unit_price.and_then(|minor| price(Amount { minor, currency })));
        put("quantity", serde_json::to_value(self.quantity).ok());
        put("currency", Some(currency.code().into()).filter(|_| !currency.is_none()));
        put("url", self.info.url.as_deref().map(Value::from));
        put("image_url", self.info.image.as_deref().map(Value::from));
        properties
    }
}

/// Writes an amount as a JSON number, from its digits: `1999` minor units of the euro are `19.99`.
pub(super) fn price(amount: Amount) -> Option<Value> {
    let exponent = usize::from(amount.currency.exponent());
    let digits = format!("{:0>width$}", amount.minor.unsigned_abs(), width = exponent + 1);
    let (whole, decimals) = digits.split_at_checked(digits.len().checked_sub(exponent)?)?;
    let sign = if amount.minor < 0 { "-" } else { "" };
    let point = if decimals.is_empty() { "" } else { "." };
    serde_json::from_str(&format!("{sign}{whole}{point}{decimals}")).ok()
}

/// Makes the properties of an event about many products.
pub(super) fn about(products: &[Product]) -> Map<String, Value> {
    let mut properties = Map::new();
    let listed = products.iter().map(|product| product.properties().into());
    properties.insert("products".to_owned(), Value::Array(listed.collect()));
    let mut currencies = products.iter().map(|product| product.line.currency);
    let first = currencies.next().filter(|first| !first.is_none());
    // An event has a value only if the cart has one currency, every price is known, and nothing is sold by weight or length.
    if let Some(currency) = first.filter(|first| currencies.all(|c| c == *first)) {
        properties.insert("currency".to_owned(), currency.code().into());
        let sum = products.iter().try_fold(Amount { minor: 0, currency }, |sum, product| {
            let unit = Amount { minor: product.info.unit_price?, currency };
            sum.plus(unit.times(product.quantity.as_whole()?)?)
        });
        if let Some(value) = sum.and_then(price) {
            properties.insert("value".to_owned(), value);
        }
    }
    properties
}

/// The person that a touchpoint is about, and the source whose settings judge it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Subject {
    /// The device, with its visitor's consent.
    device: Option<Person>,
    /// The customer, if the touchpoint goes to the customer's profile.
    customer: Option<String>,
    source: String,
}

impl<S: Sql> Hub<'_, S> {
    /// Finds the subject of an act on the cart: the device that the page has sent, because the page's own reports go to
    /// the same profile, or else the customer that a server names, on the legal ground that its source declares. `None`
    /// where the page had no consent to send the device.
    pub(super) fn subject(&self, person: Option<&Person>) -> Option<Subject> {
        let state = &self.stored.state;
        let device = person.or(state.person.as_ref()).cloned();
        let customer = match &state.owner {
            Owner::Customer(id) if state.is_server && device.is_none() => Some(id.clone()),
            Owner::Customer(_) | Owner::Guest => None,
        };
        let is_anybody = device.is_some() || customer.is_some();
        is_anybody.then(|| Subject { device, customer, source: state.source.clone() })
    }

    /// Finds the subject of a reminder: the cart's customer, who may have opted in on any device, or else the device.
    pub(super) fn reminded(&self, person: Option<&Person>) -> Option<Subject> {
        let mut subject = self.subject(person)?;
        if let Owner::Customer(id) = &self.stored.state.owner {
            subject.customer = Some(id.clone());
        }
        Some(subject)
    }

    /// Reports the edits of a server. A page reports its own edits.
    pub(super) fn report_edits(
        &mut self,
        edits: &[Edit],
        speaker: &Speaker,
    ) -> Result<(), Failure> {
        let Owner::Customer(user) = &speaker.owner else { return Ok(()) };
        if !speaker.is_server {
            return Ok(());
        }
        let (customer, source) = (Some(user.clone()), speaker.source.clone());
        let subject = Subject { device: None, customer, source };
        for Edit { touchpoint, info } in edits {
            let (line, info) = (touchpoint.line.clone(), info.clone());
            let quantity = Quantity::whole(touchpoint.quantity);
            let product = Product { line, quantity, info };
            self.report(&subject, touchpoint.event, &touchpoint.id, product.properties())?;
        }
        Ok(())
    }

    /// Forgets a device whose person withdrew consent, and drops its touchpoints that no profile has stored. Without an id
    /// every device of the cart is meant.
    pub(super) fn forget_device(&mut self, id: Option<&str>) -> Result<(), Failure> {
        let is_meant = |person: &Person| id.is_none_or(|id| person.anonymous_id == id);
        if self.stored.state.person.as_ref().is_some_and(is_meant) {
            self.stored.state.person = None;
            self.is_dirty = true;
        }
        self.sql.exec(
            "DELETE FROM outbox WHERE body ->> 'anonymousId' = coalesce(?, body ->> 'anonymousId')",
            &[id.map_or(SqlValue::Null, SqlValue::from)],
        )?;
        Ok(())
    }

    /// Puts a touchpoint into the outbox. A second touchpoint with the same id changes nothing.
    pub(super) fn report(
        &mut self,
        subject: &Subject,
        event: CartEvent,
        message_id: &str,
        mut properties: Map<String, Value>,
    ) -> Result<(), Failure> {
        properties.insert("cart_id".to_owned(), self.turn.name.into());
        // The wire accepts null for an absent field.
        let device = subject.device.as_ref().map(|device| &device.anonymous_id);
        let consent = subject.device.as_ref().map(|device| json!({ "consent": device.consent }));
        let mut body = json!({
            "type": "track",
            "event": event.name(),
            "messageId": message_id,
            "timestamp": self.turn.now.to_string(),
            "anonymousId": device,
            "userId": subject.customer,
            "context": consent,
            "properties": properties,
        });
        let (text, cut) = fit(&mut body)?;
        let cut = if cut.is_empty() { SqlValue::Null } else { cut.join(", ").into() };
        self.sql.exec(
            "INSERT INTO outbox (message_id, source, body, cut) VALUES (?, ?, ?, ?)
             ON CONFLICT (message_id) DO NOTHING",
            &[message_id.into(), subject.source.as_str().into(), text.into(), cut],
        )?;
        self.stored.schedule_by(self.sql, Task::Outbox, self.turn.ms())?;
        self.pump = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hilo_core::money::Currency;

    #[test]
    fn prices_are_written_from_their_digits() {
        for (minor, code, expected) in [
            (1_999, "EUR", "19.99"),
            (5, "EUR", "0.05"),
            (0, "EUR", "0.0"),
            (1_500, "JPY", "1500"),
            (1_234, "KWD", "1.234"),
            (-1, "USD", "-0.01"),
        ] {
            let amount = Amount { minor, currency: Currency::parse(code).unwrap() };
            assert_eq!(price(amount).unwrap().to_string(), expected);
        }
    }
}
