//! A guest's cart moves into a customer's: the steps in order, each of which may be done again.
//!
//! A login drives them within its request, and a cart's alarm drives those that a crash has left. What a step does is the
//! object's (`store/cart/merge.rs`).

use crate::calls::cart::{CartAsk, CartCall, CustomerCart, Leave, Leaving, ask_cart};
use crate::platform::{Failure, Platform};

/// Moves a guest's cart into a customer's, once, from wherever an earlier attempt has ended.
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

/// The steps after a guest's cart stands still: the customer's takes it in, then the guest's lets go.
///
/// # Errors
/// An object that could not be asked. Calling it again does what is left to do.
pub async fn finish_merge<P: Platform>(
    guest: &str,
    leaving: &Leaving,
    platform: &P,
) -> Result<(), Failure> {
    take_in(leaving, platform).await?;
    ask_cart(platform, guest, &left(leaving)).await
}

/// Lets the customer's cart take the guest's in.
///
/// # Errors
/// An object that could not be asked.
pub async fn take_in<P: Platform>(leaving: &Leaving, platform: &P) -> Result<(), Failure> {
    let ask = CartAsk::Join(Box::new(leaving.clone()));
    let call = CartCall { speaker: leaving.to.speaker.clone(), ask };
    ask_cart(platform, &leaving.to.cart, &call).await
}

/// The call that lets the guest's cart go after the customer's cart has taken it in.
pub fn left(leaving: &Leaving) -> CartCall {
    let ask = CartAsk::Left { merge_id: leaving.merge_id.clone() };
    CartCall { speaker: leaving.to.speaker.clone(), ask }
}
