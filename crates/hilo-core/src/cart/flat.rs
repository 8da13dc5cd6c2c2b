//! Carts as flat text, between the page's module and its JavaScript: no JSON reader has to be downloaded for it.
//!
//! A record is one line of text. Tabs separate its cells, and the first cell is its tag. In text, `\t`, `\n` and `\\` stand
//! for tab, line feed and backslash. Every number is decimal text in its one spelling. The first record is one of
//!
//! ```text
//! o  version cart epoch replica token from to base     operations, replica → hub
//! f  cart rev epoch acked                              view: the whole cart, hub → replica
//! d  cart rev epoch acked                              view: what changed, or a broadcast (then `cart` is empty)
//! k  cart rev epoch                                    what a replica keeps
//! ```
//!
//! and the following records hold the cart's content:
//!
//! ```text
//! v  replica n                                         everything of the replica up to n is seen
//! x  replica n                                         this dot is seen: a gone dot of a delta, or one beyond a gap
//! p  variant options currency replica n kind qty [replica units]…
//! i  variant options currency rev [nNAME] [uURL] [mIMAGE] [pPRICE]
//! q  replica token epoch from to sent                  only after `k`: a waiting group follows (`sent` is 0 or 1)
//! ```
//!
//! A text is read whole or refused whole. `hub` decides whether a delta is allowed.

pub(super) mod escape;
#[cfg(any(test, feature = "testing"))]
pub mod mirror;
pub(super) mod record;

use alloc::string::String;
use alloc::vec::Vec;

use super::context::{Dot, ReplicaId, Span};
use super::dots::Row;
use super::kind::Kind;
use super::line::{LineInfo, LineKey};
use super::replica::{Group, KeptReplica, View};
use super::state::{Cart, Line};
use crate::digits;
use crate::text::{cut, parts};
use record::Writer;

pub use record::Cells;

/// The version of the wire that operations carry.
pub const VERSION: u8 = 1;

/// Writes the operations of a group that waits, as one message.
pub fn write_group(cart: &str, base: u64, group: &Group) -> String {
    let Group { replica, token, from, to: last, sent: _, delta } = group;
    let mut to = Writer::default();
    to.record("o");
    to.number(u64::from(VERSION)).text(cart).number(u64::from(delta.epoch));
    to.number(replica.0).text(token);
    to.number(u64::from(*from)).number(u64::from(*last)).number(base);
    for dot in delta.gone() {
        if dot.r != *replica || dot.n < *from || dot.n > *last {
            to.record("x").dot(dot);
        }
    }
    write_content(&mut to, delta);
    to.0
}

/// Reads a view.
pub fn read_view(text: &str) -> Option<View> {
    let full = text.starts_with('f');
    let (KeptReplica { cart, rev, known, .. }, acked) = read(text, if full { "f" } else { "d" })?;
    Some(View { full, cart, rev, acked, known })
}

/// Writes what a replica keeps, by its parts.
pub fn write_kept(cart: &str, rev: u64, known: &Cart, waiting: &[Group]) -> String {
    let mut to = Writer::default();
    to.record("k");
    to.text(cart).number(rev).number(u64::from(known.epoch));
    write_state(&mut to, known);
    for Group { replica, token, from, to: last, sent, delta } in waiting {
        to.record("q");
        to.number(replica.0).text(token).number(u64::from(delta.epoch));
        to.number(u64::from(*from)).number(u64::from(*last)).number(u64::from(*sent));
        write_state(&mut to, delta);
    }
    to.0
}

/// Reads what [`write_kept`] wrote.
pub fn read_kept(text: &str) -> Option<KeptReplica> {
    read(text, "k").map(|(kept, _)| kept)
}

