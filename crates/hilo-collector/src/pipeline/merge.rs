//! A guest's cart moves into a customer's: the steps in order. Each step may be repeated.
//!
//! A login runs the steps within its request, and a cart's alarm runs those that a crash has left. `store/cart/merge.rs`
//! has the steps themselves.

use crate::calls::cart::{CartAsk, CartCall, CustomerCart, Leave, Leaving, ask_cart};
use crate::platform::{Failure, Platform};

/// Moves a guest's cart into a customer's, once. It continues where an earlier attempt ended.
pub(super) async fn merge<P: Platform>(
    guest: &str,
    to: CustomerCart,
    platform: &P,
) -> Result<(), Failure> {
    let ask = CartAsk::Leave(to.clone());
    let call = CartCall { speaker: to.speaker, ask };
    match ask_cart(platform, guest, &call).await? {
        Leave::Nothing | Leave::Left => Ok(()),
        Leave::Leaving(leaving) => finish_merge(guest, &leaving, platform).await,
    }
}

/// Runs the steps after the guest's cart has stopped taking edits: the customer's cart joins it, then the guest's cart
/// keeps only a pointer.
///
/// # Errors
/// A failure to call an object. A repeated call runs the steps that are left.
pub async fn finish_merge<P: Platform>(
    guest: &str,
    leaving: &Leaving,
    platform: &P,
) -> Result<(), Failure> {
    take_in(leaving, platform).await?;
    ask_cart(platform, guest, &left(leaving)).await
}

/// Lets the customer's cart join the guest's cart.
///
/// # Errors
/// A failure to call an object.
pub async fn take_in<P: Platform>(leaving: &Leaving, platform: &P) -> Result<(), Failure> {
    let ask = CartAsk::Join(Box::new(leaving.clone()));
    let call = CartCall { speaker: leaving.to.speaker.clone(), ask };
    ask_cart(platform, &leaving.to.cart, &call).await
}

/// Makes the call that empties the guest's cart after the customer's cart has joined it.
pub fn left(leaving: &Leaving) -> CartCall {
    let ask = CartAsk::Left { merge_id: leaving.merge_id.clone() };
    CartCall { speaker: leaving.to.speaker.clone(), ask }
}
