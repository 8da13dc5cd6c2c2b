//! One random history: edits, deliveries and exchanges by chance, then anti-entropy until all replicas have every delta.
//!
//! In: a model and a seed. Out: nothing, or the first difference from the oracle. The same seed gives the same history.

#![expect(
    clippy::indexing_slicing,
    reason = "a history that leaves its own bounds should stop at once"
)]

use hilo_core::cart::checkout::Bought;
use hilo_core::cart::limits::LINE_DOTS_MAX;
use hilo_core::cart::{Cart, Ctx, Dot, Kind, LineKey, Refusal, ReplicaId};
use hilo_core::money::Currency;

use crate::model::Model;
use crate::oracle::{Heard, Oracle, Record, quantity};
use crate::wish::{What, Wish, Wishes};

/// Steps of a history.
pub(crate) const STEPS_MAX: u64 = 60;
/// Adds of each replica at the beginning of an eager history, so that its line soon has enough dots to fold.
const EAGER_ADDS: usize = 5;
const REPLICAS: usize = 4;
const LINES: usize = 3;

/// Figures of all histories so far.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) adds: u64,
    pub(crate) folds: u64,
    /// Adds that became a `Set` of the sum.
    pub(crate) sums: u64,
    pub(crate) sets: u64,
    pub(crate) decrements: u64,
    pub(crate) removes: u64,
    pub(crate) clears: u64,
    pub(crate) checkouts: u64,
    pub(crate) orders: u64,
    pub(crate) delivered: u64,
    pub(crate) repeated: u64,
    pub(crate) grouped: u64,
    pub never_delivered: u64,
    pub(crate) exchanges: u64,
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and equal on every platform.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    fn units(&mut self, most: u64) -> u32 {
        u32::try_from(1 + self.below(most)).unwrap_or(1)
    }
}

struct Replica {
    id: ReplicaId,
    cart: Cart,
    heard: Heard,
}

/// An open checkout: its context, its operations for the oracle, and the units to be paid.
struct Checkout {
    at: usize,
    ctx: Ctx,
    heard: Heard,
    bought: Bought,
}

/// An operation before it is recorded.
struct Acted {
    delta: Result<Cart, Refusal>,
    /// The dots that the operation was to drop.
    drops: Vec<Dot>,
    wish: Wish,
}

struct History<'a> {
    model: &'a Model,
    random: Random,
    lines: Vec<LineKey>,
    replicas: Vec<Replica>,
    oracle: Oracle,
    wishes: Wishes,
    /// The delta of every operation, and the replicas that it has reached.
    deltas: Vec<(Cart, [bool; REPLICAS])>,
    checkout: Option<Checkout>,
    /// Whether most acts add to one line, so that the line gets enough dots to fold.
    eager: bool,
    figures: &'a mut Figures,
}

/// Runs the history of `seed`.
pub(crate) fn run(model: &Model, seed: u64, figures: &mut Figures) -> Result<(), String> {
    let euro = Currency::parse("EUR").ok_or("no euro")?;
    let line =
        |number: usize| LineKey { variant: format!("v{number}"), options_hash: 0, currency: euro };
    let replica = |number| Replica { id: ReplicaId(number), cart: Cart::default(), heard: 0 };
    let mut history = History {
        model,
        random: Random(seed),
        lines: (0..LINES).map(line).collect(),
        replicas: (1..=REPLICAS as u64).map(replica).collect(),
        oracle: Oracle::default(),
        wishes: Wishes::default(),
        deltas: Vec::new(),
        checkout: None,
        eager: false,
        figures,
    };
    history.eager = history.random.below(8) == 0;
    let mut steps = 1 + history.random.below(STEPS_MAX);
    if history.eager {
        history.begin_eagerly()?;
        steps = steps.min(STEPS_MAX - (REPLICAS * EAGER_ADDS) as u64);
    }
    for step in 0..steps {
        history.step().map_err(|why| format!("step {step}: {why}"))?;
    }
    history.converge()
}

