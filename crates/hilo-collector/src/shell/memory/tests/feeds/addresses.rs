//! Whom a deletion at HubSpot reaches, and when an address leaves the index: not while anybody else has proved it or a choice counts for it.

use super::deletions::{FEED, all, contact, delete, find, identify, note};
use super::*;

const BACKEND: [(&str, &str); 1] = [("authorization", "Bearer sk_dev_backend")];

fn accept(memory: &Memory, report: &Value) {
    let reply = call(memory, "/v1/reports", &json!({"reports": [report]}), &BACKEND);
    assert_eq!(json(&reply)["accepted"], 1, "{}", json(&reply));
    settle(memory);
}

#[test]
fn an_address_that_a_report_of_another_source_has_proved_stays_the_persons() {
    let memory = deployment("hubspot", FEED);
    memory.set_vendor(contact(Some("u7")));
    read(&memory);
    accept(
        &memory,
        &json!({"id": "r1", "event": "Message Received", "who": {"userId": "u7", "email": "ana@shop.example"}}),
    );
    assert_eq!(delete(&memory, true), 200);
    assert_eq!(find(&memory)["found"], json!(["u:u7"]));
}

#[test]
fn the_opt_out_of_a_deleted_contact_reaches_whoever_proves_the_address_later() {
    let memory = deployment("hubspot", FEED);
    let history =
        json!([{"value": "true", "timestamp": "2026-11-24T09:00:00Z", "sourceType": "API"}]);
    memory.set_vendor(all(json!([{"id": "7", "properties": {
        "email": "ana@shop.example", "hs_email_optout": "true", "lastmodifieddate": "2026-11-24T09:00:00Z",
    }, "propertiesWithHistory": {"hs_email_optout": history}}])));
    read(&memory);
    assert_eq!(delete(&memory, true), 200);
    identify(&memory, &json!({"email": "ana@shop.example"}));
    memory.advance(SignedDuration::from_mins(5));
    settle(&memory);
    let optins = get(&memory, "/admin/v1/profiles/u:u7/optins");
    assert_eq!(optins["optins"][0]["state"], "unsubscribed", "{optins}");
}

#[test]
fn an_address_that_is_told_anew_behind_a_deletion_is_found_at_once() {
    let memory = deployment("hubspot", FEED);
    memory.set_vendor(contact(Some("u7")));
    read(&memory);
    note(&memory, &[7]);
    memory.set_vendor(all(json!([])));
    for _ in 0..2 {
        memory.advance(SignedDuration::from_mins(3));
        read(&memory);
    }
    assert_eq!((find(&memory)["found"].clone(), standing(&memory).told), (json!([]), 0));
    memory.set_vendor(contact(Some("u7")));
    memory.advance(SignedDuration::from_mins(1));
    let reply = call(
        &memory,
        "/admin/v1/feeds/feed/read",
        &Value::Null,
        &[("authorization", "Bearer token")],
    );
    assert_eq!(reply.status, 202);
    settle(&memory);
    assert_eq!(find(&memory)["found"], json!(["u:u7"]));
}

#[test]
fn an_address_stays_where_a_long_profile_is_folded_again_before_anybody_decides() {
    let memory = deployment("hubspot", FEED);
    identify(&memory, &json!({"email": "ana@shop.example"}));
    let filler = "x".repeat(20_000);
    for batch in 0..8 {
        let events: Vec<Value> = (0..10)
            .map(|number| {
                json!({"type": "track", "event": "Seen", "messageId": format!("e{batch}-{number}"),
                    "userId": "u7", "properties": {"filler": filler}})
            })
            .collect();
        let reply = call(&memory, "/v1/batch", &json!({"batch": events}), &BACKEND);
        assert_eq!((reply.status, &json(&reply)["rejected"]), (200, &json!([])));
    }
    settle(&memory);
    memory.set_vendor(contact(Some("u7")));
    read(&memory);
    assert_eq!(delete(&memory, true), 200);
    let profile = get(&memory, "/admin/v1/profiles/u:u7")["profile"].clone();
    assert_eq!(profile["traits"]["email"]["value"], "ana@shop.example");
    assert_eq!(find(&memory)["found"], json!(["u:u7"]));
}

#[test]
fn a_deletion_finds_the_address_of_a_user_who_has_another_id_by_now() {
    let memory = deployment("hubspot", FEED);
    memory.set_vendor(contact(Some("u7")));
    read(&memory);
    let body = json!({"batch": [{"type": "alias", "messageId": "al", "previousId": "u7", "userId": "u8"}]});
    let reply = call(&memory, "/v1/batch", &body, &BACKEND);
    assert_eq!((reply.status, &json(&reply)["rejected"]), (200, &json!([])));
    settle(&memory);
    memory.advance(SignedDuration::from_mins(5));
    settle(&memory);
    assert_eq!(find(&memory)["found"], json!(["u:u8"]));
    assert_eq!(delete(&memory, true), 200);
    assert_eq!(find(&memory)["found"], json!([]));
}

#[test]
fn a_deletion_reaches_everybody_whom_the_contact_has_named() {
    let memory = deployment("hubspot", FEED);
    let told = |user: Option<&str>, email: &str, at: &str| {
        all(json!([{"id": "7", "properties": {
            "email": email, "firstname": "Ana", "shop_id": user, "lastmodifieddate": at,
        }}]))
    };
    memory.set_vendor(told(None, "ana@old.example", "2026-11-24T09:00:00Z"));
    read(&memory);
    memory.advance(SignedDuration::from_mins(10));
    memory.set_vendor(told(Some("u7"), "ana@shop.example", "2026-11-24T10:01:00Z"));
    read(&memory);
    memory.advance(SignedDuration::from_mins(10));
    memory.set_vendor(told(Some("u8"), "ana@shop.example", "2026-11-24T10:11:00Z"));
    read(&memory);
    let old = || {
        let body = json!({"email": "ana@old.example"});
        json(&call(&memory, "/admin/v1/profiles/find", &body, &[("authorization", "Bearer token")]))
    };
    assert_eq!((events(&memory, "u7").len(), events(&memory, "u8").len()), (1, 1));
    assert_eq!(old()["waiting"].as_array().unwrap().len(), 1);
    assert_eq!(delete(&memory, true), 200);
    assert_eq!((events(&memory, "u7").len(), events(&memory, "u8").len()), (0, 0));
    assert_eq!(old()["waiting"], json!([]));
}
