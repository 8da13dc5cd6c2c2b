//! Laws of the cart, P1 to P10 of its model, and limits of a hostile delta at the hub.
//!
//! The laws of the algebra run on arbitrary carts, most of which no history could make. The promises run on acts of people.

#![expect(
    clippy::indexing_slicing,
    reason = "a law that leaves its own bounds should stop at once"
)]

use std::collections::{BTreeMap, BTreeSet};

use hilo_core::cart::checkout::Bought;
use hilo_core::cart::hub::{Checked, check};
use hilo_core::cart::limits::QUANTITY_MAX;
use hilo_core::cart::merge::{Policy, merge};
use hilo_core::cart::replica::Sender;
use hilo_core::cart::wire::{Broadcast, Ops, Put, Snapshot, VERSION};
use hilo_core::cart::{Cart, Dot, Entry, Kind, LineInfo, LineKey, ReplicaId, Row, Span, join};
use hilo_core::money::{Amount, Currency};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::Index;

const REPLICAS: u64 = 4;
const HUB: ReplicaId = ReplicaId(99);

fn any_dot() -> impl Strategy<Value = Dot> {
    (1..=REPLICAS, 1..=6_u32).prop_map(|(r, n)| Dot { r: ReplicaId(r), n })
}

fn any_line() -> impl Strategy<Value = LineKey> {
    let currency = prop_oneof![3 => Just("EUR"), 1 => Just("JPY")];
    ("[a-c]", 0..2_u64, currency).prop_filter_map("no currency", |(variant, options_hash, code)| {
        Currency::parse(code).map(|currency| LineKey { variant, options_hash, currency })
    })
}

/// A dot's kind and units, and the units that each replica took back.
type Said = (Kind, u32, BTreeMap<ReplicaId, u32>);

fn any_said() -> impl Strategy<Value = Said> {
    let used = btree_map((1..=REPLICAS).prop_map(ReplicaId), 0..6_u32, 0..3);
    (any::<bool>(), prop_oneof![9 => 1..6_u32, 1 => any::<u32>()], used)
        .prop_map(|(set, n, used)| (if set { Kind::Set } else { Kind::Add }, n, used))
}

/// Any cart whose live dots are seen. Dots of different carts may contradict each other, as dots of a hostile replica would.
pub(crate) fn any_cart() -> impl Strategy<Value = Cart> {
    let live = vec((any_line(), any_dot(), any_said()), 0..6);
    let info = btree_map(any_line(), (0..3_u64, "[xyz]"), 0..3);
    let epoch = prop_oneof![9 => Just(0), 1 => Just(1_u32)];
    (epoch, live, btree_set(any_dot(), 0..10), info).prop_map(|(epoch, live, seen, info)| {
        let mut cart = Cart::of(epoch);
        cart.ctx = seen.into_iter().collect();
        for (line, dot, (kind, n, used)) in live {
            cart.put(&line, Row::own(dot, kind, n));
            for (replica, n) in used {
                cart.put(&line, Row::used(dot, replica, n));
            }
        }
        let named = |name| LineInfo { name: Some(name), ..LineInfo::default() };
        info.into_iter().for_each(|(line, (rev, name))| cart.show(&line, (rev, named(name))));
        cart
    })
}

#[derive(Clone, Debug)]
enum Do {
    Add(LineKey, u32),
    Set(LineKey, u32),
    Dec(LineKey, u32),
    Remove(LineKey),
    Clear,
    /// Absorbs the whole state of another replica.
    Learn(usize),
    /// Absorbs one earlier delta.
    Hear(Index),
}

fn any_step() -> impl Strategy<Value = (usize, Do)> {
    let what = prop_oneof![
        6 => (any_line(), 1..5_u32).prop_map(|(line, k)| Do::Add(line, k)),
        2 => (any_line(), 0..7_u32).prop_map(|(line, q)| Do::Set(line, q)),
        3 => (any_line(), 1..5_u32).prop_map(|(line, k)| Do::Dec(line, k)),
        1 => any_line().prop_map(Do::Remove),
        1 => Just(Do::Clear),
        2 => (0..REPLICAS as usize).prop_map(Do::Learn),
        4 => any::<Index>().prop_map(Do::Hear),
    ];
    (0..REPLICAS as usize, what)
}

