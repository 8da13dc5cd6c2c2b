//! What a person can do with a cart: `add`, `set`, `dec`, `remove`, `clear`.
//!
//! In: the cart as this replica sees it, and who acts. Out: a delta, a small `Cart` that every replica absorbs, the acting
//! one first. An operation touches only the dots its replica has observed: that is what makes it mean the same elsewhere.

use super::context::{Ctx, Dot, ReplicaId};
use super::limits::{LINE_DOTS_FOLD, LINE_DOTS_MAX, LINES_MAX, QUANTITY_MAX};
use super::map::BTreeMap;
use super::refusal::Refusal;
use super::state::{Cart, Entry, Kind, LineKey, units};

/// Dots of one line, or some of them.
pub(super) type Dots = BTreeMap<Dot, Entry>;

/// From which end units are taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// What was added last goes first, as a person expects of a minus button.
    NewestFirst,
    /// What was added first goes first: the order of an order that names no checkout.
    OldestFirst,
}

impl Cart {
    /// `k` units more.
    ///
    /// On a line with [`LINE_DOTS_FOLD`] live dots it also folds: the new dot says the units that are left of this replica's
    /// own adds too, and drops exactly those, so that a line cannot grow by clicking. Dots of others are not touched, so no
    /// add is lost, whatever happens at the same time. The price is paid by who takes units away without having seen the
    /// fold: a concurrent `remove`, `clear`, `set` or `dec`, and an order whose checkout is older than the fold, do not
    /// reach the units it says anew.
    ///
    /// Where [`LINE_DOTS_MAX`] dots leave no room and fewer than two are this replica's own, it is a `Set` of the sum: then a
    /// concurrent `remove` loses to all units of the line, and of two such at once the larger counts.
    ///
    /// # Errors
    /// `BadQuantity` for no units or too many, `TooManyLines`, `ReplicaExhausted`.
    pub fn add(&self, me: ReplicaId, line: &LineKey, k: u32) -> Result<Cart, Refusal> {
        let sum = self.qty(line).saturating_add(k);
        if k == 0 || sum > QUANTITY_MAX {
            return Err(Refusal::BadQuantity);
        }
        self.room_for(line)?;
        let dots = self.lines.get(line);
        let live = dots.map_or(0, Dots::len);
        let own = |(dot, entry): &(&Dot, &Entry)| dot.r == me && entry.kind == Kind::Add;
        let own = || dots.into_iter().flatten().filter(own);
        let folds = live >= LINE_DOTS_FOLD && own().nth(1).is_some();
        if !folds && live >= LINE_DOTS_MAX {
            return self.set(me, line, sum);
        }
        let mut delta = self.delta();
        let said_anew = if folds { units(own().map(|(_, entry)| entry)) } else { 0 };
        self.put_new(&mut delta, me, line, Entry::new(Kind::Add, said_anew.saturating_add(k)))?;
        if folds {
            delta.ctx.absorb(&own().map(|(dot, _)| *dot).collect());
        }
        Ok(delta)
    }

    /// Adds `k` units to an `add` of this replica that was not sent yet, so that many clicks become one dot.
    ///
    /// `sent` is the number of the last operation that left this replica, to the hub or to another tab: a dot that anybody
    /// may have observed must not grow, or removing it would remove units nobody saw. `None` if there is no such dot.
    pub fn grow(&self, me: ReplicaId, line: &LineKey, k: u32, sent: u32) -> Option<Cart> {
        let dots = self.lines.get(line)?;
        let unsent = |dot: &Dot, entry: &Entry| {
            dot.r == me && dot.n > sent && entry.kind == Kind::Add && entry.used.is_empty()
        };
        let (dot, entry) = dots.iter().rfind(|(dot, entry)| unsent(dot, entry))?;
        if self.qty(line).saturating_add(k) > QUANTITY_MAX {
            return None;
        }
        let mut delta = self.delta();
        put(&mut delta, line, *dot, Entry::new(Kind::Add, entry.n.saturating_add(k)));
        Some(delta)
    }

