//! Carts as JSON: deltas to the hub, broadcasts and snapshots from the hub, and the cart as the hub stores it.
//!
//! In and out: `Cart` and the shapes of the wire. Numbers that may pass 2⁵³ are strings, since JavaScript would round
//! them. The page has the same messages as `flat` text. `hub` decides whether a delta is allowed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::context::{Ctx, Dot, ReplicaId};
use super::dots::{Entry, Row};
use super::epoch::Applied;
use super::kind::Kind;
use super::limits::DELTA_BYTES_MAX;
use super::line::{LineInfo, LineKey};
use super::refusal::Refusal;
use super::replica::Sender;
use super::state::{Cart, Line};
use crate::strict::read_bytes;

mod shapes;
pub(super) mod text;

pub use super::flat::VERSION;
use text::number;

/// Replica → hub: the operations `from..=to` of one replica, joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ops {
    /// [`VERSION`].
    pub v: u8,
    /// The cart's label.
    pub cart: String,
    /// The cart's epoch as the replica knows it.
    pub epoch: u32,
    /// The replica that acted.
    pub replica: ReplicaId,
    /// The secret that was minted with the replica. The collector compares it with the first secret it saw of the replica.
    pub token: String,
    /// The first operation of the delta.
    pub from: u32,
    /// The last operation of the delta.
    pub to: u32,
    /// The hub's revision that the replica has.
    #[serde(with = "number")]
    pub base: u64,
    /// Live dots.
    #[serde(default)]
    pub put: Vec<Put>,
    /// Dots that are seen and gone, without those of `from..=to`.
    #[serde(default)]
    pub drop: Vec<Dot>,
    /// Display fields.
    #[serde(default)]
    pub info: Vec<(LineKey, LineInfo)>,
}

/// A live dot: `[line, [r,n], kind, qty, {r: used}?]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Put(
    /// The dot's line.
    pub LineKey,
    /// The dot.
    pub Dot,
    /// The dot's kind.
    pub Kind,
    /// Units.
    pub u32,
    /// Units taken back, per replica.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub BTreeMap<ReplicaId, u32>,
);

/// Hub → replicas: one delta, or several joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broadcast {
    /// The hub's revision after the delta.
    #[serde(with = "number")]
    pub rev: u64,
    /// The cart's epoch. A broadcast that arrives after the next epoch began must not be joined.
    pub epoch: u32,
    /// The receiver's last operation that the hub has applied.
    pub acked: u32,
    /// Live dots.
    #[serde(default)]
    pub put: Vec<Put>,
    /// Dots that are seen and not live, dots of operations that put nothing included. Without them receivers would see gaps.
    #[serde(default)]
    pub drop: Vec<Dot>,
    /// Display fields, with the revision that brought them.
    #[serde(default)]
    pub info: Vec<(LineKey, Revision, LineInfo)>,
}

/// Hub → replica: the whole cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The hub's revision.
    #[serde(with = "number")]
    pub rev: u64,
    /// The cart's epoch.
    pub epoch: u32,
    /// The cart's content.
    pub full: Full,
}

/// A cart without its epoch. The hub stores a cart in this form too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Full {
    /// The dots seen without a gap, per replica.
    pub vv: Applied,
    /// The dots seen beyond a gap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cloud: Vec<Dot>,
    /// Live dots.
    pub put: Vec<Put>,
    /// Display fields.
    #[serde(default)]
    pub info: Vec<(LineKey, Revision, LineInfo)>,
}

/// Replica → hub: the state that a returning replica has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The epoch that the replica knows.
    pub epoch: u32,
    /// The hub's revision that the replica has.
    #[serde(with = "number")]
    pub rev: u64,
    /// The dots that the replica has seen without a gap.
    pub vv: Applied,
}

/// A revision of the hub, as text on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(#[serde(with = "number")] pub u64);

