//! Forged user tokens: read or refused, and never trusted without a key.

#![no_main]

use hilo_core::config::parse;
use hilo_core::identity::token::Token;
use hilo_core::testing::facts;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(token) = Token::read(text) else { return };
    let Ok(config) = parse("[project]\ncontroller = \"Shop\"\n") else { return };
    assert!(token.key(&config.identity, true).is_err(), "no key is configured");
    let _ = token.claims(&config.identity, facts().received_at);
});
