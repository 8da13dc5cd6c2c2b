//! HTTP on workerd: a request → [`Incoming`], and a [`Reply`] → the response. No rule of hilo is decided here.

use hilo_core::event::Geo;
use wasm_bindgen::JsValue;
use worker::js_sys::{Array, Uint8Array};
use worker::web_sys;
use worker::{Context, Env, Result};

use super::bindings::{self, word};
use super::edge::Edge;
use super::object::worker_error;
use super::upload::upload;
use crate::calls::encode;
use crate::platform::http::Address;
use crate::platform::{Body, Headers, Incoming, Object, Platform, Reply, Upload};

/// The only header fields that the collector reads. Each field costs a call into JavaScript, so the list is short.
const READ_HEADERS: [&str; 26] = [
    "accept-encoding",
    "accept-language",
    "authorization",
    "cf-connecting-ip",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "if-none-match",
    "origin",
    "sec-fetch-site",
    "sec-gpc",
    "sec-websocket-protocol",
    "upgrade",
    "user-agent",
    "x-hilo",
    "x-hilo-auth",
    "x-hilo-cart-token",
    "x-hilo-user-token",
    "x-hubspot-request-timestamp",
    "x-hubspot-signature-v3",
    "x-shopify-hmac-sha256",
    "x-shopify-topic",
    "x-wc-webhook-signature",
    "x-wc-webhook-topic",
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
    let head = READ_NAMES.with(|names| bindings::head(&request, names));
    let mut lines = head.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (method, address) = (line().to_owned(), Address::of(line()));
    let mut place = || Some(line().to_owned()).filter(|place| !place.is_empty());
    let geo = Geo { country: place(), region: place(), city: place() };
    let (scheme, host) = (address.scheme.to_owned(), address.host.to_owned());
    let (path, query) = (address.path.to_owned(), address.query.to_owned());
    let fields = lines.filter_map(|line| line.split_once(':'));
    let headers =
        Headers(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
    let body = if method == "POST" {
        upload(request, headers.get("content-length")).await
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

async fn write(reply: Reply, edge: &Edge) -> Result<web_sys::Response> {
    let mut status = reply.status;
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
    Ok(bindings::reply(status, &fields, &body, is_encoded)?)
}
