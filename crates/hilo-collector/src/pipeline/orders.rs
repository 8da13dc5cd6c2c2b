//! Order webhooks in order: source → signature → order → the cart it was bought from.
//!
//! What is signed and cannot be used is answered with 200 all the same and told to the reject log: vendors switch a webhook
//! off that hears anything else too often, and sending it again would not help.

use hilo_core::config::Source;
use serde_json::{Value, json};

use super::Trouble;
use super::cart::{self, Buyer};
use crate::calls::cart::{Order, Units};
use crate::ingest::orders::{self, Said};
use crate::ingest::{self, reply};
use crate::journal;
use crate::loaded::Loaded;
use crate::platform::{Failure, Incoming, Platform, Reply};

/// Takes what the webhook source called `name` says.
pub(super) async fn take<P: Platform>(
    name: &str,
    incoming: &Incoming,
    loaded: &Loaded,
    platform: &P,
) -> Result<Reply, Trouble> {
    let (source, webhook) = orders::source(&loaded.config, name)?;
    let secret = orders::secret(webhook, platform)?;
    let body = ingest::raw(incoming);
    match body.and_then(|body| orders::read(incoming, body, webhook.vendor, &secret)) {
        Ok(Said::Order(order)) => hand_over(order, source, loaded, platform).await,
        Ok(Said::Nothing(why)) => Ok(ignored(why)),
        Err(why) => {
            journal::refused(&why, loaded, platform).await;
            Err(why.into())
        }
    }
}

/// Lets the cart know that it was bought.
async fn hand_over<P: Platform>(
    order: orders::Order,
    source: &Source,
    loaded: &Loaded,
    platform: &P,
) -> Result<Reply, Trouble> {
    let buyer = order.user_id.map_or(Buyer::Checkout, Buyer::Customer);
    let lines = order.lines.into_iter();
    let order = Order {
        order_id: order.id,
        checkout_id: order.checkout_id,
        lines: Some(lines.map(|l| Units { line: l.line, quantity: l.quantity }).collect()),
        total: order.total.map(|total| (total.minor, total.currency)),
        is_foreign: true,
    };
    let answer = cart::ordered(order, &buyer, source, loaded, platform).await?;
    let body: Value = serde_json::from_str(answer.body.get()).unwrap_or_default();
    match answer.status {
        200 => Ok(reply::json(200, &json!({ "duplicate": body.get("duplicate") }))),
        500.. => Err(Failure::Retriable("the cart is moving".to_owned()).into()),
        _ => {
            let word = |name: &str| body.get("error")?.get(name)?.as_str();
            let (code, message) =
                (word("code").unwrap_or_default(), word("message").unwrap_or_default());
            journal::cart_refused(code, message, source, loaded, platform).await;
            Ok(ignored(code))
        }
    }
}

fn ignored(why: &str) -> Reply {
    reply::json(200, &json!({ "ignored": why }))
}
