//! Text that a page kept or received of its hub: refused, or read alike a second time.

#![no_main]

use hilo_core::cart::flat::mirror::{read_ops, write_ops, write_replica, write_view};
use hilo_core::cart::flat::{read_kept, read_view};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(view) = read_view(text) {
        assert_eq!(read_view(&write_view(&view)), Some(view));
    }
    if let Some(kept) = read_kept(text) {
        assert_eq!(read_kept(&write_replica(&kept)), Some(kept));
    }
    if let Some((sender, span, delta)) = read_ops(text) {
        let again = write_ops(&sender, &span, &delta);
        assert_eq!(read_ops(&again), Some((sender, span, delta)));
    }
});
