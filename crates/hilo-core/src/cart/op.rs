//! The operations on a cart: `add`, `set`, `dec`, `remove`, `clear`.
//!
//! In: the cart as the acting replica sees it. Out: a delta, a small `Cart` that every replica absorbs, the acting replica
//! first. An operation changes only dots that its replica has seen, so it means the same on every replica.

use super::context::{Ctx, Dot, ReplicaId};
use super::dots::{Dots, Entry, Row};
use super::kind::Kind;
use super::limits::{LINE_DOTS_FOLD, LINE_DOTS_MAX, LINES_MAX, QUANTITY_MAX};
use super::line::LineKey;
use super::refusal::Refusal;
use super::state::{Cart, Line, units};

/// Which units are taken back first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TakeOrder {
    /// The units that were added last, as a person expects of a minus button.
    NewestFirst,
    /// The units that were added first: for an order that names no checkout.
    OldestFirst,
}

impl Cart {
    /// `k` units more.
    ///
    /// On a line with [`LINE_DOTS_FOLD`] live dots an add also folds: the new dot holds the units that are left of this
    /// replica's own adds too, and drops exactly those adds. So a line does not grow by clicking. A fold changes no dots of
    /// other replicas, so no add is lost. The price: an operation that has not seen the fold does not take the restated units
    /// away. That holds for a concurrent `remove`, `clear`, `set` or `dec`, and for an order whose checkout is older.
    ///
    /// Where [`LINE_DOTS_MAX`] dots leave no room and fewer than two are this replica's own, the add is a `Set` of the sum.
    /// Then all units of the line survive a concurrent `remove`, and of two such adds at once the larger counts.
    ///
    /// # Errors
    /// `BadQuantity` for no units or too many, `TooManyLines`, `ReplicaExhausted`.
    pub fn add(&self, me: ReplicaId, line: &LineKey, k: u32) -> Result<Cart, Refusal> {
        let sum = self.qty(line).saturating_add(k);
        if k == 0 || sum > QUANTITY_MAX {
            return Err(Refusal::BadQuantity);
        }
        self.room_for(line)?;
        let (mut live, mut own, mut own_units) = (0, Ctx::default(), 0_u32);
        let mut is_one = true;
        for entry in self.entries(line) {
            live += 1;
            if entry.dot.r == me && entry.kind == Kind::Add {
                is_one = own.is_empty();
                own.insert(entry.dot);
                own_units = own_units.saturating_add(entry.left());
            }
        }
        let folds = live >= LINE_DOTS_FOLD && !is_one;
        if !folds && live >= LINE_DOTS_MAX {
            return self.set(me, line, sum);
        }
        let mut delta = self.delta();
        let said_anew = if folds { own_units } else { 0 };
        self.put_new(&mut delta, me, line, (Kind::Add, said_anew.saturating_add(k)))?;
        if folds {
            delta.ctx.absorb(&own);
        }
        Ok(delta)
    }

    /// `q` units in all, instead of the units that this replica has seen; 0 removes the line.
    ///
    /// # Errors
    /// `BadQuantity` for too many, `TooManyLines`, `ReplicaExhausted`.
    pub fn set(&self, me: ReplicaId, line: &LineKey, q: u32) -> Result<Cart, Refusal> {
        if q == 0 {
            return self.remove(me, line);
        }
        if q > QUANTITY_MAX {
            return Err(Refusal::BadQuantity);
        }
        self.room_for(line)?;
        let mut delta = self.delta();
        self.put_new(&mut delta, me, line, (Kind::Set, q))?;
        self.drop_line(&mut delta, line);
        Ok(delta)
    }

    /// `k` units fewer. Removes the line where it has no more than `k`.
    ///
    /// # Errors
    /// `ReplicaExhausted`.
    pub fn dec(&self, me: ReplicaId, line: &LineKey, k: u32) -> Result<Cart, Refusal> {
        let shown = self.qty(line);
        if k >= shown {
            return self.remove(me, line);
        }
        let mut delta = self.delta();
        self.take_number(&mut delta, me)?;
        if let Some(Line { dots, .. }) = self.line(line) {
            // The person expects `k` fewer than shown. Only beyond the largest quantity that is shown there are more to take.
            let surplus = units(dots.entries()).saturating_sub(shown);
            take(&mut delta, (me, line), dots, k.saturating_add(surplus), TakeOrder::NewestFirst);
        }
        Ok(delta)
    }

    /// Removes the line.
    ///
    /// # Errors
    /// `ReplicaExhausted`.
    pub fn remove(&self, me: ReplicaId, line: &LineKey) -> Result<Cart, Refusal> {
        let mut delta = self.delta();
        self.take_number(&mut delta, me)?;
        self.drop_line(&mut delta, line);
        Ok(delta)
    }

