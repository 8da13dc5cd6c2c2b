//! Checkout against concurrent edits: every sequence of six steps of two devices, their hub and its till.
//!
//! In: a program, which gives each device its edits. Out: the number of right sequences, or the first wrong sequence. In a
//! right sequence the bought units are gone and every other unit is kept. The check uses facts and the facts that each place
//! knows, without dots or contexts. Deltas go through the hub's own check, as they do over the wire.

#![expect(
    clippy::indexing_slicing,
    reason = "a sequence that leaves its own bounds should stop at once"
)]

use std::collections::BTreeMap;
use std::fmt::Debug;

use hilo_core::cart::checkout::Bought;
use hilo_core::cart::hub::{Checked, check};
use hilo_core::cart::replica::Sender;
use hilo_core::cart::wire::{Broadcast, Ops};
use hilo_core::cart::{Cart, Ctx, LineKey, Refusal, ReplicaId};
use hilo_core::money::Currency;

/// Steps of a sequence.
pub(crate) const STEPS: usize = 6;
/// Two devices and the hub.
const DEVICES: usize = 2;
const HUB: usize = DEVICES;
/// The variants of the lines.
pub(crate) const MUG: &str = "mug";
pub(crate) const CUP: &str = "cup";

/// An edit of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Edit {
    Add(u32),
    Set(u32),
    Dec(u32),
    Remove,
}

/// The edits of each device, and whether the till sells everything or one unit of each line.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) edits: [[(&'static str, Edit); 2]; DEVICES],
    pub(crate) sells_all: bool,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A device makes its first or second edit.
    Edit(usize, usize),
    /// A device and the hub exchange all deltas.
    Sync(usize),
    Checkout,
    Order,
}

const ALL_STEPS: [Step; 8] = [
    Step::Edit(0, 0),
    Step::Edit(0, 1),
    Step::Edit(1, 0),
    Step::Edit(1, 1),
    Step::Sync(0),
    Step::Sync(1),
    Step::Checkout,
    Step::Order,
];

/// A set of facts, by their number.
type Known = u32;

/// Units of one act: the `n`-th act of `by`.
#[derive(Clone, Debug)]
struct Units {
    line: LineKey,
    is_set: bool,
    count: u32,
    n: u32,
    by: usize,
}

/// A fact, which a place may not know yet.
#[derive(Clone, Debug)]
enum Fact {
    New(Units),
    /// The units of these facts are gone.
    Gone(Vec<usize>),
    /// So many units of that fact are gone.
    Taken(usize, u32),
}

/// All facts, and the facts that each place knows.
#[derive(Clone, Default)]
struct Truth {
    facts: Vec<Fact>,
    acts: [u32; DEVICES + 1],
    /// The facts that each device and the hub know.
    known: [Known; DEVICES + 1],
}

impl Truth {
    /// The units in `seen` that are left on a line, by the facts `known`.
    fn left(&self, known: Known, seen: Known, line: &LineKey) -> BTreeMap<usize, (&Units, u32)> {
        let has = |set: Known, number: &usize| set & (1 << number) != 0;
        let mut left = BTreeMap::new();
        for number in (0..self.facts.len()).filter(|number| has(known, number)) {
            match &self.facts[number] {
                Fact::New(units) if units.line == *line && has(seen, &number) => {
                    left.insert(number, (units, units.count));
                }
                Fact::New(_) => {}
                Fact::Gone(gone) => left.retain(|number, _| !gone.contains(number)),
                Fact::Taken(of, count) => {
                    if let Some((_, left)) = left.get_mut(of) {
                        *left = left.saturating_sub(*count);
                    }
                }
            }
        }
        left
    }

    /// The units on a line, by the facts that `at` knows.
    fn quantity(&self, at: usize, seen: Known, line: &LineKey) -> u32 {
        let left = self.left(self.known[at], seen, line);
        // Sets are one wish. The programs never have two sets that count at once.
        left.values().map(|(_, left)| left).sum()
    }

