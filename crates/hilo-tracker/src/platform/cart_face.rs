//! The JavaScript face of the cart's module: nothing but conversions. `js/sdk/src/cart` sends and stores.
//!
//! Functions on one replica, not a class, and text instead of objects: see `face.rs`. Answers with several records have one
//! a line; `cart/touch.rs` and `hilo_core::cart::flat` say what stands in them.

use std::cell::RefCell;

use hilo_core::cart::epoch::Applied;
use hilo_core::cart::{LineInfo, LineKey, ReplicaId, digits, flat};
use hilo_core::money::{Amount, Currency};
use hilo_core::text::parts;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::cart::sync::{Next, Refused};
use crate::cart::{Act, Identity, Replica, records};

#[wasm_bindgen(raw_module = "hilo-random")]
extern "C" {
    /// As many random hex digits.
    fn random(digits: u32) -> String;
}

#[cfg(not(feature = "page"))]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

thread_local! {
    static REPLICA: RefCell<Option<Replica>> = const { RefCell::new(None) };
}

/// Lets `act` work on the replica. There always is one once [`open`] was called; before, nothing happens.
#[inline(never)]
fn with(act: &mut dyn FnMut(&mut Replica)) {
    let _ = REPLICA.try_with(|cell| {
        if let Ok(mut replica) = cell.try_borrow_mut()
            && let Some(replica) = replica.as_mut()
        {
            act(replica);
        }
    });
}

fn mint() -> Identity {
    let digits = random(48);
    let id = digits.get(..16).unwrap_or_default();
    let token = digits.get(16..).unwrap_or_default();
    let fold = |id: u64, digit: u8| (id << 4) | u64::from((digit & 0xf) + 9 * (digit >> 6));
    let id = id.bytes().fold(0, fold);
    Identity { replica: ReplicaId(id.max(1)), token: token.to_owned() }
}

/// Opens what was kept, or a new cart for empty text. Whether it could be read; a beginning in whole lines can.
#[wasm_bindgen]
pub fn open(kept: &str) -> bool {
    let replica = if kept.is_empty() {
        Some(Replica::new(Box::new(mint)))
    } else {
        Replica::open(kept, Box::new(mint))
    };
    let is_read = replica.is_some();
    let _ = REPLICA.try_with(|cell| {
        if let Ok(mut place) = cell.try_borrow_mut()
            && is_read
        {
            *place = replica;
        }
    });
    is_read
}

/// Does it: `kind` 0 adds, 1 sets, 2 takes away `units`. The code of the refusal; empty if it was done.
///
/// A price that is no amount of the currency counts as unknown, like empty text.
#[wasm_bindgen]
#[expect(clippy::too_many_arguments, reason = "an object would cost every visitor a reader")]
pub fn act(
    kind: u8,
    units: u32,
    variant: &str,
    options: &str,
    currency: &str,
    price: &str,
    name: &str,
    url: &str,
    image: &str,
    is_quiet: bool,
) -> String {
    let (Some(options_hash), Some(currency)) = (digits::read(options), Currency::parse(currency))
    else {
        return String::from("bad_line");
    };
    let line = LineKey { variant: variant.to_owned(), options_hash, currency };
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let unit_price = Amount::parse(price, currency).map(|amount| amount.minor);
    let look = LineInfo { name: some(name), url: some(url), image: some(image), unit_price };
    let act = match kind {
        0 => Act::Add(units),
        1 => Act::Set(units),
        _ => Act::Dec(units),
    };
    let mut code = "";
    with(&mut |replica| {
        code =
            replica.act(&line, act, &look, is_quiet).map_or_else(|refusal| refusal.code(), |()| "");
    });
    String::from(code)
}

/// Every line away.
#[wasm_bindgen]
pub fn clear(is_quiet: bool) {
    with(&mut |replica| drop(replica.clear(is_quiet)));
}

/// The lines as the person sees them, a record each: its units and cells.
#[wasm_bindgen]
pub fn shown() -> String {
    let mut out = String::new();
    with(&mut |replica| records::write_shown(replica, &mut out));
    out
}

/// The touchpoints that are final, a record each, once each.
#[wasm_bindgen]
pub fn touches() -> String {
    let mut out = String::new();
    with(&mut |replica| {
        replica.take_touches().iter().for_each(|touch| touch.write(&mut out));
    });
    out
}

