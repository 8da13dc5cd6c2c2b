//! HTTP on workerd: a request → [`Incoming`], and a [`Reply`] → the response. No rule of hilo is decided here.

use hilo_core::event::{BODY_BYTES_MAX, Geo};
use hilo_core::inbound::verify;
use wasm_bindgen::JsValue;
use worker::js_sys::{Array, Uint8Array};
use worker::web_sys;
use worker::{Context, Env, Result};

use super::bindings::{self, word};
use super::edge::Edge;
use super::object::worker_error;
use super::upload::upload;
use crate::calls::encode;
use crate::ingest::WEBHOOKS;
use crate::platform::http::Address;
use crate::platform::{Body, Headers, Incoming, Object, Platform, REQUEST_ID, Reply, Upload};

/// The only header fields that the collector reads, but for webhooks. Each field costs a call into JavaScript, so the list is short.
const READ_HEADERS: [&str; 28] = [
    "accept-encoding",
    "accept-language",
    "authorization",
    "cf-access-jwt-assertion",
    "cf-connecting-ip",
    "cf-ray",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "if-none-match",
    "import-id",
    "import-seq",
    "origin",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "sec-ch-ua-platform-version",
    "sec-fetch-site",
    "sec-gpc",
    "sec-websocket-protocol",
    "upgrade",
    "user-agent",
    "x-hilo",
    "x-hilo-auth",
    "x-hilo-cart-token",
    "x-hilo-user-token",
    "x-write-key",
];

thread_local! {
    /// [`READ_HEADERS`] as JavaScript's list.
    static READ_NAMES: Array = READ_HEADERS.iter().map(|name| JsValue::from_str(name)).collect();
}

/// Answers one HTTP request.
pub async fn serve(
    request: web_sys::Request,
    env: Env,
    context: Context,
) -> Result<web_sys::Response> {
    let edge = Edge::new(env, context);
    let incoming = read(request).await;
    let reply = crate::pipeline::serve(incoming, &edge).await;
    write(reply, &edge).await
}

async fn read(request: web_sys::Request) -> Incoming {
    let head = READ_NAMES.with(|names| bindings::head(&request, names, WEBHOOKS));
    let mut lines = head.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (method, address) = (line().to_owned(), Address::of(line()));
    let mut place = || Some(line().to_owned()).filter(|place| !place.is_empty());
    let geo = Geo { country: place(), region: place(), city: place(), timezone: place() };
    let (scheme, host) = (address.scheme.to_owned(), address.host.to_owned());
    let (path, query) = (address.path.to_owned(), address.query.to_owned());
    let fields = lines.filter_map(|line| line.split_once(':'));
    let headers =
        Headers(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
    let body = if method == "POST" {
        let is_webhook = path.contains(WEBHOOKS);
        let most = if is_webhook { verify::BODY_BYTES_MAX } else { BODY_BYTES_MAX };
        upload(request, headers.get("content-length"), most).await
    } else {
        Upload::Absent
    };
    Incoming { method, scheme, host, path, query, headers, body, geo }
}

/// Lets the cart's object open a socket. The object's answer is returned unchanged, because it holds the browser's end
/// of the socket.
async fn open_socket(cart: String, ticket: &str, edge: &Edge) -> Result<web_sys::Response> {
    let headers = web_sys::Headers::new()?;
    headers.set("upgrade", "websocket")?;
    headers.set(bindings::TICKET, ticket)?;
    let init = web_sys::RequestInit::new();
    init.set_headers(&headers);
    edge.get(&Object::Cart(cart), &word(bindings::OBJECT_URL), &init).await
}

async fn write(mut reply: Reply, edge: &Edge) -> Result<web_sys::Response> {
    let mut status = reply.status;
    // The field is the last one, and goes its own way: all others are often the same as those of the answer before.
    let id = reply.headers.0.pop_if(|(name, _)| name == REQUEST_ID).map(|(_, id)| id);
    let body = match reply.body {
        Body::Socket { cart, ticket } => return open_socket(cart, &ticket, edge).await,
        Body::Empty => JsValue::NULL,
        Body::Text(text) => Uint8Array::from(text.as_bytes()).into(),
        Body::Bytes(bytes) => Uint8Array::from(bytes.as_slice()).into(),
        Body::Live { after } => {
            let url = format!("{}live/{after}", bindings::OBJECT_URL).into();
            let live = edge.get(&Object::Live, &url, &web_sys::RequestInit::new()).await?;
            let now_ms = edge.now().as_millisecond();
            edge.with_gathered(|gathered| gathered.live.connect(now_ms));
            // The object may have the most watchers already.
            status = live.status();
            live.body().into()
        }
    };
    let is_encoded = reply.headers.get("content-encoding").is_some();
    let fields = encode(&reply.headers.0).map_err(|failure| worker_error(&failure))?;
    Ok(bindings::reply(status, &fields, &body, is_encoded, &id.unwrap_or_default())?)
}
