//! The way of an id from one origin to another: proof, token, object, proof.

use super::*;
use crate::platform::{Headers, Incoming, Object, Reply};

mod refusals;

const BLOG: &str = "https://blog.example";
const STORE: &str = "https://store.example";
const APP: &str = "capacitor://localhost";
const BACKEND: (&str, &str) = ("authorization", "Bearer sk_dev_backend");

/// A company with a shop and a blog under one source, another site under a second one, and an app.
fn company() -> Memory {
    let memory = memory();
    memory.configure(&text("development"));
    memory.set_secret("HILO_ADMIN_TOKEN", "token");
    memory
}

fn text(environment: &str) -> String {
    let more = format!(
        "[[source]]\nname = \"other\"\nkind = \"browser\"\nkeys = [\"wk_other\"]\norigins = [\"{STORE}\", \"{BLOG}\"]\n\
         [[source]]\nname = \"app\"\nkind = \"app\"\nkeys = [\"wk_app\"]\norigins = [\"{APP}\"]\n"
    );
    let origins = format!("origins = [\"{STORE}\", \"{BLOG}\"]");
    let own = include_str!("../../../../hilo.toml")
        .replace("origins = [\"http://127.0.0.1:8787\", \"http://localhost:8787\"]", &origins)
        .replace("environment = \"development\"", &format!("environment = \"{environment}\""));
    format!("{own}\n{more}")
}

/// A page of one origin, in a browser that keeps its cookies.
#[derive(Clone)]
struct Site<'m> {
    memory: &'m Memory,
    origin: &'static str,
    key: &'static str,
    host: &'static str,
    cookie: String,
    fields: Vec<(&'static str, String)>,
}

impl<'m> Site<'m> {
    fn at(memory: &'m Memory, origin: &'static str) -> Site<'m> {
        let (cookie, fields) = Default::default();
        Site { memory, origin, key: "wk_shop", host: "127.0.0.1:8787", cookie, fields }
    }

    fn with(self, name: &'static str, value: &str) -> Site<'m> {
        let fields = [self.fields, vec![(name, value.to_owned())]].concat();
        Site { fields, ..self }
    }

    fn asks(&self, method: &str, path: &str, body: &Value) -> Incoming {
        let mut body = body.clone();
        if !body.is_null() {
            body["writeKey"] = self.key.into();
        }
        let mut incoming = request(method, path, &body, &[("x-hilo", "1")]);
        let own = [("origin", self.origin), ("cookie", &self.cookie)].into_iter();
        let own = own.chain(self.fields.iter().map(|(name, value)| (*name, value.as_str())));
        own.filter(|(_, value)| !value.is_empty())
            .for_each(|(name, value)| incoming.headers.push(name, value));
        Incoming { host: self.host.to_owned(), ..incoming }
    }

    fn call(&mut self, path: &str, body: &Value) -> (u16, Value) {
        let reply = self.memory.serve(self.asks("POST", path, body)).unwrap();
        if let Some(set) = set(&reply).first() {
            set.split(';').next().unwrap().clone_into(&mut self.cookie);
        }
        (reply.status, super::json(&reply))
    }

    /// Says hello, and returns the id.
    fn greet(&mut self) -> String {
        let (status, answer) = self.call("/v1/hello", &json!({"consent": granted()}));
        assert_eq!(status, 200, "{answer}");
        answer["anonymousId"].as_str().unwrap().to_owned()
    }

    fn decide(&mut self, id: &str, purpose: &str, state: &str) {
        let at = self.memory.now().to_string();
        let change = json!({"purpose": purpose, "state": state, "at": at, "method": "api"});
        let consent = json!({"base": 0, "changes": [change]});
        let body = json!({"anonymousId": id, "sentAt": at, "keepsId": true, "consent": consent});
        assert_eq!(self.call("/v1/consent", &body).0, 200);
    }

    /// Asks for a token for the page at `to`.
    fn hand(&mut self, id: &str, to: &str) -> String {
        let (status, answer) = self.call("/v1/handoff", &json!({"anonymousId": id, "to": to}));
        assert_eq!((status, &answer["expiresIn"]), (200, &json!(60)), "{answer}");
        answer["token"].as_str().unwrap().to_owned()
    }

    fn adopt(&mut self, token: &str) -> (u16, Value) {
        self.call("/v1/adopt", &json!({"token": token, "consent": granted()}))
    }

    /// Erases what is kept of the cookie's id.
    fn erase(&self) {
        let site = self.clone().with("authorization", "Bearer wk_shop");
        let reply = self.memory.serve(site.asks("DELETE", "/v1/me", &Value::Null)).unwrap();
        assert_eq!(reply.status, 202, "{}", super::json(&reply));
        settle(self.memory);
    }
}

