//! The JavaScript face of the cart's module: one function, nothing but conversions. `js/sdk/src/cart` sends and stores.
//!
//! Text goes in and text comes out, both in the cells of `hilo_core::cart::flat`: a function and a type of its own for each of
//! these would be a fifth of the module. The tag of what goes in says what is wanted:
//!
//! ```text
//! k …                                        opens what was kept; its beginning in whole lines can be opened as well
//! a kind units quiet price LINE LOOK         does it: `kind` 0 adds, 1 sets, 2 takes away → the refusal's code
//! c quiet                                    every line away
//! s                                          → the lines as the person sees them, a record each
//! t                                          → the touchpoints that are final, a record each, once each
//! w                                          → those of what may still change: whoever opens what is kept now reports them
//! e                                          ends the changing of what was done
//! p                                          → everything to be kept
//! m                                          → the next message for the hub, if there is one
//! l                                          → the cart's public name; empty before the first contact
//! h                                          → epoch and revision to ask the hub with
//! f …, d …                                   learns a view → what to do next: 0 go on, 1 ask, 2 wait
//! r why replica from told [replica n]…       learns a refusal → what to do next
//! x                                          the hub's whole cart is needed, whatever is known
//! u                                          → operations that the hub has not confirmed, and those given up
//! v                                          logout
//! ```
//!
//! `LINE` is `variant options currency`, `LOOK` is `[nNAME] [uURL] [mIMAGE]`; a price that is no amount of the currency counts
//! as unknown, like empty text. `why` is 0 for what it builds on is missing, 1 the epoch is over, 2 the name is somebody
//! else's, 3 the cart was merged, 4 the hub is busy, 5 something in the message; where `told` is 1, what follows are the last
//! numbers that were applied. `records` says what stands in records. What cannot be read is answered by `!` and changes nothing.

use alloc::boxed::Box;
use alloc::string::String;

use hilo_core::cart::flat::{self, Cells};
use hilo_core::cart::{Ctx, LineInfo, LineKey, ReplicaId, Span};
use hilo_core::digits;
use spin::Mutex;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::cart::sync::{Next, Refused};
use crate::cart::{Act, Identity, Replica, records};

#[wasm_bindgen(raw_module = "hilo-cart-page")]
extern "C" {
    /// 32 random bits.
    fn random() -> u32;
    /// Takes what [`call`] answers.
    fn answer(text: &str);
}

/// Nothing here panics but what runs out of memory; the page then has no cart.
#[cfg(not(any(feature = "page", feature = "more")))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// The page's replica. A lock that nobody else ever holds: the page has one thread, and nothing calls back from inside.
static REPLICA: Mutex<Option<Replica>> = Mutex::new(None);

fn mint() -> Identity {
    let bits = || (u64::from(random()) << 32) | u64::from(random());
    let mut token = String::new();
    digits::push_hex(&mut token, bits());
    digits::push_hex(&mut token, bits());
    Identity { replica: ReplicaId(bits().max(1)), token }
}

/// Does what the text asks for, and gives the answer to `answer`.
#[wasm_bindgen]
pub fn call(request: String) {
    let mut out = String::new();
    if let Some(mut place) = REPLICA.try_lock() {
        let replica = place.get_or_insert_with(|| Replica::new(Box::new(mint)));
        if done(replica, &request, &mut out).is_none() {
            out.push('!');
        }
    }
    answer(&out);
}

fn done(replica: &mut Replica, request: &str, out: &mut String) -> Option<()> {
    let mut cells = Cells::new(request);
    match cells.next()?.as_bytes().first()? {
        b'k' => return replica.restore(request),
        b'a' => out.push_str(act(replica, &mut cells)?),
        b'c' => drop(replica.clear(cells.number()? == 1)),
        b's' => records::write_shown(replica, out),
        b't' => records::write_touches(&replica.take_touches(), out),
        b'w' => records::write_touches(&replica.drafts(), out),
        b'e' => replica.seal(),
        b'p' => *out = replica.kept(),
        b'm' => *out = replica.message_text(),
        b'l' => out.push_str(replica.label()),
        b'h' => {
            // To ask for the whole cart, an epoch that it never has.
            let (epoch, rev) = replica.asks().unwrap_or((u32::MAX, 0));
            numbers(u64::from(epoch), rev, out);
        }
        b'f' | b'd' => number(replica.learn(flat::read_view(request)?), out),
        b'r' => number(replica.refused(refused(&mut cells)?), out),
        b'x' => replica.doubt(),
        b'u' => numbers(replica.waiting() as u64, u64::from(replica.lost()), out),
        b'v' => replica.leave(),
        _ => return None,
    }
    Some(())
}

fn act(replica: &mut Replica, cells: &mut Cells<'_>) -> Option<&'static str> {
    let (kind, units, is_quiet) = (cells.number()?, cells.count()?, cells.number()? == 1);
    let price = cells.next()?;
    let Some(line) = LineKey::read(cells) else { return Some("bad_line") };
    let look = LineInfo::read(cells)?.priced(&line, price);
    let act = match kind {
        0 => Act::Add(units),
        1 => Act::Set(units),
        _ => Act::Dec(units),
    };
    Some(replica.act(&line, act, &look, is_quiet).map_or_else(|refusal| refusal.code(), |()| ""))
}

fn refused(cells: &mut Cells<'_>) -> Option<Refused> {
    let why = cells.number()?;
    let replica = ReplicaId(cells.number().unwrap_or(0));
    let from = cells.count().unwrap_or(0);
    let is_told = cells.number()? == 1;
    let mut applied = Ctx::default();
    while let (Some(replica), Some(n)) = (cells.number(), cells.count()) {
        applied.add(Span { r: ReplicaId(replica), from: 1, to: n });
    }
    Some(match why {
        0 => Refused::Missing { replica, from },
        1 => Refused::Epoch(is_told.then_some(applied)),
        2 => Refused::Foreign,
        3 => Refused::Merged,
        4 => Refused::Busy,
        _ => Refused::Poison,
    })
}

fn number(next: Next, out: &mut String) {
    out.push_str(match next {
        Next::Go => "0",
        Next::Ask => "1",
        Next::Wait => "2",
    });
}

fn numbers(one: u64, other: u64, out: &mut String) {
    digits::push(out, false, one);
    out.push('\t');
    digits::push(out, false, other);
}
