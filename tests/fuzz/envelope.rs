//! Bodies of `/v1/batch`: each item gets one verdict. An accepted event does not change when it is normalized again, or
//! written and read.

#![no_main]

use hilo_core::config::NormalizeRules;
use hilo_core::consent::Purpose;
use hilo_core::event::{Event, Facts};
use hilo_core::normalize;
use hilo_core::testing::{browser_source, facts, server_source};
use hilo_core::validate::{check, read_batch};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let Ok(envelope) = read_batch(body) else { return };
    for source in [browser_source(), server_source(&[Purpose::Analytics])] {
        let facts = Facts { trust: source.trust(), ..facts() };
        let judged = check(&envelope, &source, &facts);
        assert_eq!(judged.len(), envelope.items.len());
        for one in judged {
            let Ok(mut event) = one.result else { continue };
            normalize::apply(&mut event, &facts, &NormalizeRules::default());
            let once = event.clone();
            normalize::apply(&mut event, &facts, &NormalizeRules::default());
            assert_eq!(event, once, "normalizing twice is normalizing once");
            let text = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), *event);
        }
    }
});
