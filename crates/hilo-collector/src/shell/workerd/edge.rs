//! The platform on workerd: bindings, clock, network. No rule of hilo is decided here.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use hilo_core::delivery::Brakes;
use hilo_core::identity::public_key::PublicKey;
use jiff::Timestamp;
use wasm_bindgen::{JsCast, JsValue};
use worker::js_sys::futures::JsFuture;
use worker::js_sys::{Array, Promise, Reflect, Uint8Array};
use worker::web_sys;
use worker::{Context, Delay, Env, Response, Result, ScheduleContext, State};

use super::bindings::word;
use super::object::SCHEMA_NEWER;
use super::settings::{self, Settings};
use super::upload::read_stream;
use super::{bindings, buckets, crypto, side};
use crate::calls::journal::gathered::Gathered;
use crate::keyring::Keyring;
use crate::loaded::Standing;
use crate::platform::http;
use crate::platform::{
    Failure, Files, Headers, Limit, Metrics, Object, Outgoing, Platform, Point, SEND_MS_MAX, Scope,
    log_line, with_request,
};
use crate::shell::config::{self, Deployed, Found, Shelf};
use crate::shell::stubs;
use crate::signature;

/// How long an isolate uses a configuration before it reads it again. An upload reaches every isolate within this time.
const CONFIG_FRESH_MS: i64 = 30_000;
/// How long an isolate without a configuration waits before it asks for one again. Its requests are refused meanwhile.
const CONFIG_RETRY_MS: i64 = 2_000;
thread_local! {
    /// The configuration, and the time when it was read. One isolate is one thread.
    static CONFIG: RefCell<Option<(i64, Standing)>> = const { RefCell::new(None) };
    /// The secrets that were read so far. They cannot change either.
    static SECRETS: RefCell<BTreeMap<String, Option<String>>> =
        const { RefCell::new(BTreeMap::new()) };
    /// What this isolate has gathered for the journal. It holds nothing of a request's own, because another request
    /// sends it.
    static GATHERED: RefCell<Gathered> = RefCell::default();
    /// See [`Platform::brakes`].
    static BRAKES: Rc<RefCell<Brakes>> = Rc::default();
}

/// The platform on workerd.
#[derive(Clone)]
pub struct Edge {
    env: Rc<Env>,
    later: Later,
    scope: Option<Rc<Scope>>,
}

/// The runtime's handle that keeps an isolate alive for work after an answer.
#[derive(Clone)]
enum Later {
    Invocation(Rc<Context>),
    Scheduled(Rc<ScheduleContext>),
    Object(Rc<State>),
}

impl Edge {
    /// Makes the platform of one invocation.
    pub fn new(env: Env, context: Context) -> Edge {
        Edge { env: Rc::new(env), later: Later::Invocation(Rc::new(context)), scope: None }
    }

    /// Makes the platform of the scheduled trigger.
    pub fn scheduled(env: Env, context: ScheduleContext) -> Edge {
        Edge { env: Rc::new(env), later: Later::Scheduled(Rc::new(context)), scope: None }
    }

    /// Makes the platform of an object, for the object's own calls.
    pub(super) fn of_object(env: Env, state: Rc<State>) -> Edge {
        Edge { env: Rc::new(env), later: Later::Object(state), scope: None }
    }

    /// Makes the platform of an object for what follows from one of its calls. Its log lines have the id of the request that the call is
    /// made for, and its own calls bring the id along.
    pub(super) fn of_call(env: Env, state: Rc<State>, request: &str) -> Edge {
        let scope = Some(Rc::new(Scope::of(Some(request), String::new)));
        Edge { scope, ..Edge::of_object(env, state) }
    }

    fn setting<T>(&self, read: impl Fn(&Settings) -> T) -> T {
        settings::with(&self.env, read)
    }

    fn stub(&self, object: &Object) -> Result<bindings::Stub> {
        let (namespace, name) = bindings::place(object);
        let namespace = Reflect::get(&self.env, &word(namespace))?;
        let namespace = namespace.unchecked_into::<bindings::Namespace>();
        // No object is ever looked for outside: there a new one would be made, which knows nobody.
        let inside = self.setting(|settings| match settings.jurisdiction.as_str() {
            "" => Ok(None),
            jurisdiction => namespace.jurisdiction(&word(jurisdiction)).map(Some),
        })?;
        Ok(inside.as_ref().unwrap_or(&namespace).get_by_name(name)?)
    }

    /// Calls an object with GET.
    pub(super) async fn get(
        &self,
        object: &Object,
        url: &JsValue,
        init: &web_sys::RequestInit,
    ) -> Result<web_sys::Response> {
        let response = JsFuture::from(self.stub(object)?.fetch(url, init)?).await?;
        Ok(response.unchecked_into())
    }

    /// The address of the configuration's copy. Its name is secret, so that no other Worker of the zone has it by chance.
    fn copy_url(&self) -> Option<String> {
        let secrets = Keyring::of(self).ok()?;
        let name = signature::sign(secrets.naming().as_bytes(), b"config");
        Some(format!("{}{}", bindings::COPY_URL, signature::hex(&name)))
    }
}

