//! `POST /v1/in/:source`: a shop system tells of its orders, in its own words and under its own signature.
//!
//! Request → whether the vendor signed it, and the [`Order`] in it if it is one that was placed and paid. One file per
//! vendor, pure. Knows no cart: what becomes of an order is the pipeline's.

pub mod shopify;
pub mod woocommerce;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hilo_core::cart::{LineKey, limits};
use hilo_core::config::{Config, Source, Vendor, Webhook};
use hilo_core::money::{Amount, Currency};
use hilo_core::outcome::{Code, Rejection};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::loaded::Loaded;
use crate::platform::{Failure, Incoming, Platform};
use crate::signature;

/// Bytes of a secret below which it could be guessed. Vendors make longer ones.
const SECRET_BYTES_MIN: usize = 16;

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

/// What a webhook says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// An order was placed.
    Order(Order),
    /// Nothing that carts care about, and why. Answered with 200: a vendor that hears anything else switches off.
    Nothing(&'static str),
}

/// The webhook source that a path names.
///
/// # Errors
/// `not_found`.
pub fn source<'c>(config: &'c Config, name: &str) -> Result<(&'c Source, &'c Webhook), Rejection> {
    config
        .sources
        .iter()
        .find(|source| source.name == name)
        .and_then(|source| Some((source, source.webhook.as_ref()?)))
        .ok_or_else(|| Rejection::new(Code::NotFound, "no webhook source has this name"))
}

/// The secret that a webhook is signed with.
///
/// # Errors
/// `Fatal` where it is not set: an empty one would verify what anybody signs.
pub fn secret<P: Platform>(webhook: &Webhook, platform: &P) -> Result<String, Failure> {
    let name = &webhook.secret;
    platform.secret(name).filter(|secret| secret.len() >= SECRET_BYTES_MIN).ok_or_else(|| {
        let why = format!(
            "the secret {name} has less than {SECRET_BYTES_MIN} bytes: wrangler secret put {name}"
        );
        Failure::Fatal(why)
    })
}

/// Whether every webhook source can verify what it is told.
pub(super) fn are_secrets_set<P: Platform>(loaded: &Loaded, platform: &P) -> bool {
    let mut webhooks = loaded.config.sources.iter().filter_map(|source| source.webhook.as_ref());
    webhooks.all(|webhook| secret(webhook, platform).is_ok())
}

/// Verifies what a vendor says, and reads it.
///
/// # Errors
/// `bad_signature`; `malformed_body` for something that is signed and cannot be read.
pub fn read(
    incoming: &Incoming,
    body: &[u8],
    vendor: Vendor,
    secret: &str,
) -> Result<Said, Rejection> {
    let header = |name| incoming.headers.get(name).unwrap_or_default();
    let (signature, topic) = match vendor {
        Vendor::Shopify => ("x-shopify-hmac-sha256", "x-shopify-topic"),
        Vendor::WooCommerce => ("x-wc-webhook-signature", "x-wc-webhook-topic"),
    };
    if vendor == Vendor::WooCommerce && woocommerce::is_ping(body) {
        return Ok(Said::Nothing("ping"));
    }
    // Both vendors sign alike: base64 of HMAC-SHA-256 over the body as it was sent.
    let tag = STANDARD.decode(header(signature)).unwrap_or_default();
    if !signature::verify(secret.as_bytes(), body, &tag) {
        let message = "the signature is not the one that the source's secret makes of this body";
        return Err(Rejection::new(Code::BadSignature, message));
    }
    match vendor {
        Vendor::Shopify => shopify::read(header(topic), body),
        Vendor::WooCommerce => woocommerce::read(header(topic), body),
    }
}

/// Reads a vendor's JSON: what is not asked for is passed over, whatever it is.
fn json<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Rejection> {
    serde_json::from_slice(body).map_err(|_| {
        Rejection::new(Code::MalformedBody, "this is no order in the words of its vendor")
    })
}

/// An id that vendors write as a number, and some as text. Never a float: what has a fraction is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Id(String);

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
    /// The id, unless it stands for nobody: vendors write 0 for a guest.
    fn known(self) -> Option<String> {
        let Id(id) = self;
        let fits = !hilo_core::identity::is_reserved(&id) && id.len() <= limits::VARIANT_BYTES_MAX;
        fits.then_some(id)
    }
}

