//! The way of an opt-out through the whole collector: call, ledger, outbox, destination.

use super::*;

#[test]
fn an_opt_out_reaches_a_tool_without_any_consent_and_without_the_id_of_a_device() {
    let memory = memory();
    let said = json!({
        "anonymousId": "a1", "channel": "email", "state": "unsubscribed", "address": "ana@shop.example",
    });
    let fields = [("authorization", "Bearer sk_dev_backend"), ("x-hilo", "1")];
    for _ in 0..2 {
        let reply = memory.serve(request("POST", "/v1/optin", &said, &fields)).unwrap();
        assert_eq!(reply.status, 200, "{}", json(&reply));
        settle(&memory);
    }
    let sent = memory.sent();
    let [letter] = &sent[..] else { panic!("{sent:?}") };
    let body: serde_json::Value = serde_json::from_str(&letter.body).unwrap();
    assert_eq!(body["data"]["event"], "Opt-In Withdrawn");
    let expected = json!({"channel": "email", "address": "ana@shop.example"});
    assert_eq!(body["data"]["properties"], expected);
    assert_eq!(body["data"].get("anonymousId"), None);
    assert_eq!(body["data"]["context"], json!({}));
}
