//! Tests of the doors to an existing profile, on the whole collector in memory.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::platform::Platform;
use crate::shell::memory::{self, Memory, SHOP, request};
use crate::signature;

mod links;
mod own;

const ID: &str = "5f0c7a3e-0000-4000-8000-000000000000";

/// A browser: it keeps the id cookie.
struct Browser<'m> {
    memory: &'m Memory,
    cookie: Option<String>,
    fields: Vec<(&'static str, String)>,
    /// What the page says of its id along with a choice.
    keeps_id: Option<bool>,
}

impl Browser<'_> {
    fn new(memory: &Memory) -> Browser<'_> {
        Browser { memory, cookie: None, fields: Vec::new(), keeps_id: None }
    }

    fn call(&mut self, method: &str, path: &str, mut body: Value) -> (u16, Value) {
        if let Value::Object(body) = &mut body {
            body.insert("writeKey".to_owned(), "wk_shop".into());
        }
        let own = self.fields.iter().map(|(name, value)| (*name, value.as_str()));
        let cookie = self.cookie.iter().map(|cookie| ("cookie", cookie.as_str()));
        let fields = [("origin", SHOP), ("x-hilo", "1")].into_iter().chain(own).chain(cookie);
        let fields: Vec<_> = fields.collect();
        let reply = self.memory.serve(request(method, path, &body, &fields)).unwrap();
        if let Some(set) = reply.headers.get("set-cookie") {
            let pair = set.split(';').next().unwrap().to_owned();
            self.cookie = Some(pair).filter(|pair| !pair.ends_with('='));
        }
        (reply.status, memory::json(&reply))
    }

    fn hello(&mut self, mut body: Value) -> Value {
        body["consent"] = json!({"categoryPreferences": {"analytics": true}, "revision": 0});
        let (status, answer) = self.call("POST", "/v1/hello", body);
        assert_eq!(status, 200, "{answer}");
        answer
    }

    fn decide(&mut self, id: Option<&str>, base: u32, state: &str) -> (u16, Value) {
        self.choose(id, base, "analytics", state)
    }

    fn choose(&mut self, id: Option<&str>, base: u32, purpose: &str, state: &str) -> (u16, Value) {
        let at = self.memory.now().to_string();
        self.memory.advance(jiff::SignedDuration::from_secs(1));
        self.choose_at(&at, id, base, purpose, state)
    }

    fn choose_at(
        &mut self,
        at: &str,
        id: Option<&str>,
        base: u32,
        purpose: &str,
        state: &str,
    ) -> (u16, Value) {
        let sent_at = self.memory.now().to_string();
        let change = json!({"purpose": purpose, "state": state, "at": at, "method": "api"});
        let consent = json!({"base": base, "changes": [change]});
        let mut body = json!({"anonymousId": id, "sentAt": sent_at, "consent": consent});
        if let Some(keeps_id) = self.keeps_id {
            body["keepsId"] = keeps_id.into();
        }
        self.call("POST", "/v1/consent", body)
    }

    /// Chooses about e-mail. `token` is the user's.
    fn opt(&mut self, id: Option<&str>, state: &str, token: Option<&str>) -> (u16, Value) {
        let fields = self.fields.clone();
        self.fields.extend(token.map(|token| ("x-hilo-user-token", token.to_owned())));
        let body = json!({"anonymousId": id, "channel": "sms", "state": state, "text": "Write to me.", "version": "1"});
        let answer = self.call("POST", "/v1/optin", body);
        self.fields = fields;
        answer
    }

    fn copy(&mut self) -> (u16, Value) {
        self.call("GET", "/v1/consent", Value::Null)
    }
}

fn memory() -> Memory {
    Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), None).unwrap()
}

/// A collector that knows the key of [`token`], and its admin.
fn memory_with_users() -> Memory {
    let memory = memory();
    let key =
        "[[identity.key]]\nkid = \"k1\"\nalg = \"HS256\"\nsecret = { secret = \"TOKEN_SECRET\" }\n";
    memory.configure(&format!("{}\n{key}", include_str!("../../hilo.toml")));
    memory.set_secret("TOKEN_SECRET", TOKEN_SECRET);
    memory.set_secret("HILO_ADMIN_TOKEN", "token");
    memory
}

const TOKEN_SECRET: &str = "thirty-two bytes are needed here!";

