//! Speaking with the hub: one message at a time, and what its answers and refusals mean for what waits.
//!
//! In: views and refusals. Out: the next message, and what to do next. An answer's content is what acknowledges: a group is
//! done when the hub's cart has seen its numbers, whoever said so and in whatever order it arrived.

use std::ops::RangeInclusive;

use hilo_core::cart::epoch::Applied;
use hilo_core::cart::replica::{Group, Sender, View};
use hilo_core::cart::{Cart, Ctx, Dot, Entry, LineInfo, LineKey, ReplicaId};

use super::{Ended, Identity, Replica};

/// One message to the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who speaks.
    pub sender: Sender,
    /// Which operations.
    pub span: RangeInclusive<u32>,
    /// Their deltas, joined.
    pub delta: Cart,
}

/// What the sender does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Goes on as usual: sends if something waits.
    Go,
    /// Asks the hub for what [`Replica::asks`] says before it sends anything.
    Ask,
    /// Tries again later: nothing is wrong with what was sent.
    Wait,
}

/// Why the hub refused a message, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It has not seen what the message builds on, from number `from` of `replica` on.
    Missing {
        /// Whose operation.
        replica: ReplicaId,
        /// The first that is missing.
        from: u32,
    },
    /// The epoch, or the replica's time, is over. What was applied at its end, where the hub still knows.
    Epoch(Option<Applied>),
    /// Somebody else writes under this replica's name, or its numbers are used up.
    Foreign,
    /// The guest's cart has gone into a customer's.
    Merged,
    /// The hub is busy or full: not this message's fault.
    Busy,
    /// Something in the message itself.
    Poison,
}

/// What was wished and has to be said anew.
type Again = Vec<(LineKey, Entry, Option<(u64, LineInfo)>)>;

impl Replica {
    /// The next message; until the hub's answer it stays the same. Keep the replica before it is sent: what the hub may
    /// have heard must not change any more.
    pub fn message(&mut self) -> Option<Message> {
        self.seal();
        if self.ended.is_some() {
            return None;
        }
        let group = self.groups.first_mut()?;
        group.sent = true;
        let sender = Sender {
            cart: self.label.clone(),
            replica: group.replica,
            token: group.token.clone(),
            base: self.rev,
        };
        Some(Message { sender, span: group.from..=group.to, delta: group.delta.clone() })
    }

    /// Epoch and revision to ask the hub with; `None` asks for the whole cart.
    pub fn asks(&self) -> Option<(u32, u64)> {
        let is_partial = !self.label.is_empty() && !self.is_stale && self.ended.is_none();
        is_partial.then_some((self.known.epoch, self.rev))
    }

    /// Learns what the hub says.
    pub fn learn(&mut self, view: View) -> Next {
        let is_ours = !self.label.is_empty()
            && (view.cart == self.label || (view.cart.is_empty() && !view.full));
        let is_epoch = view.known.epoch == self.known.epoch;
        if view.full {
            let is_unheard = self.groups.iter().any(|group| group.sent);
            if is_ours && !is_epoch && is_unheard && self.ended.is_none() && !self.label.is_empty()
            {
                // Whether what was sent still counted, only the answer to it can tell.
                return Next::Go;
            }
            self.settle(&view, is_ours && is_epoch);
            (self.label, self.rev, self.is_stale) = (view.cart, view.rev, false);
            self.known = view.known;
        } else {
            // What happened since the beginning is everything, so it may introduce the cart.
            let is_first = self.label.is_empty() && self.rev == 0 && !view.cart.is_empty();
            if !(is_ours || is_first) || !is_epoch || self.ended.is_some() {
                self.is_stale = true;
                return Next::Ask;
            }
            if is_first {
                self.label.clone_from(&view.cart);
            }
            self.known.absorb(&view.known);
            if view.cart.is_empty() && view.rev > self.rev.saturating_add(1) {
                // A broadcast was missed. What this one brought is right, but more is needed.
                self.confirm();
                return Next::Ask;
            }
            self.rev = self.rev.max(view.rev);
        }
        self.confirm();
        Next::Go
    }

    /// The hub answered the message that [`Replica::message`] gave, and yet what it knows of it did not come: ask for all.
    pub fn doubt(&mut self) {
        self.is_stale = true;
    }

    /// Learns that the hub refused the message that [`Replica::message`] gave.
    pub fn refused(&mut self, why: Refused) -> Next {
        let Some(first) = self.groups.first() else { return Next::Go };
        match why {
            Refused::Busy => Next::Wait,
            Refused::Poison => {
                self.isolate();
                Next::Go
            }
            Refused::Missing { replica, from }
                if replica == first.replica && from == first.from =>
            {
                Next::Wait
            }
            Refused::Missing { replica, from } if replica == first.replica && from > first.to => {
                self.doubt();
                Next::Ask
            }
            Refused::Missing { .. } | Refused::Foreign => {
                self.ended = Some(Ended::Told(Applied::new()));
                Next::Ask
            }
            // Whoever never heard of a cart has nothing in it.
            Refused::Epoch(None) if !self.label.is_empty() => {
                self.ended = Some(Ended::Untold);
                Next::Ask
            }
            Refused::Epoch(previous) => {
                self.ended = Some(Ended::Told(previous.unwrap_or_default()));
                Next::Ask
            }
            Refused::Merged => {
                self.doubt();
                Next::Ask
            }
        }
    }

