//! The exchange with the hub: one message at a time, and what the hub's answers and refusals mean for the operations that wait.
//!
//! In: views and refusals. Out: the next message, and what to do next. The content of a view confirms, not the answer itself: a
//! group is done when the hub's cart has seen its numbers, in whatever order views arrive.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem::take;
use core::ops::RangeInclusive;

use hilo_core::cart::flat::write_group;
use hilo_core::cart::replica::{Group, Sender, View};
use hilo_core::cart::{Cart, Ctx, Dot, Line, ReplicaId, Row, Span};

use super::order::is_order;
use super::{Ended, Identity, Replica, put_in_group};
use crate::platform::codes;

/// One message to the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The replica that sends it.
    pub sender: Sender,
    /// The numbers of its operations.
    pub span: RangeInclusive<u32>,
    /// Their deltas, joined.
    pub delta: Cart,
}

/// What the page does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Goes on: sends the next message, if there is one.
    Go,
    /// Asks the hub with [`Replica::position`] before it sends anything.
    Ask,
    /// Sends the same message again later.
    Wait,
}

/// Why the hub refused a message, as far as the replica treats reasons differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HubRefusal {
    /// The hub lacks operations that the message builds on.
    Missing {
        /// The replica of these operations.
        replica: ReplicaId,
        /// The first number that is missing.
        from: u32,
    },
    /// The epoch is over. The operations that were applied at its end, where the hub still knows them.
    Epoch(Option<Ctx>),
    /// Another writer has this replica's name, or the replica's numbers are used up.
    ForeignReplica,
    /// The guest's cart has moved into a customer's.
    Merged,
    /// The hub is busy or full. The message may be good.
    Busy,
    /// The message itself is bad.
    BadMessage,
}

impl Replica {
    /// The next message; none while an order is due. It stays the same until the hub's answer is learned. Store the replica before
    /// you send the message: the hub may receive it, so it must not change any more.
    pub fn message(&mut self) -> Option<Message> {
        let (cart, base) = (self.label.clone(), self.rev);
        let group = self.sending().filter(|group| group.sent)?;
        let sender = Sender { cart, replica: group.replica, token: group.token.clone(), base };
        Some(Message { sender, span: group.from..=group.to, delta: group.delta.clone() })
    }

    /// [`Replica::message`] as flat text; empty for no message, and `CART_ORDER` while an order is due.
    pub fn message_text(&mut self) -> String {
        let Some(group) = self.sending() else { return String::new() };
        if !group.sent {
            return char::from(codes::CART_ORDER).into();
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
        group.sent = !is_order(group);
        Some(group)
    }

    /// Epoch and revision to ask the hub with; `None` means the whole cart.
    pub fn position(&self) -> Option<(u32, u64)> {
        let is_partial = !self.label.is_empty() && !self.is_stale && self.ended.is_none();
        is_partial.then_some((self.known.epoch, self.rev))
    }

    /// Learns a view of the hub.
    pub fn learn(&mut self, view: View) -> Next {
        let is_ours = !self.label.is_empty()
            && (view.cart == self.label || (view.cart.is_empty() && !view.full));
        let is_epoch = view.known.epoch == self.known.epoch;
        if view.full {
            let is_unheard = self.groups.iter().any(|group| group.sent);
            if is_ours && !is_epoch && is_unheard && self.ended.is_none() {
                // Only the answer to the message that was sent tells whether it still counted.
                return Next::Go;
            }
            self.rebase(&view, is_ours && !is_epoch);
            (self.label, self.rev, self.is_stale) = (view.cart, view.rev, false);
            self.known = view.known;
        } else {
            // A delta since the beginning is the whole cart, so it may bring the label.
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
                // A broadcast was missed. This broadcast is right, and another view has to fill the gap.
                self.confirm();
                return Next::Ask;
            }
            self.rev = self.rev.max(view.rev);
        }
        self.confirm();
        Next::Go
    }

    /// The hub took a message without confirming it, so the next question asks for the whole cart.
    pub fn doubt(&mut self) {
        self.is_stale = true;
    }

