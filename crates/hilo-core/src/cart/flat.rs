//! Carts as flat text, between the page's module and its JavaScript: no JSON reader has to be downloaded for it.
//!
//! A record is a line, its cells are separated by tabs; the first cell says what it is. In text, `\t`, `\n` and `\\` stand
//! for tab, line feed and backslash. Every number is decimal text in its one spelling. The first record is one of
//!
//! ```text
//! o  version cart epoch replica token from to base     operations, replica → hub
//! f  cart rev epoch acked                              view: the whole cart, hub → replica
//! d  cart rev epoch acked                              view: what changed, or a broadcast (then `cart` is empty)
//! k  cart rev epoch                                    what a replica keeps
//! ```
//!
//! and what follows says what is in the cart:
//!
//! ```text
//! v  replica n                                         everything of the replica up to n is seen
//! x  replica n                                         this dot is seen: `drop` of deltas, `cloud` of carts
//! p  variant options currency replica n kind qty [replica units]…
//! i  variant options currency rev [nNAME] [uURL] [mIMAGE] [pPRICE]
//! q  replica token epoch from to sent                  only after `k`: what follows is a waiting group (`sent` 0 or 1)
//! ```
//!
//! Reads everything or nothing. Whether a delta is allowed is `hub`'s question.

use alloc::string::String;
use alloc::vec::Vec;

use core::ops::RangeInclusive;

use super::context::{Dot, ReplicaId, Span};
use super::digits;
use super::dots::Row;
use super::limits::WINDOW;
use super::line::{LineInfo, LineKey, read_text, write_text};
use super::replica::{Group, Kept, Sender, View};
use super::state::{Cart, Kind, Line};
use crate::text::{cut, parts};

/// The version that operations carry, as in `wire`.
pub const VERSION: u8 = 1;

/// The operations `span` of the sender, whose deltas joined are `delta`.
pub fn write_ops(sender: &Sender, span: &RangeInclusive<u32>, delta: &Cart) -> String {
    let Sender { cart, replica, token, base } = sender;
    let (from, to) = (*span.start(), *span.end());
    ops(cart, *base, (*replica, token), (from, to), delta)
}

/// The operations of a group that waits, as [`write_ops`] writes them.
pub fn write_group(cart: &str, base: u64, group: &Group) -> String {
    let Group { replica, token, from, to, sent: _, delta } = group;
    ops(cart, base, (*replica, token), (*from, *to), delta)
}

fn ops(
    cart: &str,
    base: u64,
    (replica, token): (ReplicaId, &str),
    (from, last): (u32, u32),
    delta: &Cart,
) -> String {
    let mut to = Writer::default();
    to.record("o");
    to.number(u64::from(VERSION)).text(cart).number(u64::from(delta.epoch));
    to.number(replica.0).text(token);
    to.number(u64::from(from)).number(u64::from(last)).number(base);
    for dot in delta.gone() {
        if dot.r != replica || dot.n < from || dot.n > last {
            to.record("x").dot(dot);
        }
    }
    to.content(delta);
    to.0
}

/// Reads what [`write_ops`] wrote.
pub fn read_ops(text: &str) -> Option<(Sender, RangeInclusive<u32>, Cart)> {
    let mut lines = parts(text, b'\n');
    let mut cells = Cells::of(lines.next()?, "o")?;
    if cells.number()? != u64::from(VERSION) {
        return None;
    }
    let cart = cells.text()?;
    let mut delta = Cart::of(cells.count()?);
    let (replica, token) = (ReplicaId(cells.number()?), cells.text()?);
    let span = cells.span()?;
    let base = cells.number()?;
    cells.end()?;
    delta.ctx.add(Span { r: replica, from: *span.start(), to: *span.end() });
    lines.try_for_each(|line| read_record(line, &mut delta))?;
    Some((Sender { cart, replica, token, base }, span, delta))
}

/// What the hub says. The page reads it; tests and native replicas write it.
pub fn write_view(view: &View) -> String {
    let mut to = Writer::default();
    to.record(if view.full { "f" } else { "d" });
    to.text(&view.cart).number(view.rev);
    to.number(u64::from(view.known.epoch)).number(u64::from(view.acked));
    if view.full {
        to.state(&view.known);
    } else {
        for dot in view.known.gone() {
            to.record("x").dot(dot);
        }
        to.content(&view.known);
    }
    to.0
}

/// Reads a view.
pub fn read_view(text: &str) -> Option<View> {
    let full = text.starts_with('f');
    let (Kept { cart, rev, known, .. }, acked) = read(text, if full { "f" } else { "d" })?;
    Some(View { full, cart, rev, acked, known })
}

/// What a replica keeps.
pub fn write_kept(Kept { cart, rev, known, waiting }: &Kept) -> String {
    write_parts(cart, *rev, known, waiting)
}

/// What a replica keeps, by its parts.
pub fn write_parts(cart: &str, rev: u64, known: &Cart, waiting: &[Group]) -> String {
    let mut to = Writer::default();
    to.record("k");
    to.text(cart).number(rev).number(u64::from(known.epoch));
    to.state(known);
    for Group { replica, token, from, to: last, sent, delta } in waiting {
        to.record("q");
        to.number(replica.0).text(token).number(u64::from(delta.epoch));
        to.number(u64::from(*from)).number(u64::from(*last)).number(u64::from(*sent));
        to.state(delta);
    }
    to.0
}