fn granted() -> Value {
    json!({"categoryPreferences": {"analytics": true, "functional": true}, "revision": 1})
}

/// The cookies that an answer sets.
fn set(reply: &Reply) -> Vec<&str> {
    let Headers(fields) = &reply.headers;
    let set = fields.iter().filter(|(name, _)| name == "set-cookie");
    set.map(|(_, value)| value.as_str()).collect()
}

/// A backend's call.
fn vouch(memory: &Memory, body: &Value) -> (u16, Value) {
    let fields = [BACKEND, ("x-hilo", "1")];
    let reply = memory.serve(request("POST", "/v1/handoff", body, &fields)).unwrap();
    (reply.status, super::json(&reply))
}

#[test]
fn a_page_of_another_origin_gets_the_id_with_its_cookie_and_the_answer_of_a_hello() {
    let memory = company();
    let (mut store, mut blog) = (Site::at(&memory, STORE), Site::at(&memory, BLOG));
    let id = store.greet();
    store.decide(&id, "functional", "granted");
    store.decide(&id, "analytics", "denied");
    let earlier = blog.greet();
    let token = store.hand(&id, BLOG);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    assert!(token.bytes().all(is_plain) && token.len() < 500, "{token}");
    let (status, answer) = blog.adopt(&token);
    assert_eq!((status, answer["anonymousId"].as_str()), (200, Some(id.as_str())));
    assert_eq!((&answer["denied"], &answer["revision"]), (&json!(["analytics"]), &json!(2)));
    assert!(blog.cookie.contains(&id) && !blog.cookie.contains(&earlier), "{}", blog.cookie);
    let (_, hello) = blog.call("/v1/hello", &json!({"consent": granted()}));
    assert_eq!(answer, hello);
    let body = json!({"token": store.hand(&id, BLOG), "consent": granted()});
    let again = memory.serve(blog.asks("POST", "/v1/adopt", &body)).unwrap();
    assert_eq!((again.status, set(&again)), (200, vec![]), "the page has the cookie already");
}

#[test]
fn nothing_is_stored_for_a_token_that_is_made() {
    let memory = company();
    let mut store = Site::at(&memory, STORE);
    let id = store.greet();
    memory.advance(SignedDuration::from_secs(21));
    settle(&memory);
    let stored = || memory.0.profiles.borrow().values().any(has_rows);
    assert!(!stored(), "a binding alone was forgotten");
    let token = store.hand(&id, BLOG);
    assert_eq!(vouch(&memory, &json!({"anonymousId": "device"})).0, 200);
    assert!(!stored());
    assert_eq!(Site::at(&memory, BLOG).adopt(&token).1["anonymousId"], json!(id));
    assert!(stored());
}

fn has_rows<T>(stored: &Rc<super::super::world::Stored<T>>) -> bool {
    use crate::platform::Sql as _;
    !stored.sql.exec("SELECT name FROM sqlite_master", &[]).unwrap().is_empty()
}

