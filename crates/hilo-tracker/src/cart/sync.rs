//! Speaking with the hub: one message at a time, and what its answers and refusals mean for what waits.
//!
//! In: views and refusals. Out: the next message, and what to do next. An answer's content is what acknowledges: a group is
//! done when the hub's cart has seen its numbers, whoever said so and in whatever order it arrived.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem::take;
use core::ops::RangeInclusive;

use hilo_core::cart::flat::write_group;
use hilo_core::cart::replica::{Group, Sender, View};
use hilo_core::cart::{Cart, Ctx, Dot, Line, ReplicaId, Row, Span};

use super::{Ended, Identity, Replica, put_in_group};

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
    Epoch(Option<Ctx>),
    /// Somebody else writes under this replica's name, or its numbers are used up.
    Foreign,
    /// The guest's cart has gone into a customer's.
    Merged,
    /// The hub is busy or full: not this message's fault.
    Busy,
    /// Something in the message itself.
    Poison,
}

impl Replica {
    /// The next message; until the hub's answer it stays the same. Keep the replica before it is sent: what the hub may
    /// have heard must not change any more.
    pub fn message(&mut self) -> Option<Message> {
        let (cart, base) = (self.label.clone(), self.rev);
        let group = self.sending()?;
        let sender = Sender { cart, replica: group.replica, token: group.token.clone(), base };
        Some(Message { sender, span: group.from..=group.to, delta: group.delta.clone() })
    }

    /// [`Replica::message`] as flat text; empty for none.
    pub fn message_text(&mut self) -> String {
        if self.sending().is_none() {
            return String::new();
        }
        self.groups
            .first()
            .map_or_else(String::new, |group| write_group(&self.label, self.rev, group))
    }

    fn sending(&mut self) -> Option<&Group> {
        self.seal();
        if self.ended.is_some() {
            return None;
        }
        let group = self.groups.first_mut()?;
        group.sent = true;
        Some(group)
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
            if is_ours && !is_epoch && is_unheard && self.ended.is_none() {
                // Whether what was sent still counted, only the answer to it can tell.
                return Next::Go;
            }
            self.settle(&view, is_ours && !is_epoch);
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
                self.ended = Some(Ended::Told(Ctx::default()));
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

    /// Forgets the groups that the hub's cart has seen.
    fn confirm(&mut self) {
        let seen = &self.known.ctx;
        self.groups.retain(|group| seen.prefix(group.replica) < group.to);
        self.rebuild();
    }

    /// Fits what waits to the whole cart that the hub told.
    ///
    /// What the hub has applied goes. What follows on what it has stays as it is, in the cart's epoch. The rest cannot be
    /// joined under its old name: what it put is said anew under new numbers, what it took from others is gone.
    fn settle(&mut self, view: &View, is_epoch_over: bool) {
        self.seal();
        let was_ended = self.ended.is_some();
        let (told, is_untold) = match self.ended.take() {
            Some(Ended::Told(applied)) => (applied, false),
            Some(Ended::Untold) => (Ctx::default(), true),
            None => (Ctx::default(), false),
        };
        // The waiting groups are one life's, so they join whatever epoch they carry.
        let mut mine = Cart::default();
        for group in &mut self.groups {
            group.delta.epoch = 0;
            mine.absorb(&group.delta);
        }
        let mut reach = view.known.ctx.clone();
        let mut strays = Vec::new();
        for mut group in take(&mut self.groups) {
            let done = reach.prefix(group.replica).max(told.prefix(group.replica));
            let begin = done.saturating_add(1);
            if group.to <= done {
                continue;
            }
            if is_untold && group.sent {
                self.lost = self.lost.saturating_add(group.to - group.from + 1);
            } else if was_ended || is_epoch_over || group.from != begin {
                group.from = group.from.max(begin);
                strays.push(group);
            } else {
                reach.add(numbers(&group));
                group.delta.epoch = view.known.epoch;
                self.groups.push(group);
            }
        }
        let is_mine = |me: &Identity| reach.prefix(me.replica) == self.last;
        if was_ended || !self.me.as_ref().is_some_and(is_mine) {
            self.me = None;
        }
        for group in strays {
            self.say_anew(view.known.epoch, &mine, numbers(&group));
        }
    }

    /// Says anew what the operations put and is still wanted, in the order of their numbers: behind the rest, and in the name
    /// of this page's writer.
    fn say_anew(&mut self, epoch: u32, mine: &Cart, span: Span) {
        for dot in span.dots() {
            for Line { key, dots, look } in mine.lines() {
                let Some(entry) = dots.get(dot).filter(|entry| entry.left() > 0) else { continue };
                self.identity();
                self.last = self.last.saturating_add(1);
                let Some(me) = &self.me else { continue };
                let mut delta = Cart::of(epoch);
                let anew = Dot { r: me.replica, n: self.last };
                delta.put(key, Row::own(anew, entry.kind, entry.left()));
                if let Some(look) = look {
                    delta.show(key, look.clone());
                }
                put_in_group(&mut self.groups, me, anew.n, &delta);
            }
        }
    }

    /// Takes a refused message apart, so that only what is bad in it is given up: what it put is said anew, one wish a
    /// message, and what it took from others goes alone.
    fn isolate(&mut self) {
        self.seal();
        let Some(group) = self.groups.first_mut() else { return };
        let bad = group.clone();
        let is_new = |dot: Dot| dot.r == bad.replica && dot.n >= bad.from;
        group.delta.retain_looks(|_| false);
        group.delta.retain(|dot| !is_new(dot));
        let count = bad.to - bad.from + 1;
        if !bad.delta.lines().any(|line| line.dots.rows().iter().any(|row| is_new(row.dot))) {
            // What it took is refused: nothing can follow under this name.
            self.lost = self.lost.saturating_add(count);
            let mut is_first = true;
            self.groups.retain(|_| !take(&mut is_first));
            self.ended = Some(Ended::Told(Ctx::default()));
        } else if count == 1 {
            // The bad one. Its number stays seen, so that whoever takes from it takes nothing.
            self.lost = self.lost.saturating_add(1);
        } else {
            for dot in numbers(&bad).dots() {
                // A writer each, or they would go together again.
                self.me = None;
                self.say_anew(
                    bad.delta.epoch,
                    &bad.delta,
                    Span { from: dot.n, to: dot.n, r: dot.r },
                );
            }
        }
        self.rebuild();
    }
}

/// The numbers of a group's operations.
fn numbers(group: &Group) -> Span {
    Span { r: group.replica, from: group.from, to: group.to }
}
