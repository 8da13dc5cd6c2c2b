//! The webhook of a source: the shop system that calls, and the name of the secret that signs its calls.
//!
//! Reads and checks the fields. The collector knows the vendors' formats.

use serde::Serialize;

use super::ProblemCode;
use super::reader::{Reader, Section};

/// A shop system that sends its orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Vendor {
    /// Shopify.
    Shopify,
    /// `WooCommerce`, the shop for WordPress.
    #[serde(rename = "woocommerce")]
    WooCommerce,
}

/// The webhook of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Webhook {
    /// The shop system that calls.
    pub vendor: Vendor,
    /// The name of the secret that signs.
    pub secret: String,
}

/// Reads the fields of a webhook source. Other kinds of source must not have them.
pub(super) fn read(
    reader: &Reader<'_>,
    section: &Section<'_>,
    is_webhook: bool,
) -> Option<Webhook> {
    for (field, message) in [
        ("vendor", "say which shop system calls: shopify or woocommerce"),
        ("secret", "name the secret that signs its webhooks: { secret = \"NAME\" }"),
    ] {
        match section.value(field) {
            Some(value) if !is_webhook => {
                let message = "only a source of kind = \"webhook\" has this";
                let field = section.path_of(field);
                reader.report(value.span(), &field, ProblemCode::BadValue, message);
            }
            None if is_webhook => reader.report_missing(section, field, message),
            Some(_) | None => {}
        }
    }
    if !is_webhook {
        return None;
    }
    let vendor = reader.word(section, "vendor", &["shopify", "woocommerce"]);
    let secret = reader.secret_name(section, "secret")?;
    let vendor = match vendor? {
        "shopify" => Vendor::Shopify,
        _ => Vendor::WooCommerce,
    };
    Some(Webhook { vendor, secret })
}