#[test]
fn a_page_without_cookies_gets_a_token_in_the_answer() {
    let memory = company();
    let mut app = Site { key: "wk_app", ..Site::at(&memory, APP).with("x-hilo-auth", "new") };
    let (_, hello) = app.call("/v1/hello", &json!({"consent": granted()}));
    let (id, proof) = (hello["anonymousId"].as_str().unwrap(), hello["token"].as_str().unwrap());
    let known = Site { key: "wk_app", ..Site::at(&memory, APP).with("x-hilo-auth", proof) };
    for (name, value) in [("x-hilo-auth", "new"), ("sec-fetch-site", "cross-site")] {
        let token = known.clone().hand(id, APP);
        let mut other = Site { key: "wk_app", ..Site::at(&memory, APP).with(name, value) };
        let (status, answer) = other.adopt(&token);
        assert_eq!((status, answer["anonymousId"].as_str()), (200, Some(id)), "{name}");
        let shown = answer["token"].as_str().unwrap();
        assert_eq!(other.cookie, "", "no cookie for an app");
        let mut next = Site { key: "wk_app", ..Site::at(&memory, APP).with("x-hilo-auth", shown) };
        assert_eq!(next.greet(), id);
    }
    let mut store = Site::at(&memory, STORE);
    let id = store.greet();
    let token = store.hand(&id, BLOG);
    let mut framed = Site::at(&memory, BLOG).with("sec-fetch-site", "cross-site");
    let (_, answer) = framed.adopt(&token);
    assert!(answer["token"].as_str().unwrap().contains(&id) && framed.cookie.is_empty());
}

#[test]
fn every_host_of_a_cookie_domain_gets_the_id_that_was_handed_over() {
    let memory = company();
    let domain = format!("{}\n", text("development")).replacen(
        &format!("origins = [\"{STORE}\", \"{BLOG}\"]"),
        &format!("origins = [\"{STORE}\", \"{BLOG}\"]\ncookie_domain = \"example\""),
        1,
    );
    memory.configure(
        &domain
            .replace("\"example\"", "\"blog.example\"")
            .replace(STORE, "https://www.blog.example"),
    );
    let mut www = Site::at(&memory, "https://www.blog.example");
    let id = www.greet();
    let token = www.hand(&id, BLOG);
    let blog = Site { host: "blog.example", ..Site::at(&memory, BLOG) };
    let body = json!({"token": token, "consent": granted()});
    let reply = memory.serve(blog.asks("POST", "/v1/adopt", &body)).unwrap();
    let [own, shared] = set(&reply)[..] else { panic!("{reply:?}") };
    assert!(own.contains(&id) && shared.contains(&id), "{own} {shared}");
    assert!(shared.ends_with("; Domain=blog.example"), "{shared}");
}

#[test]
fn the_id_of_a_device_that_has_moved_to_its_user_is_handed_over_as_it_is() {
    let memory = company();
    let mut store = Site::at(&memory, STORE);
    let id = store.greet();
    store.decide(&id, "analytics", "granted");
    let named = json!({"batch": [{
        "type": "identify", "messageId": "m1", "anonymousId": id, "userId": "u1",
        "timestamp": memory.now().to_string(),
    }]});
    assert_eq!(memory.serve(request("POST", "/v1/batch", &named, &[BACKEND])).unwrap().status, 200);
    memory.advance(SignedDuration::from_secs(5));
    settle(&memory);
    let before = store.clone().call("/v1/hello", &json!({"consent": granted()})).1;
    let token = store.hand(&id, BLOG);
    let mut blog = Site::at(&memory, BLOG);
    let (status, answer) = blog.adopt(&token);
    assert_eq!((status, &answer), (200, &before));
    assert_eq!(
        (&answer["anonymousId"], &answer["state"]["analytics"]),
        (&json!(id), &json!("granted"))
    );
    assert_eq!(
        Site::at(&memory, BLOG).adopt(&token).1["code"],
        "handoff_refused",
        "the pointer keeps it"
    );
}

