//! Webhooks, from their answer to what their work makes of them, also after a crash.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::calls::inbox::{InboxCall, InboxStanding, SHARDS, ask_inbox, object};
use crate::calls::journal::Wanted;
use crate::platform::Reply;
use crate::signature::{self, CartOwner, cart_label, hex};

const SHOPIFY: &str = "a secret of the Shopify shop";
const STRIPE: &str = "whsec_of_the_stripe_account";
const META: &str = "a secret of the Meta app";

/// The built-in file with webhooks of some vendors.
fn deployment() -> Memory {
    let memory = memory();
    let basis = "consent_basis = { basis = \"contract\", purposes = [\"analytics\"] }\n";
    let mut file = include_str!("../../../../hilo.toml").to_owned();
    for (name, more) in [
        ("shopify", ""),
        ("stripe", ""),
        ("meta", "challenge = { secret = \"META_CHALLENGE\" }\n"),
        ("mailchimp", ""),
        ("ringcentral", ""),
        ("woocommerce", ""),
        ("zendesk", ""),
        ("intercom", ""),
    ] {
        let secret = name.to_ascii_uppercase();
        file.push_str(&format!(
            "\n[[source]]\nname = \"{name}\"\nkind = \"webhook\"\nverify = \"{name}\"\nsecrets = [{{ secret = \"{secret}\" }}]\n{more}{basis}"
        ));
        memory.set_secret(&secret, &format!("a secret of {name} for tests"));
    }
    memory.set_secret("SHOPIFY", SHOPIFY);
    memory.set_secret("STRIPE", STRIPE);
    memory.set_secret("META", META);
    memory.set_secret("META_CHALLENGE", "the verify token of the shop");
    memory.configure(&file);
    memory
}

/// A call below `/v1/in/`, whose body is not JSON of its own.
fn call(memory: &Memory, method: &str, path: &str, body: &str, fields: &[(&str, &str)]) -> Reply {
    let mut incoming = request(method, &format!("/_h/v1/in/{path}"), &Value::Null, fields);
    if let Some((path, query)) = path.split_once('?') {
        incoming.path = format!("/_h/v1/in/{path}");
        incoming.query = query.to_owned();
    }
    if !body.is_empty() {
        incoming.body = crate::platform::Upload::Bytes(body.as_bytes().to_vec());
    }
    memory.serve(incoming).unwrap()
}

fn answer(reply: &Reply) -> (u16, Value) {
    (reply.status, json(reply))
}

fn order(id: u32, customer: &Value) -> String {
    json!({
        "id": id, "currency": "EUR", "total_price": "19.99", "customer": customer,
        "line_items": [{"variant_id": 93, "quantity": 1}],
    })
    .to_string()
}

fn shopify(memory: &Memory, topic: &str, body: &str) -> (u16, Value) {
    let tag = STANDARD.encode(signature::sign(SHOPIFY.as_bytes(), body.as_bytes()));
    let fields = [("x-shopify-hmac-sha256", tag.as_str()), ("x-shopify-topic", topic)];
    answer(&call(memory, "POST", "shopify", body, &fields))
}

fn stripe(memory: &Memory, at_s: i64, body: &str) -> (u16, Value) {
    let tag = hex(&signature::sign(STRIPE.as_bytes(), format!("{at_s}.{body}").as_bytes()));
    let field = format!("t={at_s},v1={tag}");
    answer(&call(memory, "POST", "stripe", body, &[("stripe-signature", &field)]))
}

fn standing(memory: &Memory, source: &str) -> InboxStanding {
    let mut whole = InboxStanding::default();
    for shard in 0..SHARDS {
        let question = InboxCall::Standing { limit: 10 };
        let part = ask_inbox(memory, object(source, shard), &question);
        let part: InboxStanding = run(part).unwrap().unwrap();
        whole.waiting += part.waiting;
        whole.kept += part.kept;
        whole.newest.extend(part.newest);
    }
    whole
}

fn admin(memory: &Memory, method: &str, path: &str, body: &Value) -> Value {
    memory.set_secret("HILO_ADMIN_TOKEN", "a token of the operator");
    let fields = [("authorization", "Bearer a token of the operator")];
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let incoming = request(method, path, body, &fields);
    let query = query.to_owned();
    json(&memory.serve(crate::platform::Incoming { query, ..incoming }).unwrap())
}