fn any_steps() -> impl Strategy<Value = Vec<(usize, Do)>> {
    vec(any_step(), 0..40)
}

/// Replicas 1, 2, … and every delta that they made.
#[derive(Clone, Debug, Default)]
struct World {
    carts: [Cart; REPLICAS as usize],
    deltas: Vec<Cart>,
}

fn replica(at: usize) -> ReplicaId {
    ReplicaId(at as u64 + 1)
}

impl World {
    fn after(steps: &[(usize, Do)]) -> World {
        let mut world = World::default();
        steps.iter().for_each(|(at, what)| world.step(*at, what));
        world
    }

    fn step(&mut self, at: usize, what: &Do) {
        let (me, cart) = (replica(at), &self.carts[at]);
        let made = match what {
            Do::Add(line, k) => cart.add(me, line, *k),
            Do::Set(line, q) => cart.set(me, line, *q),
            Do::Dec(line, k) => cart.dec(me, line, *k),
            Do::Remove(line) => cart.remove(me, line),
            Do::Clear => cart.clear(me),
            Do::Learn(from) => return self.learn(at, &self.carts[*from].clone()),
            Do::Hear(_) if self.deltas.is_empty() => return,
            Do::Hear(which) => return self.learn(at, &which.get(&self.deltas).clone()),
        };
        if let Ok(delta) = made {
            self.learn(at, &delta);
            self.deltas.push(delta);
        }
    }

    fn learn(&mut self, at: usize, what: &Cart) {
        self.carts[at].absorb(what);
    }

    /// The join of all replicas.
    fn all(&self) -> Cart {
        self.carts.iter().fold(Cart::default(), |all, cart| join(&all, cart))
    }
}

fn live(cart: &Cart) -> BTreeMap<Dot, (&LineKey, Entry<'_>)> {
    let mut live = BTreeMap::new();
    for line in cart.lines() {
        live.extend(line.dots.entries().map(|entry| (entry.dot, (&line.key, entry))));
    }
    live
}

