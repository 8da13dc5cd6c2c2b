//! The binding names of wrangler.jsonc, and the few calls of the runtime that `worker` does not wrap.
//! No other file has them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use worker::js_sys::futures::JsFuture;
use worker::js_sys::{Array, Object, Promise, Uint8Array};
use worker::web_sys::{Request, RequestInit, Response};

use crate::platform;

/// Namespace of the profile objects.
pub const PROFILES: &str = "PROFILES";
/// Namespace of the journal's objects.
pub const JOURNAL: &str = "JOURNAL";
/// The name of the journal's head.
pub const JOURNAL_HEAD: &str = "journal";
/// The name of the live object.
pub const JOURNAL_LIVE: &str = "live";
/// Namespace of the carts.
pub const CARTS: &str = "CARTS";
/// Namespace of the objects with access tokens.
pub const TOKENS: &str = "TOKENS";
/// Namespace of the objects that keep calls of webhooks until their work is done.
pub const INBOX: &str = "INBOX";
/// Namespace of the index's shards.
pub const INDEX: &str = "INDEX";
/// Namespace of the object that knows what was imported.
pub const IMPORTS: &str = "IMPORTS";
/// The name of that object.
pub const IMPORTS_ALL: &str = "imports";
/// Namespace of the feeds.
pub const FEEDS: &str = "FEEDS";
/// Queue that brings deliveries to the consumer, after the request has been answered.
pub const DELIVERIES: &str = "DELIVERIES";
/// KV namespace that may hold `hilo.toml`.
pub const CONFIG: &str = "CONFIG";
/// The limit of requests under one write key.
pub const RATE_KEY: &str = "RATE_KEY";
/// The limit of requests from one network.
pub const RATE_PEER: &str = "RATE_PEER";
/// The tracker's files.
pub const ASSETS: &str = "ASSETS";
/// The dataset of Analytics Engine that gets a point for each request, if it is bound.
pub const METRICS: &str = "METRICS";
/// `1` on a developer's machine.
pub const DEV: &str = "HILO_DEV";
/// The URL of the stub server on a developer's machine.
pub const STUBS: &str = "HILO_STUBS";
/// Path prefix on the site's own host.
pub const MOUNT: &str = "HILO_MOUNT";
/// The jurisdiction of every object. Where the variable is empty or missing, an object is near its first caller.
pub const JURISDICTION: &str = "HILO_JURISDICTION";
/// The prefix where none is configured.
pub const MOUNT_DEFAULT: &str = "/_h";

/// Every binding that wrangler.jsonc may have.
pub const ALL: [&str; 14] = [
    PROFILES, CARTS, JOURNAL, TOKENS, INBOX, INDEX, IMPORTS, FEEDS, DELIVERIES, CONFIG, ASSETS,
    RATE_KEY, RATE_PEER, METRICS,
];

/// The URL of every call to an object. The runtime needs a URL and ignores its host. Behind it stands the id of the request that the call
/// is made for, if there is one. A version that does not know that ignores the path.
pub const OBJECT_URL: &str = "https://object/";
/// The URL of the configuration's copy in the data center's cache. The deployment's own name follows, because all
/// Workers of a zone share that cache.
pub const COPY_URL: &str = "https://hilo-config.invalid/";
/// The URL of every request for an asset. The runtime needs a URL and ignores its host.
pub const ASSETS_URL: &str = "https://assets/";
/// Header field of the Worker's request to a cart's object: the socket's ticket. Cloudflare's tail redacts a name with `token`.
pub const TICKET: &str = "x-hilo-ticket-token";
/// The protocol of a cart's sockets. A page offers it beside its ticket, and a browser insists that the answer takes one.
pub const SOCKET_PROTOCOL: &str = "hilo";

