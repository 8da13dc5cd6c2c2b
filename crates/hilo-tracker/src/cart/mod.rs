//! The cart's replica in the page: a visitor's acts show at once, and reach the hub when they can.
//!
//! In: acts, and the hub's views and refusals. Out: the cart as it looks, one message at a time for the hub, touchpoints, and a
//! text to store. [`sync`] is the exchange with the hub, [`order`] hides what was bought, [`keep`] is the text. Sends and stores nothing, and knows no browser:
//! `js/sdk/src/cart` does both in a page, `examples/native-cart` in an app.

pub mod keep;
pub mod order;
pub mod records;
pub mod sync;
#[cfg(test)]
mod tests;
pub mod touchpoint;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem::take;

use hilo_core::cart::limits::{LINES_MAX, QUANTITY_MAX, WINDOW};
use hilo_core::cart::replica::Group;
use hilo_core::cart::{Cart, Ctx, Dot, Line, LineInfo, LineKey, Refusal, ReplicaId};

pub use touchpoint::Touchpoint;

/// Bytes that one message to the hub may have, roughly: below the hub's own limit, with room for quotes and names.
const GROUP_BYTES_MAX: usize = 24 * 1024;
/// Groups that may wait: 16,384 operations offline.
const GROUPS_MAX: usize = 256;

/// The first revision of this device's own looks. It lies beyond the revisions of any hub, so that a look of this device covers
/// the hub's.
const OWN_LOOKS: u64 = 1 << 63;

/// A writer of operations: the id, and the secret that proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Random, never 0.
    pub replica: ReplicaId,
    /// 128 random bits as hex.
    pub token: String,
}

/// Where new identities come from: the page's random numbers, or a test's.
pub type Mint = Box<dyn FnMut() -> Identity + Send>;

/// What a visitor does to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// So many units more.
    Add(u32),
    /// So many units in all; 0 removes the line.
    Set(u32),
    /// So many units fewer.
    Dec(u32),
}

/// What the acts on one line amount to until they are sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// So many more or fewer than there were.
    By(i64),
    /// So many in all.
    To(u32),
}

/// An operation that is not sealed: further acts on its line change it, so that 50 clicks become one dot.
///
/// Its number follows the numbers of the groups and of the operations before it.
#[derive(Debug)]
struct Op {
    line: LineKey,
    wish: Wish,
    is_quiet: bool,
    /// Units the line gained or lost by it.
    change: i64,
    delta: Cart,
}

/// How an epoch or a replica ended, according to the hub.
#[derive(Debug)]
enum Ended {
    /// The operations that were applied, per replica. A replica that is missing has none.
    Applied(Ctx),
    /// The hub no longer knows what was applied. Operations that were sent are given up, rather than bought twice.
    Forgotten,
}

/// The cart in this page.
pub struct Replica {
    mint: Mint,
    /// The writer. The first act of a page mints it, because a stored writer could be an old copy of itself.
    me: Option<Identity>,
    /// The last number that `me` has given to a group.
    last: u32,
    label: String,
    rev: u64,
    /// Whether `known` has gaps, so that only the whole cart helps.
    is_stale: bool,
    /// The cart as the hub last sent it.
    known: Cart,
    /// Sealed operations that the hub has not confirmed, in the order of the acts. One message each.
    groups: Vec<Group>,
    /// Operations that may still change.
    ops: Vec<Op>,
    /// What the visitor sees: `known`, `groups` and `ops`.
    shown: Cart,
    ended: Option<Ended>,
    lost: u32,
    touchpoints: Vec<Touchpoint>,
}

impl Replica {
    /// An empty cart without a label.
    pub fn new(mint: Mint) -> Replica {
        Replica {
            mint,
            me: None,
            last: 0,
            label: String::new(),
            rev: 0,
            is_stale: false,
            known: Cart::default(),
            groups: Vec::new(),
            ops: Vec::new(),
            shown: Cart::default(),
            ended: None,
            lost: 0,
            touchpoints: Vec::new(),
        }
    }