proptest! {
    #[test]
    fn p1_p2_p3_joining_is_commutative_associative_and_idempotent(
        a in any_cart(), b in any_cart(), c in any_cart(),
    ) {
        prop_assert_eq!(join(&a, &b), join(&b, &a));
        prop_assert_eq!(join(&join(&a, &b), &c), join(&a, &join(&b, &c)));
        prop_assert_eq!(join(&a, &a), a.clone());
        prop_assert_eq!(join(&join(&a, &b), &b), join(&a, &b));
    }

    #[test]
    fn p4_p5_deltas_in_any_order_and_number_make_the_same_cart_as_states(
        steps in any_steps(), order in vec(any::<Index>(), 0..80),
    ) {
        let world = World::after(&steps);
        let mut late = Cart::default();
        if !world.deltas.is_empty() {
            order.iter().for_each(|which| late.absorb(which.get(&world.deltas)));
        }
        world.deltas.iter().for_each(|delta| late.absorb(delta)); // lost deltas arrive late
        prop_assert_eq!(late, world.all());
    }

    #[test]
    fn p6_an_add_that_no_replica_has_seen_survives_every_operation(
        before in any_steps(), line in any_line(), k in 1..5_u32, after in any_steps(),
    ) {
        let mut world = World::after(&before);
        let Ok(delta) = world.carts[0].add(replica(0), &line, k) else { return Ok(()) };
        let put = live(&delta);
        let (dot, added) = put.iter().next().ok_or(TestCaseError::fail("puts nothing"))?;
        // All other replicas go on without the add.
        for (at, what) in &after {
            let unseen = !matches!(what, Do::Learn(0)) && *at != 0;
            if unseen {
                world.step(*at, what);
            }
        }
        world.learn(0, &delta);
        let all = world.all();
        let all = live(&all);
        prop_assert_eq!(all.get(dot), Some(added));
    }

    #[test]
    fn p7_a_dropped_dot_never_returns(before in any_steps(), after in any_steps()) {
        let mut world = World::after(&before);
        let everything = world.all();
        let cleared = everything.clear(HUB).map_err(|refusal| TestCaseError::fail(refusal.code()))?;
        let dropped: BTreeSet<Dot> = live(&everything).into_keys().collect();
        after.iter().for_each(|(at, what)| world.step(*at, what));
        let mut late = join(&world.all(), &cleared);
        for old in world.deltas.iter().chain(&world.carts).chain([&everything]) {
            late.absorb(old);
            prop_assert!(live(&late).keys().all(|dot| !dropped.contains(dot)));
        }
    }

    #[test]
    fn p8_an_order_takes_units_of_its_checkout_and_spares_later_adds(
        before in any_steps(), adds in vec((0..REPLICAS as usize, any_line(), 1..5_u32), 0..8),
    ) {
        let mut world = World::after(&before);
        let hub = world.all();
        let seen: BTreeSet<Dot> = live(&hub).into_keys().collect();
        let bought: Bought = hub.shown().map(|(line, quantity)| (line.clone(), quantity)).collect();
        let mut expected: BTreeMap<LineKey, u32> = BTreeMap::new();
        for (at, line, k) in adds {
            // An empty replica's adds never fold, so each is an `Add` that the order must spare.
            let known = Cart { ctx: world.carts[at].ctx.clone(), ..Cart::default() };
            if let Ok(delta) = known.add(replica(at), &line, k) {
                *expected.entry(line).or_insert(0) += k;
                world.learn(at, &delta);
            }
        }
        let ordered = hub.order_done(HUB, &hub.ctx, &bought);
        let ordered = ordered.map_err(|refusal| TestCaseError::fail(refusal.code()))?;
        let all = join(&world.all(), &ordered);
        let shown: BTreeMap<LineKey, u32> = all.shown().map(|(l, q)| (l.clone(), q)).collect();
        prop_assert_eq!(shown, expected);
        let bought_dots = live(&all).into_iter().filter(|(dot, (line, _))| {
            seen.contains(dot) && bought.contains_key(*line)
        });
        prop_assert_eq!(bought_dots.count(), 0);
    }

    #[test]
    fn p9_quantities_stay_between_zero_and_the_limit(cart in any_cart(), line in any_line(), k in any::<u32>()) {
        prop_assert!(cart.qty(&line) <= QUANTITY_MAX);
        let before = cart.qty(&line);
        let mut less = cart.clone();
        if let Ok(delta) = cart.dec(HUB, &line, k) {
            less.absorb(&delta);
            prop_assert_eq!(less.qty(&line), before.saturating_sub(k));
        }
        let mut more = cart.clone();
        if let Ok(delta) = cart.add(HUB, &line, k) {
            more.absorb(&delta);
            prop_assert_eq!(more.qty(&line), before + k);
        }
    }

    #[test]
    fn p10_a_context_without_gaps_is_one_number_per_replica(steps in any_steps()) {
        let all = World::after(&steps).all();
        prop_assert!(all.ctx.cloud().next().is_none());
        prop_assert!(all.ctx.vv().count() as u64 <= REPLICAS);
    }

    #[test]
    fn carts_and_deltas_read_back_from_the_wire(cart in any_cart(), steps in any_steps()) {
        let through = serde_json::to_vec(&Snapshot::of(7, &cart)).unwrap();
        prop_assert_eq!(serde_json::from_slice::<Snapshot>(&through).unwrap().cart(), cart);
        for delta in World::after(&steps).deltas {
            let through = serde_json::to_vec(&Broadcast::of(7, 0, &delta)).unwrap();
            prop_assert_eq!(serde_json::from_slice::<Broadcast>(&through).unwrap().delta(), delta);
        }
    }

    #[test]
    fn the_hub_joins_an_honest_delta_unchanged(steps in any_steps(), line in any_line(), acts in vec(any_step(), 1..8)) {
        let hub = World::after(&steps).all();
        let me = ReplicaId(50);
        let (mut cart, mut pending) = (hub.clone(), Cart::default());
        for (_, what) in &acts {
            let made = match what {
                Do::Add(line, k) => cart.add(me, line, *k),
                Do::Set(line, q) => cart.set(me, line, *q),
                Do::Dec(line, k) => cart.dec(me, line, *k),
                Do::Remove(line) => cart.remove(me, line),
                Do::Clear | Do::Learn(_) | Do::Hear(_) => cart.remove(me, &line),
            };
            let delta = made.map_err(|refusal| TestCaseError::fail(refusal.code()))?;
            cart.absorb(&delta);
            pending.absorb(&delta);
        }
        let to = cart.ctx.prefix(me);
        let sender = Sender { cart: "c".into(), replica: me, token: String::new(), base: 0 };
        let through = serde_json::to_vec(&Ops::of(sender, 1, to, &pending)).unwrap();
        let ops = Ops::read(&through).map_err(|refusal| TestCaseError::fail(refusal.code()))?;
        match check(&hub, None, me, &ops, 1) {
            Ok(Checked::Fresh { cart: next, acked, delta }) => {
                prop_assert_eq!(&*next, &cart);
                prop_assert_eq!(acked, to);
                // The broadcast brings every other replica to the same cart.
                prop_assert_eq!(join(&hub, &Broadcast::of(1, 0, &delta).delta()), cart);
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn a_hostile_delta_cannot_act_for_another_replica(
        steps in any_steps(),
        skip in prop_oneof![9 => Just(1_u32), 1 => 0..4_u32],
        span in prop_oneof![9 => 0..4_u32, 1 => any::<u32>()],
        forged in vec((any_line(), any_dot(), any_said()), 0..2),
        touched in vec(
            (any::<Index>(), prop_oneof![4 => Just(1_u64), 1 => 1..=REPLICAS], 0..4_u32), 0..4,
        ),
        dropped in vec(any::<Index>(), 0..3), unseen in vec(any_dot(), 0..2),
    ) {
        // Mostly right, so that the hub accepts many of these deltas.
        let hub = World::after(&steps).all();
        let me = ReplicaId(1);
        let from = hub.ctx.prefix(me).saturating_add(skip);
        let known: Vec<(Dot, (&LineKey, Entry<'_>))> = live(&hub).into_iter().collect();
        let mut put: Vec<Put> = Vec::new();
        for (line, dot, (kind, n, used)) in forged {
            let own = dot.r == me;
            put.push(Put(line, Dot { n: if own { from } else { dot.n }, ..dot }, kind, n, used));
        }
        let mut drops = unseen;
        if !known.is_empty() {
            drops.extend(dropped.iter().map(|which| which.get(&known).0));
            for (which, by, units) in touched {
                let (dot, (line, entry)) = which.get(&known);
                let used = BTreeMap::from([(ReplicaId(by), units)]);
                put.push(Put((*line).clone(), *dot, entry.kind, entry.n, used));
            }
        }
        let ops = Ops {
            v: VERSION, cart: "c".into(), epoch: 0, replica: me, token: String::new(), from,
            to: from.saturating_add(span), base: 0, put, drop: drops.clone(), info: Vec::new(),
        };
        if let Ok(Checked::Fresh { cart, .. }) = check(&hub, None, me, &ops, 1) {
            prop_assert!(cart.ctx.cloud().next().is_none());
            for (replica, n) in hub.ctx.vv().filter(|(replica, _)| *replica != me) {
                prop_assert_eq!(cart.ctx.prefix(replica), n);
            }
            prop_assert!(cart.ctx.vv().all(|(r, _)| r == me || hub.ctx.prefix(r) > 0));
            let (before, after) = (live(&hub), live(&cart));
            for (dot, (line, entry)) in &before {
                let Some((now_on, now)) = after.get(dot) else {
                    prop_assert!(drops.contains(dot) || dot.r == me, "{:?} vanished", dot);
                    continue;
                };
                let others = |entry: &Entry<'_>| {
                    let mut used = entry.used.to_vec();
                    used.retain(|row| row.by != Some(me) && row.n > 0);
                    used
                };
                prop_assert_eq!((now_on, now.kind, now.n), (line, entry.kind, entry.n));
                prop_assert_eq!(others(now), others(entry));
            }
            prop_assert!(after.keys().all(|dot| before.contains_key(dot) || dot.r == me));
        }
    }

    #[test]
    fn a_repeated_merge_changes_nothing_and_loses_no_line(
        user in any_steps(), guest in any_steps(), policy in proptest::sample::select(Policy::ALL.to_vec()),
    ) {
        let (user, guest) = (World::after(&user).all(), elsewhere(&World::after(&guest).all()));
        let Ok(Some(delta)) = merge(&user, &guest, policy, HUB) else { return Ok(()) };
        let merged = join(&user, &delta);
        prop_assert_eq!(join(&merged, &delta), merged.clone());
        prop_assert!(merged.ctx.cloud().next().is_none());
        let lines: BTreeSet<&LineKey> = user.shown().chain(guest.shown()).map(|(line, _)| line).collect();
        for line in lines {
            let (ours, theirs) = (user.qty(line), guest.qty(line));
            let expected = match policy {
                Policy::Sum => sum(&user, &guest, line),
                Policy::Max if ours > 0 && theirs > 0 => ours.max(theirs),
                Policy::GuestWins if theirs > 0 => theirs,
                Policy::Replace if !guest.is_empty() => theirs,
                Policy::Max | Policy::GuestWins | Policy::Replace | Policy::KeepBoth => ours + theirs,
            };
            prop_assert_eq!(merged.qty(line), expected, "{:?} {:?}", policy, line);
        }
    }

    #[test]
    fn of_two_epochs_the_later_counts_whole(a in any_cart(), b in any_cart(), later in 1..3_u32) {
        let b = Cart { epoch: a.epoch + later, ..b };
        prop_assert_eq!(join(&a, &b), b.clone());
        prop_assert_eq!(join(&b, &a), b);
    }

    #[test]
    fn a_written_amount_reads_back(minor in any::<i64>()) {
        let euro = Currency::parse("EUR").unwrap();
        let sign = if minor < 0 { "-" } else { "" };
        let text = format!("{sign}{}.{:02}", minor.unsigned_abs() / 100, minor.unsigned_abs() % 100);
        prop_assert_eq!(Amount::parse(&text, euro).map(|amount| amount.minor), Some(minor));
    }
}

/// The same cart by other replicas.
fn elsewhere(cart: &Cart) -> Cart {
    let moved = |r: ReplicaId| ReplicaId(r.0 + 10);
    let dot = |dot: Dot| Dot { r: moved(dot.r), n: dot.n };
    let mut there = Cart::default();
    cart.ctx.vv().for_each(|(r, to)| there.ctx.add(Span { r: moved(r), from: 1, to }));
    for line in cart.lines() {
        for row in line.dots.rows() {
            there.put(&line.key, Row { dot: dot(row.dot), by: row.by.map(moved), ..*row });
        }
    }
    there
}

/// The sum by the model: all adds, and the largest set.
fn sum(user: &Cart, guest: &Cart, line: &LineKey) -> u32 {
    let entries: Vec<Entry<'_>> = user.entries(line).chain(guest.entries(line)).collect();
    let left =
        |kind| entries.iter().filter(move |entry| entry.kind == kind).map(|entry| entry.left());
    left(Kind::Set).max().unwrap_or(0) + left(Kind::Add).sum::<u32>()
}
