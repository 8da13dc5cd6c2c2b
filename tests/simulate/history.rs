//! One random history: edits, deliveries and exchanges by chance, then anti-entropy until everybody has heard everything.
//!
//! In: a model and a seed. Out: nothing, or the first difference from the oracle. The same seed gives the same history.

#![expect(
    clippy::indexing_slicing,
    reason = "a history that leaves its own bounds should stop at once"
)]

use hilo_core::cart::checkout::Bought;
use hilo_core::cart::{Cart, Ctx, Dot, Kind, LineKey, ReplicaId};
use hilo_core::money::Currency;

use crate::model::Model;
use crate::oracle::{Heard, Oracle, Record, quantity};

/// Steps of a history.
pub(crate) const STEPS_MAX: u64 = 60;
const REPLICAS: usize = 4;
const LINES: usize = 3;

/// What happened in all histories so far.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) adds: u64,
    pub(crate) folds: u64,
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

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
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

/// What was seen when a checkout began, by the product and by the oracle, and what was to be paid.
struct Checkout {
    at: usize,
    ctx: Ctx,
    heard: Heard,
    bought: Bought,
}

struct History<'a> {
    model: &'a Model,
    random: Random,
    lines: Vec<LineKey>,
    replicas: Vec<Replica>,
    oracle: Oracle,
    /// The delta of every operation, and which replicas it has reached.
    deltas: Vec<(Cart, [bool; REPLICAS])>,
    checkout: Option<Checkout>,
    /// Whether people mostly add, so that lines get as many dots as it takes to fold them.
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
        deltas: Vec::new(),
        checkout: None,
        eager: false,
        figures,
    };
    history.eager = history.random.below(4) == 0;
    let steps = 1 + history.random.below(STEPS_MAX);
    for step in 0..steps {
        history.step().map_err(|why| format!("step {step}: {why}"))?;
    }
    history.converge()
}

