//! What the profile's record denies reaches the services, whatever an event claims.

use super::every_kind::kinds;
use super::*;

/// An order whose sender claims every grant.
fn order(denied: &[Purpose]) -> Delivery {
    let granted = json!({
        "analytics": true, "advertising": true, "personalization": true, "sale_share": true,
    });
    let event = json!({
        "messageId": "m1", "type": "track", "event": "Order Completed", "anonymousId": "a1",
        "timestamp": NOW, "receivedAt": NOW,
        "properties": {
            "order_id": "P-1", "value": 5, "currency": "EUR",
            "products": [{"product_id": "H-101", "name": "Oil", "price": 5, "quantity": 1}],
        },
        "context": {
            "consent": {"categoryPreferences": granted, "revision": 1},
            "traits": {"email": "ana@shop.example"}, "page": {"url": "https://shop.example/paid"},
        },
    });
    let person = Some(Rc::new(Person::default()));
    Delivery {
        event: event.to_string(),
        denied: denied.to_vec(),
        person,
        ..delivery("m1", "track")
    }
}

/// Checks that the request to a kind has a text only where the record denies these purposes.
#[track_caller]
fn check(kind: &str, denied: &[Purpose], expected: &str) {
    let kinds = kinds();
    let entry = kinds.iter().map(|(config, _)| &config.destinations[0]);
    let entry = entry.into_iter().find(|entry| entry.kind == kind).unwrap();
    let sent = |denied: &[Purpose]| {
        let Loaded { kind, destination } = Loaded::of(entry).unwrap();
        let (log, _) =
            deliver_to(destination, kind.limits, vec![order(denied)], |_| answer(200, ""));
        assert_eq!(log.len(), 1, "{log:?}");
        log.concat()
    };
    assert!(!sent(&[]).contains(expected), "{}", sent(&[]));
    assert!(sent(denied).contains(expected), "{}", sent(denied));
}

#[test]
fn a_recorded_denial_outweighs_the_claim_of_an_event() {
    check("meta", &[Purpose::SaleShare], "\"data_processing_options\":[\"LDU\"]");
    check("meta", &[Purpose::Personalization], "\"opt_out\":true");
    check("tiktok", &[Purpose::SaleShare], "\"limited_data_use\":true");
    check("ga4", &[Purpose::Advertising], "\"ad_user_data\":\"DENIED\"");
    check("ga4", &[Purpose::Personalization], "\"ad_personalization\":\"DENIED\"");
    check("segment", &[Purpose::SaleShare], "\"sale_share\":false");
}

#[test]
fn contact_details_are_not_sent_for_ads_where_the_record_denies_them() {
    let kinds = kinds();
    let entry = kinds.iter().map(|(config, _)| &config.destinations[0]);
    let entry = entry.into_iter().find(|entry| entry.kind == "ga4").unwrap();
    for (denied, is_sent) in [(vec![], true), (vec![Purpose::Advertising], false)] {
        let Loaded { kind, destination } = Loaded::of(entry).unwrap();
        let (log, _) =
            deliver_to(destination, kind.limits, vec![order(&denied)], |_| answer(204, ""));
        assert_eq!(log.concat().contains("user_data\":{"), is_sent, "{log:?}");
    }
}
