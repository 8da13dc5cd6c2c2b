//! The erasure of a cart: a claim → nothing of the cart is left, if the claim holds.
//!
//! The cart's lines, looks, orders, checkouts and touchpoints go at once. A device that still has a replica finds a new cart, as after
//! the cart's days. The time of the wish stays: a call that is repeated takes nothing that came since, and a merge that had begun
//! before brings nothing back.

use super::hub::{HubAnswer, News, Volatile};
use super::state::{Standing, State, StoredCart, first_time, happened};
use crate::calls::cart::Owner;
use crate::calls::encode;
use crate::calls::erasure::{CartClaim, CartErased, CartToErase};
use crate::platform::{Failure, Sql};
use crate::signature::sha256_hex;
use crate::store::schema;

/// The most guests' carts that one cart remembers to have taken in.
const GUESTS_MAX: u32 = 256;
/// The kind under which the time of the last erasure is stored.
const ERASED: &str = "erased";

/// Erases the cart, if the claim holds.
pub(super) fn erase(
    sql: &impl Sql,
    volatile: &mut Volatile,
    CartToErase { claim, asked_ms, .. }: &CartToErase,
) -> Result<HubAnswer, Failure> {
    let mut erased = CartErased::default();
    let mut news = Vec::new();
    if volatile.updated.is_done() || schema::is_present(sql)? {
        schema::apply(sql, schema::CART)?;
        let stored = StoredCart::load(sql)?;
        let is_new = *asked_ms > erased_ms(sql)?;
        if is_new && holds(claim, stored.as_ref().map(|stored| &stored.state)) {
            erased.guests = happened(sql, "guest", GUESTS_MAX)?;
            sql.wipe()?;
            schema::apply(sql, schema::CART)?;
            first_time(sql, ERASED, &asked_ms.to_string())?;
            let calls = std::mem::take(&mut volatile.calls);
            *volatile = Volatile { calls, ..Volatile::default() };
            news.push(News::Erased);
        }
    }
    Ok(HubAnswer { reply: encode(&erased)?, news, pump: false })
}

/// Returns when the erasure of this cart was asked for, milliseconds since the epoch; 0 if it never was.
pub(super) fn erased_ms(sql: &impl Sql) -> Result<i64, Failure> {
    let times = happened(sql, ERASED, 1)?;
    Ok(times.first().and_then(|text| text.parse().ok()).unwrap_or(0))
}

fn holds(claim: &CartClaim, state: Option<&State>) -> bool {
    match (claim, state) {
        (CartClaim::Proved, _) => true,
        (CartClaim::OfDevice(hashes), Some(state)) => {
            let is_of = |id: &str| hashes.contains(&sha256_hex(id.as_bytes()));
            state.owner == Owner::Guest
                && state.person.as_ref().is_some_and(|person| is_of(&person.anonymous_id))
        }
        (CartClaim::MovedInto(label), Some(state)) => match &state.standing {
            Standing::Left { into, .. } => into == label,
            Standing::Leaving { to, .. } => to.cart == *label,
            Standing::Open => false,
        },
        (CartClaim::OfDevice(_) | CartClaim::MovedInto(_), None) => false,
    }
}