impl History<'_> {
    /// Each replica adds a few times, and most deltas arrive.
    fn begin_eagerly(&mut self) -> Result<(), String> {
        let line = self.lines[0].clone();
        for at in (0..REPLICAS).cycle().take(REPLICAS * EAGER_ADDS) {
            let k = self.random.units(4);
            let acted = self.add(at, &line, k);
            self.record(at, acted)?;
        }
        for _ in 0..REPLICAS {
            self.exchange()?;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), String> {
        match self.random.below(20) {
            0..=10 => self.act(),
            11..=15 => self.deliver(),
            16..=17 => self.deliver_group(),
            _ => self.exchange(),
        }
    }

    /// A replica acts, and the oracle records the operation.
    fn act(&mut self) -> Result<(), String> {
        let at = self.random.index(REPLICAS);
        let on = self.random.index(if self.eager { 1 } else { LINES });
        let line = self.lines[on].clone();
        let heard = self.replicas[at].heard;
        let shown = quantity(&self.oracle.line(heard, &line));
        let expected;
        let acted = match self.random.below(if self.eager { 10 } else { 20 }) {
            0..=8 => {
                let k = self.random.units(4);
                expected = shown + k;
                self.add(at, &line, k)
            }
            9..=11 => {
                let q = self.random.units(6);
                expected = q;
                self.set(at, &line, q)
            }
            12..=14 => {
                let k = self.random.units(4);
                expected = shown.saturating_sub(k);
                self.dec(at, &line, k, shown)
            }
            15..=16 => {
                expected = 0;
                self.remove(at, &line)
            }
            17 => {
                expected = 0;
                self.clear(at)
            }
            18 => return self.begin_checkout(at),
            _ => return self.order(),
        };
        self.record(at, acted)?;
        let found = self.replicas[at].cart.qty(&line);
        // A mutant's own view may have drifted already. Then the comparison with the oracle has failed before.
        if found == expected {
            Ok(())
        } else {
            Err(format!("{found} units where {expected} were meant"))
        }
    }

    /// The operation of a replica on a line, and the dots that it was to drop.
    fn acted(
        &self,
        at: usize,
        line: &LineKey,
        what: What,
        drops: Vec<Dot>,
        delta: Result<Cart, Refusal>,
    ) -> Acted {
        let Replica { id, heard, .. } = self.replicas[at];
        let wish = Wish { by: id, lines: vec![line.clone()], what, heard, folds: false };
        Acted { delta, drops, wish }
    }

    fn observed(&self, at: usize, line: &LineKey) -> Vec<Dot> {
        self.oracle.line(self.replicas[at].heard, line).into_keys().collect()
    }

    fn add(&mut self, at: usize, line: &LineKey, k: u32) -> Acted {
        let Replica { id, cart, .. } = &self.replicas[at];
        let delta = (self.model.add)(cart, *id, line, k);
        // The oracle takes a fold's dropped dots as they are. The wishes check the units of a fold.
        let mut drops = self.observed(at, line);
        let is_set = drops.len() >= LINE_DOTS_MAX;
        drops.retain(|dot| delta.as_ref().is_ok_and(|delta| delta.ctx.contains(*dot)));
        let (folds, sum) = (!drops.is_empty(), cart.qty(line) + k);
        // Known weakness of a full line: an add on it is a `Set` and is checked as one.
        let is_set = is_set && delta.as_ref().is_ok_and(|delta| delta.qty(line) == sum);
        self.figures.adds += 1;
        self.figures.folds += u64::from(folds && !is_set);
        self.figures.sums += u64::from(is_set);
        let what = if is_set { What::Set(sum) } else { What::Add(k) };
        let mut acted = self.acted(at, line, what, drops, delta);
        acted.wish.folds = folds && !is_set;
        acted
    }

    fn set(&mut self, at: usize, line: &LineKey, q: u32) -> Acted {
        let Replica { id, cart, .. } = &self.replicas[at];
        self.figures.sets += 1;
        self.acted(at, line, What::Set(q), self.observed(at, line), cart.set(*id, line, q))
    }

    fn dec(&mut self, at: usize, line: &LineKey, k: u32, shown: u32) -> Acted {
        let Replica { id, cart, .. } = &self.replicas[at];
        self.figures.decrements += 1;
        if k < shown {
            self.acted(at, line, What::Take, Vec::new(), cart.dec(*id, line, k))
        } else {
            let delta = (self.model.remove)(cart, *id, line);
            self.acted(at, line, What::Take, self.observed(at, line), delta)
        }
    }

    fn remove(&mut self, at: usize, line: &LineKey) -> Acted {
        let Replica { id, cart, .. } = &self.replicas[at];
        self.figures.removes += 1;
        let delta = (self.model.remove)(cart, *id, line);
        self.acted(at, line, What::Take, self.observed(at, line), delta)
    }

    fn clear(&mut self, at: usize) -> Acted {
        let Replica { id, cart, heard } = &self.replicas[at];
        self.figures.clears += 1;
        let live = self.oracle.live(*heard);
        let drops = live.values().flat_map(|dots| dots.keys().copied()).collect();
        let wish = Wish {
            by: *id,
            lines: self.lines.clone(),
            what: What::Take,
            heard: *heard,
            folds: false,
        };
        Acted { delta: cart.clear(*id), drops, wish }
    }

    fn begin_checkout(&mut self, at: usize) -> Result<(), String> {
        let replica = &self.replicas[at];
        let mut bought = Bought::new();
        for (line, dots) in self.oracle.live(replica.heard) {
            let quantity = quantity(&dots);
            if quantity > 0 {
                bought.insert(
                    line,
                    if self.random.below(4) == 0 { quantity.div_ceil(2) } else { quantity },
                );
            }
        }
        self.checkout =
            Some(Checkout { at, ctx: replica.cart.ctx.clone(), heard: replica.heard, bought });
        self.figures.checkouts += 1;
        Ok(())
    }

    /// P8: the bought units of the checkout's dots are gone, and all other units stay.
    ///
    /// The replica that began the checkout also completes it, as the hub does. Another replica may not know that a dot was
    /// dropped, and would charge the order to units that are gone.
    fn order(&mut self) -> Result<(), String> {
        let Some(checkout) = self.checkout.take() else { return Ok(()) };
        let at = checkout.at;
        let replica = &self.replicas[at];
        let delta = replica.cart.order_done(replica.id, &checkout.ctx, &checkout.bought);
        let mut drops = Vec::new();
        for (line, bought) in &checkout.bought {
            let mut live = self.oracle.line(replica.heard, line);
            live.retain(|dot, _| self.was_shown(checkout.heard, *dot));
            if *bought >= quantity(&live) {
                drops.extend(live.into_keys());
            }
        }
        self.figures.orders += 1;
        let wish = Wish {
            by: replica.id,
            lines: checkout.bought.into_keys().collect(),
            what: What::Take,
            heard: checkout.heard,
            folds: false,
        };
        self.record(at, Acted { delta, drops, wish })
    }

    fn was_shown(&self, heard: Heard, dot: Dot) -> bool {
        let known = |at: &usize| heard & (1 << at) != 0;
        let mut records = (0..self.oracle.records.len()).filter(known);
        records.any(|at| self.oracle.records[at].shows.iter().any(|(_, shown, ..)| *shown == dot))
    }

    /// Gives the operation to its own replica, and keeps the delta for all other replicas.
    fn record(&mut self, at: usize, acted: Acted) -> Result<(), String> {
        let Acted { delta, drops, wish } = acted;
        let delta = delta.map_err(|refusal| refusal.code().to_owned())?;
        let mut record = Record { drops, ..Record::default() };
        for line in delta.lines() {
            for row in line.dots.rows() {
                match row.by {
                    None => record.shows.push((line.key.clone(), row.dot, row.kind, row.n)),
                    Some(replica) => record.used.push((row.dot, replica, row.n)),
                }
            }
        }
        if record.shows.iter().any(|(.., kind, n)| *kind == Kind::Add && *n == 0) {
            return Err("an add of nothing".into());
        }
        let number = self.oracle.records.len();
        self.oracle.records.push(record);
        self.wishes.push(wish);
        let mut reached = [false; REPLICAS];
        reached[at] = true;
        self.learn(at, &delta, 1 << number)?;
        self.deltas.push((delta, reached));
        Ok(())
    }

    fn learn(&mut self, at: usize, delta: &Cart, heard: Heard) -> Result<(), String> {
        let replica = &mut self.replicas[at];
        (self.model.absorb)(&mut replica.cart, delta);
        replica.heard |= heard;
        let Replica { cart, heard, .. } = replica;
        self.oracle.check(cart, *heard)?;
        self.lines.iter().try_for_each(|line| self.wishes.check(cart, *heard, line))
    }

    /// One delta reaches one replica: late, early, or once more.
    fn deliver(&mut self) -> Result<(), String> {
        if self.deltas.is_empty() {
            return Ok(());
        }
        let (which, to) = (self.random.index(self.deltas.len()), self.random.index(REPLICAS));
        let delta = self.deltas[which].0.clone();
        self.note(which, to);
        self.learn(to, &delta, 1 << which)
    }

    /// P5: several deltas are joined first and delivered as a group.
    fn deliver_group(&mut self) -> Result<(), String> {
        if self.deltas.is_empty() {
            return Ok(());
        }
        let to = self.random.index(REPLICAS);
        let mut group = Cart::default();
        let mut heard = 0;
        for _ in 0..2 + self.random.below(4) {
            let which = self.random.index(self.deltas.len());
            (self.model.absorb)(&mut group, &self.deltas[which].0);
            heard |= 1 << which;
            self.note(which, to);
        }
        self.figures.grouped += 1;
        self.learn(to, &group, heard)
    }

    fn note(&mut self, which: usize, to: usize) {
        let reached = &mut self.deltas[which].1[to];
        self.figures.delivered += u64::from(!*reached);
        self.figures.repeated += u64::from(*reached);
        *reached = true;
    }

    /// One replica absorbs another replica's whole state.
    fn exchange(&mut self) -> Result<(), String> {
        let (from, to) = (self.random.index(REPLICAS), self.random.index(REPLICAS));
        let (state, heard) = (self.replicas[from].cart.clone(), self.replicas[from].heard);
        self.figures.exchanges += 1;
        self.learn(to, &state, heard)
    }

    /// Anti-entropy: lost deltas arrive with whole states. Then all replicas must be equal, and as small as promised.
    fn converge(&mut self) -> Result<(), String> {
        let lost = self.deltas.iter().flat_map(|(_, reached)| reached).filter(|reached| !**reached);
        self.figures.never_delivered += lost.count() as u64;
        for _ in 0..2 {
            for to in 0..REPLICAS {
                let from = (to + REPLICAS - 1) % REPLICAS;
                let (state, heard) = (self.replicas[from].cart.clone(), self.replicas[from].heard);
                self.learn(to, &state, heard)?;
            }
        }
        let first = &self.replicas[0].cart;
        if self.replicas.iter().any(|replica| replica.cart != *first) {
            return Err("P4: replicas differ".into());
        }
        if first.ctx.cloud().next().is_some() || first.ctx.vv().count() > REPLICAS {
            return Err(format!("P10: {:?}", first.ctx));
        }
        // P5: deltas in an order that no replica had, without an exchange of states.
        let mut from_deltas = Cart::default();
        for (delta, _) in self.deltas.iter().rev() {
            (self.model.absorb)(&mut from_deltas, delta);
        }
        if from_deltas == *first { Ok(()) } else { Err("P5: deltas and states differ".into()) }
    }
}
