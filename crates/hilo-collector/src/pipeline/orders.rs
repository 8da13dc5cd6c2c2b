//! The steps of an order webhook: source → signature → order → the cart that it was bought from.
//!
//! A signed order that cannot be used is answered with 200 all the same, and noted in the reject log. Vendors switch a
//! webhook off after too many other answers, and sending the order again would not help.

use hilo_core::config::Source;
use serde_json::json;

use super::cart::speaker;
use super::journal;
use crate::call::{Call, Trouble, secret};
use crate::calls::cart::{
    BoughtLine, CartAnswer, CartAsk, CartCall, CartKnown, Order, Owner, Speaker, ask_cart,
};
use crate::calls::refused::RefusedCode;
use crate::ingest::orders::{self, WebhookContent};
use crate::ingest::{self, cart, reply};
use crate::platform::{Failure, Platform, Reply};
use crate::signature::{CartOwner, cart_label};

/// The most carts that an order follows after a move: a guest's cart moves into a customer's, and no further.
const MOVES_MAX: usize = 2;

/// Answers a webhook of the source called `name`.
pub(super) async fn take<P: Platform>(name: &str, call: &Call<'_, P>) -> Result<Reply, Trouble> {
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
    let buyer = customer.map_or(Buyer::Checkout, Buyer::Customer);
    let bought = |orders::OrderLine { line, quantity }| BoughtLine { line, quantity };
    let lines = order.lines.into_iter().map(bought);
    let order = Order {
        order_id: order.id,
        checkout_id: order.checkout_id,
        lines: Some(lines.collect()),
        total: order.total.map(|total| (total.minor, total.currency)),
        is_unpaid: order.is_unpaid,
        is_foreign: true,
    };
    let answer = ordered(order, &buyer, source, call).await?;
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

/// The buyer of an order, as far as its sender knows.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Buyer {
    /// A person, by the id that the server vouches for.
    Customer(String),
    /// The owner of the cart that the order's checkout belongs to.
    Checkout,
}

/// Sends an order to its cart. An order with the same id counts once.
///
/// # Errors
/// A failure to call an object. The same order may be sent again.
async fn ordered<P: Platform>(
    order: Order,
    buyer: &Buyer,
    source: &Source,
    call: &Call<'_, P>,
) -> Result<CartAnswer, Failure> {
    let Call { loaded, platform, .. } = *call;
    let secret = secret(platform)?;
    let named = order.checkout_id.as_deref().and_then(cart::label_of_checkout);
    let mut label = match (named, buyer) {
        (Some(label), _) => label.to_owned(),
        (None, Buyer::Customer(id)) => cart_label(&secret, &CartOwner::Customer(id)),
        (None, Buyer::Checkout) => return unknown_cart(),
    };
    for _ in 0..MOVES_MAX {
        // This call must not change the cart's owner. A forged checkout id must not create a cart.
        let looking = speaker(Owner::Guest, source, loaded);
        let question = CartCall { speaker: looking, ask: CartAsk::Summary };
        let summary: CartKnown = ask_cart(platform, &label, &question).await?;
        let owner = match (summary.known, buyer) {
            (true, _) => summary.owner,
            (false, Buyer::Customer(id)) => {
                label = cart_label(&secret, &CartOwner::Customer(id));
                Owner::Customer(id.clone())
            }
            (false, Buyer::Checkout) => return unknown_cart(),
        };
        let speaker = Speaker { is_server: true, ..speaker(owner, source, loaded) };
        let question = CartCall { speaker, ask: CartAsk::Ordered(order.clone()) };
        let answer: CartAnswer = ask_cart(platform, &label, &question).await?;
        match &answer.into {
            Some(into) => label.clone_from(into),
            None => return Ok(answer),
        }
    }
    unknown_cart()
}

fn unknown_cart() -> Result<CartAnswer, Failure> {
    CartAnswer::refused(RefusedCode::NotFound.into())
}