    fn fact(&mut self, by: usize, fact: Fact) {
        self.known[by] |= 1 << self.facts.len();
        self.facts.push(fact);
    }

    fn new_units(&mut self, by: usize, line: &LineKey, is_set: bool, count: u32) {
        let n = self.acts[by];
        self.fact(by, Fact::New(Units { line: line.clone(), is_set, count, n, by }));
    }

    /// Records that the units in `seen` are gone.
    fn end(&mut self, by: usize, line: &LineKey, seen: Known) {
        let gone = self.left(self.known[by], seen, line).into_keys().collect();
        self.fact(by, Fact::Gone(gone));
    }

    /// Records that `count` of the units in `seen` are gone: the newest adds first, then sets.
    fn take(&mut self, by: usize, line: &LineKey, seen: Known, count: u32) {
        if count >= self.quantity(by, seen, line) {
            return self.end(by, line, seen);
        }
        let mut units: Vec<_> = self.left(self.known[by], seen, line).into_iter().collect();
        units.sort_by_key(|(_, (units, _))| (!units.is_set, units.n, units.by));
        let mut rest = count;
        let mut taken = Vec::new();
        for (number, (_, left)) in units.into_iter().rev() {
            let part = left.min(rest);
            taken.push(Fact::Taken(number, part));
            rest -= part;
        }
        taken.into_iter().for_each(|fact| self.fact(by, fact));
    }

    fn edit(&mut self, by: usize, line: &LineKey, edit: Edit) {
        self.acts[by] += 1;
        match edit {
            Edit::Add(count) => self.new_units(by, line, false, count),
            Edit::Set(count) => {
                self.end(by, line, Known::MAX);
                self.new_units(by, line, true, count);
            }
            Edit::Dec(count) => self.take(by, line, Known::MAX, count),
            Edit::Remove => self.end(by, line, Known::MAX),
        }
    }

    fn tell(&mut self, at: usize) {
        let all = self.known[at] | self.known[HUB];
        (self.known[at], self.known[HUB]) = (all, all);
    }
}

/// A device: its cart and its unsent delta.
#[derive(Clone, Default)]
struct Device {
    cart: Cart,
    pending: Cart,
    acked: u32,
}

#[derive(Clone)]
struct World {
    devices: [Device; DEVICES],
    hub: Cart,
    /// The open checkout: the units that the till sells, the hub's context, and the facts at that time.
    checkout: Option<(Bought, Ctx, Known)>,
    orders: u32,
    truth: Truth,
}

fn line(variant: &str) -> Result<LineKey, String> {
    let currency = Currency::parse("EUR").ok_or("no euro")?;
    Ok(LineKey { variant: variant.into(), options_hash: 0, currency })
}

fn told<E: Debug>(error: E) -> String {
    format!("{error:?}")
}

fn replica(at: usize) -> ReplicaId {
    ReplicaId(at as u64 + 1)
}

fn edited(cart: &Cart, me: ReplicaId, line: &LineKey, edit: Edit) -> Result<Cart, Refusal> {
    match edit {
        Edit::Add(k) => cart.add(me, line, k),
        Edit::Set(q) => cart.set(me, line, q),
        Edit::Dec(k) => cart.dec(me, line, k),
        Edit::Remove => cart.remove(me, line),
    }
}

impl World {
    /// A world in which the first device added two mugs and the second one mug, and all places know both.
    fn begin() -> Result<World, String> {
        let mut world = World {
            devices: Default::default(),
            hub: Cart::default(),
            checkout: None,
            orders: 0,
            truth: Truth::default(),
        };
        for (at, units) in [(0, 2), (1, 1)] {
            world.edit(at, MUG, Edit::Add(units))?;
            world.sync(at)?;
        }
        world.sync(0)?;
        Ok(world)
    }

