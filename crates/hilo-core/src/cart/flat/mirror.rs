//! Flat text for tests: writes views and reads operations, as JavaScript does in the page.
//! In and out: the records of `flat`.

use alloc::string::String;
use core::ops::RangeInclusive;

use super::record::{Cells, Writer};
use super::{VERSION, read_record, write_content, write_group, write_kept, write_state};
use crate::cart::context::{ReplicaId, Span};
use crate::cart::replica::{Group, KeptReplica, Sender, View};
use crate::cart::state::Cart;
use crate::text::parts;

/// Reads what [`write_group`] wrote.
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

/// Writes what the hub says.
pub fn write_view(view: &View) -> String {
    let mut to = Writer::default();
    to.record(if view.full { "f" } else { "d" });
    to.text(&view.cart).number(view.rev);
    to.number(u64::from(view.known.epoch)).number(u64::from(view.acked));
    if view.full {
        write_state(&mut to, &view.known);
    } else {
        for dot in view.known.gone() {
            to.record("x").dot(dot);
        }
        write_content(&mut to, &view.known);
    }
    to.0
}

/// Writes the operations `span` of the sender, whose deltas joined are `delta`.
pub fn write_ops(sender: &Sender, span: &RangeInclusive<u32>, delta: &Cart) -> String {
    let Sender { cart, replica, token, base } = sender.clone();
    let (from, to) = (*span.start(), *span.end());
    write_group(&cart, base, &Group { replica, token, from, to, sent: false, delta: delta.clone() })
}

/// Writes what a replica keeps.
pub fn write_replica(KeptReplica { cart, rev, known, waiting }: &KeptReplica) -> String {
    write_kept(cart, *rev, known, waiting)
}
