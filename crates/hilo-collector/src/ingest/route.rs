//! Path and method → which call it is. Every path exists with and without the mount prefix.

use hilo_core::outcome::{Code, Rejection};

use crate::platform::Incoming;
use crate::platform::http::percent_decode;

/// A call of the collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Many events.
    Batch,
    /// One event, of the type that the path names.
    Single(&'static str),
    /// Page life: restores the id.
    Hello,
    /// Records a consent change.
    ConsentChange,
    /// The person's copy of their consent record.
    ConsentCopy,
    /// Records a person's choice for one channel.
    OptIn,
    /// A call about a cart: the person that a server names in the path, and what to do with the cart.
    Cart(Option<String>, CartAct),
    /// A shop system calls: the source's name.
    Webhook(String),
    /// Liveness and what is degraded.
    Health,
    /// What runs here.
    Version,
    /// For people: the path below `/admin/`.
    Admin(String),
    /// A file of the tracker, by its name.
    File(String),
    /// A browser asks before it sends.
    Preflight,
}

/// What is done with a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CartAct {
    /// Look.
    View,
    /// Apply a replica's operations.
    Ops,
    /// Begin a checkout.
    Checkout,
    /// Report an order.
    Ordered,
    /// Let the hub act.
    Commands,
    /// Give up the guest's capability.
    Leave,
    /// Open a socket.
    Live,
}

/// What Segment's libraries call, long and short.
const SINGLES: [(&str, &str); 12] = [
    ("/v1/track", "track"),
    ("/v1/page", "page"),
    ("/v1/identify", "identify"),
    ("/v1/screen", "screen"),
    ("/v1/group", "group"),
    ("/v1/alias", "alias"),
    ("/v1/t", "track"),
    ("/v1/p", "page"),
    ("/v1/i", "identify"),
    ("/v1/s", "screen"),
    ("/v1/g", "group"),
    ("/v1/a", "alias"),
];

/// Below it, servers name the person whose cart it is.
const CARTS: &str = "/v1/carts/";
/// Below this path shop systems call, each with the name of its source.
const WEBHOOKS: &str = "/v1/in/";

/// The call that `incoming` makes.
///
/// # Errors
/// `not_found`, `method_not_allowed`.
pub fn route(incoming: &Incoming, mount: &str) -> Result<Route, Rejection> {
    let path = local_path(&incoming.path, mount);
    let method = if incoming.method == "HEAD" { "GET" } else { incoming.method.as_str() };
    if let Some(below) = path.strip_prefix("/admin/") {
        // Its own methods; browsers of other sites have no business here, so there is no preflight either.
        return Ok(Route::Admin(below.to_owned()));
    }
    let calls = calls(path);
    if calls.is_empty() {
        return Err(Rejection::new(Code::NotFound, "there is nothing at this path"));
    }
    if method == "OPTIONS" {
        return Ok(Route::Preflight);
    }
    calls.into_iter().find(|(allowed, _)| *allowed == method).map(|(_, route)| route).ok_or_else(
        || Rejection::new(Code::MethodNotAllowed, "this path is called with another method"),
    )
}

/// The path without the mount prefix.
fn local_path<'p>(path: &'p str, mount: &str) -> &'p str {
    match path.strip_prefix(mount) {
        Some(rest) if rest.starts_with('/') && !mount.is_empty() => rest,
        _ => path,
    }
}

/// The methods of a path, each with its call.
fn calls(path: &str) -> Vec<(&'static str, Route)> {
    match path {
        "/v1/batch" | "/v1/b" => vec![("POST", Route::Batch)],
        "/v1/hello" => vec![("POST", Route::Hello)],
        "/v1/consent" => vec![("POST", Route::ConsentChange), ("GET", Route::ConsentCopy)],
        "/v1/optin" => vec![("POST", Route::OptIn)],
        "/v1/cart" => vec![("GET", Route::Cart(None, CartAct::View))],
        "/v1/cart/ops" => vec![("POST", Route::Cart(None, CartAct::Ops))],
        "/v1/cart/checkout" => vec![("POST", Route::Cart(None, CartAct::Checkout))],
        "/v1/cart/ordered" => vec![("POST", Route::Cart(None, CartAct::Ordered))],
        "/v1/cart/leave" => vec![("POST", Route::Cart(None, CartAct::Leave))],
        "/v1/cart/live" => vec![("GET", Route::Cart(None, CartAct::Live))],
        "/health" => vec![("GET", Route::Health)],
        "/version" => vec![("GET", Route::Version)],
        _ if path.starts_with(CARTS) => cart_of(path).into_iter().collect(),
        _ => {
            if let Some(name) = path.strip_prefix(WEBHOOKS) {
                return vec![("POST", Route::Webhook(name.to_owned()))];
            }
            let single = SINGLES.iter().find(|(known, _)| *known == path);
            match (single, super::files::file_name(path)) {
                (Some((_, kind)), _) => vec![("POST", Route::Single(kind))],
                (None, Some(name)) => vec![("GET", Route::File(name.to_owned()))],
                (None, None) => Vec::new(),
            }
        }
    }
}

/// What a server calls: `/v1/carts/:userId` and the paths below it.
fn cart_of(path: &str) -> Option<(&'static str, Route)> {
    let (user, act) = match path.strip_prefix(CARTS)?.split_once('/') {
        None => (path.strip_prefix(CARTS)?, CartAct::View),
        Some((user, "ops")) => (user, CartAct::Ops),
        Some((user, "checkout")) => (user, CartAct::Checkout),
        Some((user, "ordered")) => (user, CartAct::Ordered),
        Some((user, "commands")) => (user, CartAct::Commands),
        Some(_) => return None,
    };
    let method = if act == CartAct::View { "GET" } else { "POST" };
    Some((method, Route::Cart(Some(percent_decode(user)), act)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, path: &str, expected: Result<Route, Code>) {
        let incoming =
            Incoming { method: method.to_owned(), path: path.to_owned(), ..Incoming::default() };
        assert_eq!(route(&incoming, "/_h").map_err(|why| why.code), expected, "{method} {path}");
    }

    #[test]
    fn every_path_exists_with_and_without_the_mount() {
        for prefix in ["", "/_h"] {
            check("POST", &format!("{prefix}/v1/batch"), Ok(Route::Batch));
            check("POST", &format!("{prefix}/v1/t"), Ok(Route::Single("track")));
            check("GET", &format!("{prefix}/health"), Ok(Route::Health));
            check(
                "GET",
                &format!("{prefix}/admin/v1/live"),
                Ok(Route::Admin("v1/live".to_owned())),
            );
            check("GET", &format!("{prefix}/hilo.js"), Ok(Route::File("hilo.js".to_owned())));
        }
        check("GET", "/_hv1/batch", Err(Code::NotFound));
    }

    #[test]
    fn a_server_names_the_customer_of_a_cart_in_the_path() {
        let cart = |user: &str, act| Ok(Route::Cart(Some(user.to_owned()), act));
        check("GET", "/v1/carts/u%2F1", cart("u/1", CartAct::View));
        check("POST", "/_h/v1/carts/u1/commands", cart("u1", CartAct::Commands));
        check("POST", "/v1/carts/u1", Err(Code::MethodNotAllowed));
        check("GET", "/v1/carts/u1/secrets", Err(Code::NotFound));
    }

    #[test]
    fn a_known_path_with_another_method_is_refused_as_such() {
        check("GET", "/v1/batch", Err(Code::MethodNotAllowed));
        check("OPTIONS", "/v1/batch", Ok(Route::Preflight));
        check("OPTIONS", "/nothing", Err(Code::NotFound));
    }
}