/// The namespace of an object, and its name there.
pub fn place(object: &platform::Object) -> (&'static str, &str) {
    match object {
        platform::Object::Profile(name) => (PROFILES, name.as_str()),
        platform::Object::Cart(label) => (CARTS, label.as_str()),
        platform::Object::Journal => (JOURNAL, JOURNAL_HEAD),
        platform::Object::Rejects(name) => (JOURNAL, name.as_str()),
        platform::Object::Live => (JOURNAL, JOURNAL_LIVE),
        platform::Object::Tokens(name) => (TOKENS, name.as_str()),
        platform::Object::Inbox(name) => (INBOX, name.as_str()),
        platform::Object::Index(name) => (INDEX, name.as_str()),
        platform::Object::Imports => (IMPORTS, IMPORTS_ALL),
        platform::Object::Feed(name) => (FEEDS, name.as_str()),
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &mut [u8]);

    /// A namespace of Durable Objects. `worker` calls one with its own `Request` and `Response`, and reads five
    /// properties of each.
    #[wasm_bindgen(extends = Object)]
    pub type Namespace;

    /// Returns the object with this name.
    #[wasm_bindgen(method, catch, js_name = getByName)]
    pub fn get_by_name(this: &Namespace, name: &str) -> Result<Stub, JsValue>;

    /// Returns the namespace of the objects of one jurisdiction. The same name is another object there. `worker` has no such method.
    #[wasm_bindgen(method, catch)]
    pub fn jurisdiction(this: &Namespace, name: &JsValue) -> Result<Namespace, JsValue>;

    /// The caller's handle of an object.
    #[wasm_bindgen(extends = Object)]
    pub type Stub;

    /// Calls the object; returns a `Promise<Response>`.
    #[wasm_bindgen(method, catch)]
    pub fn fetch(this: &Stub, url: &JsValue, init: &RequestInit) -> Result<Promise, JsValue>;

    /// The sender's handle of a queue. `worker` sends text and objects only; bytes are sent without being written twice.
    #[wasm_bindgen(extends = Object)]
    pub type Messages;

    /// Sends a list of `{ body, contentType }`.
    #[wasm_bindgen(method, catch, js_name = sendBatch)]
    pub fn send_batch(this: &Messages, messages: &Array) -> Result<Promise, JsValue>;

    /// Calls the outside world; returns a `Promise<Response>`.
    #[wasm_bindgen(catch, js_name = fetch)]
    pub fn fetch_outside(url: &str, init: &RequestInit) -> Result<Promise, JsValue>;

    /// A Durable Object's SQLite. `worker` reads rows one by one, with five calls each.
    #[wasm_bindgen(extends = Object)]
    pub type Sqlite;

    /// Runs a statement.
    #[wasm_bindgen(method, catch, variadic)]
    pub fn exec(this: &Sqlite, query: &JsValue, bindings: &Array) -> Result<Cursor, JsValue>;

    /// The answer of a statement.
    #[wasm_bindgen(extends = Object)]
    pub type Cursor;

    /// The names of the columns.
    #[wasm_bindgen(method, getter, js_name = columnNames)]
    pub fn column_names(this: &Cursor) -> Array;

    /// The rows, each as an array.
    #[wasm_bindgen(method)]
    pub fn raw(this: &Cursor) -> Rows;

    /// An iterator over rows.
    #[wasm_bindgen(extends = Object)]
    pub type Rows;

    /// Reads all rows that are left.
    #[wasm_bindgen(method, catch, js_name = toArray)]
    pub fn to_array(this: &Rows) -> Result<Array, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = importKey)]
    fn import_key(
        format: &str,
        key: &Uint8Array,
        algorithm: &Object,
        is_extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = verify)]
    fn verify_signature(
        algorithm: &Object,
        key: &JsValue,
        signature: &Uint8Array,
        message: &Uint8Array,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = sign)]
    fn make_signature(
        algorithm: &Object,
        key: &JsValue,
        message: &Uint8Array,
    ) -> Result<Promise, JsValue>;

    /// A Durable Object's storage, for calls that `worker` does not have or starts only when their future is polled.
    #[wasm_bindgen(extends = Object)]
    pub type Storage;

    /// Sets the alarm. This write is atomic with the rows that were written before it in this turn.
    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    pub fn set_alarm(this: &Storage, at_ms: f64) -> Result<Promise, JsValue>;

    /// Deletes everything that is stored, and the alarm.
    #[wasm_bindgen(method, catch, js_name = deleteAll)]
    pub fn delete_all(this: &Storage) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &Storage,
        work: &mut dyn FnMut() -> Result<JsValue, JsValue>,
    ) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(module = "/src/shell/workerd/steps.js")]