/// A token for `user-1` that ends after so many seconds.
fn token(memory: &Memory, scope: &str, life_s: i64) -> String {
    let now_s = memory.now().as_second();
    let claims = json!({
        "iss": "hilo-development", "aud": "development", "sub": "user-1", "scope": scope,
        "iat": now_s - 600, "exp": now_s + life_s,
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({"alg": "HS256", "kid": "k1"})), part(&claims));
    let tag = signature::sign(TOKEN_SECRET.as_bytes(), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// Reads a list of a profile as the admin, newest first.
fn listed(memory: &Memory, key: &str, list: &str) -> Vec<Value> {
    let fields = vec![("authorization", "Bearer token".to_owned())];
    let mut admin = Browser { fields, ..Browser::new(memory) };
    let path = format!("/admin/v1/profiles/{key}/{list}");
    let (status, page) = admin.call("GET", &path, Value::Null);
    assert_eq!(status, 200, "{page}");
    page[list].as_array().unwrap().clone()
}

/// The states of a profile's ledger, newest first.
fn ledger(memory: &Memory, key: &str) -> Vec<String> {
    let states = listed(memory, key, "optins").into_iter();
    states.map(|one| one["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_new_page_gets_a_bound_id_and_another_page_that_knows_the_id_gets_a_new_one() {
    let memory = memory();
    let mut mine = Browser::new(&memory);
    assert_eq!(mine.hello(json!({"spareId": ID}))["anonymousId"], ID);
    assert_eq!(mine.decide(Some(ID), 0, "granted").0, 200);
    for said in [json!({"anonymousId": ID}), json!({"spareId": ID})] {
        let mut other = Browser::new(&memory);
        let answer = other.hello(said);
        assert_ne!(answer["anonymousId"], ID);
        assert_eq!((&answer["revision"], &answer["state"]), (&json!(0), &json!({})));
        assert!(!other.cookie.as_ref().unwrap().contains(ID));
        let (status, answer) = other.decide(Some(ID), 9, "denied");
        assert_eq!((status, &answer["error"]["code"]), (403, &json!("not_yours")));
    }
    let answer = mine.hello(json!({}));
    assert_eq!((&answer["anonymousId"], &answer["revision"]), (&json!(ID), &json!(1)));
    assert_eq!(answer["state"]["analytics"], "granted");
    assert_eq!(mine.copy().1["revision"], 1);
}

#[test]
fn a_page_whose_hello_was_lost_binds_its_id_with_its_grant() {
    let memory = memory();
    let mut page = Browser::new(&memory);
    let (status, answer) = page.decide(Some(ID), 0, "granted");
    assert_eq!((status, &answer["anonymousId"]), (200, &json!(ID)));
    assert_eq!(page.hello(json!({"spareId": "another"}))["anonymousId"], ID);
}

#[test]
fn a_page_without_cookies_gets_a_token_and_no_cookie() {
    let memory = memory();
    for (name, value) in [("sec-fetch-site", "cross-site"), ("x-hilo-auth", "new")] {
        let fields = |name, value: &str| vec![(name, value.to_owned())];
        let mut page = Browser { fields: fields(name, value), ..Browser::new(&memory) };
        let answer = page.hello(json!({}));
        let (id, token) = (answer["anonymousId"].clone(), answer["token"].as_str().unwrap());
        assert_eq!(page.cookie, None);
        let robbed = page.hello(json!({"anonymousId": id}));
        assert_ne!(robbed["anonymousId"], id);
        page.fields = fields("x-hilo-auth", token);
        let again = page.hello(json!({"anonymousId": id}));
        assert_eq!((&again["anonymousId"], &again["token"]), (&id, &Value::Null));
        assert_eq!(page.copy().0, 200);
    }
}

#[test]
fn no_script_turns_a_cookie_into_a_token() {
    let memory = memory();
    let mut page = Browser::new(&memory);
    page.hello(json!({"spareId": ID}));
    page.fields.push(("x-hilo-auth", "new".to_owned()));
    let answer = page.hello(json!({}));
    assert_eq!((&answer["anonymousId"], &answer["token"]), (&json!(ID), &Value::Null));
}

#[test]
fn of_two_tabs_only_a_newer_grant_lifts_the_denial_and_the_older_one_is_answered_with_the_record() {
    let memory = memory();
    let mut page = Browser::new(&memory);
    page.hello(json!({"spareId": ID}));
    page.choose(Some(ID), 0, "functional", "granted");
    page.decide(Some(ID), 1, "granted");
    let before = memory.now().to_string();
    memory.advance(jiff::SignedDuration::from_secs(60));
    assert_eq!(page.decide(Some(ID), 2, "denied").1["revision"], 3);
    // Another tab chose before the denial and was offline since.
    let (status, answer) = page.choose_at(&before, Some(ID), 2, "analytics", "granted");
    assert_eq!((status, &answer["error"]["code"]), (409, &json!("consent_outdated")));
    assert_eq!((&answer["revision"], &answer["state"]["analytics"]), (&json!(3), &json!("denied")));
    // A clock that is wrong by a day does not matter: the base says that the page knew the denial.
    let (status, answer) =
        page.choose_at("2026-11-23T10:00:00Z", Some(ID), 3, "analytics", "granted");
    assert_eq!((status, &answer["state"]["analytics"]), (200, &json!("granted")));
    // A page whose storage was wiped knows no revision, and its visitor chooses now.
    page.decide(Some(ID), 4, "denied");
    assert_eq!(page.decide(Some(ID), 0, "granted").1["state"]["analytics"], "granted");
}

#[test]
fn a_denial_without_an_id_is_recorded_by_the_cookie_alone_and_takes_it_back() {
    let memory = memory();
    let mut page = Browser::new(&memory);
    let (status, answer) = page.decide(None, 0, "denied");
    assert_eq!((status, &answer["receipt"]), (200, &Value::Null));
    page.hello(json!({"spareId": ID}));
    page.decide(Some(ID), 0, "granted");
    let kept = page.cookie.clone();
    let (_, answer) = page.decide(None, 0, "denied");
    assert_eq!((&answer["revision"], &page.cookie), (&json!(2), &None));
    page.cookie = kept;
    assert_eq!(page.copy().1["state"]["analytics"], "denied");
}

#[test]
fn a_withdrawal_under_an_id_that_is_anothers_reaches_the_cookies_own_id_and_the_user() {
    let memory = memory_with_users();
    Browser::new(&memory).hello(json!({"spareId": "anothers"}));
    let mut page = Browser::new(&memory);
    page.hello(json!({"spareId": ID}));
    page.decide(Some(ID), 0, "granted");
    let kept = page.cookie.clone();
    page.fields = vec![("x-hilo-user-token", token(&memory, "profile", 600))];
    let (status, answer) = page.decide(Some("anothers"), 0, "denied");
    assert_eq!((status, &answer["error"]["code"]), (403, &json!("not_yours")));
    assert_eq!(page.cookie, None, "the cookie is taken back");
    page.cookie = kept;
    assert_eq!(page.copy().1["state"]["analytics"], "denied");
    let receipts = listed(&memory, "u:user-1", "receipts");
    assert_eq!(receipts[0]["changes"][0]["state"], "denied");
    // A grant is refused as before, and nothing of it is recorded.
    assert_eq!(page.decide(Some("anothers"), 9, "granted").0, 403);
    assert_eq!(page.copy().1["state"]["analytics"], "denied");
    assert_eq!(listed(&memory, "u:user-1", "receipts").len(), 1);
}

#[test]
fn a_page_that_keeps_its_id_keeps_its_proof_when_it_denies_one_purpose() {
    let memory = memory();
    for (keeps_id, is_kept) in [(None, false), (Some(true), true), (Some(false), false)] {
        let mut page = Browser { keeps_id, ..Browser::new(&memory) };
        page.hello(json!({}));
        page.decide(None, 0, "granted");
        // After a logout the page has a new id, and nothing is recorded for it yet.
        let id = format!("after-{keeps_id:?}").replace(['(', ')'], "-");
        page.hello(json!({"anonymousId": id}));
        assert_eq!(page.choose(Some(&id), 0, "advertising", "denied").0, 200);
        assert_eq!(page.cookie.is_some(), is_kept, "{keeps_id:?}");
        let expected = if is_kept { 200 } else { 403 };
        page.keeps_id = None;
        assert_eq!(page.decide(Some(&id), 1, "denied").0, expected, "{keeps_id:?}");
    }
}

#[test]
fn a_denial_whose_token_has_just_ended_reaches_the_user_where_the_device_proves_itself() {
    const WEEK_S: i64 = 7 * 24 * 3_600;
    for (life_s, is_proved, expected) in
        [(-300, true, "denied"), (-WEEK_S - 61, true, "granted"), (-300, false, "granted")]
    {
        let memory = memory_with_users();
        let mut page = Browser::new(&memory);
        page.hello(json!({"spareId": ID}));
        page.fields = vec![("x-hilo-user-token", token(&memory, "profile", 600))];
        assert_eq!(page.decide(Some(ID), 0, "granted").0, 200);
        page.fields = vec![("x-hilo-user-token", token(&memory, "profile", life_s))];
        if !is_proved {
            page.cookie = None;
        }
        let id = Some(ID).filter(|_| is_proved);
        assert_eq!(page.decide(id, 1, "denied").0, 200);
        let receipts = listed(&memory, "u:user-1", "receipts");
        assert_eq!(receipts[0]["changes"][0]["state"], expected, "{life_s} {is_proved}");
    }
}

#[test]
fn a_grant_whose_token_has_just_ended_is_the_devices_alone() {
    let memory = memory_with_users();
    let mut page = Browser::new(&memory);
    page.hello(json!({"spareId": ID}));
    page.fields = vec![("x-hilo-user-token", token(&memory, "profile", -300))];
    assert_eq!(page.decide(Some(ID), 0, "granted").0, 200);
    assert_eq!(listed(&memory, "u:user-1", "receipts"), [Value::Null; 0]);
    assert_eq!(page.copy().1["state"]["analytics"], "granted");
}

#[test]
fn an_opt_out_needs_no_valid_token_where_the_device_proves_itself() {
    let memory = memory_with_users();
    let mut page = Browser::new(&memory);
    page.hello(json!({"spareId": ID}));
    for (scope, life_s, status) in [("profile", -300, 401), ("cart", 600, 403)] {
        let token = token(&memory, scope, life_s);
        assert_eq!(page.opt(Some(ID), "subscribed", None).0, 200);
        assert_eq!(page.opt(Some(ID), "subscribed", Some(&token)).0, status, "{scope}");
        assert_eq!(page.opt(Some(ID), "unsubscribed", Some(&token)).0, 200, "{scope}");
        assert_eq!(ledger(&memory, &format!("a:{ID}"))[0], "unsubscribed", "{scope}");
    }
    assert_eq!(ledger(&memory, "u:user-1"), ["unsubscribed"], "the lapsed token's alone");
    let mut stranger = Browser::new(&memory);
    let token = token(&memory, "profile", -300);
    assert_eq!(stranger.opt(Some(ID), "unsubscribed", Some(&token)).0, 401);
}

#[test]
fn an_opt_out_of_a_signed_in_person_ends_the_subscription_of_the_device_too() {
    let memory = memory_with_users();
    let mut page = Browser::new(&memory);
    page.hello(json!({"spareId": ID}));
    let token = token(&memory, "profile", 600);
    page.opt(Some(ID), "subscribed", None);
    page.opt(Some(ID), "subscribed", Some(&token));
    assert_eq!(ledger(&memory, &format!("a:{ID}")).len(), 1, "a subscription is the user's alone");
    assert_eq!(page.opt(Some(ID), "unsubscribed", Some(&token)).0, 200);
    for key in [format!("a:{ID}"), "u:user-1".to_owned()] {
        assert_eq!(ledger(&memory, &key), ["unsubscribed", "subscribed"], "{key}");
    }
    // The id of another device does not cost the person's own choice.
    page.opt(None, "subscribed", Some(&token));
    let mut other = Browser::new(&memory);
    assert_eq!(other.opt(Some(ID), "unsubscribed", Some(&token)).0, 200);
    assert_eq!(ledger(&memory, "u:user-1")[0], "unsubscribed");
    assert_eq!(ledger(&memory, &format!("a:{ID}")).len(), 2);
}

#[test]
fn a_subscription_under_an_unused_id_binds_it_where_the_answer_can_set_a_cookie() {
    let memory = memory();
    let mut page = Browser::new(&memory);
    assert_eq!(page.opt(Some(ID), "subscribed", None).0, 200);
    assert_eq!(page.hello(json!({}))["anonymousId"], ID);
    assert_eq!(page.opt(Some(ID), "unsubscribed", None).0, 200);
    let fields = vec![("x-hilo-auth", "new".to_owned())];
    let mut without_cookies = Browser { fields, ..Browser::new(&memory) };
    assert_eq!(without_cookies.opt(Some("unused"), "subscribed", None).0, 403);
    assert_eq!(without_cookies.hello(json!({"anonymousId": "unused"}))["anonymousId"], "unused");
}

#[test]
fn a_report_of_a_page_about_a_bound_profile_is_answered_as_refused() {
    let memory = memory();
    Browser::new(&memory).hello(json!({"spareId": ID}));
    let report = |id: &str, n: u32| {
        let said = json!({"consent": {"categoryPreferences": {"analytics": false}}});
        json!({
            "type": "track", "event": "Segment Consent Preference Updated", "messageId": format!("r{n}"),
            "anonymousId": id, "timestamp": "2026-11-24T09:00:00Z", "context": said,
        })
    };
    let envelope = json!({"batch": [report(ID, 1), report("unbound", 2), report(ID, 3)]});
    let (status, answer) = Browser::new(&memory).call("POST", "/v1/batch", envelope);
    assert_eq!((status, &answer["accepted"]), (200, &json!(1)));
    let told = |n: usize| (answer["rejected"][n]["index"].clone(), &answer["rejected"][n]["code"]);
    assert_eq!(told(0), (json!(0), &json!("not_yours")));
    assert_eq!(told(1), (json!(2), &json!("not_yours")));
}
