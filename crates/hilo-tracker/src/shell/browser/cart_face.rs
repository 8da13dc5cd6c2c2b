//! The JavaScript face of the cart's module: one function, nothing but conversions. `js/sdk/src/cart` sends and stores.
//!
//! Text goes in and text comes out, both in the cells of `hilo_core::cart::flat`: a function and a type of its own for each of
//! these requests would be a fifth of the module. The first cell of a request is its letter; `platform/codes.rs` names the
//! letters and numbers. `→` stands before the answer:
//!
//! ```text
//! k …                                        opens the stored text; its beginning in whole lines can be opened as well
//! a kind units quiet price LINE LOOK         does an act on a line → the refusal's code
//! c quiet                                    removes every line
//! s                                          → the lines as the visitor sees them, a record each
//! t                                          → the touchpoints that are final, a record each, once each
//! w                                          → the touchpoints of operations that may still change, a record each
//! e                                          closes the operations that may still change
//! p                                          → the text to store
//! m                                          → the next message for the hub, if there is one; `b` while an order is due
//! l                                          → the cart's label; empty before the first contact
//! h                                          → epoch and revision to ask the hub with
//! f …, d …                                   learns a view → what the page does next
//! r why replica from told [replica n]…       learns a refusal → what the page does next
//! x                                          asks for the hub's whole cart next time
//! u                                          → how many operations the hub has not confirmed, and how many were given up
//! v                                          forgets the cart at logout
//! b over                                     begins an order, which takes what the acts until its end (`over` is 1) do
//! g                                          the hub has taken the order that was due, or never will
//! ```
//!
//! `LINE` is `variant options currency`, `LOOK` is `[nNAME] [uURL] [mIMAGE]`; a price that is no amount of the currency counts
//! as unknown, like empty text. Where `told` is 1, the pairs behind it are the last numbers that the hub applied. `records` and
//! `touchpoint` list the cells of records. The answer to a request that cannot be read is `!`, and nothing changes.

use alloc::boxed::Box;
use alloc::string::String;

use hilo_core::cart::flat::{self, Cells};
use hilo_core::cart::{Ctx, LineInfo, LineKey, ReplicaId, Span};
use hilo_core::digits;
use spin::Mutex;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::cart::sync::{HubRefusal, Next};
use crate::cart::{Act, Identity, Replica, records, touchpoint};
use crate::platform::codes;

#[wasm_bindgen(raw_module = "hilo-cart-page")]
extern "C" {
    /// 32 random bits.
    fn random() -> u32;
    /// Takes the answer of [`call`].
    fn answer(text: &str);
}

/// Only a lack of memory panics here; the page then has no cart.
#[cfg(not(any(feature = "page", feature = "more", feature = "shop")))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// The page's replica. The lock is always free: the page has one thread, and nothing inside calls back.
static REPLICA: Mutex<Option<Replica>> = Mutex::new(None);

fn mint() -> Identity {
    let bits = || (u64::from(random()) << 32) | u64::from(random());
    let mut token = String::new();
    digits::push_hex(&mut token, bits());
    digits::push_hex(&mut token, bits());
    Identity { replica: ReplicaId(bits().max(1)), token }
}

/// Does what the request asks for, and gives the answer to `answer`.
#[wasm_bindgen]
pub fn call(request: String) {
    let mut out = String::new();
    if let Some(mut place) = REPLICA.try_lock() {
        let replica = place.get_or_insert_with(|| Replica::new(Box::new(mint)));
        if done(replica, &request, &mut out).is_none() {
            out.push(char::from(codes::CART_UNREADABLE));
        }
    }
    answer(&out);
}

