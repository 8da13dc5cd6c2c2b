//! `GET /admin/v1/carts/:key`: one cart for people; `key` is `u:<userId>`, or a cart's label.

use hilo_core::identity::is_reserved;
use hilo_core::outcome::{Code, Rejection};

use super::Trouble;
use crate::calls::cart::{CartAsk, CartCall, CartSummary, Owner, Speaker, Terms, ask_cart};
use crate::platform::http::percent_decode;
use crate::platform::{Platform, Reply};
use crate::signature::{CartOwner, SECRET, cart_label};

/// Shows the cart with this key. Looking at one that nobody has used creates none.
pub(super) async fn show<P: Platform>(key: &str, platform: &P) -> Result<Reply, Trouble> {
    let key = percent_decode(key);
    let secret = platform.secret(SECRET).unwrap_or_default();
    let label = match key.strip_prefix("u:") {
        Some(id) if !is_reserved(id) => cart_label(&secret, &CartOwner::Customer(id)),
        None if !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_hexdigit()) => key,
        Some(_) | None => {
            let message = "a key is u:<userId>, or a cart's label";
            return Err(Rejection::new(Code::NotFound, message).into());
        }
    };
    // Who only looks is nobody to the cart.
    let speaker = Speaker {
        owner: Owner::Guest,
        source: String::new(),
        is_server: true,
        terms: Terms { abandoned_s: 0, keep_days: 0 },
    };
    let call = CartCall { speaker, ask: CartAsk::Summary };
    let summary: CartSummary = ask_cart(platform, &label, &call).await?;
    Ok(super::ok(&summary))
}
