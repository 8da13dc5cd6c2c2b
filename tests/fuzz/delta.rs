//! Bodies of `/v1/cart/ops`, one a line, in the order in which they reach a hub: no body breaks the shared cart.

#![no_main]

use hilo_core::cart::Cart;
use hilo_core::cart::hub::{Checked, check};
use hilo_core::cart::limits::LINES_MAX;
use hilo_core::cart::wire::{Ops, Snapshot};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bodies: &[u8]| {
    let mut cart = Cart::default();
    for (revision, body) in (1..).zip(bodies.split(|byte| *byte == b'\n')) {
        let Ok(ops) = Ops::read(body) else { continue };
        if let Ok(Checked::Fresh { delta, cart: next, acked }) =
            check(&cart, None, ops.replica, &ops, revision)
        {
            let mut joined = cart.clone();
            joined.absorb(&delta);
            joined.absorb(&delta);
            assert_eq!(joined, *next, "the delta that others hear of makes of their cart this one");
            assert_eq!(acked, next.ctx.prefix(ops.replica));
            assert!(next.lines().count() <= LINES_MAX);
            assert_eq!(Snapshot::of(revision, &next).cart(), *next);
            cart = *next;
        }
    }
});