/// The orders in a customer's history.
fn orders(memory: &Memory, customer: &str) -> Vec<String> {
    let path = format!("/_h/admin/v1/profiles/u:{customer}/events");
    let events = admin(memory, "GET", &path, &Value::Null);
    let events = events["events"].as_array().cloned().unwrap_or_default();
    let is_order = |event: &Value| event["event"] == "Order Completed";
    events
        .iter()
        .filter(|e| is_order(e))
        .map(|e| e["messageId"].as_str().unwrap().to_owned())
        .collect()
}

fn noted(memory: &Memory) -> Vec<(String, String)> {
    let rejects: Rejects =
        run(read_rejects(memory, &Wanted { limit: 100, ..Wanted::default() }, 14))
            .unwrap()
            .unwrap();
    rejects.rejects.into_iter().map(|reject| (reject.source, reject.code)).collect()
}

#[test]
fn a_genuine_call_is_answered_at_once_and_its_work_is_done_behind_the_answer() {
    let memory = deployment();
    let body = order(1, &json!({"id": 501}));
    assert_eq!(shopify(&memory, "orders/create", &body), (200, json!({"duplicate": false})));
    assert_eq!(memory.carts(), 0, "no cart is asked before the answer");
    assert_eq!(standing(&memory, "shopify").waiting, 1);
    settle(&memory);
    assert_eq!(orders(&memory, "501"), ["order-1"]);
    assert_eq!(standing(&memory, "shopify"), InboxStanding::default());
}

#[test]
fn a_repeated_call_is_known_for_seven_days_and_worked_on_once() {
    let memory = deployment();
    let body = order(1, &json!({"id": 501}));
    shopify(&memory, "orders/create", &body);
    settle(&memory);
    memory.advance(SignedDuration::from_hours(7 * 24 - 1));
    settle(&memory);
    assert_eq!(shopify(&memory, "orders/create", &body), (200, json!({"duplicate": true})));
    // Another topic with the same body is another call, and the order counts once all the same.
    assert_eq!(shopify(&memory, "orders/paid", &body), (200, json!({"duplicate": false})));
    settle(&memory);
    assert_eq!(orders(&memory, "501"), ["order-1"]);
}

#[test]
fn a_call_that_was_answered_survives_a_crash_before_its_work() {
    let memory = deployment();
    shopify(&memory, "orders/create", &order(1, &json!({"id": 501})));
    memory.crash();
    settle(&memory);
    assert_eq!(orders(&memory, "501"), Vec::<String>::new());
    memory.advance(SignedDuration::from_secs(5));
    settle(&memory);
    assert_eq!(orders(&memory, "501"), ["order-1"]);
}

#[test]
fn a_crash_in_the_middle_of_the_work_repeats_it_and_counts_the_order_once() {
    for is_done in [false, true] {
        for after in 0..4 {
            let memory = deployment();
            shopify(&memory, "orders/create", &order(1, &json!({"id": 501})));
            memory.cut_call(after, is_done);
            settle(&memory);
            memory.crash();
            memory.cut_calls(&[]);
            for _ in 0..5 {
                memory.advance(SignedDuration::from_mins(11));
                settle(&memory);
            }
            assert_eq!(orders(&memory, "501"), ["order-1"], "{after} {is_done}");
            assert_eq!(standing(&memory, "shopify"), InboxStanding::default());
        }
    }
}

#[test]
fn a_call_that_could_not_be_kept_is_answered_so_that_the_vendor_sends_it_again() {
    let memory = deployment();
    let body = order(1, &json!({"id": 501}));
    memory.cut_call(0, false);
    assert_eq!(shopify(&memory, "orders/create", &body).0, 503);
    assert_eq!(shopify(&memory, "orders/create", &body), (200, json!({"duplicate": false})));
    settle(&memory);
    assert_eq!(orders(&memory, "501"), ["order-1"]);
}