extern "C" {
    /// Reads a request without its body, see steps.js.
    pub fn head(request: &Request, names: &Array, all: &str) -> String;

    /// Makes an answer, see steps.js.
    #[wasm_bindgen(catch)]
    pub fn reply(
        status: u16,
        fields: &str,
        body: &JsValue,
        is_encoded: bool,
        id: &str,
    ) -> Result<Response, JsValue>;

    /// Writes a point to a dataset, see steps.js.
    pub fn measure(env: &JsValue, binding: &str, index: &str, blobs: &Array, doubles: &Array);

    /// Makes an answer without a body.
    pub fn nothing() -> Response;

    /// Calls an object; returns a `Promise<[status, text]>`.
    pub fn ask(stub: &Stub, url: &JsValue, body: &Uint8Array) -> Promise;

    /// Stores a text in the data center's cache; returns a `Promise<undefined>`.
    #[wasm_bindgen(js_name = keepCopy)]
    pub fn keep_copy(url: &str, text: &str) -> Promise;

    /// Reads the text that [`keep_copy`] has stored; returns a `Promise<string | undefined>`.
    pub fn copy(url: &str) -> Promise;

    /// Counts a request against a rate limit; returns a `Promise<boolean>`, see steps.js.
    pub fn within(env: &JsValue, limit: &JsValue, key: &str) -> Promise;

    /// Lists the objects of a bucket; returns a `Promise<string>`, see steps.js.
    pub fn files(env: &JsValue, binding: &str, prefix: &str, cursor: &str) -> Promise;

    /// Reads an object of a bucket; returns a `Promise<string | undefined>`, see steps.js.
    pub fn file(env: &JsValue, binding: &str, name: &str) -> Promise;

    /// Creates an object in a bucket; returns a `Promise<number>`, see steps.js.
    pub fn create(
        env: &JsValue,
        binding: &str,
        name: &str,
        body: &Uint8Array,
        content_type: &str,
    ) -> Promise;

    /// Answers a request; returns a `Promise<Response>`.
    pub fn answered(request: &Request, answer: &Answering) -> Promise;
}

/// Makes an object's answer to the bytes of a call, which comes from the request with this id.
pub type Answering = Closure<dyn Fn(Vec<u8>, String) -> Result<Response, JsValue>>;

/// The most texts that [`word`] keeps. They are names and statements of this crate, and many statements differ by the
/// number of rows.
const WORDS_MAX: usize = 128;

thread_local! {
    static WORDS: RefCell<BTreeMap<String, JsValue>> = const { RefCell::new(BTreeMap::new()) };
}

/// Returns a text of this crate as JavaScript's string, made once. Pass no text of a sender: there would be no end of
/// them.
pub fn word(text: &str) -> JsValue {
    WORDS.with_borrow_mut(|words| {
        if let Some(word) = words.get(text) {
            return word.clone();
        }
        let word = JsValue::from_str(text);
        if words.len() < WORDS_MAX {
            words.insert(text.to_owned(), word.clone());
        }
        word
    })
}

/// The address of a call to an object for this request; empty for none.
pub fn object_url(request: &str) -> JsValue {
    match request {
        "" => word(OBJECT_URL),
        request => format!("{OBJECT_URL}{request}").into(),
    }
}

/// Fills `bytes` from the runtime's random generator.
pub fn fill_random(bytes: &mut [u8]) {
    get_random_values(bytes);
}

/// Imports a public key (SPKI) that can verify and do nothing else.
///
/// # Errors
/// The error of the runtime, for bytes that are no key.
pub async fn import_public_key(spki: &[u8], algorithm: &Object) -> Result<JsValue, JsValue> {
    let usages = Array::of1(&JsValue::from_str("verify"));
    JsFuture::from(import_key("spki", &Uint8Array::from(spki), algorithm, false, &usages)?).await
}

/// Whether the holder of `key` made `signature` over `message`.
///
/// # Errors
/// The error of the runtime.
pub async fn verify(
    key: &JsValue,
    algorithm: &Object,
    signature: &[u8],
    message: &[u8],
) -> Result<bool, JsValue> {
    let (signature, message) = (Uint8Array::from(signature), Uint8Array::from(message));
    let verified = JsFuture::from(verify_signature(algorithm, key, &signature, &message)?).await?;
    Ok(verified == JsValue::TRUE)
}

/// Signs `message` with a private key (PKCS#8).
///
/// # Errors
/// The error of the runtime, for bytes that are no key.
pub async fn sign(pkcs8: &[u8], algorithm: &Object, message: &[u8]) -> Result<Vec<u8>, JsValue> {
    let usages = Array::of1(&JsValue::from_str("sign"));
    let key = import_key("pkcs8", &Uint8Array::from(pkcs8), algorithm, false, &usages)?;
    let key = JsFuture::from(key).await?;
    let signed = make_signature(algorithm, &key, &Uint8Array::from(message))?;
    Ok(Uint8Array::new(&JsFuture::from(signed).await?).to_vec())
}

/// Runs `work` in a transaction of the storage. An error or a panic of `work` undoes its writes.
///
/// # Errors
/// The error that `work` returns, or the error of the storage.
pub fn transaction_sync(
    storage: &Storage,
    work: &mut dyn FnMut() -> Result<JsValue, JsValue>,
) -> Result<(), JsValue> {
    storage.transaction_sync(&mut || work()).map(|_| ())
}