    /// `q` units in all, instead of what this replica has observed; 0 removes.
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
        self.put_new(&mut delta, me, line, Entry::new(Kind::Set, q))?;
        self.drop_line(&mut delta, line);
        Ok(delta)
    }

    /// `k` units fewer; removes the line when that is all of them.
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
        if let Some(dots) = self.lines.get(line) {
            // Down to what the person expects to see, which differs from `k` only beyond the largest quantity shown.
            let surplus = units(dots.values()).saturating_sub(shown);
            let taken = take(me, dots, k.saturating_add(surplus), Order::NewestFirst);
            put_all(&mut delta, line, taken);
        }
        Ok(delta)
    }

    /// The line away.
    ///
    /// # Errors
    /// `ReplicaExhausted`.
    pub fn remove(&self, me: ReplicaId, line: &LineKey) -> Result<Cart, Refusal> {
        let mut delta = self.delta();
        self.take_number(&mut delta, me)?;
        self.drop_line(&mut delta, line);
        Ok(delta)
    }

    /// All lines away.
    ///
    /// # Errors
    /// `ReplicaExhausted`.
    pub fn clear(&self, me: ReplicaId) -> Result<Cart, Refusal> {
        let mut delta = self.delta();
        self.take_number(&mut delta, me)?;
        self.lines.keys().for_each(|line| self.drop_line(&mut delta, line));
        Ok(delta)
    }

    /// A delta that says nothing yet.
    pub(super) fn delta(&self) -> Cart {
        Cart { epoch: self.epoch, ..Cart::default() }
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
        entry: Entry,
    ) -> Result<(), Refusal> {
        let dot = self.take_number(delta, me)?;
        put(delta, line, dot, entry);
        Ok(())
    }

    /// Notes the observed dots of the line as seen without keeping them live: there are no tombstones.
    fn drop_line(&self, delta: &mut Cart, line: &LineKey) {
        let dots = self.lines.get(line).into_iter().flat_map(|dots| dots.keys());
        let dropped: Ctx = dots.copied().collect();
        delta.ctx.absorb(&dropped);
    }

    fn room_for(&self, line: &LineKey) -> Result<(), Refusal> {
        let fits = self.lines.len() < LINES_MAX || self.lines.contains_key(line);
        if fits { Ok(()) } else { Err(Refusal::TooManyLines) }
    }
}

/// Makes the dot live in the delta.
pub(super) fn put(delta: &mut Cart, line: &LineKey, dot: Dot, entry: Entry) {
    delta.ctx.insert(dot);
    delta.lines.entry(line.clone()).or_default().insert(dot, entry);
}

/// Makes the dots live in the delta.
pub(super) fn put_all(delta: &mut Cart, line: &LineKey, dots: Dots) {
    dots.into_iter().for_each(|(dot, entry)| put(delta, line, dot, entry));
}

/// The dots of `dots` that change when `me` takes back `k` units of them, as they are afterwards.
///
/// Only the counters of `me` are in it: a delta says what its replica did, and nothing about others.
pub(super) fn take(me: ReplicaId, dots: &Dots, k: u32, order: Order) -> Dots {
    let mut taken = Dots::new();
    let mut rest = k;
    match order {
        Order::NewestFirst => {
            take_from_adds(me, dots, order, &mut rest, &mut taken);
            take_from_sets(me, dots, &mut rest, &mut taken);
        }
        // A `Set` covers what it saw, so what is added lies on top of it: the set is the older part.
        Order::OldestFirst => {
            take_from_sets(me, dots, &mut rest, &mut taken);
            take_from_adds(me, dots, order, &mut rest, &mut taken);
        }
    }
    taken
}

/// From one `Add` after the other. Looks for the next each time: there are few, and sorting would cost the page more bytes
/// than all of this.
fn take_from_adds(me: ReplicaId, dots: &Dots, order: Order, rest: &mut u32, taken: &mut Dots) {
    // Numbers of different replicas are not comparable, but every replica must choose alike.
    let age = |dot: &Dot| (dot.n, dot.r);
    let mut last: Option<(u32, ReplicaId)> = None;
    while *rest > 0 {
        let adds = dots.iter().filter(|(_, entry)| entry.kind == Kind::Add);
        let next = match order {
            Order::NewestFirst => adds
                .filter(|(dot, _)| last.is_none_or(|last| age(dot) < last))
                .max_by_key(|(dot, _)| age(dot)),
            Order::OldestFirst => adds
                .filter(|(dot, _)| last.is_none_or(|last| age(dot) > last))
                .min_by_key(|(dot, _)| age(dot)),
        };
        let Some((dot, entry)) = next else { return };
        last = Some(age(dot));
        let part = entry.left().min(*rest);
        if part > 0 {
            taken.insert(*dot, used_more(me, entry, part));
            *rest = rest.saturating_sub(part);
        }
    }
}

/// Brings the whole group of `Set`s down to one common level: the largest counts, so lowering only that one would not do.
fn take_from_sets(me: ReplicaId, dots: &Dots, rest: &mut u32, taken: &mut Dots) {
    let sets = || dots.iter().filter(|(_, entry)| entry.kind == Kind::Set);
    let largest = sets().map(|(_, entry)| entry.left()).max().unwrap_or(0);
    let level = largest.saturating_sub(*rest);
    for (dot, entry) in sets() {
        let part = entry.left().saturating_sub(level);
        if part > 0 {
            taken.insert(*dot, used_more(me, entry, part));
        }
    }
    *rest = rest.saturating_sub(largest);
}

fn used_more(me: ReplicaId, entry: &Entry, part: u32) -> Entry {
    let before = entry.used.get(&me).copied().unwrap_or(0);
    let used = BTreeMap::from([(me, before.saturating_add(part))]);
    Entry { kind: entry.kind, n: entry.n, used }
}