    /// Logout: nothing of this cart stays here.
    pub fn leave(&mut self) {
        self.seal();
        let mint = std::mem::replace(&mut self.mint, Box::new(nobody));
        *self = Replica { lost: self.lost, touches: self.take_touches(), ..Replica::new(mint) };
    }

    /// Forgets the groups that the hub's cart has seen.
    fn confirm(&mut self) {
        let seen = &self.known.ctx;
        self.groups.retain(|group| seen.prefix(group.replica) < group.to);
        self.rebuild();
    }

    /// Fits what waits to the whole cart that the hub told.
    ///
    /// What the hub has applied goes. What follows on what it has stays as it is, in the cart's epoch. The rest cannot be
    /// joined under its old name: what it put is said anew by a new replica, what it took from others is gone.
    fn settle(&mut self, view: &View, is_same_life: bool) {
        self.seal();
        let was_ended = self.ended.is_some();
        let is_epoch_over = !is_same_life && view.cart == self.label && !self.label.is_empty();
        let (told, is_untold) = match self.ended.take() {
            Some(Ended::Told(applied)) => (applied, false),
            Some(Ended::Untold) => (Applied::new(), true),
            None => (Applied::new(), false),
        };
        let mut mine = Cart::default();
        for group in &self.groups {
            // The waiting groups are one life's, so they join whatever epoch they carry.
            mine.absorb(&Cart { epoch: 0, ..group.delta.clone() });
        }
        let mut reach = view.known.ctx.clone();
        let mut again = Again::new();
        let mut kept = Vec::new();
        for mut group in std::mem::take(&mut self.groups) {
            let applied = told.get(&group.replica).copied().unwrap_or(0);
            let done = reach.prefix(group.replica).max(applied);
            if group.to <= done {
                continue;
            }
            if is_untold && group.sent {
                self.lost = self.lost.saturating_add(group.to - group.from + 1);
            } else if !was_ended && !is_epoch_over && group.from == done.saturating_add(1) {
                reach.absorb(&numbers(&group));
                group.delta.epoch = view.known.epoch;
                kept.push(group);
            } else {
                wishes(&mine, &group, done, &mut again);
            }
        }
        self.groups = kept;
        let is_mine = |me: &Identity| reach.prefix(me.replica) == self.last;
        if was_ended || !self.me.as_ref().is_some_and(is_mine) {
            self.me = None;
        }
        self.say_again(again, view.known.epoch);
    }

    /// Gives wishes new names.
    fn say_again(&mut self, again: Again, epoch: u32) {
        if again.is_empty() {
            return;
        }
        let fresh = (self.mint)();
        let mut n = 0;
        for (line, entry, info) in again {
            n += 1;
            let dot = Dot { r: fresh.replica, n };
            let mut delta = Cart { epoch, ..Cart::default() };
            delta.ctx.insert(dot);
            delta.info.extend(info.map(|info| (line.clone(), info)));
            delta.lines.entry(line).or_default().insert(dot, entry);
            super::put_in_group(&mut self.groups, &fresh, n, delta);
        }
        self.last = n;
        self.me = Some(fresh);
    }

    /// Takes a refused message apart, so that only what is bad in it is given up: what it put is said anew, one wish a
    /// message, and what it took from others goes alone.
    fn isolate(&mut self) {
        let Some(group) = self.groups.first_mut() else { return };
        let (me, from, count) = (group.replica, group.from, group.to - group.from + 1);
        let is_new = |dot: &Dot| dot.r == me && dot.n >= from;
        let epoch = group.delta.epoch;
        let mut again = Again::new();
        wishes(&group.delta, group, 0, &mut again);
        let mut has_new = false;
        group.delta.lines.retain(|_, dots| {
            dots.retain(|dot, _| {
                has_new |= is_new(dot);
                !is_new(dot)
            });
            !dots.is_empty()
        });
        group.delta.info.clear();
        if !has_new {
            // What it took is refused: nothing can follow under this name.
            self.lost = self.lost.saturating_add(count);
            let mut is_first = true;
            self.groups.retain(|_| !std::mem::take(&mut is_first));
            self.ended = Some(Ended::Told(Applied::new()));
        } else if count == 1 {
            // The bad one. Its number stays seen, so that whoever takes from it takes nothing.
            self.lost = self.lost.saturating_add(1);
        } else {
            again.into_iter().for_each(|wish| self.say_again(vec![wish], epoch));
        }
        self.rebuild();
    }
}

/// The numbers of a group's operations.
fn numbers(group: &Group) -> Ctx {
    (group.from..=group.to).map(|n| Dot { r: group.replica, n }).collect()
}

/// What the group put beyond `done` and is still wanted, in the order of its numbers.
fn wishes(mine: &Cart, group: &Group, done: u32, again: &mut Again) {
    for n in group.from.max(done.saturating_add(1))..=group.to {
        let dot = Dot { r: group.replica, n };
        let found = mine.lines.iter().find_map(|(line, dots)| Some((line, dots.get(&dot)?)));
        if let Some((line, entry)) = found.filter(|(_, entry)| entry.left() > 0) {
            let info = mine.info.get(line).cloned();
            again.push((line.clone(), Entry::new(entry.kind, entry.left()), info));
        }
    }
}

/// Stands in for the mint while it moves.
fn nobody() -> Identity {
    Identity { replica: ReplicaId(0), token: String::new() }
}
