//! A shop system's order → the cart of the customer whom it names.

use hilo_core::config::Source;

use super::cart::speaker;
use super::journal;
use crate::call::secret;
use crate::calls::cart::{BoughtLine, CartAnswer, CartAsk, CartCall, Order, Owner, ask_cart};
use crate::calls::refused::RefusedCode;
use crate::ingest::orders;
use crate::loaded::Loaded;
use crate::platform::{Failure, Platform};
use crate::signature::{CartOwner, cart_label};

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handed {
    /// The customer's cart has it, and reports it. An order with the same id counts once.
    Taken,
    /// The cart refuses it for good. The reject log has the reason.
    Refused,
    /// The shop system names no customer.
    Guest,
}

/// Sends an order to the cart of the customer whom the shop system vouches for, which removes the bought units.
///
/// The order's note may name a checkout of ours. A buyer can write anything there, so the note never leads to a cart: the
/// customer's own cart looks the checkout up.
///
/// # Errors
/// A failure to call the cart, or a cart that is moving. The same order may be sent again.
pub(super) async fn hand_over<P: Platform>(
    order: &orders::Order,
    source: &Source,
    loaded: &Loaded,
    platform: &P,
) -> Result<Handed, Failure> {
    let identity = &loaded.config.identity;
    let Some(customer) = order.user_id.clone().filter(|id| !identity.is_reserved(id)) else {
        return Ok(Handed::Guest);
    };
    let bought = |orders::OrderLine { line, quantity }: &orders::OrderLine| BoughtLine {
        line: line.clone(),
        quantity: *quantity,
    };
    let ordered = Order {
        order_id: order.id.clone(),
        checkout_id: order.checkout_id.clone(),
        lines: Some(order.lines.iter().map(bought).collect()),
        total: order.total.map(|total| (total.minor, total.currency)),
        is_unpaid: order.is_unpaid,
        is_foreign: true,
        person: None,
    };
    let label = cart_label(secret(platform)?.naming(), &CartOwner::Customer(&customer));
    let speaker = speaker(Owner::Customer(customer), source, loaded);
    let question = CartCall { speaker, ask: CartAsk::Ordered(ordered) };
    let answer: CartAnswer = ask_cart(platform, &label, &question).await?;
    match answer.refused {
        None => Ok(Handed::Taken),
        Some(RefusedCode::CartMerging) => Err(Failure::Retriable("the cart is moving".to_owned())),
        Some(code) => {
            journal::note_cart_refusal(code, source, platform);
            Ok(Handed::Refused)
        }
    }
}
