//! A person connects a destination: the address, the way back, and what does not work.

use super::*;
use crate::platform::{Body, Reply};

const CONNECT: &str = "/_h/admin/v1/destinations/vault/connect";

fn admin(memory: &Memory, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let incoming = request(method, path, body, &[("authorization", "Bearer token")]);
    let reply = memory.serve(incoming).unwrap();
    (reply.status, json(&reply))
}

/// Begins to connect, and returns the parameters of the address.
fn begin(memory: &Memory) -> BTreeMap<String, String> {
    let (status, answer) = admin(memory, "POST", CONNECT, &Value::Null);
    assert_eq!(status, 200, "{answer}");
    let url = answer["authorizeUrl"].as_str().unwrap();
    let query = url.strip_prefix("https://id.vault.example/auth?").unwrap();
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Comes back from the service, and returns the status and the text of the page.
fn come_back(memory: &Memory, method: &str, query: &str) -> (u16, String) {
    let mut incoming = request(method, "/_h/v1/oauth/callback", &Value::Null, &[]);
    incoming.query = query.to_owned();
    incoming.headers.push("accept-language", "es");
    let Reply { status, body, .. } = memory.serve(incoming).unwrap();
    let Body::Text(text) = body else { panic!("a page is text") };
    (status, text)
}

fn listed(memory: &Memory) -> Value {
    let (_, list) = admin(memory, "GET", "/admin/v1/destinations", &Value::Null);
    let list = list["destinations"].as_array().unwrap().clone();
    list.into_iter().find(|one| one["name"] == "vault").unwrap()
}

#[test]
fn a_person_who_comes_back_with_a_code_connects_the_destination() {
    let (memory, service) = deployment(ASKS_A_PERSON);
    assert!(access(&memory).contains("nobody has connected it yet: cargo xtask connect vault"));
    let before = json!({"name": "vault", "type": "vault", "title": "Desk", "access": "grant", "connected": false});
    assert_eq!(listed(&memory), before);
    let asked = begin(&memory);
    assert_eq!(asked["client_id"], "client-1");
    assert_eq!(asked["redirect_uri"], "http://127.0.0.1:8787/_h/v1/oauth/callback");
    assert_eq!(asked["code_challenge"].len(), 43);
    let query = format!("code=good&state={}", asked["state"]);
    // A program that looks at the address first uses nothing up.
    assert_eq!(come_back(&memory, "HEAD", &query).0, 404);
    let (status, page) = come_back(&memory, "GET", &query);
    assert!(status == 200 && page.contains("El destino vault está conectado"), "{page}");
    assert_eq!(access(&memory), "access-1");
    let after = listed(&memory);
    assert_eq!(
        (&after["connected"], &after["since"]),
        (&json!(true), &json!("2026-11-24T10:00:00Z"))
    );
    assert_eq!(after["refreshAt"], "2026-11-24T10:48:00Z");
    minutes(&memory, 50);
    assert_eq!(access(&memory), "access-2");
    assert!(!service.borrow().is_revoked);
}

#[test]
fn the_way_back_is_good_once_for_ten_minutes_and_a_newer_one_replaces_it() {
    let (memory, _) = deployment(ASKS_A_PERSON);
    let query = |state: &str| format!("code=good&state={state}");
    let first = begin(&memory)["state"].clone();
    let second = begin(&memory)["state"].clone();
    assert_eq!(come_back(&memory, "GET", &query(&first)).0, 410);
    assert_eq!(come_back(&memory, "GET", &query(&second)).0, 200);
    assert_eq!(come_back(&memory, "GET", &query(&second)).0, 410);
    let third = begin(&memory)["state"].clone();
    minutes(&memory, 10);
    assert_eq!(come_back(&memory, "GET", &query(&third)).0, 410);
}

#[test]
fn a_forged_or_refused_way_back_connects_nothing() {
    let (memory, _) = deployment(ASKS_A_PERSON);
    let state = begin(&memory)["state"].clone();
    for (query, expected) in [
        ("code=good".to_owned(), 404),
        ("code=good&state=vault.n.0.AAAA".to_owned(), 404),
        (format!("code=good&state=x{state}"), 404),
        (format!("state={state}"), 404),
        (format!("error=access_denied&state={state}"), 403),
        (format!("code=bad&state={state}"), 502),
        // The code was used up by the attempt.
        (format!("code=good&state={state}"), 410),
    ] {
        assert_eq!(come_back(&memory, "GET", &query).0, expected, "{query}");
    }
    assert_eq!(listed(&memory)["connected"], false);
}

#[test]
fn a_person_may_paste_the_code_and_a_new_grant_replaces_a_lost_one() {
    let (memory, service) = deployment(ROTATES);
    access(&memory);
    service.borrow_mut().is_revoked = true;
    minutes(&memory, 61);
    assert!(access(&memory).contains("reconnect: "));
    let state = begin(&memory)["state"].clone();
    let body = json!({"code": "good", "state": state});
    assert_eq!(admin(&memory, "POST", CONNECT, &body), (200, json!({"connected": true})));
    assert_eq!(access(&memory), "access-2");
    assert_eq!(admin(&memory, "POST", CONNECT, &body).0, 422);
    let other = json!({"code": "good", "state": "x"});
    assert_eq!(admin(&memory, "POST", CONNECT, &other).0, 422);
}

#[test]
fn only_a_destination_with_grants_is_connected_by_a_person() {
    let (memory, _) = deployment(CLIENT);
    let (status, answer) = admin(&memory, "POST", CONNECT, &Value::Null);
    assert_eq!(status, 404);
    assert!(answer["message"].as_str().unwrap().contains("nobody has to connect"), "{answer}");
    // A webhook has a secret that stays.
    for (name, why) in [
        ("webhook", "nobody has to connect this destination: its secrets are enough"),
        ("nothing", "hilo.toml has no destination called \"nothing\""),
    ] {
        let path = format!("/admin/v1/destinations/{name}/connect");
        let (status, answer) = admin(&memory, "POST", &path, &Value::Null);
        assert_eq!((status, &answer["message"]), (404, &json!(why)), "{answer}");
    }
    memory.set_secret("VAULT_ID", "");
    let (_, answer) = admin(&memory, "POST", CONNECT, &Value::Null);
    assert!(answer["message"].as_str().unwrap().starts_with("the secret VAULT_ID"), "{answer}");
    assert!(listed(&memory)["lastError"].as_str().unwrap().starts_with("the secret VAULT_ID"));
    let incoming = request("POST", CONNECT, &Value::Null, &[]);
    assert_eq!(memory.serve(incoming).unwrap().status, 401);
}

#[test]
fn a_code_waits_for_a_refresh_that_is_under_way() {
    let (memory, _) = deployment(ROTATES);
    access(&memory);
    let state = begin(&memory)["state"].clone();
    minutes(&memory, 50);
    // The beginning is too old by now, so another one is made.
    assert_eq!(come_back(&memory, "GET", &format!("code=good&state={state}")).0, 410);
    let state = begin(&memory)["state"].clone();
    memory.slow_down(9);
    let secret = crate::call::secret(&memory).unwrap();
    let (_, nonce) = crate::connect_link::read(&state, &secret).unwrap();
    let code = TokensCall::Code { nonce, code: "good".to_owned() };
    let refresh = ask_token(&memory, "vault", None);
    let exchange = ask_tokens::<_, Value>(&memory, "vault", &code);
    let (refreshed, exchanged) = run(futures_util::future::join(refresh, exchange)).unwrap();
    assert_eq!(refreshed.unwrap().access, "access-2");
    assert_eq!(exchanged, Ok(json!("connected")));
    assert_eq!(access(&memory), "access-3");
}