impl Ops {
    /// The operations `from..=to` of the sender, whose deltas joined are `delta`.
    pub fn of(sender: Sender, from: u32, to: u32, delta: &Cart) -> Ops {
        let Sender { cart, replica, token, base } = sender;
        let own = |dot: &Dot| dot.r == replica && (from..=to).contains(&dot.n);
        let info = delta.looks().map(|(line, (_, info))| (line.clone(), info.clone()));
        Ops {
            v: VERSION,
            cart,
            epoch: delta.epoch,
            replica,
            token,
            from,
            to,
            base,
            put: puts(delta),
            drop: delta.gone().into_iter().filter(|dot| !own(dot)).collect(),
            info: info.collect(),
        }
    }

    /// The delta without display fields, which count only with the hub's revision.
    pub fn delta(&self) -> Cart {
        let own = (self.from..=self.to).map(|n| Dot { r: self.replica, n });
        let ctx = own.chain(self.drop.iter().copied()).collect();
        cart_of(self.epoch, ctx, &self.put, &[])
    }

    /// Reads the body of a request.
    ///
    /// # Errors
    /// `DeltaTooLarge`, `Malformed`.
    pub fn read(body: &[u8]) -> Result<Ops, Refusal> {
        check_bytes(body)?;
        read_bytes(body).ok_or(Refusal::Malformed)
    }
}

impl Broadcast {
    /// The broadcast of `delta` for a receiver whose operations up to `acked` are applied.
    pub fn of(rev: u64, acked: u32, delta: &Cart) -> Broadcast {
        Broadcast {
            rev,
            epoch: delta.epoch,
            acked,
            put: puts(delta),
            drop: delta.gone(),
            info: infos(delta),
        }
    }

    /// The delta of the broadcast.
    pub fn delta(&self) -> Cart {
        cart_of(self.epoch, self.drop.iter().copied().collect(), &self.put, &self.info)
    }
}

impl Snapshot {
    /// The hub's cart at a revision.
    pub fn of(rev: u64, cart: &Cart) -> Snapshot {
        Snapshot { rev, epoch: cart.epoch, full: Full::of(cart) }
    }

    /// The cart of the snapshot.
    pub fn cart(&self) -> Cart {
        self.full.cart(self.epoch)
    }
}

impl Full {
    /// The cart's content.
    pub fn of(cart: &Cart) -> Full {
        let cloud = cart.ctx.cloud().collect();
        Full { vv: cart.ctx.vv().collect(), cloud, put: puts(cart), info: infos(cart) }
    }

    /// The cart with this content.
    pub fn cart(&self, epoch: u32) -> Cart {
        let mut ctx: Ctx = self.cloud.iter().copied().collect();
        ctx.absorb(&self.vv.iter().map(|(r, to)| (*r, *to)).collect());
        cart_of(epoch, ctx, &self.put, &self.info)
    }
}

/// Refuses a body that is too large, before the body is read.
///
/// # Errors
/// `DeltaTooLarge`.
pub fn check_bytes(body: &[u8]) -> Result<(), Refusal> {
    if body.len() > DELTA_BYTES_MAX { Err(Refusal::DeltaTooLarge) } else { Ok(()) }
}

fn puts(cart: &Cart) -> Vec<Put> {
    let mut puts = Vec::new();
    for Line { key, dots, .. } in cart.lines() {
        let put = |entry: Entry<'_>| {
            let used = entry.used.iter().filter_map(|row| row.by.map(|by| (by, row.n)));
            Put(key.clone(), entry.dot, entry.kind, entry.n, used.collect())
        };
        puts.extend(dots.entries().map(put));
    }
    puts
}

fn infos(cart: &Cart) -> Vec<(LineKey, Revision, LineInfo)> {
    let info = cart.looks();
    info.map(|(line, (rev, info))| (line.clone(), Revision(*rev), info.clone())).collect()
}

