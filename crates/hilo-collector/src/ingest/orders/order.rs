//! The order that carts receive, and the readers that the vendors' files share.
//!
//! Vendors' JSON → our ids, notes, lines and amounts. Nothing here is specific to one vendor.

use hilo_core::cart::{LineKey, Quantity, limits};
use hilo_core::money::{Amount, Currency};
use hilo_core::outcome::{Code, Rejection};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// An order, with the fields that carts and touchpoints need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Order {
    /// The vendor's id of the order. An order with the same id counts once.
    pub id: String,
    /// The vendor's id of the customer; `None` for a guest.
    pub user_id: Option<String>,
    /// The id of hilo's checkout that the order came from, if the shop's theme passed it on.
    pub checkout_id: Option<String>,
    /// The bought lines.
    pub lines: Vec<OrderLine>,
    /// The paid total, tax and shipping included; `None` if the vendor's text is not a plain decimal.
    #[serde(serialize_with = "in_minor_units")]
    pub total: Option<Amount>,
    /// Whether the money is still to come, as with a bank transfer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_unpaid: bool,
    /// When it was placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placed_at: Option<Timestamp>,
    /// The e-mail address of the buyer, as the vendor has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The telephone number of the buyer, as the vendor has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Whether it was placed at a till.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_in_store: bool,
    /// The vendor's id of the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store_id: Option<String>,
}

/// A quantity of an article.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderLine {
    /// The article, by the vendor's id of its variant.
    pub line: LineKey,
    /// The quantity.
    pub quantity: Quantity,
}

/// The content of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookContent {
    /// An order was placed.
    Order(Box<Order>),
    /// The webhook is about an order that does not count, for this reason.
    Nothing(&'static str),
    /// The webhook has another topic. The source's rules say what it means.
    Other,
}

/// Reads a vendor's JSON. Fields that the type does not name may have any value.
pub(super) fn json<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Rejection> {
    // Bytes that are not UTF-8 damage only the text that contains them, not the whole order.
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
    /// The id, unless it stands for no person: vendors write 0 for a guest.
    pub(super) fn known(self) -> Option<String> {
        self.fitting().filter(|id| !hilo_core::identity::is_reserved(id))
    }

    /// The id, unless it stands for no article: vendors write 0 for none. An article may have a name that no person has.
    pub(super) fn article(self) -> Option<String> {
        self.fitting().filter(|id| id != "0")
    }

    fn fitting(self) -> Option<String> {
        let Id(id) = self;
        (!id.is_empty() && id.len() <= limits::VARIANT_BYTES_MAX).then_some(id)
    }
}

/// A name and a value that a theme has attached. A value that is no text is ignored.
#[derive(Debug, Deserialize)]
pub(super) struct Note {
    #[serde(alias = "key", default)]
    name: String,
    #[serde(default)]
    value: Value,
}

/// Finds the text of the note called `name`.
pub(super) fn note(notes: Vec<Note>, name: &str) -> Option<String> {
    let value = notes.into_iter().find(|note| note.name == name)?.value;
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Makes one line for each article that has an id and a quantity. The lines of an order may name an article twice.
pub(super) fn lines(
    items: impl Iterator<Item = (Option<Id>, Value)>,
    currency: Currency,
) -> Vec<OrderLine> {
    let mut lines: Vec<OrderLine> = Vec::new();
    for (article, quantity) in items {
        let quantity = Quantity::parse(&quantity).filter(|quantity| !quantity.is_zero());
        let (Some(variant), Some(quantity)) = (article.and_then(Id::article), quantity) else {
            continue;
        };
        match lines.iter_mut().find(|known| known.line.variant == variant) {
            Some(known) => known.quantity = known.quantity.plus(quantity),
            None => {
                let line = LineKey { variant, options_hash: 0, currency };
                lines.push(OrderLine { line, quantity });
            }
        }
    }
    lines
}

/// An id in a field that may have any value.
pub(super) fn id_of(value: Value) -> Option<String> {
    serde_json::from_value::<Id>(value).ok().and_then(Id::known)
}

/// A text that says something. A field of another type says nothing here.
pub(super) fn text(value: Option<Value>) -> Option<String> {
    value.and_then(|value| {
        value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    })
}

/// Reads the currency of an order.
pub(super) fn currency(code: &str) -> Result<Currency, Rejection> {
    Currency::parse(code).ok_or_else(|| {
        Rejection::at(Code::MalformedBody, "currency", "a currency as ISO 4217 writes it")
    })
}

#[expect(clippy::ref_option, reason = "the shape serde asks for")]
fn in_minor_units<S: Serializer>(total: &Option<Amount>, to: S) -> Result<S::Ok, S::Error> {
    total.map(|total| (total.minor.to_string(), total.currency)).serialize(to)
}