    /// Removes every line.
    ///
    /// # Errors
    /// `ReplicaExhausted`.
    pub fn clear(&self, me: ReplicaId) -> Result<Cart, Refusal> {
        let mut delta = self.delta();
        self.take_number(&mut delta, me)?;
        self.known_lines.iter().for_each(|line| self.drop_line(&mut delta, &line.key));
        Ok(delta)
    }

    /// An empty delta of this epoch.
    pub(super) fn delta(&self) -> Cart {
        Cart::of(self.epoch)
    }

    /// Gives the operation its dot.
    pub(super) fn take_number(&self, delta: &mut Cart, me: ReplicaId) -> Result<Dot, Refusal> {
        let dot = self.ctx.next(me).ok_or(Refusal::ReplicaExhausted)?;
        delta.ctx.insert(dot);
        Ok(dot)
    }

    fn put_new(
        &self,
        delta: &mut Cart,
        me: ReplicaId,
        line: &LineKey,
        (kind, n): (Kind, u32),
    ) -> Result<(), Refusal> {
        let dot = self.take_number(delta, me)?;
        delta.put(line, Row::own(dot, kind, n));
        Ok(())
    }

    /// Adds the line's seen dots to the delta's context and not to its live dots: a drop needs no tombstone.
    fn drop_line(&self, delta: &mut Cart, line: &LineKey) {
        self.entries(line).for_each(|entry| delta.ctx.insert(entry.dot));
    }

    fn room_for(&self, line: &LineKey) -> Result<(), Refusal> {
        let fits = self.has(line) || self.lines().count() < LINES_MAX;
        if fits { Ok(()) } else { Err(Refusal::TooManyLines) }
    }
}

/// Takes back `k` units of `dots`. The delta holds each changed dot as it is afterwards.
///
/// The delta holds only the acting replica's counts, and no counts of other replicas.
pub(super) fn take(delta: &mut Cart, who: Who<'_>, dots: &Dots, k: u32, order: TakeOrder) {
    let mut rest = k;
    // A `Set` replaces all units before it, so adds that are live came later: the set is the older part.
    if order == TakeOrder::OldestFirst {
        take_from_sets(delta, who, dots, &mut rest);
    }
    take_from_adds(delta, who, dots, &mut rest, order);
    if order == TakeOrder::NewestFirst {
        take_from_sets(delta, who, dots, &mut rest);
    }
}

/// The acting replica, and the line.
type Who<'a> = (ReplicaId, &'a LineKey);

/// Takes units from one `Add` after another. Each step searches the next add: there are few, and a sort would cost the page
/// more bytes than this whole function.
fn take_from_adds(delta: &mut Cart, who: Who<'_>, dots: &Dots, rest: &mut u32, order: TakeOrder) {
    // Numbers of different replicas have no order in time, but every replica must choose the same dots.
    let is_before = |a: &Dot, b: &Dot| match order {
        TakeOrder::NewestFirst => (a.n, a.r) > (b.n, b.r),
        TakeOrder::OldestFirst => (a.n, a.r) < (b.n, b.r),
    };
    let mut last: Option<Dot> = None;
    while *rest > 0 {
        let mut next: Option<Entry<'_>> = None;
        for entry in dots.entries() {
            let is_rest = last.is_none_or(|last| is_before(&last, &entry.dot));
            if entry.kind == Kind::Add
                && is_rest
                && next.is_none_or(|next| is_before(&entry.dot, &next.dot))
            {
                next = Some(entry);
            }
        }
        let Some(entry) = next else { return };
        last = Some(entry.dot);
        let part = entry.left().min(*rest);
        use_more(delta, who, &entry, part);
        *rest = rest.saturating_sub(part);
    }
}

/// Lowers all `Set`s to one common level. The largest `Set` counts, so lowering one alone would change nothing.
fn take_from_sets(delta: &mut Cart, who: Who<'_>, dots: &Dots, rest: &mut u32) {
    let mut largest = 0;
    for entry in dots.entries() {
        if entry.kind == Kind::Set {
            largest = entry.left().max(largest);
        }
    }
    let level = largest.saturating_sub(*rest);
    for entry in dots.entries() {
        if entry.kind == Kind::Set {
            use_more(delta, who, &entry, entry.left().saturating_sub(level));
        }
    }
    *rest = rest.saturating_sub(largest);
}

fn use_more(delta: &mut Cart, (me, line): Who<'_>, entry: &Entry<'_>, part: u32) {
    if part > 0 {
        delta.put(line, Row::own(entry.dot, entry.kind, entry.n));
        let used = entry.used_by(me).saturating_add(part);
        delta.put(line, Row::used(entry.dot, me, used));
    }
}