#[test]
fn an_order_waits_for_a_cart_that_is_moving() {
    let memory = deployment();
    let secret = crate::call::secret(&memory).unwrap();
    let label = cart_label(secret.naming(), &CartOwner::Customer("501"));
    let leave = |to: &str| {
        let cart = cart_label(secret.naming(), &CartOwner::Customer(to));
        let to = CustomerCart { cart, speaker: customer(), policy: "max".to_owned() };
        CartCall { speaker: customer(), ask: CartAsk::Leave(to) }
    };
    let line = LineKey {
        variant: "93".into(),
        options_hash: 0,
        currency: Currency::parse("EUR").unwrap(),
    };
    let (id, quantity) = ("c1".to_owned(), Some(Quantity::whole(1)));
    let command = Command { id, line: Some(line), op: CommandOp::Add, quantity, info: None };
    let ask = CartCall { speaker: customer(), ask: CartAsk::Commands(vec![command]) };
    let _: CartAnswer = run(ask_cart(&memory, &label, &ask)).unwrap().unwrap();
    let leaving: Leave = run(ask_cart(&memory, &label, &leave("502"))).unwrap().unwrap();
    assert!(matches!(leaving, Leave::Leaving(_)), "the cart is empty");

    shopify(&memory, "orders/create", &order(1, &json!({"id": 501})));
    settle(&memory);
    assert_eq!(standing(&memory, "shopify").waiting, 1, "{:?}", memory.lines());
    memory.advance(SignedDuration::from_secs(6));
    settle(&memory);
    assert_eq!(standing(&memory, "shopify"), InboxStanding::default());
    assert_eq!(noted(&memory), [("shopify".to_owned(), "cart_merged".to_owned())]);
}

#[test]
fn a_forged_call_is_refused_noted_and_not_kept() {
    let memory = deployment();
    let body = order(1, &json!({"id": 501}));
    let fields = [("x-shopify-hmac-sha256", "AAAA"), ("x-shopify-topic", "orders/create")];
    let (status, refused) = answer(&call(&memory, "POST", "shopify", &body, &fields));
    assert_eq!((status, &refused["code"]), (401, &json!("bad_signature")));
    settle(&memory);
    assert_eq!(standing(&memory, "shopify"), InboxStanding::default());
    assert_eq!(noted(&memory), [(String::new(), "bad_signature".to_owned())]);
}

