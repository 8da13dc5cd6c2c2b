//! The cart's replica in the page: what a person does shows at once, and reaches the hub when it can.
//!
//! In: acts, and what the hub says. Out: the cart as it looks, one message at a time for the hub, the touchpoints of what was
//! done, and a text to keep. [`sync`] speaks with the hub, [`keep`] is the text. Sends and stores nothing, and knows no
//! browser: `js/sdk/src/cart` does both, as does a native client.

pub mod keep;
pub mod records;
pub mod sync;
#[cfg(test)]
mod tests;

use hilo_core::cart::epoch::Applied;
use hilo_core::cart::limits::{
    LINES_MAX, NAME_BYTES_MAX, QUANTITY_MAX, URL_BYTES_MAX, VARIANT_BYTES_MAX, WINDOW,
};
use hilo_core::cart::replica::Group;
use hilo_core::cart::{Cart, Dot, LineInfo, LineKey, Refusal, ReplicaId};

pub use records::Touch;

/// Bytes that one message to the hub may have, roughly: below the hub's own limit, with room for quotes and names.
const GROUP_BYTES_MAX: usize = 24 * 1024;
/// Groups that may wait: 16,384 operations offline.
const GROUPS_MAX: usize = 256;

/// A writer of operations: the id, and the secret that proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Random, never 0.
    pub replica: ReplicaId,
    /// 128 random bits as hex.
    pub token: String,
}

/// Where new identities come from: the page's random numbers, or a test's.
pub type Mint = Box<dyn FnMut() -> Identity>;

/// What a person does to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// So many units more.
    Add(u32),
    /// So many units in all; 0 removes the line.
    Set(u32),
    /// So many units fewer.
    Dec(u32),
}

/// What the acts on one line amount to as long as nobody has heard of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// More or fewer than there were.
    By(i64),
    /// In all.
    To(u32),
}

/// An operation that nobody has heard of: further acts on its line change it, so that 50 clicks become one dot.
#[derive(Debug)]
struct Op {
    n: u32,
    line: LineKey,
    wish: Wish,
    is_quiet: bool,
    /// Units the line gained or lost by it.
    change: i64,
    delta: Cart,
}

/// What the hub said about the epoch that a waiting group belongs to, or about the replica that wrote it.
#[derive(Debug)]
enum Ended {
    /// How far operations were applied, per replica; nothing about a replica means none of it.
    Told(Applied),
    /// Nobody can know. What was sent is given up, rather than bought twice.
    Untold,
}

/// The cart in this page.
pub struct Replica {
    mint: Mint,
    /// Who acts; minted by the first act of a page's life, because a writer that was stored could be an old copy of itself.
    me: Option<Identity>,
    /// The last number that `me` has given to a group.
    last: u32,
    label: String,
    rev: u64,
    /// Whether `known` has gaps, so that only the whole cart helps.
    is_stale: bool,
    /// What the hub told.
    known: Cart,
    /// What the hub has not confirmed, in the order it happened. One message each.
    groups: Vec<Group>,
    /// What may still change.
    ops: Vec<Op>,
    /// What the person sees: `known` and everything of this device.
    shown: Cart,
    ended: Option<Ended>,
    lost: u32,
    touches: Vec<Touch>,
}