    /// Learns that the hub refused the message of [`Replica::message`].
    pub fn learn_refusal(&mut self, why: HubRefusal) -> Next {
        let Some(first) = self.groups.first() else { return Next::Go };
        match why {
            HubRefusal::Busy => Next::Wait,
            HubRefusal::BadMessage => {
                self.isolate();
                Next::Go
            }
            HubRefusal::Missing { replica, from }
                if replica == first.replica && from == first.from =>
            {
                Next::Wait
            }
            HubRefusal::Missing { replica, from }
                if replica == first.replica && from > first.to =>
            {
                self.doubt();
                Next::Ask
            }
            HubRefusal::Missing { .. } | HubRefusal::ForeignReplica => {
                self.ended = Some(Ended::Applied(Ctx::default()));
                Next::Ask
            }
            // A device without a label has nothing in that epoch.
            HubRefusal::Epoch(None) if !self.label.is_empty() => {
                self.ended = Some(Ended::Forgotten);
                Next::Ask
            }
            HubRefusal::Epoch(previous) => {
                self.ended = Some(Ended::Applied(previous.unwrap_or_default()));
                Next::Ask
            }
            HubRefusal::Merged => {
                self.doubt();
                Next::Ask
            }
        }
    }

    /// Forgets the groups whose numbers the hub's cart has seen.
    pub(super) fn confirm(&mut self) {
        let seen = &self.known.ctx;
        self.groups.retain(|group| seen.prefix(group.replica) < group.to);
        self.rebuild();
    }

    /// Fits the operations that wait to the whole cart of a view.
    ///
    /// Operations that the hub has applied go. Operations that follow these without a gap stay as they are, in the view's epoch.
    /// No other operation can be joined under its old name: its puts are made anew under new numbers, its drops are lost.
    fn rebase(&mut self, view: &View, is_epoch_over: bool) {
        self.seal();
        let was_ended = self.ended.is_some();
        let (applied, is_forgotten) = match self.ended.take() {
            Some(Ended::Applied(applied)) => (applied, false),
            Some(Ended::Forgotten) => (Ctx::default(), true),
            None => (Ctx::default(), false),
        };
        // The groups are of one device, so they join in spite of their epochs.
        let mut mine = Cart::default();
        for group in &mut self.groups {
            group.delta.epoch = 0;
            mine.absorb(&group.delta);
        }
        let mut reach = view.known.ctx.clone();
        let mut strays = Vec::new();
        for mut group in take(&mut self.groups) {
            if is_order(&group) {
                group.delta.epoch = view.known.epoch;
                // It takes units away, so it must not bring back those that left the cart meanwhile.
                keep(&mut group.delta, &reach, false);
                self.groups.push(group);
                continue;
            }
            let done = reach.prefix(group.replica).max(applied.prefix(group.replica));
            let begin = done.saturating_add(1);
            if group.to <= done {
                continue;
            }
            if is_forgotten && group.sent {
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
            self.put_anew(view.known.epoch, &mine, numbers(&group));
        }
    }

    /// Makes the puts of these operations anew, where they are still live, in the order of their numbers: behind the other
    /// groups, and under the name of this page's writer.
    fn put_anew(&mut self, epoch: u32, mine: &Cart, span: Span) {
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

    /// Takes a refused message apart, so that only its bad operation is given up. Each put is made anew in a message of its
    /// own, and the drops stay alone in the old message.
    fn isolate(&mut self) {
        self.seal();
        let Some(group) = self.groups.first_mut() else { return };
        let bad = group.clone();
        let mut new = Ctx::default();
        new.add(numbers(&bad));
        group.delta.retain_looks(|_| false);
        keep(&mut group.delta, &new, true);
        let count = bad.to - bad.from + 1;
        if !bad.delta.lines().any(|line| line.dots.rows().iter().any(|row| new.contains(row.dot))) {
            // The message has drops only, and they are refused: nothing can follow under this name.
            self.lost = self.lost.saturating_add(count);
            let mut is_first = true;
            self.groups.retain(|_| !take(&mut is_first));
            self.ended = Some(Ended::Applied(Ctx::default()));
        } else if count == 1 {
            // The bad operation. Its number stays seen, so that a later drop of it drops nothing.
            self.lost = self.lost.saturating_add(1);
        } else {
            for dot in numbers(&bad).dots() {
                // Each has a writer of its own. Under one writer they would become one message again.
                self.me = None;
                self.put_anew(
                    bad.delta.epoch,
                    &bad.delta,
                    Span { from: dot.n, to: dot.n, r: dot.r },
                );
            }
        }
        self.rebuild();
    }
}

/// Keeps the puts whose operations are in the context or, for a context that `is_gone`, those whose operations are not.
fn keep(delta: &mut Cart, ctx: &Ctx, is_gone: bool) {
    delta.retain(|dot| ctx.contains(dot) != is_gone);
}

/// The numbers of a group's operations.
fn numbers(group: &Group) -> Span {
    Span { r: group.replica, from: group.from, to: group.to }
}