impl Metrics for Edge {
    fn measure(&self, point: &Point) {
        side::measure(&self.env, point);
    }
}

impl Platform for Edge {
    fn scoped(&self, scope: Rc<Scope>) -> Edge {
        Edge { scope: Some(scope), ..self.clone() }
    }

    fn scope(&self) -> Option<&Scope> {
        self.scope.as_deref()
    }

    fn fresh_request_id(&self) -> String {
        signature::hex(&self.random16())
    }

    fn now(&self) -> Timestamp {
        now()
    }

    fn random16(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bindings::fill_random(&mut bytes);
        bytes
    }

    fn secret(&self, name: &str) -> Option<String> {
        SECRETS.with_borrow_mut(|known| match known.get(name) {
            Some(secret) => secret.clone(),
            None => {
                let secret = self.env.secret(name).ok().map(|value| value.to_string());
                known.insert(name.to_owned(), secret.clone());
                secret
            }
        })
    }

    fn is_dev(&self) -> bool {
        self.setting(|settings| settings.is_dev)
    }

    fn mount(&self) -> String {
        self.setting(|settings| settings.mount.clone())
    }

    fn jurisdiction(&self) -> String {
        self.setting(|settings| settings.jurisdiction.clone())
    }

    async fn config(&self) -> Standing {
        let now = self.now();
        let kept = CONFIG.with_borrow(Clone::clone);
        if let Some((fetched_ms, standing)) = &kept {
            let fresh_ms = if standing.is_ok() { CONFIG_FRESH_MS } else { CONFIG_RETRY_MS };
            if now.as_millisecond() - fetched_ms < fresh_ms {
                return standing.clone();
            }
        }
        let before = kept.map(|(_, standing)| standing);
        let deployed = Deployed::of(self);
        let standing = config::load(self, before.as_ref(), now, &deployed).await;
        let fault = match &standing {
            Ok(loaded) => loaded.fault.as_ref(),
            Err(fault) => Some(fault),
        };
        if let Some(fault) = fault {
            let level = if fault.is_bridged { "warn" } else { "error" };
            let why = fault.details.first().map_or("", String::as_str);
            self.log(&log_line(level, fault.code.name(), &[("why", why)]));
        }
        CONFIG.set(Some((now.as_millisecond(), standing.clone())));
        standing
    }

    fn defer(&self, work: impl Future<Output = ()> + 'static) {
        match &self.later {
            Later::Invocation(context) => context.wait_until(work),
            Later::Scheduled(context) => context.wait_until(work),
            Later::Object(state) => state.wait_until(work),
        }
    }

    async fn ask(&self, object: &Object, call: String) -> std::result::Result<String, Failure> {
        let body = Uint8Array::from(call.as_bytes());
        let asked = async {
            let url = bindings::object_url(self.scope().map_or("", |scope| scope.id.as_str()));
            let asked = JsFuture::from(bindings::ask(&self.stub(object)?, &url, &body));
            let answer = asked.await?.unchecked_into::<Array>();
            let status = answer.get(0).as_f64().unwrap_or_default();
            let text = answer.get(1).as_string().unwrap_or_default();
            Ok((status, text))
        };
        let answer: Result<(f64, String)> = asked.await;
        let (status, text) = answer.map_err(|error| Failure::Retriable(error.to_string()))?;
        if status == f64::from(SCHEMA_NEWER) {
            return Err(Failure::SchemaNewer);
        }
        match status {
            200.0 | 204.0 => Ok(text),
            429.0 => Err(Failure::Busy { after_s: text.parse().unwrap_or(1) }),
            503.0 => Err(Failure::Retriable(text)),
            _ => Err(Failure::Fatal(text)),
        }
    }

    async fn verify(
        &self,
        key: &PublicKey,
        signature: &[u8],
        message: &[u8],
    ) -> std::result::Result<bool, Failure> {
        crypto::verify(key, signature, message).await
    }

    async fn sign(&self, pkcs8: &[u8], message: &[u8]) -> std::result::Result<Vec<u8>, Failure> {
        crypto::sign(pkcs8, message).await
    }

    fn with_gathered<T>(&self, work: impl FnOnce(&mut Gathered) -> T) -> T {
        GATHERED.with_borrow_mut(work)
    }

    async fn enqueue(&self, message: String) -> std::result::Result<(), Failure> {
        let sent = side::enqueue(&self.env, &message).await;
        sent.map_err(|error| Failure::Retriable(error.to_string()))
    }

    fn bindings(&self) -> Vec<(&'static str, bool)> {
        bindings::ALL.iter().map(|name| (*name, side::is_bound(&self.env, name))).collect()
    }

    async fn pause(&self, ms: u32) {
        Delay::from(Duration::from_millis(ms.into())).await;
    }

