//! Who proves an address, and who does not.

use super::*;

#[test]
fn whoever_only_claims_an_address_joins_nothing() {
    let memory = memory();
    // A page says that it is Ana, and another system that nobody has declared trusted.
    let page = json!({"writeKey": "wk_shop", "batch": [{
        "type": "identify", "messageId": "p1", "anonymousId": "mallory", "userId": "ana",
        "traits": {"email": EMAIL, "phone": PHONE},
        "context": {"consent": {"categoryPreferences": {"analytics": true}, "revision": 1}},
    }]});
    let fields = [("origin", SHOP), ("x-hilo", "1")];
    assert_eq!(memory.serve(request("POST", "/v1/batch", &page, &fields)).unwrap().status, 200);
    let claimed = act(
        "n1",
        "Email Opened",
        &json!({"message_id": "n1"}),
        who(&[("user", "ana"), ("email", EMAIL)]),
    );
    let found = taken(&memory, "newsletter", &[claimed]);
    assert_eq!(found, [accepted(&[Code::IdentityClaimed])]);
    assert_eq!(find(&memory, &json!({"email": EMAIL})), (vec![], vec![]));
    assert_eq!(
        taken(&memory, "phone", &[call("c1", who(&[("phone", PHONE)]))]),
        [accepted(&[Code::ContactUnknown])]
    );
    // The true owner proves it: the call is hers, and what was claimed stays apart.
    identify(&memory);
    pass(&memory);
    let mut found = timeline(&memory, ANA);
    found.sort();
    assert_eq!(found, ["Call Received", "identify"]);
    assert_eq!(timeline(&memory, "a:mallory"), ["identify"]);
}

#[test]
fn an_address_of_two_people_joins_neither_and_the_outcome_says_so() {
    let memory = memory();
    identify(&memory);
    let second = json!([{
        "type": "identify", "messageId": "i2", "userId": "ben", "traits": {"phone": PHONE},
    }]);
    tell(&memory, &second);
    let shared = call("c1", who(&[("phone", PHONE)]));
    let found = taken(&memory, "phone", std::slice::from_ref(&shared));
    assert_eq!(found, [accepted(&[Code::ContactAmbiguous])]);
    pass(&memory);
    let (owners, waiting) = find(&memory, &json!({"phone": PHONE}));
    assert_eq!(owners, [ANA, "u:ben"]);
    assert_eq!(timeline(&memory, &waiting[0]), ["Call Received"]);
    // The e-mail address is Ana's alone, but one report names both.
    let both = call("c2", who(&[("phone", PHONE), ("email", EMAIL)]));
    assert_eq!(taken(&memory, "phone", &[both]), [accepted(&[Code::ContactAmbiguous])]);
    let alone = call("c3", who(&[("email", EMAIL)]));
    assert_eq!(taken(&memory, "phone", &[alone]), [accepted(&[])]);
}

#[test]
fn a_contact_who_came_while_two_had_the_number_does_not_follow_the_one_before() {
    let memory = memory();
    taken(&memory, "phone", &[call("c1", who(&[("phone", PHONE)]))]);
    identify(&memory);
    pass(&memory);
    tell(
        &memory,
        &json!([{"type": "identify", "messageId": "i2", "userId": "ben", "traits": {"phone": PHONE}}]),
    );
    let found = taken(&memory, "phone", &[call("c2", who(&[("phone", PHONE)]))]);
    assert_eq!(found, [accepted(&[Code::ContactAmbiguous])]);
    pass(&memory);
    assert_eq!(timeline(&memory, ANA).len(), 2);
    assert_eq!(timeline(&memory, "u:ben"), ["identify"]);
}

#[test]
fn a_trusted_report_with_a_users_id_proves_the_addresses_that_it_names() {
    let memory = memory();
    let known = who(&[("user", "ana"), ("phone", "600111222"), ("loyalty", "L-7")]);
    assert_eq!(taken(&memory, "phone", &[call("c1", known)]), [accepted(&[])]);
    let later = [
        call("c2", who(&[("phone", PHONE)])),
        act("v1", "Store Visited", &json!({"location_id": 3}), who(&[("loyalty", "L-7")])),
    ];
    assert_eq!(taken(&memory, "phone", &later), vec![accepted(&[]); 2]);
    assert_eq!(timeline(&memory, ANA).len(), 3);
    // One address does not prove another: the e-mail beside the number is nobody's.
    let both = call("c3", who(&[("phone", PHONE), ("email", EMAIL)]));
    assert_eq!(taken(&memory, "phone", &[both]), [accepted(&[])]);
    assert_eq!(find(&memory, &json!({"email": EMAIL})), (vec![], vec![]));
}