#[test]
fn a_genuine_call_of_another_time_is_stale() {
    let memory = deployment();
    let now_s = memory.now().as_second();
    for (seconds, expected) in [(301, "stale_signature"), (-301, "stale_signature")] {
        let (status, refused) = stripe(&memory, now_s + seconds, r#"{"id":"evt_1"}"#);
        assert_eq!((status, refused["code"].as_str()), (401, Some(expected)), "{seconds}");
    }
    assert_eq!(
        stripe(&memory, now_s - 299, r#"{"id":"evt_1"}"#),
        (200, json!({"duplicate": false}))
    );
    // The vendor's own id tells a repeat, whose body and signature may differ.
    let again = stripe(&memory, now_s, r#"{"id":"evt_1","pending_webhooks":1}"#);
    assert_eq!(again, (200, json!({"duplicate": true})));
}

#[test]
fn what_no_rule_is_about_is_kept_for_fourteen_days_and_can_be_worked_on_again() {
    let memory = deployment();
    let body = r#"{"id":"evt_1","type":"unheard.of","secret_word":"a canary"}"#;
    assert_eq!(stripe(&memory, memory.now().as_second(), body).0, 200);
    settle(&memory);
    let kept = standing(&memory, "stripe");
    assert_eq!((kept.waiting, kept.kept, kept.newest[0].code.as_str()), (0, 1, "not_mapped"));
    let rejects: Rejects =
        run(read_rejects(&memory, &Wanted { limit: 100, ..Wanted::default() }, 14))
            .unwrap()
            .unwrap();
    let reject = &rejects.rejects[0];
    assert_eq!((reject.outcome.as_str(), reject.source.as_str()), ("dropped", "stripe"));
    let shape = reject.item.as_deref().unwrap();
    assert!(shape.contains("secret_word") && !shape.contains("canary"), "{shape}");

    let listed = admin(&memory, "GET", "/_h/admin/v1/inbox?source=stripe", &Value::Null);
    let [stripes] = listed["sources"].as_array().unwrap().as_slice() else { panic!("{listed}") };
    assert_eq!((&stripes["source"], &stripes["kept"]), (&json!("stripe"), &json!(1)));
    let replay = |body: Value| admin(&memory, "POST", "/_h/admin/v1/inbox/replay", &body);
    assert_eq!(replay(json!({"source": "stripe", "code": "unavailable"}))["replayed"], 0);
    assert_eq!(replay(json!({"source": "stripe", "code": "not_mapped"}))["replayed"], 1);
    settle(&memory);
    assert_eq!(standing(&memory, "stripe").newest[0].attempts, 2);
    assert_eq!(replay(json!({"source": "nobody"}))["code"], "not_found");

    for _ in 0..15 {
        memory.advance(SignedDuration::from_hours(24));
        settle(&memory);
    }
    assert_eq!(standing(&memory, "stripe"), InboxStanding::default());
}

#[test]
fn vendors_try_their_webhooks_out() {
    let memory = deployment();
    let text = |reply: &Reply| {
        let crate::platform::Body::Text(text) = &reply.body else { return String::new() };
        text.clone()
    };
    let query = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=";
    let right = call(
        &memory,
        "GET",
        &format!("meta?{query}the%20verify%20token%20of%20the%20shop"),
        "",
        &[],
    );
    assert_eq!((right.status, text(&right).as_str()), (200, "1158201444"));
    assert_eq!(right.headers.get("content-type"), Some("text/plain; charset=utf-8"));
    for wrong in ["", "another token of the shop"] {
        let wrong = call(&memory, "GET", &format!("meta?{query}{wrong}"), "", &[]);
        assert_eq!((wrong.status, text(&wrong).contains("1158201444")), (401, false));
    }
    for (method, path) in [("GET", "mailchimp"), ("HEAD", "intercom")] {
        assert_eq!(call(&memory, method, path, "", &[]).status, 200, "{path}");
    }
    assert_eq!(call(&memory, "GET", "shopify", "", &[]).status, 405);
    assert_eq!(call(&memory, "GET", "nobody", "", &[]).status, 404);
    let echoed = call(&memory, "POST", "ringcentral", "", &[("validation-token", "abc-1")]);
    assert_eq!((echoed.status, echoed.headers.get("validation-token")), (200, Some("abc-1")));
    let forged = call(&memory, "POST", "ringcentral", "{}", &[("validation-token", "abc-1")]);
    assert_eq!(forged.status, 401, "an event needs the token");
    let ping = call(&memory, "POST", "woocommerce", "webhook_id=7", &[]);
    assert_eq!(answer(&ping), (200, json!({"ignored": "ping"})));
    assert_eq!(call(&memory, "POST", "woocommerce", "webhook_id=7&x", &[]).status, 401);
    settle(&memory);
    for source in ["meta", "mailchimp", "intercom", "ringcentral", "woocommerce"] {
        assert_eq!(standing(&memory, source), InboxStanding::default(), "{source}");
    }
}

#[test]
fn a_vendors_test_call_and_a_ping_are_answered_and_not_taken() {
    let memory = deployment();
    let at = memory.now().to_string();
    let known = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==";
    let tag = STANDARD.encode(signature::sign(known.as_bytes(), format!("{at}{{}}").as_bytes()));
    let fields = [
        ("x-zendesk-webhook-signature", tag.as_str()),
        ("x-zendesk-webhook-signature-timestamp", at.as_str()),
    ];
    let test = call(&memory, "POST", "zendesk", "{}", &fields);
    assert_eq!(answer(&test), (200, json!({"ignored": "test"})));
    settle(&memory);
    assert_eq!(standing(&memory, "zendesk"), InboxStanding::default());
}

#[test]
fn a_secret_that_is_replaced_counts_beside_the_new_one_and_a_short_one_never() {
    let memory = deployment();
    memory.set_secret("STRIPE", "short");
    let (status, refused) = stripe(&memory, memory.now().as_second(), "{}");
    assert_eq!((status, refused["code"].as_str()), (503, Some("secret_short")));
    memory.set_secret("STRIPE", "");
    let (status, refused) = stripe(&memory, memory.now().as_second(), "{}");
    assert_eq!((status, refused["code"].as_str()), (503, Some("secret_missing")));
}