    async fn is_within(&self, limit: Limit, key: &str) -> bool {
        let name = match limit {
            Limit::Key => bindings::RATE_KEY,
            Limit::Peer => bindings::RATE_PEER,
        };
        if !side::is_bound(&self.env, name) {
            return true;
        }
        let asked = JsFuture::from(bindings::within(&self.env, &word(name), key)).await;
        asked.is_ok_and(|answer| answer != JsValue::FALSE)
    }

    async fn fetch(
        &self,
        request: &Outgoing,
        bytes_max: usize,
    ) -> std::result::Result<http::Response, Failure> {
        if let Some((binding, name)) = request.object() {
            return buckets::create(&self.env, binding, name, request).await;
        }
        let url = self.setting(|settings| stubs::url_of(&settings.stubs, &request.url));
        let begun = url.map_err(|why| worker::Error::from(why.to_owned()));
        let begun = begun.and_then(|url| begin(request, &url));
        let begun = begun.map_err(|error| Failure::Unreached(error.to_string()))?;
        let answered = async {
            let answer = JsFuture::from(begun).await?;
            let mut answer = Response::from(answer.unchecked_into::<web_sys::Response>());
            let headers = Headers(answer.headers().entries().collect());
            let mut body = Vec::new();
            // An answer without a body has nothing to stream. It is the most frequent answer.
            if headers.get("content-length") != Some("0")
                && let Ok(stream) = answer.stream()
            {
                body = read_stream(stream, bytes_max).await.0;
            }
            let body = String::from_utf8_lossy(&body).into_owned();
            Ok(http::Response { status: answer.status_code(), headers, body })
        };
        answered.await.map_err(|error: worker::Error| Failure::Retriable(error.to_string()))
    }

    fn brakes(&self) -> Rc<RefCell<Brakes>> {
        BRAKES.with(Rc::clone)
    }

    fn log(&self, line: &str) {
        let id = self.scope().map_or("", |scope| scope.id.as_str());
        log(&with_request(line, id));
    }

    async fn asset(&self, path: &str) -> std::result::Result<Option<Vec<u8>>, Failure> {
        let fetched = async {
            let url = format!("{}{path}", bindings::ASSETS_URL);
            let mut response = self.env.assets(bindings::ASSETS)?.fetch(url, None).await?;
            // A body that nobody reads is kept until the garbage is collected, so the body of a refusal is read too.
            let bytes = response.bytes().await?;
            Ok(Some(bytes).filter(|_| response.status_code() == 200))
        };
        fetched.await.map_err(|error: worker::Error| Failure::Retriable(error.to_string()))
    }

    async fn files(
        &self,
        binding: &str,
        prefix: &str,
        cursor: Option<&str>,
    ) -> std::result::Result<Files, Failure> {
        buckets::files(&self.env, binding, prefix, cursor).await
    }

    async fn file(
        &self,
        binding: &str,
        name: &str,
    ) -> std::result::Result<Option<String>, Failure> {
        buckets::file(&self.env, binding, name).await
    }
}

/// Begins a request. An error means that it surely did not leave.
///
/// Once it has begun, the runtime does not tell a refused connection from one that broke off: both are "Network connection lost.", and a
/// wrong name or certificate is an "internal error". Cloudflare's edge answers for a destination without a way to it, with 521, 523,
/// 525, 526 or 530.
fn begin(request: &Outgoing, url: &str) -> Result<Promise> {
    let headers = web_sys::Headers::new()?;
    for (name, value) in &request.headers.0 {
        headers.set(name, value)?;
    }
    let init = web_sys::RequestInit::new();
    init.set_method(&request.method);
    init.set_headers(&headers);
    init.set_redirect(web_sys::RequestRedirect::Manual);
    init.set_signal(Some(&web_sys::AbortSignal::timeout_with_u32(SEND_MS_MAX)));
    if !request.body.is_empty() {
        init.set_body(&Uint8Array::from(request.body.as_bytes()));
    }
    Ok(bindings::fetch_outside(url, &init)?)
}

impl Shelf for Edge {
    async fn read(&self, key: &str) -> Found {
        let read = async { Ok(self.env.kv(bindings::CONFIG)?.get(key).text().await?) };
        let read: Result<Option<String>> = read.await;
        match read {
            Ok(Some(text)) => Found::Text(text),
            Ok(None) => Found::Nothing,
            Err(error) => Found::Failed(error.to_string()),
        }
    }

    async fn copy(&self) -> Option<String> {
        let found = JsFuture::from(bindings::copy(&self.copy_url()?)).await;
        found.ok()?.as_string()
    }

    fn keep_copy(&self, text: &str) {
        if let Some(url) = self.copy_url() {
            let kept = JsFuture::from(bindings::keep_copy(&url, text));
            self.defer(async move { drop(kept.await) });
        }
    }
}

/// Returns the time. On Workers the clock stands still while code runs, and moves with every answer from outside.
pub(super) fn now() -> Timestamp {
    Timestamp::from_millisecond(i64::try_from(worker::Date::now().as_millis()).unwrap_or(0))
        .unwrap_or_default()
}

/// Writes one line to the log.
pub(super) fn log(line: &str) {
    worker::console_log!("{line}");
}
