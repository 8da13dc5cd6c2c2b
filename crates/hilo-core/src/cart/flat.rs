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

use super::map::BTreeMap;
use std::ops::RangeInclusive;

use super::context::{Ctx, Dot, ReplicaId};
use super::digits;
use super::limits::WINDOW;
use super::replica::{Group, Kept, Sender, View};
use super::state::{Cart, Entry, Kind, LineInfo, LineKey};
use crate::money::Currency;
use crate::text::{cut, parts};

/// The version that operations carry, as in `wire`.
pub const VERSION: u8 = 1;

/// The operations `span` of the sender, whose deltas joined are `delta`.
pub fn write_ops(sender: &Sender, span: &RangeInclusive<u32>, delta: &Cart) -> String {
    let Sender { cart, replica, token, base } = sender;
    let mut to = Writer::default();
    to.record("o");
    to.number(u64::from(VERSION)).text(cart).number(u64::from(delta.epoch));
    to.number(replica.0).text(token);
    to.number(u64::from(*span.start())).number(u64::from(*span.end())).number(*base);
    to.delta(delta, |dot| dot.r == *replica && span.contains(&dot.n));
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
    let mut delta = Cart { epoch: cells.count()?, ..Cart::default() };
    let (replica, token) = (ReplicaId(cells.number()?), cells.text()?);
    let span = cells.span()?;
    let base = cells.number()?;
    cells.end()?;
    delta.ctx.cloud.extend(span.clone().map(|n| Dot { r: replica, n }));
    lines.try_for_each(|line| read_record(line, &mut delta))?;
    close(&mut delta);
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
        to.delta(&view.known, |_| false);
    }
    to.0
}

/// Reads a view.
pub fn read_view(text: &str) -> Option<View> {
    let mut lines = parts(text, b'\n');
    let first = lines.next()?;
    let full = first.starts_with('f');
    let mut cells = Cells::of(first, if full { "f" } else { "d" })?;
    let (cart, rev) = (cells.text()?, cells.number()?);
    let mut known = Cart { epoch: cells.count()?, ..Cart::default() };
    let acked = cells.count()?;
    cells.end()?;
    lines.try_for_each(|line| read_record(line, &mut known))?;
    close(&mut known);
    Some(View { full, cart, rev, acked, known })
}

/// What a replica keeps.
pub fn write_kept(kept: &Kept) -> String {
    let mut to = Writer::default();
    to.record("k");
    to.text(&kept.cart).number(kept.rev).number(u64::from(kept.known.epoch));
    to.state(&kept.known);
    for Group { replica, token, from, to: last, sent, delta } in &kept.waiting {
        to.record("q");
        to.number(replica.0).text(token).number(u64::from(delta.epoch));
        to.number(u64::from(*from)).number(u64::from(*last)).number(u64::from(*sent));
        to.state(delta);
    }
    to.0
}

/// Reads what [`write_kept`] wrote.
pub fn read_kept(text: &str) -> Option<Kept> {
    let mut lines = parts(text, b'\n');
    let mut cells = Cells::of(lines.next()?, "k")?;
    let (cart, rev) = (cells.text()?, cells.number()?);
    let known = Cart { epoch: cells.count()?, ..Cart::default() };
    cells.end()?;
    let mut kept = Kept { cart, rev, known, waiting: Vec::new() };
    for line in lines {
        if let Some(cells) = Cells::of(line, "q") {
            kept.waiting.push(read_group(cells)?);
        } else {
            let group = kept.waiting.last_mut().map(|group| &mut group.delta);
            read_record(line, group.unwrap_or(&mut kept.known))?;
        }
    }
    close(&mut kept.known);
    kept.waiting.iter_mut().for_each(|group| close(&mut group.delta));
    Some(kept)
}

fn read_group(mut cells: Cells<'_>) -> Option<Group> {
    let (replica, token) = (ReplicaId(cells.number()?), cells.text()?);
    let delta = Cart { epoch: cells.count()?, ..Cart::default() };
    let span = cells.span()?;
    let sent = match cells.number()? {
        0 => false,
        1 => true,
        _ => return None,
    };
    cells.end()?;
    Some(Group { replica, token, from: *span.start(), to: *span.end(), sent, delta })
}

/// Reads one record of a cart's content. [`close`] makes the context compact at the end.
fn read_record(line: &str, cart: &mut Cart) -> Option<()> {
    let (tag, _) = cut(line, b'\t');
    let mut cells = Cells::of(line, tag)?;
    match tag {
        "v" => {
            let dot = cells.dot()?;
            unique(cart.ctx.vv.insert(dot.r, dot.n))?;
        }
        "x" => {
            let dot = cells.dot()?;
            cart.ctx.cloud.insert(dot);
        }
        "p" => {
            let (line, dot) = (cells.line()?, cells.dot()?);
            let kind = Kind::from_name(cells.next()?)?;
            let mut entry = Entry::new(kind, cells.count()?);
            while let Some(replica) = cells.next() {
                unique(entry.used.insert(ReplicaId(digits::read(replica)?), cells.count()?))?;
            }
            cart.ctx.cloud.insert(dot);
            unique(cart.lines.entry(line).or_default().insert(dot, entry))?;
        }
        "i" => {
            let (line, rev) = (cells.line()?, cells.number()?);
            let info = cells.info()?;
            unique(cart.info.insert(line, (rev, info)))?;
        }
        _ => return None,
    }
    cells.end()
}

