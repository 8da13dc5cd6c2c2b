//! `GET /admin/v1/carts/:key` shows one cart; `key` is `u:<userId>`, or a cart's label.

use hilo_core::identity::is_reserved;
use hilo_core::outcome::{Code, Rejection};
use serde_json::value::RawValue;

use super::http::ok;
use crate::call::{Call, Trouble, secret};
use crate::calls::cart::{CartAsk, CartCall, Speaker, ask_cart};
use crate::platform::http::percent_decode;
use crate::platform::{Platform, Reply};
use crate::signature::{CartOwner, cart_label};

/// Shows the cart with this key. The call creates no object for a cart that nobody has used.
pub(super) async fn show<P: Platform>(key: &str, call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let key = percent_decode(key);
    let secret = secret(call.platform)?;
    let label = match key.strip_prefix("u:") {
        Some(id) if !is_reserved(id) => cart_label(secret.naming(), &CartOwner::Customer(id)),
        None if !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_hexdigit()) => key,
        Some(_) | None => {
            let message = "a key is u:<userId>, or a cart's label";
            return Err(Rejection::new(Code::NotFound, message).into());
        }
    };
    let question = CartCall { speaker: Speaker::hilo(), ask: CartAsk::Summary };
    let summary: Box<RawValue> = ask_cart(call.platform, &label, &question).await?;
    Ok(ok(&summary))
}