#[test]
fn an_address_of_a_device_is_the_users_once_the_device_is_linked() {
    let memory = memory();
    tell(
        &memory,
        &json!([{"type": "identify", "messageId": "d1", "anonymousId": "device-1", "traits": {"email": EMAIL}}]),
    );
    assert_eq!(find(&memory, &json!({"email": EMAIL})).0, ["a:device-1"]);
    tell(
        &memory,
        &json!([{"type": "identify", "messageId": "d2", "anonymousId": "device-1", "userId": "ana", "traits": {}}]),
    );
    pass(&memory);
    assert_eq!(find(&memory, &json!({"email": EMAIL})).0, [ANA]);
    let opened = act("m1", "Email Opened", &json!({"message_id": "1"}), who(&[("email", EMAIL)]));
    assert_eq!(taken(&memory, "phone", &[opened]), [accepted(&[])]);
    assert_eq!(timeline(&memory, ANA).len(), 3);
    // The user proves it too: still one person.
    identify(&memory);
    assert_eq!(find(&memory, &json!({"email": EMAIL})).0, [ANA]);
}

#[test]
fn a_device_proves_an_address_by_the_link_that_came_there() {
    let memory = memory();
    taken(
        &memory,
        "phone",
        &[act("m1", "Email Bounced", &json!({"message_id": "1"}), who(&[("email", EMAIL)]))],
    );
    let said = json!({
        "anonymousId": "device-1", "channel": "email", "state": "subscribed",
        "text": "Write to me.", "version": "1", "address": EMAIL,
    });
    let fields = [("authorization", "Bearer sk_dev_backend"), ("x-hilo", "1")];
    assert_eq!(memory.serve(request("POST", "/v1/optin", &said, &fields)).unwrap().status, 200);
    pass(&memory);
    assert_eq!(find(&memory, &json!({"email": EMAIL})).0, Vec::<String>::new());
    let letters = memory.sent();
    let letter: Value = letters
        .iter()
        .map(|sent| serde_json::from_str::<Value>(&sent.body).unwrap())
        .find(|body| body["data"]["event"] == "Opt-In Requested")
        .unwrap();
    let link = letter["data"]["properties"]["confirm_url"].as_str().unwrap();
    let (_, token) = link.split_once("token=").unwrap();
    let mut opened = request("POST", "/v1/optin/confirm", &Value::Null, &[]);
    opened.query = format!("token={token}");
    assert_eq!(memory.serve(opened).unwrap().status, 200);
    pass(&memory);
    let expected = (vec!["a:device-1".to_owned()], vec![]);
    assert_eq!(find(&memory, &json!({"email": EMAIL})), expected);
    assert!(timeline(&memory, "a:device-1").contains(&"Email Bounced".to_owned()));
}

#[test]
fn a_new_signing_secret_loses_nobody() {
    let memory = memory();
    identify(&memory);
    memory.set_secret("HILO_SIGNING_SECRET_1", "the first signing secret, 32 or more");
    assert_eq!(taken(&memory, "phone", &[call("c1", who(&[("phone", PHONE)]))]), [accepted(&[])]);
    memory.set_secret("HILO_SIGNING_SECRET_2", "the second signing secret, 32 or more");
    assert_eq!(taken(&memory, "phone", &[call("c2", who(&[("phone", PHONE)]))]), [accepted(&[])]);
    assert_eq!(timeline(&memory, ANA).len(), 3);
}

#[test]
fn without_enforced_tokens_nothing_is_joined_for_good() {
    let memory = memory();
    let built_in =
        include_str!("../../../hilo.toml").replace("mode = \"enforce\"", "mode = \"off\"");
    memory.configure(&format!("{built_in}\n{SOURCES}"));
    identify(&memory);
    assert_eq!(find(&memory, &json!({"email": EMAIL})).0, Vec::<String>::new());
}

#[test]
fn whoever_looks_for_a_person_is_logged_without_the_address() {
    let memory = memory();
    identify(&memory);
    assert_eq!(find(&memory, &json!({"loyaltyId": "L-1"})).0, [ANA]);
    let lines = memory.lines();
    let told: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [line] = told.as_slice() else {
        panic!("one line says who looked, and what for: {told:?}")
    };
    let shown =
        ["what", "who", "role", "call", "status", "lookup", "found"].map(|name| &line[name]);
    let call = "POST /admin/v1/profiles/find";
    assert_eq!(shown, ["admin", "HILO_ADMIN_TOKEN", "owner", call, "200", "loyalty", "1"]);
    assert_eq!(line["hash"].as_str().map(str::len), Some(12));
    assert!(!lines.concat().contains("L-1") && !lines.concat().contains("ana"));
    for body in [json!({}), json!({"email": EMAIL, "phone": PHONE}), json!({"email": "ana"})] {
        let answer = admin(&memory, "POST", "profiles/find", &body);
        assert_eq!(answer.get("found"), None, "{body}");
    }
}
