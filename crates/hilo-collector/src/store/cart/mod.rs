//! One cart's object: the hub that sequences its operations, its checkouts, and its touchpoints.
//!
//! `answer` answers a call, JSON in and JSON out, in one transaction; `live` does the same for a frame of a socket, and
//! `schedule` for the alarm. Everything is synchronous. This folder sends nothing and has no clock and no randomness:
//! both are arguments. `hilo_core::cart` judges a delta; this folder stores the judged delta, once.

mod checkout;
mod edit;
mod erase;
mod fit;
mod foreign;
mod hub;
mod live;
mod merge;
mod schedule;
mod state;
#[cfg(test)]
mod tests;
mod touch;
mod turn;
mod view;

pub use hub::{HubAnswer, News, Volatile};
pub use live::{
    CROWDED, FLOOD, FULL, Frame, LOGGED_OUT, Room, Socket, frame, is_flood, room, text_of,
};
pub use schedule::{Due, confirm, due, next_alarm, release};
pub use turn::Turn;

use hilo_core::cart::ReplicaId;
use hilo_core::rate::Rate;

use super::schema;
use crate::calls::cart::{CartAsk, CartCall, CartSummary, Leave, Speaker};
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql};
use hub::{Hub, within};
use state::StoredCart;

/// Calls of pages and apps by HTTP. A page waits a quarter of a second for further clicks, so these are five devices that all edit
/// the cart all the time. Frames of sockets are bounded by the socket.
const CALLS: Rate = Rate { per_s: 20, burst: 200 };

/// Answers a [`CartCall`].
///
/// # Errors
/// `Retriable` when the storage refuses; nothing of the call is stored then.
pub fn answer(
    sql: &impl Sql,
    volatile: &mut Volatile,
    call: &str,
    turn: Turn<'_>,
) -> Result<HubAnswer, Failure> {
    let CartCall { speaker, ask } = decode(call)?;
    if is_counted(&ask) && !speaker.is_server {
        let taken = volatile.calls.take(CALLS, 1, turn.ms());
        taken.map_err(|after_s| Failure::Busy { after_s })?;
    }
    if let CartAsk::Logout { login } = ask {
        return Ok(HubAnswer {
            reply: encode(&())?,
            news: vec![News::LoggedOut(login)],
            ..HubAnswer::default()
        });
    }
    if let CartAsk::Erase(cart) = &ask {
        return erase::erase(sql, volatile, cart);
    }
    let reads = match ask {
        CartAsk::View(_)
        | CartAsk::Summary
        | CartAsk::Withdraw { .. }
        | CartAsk::Leave(_)
        | CartAsk::Left { .. } => true,
        CartAsk::Ops { .. }
        | CartAsk::Checkout { .. }
        | CartAsk::Ordered(_)
        | CartAsk::Commands(_)
        | CartAsk::Logout { .. }
        | CartAsk::Erase(_)
        | CartAsk::Join(_) => false,
    };
    if reads && !volatile.updated.is_done() && !schema::is_present(sql)? {
        // A call that adds nothing to a cart that nobody has used must not create storage for it.
        return Ok(HubAnswer {
            reply: answer_unused(&ask, &speaker, turn)?,
            ..HubAnswer::default()
        });
    }
    within(sql, volatile, &speaker, turn, |hub| hub.take(ask, &speaker))
}

/// Whether a page or an app makes this call. The other calls are those of hilo itself.
const fn is_counted(ask: &CartAsk) -> bool {
    match ask {
        CartAsk::View(_) | CartAsk::Ops { .. } | CartAsk::Checkout { .. } | CartAsk::Ordered(_) => {
            true
        }
        CartAsk::Commands(_)
        | CartAsk::Logout { .. }
        | CartAsk::Erase(_)
        | CartAsk::Withdraw { .. }
        | CartAsk::Summary
        | CartAsk::Leave(_)
        | CartAsk::Join(_)
        | CartAsk::Left { .. } => false,
    }
}

/// The answer for a cart that nobody has used.
fn answer_unused(ask: &CartAsk, speaker: &Speaker, turn: Turn<'_>) -> Result<String, Failure> {
    match ask {
        CartAsk::View(since) => {
            let stored = StoredCart::fresh(speaker, ReplicaId(0), 0);
            encode(&view::of_new(&stored, turn.name, since)?)
        }
        CartAsk::Summary => {
            encode(&CartSummary { cart: turn.name.to_owned(), ..CartSummary::default() })
        }
        CartAsk::Leave(_) => encode(&Leave::Nothing),
        CartAsk::Left { .. }
        | CartAsk::Logout { .. }
        | CartAsk::Erase(_)
        | CartAsk::Withdraw { .. }
        | CartAsk::Ops { .. }
        | CartAsk::Checkout { .. }
        | CartAsk::Ordered(_)
        | CartAsk::Commands(_)
        | CartAsk::Join(_) => encode(&()),
    }
}

impl<S: Sql> Hub<'_, S> {
    /// Passes the call to the file that answers it.
    fn take(&mut self, ask: CartAsk, speaker: &Speaker) -> Result<String, Failure> {
        match ask {
            CartAsk::View(since) => encode(&self.look(&since)?),
            CartAsk::Ops { ops, person } => encode(&self.ops(&ops, person, speaker)?),
            CartAsk::Checkout { person } => encode(&self.begin_checkout(person, speaker)?),
            CartAsk::Ordered(order) => encode(&self.ordered(&order, speaker)?),
            CartAsk::Commands(commands) => encode(&self.commands(&commands, speaker)?),
            CartAsk::Summary => encode(&self.summary()?),
            // A logout changes nothing that is stored. An erasure was answered before the cart was read.
            CartAsk::Logout { .. } | CartAsk::Erase(_) => encode(&()),
            CartAsk::Withdraw { device } => encode(&self.forget_device(device.as_deref())?),
            CartAsk::Leave(to) => encode(&self.leave(to)?),
            CartAsk::Join(leaving) => encode(&self.join(&leaving, speaker)?),
            CartAsk::Left { merge_id } => encode(&self.left(&merge_id)?),
        }
    }
}