/// Reads the text of this tag. Only `f` and `d` carry an acknowledgment, only `k` has groups.
#[inline(never)]
fn read(text: &str, tag: &str) -> Option<(KeptReplica, u32)> {
    let is_kept = tag == "k";
    let mut lines = parts(text, b'\n');
    let mut cells = Cells::of(lines.next()?, tag)?;
    let (cart, rev) = (cells.text()?, cells.number()?);
    let known = Cart::of(cells.count()?);
    let acked = if is_kept { 0 } else { cells.count()? };
    cells.end()?;
    let mut kept = KeptReplica { cart, rev, known, waiting: Vec::new() };
    for line in lines {
        match Cells::of(line, "q") {
            Some(cells) if is_kept => kept.waiting.push(read_group(cells)?),
            _ => {
                let group = kept.waiting.last_mut().map(|group| &mut group.delta);
                read_record(line, group.unwrap_or(&mut kept.known))?;
            }
        }
    }
    Some((kept, acked))
}

fn read_group(mut cells: Cells<'_>) -> Option<Group> {
    let (replica, token) = (ReplicaId(cells.number()?), cells.text()?);
    let delta = Cart::of(cells.count()?);
    let span = cells.span()?;
    let sent = match cells.number()? {
        0 => false,
        1 => true,
        _ => return None,
    };
    cells.end()?;
    Some(Group { replica, token, from: *span.start(), to: *span.end(), sent, delta })
}

/// Reads one record of a cart's content. A record that stands twice is refused, because either could count.
fn read_record(line: &str, cart: &mut Cart) -> Option<()> {
    let (tag, _) = cut(line, b'\t');
    let mut cells = Cells::of(line, tag)?;
    match tag {
        "v" => {
            let dot = cells.dot()?;
            let is_new = cart.ctx.prefix(dot.r) == 0;
            cart.ctx.add(Span { r: dot.r, from: 1, to: is_new.then_some(dot.n)? });
        }
        "x" => {
            let dot = cells.dot()?;
            cart.ctx.insert(dot);
        }
        "p" => {
            let (line, dot) = (LineKey::read(&mut cells)?, cells.dot()?);
            let kind = Kind::from_name(cells.next()?)?;
            let mut row = Row::own(dot, kind, cells.count()?);
            while cart.put(&line, row) {
                let Some(replica) = cells.next() else { return Some(()) };
                row = Row::used(dot, ReplicaId(digits::read(replica)?), cells.count()?);
            }
            return None;
        }
        "i" => {
            let (line, rev) = (LineKey::read(&mut cells)?, cells.number()?);
            let info = LineInfo::read(&mut cells)?;
            if cart.look(&line).is_some() {
                return None;
            }
            cart.show(&line, (rev, info));
        }
        _ => return None,
    }
    cells.end()
}

/// Adds a line's cells to a record: `variant options currency decimals` and the look's cells.
pub fn write_line(out: &mut String, line: &LineKey, info: &LineInfo) {
    let mut to = Writer(core::mem::take(out));
    line.write(&mut to);
    to.number(u64::from(line.decimals()));
    info.write(&mut to);
    *out = to.0;
}

/// Writes a cart with its whole context.
fn write_state(to: &mut Writer, cart: &Cart) {
    for span in cart.ctx.spans() {
        if span.from == 1 {
            to.record("v").dot(Dot { r: span.r, n: span.to });
        } else {
            for dot in span.dots() {
                to.record("x").dot(dot);
            }
        }
    }
    write_content(to, cart);
}

/// Writes a cart's lines and looks.
fn write_content(to: &mut Writer, cart: &Cart) {
    for Line { key, dots, look } in &cart.known_lines {
        for row in dots.rows() {
            match row.by {
                None => {
                    key.write(to.record("p"));
                    to.dot(row.dot).text(row.kind.name());
                }
                Some(replica) => {
                    to.number(replica.0);
                }
            }
            to.number(u64::from(row.n));
        }
        if let Some((rev, info)) = look {
            key.write(to.record("i"));
            to.number(*rev);
            info.write(to);
        }
    }
}

#[cfg(test)]
mod tests;