/// The touchpoints of what may still change. Whoever opens what is kept now reports them.
#[wasm_bindgen]
pub fn drafts() -> String {
    let mut out = String::new();
    with(&mut |replica| replica.drafts().iter().for_each(|touch| touch.write(&mut out)));
    out
}

/// Ends the changing of what was done.
#[wasm_bindgen]
pub fn seal() {
    with(&mut Replica::seal);
}

/// Everything to be kept.
#[wasm_bindgen]
pub fn kept() -> String {
    let mut out = String::new();
    with(&mut |replica| out = replica.kept());
    out
}

/// The next message for the hub; empty for none.
#[wasm_bindgen]
pub fn message() -> String {
    let mut out = String::new();
    with(&mut |replica| {
        if let Some(message) = replica.message() {
            out = flat::write_ops(&message.sender, &message.span, &message.delta);
        }
    });
    out
}

/// The cart's public name; empty before the first contact.
#[wasm_bindgen]
pub fn label() -> String {
    let mut out = String::new();
    with(&mut |replica| out.push_str(replica.label()));
    out
}

/// Epoch and revision to ask the hub with, separated by a blank. To ask for the whole cart, an epoch that it never has.
#[wasm_bindgen]
pub fn asks() -> String {
    let mut out = String::new();
    with(&mut |replica| {
        let (epoch, rev) = replica.asks().unwrap_or((u32::MAX, 0));
        digits::push(&mut out, false, u64::from(epoch));
        out.push(' ');
        digits::push(&mut out, false, rev);
    });
    out
}

/// Learns a view, as flat text. What to do next: 0 go on, 1 ask, 2 wait; 3 it could not be read.
#[wasm_bindgen]
pub fn learn(view: &str) -> u8 {
    let Some(view) = flat::read_view(view) else { return 3 };
    let (mut view, mut next) = (Some(view), Next::Go);
    with(&mut |replica| view.take().into_iter().for_each(|view| next = replica.learn(view)));
    number(next)
}

/// The hub's whole cart is needed, whatever is known.
#[wasm_bindgen]
pub fn doubt() {
    with(&mut Replica::doubt);
}

/// Learns a refusal: 0 what it builds on is missing, 1 the epoch is over, 2 the name is somebody else's, 3 the cart was merged,
/// 4 the hub is busy, 5 something in the message. `previous` has the last numbers that were applied, `replica n replica n …`,
/// where the hub told.
#[wasm_bindgen]
pub fn refused(why: u8, replica: &str, from: u32, previous: Option<String>) -> u8 {
    let why = match why {
        0 => Refused::Missing { replica: ReplicaId(digits::read(replica).unwrap_or(0)), from },
        1 => Refused::Epoch(previous.map(|text| applied(&text))),
        2 => Refused::Foreign,
        3 => Refused::Merged,
        4 => Refused::Busy,
        _ => Refused::Poison,
    };
    let (mut why, mut next) = (Some(why), Next::Go);
    with(&mut |replica| why.take().into_iter().for_each(|why| next = replica.refused(why)));
    number(next)
}

fn applied(text: &str) -> Applied {
    let mut applied = Applied::new();
    let mut numbers = parts(text, b' ').map_while(digits::read);
    while let (Some(replica), Some(n)) = (numbers.next(), numbers.next()) {
        applied.insert(ReplicaId(replica), u32::try_from(n).unwrap_or(u32::MAX));
    }
    applied
}

fn number(next: Next) -> u8 {
    match next {
        Next::Go => 0,
        Next::Ask => 1,
        Next::Wait => 2,
    }
}

/// How many operations the hub has not confirmed.
#[wasm_bindgen]
pub fn waiting() -> u32 {
    let mut count = 0;
    with(&mut |replica| count = u32::try_from(replica.waiting()).unwrap_or(u32::MAX));
    count
}

/// How many operations were given up.
#[wasm_bindgen]
pub fn lost() -> u32 {
    let mut count = 0;
    with(&mut |replica| count = replica.lost());
    count
}

/// Logout.
#[wasm_bindgen]
pub fn leave() {
    with(&mut Replica::leave);
}
