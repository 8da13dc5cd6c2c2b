//! Addresses: what was taken out stays out, and nothing more goes the second time.

#![no_main]

use hilo_core::redact;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let once = redact::url(text);
    assert_eq!(redact::url(&once), once);
});