/// What stands twice is refused: nobody could say which counts.
fn unique<T>(before: Option<T>) -> Option<()> {
    if before.is_some() { None } else { Some(()) }
}

fn close(cart: &mut Cart) {
    cart.ctx.absorb(&Ctx::default());
}

/// The rest of a record.
struct Cells<'a>(Option<&'a str>);

impl<'a> Cells<'a> {
    /// The cells after the first, if that is `tag`.
    fn of(line: &'a str, tag: &str) -> Option<Cells<'a>> {
        let mut cells = Cells(Some(line));
        (cells.next() == Some(tag)).then_some(cells)
    }

    #[inline(never)]
    fn next(&mut self) -> Option<&'a str> {
        let (cell, rest) = cut(self.0?, b'\t');
        self.0 = rest;
        Some(cell)
    }

    fn end(&mut self) -> Option<()> {
        unique(self.next())
    }

    fn number(&mut self) -> Option<u64> {
        digits::read(self.next()?)
    }

    fn count(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
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

    fn text(&mut self) -> Option<String> {
        unescaped(self.next()?)
    }

    fn line(&mut self) -> Option<LineKey> {
        let (variant, options_hash) = (self.text()?, self.number()?);
        let currency = Currency::parse(self.next()?)?;
        Some(LineKey { variant, options_hash, currency })
    }

    /// Display fields, each by its letter: one that is absent has no cell.
    fn info(&mut self) -> Option<LineInfo> {
        let mut info = LineInfo::default();
        while let Some(cell) = self.next() {
            let (letter, rest) = cell.split_at_checked(1)?;
            let known = match letter {
                "n" => info.name.replace(unescaped(rest)?).is_some(),
                "u" => info.url.replace(unescaped(rest)?).is_some(),
                "m" => info.image.replace(unescaped(rest)?).is_some(),
                "p" => info.unit_price.replace(digits::read_signed(rest)?).is_some(),
                _ => return None,
            };
            if known {
                return None;
            }
        }
        Some(info)
    }
}

fn unescaped(cell: &str) -> Option<String> {
    let mut text = String::with_capacity(cell.len());
    let mut chars = cell.chars();
    while let Some(char) = chars.next() {
        text.push(match char {
            '\\' => match chars.next()? {
                't' => '\t',
                'n' => '\n',
                '\\' => '\\',
                _ => return None,
            },
            plain => plain,
        });
    }
    Some(text)
}

/// Text that grows record by record.
#[derive(Default)]
struct Writer(String);

impl Writer {
    fn record(&mut self, tag: &str) -> &mut Writer {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(tag);
        self
    }

    fn text(&mut self, text: &str) -> &mut Writer {
        self.0.push('\t');
        self.escaped(text)
    }

    fn escaped(&mut self, text: &str) -> &mut Writer {
        for char in text.chars() {
            match char {
                '\t' => self.0.push_str("\\t"),
                '\n' => self.0.push_str("\\n"),
                '\\' => self.0.push_str("\\\\"),
                plain => self.0.push(plain),
            }
        }
        self
    }

    fn number(&mut self, number: u64) -> &mut Writer {
        self.0.push('\t');
        digits::push(&mut self.0, false, number);
        self
    }

    fn dot(&mut self, dot: Dot) -> &mut Writer {
        self.number(dot.r.0).number(u64::from(dot.n))
    }

    fn line(&mut self, line: &LineKey) -> &mut Writer {
        self.text(&line.variant).number(line.options_hash).text(line.currency.code())
    }

    /// A cart with its whole context.
    fn state(&mut self, cart: &Cart) {
        for (&r, &n) in &cart.ctx.vv {
            self.record("v").dot(Dot { r, n });
        }
        for dot in &cart.ctx.cloud {
            self.record("x").dot(*dot);
        }
        self.content(cart);
    }

    /// A delta with the dots it dropped, those left out that are known to be in it.
    fn delta(&mut self, delta: &Cart, known: impl Fn(&Dot) -> bool) {
        for dot in delta.gone().filter(|dot| !known(dot)) {
            self.record("x").dot(dot);
        }
        self.content(delta);
    }

    fn content(&mut self, cart: &Cart) {
        for (line, dots) in &cart.lines {
            for (dot, Entry { kind, n, used }) in dots {
                self.record("p").line(line).dot(*dot).text(kind.name()).number(u64::from(*n));
                self.used(used);
            }
        }
        for (line, (rev, LineInfo { name, url, image, unit_price })) in &cart.info {
            self.record("i").line(line).number(*rev);
            for (letter, text) in [("\tn", name), ("\tu", url), ("\tm", image)] {
                if let Some(text) = text {
                    self.0.push_str(letter);
                    self.escaped(text);
                }
            }
            if let Some(minor) = unit_price {
                self.0.push_str("\tp");
                digits::push(&mut self.0, *minor < 0, minor.unsigned_abs());
            }
        }
    }

    fn used(&mut self, used: &BTreeMap<ReplicaId, u32>) {
        for (replica, units) in used {
            self.number(replica.0).number(u64::from(*units));
        }
    }
}

#[cfg(test)]
mod tests;