fn done(replica: &mut Replica, request: &str, out: &mut String) -> Option<()> {
    let mut cells = Cells::new(request);
    match *cells.next()?.as_bytes().first()? {
        codes::CART_OPEN => return replica.restore(request),
        codes::CART_ACT => out.push_str(act(replica, &mut cells)?),
        codes::CART_CLEAR => drop(replica.clear(cells.number()? == 1)),
        codes::CART_SHOWN => records::write_shown(replica, out),
        codes::CART_TOUCHPOINTS => touchpoint::write_touchpoints(&replica.take_touchpoints(), out),
        codes::CART_DRAFTS => touchpoint::write_touchpoints(&replica.drafts(), out),
        codes::CART_SEAL => replica.seal(),
        codes::CART_STORED => *out = replica.stored_text(),
        codes::CART_MESSAGE => *out = replica.message_text(),
        codes::CART_LABEL => out.push_str(replica.label()),
        codes::CART_POSITION => {
            // An epoch that no cart ever has asks for the whole cart.
            let (epoch, rev) = replica.position().unwrap_or((u32::MAX, 0));
            numbers(u64::from(epoch), rev, out);
        }
        codes::CART_FULL | codes::CART_DELTA => {
            number(replica.learn(flat::read_view(request)?), out);
        }
        codes::CART_REFUSED => number(replica.learn_refusal(refusal(&mut cells)?), out),
        codes::CART_DOUBT => replica.doubt(),
        codes::CART_COUNTS => {
            numbers(replica.waiting() as u64, u64::from(replica.lost()), out);
        }
        codes::CART_LEAVE => replica.leave(),
        codes::CART_ORDER => replica.order(cells.number()? == 1),
        codes::CART_ORDERED => replica.order_done(),
        _ => return None,
    }
    Some(())
}

fn act(replica: &mut Replica, cells: &mut Cells<'_>) -> Option<&'static str> {
    let (kind, units, is_quiet) = (cells.number()?, cells.count()?, cells.number()? == 1);
    let price = cells.next()?;
    let Some(line) = LineKey::read(cells) else { return Some("bad_line") };
    let look = LineInfo::read(cells)?.priced(&line, price);
    let act = match u8::try_from(kind).ok()? {
        codes::CART_ACT_ADD => Act::Add(units),
        codes::CART_ACT_SET => Act::Set(units),
        codes::CART_ACT_DEC => Act::Dec(units),
        _ => return None,
    };
    Some(replica.act(&line, act, &look, is_quiet).map_or_else(|refusal| refusal.code(), |()| ""))
}

fn refusal(cells: &mut Cells<'_>) -> Option<HubRefusal> {
    let why = cells.number()?;
    let replica = ReplicaId(cells.number().unwrap_or(0));
    let from = cells.count().unwrap_or(0);
    let is_told = cells.number()? == 1;
    let mut applied = Ctx::default();
    while let (Some(replica), Some(n)) = (cells.number(), cells.count()) {
        applied.add(Span { r: ReplicaId(replica), from: 1, to: n });
    }
    Some(match u8::try_from(why).ok()? {
        codes::CART_REFUSAL_MISSING => HubRefusal::Missing { replica, from },
        codes::CART_REFUSAL_EPOCH => HubRefusal::Epoch(is_told.then_some(applied)),
        codes::CART_REFUSAL_FOREIGN => HubRefusal::ForeignReplica,
        codes::CART_REFUSAL_MERGED => HubRefusal::Merged,
        codes::CART_REFUSAL_BUSY => HubRefusal::Busy,
        codes::CART_REFUSAL_BAD_MESSAGE => HubRefusal::BadMessage,
        _ => return None,
    })
}

fn number(next: Next, out: &mut String) {
    let code = match next {
        Next::Go => codes::CART_NEXT_GO,
        Next::Ask => codes::CART_NEXT_ASK,
        Next::Wait => codes::CART_NEXT_WAIT,
    };
    digits::push(out, false, u64::from(code));
}

fn numbers(first: u64, second: u64, out: &mut String) {
    digits::push(out, false, first);
    out.push('\t');
    digits::push(out, false, second);
}