/// Reads what [`write_kept`] wrote.
pub fn read_kept(text: &str) -> Option<Kept> {
    read(text, "k").map(|(kept, _)| kept)
}

/// Reads what the tag says. Only `f` and `d` tell what is acknowledged, only `k` has groups.
#[inline(never)]
fn read(text: &str, tag: &str) -> Option<(Kept, u32)> {
    let is_kept = tag == "k";
    let mut lines = parts(text, b'\n');
    let mut cells = Cells::of(lines.next()?, tag)?;
    let (cart, rev) = (cells.text()?, cells.number()?);
    let known = Cart::of(cells.count()?);
    let acked = if is_kept { 0 } else { cells.count()? };
    cells.end()?;
    let mut kept = Kept { cart, rev, known, waiting: Vec::new() };
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

/// Reads one record of a cart's content. What stands twice is refused: nobody could say which counts.
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
            let (line, dot) = (cells.line()?, cells.dot()?);
            let kind = Kind::from_name(cells.next()?)?;
            let mut row = Row::own(dot, kind, cells.count()?);
            while cart.put(&line, row) {
                let Some(replica) = cells.next() else { return Some(()) };
                row = Row::used(dot, ReplicaId(digits::read(replica)?), cells.count()?);
            }
            return None;
        }
        "i" => {
            let (line, rev) = (cells.line()?, cells.number()?);
            let info = cells.info()?;
            if cart.look(&line).is_some() {
                return None;
            }
            cart.show(&line, (rev, info));
        }
        _ => return None,
    }
    cells.end()
}

/// Writes a line and how it looks behind the cells that are there: `variant options currency decimals` and its looks.
pub fn write_line(out: &mut String, line: &LineKey, info: &LineInfo) {
    let mut to = Writer(core::mem::take(out));
    line.write(&mut to);
    to.number(u64::from(line.decimals()));
    info.write(&mut to);
    *out = to.0;
}

/// The rest of a record.
pub struct Cells<'a> {
    pub(super) rest: Option<&'a str>,
}

impl<'a> Cells<'a> {
    /// All cells of a record, the tag included.
    pub fn new(record: &'a str) -> Cells<'a> {
        Cells { rest: Some(record) }
    }

    /// The cells after the first, if that is `tag`.
    fn of(line: &'a str, tag: &str) -> Option<Cells<'a>> {
        let mut cells = Cells::new(line);
        (cells.next() == Some(tag)).then_some(cells)
    }

    /// The next cell as it stands there.
    #[expect(clippy::should_implement_trait, reason = "an iterator would bring its adapters")]
    #[inline(never)]
    pub fn next(&mut self) -> Option<&'a str> {
        let (cell, rest) = cut(self.rest?, b'\t');
        self.rest = rest;
        Some(cell)
    }

    fn end(&mut self) -> Option<()> {
        if self.rest.is_some() { None } else { Some(()) }
    }

    /// The next cell as a number.
    pub fn number(&mut self) -> Option<u64> {
        digits::read(self.next()?)
    }

    /// The next cell as a smaller number.
    pub fn count(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    /// The next cells as a line: `variant options currency`.
    pub fn line(&mut self) -> Option<LineKey> {
        LineKey::read(self)
    }

    /// All that follow as how a line looks: `[nNAME] [uURL] [mIMAGE] [pPRICE]`.
    pub fn info(&mut self) -> Option<LineInfo> {
        LineInfo::read(self)
    }

    /// Numbers of operations as one message may bring them.
    fn span(&mut self) -> Option<RangeInclusive<u32>> {
        let (from, to) = (self.count()?, self.count()?);
        let fits = from > 0 && to.checked_sub(from).is_some_and(|more| more < WINDOW);
        fits.then_some(from..=to)
    }

    fn dot(&mut self) -> Option<Dot> {
        let dot = Dot { r: ReplicaId(self.number()?), n: self.count()? };
        (dot.n > 0).then_some(dot)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        read_text(self.next()?)
    }
}

/// Text that grows record by record.
#[derive(Default)]
pub(super) struct Writer(pub(super) String);

impl Writer {
    fn record(&mut self, tag: &str) -> &mut Writer {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(tag);
        self
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Writer {
        self.0.push('\t');
        write_text(text, &mut self.0);
        self
    }

    pub(super) fn number(&mut self, number: u64) -> &mut Writer {
        self.0.push('\t');
        digits::push(&mut self.0, false, number);
        self
    }

    fn dot(&mut self, dot: Dot) -> &mut Writer {
        self.number(dot.r.0).number(u64::from(dot.n))
    }

    /// A cart with its whole context.
    fn state(&mut self, cart: &Cart) {
        for span in cart.ctx.spans() {
            if span.from == 1 {
                self.record("v").dot(Dot { r: span.r, n: span.to });
            } else {
                for dot in span.dots() {
                    self.record("x").dot(dot);
                }
            }
        }
        self.content(cart);
    }

    fn content(&mut self, cart: &Cart) {
        for Line { key, dots, look } in &cart.known_lines {
            for row in dots.rows() {
                match row.by {
                    None => {
                        key.write(self.record("p"));
                        self.dot(row.dot).text(row.kind.name());
                    }
                    Some(replica) => {
                        self.number(replica.0);
                    }
                }
                self.number(u64::from(row.n));
            }
            if let Some((rev, info)) = look {
                key.write(self.record("i"));
                self.number(*rev);
                info.write(self);
            }
        }
    }
}

#[cfg(test)]
mod tests;
