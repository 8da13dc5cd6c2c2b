//! Laws of flat text: written text reads back, flat text and JSON carry the same, and text that was read once reads alike
//! again. Arbitrary text is either refused or a cart.

use hilo_core::cart::flat::mirror::{read_ops, write_ops, write_replica, write_view};
use hilo_core::cart::flat::{read_kept, read_view};
use hilo_core::cart::replica::{Group, KeptReplica, Sender, View};
use hilo_core::cart::wire::{Broadcast, Ops, Snapshot};
use hilo_core::cart::{Cart, Dot, Line, LineInfo, ReplicaId};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::cart::any_cart;

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-z]{0,6}", 1 => r"[\t\n\r\\tn é]{0,6}", 1 => any::<String>()]
}

fn any_info() -> impl Strategy<Value = LineInfo> {
    let text = || option::of(any_text());
    (text(), text(), text(), option::of(any::<i64>()))
        .prop_map(|(name, url, image, unit_price)| LineInfo { name, url, image, unit_price })
}

/// A cart of the laws of `cart.rs`, with arbitrary texts.
fn any_written() -> impl Strategy<Value = Cart> {
    (any_cart(), any_text(), any_info(), any::<u32>()).prop_map(
        |(mut cart, variant, look, epoch)| {
            cart.epoch = epoch;
            let first = cart.lines().next().cloned();
            if let Some(Line { mut key, dots, look: known }) = first {
                cart.retain(|dot| !dots.contains(dot));
                key.variant = variant;
                for row in dots.rows() {
                    cart.put(&key, *row);
                }
                cart.show(&key, (known.map_or(0, |(rev, _)| rev), look));
            }
            cart
        },
    )
}

fn any_sender() -> impl Strategy<Value = Sender> {
    (any_text(), any::<u64>(), any_text(), any::<u64>()).prop_map(|(cart, replica, token, base)| {
        Sender { cart, replica: ReplicaId(replica), token, base }
    })
}

fn any_view() -> impl Strategy<Value = View> {
    (any::<bool>(), any_text(), any::<u64>(), any::<u32>(), any_written())
        .prop_map(|(full, cart, rev, acked, known)| View { full, cart, rev, acked, known })
}

fn any_group() -> impl Strategy<Value = Group> {
    (any_sender(), 1..9_u32, 0..9_u32, any::<bool>(), any_written()).prop_map(
        |(Sender { replica, token, .. }, from, more, sent, delta)| Group {
            replica,
            token,
            from,
            to: from + more,
            sent,
            delta,
        },
    )
}

fn any_kept() -> impl Strategy<Value = KeptReplica> {
    (any_text(), any::<u64>(), any_written(), vec(any_group(), 0..3))
        .prop_map(|(cart, rev, known, waiting)| KeptReplica { cart, rev, known, waiting })
}

/// The text with some of its characters taken out, doubled or replaced.
fn mangled(text: &str, changes: &[(Index, Option<char>)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (which, instead) in changes {
        if chars.is_empty() {
            break;
        }
        let at = which.index(chars.len());
        match instead {
            Some(char) => chars.splice(at..at, [*char]).for_each(drop),
            None => drop(chars.remove(at)),
        }
    }
    chars.into_iter().collect()
}

fn any_changes() -> impl Strategy<Value = Vec<(Index, Option<char>)>> {
    vec((any::<Index>(), option::of(proptest::char::range('\t', '~'))), 1..4)
}

proptest! {
    #[test]
    fn views_read_back_and_carry_the_same_as_json(view in any_view()) {
        prop_assert_eq!(read_view(&write_view(&view)), Some(view.clone()));
        let View { full, rev, acked, known, .. } = view;
        let json = if full {
            Snapshot::of(rev, &known).cart()
        } else {
            Broadcast::of(rev, acked, &known).delta()
        };
        prop_assert_eq!(json, known);
    }

    #[test]
    fn operations_read_back_and_carry_the_same_as_json(
        sender in any_sender(), from in 1..9_u32, more in 0..9_u32, delta in any_written(),
    ) {
        let mut delta = delta;
        let span = from..=from + more;
        let own = span.clone().map(|n| Dot { r: sender.replica, n });
        delta.ctx.absorb(&own.collect());
        let text = write_ops(&sender, &span, &delta);
        prop_assert_eq!(read_ops(&text), Some((sender.clone(), span, delta.clone())));
        let json = Ops::of(sender, from, from + more, &delta).delta();
        delta.retain_looks(|_| false);
        prop_assert_eq!(json, delta);
    }

    #[test]
    fn a_kept_replica_reads_back(kept in any_kept()) {
        prop_assert_eq!(read_kept(&write_replica(&kept)), Some(kept));
    }

    #[test]
    fn mangled_text_is_refused_or_reads_alike_a_second_time(
        view in any_view(), kept in any_kept(), sender in any_sender(), changes in any_changes(),
        text in any::<String>(),
    ) {
        let ops = write_ops(&sender, &(1..=3), &kept.known);
        for text in [write_view(&view), write_replica(&kept), ops].iter().map(|text| mangled(text, &changes)).chain([text]) {
            if let Some(view) = read_view(&text) {
                prop_assert_eq!(read_view(&write_view(&view)), Some(view));
            }
            if let Some(kept) = read_kept(&text) {
                prop_assert_eq!(read_kept(&write_replica(&kept)), Some(kept));
            }
            if let Some((sender, span, delta)) = read_ops(&text) {
                let again = write_ops(&sender, &span, &delta);
                prop_assert_eq!(read_ops(&again), Some((sender, span, delta)));
            }
        }
    }
}