#[test]
fn a_server_hands_over_any_id_that_it_names_and_the_id_keeps_its_own_proof() {
    let memory = company();
    let mut store = Site::at(&memory, STORE);
    let bound = store.greet();
    store.decide(&bound, "analytics", "granted");
    let mut seen = page_view();
    (seen["anonymousId"], seen["writeKey"]) = (json!("device"), Value::Null);
    assert_eq!(memory.serve(request("POST", "/v1/page", &seen, &[BACKEND])).unwrap().status, 200);
    for id in [bound.as_str(), "device", "unused"] {
        for key in ["wk_shop", "wk_other"] {
            let (status, answer) = vouch(&memory, &json!({"anonymousId": id}));
            assert_eq!(status, 200, "{answer}");
            let mut page = Site { key, ..Site::at(&memory, BLOG) };
            assert_eq!(page.adopt(answer["token"].as_str().unwrap()).1["anonymousId"], json!(id));
            memory.advance(SignedDuration::from_secs(90));
            settle(&memory);
            assert_eq!(page.greet(), id, "the cookie opens the id");
        }
    }
    assert_eq!(store.greet(), bound);
    let (_, answer) = vouch(&memory, &json!({"anonymousId": bound, "to": BLOG}));
    let token = answer["token"].as_str().unwrap();
    assert_eq!(Site::at(&memory, STORE).adopt(token).1["code"], "handoff_refused");
    assert_eq!(Site::at(&memory, BLOG).adopt(token).0, 200);
}

#[test]
fn a_token_outlives_one_new_signing_secret_and_not_two() {
    let memory = company();
    let mut store = Site::at(&memory, STORE);
    let id = store.greet();
    let tokens = [store.hand(&id, BLOG), store.hand(&id, BLOG)];
    let secret = |number: u32| {
        let name = format!("HILO_SIGNING_SECRET_{number}");
        memory.set_secret(&name, &format!("signing secret {number} of 32 bytes or more"));
    };
    secret(1);
    let mut blog = Site::at(&memory, BLOG);
    assert_eq!(blog.adopt(&tokens[0]).1["anonymousId"], json!(id));
    let later = Site { cookie: blog.cookie.clone(), ..Site::at(&memory, BLOG) }.hand(&id, STORE);
    secret(2);
    assert_eq!(Site::at(&memory, BLOG).adopt(&tokens[1]).1["code"], "handoff_refused");
    assert_eq!(Site::at(&memory, STORE).adopt(&later).1["anonymousId"], json!(id));
}

#[test]
fn consent_that_allows_no_id_claims_nothing_and_leaves_the_token_unused() {
    let memory = company();
    let (mut store, mut blog) = (Site::at(&memory, STORE), Site::at(&memory, BLOG));
    let id = store.greet();
    let token = store.hand(&id, BLOG);
    let asked = memory.asked().len();
    for consent in [json!({}), json!({"categoryPreferences": {"analytics": false}, "revision": 1})]
    {
        let (status, answer) = blog.call("/v1/adopt", &json!({"token": token, "consent": consent}));
        assert_eq!((status, &answer["anonymousId"]), (200, &Value::Null), "{answer}");
        assert_eq!(blog.cookie, "");
    }
    assert_eq!(memory.asked().len(), asked);
    assert_eq!(blog.adopt(&token).1["anonymousId"], json!(id));
    let denied = json!({"token": token, "consent": {}});
    let reply = memory.serve(blog.asks("POST", "/v1/adopt", &denied)).unwrap();
    assert!(set(&reply)[0].starts_with("hilo=;"), "as a hello takes it back");
}

#[test]
fn an_adoption_calls_one_object_once() {
    let memory = company();
    let mut store = Site::at(&memory, STORE);
    let id = store.greet();
    let token = store.hand(&id, BLOG);
    let before = memory.asked().len();
    Site::at(&memory, BLOG).adopt(&token);
    let asked = memory.asked().split_off(before);
    assert!(matches!(&asked[..], [Object::Profile(_)]), "{asked:?}");
}
