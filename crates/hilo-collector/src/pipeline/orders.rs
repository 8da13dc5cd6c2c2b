//! Order webhooks in order: source → signature → order → the cart it was bought from.
//!
//! What is signed and cannot be used is answered with 200 all the same and told to the reject log: vendors switch a webhook
//! off that hears anything else too often, and sending it again would not help.

use hilo_core::config::Source;
use serde_json::{Value, json};

use super::cart::speaker;
use super::journal;
use crate::call::{Call, Trouble, secret};
use crate::calls::cart::{
    CartAnswer, CartAsk, CartCall, CartSummary, Order, Owner, Refused, Speaker, Units, ask_cart,
};
use crate::ingest::orders::{self, Said};
use crate::ingest::{self, cart, reply};
use crate::loaded::Loaded;
use crate::platform::{Failure, Platform, Reply};
use crate::signature::{CartOwner, cart_label};

/// How often an order follows carts that have moved: a guest's into a customer's, and no further.
const MOVES_MAX: usize = 2;

/// Takes what the webhook source called `name` says.
pub(super) async fn take<P: Platform>(name: &str, call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let (source, webhook) = orders::source(&call.loaded.config, name)?;
    let secret = orders::secret(webhook, call.platform)?;
    let body = ingest::raw(call.incoming)?;
    match orders::read(call.incoming, body, webhook.vendor, &secret)? {
        Said::Order(order) => hand_over(order, source, call).await,
        Said::Nothing(why) => Ok(ignored(why)),
    }
}

/// Lets the cart know that it was bought.
async fn hand_over<P: Platform>(
    order: orders::Order,
    source: &Source,
    call: &Call<'_, P>,
) -> Result<Reply, Trouble> {
    let Call { loaded, platform, .. } = *call;
    let buyer = order.user_id.map_or(Buyer::Checkout, Buyer::Customer);
    let lines = order.lines.into_iter();
    let order = Order {
        order_id: order.id,
        checkout_id: order.checkout_id,
        lines: Some(lines.map(|l| Units { line: l.line, quantity: l.quantity }).collect()),
        total: order.total.map(|total| (total.minor, total.currency)),
        is_foreign: true,
    };
    let answer = ordered(order, &buyer, source, loaded, platform).await?;
    let body: Value = serde_json::from_str(answer.body.get()).unwrap_or_default();
    match answer.status {
        200 => Ok(reply::json(200, &json!({ "duplicate": body.get("duplicate") }))),
        500.. => Err(Failure::Retriable("the cart is moving".to_owned()).into()),
        _ => {
            let word = |name: &str| body.get("error")?.get(name)?.as_str();
            let (code, message) =
                (word("code").unwrap_or_default(), word("message").unwrap_or_default());
            journal::note_cart_refusal(code, message, source, call).await;
            Ok(ignored(code))
        }
    }
}

fn ignored(why: &str) -> Reply {
    reply::json(200, &json!({ "ignored": why }))
}

/// Whose order it is, as far as its sender knows.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Buyer {
    /// A person, by the id that the server vouches for.
    Customer(String),
    /// Whoever has the cart that the order's checkout belongs to.
    Checkout,
}

/// An order that a server knows of: from a webhook or a backend. The same order twice is once.
///
/// # Errors
/// An object that could not be asked. The order may be told again.
async fn ordered<P: Platform>(
    order: Order,
    buyer: &Buyer,
    source: &Source,
    loaded: &Loaded,
    platform: &P,
) -> Result<CartAnswer, Failure> {
    let secret = secret(platform)?;
    let named = order.checkout_id.as_deref().and_then(cart::label_of_checkout);
    let mut label = match (named, buyer) {
        (Some(label), _) => label.to_owned(),
        (None, Buyer::Customer(id)) => cart_label(&secret, &CartOwner::Customer(id)),
        (None, Buyer::Checkout) => return unknown_cart().answer(),
    };
    for _ in 0..MOVES_MAX {
        // The cart itself knows whose it is; an id that somebody made up must not create one.
        let looking = speaker(Owner::Guest, source, loaded);
        let call = CartCall { speaker: looking, ask: CartAsk::Summary };
        let summary: CartSummary = ask_cart(platform, &label, &call).await?;
        let owner = match (summary.known, buyer) {
            (true, _) => summary.owner,
            (false, Buyer::Customer(id)) => {
                label = cart_label(&secret, &CartOwner::Customer(id));
                Owner::Customer(id.clone())
            }
            (false, Buyer::Checkout) => return unknown_cart().answer(),
        };
        let speaker = Speaker { is_server: true, ..speaker(owner, source, loaded) };
        let call = CartCall { speaker, ask: CartAsk::Ordered(order.clone()) };
        let answer: CartAnswer = ask_cart(platform, &label, &call).await?;
        match moved_into(&answer) {
            Some(into) => label = into,
            None => return Ok(answer),
        }
    }
    unknown_cart().answer()
}

fn unknown_cart() -> Refused {
    Refused::new(404, "not_found", "no cart of this order is known")
}

fn moved_into(answer: &CartAnswer) -> Option<String> {
    if answer.status != 410 {
        return None;
    }
    let body: Value = serde_json::from_str(answer.body.get()).ok()?;
    body.get("error")?.get("into")?.as_str().map(str::to_owned)
}
