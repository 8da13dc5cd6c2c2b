//! Addresses: a second redaction changes nothing, and redacted values stay redacted.

#![no_main]

use hilo_core::redact;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let once = redact::url(text);
    assert_eq!(redact::url(&once), once);
});