impl History<'_> {
    fn step(&mut self) -> Result<(), String> {
        match self.random.below(20) {
            0..=10 => self.act(),
            11..=15 => self.deliver(),
            16..=17 => self.deliver_group(),
            _ => self.exchange(),
        }
    }

    /// A replica does something, and the oracle writes down what it meant.
    fn act(&mut self) -> Result<(), String> {
        let at = self.random.index(REPLICAS);
        let on = self.random.index(if self.eager { 1 } else { LINES });
        let line = self.lines[on].clone();
        let (me, cart) = (self.replicas[at].id, &self.replicas[at].cart);
        let heard = self.replicas[at].heard;
        let live = self.oracle.line(heard, &line);
        let shown = quantity(&live);
        let expected;
        let mut drops: Vec<Dot> = live.keys().copied().collect();
        let delta = match self.random.below(if self.eager { 10 } else { 20 }) {
            0..=8 => {
                let k = self.random.units(4);
                let folds = live.len() >= 8;
                if !folds {
                    drops.clear();
                }
                self.figures.adds += 1;
                self.figures.folds += u64::from(folds);
                expected = shown + k;
                cart.add(me, &line, k)
            }
            9..=11 => {
                let q = self.random.units(6);
                self.figures.sets += 1;
                expected = q;
                cart.set(me, &line, q)
            }
            12..=14 => {
                let k = self.random.units(4);
                self.figures.decrements += 1;
                expected = shown.saturating_sub(k);
                if k < shown {
                    drops.clear();
                    cart.dec(me, &line, k)
                } else {
                    (self.model.remove)(cart, me, &line)
                }
            }
            15..=16 => {
                self.figures.removes += 1;
                expected = 0;
                (self.model.remove)(cart, me, &line)
            }
            17 => {
                self.figures.clears += 1;
                drops = self
                    .oracle
                    .live(heard)
                    .values()
                    .flat_map(|dots| dots.keys().copied())
                    .collect();
                expected = 0;
                cart.clear(me)
            }
            18 => return self.begin_checkout(at),
            _ => return self.order(),
        };
        let delta = delta.map_err(|refusal| refusal.code().to_owned())?;
        self.record(at, delta, drops)?;
        let found = self.replicas[at].cart.qty(&line);
        // A mutant's own view may have drifted already; then the comparison with the oracle has said so.
        if found == expected {
            Ok(())
        } else {
            Err(format!("{found} units where {expected} were meant"))
        }
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

    /// P8: of what the checkout had seen, what was bought is gone; everything else stays.
    ///
    /// The replica that began the checkout also completes it, as the hub does: another could not know yet that a dot
    /// was dropped, and would charge the order to units that are gone.
    fn order(&mut self) -> Result<(), String> {
        let Some(checkout) = self.checkout.take() else { return Ok(()) };
        let at = checkout.at;
        let replica = &self.replicas[at];
        let delta = replica.cart.order_done(replica.id, &checkout.ctx, &checkout.bought);
        let delta = delta.map_err(|refusal| refusal.code().to_owned())?;
        let mut drops = Vec::new();
        for (line, bought) in &checkout.bought {
            let mut live = self.oracle.line(replica.heard, line);
            live.retain(|dot, _| self.was_shown(checkout.heard, *dot));
            if *bought >= quantity(&live) {
                drops.extend(live.into_keys());
            }
        }
        self.figures.orders += 1;
        self.record(at, delta, drops)
    }

    fn was_shown(&self, heard: Heard, dot: Dot) -> bool {
        let known = |at: &usize| heard & (1 << at) != 0;
        let mut records = (0..self.oracle.records.len()).filter(known);
        records.any(|at| self.oracle.records[at].shows.iter().any(|(_, shown, ..)| *shown == dot))
    }

    /// Gives the operation to its own replica and keeps its delta for the others.
    fn record(&mut self, at: usize, delta: Cart, drops: Vec<Dot>) -> Result<(), String> {
        let mut record = Record { drops, ..Record::default() };
        for (line, dots) in &delta.lines {
            for (dot, entry) in dots {
                record.shows.push((line.clone(), *dot, entry.kind, entry.n));
                record
                    .used
                    .extend(entry.used.iter().map(|(replica, units)| (*dot, *replica, *units)));
            }
        }
        if record.shows.iter().any(|(.., kind, n)| *kind == Kind::Add && *n == 0) {
            return Err("an add of nothing".into());
        }
        let number = self.oracle.records.len();
        self.oracle.records.push(record);
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
        self.oracle.check(&replica.cart, replica.heard)
    }

    /// Some delta reaches some replica: late, early, or once more.
    fn deliver(&mut self) -> Result<(), String> {
        if self.deltas.is_empty() {
            return Ok(());
        }
        let (which, to) = (self.random.index(self.deltas.len()), self.random.index(REPLICAS));
        let delta = self.deltas[which].0.clone();
        self.note(which, to);
        self.learn(to, &delta, 1 << which)
    }

    /// P5: several deltas are joined first, and the group travels.
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

    /// One replica shows another its whole state.
    fn exchange(&mut self) -> Result<(), String> {
        let (from, to) = (self.random.index(REPLICAS), self.random.index(REPLICAS));
        let (state, heard) = (self.replicas[from].cart.clone(), self.replicas[from].heard);
        self.figures.exchanges += 1;
        self.learn(to, &state, heard)
    }

    /// Anti-entropy: what was lost arrives with the states. Then all must be equal, and as small as promised.
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
        if !first.ctx.cloud.is_empty() || first.ctx.vv.len() > REPLICAS {
            return Err(format!("P10: {:?}", first.ctx));
        }
        // P5: nobody saw this order, and no state was exchanged for it.
        let mut from_deltas = Cart::default();
        for (delta, _) in self.deltas.iter().rev() {
            (self.model.absorb)(&mut from_deltas, delta);
        }
        if from_deltas == *first { Ok(()) } else { Err("P5: deltas and states differ".into()) }
    }
}