fn cart_of(epoch: u32, ctx: Ctx, entries: &[Put], infos: &[(LineKey, Revision, LineInfo)]) -> Cart {
    let mut cart = Cart { epoch, ctx, ..Cart::default() };
    for Put(line, dot, kind, n, used) in entries {
        cart.put(line, Row::own(*dot, *kind, *n));
        for (replica, units) in used {
            cart.put(line, Row::used(*dot, *replica, *units));
        }
    }
    for (line, rev, info) in infos {
        cart.show(line, (rev.0, info.clone()));
    }
    cart
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::tests::{A, B, C, add, line, on};

    fn sender(replica: ReplicaId) -> Sender {
        Sender { cart: "c".into(), replica, token: "t".into(), base: 9_007_199_254_740_993 }
    }

    #[test]
    fn a_delta_is_written_as_documented() {
        let mut cart = on(3);
        let mut delta = add(&mut cart, A, 2);
        let dec = cart.dec(A, &line(), 4).unwrap(); // three of C's and one of its own
        delta.absorb(&dec);
        let info =
            LineInfo { name: Some("Mug".into()), unit_price: Some(1_999), ..LineInfo::default() };
        delta.show(&line(), (0, info));
        delta.absorb(&cart.clear(A).unwrap().only_ctx_of(C));
        let json = serde_json::to_value(Ops::of(sender(A), 1, 2, &delta)).unwrap();
        let expected = serde_json::json!({
            "v": 1, "cart": "c", "epoch": 0, "replica": "1", "token": "t", "from": 1, "to": 2,
            "base": "9007199254740993",
            "put": [[["mug", "7", "EUR"], ["1", 1], "add", 2, {"1": 1}]],
            "drop": [["3", 1]],
            "info": [[["mug", "7", "EUR"], {"name": "Mug", "unit_price": "1999"}]],
        });
        assert_eq!(json, expected);
    }

    impl Cart {
        /// The gone dots of one replica, and nothing else.
        fn only_ctx_of(&self, replica: ReplicaId) -> Cart {
            let dots = self.gone().into_iter().filter(|dot| dot.r == replica);
            Cart { ctx: dots.collect(), ..Cart::default() }
        }
    }

    #[test]
    fn deltas_broadcasts_and_snapshots_read_back() {
        let mut cart = on(3);
        let mut delta = add(&mut cart, A, 2);
        let dec = cart.dec(A, &line(), 4).unwrap();
        cart.absorb(&dec);
        delta.absorb(&dec);
        let added = cart.add(A, &line(), 9).unwrap();
        cart.absorb(&added);
        delta.absorb(&added);
        let text = serde_json::to_vec(&Ops::of(sender(A), 1, 3, &delta)).unwrap();
        assert_eq!(Ops::read(&text).unwrap().delta(), delta);

        let info = LineInfo { url: Some("/mug".into()), ..LineInfo::default() };
        delta.show(&line(), (4, info));
        cart.absorb(&delta);
        let text = serde_json::to_vec(&Broadcast::of(5, 3, &delta)).unwrap();
        assert_eq!(serde_json::from_slice::<Broadcast>(&text).unwrap().delta(), delta);
        let text = serde_json::to_vec(&Snapshot::of(5, &cart)).unwrap();
        assert_eq!(serde_json::from_slice::<Snapshot>(&text).unwrap().cart(), cart);
    }

    #[test]
    fn a_broadcast_brings_the_numbers_of_operations_that_put_nothing() {
        let mut cart = on(3);
        let removed = cart.remove(B, &line()).unwrap();
        let received = Broadcast::of(2, 0, &removed).delta();
        cart.absorb(&received);
        assert_eq!(cart.ctx.cloud().count(), 0);
        assert_eq!(cart.ctx.prefix(B), 1);
    }

    #[test]
    fn a_body_of_another_shape_or_size_is_refused() {
        let whole =
            r#"{"v":1,"cart":"c","epoch":0,"replica":"1","token":"t","from":1,"to":1,"base":"0"}"#;
        assert!(Ops::read(whole.as_bytes()).is_ok());
        for (from, to) in [(r#""1""#, "1"), (r#""base":"0""#, r#""base":-1"#), ("}", "")] {
            assert_eq!(Ops::read(whole.replace(from, to).as_bytes()), Err(Refusal::Malformed));
        }
        let large = [b' '; super::super::limits::DELTA_BYTES_MAX + 1];
        assert_eq!(Ops::read(&large), Err(Refusal::DeltaTooLarge));
    }
}
