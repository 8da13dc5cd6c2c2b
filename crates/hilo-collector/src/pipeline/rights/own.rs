//! Tests of `/v1/me`: what a person reads, and what the erasure leaves.

use super::*;

impl Browser<'_> {
    fn me(&mut self, method: &str, path: &str) -> (u16, Value) {
        self.call(method, path, Value::Null)
    }

    /// Says hello, and returns status, code and id.
    fn greet(&mut self, mut body: Value) -> (u16, Value, Value) {
        body["consent"] = json!({"categoryPreferences": {"analytics": true}, "revision": 0});
        let (status, answer) = self.call("POST", "/v1/hello", body);
        (status, answer["code"].clone(), answer["anonymousId"].clone())
    }
}

/// A page that has the source's key in its header, as calls without a body need it.
fn page_with_key(memory: &Memory) -> Browser<'_> {
    let key = ("authorization", "Bearer wk_shop".to_owned());
    Browser { fields: vec![key], ..Browser::new(memory) }
}

#[test]
fn a_device_reads_and_erases_what_is_its_own_and_the_answer_leads_to_the_standing() {
    let memory = memory();
    let mut page = page_with_key(&memory);
    page.hello(json!({"spareId": ID}));
    page.decide(Some(ID), 0, "granted");
    let (status, kept) = page.me("GET", "/v1/me");
    assert_eq!((status, &kept["about"], &kept["events"]), (200, &json!("device"), &json!(0)));
    assert_eq!(kept["consent"]["analytics"], "granted");
    let cookie = page.cookie.clone();
    let (status, begun) = page.me("DELETE", "/v1/me");
    assert_eq!(
        (status, &begun["erases"], &begun["notice"]),
        (202, &json!(["device"]), &Value::Null)
    );
    assert_eq!(page.cookie, None, "the cookie is taken back");
    let poll = begun["poll"].as_str().unwrap().to_owned();
    assert_eq!(page.me("GET", &poll).1["status"], "erasing");
    memory::run(memory.settle()).unwrap().unwrap();
    let mut stranger = Browser::new(&memory);
    assert_eq!(stranger.me("GET", &poll).1["status"], "done");
    assert_eq!(stranger.me("GET", &format!("{poll}x")).0, 404);
    assert_eq!(page.me("GET", "/v1/me").0, 401);
    page.cookie = cookie;
    let (_, kept) = page.me("GET", "/v1/me");
    assert_eq!((&kept["erasure"]["status"], &kept["consent"]), (&json!("done"), &json!({})));
}

#[test]
fn a_person_learns_which_destinations_an_erasure_reaches_and_which_it_does_not() {
    let memory = memory();
    let leaver = "[[destination]]\nname = \"crm\"\ntype = \"leaver\"\npurposes = [\"analytics\"]\n";
    memory.configure(&format!("{}\n{leaver}", include_str!("../../../hilo.toml")));
    let mut page = page_with_key(&memory);
    page.hello(json!({"spareId": ID}));
    let expected = json!({"delete": ["crm"], "cannotDelete": ["webhook"]});
    assert_eq!(page.me("GET", "/v1/me").1["destinations"], expected);
    assert_eq!(page.me("DELETE", "/v1/me").1["destinations"], expected);
}

#[test]
fn an_erased_id_comes_back_for_nobody_and_a_page_without_an_id_gets_another() {
    let memory = memory();
    let mut page = page_with_key(&memory);
    page.hello(json!({"spareId": ID}));
    let cookie = page.cookie.clone();
    page.me("DELETE", "/v1/me");
    for (own_cookie, is_kept) in [(cookie.clone(), true), (None, false)] {
        page.cookie = own_cookie;
        let refused = page.greet(json!({"anonymousId": ID}));
        assert_eq!(refused, (403, json!("erased"), Value::Null));
        assert_eq!(page.cookie, None, "{is_kept}");
    }
    page.cookie.clone_from(&cookie);
    let (status, _, id) = page.greet(json!({"spareId": "spare"}));
    assert_eq!(status, 200);
    assert_ne!(id, ID);
    assert!(page.cookie.as_ref().unwrap().contains(id.as_str().unwrap()));
    page.cookie = cookie;
    let (status, answer) = page.decide(Some(ID), 0, "denied");
    assert_eq!((status, &answer["code"], &page.cookie), (403, &json!("erased"), &None));
    assert_eq!(page.opt(Some(ID), "subscribed", None).1["code"], "erased");
}

#[test]
fn a_token_erases_its_user_and_a_proof_beside_it_the_device_too() {
    let memory = memory_with_users();
    let mut page = page_with_key(&memory);
    page.hello(json!({"spareId": ID}));
    let token = |scope: &str| ("x-hilo-user-token", token(&memory, scope, 600));
    for (scope, method, status) in [
        ("cart", "GET", 403),
        ("erase", "GET", 403),
        ("profile", "DELETE", 403),
        ("profile", "GET", 200),
    ] {
        let mut page = page_with_key(&memory);
        page.fields.push(token(scope));
        assert_eq!(page.me(method, "/v1/me").0, status, "{scope} {method}");
    }
    page.fields.push(token("erase"));
    assert_eq!(page.me("DELETE", "/v1/me").1["erases"], json!(["user", "device"]));
    memory::run(memory.settle()).unwrap().unwrap();
    let fields = vec![("authorization", "Bearer token".to_owned())];
    let mut admin = Browser { fields, ..Browser::new(&memory) };
    for key in ["u:user-1".to_owned(), format!("a:{ID}")] {
        let (_, kept) = admin.me("GET", &format!("/admin/v1/profiles/{key}"));
        assert_eq!(kept["erasure"]["status"], "done", "{key}");
    }
    let (status, again) = admin.me("POST", "/admin/v1/profiles/u:user-1/erase");
    assert_eq!((status, &again["status"]), (202, &json!("erasing")));
}
