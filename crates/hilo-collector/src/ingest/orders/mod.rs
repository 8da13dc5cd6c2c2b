//! `POST /v1/in/:source`: a shop system reports its orders, in its own format and with its own signature.
//!
//! Request → a verified [`Order`], if the order was placed and paid. Each vendor has one file, and all are pure. The
//! pipeline brings the order to its cart.

mod order;
pub mod shopify;
pub mod woocommerce;

pub use order::{Order, OrderLine, WebhookContent};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hilo_core::config::{Config, Source, Vendor, Webhook};
use hilo_core::outcome::{Code, Rejection};

use crate::loaded::Loaded;
use crate::platform::{Failure, Incoming, Platform};
use crate::signature;

/// The fewest bytes of a secret: a shorter one could be guessed. Vendors make longer ones.
const SECRET_BYTES_MIN: usize = 16;

/// Finds the webhook source by its name in the path.
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

/// Returns the secret that signs a webhook.
///
/// # Errors
/// `Fatal` where the secret is not set: anybody could make the signatures of an empty secret.
pub fn secret<P: Platform>(webhook: &Webhook, platform: &P) -> Result<String, Failure> {
    let name = &webhook.secret;
    platform.secret(name).filter(|secret| secret.len() >= SECRET_BYTES_MIN).ok_or_else(|| {
        let why = format!(
            "the secret {name} has less than {SECRET_BYTES_MIN} bytes: wrangler secret put {name}"
        );
        Failure::Fatal(why)
    })
}

/// Whether every webhook source can verify its webhooks.
pub(super) fn are_secrets_set<P: Platform>(loaded: &Loaded, platform: &P) -> bool {
    let mut webhooks = loaded.config.sources.iter().filter_map(|source| source.webhook.as_ref());
    webhooks.all(|webhook| secret(webhook, platform).is_ok())
}

/// Verifies a webhook, and reads it.
///
/// # Errors
/// `bad_signature`; `malformed_body` for a body that has a valid signature and cannot be read.
pub fn read(
    incoming: &Incoming,
    body: &[u8],
    vendor: Vendor,
    secret: &str,
) -> Result<WebhookContent, Rejection> {
    let header = |name| incoming.headers.get(name).unwrap_or_default();
    let (signature, topic) = match vendor {
        Vendor::Shopify => ("x-shopify-hmac-sha256", "x-shopify-topic"),
        Vendor::WooCommerce => ("x-wc-webhook-signature", "x-wc-webhook-topic"),
    };
    if vendor == Vendor::WooCommerce && woocommerce::is_ping(body) {
        return Ok(WebhookContent::Nothing("ping"));
    }
    // All vendors sign in the same way: base64 of HMAC-SHA-256 over the body as it was sent.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Headers;

    const SECRET: &str = "a secret of the vendor";
    const BODY: &str = r#"{"id":1,"currency":"EUR","status":"completed"}"#;

    fn call(vendor: Vendor, body: &str, fields: &[(&str, &str)]) -> Result<WebhookContent, Code> {
        let mut headers = Headers::default();
        fields.iter().for_each(|(name, value)| headers.push(name, *value));
        let incoming = Incoming { headers, ..Incoming::default() };
        read(&incoming, body.as_bytes(), vendor, SECRET).map_err(|why| why.code)
    }

    fn signed(secret: &str) -> String {
        STANDARD.encode(signature::sign(secret.as_bytes(), BODY.as_bytes()))
    }

    #[test]
    fn each_vendors_signature_is_read_from_that_vendors_own_header() {
        let tag = signed(SECRET);
        let shopify = [("x-shopify-hmac-sha256", tag.as_str()), ("x-shopify-topic", "orders/paid")];
        let woo =
            [("x-wc-webhook-signature", tag.as_str()), ("x-wc-webhook-topic", "order.updated")];
        for (vendor, own, other) in
            [(Vendor::Shopify, shopify, woo), (Vendor::WooCommerce, woo, shopify)]
        {
            let content = call(vendor, BODY, &own).unwrap();
            assert!(matches!(content, WebhookContent::Order(Order { id, .. }) if id == "1"));
            assert_eq!(call(vendor, BODY, &other), Err(Code::BadSignature));
        }
    }

    #[test]
    fn a_body_that_differs_from_the_signed_body_is_refused() {
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
    fn only_woocommerce_may_test_a_webhook_without_a_signature() {
        assert_eq!(
            call(Vendor::WooCommerce, "webhook_id=7", &[]),
            Ok(WebhookContent::Nothing("ping"))
        );
        assert_eq!(call(Vendor::WooCommerce, "webhook_id=7&x", &[]), Err(Code::BadSignature));
        assert_eq!(call(Vendor::Shopify, "webhook_id=7", &[]), Err(Code::BadSignature));
    }
}
