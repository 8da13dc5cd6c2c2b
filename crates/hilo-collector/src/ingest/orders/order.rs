//! An order as carts want it, and what the vendors' files share to read one.
//!
//! Vendors' JSON → ids, notes, lines and amounts of ours. Knows no vendor.

use hilo_core::cart::{LineKey, limits};
use hilo_core::money::{Amount, Currency};
use hilo_core::outcome::{Code, Rejection};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// An order, as far as carts and touchpoints care.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Order {
    /// The vendor's id of it: what makes it happen once.
    pub id: String,
    /// The vendor's id of the customer; nobody for a guest.
    pub user_id: Option<String>,
    /// The checkout of ours that it came from, if the shop's theme passed it on.
    pub checkout_id: Option<String>,
    /// What was bought.
    pub lines: Vec<OrderLine>,
    /// What was paid, tax and shipping included; unknown where it is not plain decimal text.
    #[serde(serialize_with = "in_minor_units")]
    pub total: Option<Amount>,
}

/// So many units of an article.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderLine {
    /// The article, by the vendor's id of its variant.
    pub line: LineKey,
    /// How many.
    pub quantity: u32,
}

/// What a webhook contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookContent {
    /// An order was placed.
    Order(Order),
    /// Nothing for carts, and why. The answer is 200 all the same, because a vendor switches a webhook off after other answers.
    Nothing(&'static str),
}

/// Reads a vendor's JSON. Fields that nobody asks for may be anything.
pub(super) fn json<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Rejection> {
    // Bytes that are no UTF-8 cost the text they stand in, not the order.
    serde_json::from_str(&String::from_utf8_lossy(body)).map_err(|_| {
        Rejection::new(Code::MalformedBody, "this is no order in the words of its vendor")
    })
}

/// An id. Some vendors write a number, some text. A number with a fraction is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Id(pub String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Id, D::Error> {
        let written = Value::deserialize(from)?;
        let id = written.as_u64().map(|number| number.to_string());
        id.or_else(|| written.as_str().map(str::to_owned))
            .map(Id)
            .ok_or_else(|| de::Error::custom("an id is a whole number or text"))
    }
}

impl Id {
    /// The id, unless it is one that stands for nobody: vendors write 0 for a guest.
    pub(super) fn known(self) -> Option<String> {
        let Id(id) = self;
        let fits = !hilo_core::identity::is_reserved(&id) && id.len() <= limits::VARIANT_BYTES_MAX;
        fits.then_some(id)
    }
}

/// A name and a value that a theme has attached. A value that is no text counts as none.
#[derive(Debug, Deserialize)]
pub(super) struct Note {
    #[serde(alias = "key", default)]
    name: String,
    #[serde(default)]
    value: Value,
}

/// The text of the note called `name`.
pub(super) fn note(notes: Vec<Note>, name: &str) -> Option<String> {
    let value = notes.into_iter().find(|note| note.name == name)?.value;
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A line, if it can be one: whole units of an article that has an id.
pub(super) fn line(article: Option<Id>, quantity: &Value, currency: Currency) -> Option<OrderLine> {
    let variant = article?.known()?;
    let line = LineKey { variant, options_hash: 0, currency };
    let quantity = u32::try_from(quantity.as_u64()?).unwrap_or(u32::MAX).min(limits::QUANTITY_MAX);
    (quantity > 0).then_some(OrderLine { line, quantity })
}

/// The currency of an order.
pub(super) fn currency(code: &str) -> Result<Currency, Rejection> {
    Currency::parse(code).ok_or_else(|| {
        Rejection::at(Code::MalformedBody, "currency", "a currency as ISO 4217 writes it")
    })
}

#[expect(clippy::ref_option, reason = "the shape serde asks for")]
fn in_minor_units<S: Serializer>(total: &Option<Amount>, to: S) -> Result<S::Ok, S::Error> {
    total.map(|total| (total.minor.to_string(), total.currency)).serialize(to)
}