/// A name and a value that a theme has attached. Values may be anything; only text is looked at.
#[derive(Debug, Deserialize)]
struct Note {
    #[serde(alias = "key", default)]
    name: String,
    #[serde(default)]
    value: Value,
}

/// The text of the note called `name`.
fn note(notes: Vec<Note>, name: &str) -> Option<String> {
    let value = notes.into_iter().find(|note| note.name == name)?.value;
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A line, if it can be one: whole units of an article that has an id.
fn line(article: Option<Id>, quantity: &Value, currency: Currency) -> Option<OrderLine> {
    let variant = article?.known()?;
    let line = LineKey { variant, options_hash: 0, currency };
    let quantity = u32::try_from(quantity.as_u64()?).unwrap_or(u32::MAX).min(limits::QUANTITY_MAX);
    (quantity > 0).then_some(OrderLine { line, quantity })
}

fn currency(code: &str) -> Result<Currency, Rejection> {
    Currency::parse(code).ok_or_else(|| {
        Rejection::at(Code::MalformedBody, "currency", "a currency as ISO 4217 writes it")
    })
}

#[expect(clippy::ref_option, reason = "the shape serde asks for")]
fn in_minor_units<S: Serializer>(total: &Option<Amount>, to: S) -> Result<S::Ok, S::Error> {
    total.map(|total| (total.minor.to_string(), total.currency)).serialize(to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Headers;

    const SECRET: &str = "a secret of the vendor";
    const BODY: &str = r#"{"id":1,"currency":"EUR","status":"completed"}"#;

    fn call(vendor: Vendor, body: &str, fields: &[(&str, &str)]) -> Result<Said, Code> {
        let mut headers = Headers::default();
        fields.iter().for_each(|(name, value)| headers.push(name, *value));
        let incoming = Incoming { headers, ..Incoming::default() };
        read(&incoming, body.as_bytes(), vendor, SECRET).map_err(|why| why.code)
    }

    fn signed(secret: &str) -> String {
        STANDARD.encode(signature::sign(secret.as_bytes(), BODY.as_bytes()))
    }

    #[test]
    fn each_vendor_signs_in_its_own_header() {
        let tag = signed(SECRET);
        let shopify = [("x-shopify-hmac-sha256", tag.as_str()), ("x-shopify-topic", "orders/paid")];
        let woo =
            [("x-wc-webhook-signature", tag.as_str()), ("x-wc-webhook-topic", "order.updated")];
        for (vendor, own, other) in
            [(Vendor::Shopify, shopify, woo), (Vendor::WooCommerce, woo, shopify)]
        {
            let said = call(vendor, BODY, &own).unwrap();
            assert!(matches!(said, Said::Order(Order { id, .. }) if id == "1"));
            assert_eq!(call(vendor, BODY, &other), Err(Code::BadSignature));
        }
    }

    #[test]
    fn what_is_not_signed_as_it_was_sent_is_refused() {
        let (right, wrong) = (signed(SECRET), signed("another secret"));
        let hex = signature::hex(&signature::sign(SECRET.as_bytes(), BODY.as_bytes()));
        for (body, tag) in [
            (BODY, wrong.as_str()),
            (BODY, ""),
            (BODY, "!!!"),
            (BODY, hex.as_str()),
            (&format!("{BODY} "), right.as_str()),
            ("", right.as_str()),
        ] {
            let fields = [("x-shopify-hmac-sha256", tag), ("x-shopify-topic", "orders/paid")];
            assert_eq!(call(Vendor::Shopify, body, &fields), Err(Code::BadSignature), "{tag}");
        }
    }

    #[test]
    fn only_woocommerce_tries_a_webhook_unsigned() {
        assert_eq!(call(Vendor::WooCommerce, "webhook_id=7", &[]), Ok(Said::Nothing("ping")));
        assert_eq!(call(Vendor::WooCommerce, "webhook_id=7&x", &[]), Err(Code::BadSignature));
        assert_eq!(call(Vendor::Shopify, "webhook_id=7", &[]), Err(Code::BadSignature));
    }
}