    /// Returns whether the step was possible.
    fn step(&mut self, program: &Program, step: Step) -> Result<bool, String> {
        match step {
            Step::Edit(at, which) => {
                let (variant, edit) = program.edits[at][which];
                self.edit(at, variant, edit)?;
            }
            Step::Sync(at) => self.sync(at)?,
            Step::Checkout => {
                let quantity = |all: u32| if program.sells_all { all } else { 1 };
                let bought = self.hub.shown().map(|(line, q)| (line.clone(), quantity(q)));
                let seen = self.truth.known[HUB];
                self.checkout = Some((bought.collect(), self.hub.ctx.clone(), seen));
            }
            Step::Order => return self.order(),
        }
        Ok(true)
    }

    fn edit(&mut self, at: usize, variant: &str, edit: Edit) -> Result<(), String> {
        let line = line(variant)?;
        let device = &mut self.devices[at];
        let delta = edited(&device.cart, replica(at), &line, edit).map_err(told)?;
        device.cart.absorb(&delta);
        device.pending.absorb(&delta);
        self.truth.edit(at, &line, edit);
        self.agrees(at)
    }

    /// The device sends its unsent delta and absorbs the hub's answer.
    fn sync(&mut self, at: usize) -> Result<(), String> {
        let (me, device) = (replica(at), &mut self.devices[at]);
        let to = device.cart.ctx.prefix(me);
        if to > device.acked {
            let from = device.acked + 1;
            let sender = Sender { replica: me, ..Sender::default() };
            let ops = Ops::of(sender, from, to, &std::mem::take(&mut device.pending));
            match check(&self.hub, None, me, &ops, 1).map_err(told)? {
                Checked::Fresh { cart, .. } => self.hub = *cart,
                Checked::Repeat { .. } => return Err("nothing is sent twice here".into()),
            }
            device.acked = to;
        }
        device.cart.absorb(&Broadcast::of(1, to, &self.hub).delta());
        self.truth.tell(at);
        if device.cart != self.hub {
            return Err(format!("device {at} and the hub differ"));
        }
        self.agrees(at)
    }

    fn order(&mut self) -> Result<bool, String> {
        let Some((bought, ctx, seen)) = self.checkout.take() else { return Ok(false) };
        let delta = self.hub.order_done(replica(HUB), &ctx, &bought).map_err(told)?;
        self.hub.absorb(&delta);
        self.truth.acts[HUB] += 1;
        for (line, count) in &bought {
            self.truth.take(HUB, line, seen, *count);
        }
        self.orders += 1;
        self.agrees(HUB).map(|()| true)
    }

    /// Checks that a cart shows the units by the facts that its place knows.
    fn agrees(&self, at: usize) -> Result<(), String> {
        let cart = self.devices.get(at).map_or(&self.hub, |device| &device.cart);
        for variant in [MUG, CUP] {
            let line = line(variant)?;
            let (found, right) = (cart.qty(&line), self.truth.quantity(at, Known::MAX, &line));
            if found != right {
                return Err(format!("{variant}: {at} has {found} and should have {right}"));
            }
        }
        Ok(())
    }
}

/// Runs every sequence of [`STEPS`] steps of the program, and returns the number of sequences with an order.
pub(crate) fn run(program: &Program) -> Result<u64, String> {
    let mut path = Vec::with_capacity(STEPS);
    go_on(program, &World::begin()?, &mut path)
        .map_err(|why| format!("{program:?}\n{path:?}\n{why}"))
}

fn go_on(program: &Program, world: &World, path: &mut Vec<Step>) -> Result<u64, String> {
    if path.len() == STEPS {
        let mut world = world.clone();
        (0..DEVICES).chain(0..DEVICES).try_for_each(|at| world.sync(at))?;
        return Ok(u64::from(world.orders > 0));
    }
    let mut sequences = 0;
    for step in ALL_STEPS {
        let mut next = world.clone();
        path.push(step);
        if next.step(program, step)? {
            sequences += go_on(program, &next, path)?;
        }
        path.pop();
    }
    Ok(sequences)
}