    /// Does an act on a line. `look` is how the page shows the line; a missing field stays as it was.
    ///
    /// A quiet act has no touchpoint, because the page reports it itself.
    ///
    /// # Errors
    /// `BadLine`, `BadQuantity`, `TooManyLines`, `TooManyDots` where too many operations wait, `ReplicaExhausted`. Nothing
    /// changes then.
    pub fn act(
        &mut self,
        line: &LineKey,
        act: Act,
        look: &LineInfo,
        is_quiet: bool,
    ) -> Result<(), Refusal> {
        self.check(line, look)?;
        let me = self.identity();
        let last = self.ops.iter().rposition(|op| op.line == *line);
        let is_alike = |at: &usize| self.ops.get(*at).is_some_and(|op| op.is_quiet == is_quiet);
        let at = last.filter(is_alike).unwrap_or(self.ops.len());
        let earlier = self.ops.get(at);
        let mut cart = self.seen(at);
        let wish = combine(earlier.map(|op| op.wish), act, self.shown.qty(line))?;
        let mut delta = wished(&cart, me, line, wish)?;
        let before = i64::from(cart.qty(line));
        cart.absorb(&delta);
        if !delta.ctx.contains(self.dot(me, at)) {
            return Err(Refusal::ReplicaExhausted);
        }
        let change = i64::from(cart.qty(line)).saturating_sub(before);
        let (revision, known) = self.shown.look(line).cloned().unwrap_or_default();
        let news = look.over(&known);
        let has_look = earlier.is_some_and(|op| op.delta.look(line).is_some());
        if has_look || (news != known && delta.has(line)) {
            delta.show(line, (revision.max(OWN_LOOKS).saturating_add(1), news));
        }
        let op = Op { line: line.clone(), wish, is_quiet, change, delta };
        match self.ops.get_mut(at) {
            Some(place) => *place = op,
            None => self.ops.push(op),
        }
        // An addition that is taken back before it is sealed leaves nothing; its number is free again.
        while self.ops.last().is_some_and(is_empty) {
            self.ops.pop();
        }
        self.rebuild();
        Ok(())
    }

    /// Removes every line, each by its own operation, so that each has its touchpoint.
    ///
    /// # Errors
    /// As [`Replica::act`]; lines before the failing one are gone then.
    pub fn clear(&mut self, is_quiet: bool) -> Result<(), Refusal> {
        loop {
            let first = self.shown.lines().next().map(|line| line.key.clone());
            let Some(line) = first else { return Ok(()) };
            self.act(&line, Act::Set(0), &LineInfo::default(), is_quiet)?;
        }
    }

    /// The cart as the visitor sees it.
    pub fn shown(&self) -> &Cart {
        &self.shown
    }

    /// How the line looks: this device's last look of it, else the hub's.
    pub fn look(&self, line: &LineKey) -> Option<&LineInfo> {
        self.shown.look(line).map(|(_, info)| info)
    }

    /// The cart's public name; empty before the first contact.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// How many operations the hub has not confirmed.
    pub fn waiting(&self) -> usize {
        let grouped = self.groups.iter().map(|group| (group.to - group.from) as usize + 1);
        grouped.sum::<usize>() + self.ops.len()
    }

    /// How many operations were given up since the page began, because the hub refused them or no longer knew their fate.
    pub fn lost(&self) -> u32 {
        self.lost
    }

    /// The touchpoints that are final, once each.
    pub fn take_touchpoints(&mut self) -> Vec<Touchpoint> {
        take(&mut self.touchpoints)
    }

    /// Closes the operations that may still change: they go into the groups that wait for the hub, and become touchpoints.
    pub fn seal(&mut self) {
        let Some(me) = self.me.clone() else { return };
        for op in take(&mut self.ops) {
            let dot = self.dot(me.replica, 0);
            if let Some(touchpoint) = self.touchpoint(dot, &op) {
                self.touchpoints.push(touchpoint);
            }
            self.last = dot.n;
            put_in_group(&mut self.groups, &me, dot.n, &op.delta);
        }
    }

    /// The name of the operation at `at`.
    fn dot(&self, me: ReplicaId, at: usize) -> Dot {
        let more = u32::try_from(at).unwrap_or(u32::MAX);
        Dot { r: me, n: self.last.saturating_add(more).saturating_add(1) }
    }

    /// The touchpoint of the operation, if it has one.
    fn touchpoint(&self, dot: Dot, op: &Op) -> Option<Touchpoint> {
        if op.is_quiet || op.change == 0 {
            return None;
        }
        let said = op.delta.look(&op.line).map(|(_, look)| look);
        let look = said.or_else(|| self.look(&op.line)).cloned().unwrap_or_default();
        Some(Touchpoint { dot, line: op.line.clone(), change: op.change, look })
    }