impl Replica {
    /// An empty cart that nobody has heard of.
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
            touches: Vec::new(),
        }
    }

    /// Does it. `look` is how the page shows the line; what is absent stays as it was known.
    ///
    /// `is_quiet` for what the page reports itself: no touchpoint comes of it.
    ///
    /// # Errors
    /// `BadLine`, `BadQuantity`, `TooManyLines`, `TooManyDots` when too much waits, `ReplicaExhausted`. Nothing changed then.
    pub fn act(
        &mut self,
        line: &LineKey,
        act: Act,
        look: &LineInfo,
        is_quiet: bool,
    ) -> Result<(), Refusal> {
        self.check(line, look)?;
        let me = self.identity();
        let at = self.ops.iter().rposition(|op| op.line == *line);
        let at = at.filter(|at| self.ops.get(*at).is_some_and(|op| op.is_quiet == is_quiet));
        let (n, before) = match at.and_then(|at| self.ops.get(at)) {
            Some(op) => (op.n, Some(op.wish)),
            None => {
                let waiting = u32::try_from(self.ops.len()).unwrap_or(u32::MAX);
                (self.last.saturating_add(waiting).saturating_add(1), None)
            }
        };
        let wish = combine(before, act, self.shown.qty(line))?;
        let base = self.seen(at.unwrap_or(self.ops.len()));
        let mut delta = wished(&base, me, line, wish)?;
        if !delta.ctx.contains(Dot { r: me, n }) {
            return Err(Refusal::ReplicaExhausted);
        }
        let units = |cart: &Cart| i64::from(cart.qty(line));
        let mut after = base;
        let change = -units(&after);
        after.absorb(&delta);
        let change = change.saturating_add(units(&after));
        let looks = self.look(line);
        let news = over(looks.cloned().unwrap_or_default(), look);
        if looks != Some(&news) && delta.lines.contains_key(line) {
            delta.info.insert(line.clone(), (0, news));
        } else if let Some(info) = at.and_then(|at| self.ops.get(at)?.delta.info.get(line)) {
            delta.info.insert(line.clone(), info.clone());
        }
        let op = Op { n, line: line.clone(), wish, is_quiet, change, delta };
        match at.and_then(|at| self.ops.get_mut(at)) {
            Some(place) => *place = op,
            None => self.ops.push(op),
        }
        // An addition taken back before anybody heard of it never was; the number is free again.
        while self.ops.last().is_some_and(says_nothing) {
            self.ops.pop();
        }
        self.rebuild();
        Ok(())
    }

    /// Every line away, each by its own operation, so that each has its touchpoint.
    ///
    /// # Errors
    /// As [`Replica::act`]; lines before the failing one are gone then.
    pub fn clear(&mut self, is_quiet: bool) -> Result<(), Refusal> {
        let lines: Vec<LineKey> = self.shown.lines.keys().cloned().collect();
        lines
            .iter()
            .try_for_each(|line| self.act(line, Act::Set(0), &LineInfo::default(), is_quiet))
    }

    /// The cart as the person sees it.
    pub fn shown(&self) -> &Cart {
        &self.shown
    }

    /// How the line looks: as this device said last, else as the hub knows it.
    pub fn look(&self, line: &LineKey) -> Option<&LineInfo> {
        let ops = self.ops.iter().rev().map(|op| &op.delta);
        let said = ops.chain(self.groups.iter().rev().map(|group| &group.delta));
        said.chain([&self.known]).find_map(|cart| cart.info.get(line)).map(|(_, info)| info)
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

    /// How many operations were given up since the beginning, because the hub refused them or nobody could know their fate.
    pub fn lost(&self) -> u32 {
        self.lost
    }

    /// What was done and is final, once each.
    pub fn take_touches(&mut self) -> Vec<Touch> {
        std::mem::take(&mut self.touches)
    }

    /// Ends the changing of what was done: it goes into the groups that wait for the hub, and becomes touchpoints.
    pub fn seal(&mut self) {
        let Some(me) = self.me.clone() else { return };
        for op in std::mem::take(&mut self.ops) {
            self.touches.extend(self.touch(&me, &op));
            self.last = op.n;
            put_in_group(&mut self.groups, &me, op.n, op.delta);
        }
    }

    /// The touchpoint of the operation, if it has one.
    fn touch(&self, me: &Identity, op: &Op) -> Option<Touch> {
        if op.is_quiet || op.change == 0 {
            return None;
        }
        let said = op.delta.info.get(&op.line).map(|(_, look)| look);
        let look = said.or_else(|| self.look(&op.line)).cloned().unwrap_or_default();
        let dot = Dot { r: me.replica, n: op.n };
        Some(Touch { dot, line: op.line.clone(), change: op.change, look })
    }

    fn check(&self, line: &LineKey, look: &LineInfo) -> Result<(), Refusal> {
        let fits = |text: &Option<String>, max| text.as_ref().is_none_or(|text| text.len() <= max);
        let is_good = !line.variant.is_empty()
            && line.variant.len() <= VARIANT_BYTES_MAX
            && fits(&look.name, NAME_BYTES_MAX)
            && fits(&look.url, URL_BYTES_MAX)
            && fits(&look.image, URL_BYTES_MAX)
            && look.unit_price.is_none_or(|price| price >= 0);
        if !is_good {
            return Err(Refusal::BadLine);
        }
        if self.shown.lines.len() >= LINES_MAX && !self.shown.lines.contains_key(line) {
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

    /// What was known before the operation at `before`.
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

/// Adds an operation to the last group, or to a new one where that was sent or is full.
fn put_in_group(groups: &mut Vec<Group>, me: &Identity, n: u32, delta: Cart) {
    let fits = |group: &&mut Group| {
        group.replica == me.replica
            && !group.sent
            && group.to.checked_add(1) == Some(n)
            && n.saturating_sub(group.from) < WINDOW
            && group.delta.epoch == delta.epoch
            && weight(&group.delta).saturating_add(weight(&delta)) <= GROUP_BYTES_MAX
    };
    match groups.last_mut().filter(fits) {
        Some(group) => {
            group.to = n;
            group.delta.absorb(&delta);
            // What was said last about a line counts, not what is larger.
            group.delta.info.extend(delta.info);
        }
        None => groups.push(Group {
            replica: me.replica,
            token: me.token.clone(),
            from: n,
            to: n,
            sent: false,
            delta,
        }),
    }
}

/// Bytes of a delta on the wire, roughly and rather too many.
fn weight(delta: &Cart) -> usize {
    /// A dot with its replica in quotes, and what stands around it.
    const DOT: usize = 40;
    let mut bytes = delta.ctx.cloud.len() * DOT;
    for (line, dots) in &delta.lines {
        for entry in dots.values() {
            bytes += line.variant.len() + (2 + entry.used.len()) * DOT;
        }
    }
    for (line, (_, LineInfo { name, url, image, .. })) in &delta.info {
        let texts = [name, url, image].into_iter().flatten();
        bytes += line.variant.len() + 3 * DOT + texts.map(String::len).sum::<usize>();
    }
    bytes
}

/// What an act makes of the wish that waits, where the person saw `shown` units.
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

/// Whether the operation neither puts nor drops anything: nothing but its own number is in it.
fn says_nothing(op: &Op) -> bool {
    let Cart { lines, ctx, .. } = &op.delta;
    let is_alone = if op.n == 1 { ctx.cloud.is_empty() } else { ctx.vv.is_empty() };
    lines.is_empty() && is_alone && ctx.cloud.len() + ctx.vv.len() == 1
}

/// `known` with what `look` says over it.
fn over(known: LineInfo, look: &LineInfo) -> LineInfo {
    LineInfo {
        name: look.name.clone().or(known.name),
        url: look.url.clone().or(known.url),
        image: look.image.clone().or(known.image),
        unit_price: look.unit_price.or(known.unit_price),
    }
}
