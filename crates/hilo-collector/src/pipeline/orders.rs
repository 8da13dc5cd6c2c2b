//! The steps of an order webhook: source → signature → order → the customer's cart.
//!
//! A signed order that cannot be used is answered with 200 all the same, and noted in the reject log. Vendors switch a
//! webhook off after too many other answers, and sending the order again would not help.

use hilo_core::config::Source;
use serde_json::json;

use super::cart::speaker;
use super::{feeds, journal};
use crate::call::{Call, Trouble, secret};
use crate::calls::cart::{BoughtLine, CartAnswer, CartAsk, CartCall, Order, Owner, ask_cart};
use crate::calls::refused::RefusedCode;
use crate::ingest::orders::{self, WebhookContent};
use crate::ingest::{self, reply};
use crate::platform::{Failure, Platform, Reply};
use crate::signature::{CartOwner, cart_label};

/// Answers a webhook of the source called `name`.
pub(super) async fn take<P: Platform>(name: &str, call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let sources = &call.loaded.config.sources;
    if let Some(source) = sources.iter().find(|one| one.name == name && one.feed.is_some()) {
        return feeds::called(source, call.loaded, call).await;
    }
    let (source, webhook) = orders::source(&call.loaded.config, name)?;
    let secret = orders::secret(webhook, call.platform)?;
    let body = ingest::raw(call.incoming)?;
    match orders::read(call.incoming, body, webhook.vendor, &secret)? {
        WebhookContent::Order(order) => hand_over(order, source, call).await,
        WebhookContent::Nothing(why) => Ok(ignored(why)),
    }
}

/// Sends an order to its cart, which removes the bought units.
async fn hand_over<P: Platform>(
    order: orders::Order,
    source: &Source,
    call: &Call<'_, P>,
) -> Result<Reply, Trouble> {
    let identity = &call.loaded.config.identity;
    let customer = order.user_id.filter(|id| !identity.is_reserved(id));
    let bought = |orders::OrderLine { line, quantity }| BoughtLine { line, quantity };
    let lines = order.lines.into_iter().map(bought);
    let order = Order {
        order_id: order.id,
        checkout_id: order.checkout_id,
        lines: Some(lines.collect()),
        total: order.total.map(|total| (total.minor, total.currency)),
        is_unpaid: order.is_unpaid,
        is_foreign: true,
        person: None,
    };
    let answer = match customer {
        Some(id) => ordered(order, id, source, call).await?,
        None => CartAnswer::refused(RefusedCode::NotFound.into())?,
    };
    match answer.refused {
        None => Ok(reply::json(200, &json!({ "duplicate": answer.is_repeat }))),
        Some(RefusedCode::CartMerging) => {
            Err(Failure::Retriable("the cart is moving".to_owned()).into())
        }
        Some(code) => {
            journal::note_cart_refusal(code, source, call);
            Ok(ignored(code.name()))
        }
    }
}

fn ignored(why: &str) -> Reply {
    reply::json(200, &json!({ "ignored": why }))
}

/// Sends an order to the cart of the customer whom the shop system vouches for. An order with the same id counts once.
///
/// The order's note may name a checkout of ours. A buyer can write anything there, so the note never leads to a cart: the
/// customer's own cart looks the checkout up.
///
/// # Errors
/// A failure to call an object. The same order may be sent again.
async fn ordered<P: Platform>(
    order: Order,
    customer: String,
    source: &Source,
    call: &Call<'_, P>,
) -> Result<CartAnswer, Failure> {
    let label = cart_label(secret(call.platform)?.naming(), &CartOwner::Customer(&customer));
    let speaker = speaker(Owner::Customer(customer), source, call.loaded);
    let question = CartCall { speaker, ask: CartAsk::Ordered(order) };
    ask_cart(call.platform, &label, &question).await
}