    fn check(&self, line: &LineKey, look: &LineInfo) -> Result<(), Refusal> {
        if !line.fits() || !look.fits() {
            return Err(Refusal::BadLine);
        }
        if !self.shown.has(line) && self.shown.lines().count() >= LINES_MAX {
            return Err(Refusal::TooManyLines);
        }
        if self.groups.len() >= GROUPS_MAX { Err(Refusal::TooManyDots) } else { Ok(()) }
    }

    fn identity(&mut self) -> ReplicaId {
        let Replica { me, mint, last, .. } = self;
        me.get_or_insert_with(|| {
            *last = 0;
            mint()
        })
        .replica
    }

    /// The cart before the operation at `before`.
    fn seen(&self, before: usize) -> Cart {
        let mut cart = self.known.clone();
        self.groups.iter().for_each(|group| cart.absorb(&group.delta));
        self.ops.iter().take(before).for_each(|op| cart.absorb(&op.delta));
        cart
    }

    fn rebuild(&mut self) {
        self.shown = self.seen(self.ops.len());
    }
}

/// Adds an operation to the last group, or to a new group where the last one was sent or is full.
fn put_in_group(groups: &mut Vec<Group>, me: &Identity, n: u32, delta: &Cart) {
    let fits = |group: &&mut Group| {
        group.replica == me.replica
            && !group.sent
            && n.checked_sub(1) == Some(group.to)
            && n.saturating_sub(group.from) < WINDOW
            && group.delta.epoch == delta.epoch
            && weight(&group.delta).saturating_add(weight(delta)) <= GROUP_BYTES_MAX
    };
    if let Some(group) = groups.last_mut().filter(fits) {
        group.to = n;
        group.delta.absorb(delta);
        return;
    }
    let (replica, token) = (me.replica, me.token.clone());
    groups.push(Group { replica, token, from: n, to: n, sent: false, delta: delta.clone() });
}

/// Bytes of a delta on the wire, roughly and rather too many.
fn weight(delta: &Cart) -> usize {
    /// A dot with its replica in quotes, and what stands around it.
    const DOT: usize = 40;
    let mut bytes = delta.ctx.len() * DOT;
    for Line { key, dots, look } in &delta.known_lines {
        let look = look.as_ref().map_or(0, |(_, look)| look.weight());
        bytes += look + (dots.rows().len() + 1) * (key.weight() + 3 * DOT);
    }
    bytes
}

/// The wish that an act makes of the wish that waits, where the visitor saw `shown` units.
fn combine(before: Option<Wish>, act: Act, shown: u32) -> Result<Wish, Refusal> {
    let after = match act {
        Act::Set(q) => {
            return if q > QUANTITY_MAX { Err(Refusal::BadQuantity) } else { Ok(Wish::To(q)) };
        }
        Act::Dec(k) if k >= shown => return Ok(Wish::To(0)),
        Act::Dec(k) => -i64::from(k),
        Act::Add(0) => return Err(Refusal::BadQuantity),
        Act::Add(k) => i64::from(k),
    };
    let sum = i64::from(shown).saturating_add(after);
    let sum =
        u32::try_from(sum).ok().filter(|sum| *sum <= QUANTITY_MAX).ok_or(Refusal::BadQuantity)?;
    Ok(match before {
        None => Wish::By(after),
        Some(Wish::By(before)) => Wish::By(before.saturating_add(after)),
        Some(Wish::To(_)) => Wish::To(sum),
    })
}

fn wished(base: &Cart, me: ReplicaId, line: &LineKey, wish: Wish) -> Result<Cart, Refusal> {
    let units = |units: i64| u32::try_from(units.unsigned_abs()).map_err(|_| Refusal::BadQuantity);
    match wish {
        Wish::To(q) => base.set(me, line, q),
        Wish::By(more) if more > 0 => base.add(me, line, units(more)?),
        Wish::By(fewer) => base.dec(me, line, units(fewer)?),
    }
}

/// Whether the operation neither puts nor drops anything: it holds its own number only.
fn is_empty(op: &Op) -> bool {
    !op.delta.has(&op.line) && op.delta.ctx.len() <= 1
}
