//! The orders of shop systems, in their own formats.
//!
//! Topic and body of a genuine call → an [`Order`], if the order was placed and paid. Each vendor has one file, and all are pure. The
//! pipeline brings the order to its customer's cart, or reports it as what a guest did.

mod order;
mod report;
pub mod shopify;
pub mod woocommerce;

pub use order::{Order, OrderLine, WebhookContent};
pub use report::{ORDER_COMPLETED, report};

use hilo_core::outcome::Rejection;

/// Reads the call of a shop system; `None` for the preset of another vendor.
///
/// # Errors
/// `malformed_body` for a body that is no order.
pub fn read(
    preset: Option<&str>,
    topic: &str,
    body: &[u8],
) -> Result<Option<WebhookContent>, Rejection> {
    match preset {
        Some("shopify") => shopify::read(topic, body).map(Some),
        Some("woocommerce") => woocommerce::read(topic, body).map(Some),
        Some(_) | None => Ok(None),
    }
}
