//! Path and method → a call. Every path exists with and without the mount prefix, and with one slash more at its end.

use hilo_core::outcome::{Code, Rejection};

use crate::calls::optin::LinkAct;
use crate::platform::Incoming;
use crate::platform::http::percent_decode;

/// A call of the collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Receives many events.
    Batch,
    /// Receives many events. The key stands in the address, because a page that is left can send no header.
    Beacon,
    /// Receives one event, whose type is part of the path.
    Single(&'static str),
    /// Receives one event of Jitsu's client, whose type is part of the path.
    Jitsu(&'static str),
    /// Receives a library's measurements of itself, which nobody stores.
    Metrics,
    /// Answers the settings of Segment's libraries: the write key of the path.
    Settings(String),
    /// Answers the settings of RudderStack's libraries.
    SourceConfig,
    /// A new page starts: restores its anonymous id.
    Hello,
    /// A page hands its id over to a page of another origin: answers a token.
    Handoff,
    /// The other page shows that token, and gets the id.
    Adopt,
    /// Records a consent change.
    ConsentChange,
    /// Answers the person's copy of the consent record.
    ConsentCopy,
    /// Records a person's choice for one channel.
    OptIn,
    /// The link of an opt-in: what it does, and whether the person has agreed on its page.
    OptInLink(LinkAct, bool),
    /// A service sends a person back who connects a destination.
    OAuthCallback,
    /// Shows, copies or erases what is kept about the person.
    Me(MeAct),
    /// Answers how far an erasure is: its signed reference.
    Erasure(String),
    /// A call about a cart: the customer's id if a server has put one into the path, and what to do with the cart.
    Cart(Option<String>, CartAct),
    /// The company's own system reports what people did whom it knows by their addresses.
    Reports,
    /// Another system calls by itself: the source's name.
    Webhook(String),
    /// Another system tries its webhook out: the source's name.
    WebhookProbe(String),
    /// Lists what is wrong with the deployment.
    Health,
    /// Answers whether the collector can take events, without calling an object.
    Ready,
    /// Answers the version that runs.
    Version,
    /// An admin call: the path below `/admin/`.
    Admin(String),
    /// Serves a file of the tracker, by its name.
    File(String),
    /// Answers a preflight request of a browser.
    Preflight,
}

/// What a person wants of what is kept about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeAct {
    /// A short answer.
    Show,
    /// All of it, a page at a time.
    Export,
    /// Nothing of it is to stay.
    Erase,
}

/// An action on a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CartAct {
    /// Show the cart.
    View,
    /// Apply a replica's operations.
    Ops,
    /// Begin a checkout.
    Checkout,
    /// Report an order.
    Ordered,
    /// Let the hub apply commands.
    Commands,
    /// Give up the guest's capability.
    Leave,
    /// Open a socket.
    Live,
}

/// The types of events, each with the short name that Segment's library for browsers has for its path.
const KINDS: [(&str, &str); 6] = [
    ("track", "t"),
    ("page", "p"),
    ("identify", "i"),
    ("screen", "s"),
    ("group", "g"),
    ("alias", "a"),
];

/// The path below which a server puts the customer's id.
const CARTS: &str = "/v1/carts/";
/// The path below which a person asks how far an erasure is.
const ERASURES: &str = "/v1/me/erasure/";
/// The path below which another system's calls have the name of their source.
pub const WEBHOOKS: &str = "/v1/in/";

/// Finds the call of a request.
///
/// # Errors
/// `not_found`, `method_not_allowed`.
pub fn route(incoming: &Incoming, mount: &str) -> Result<Route, Rejection> {
    let path = local_path(&incoming.path, mount);
    let method = if incoming.method == "HEAD" { "GET" } else { incoming.method.as_str() };
    if let Some(below) = path.strip_prefix("/admin/") {
        // Admin calls have their own methods. Pages of other sites must not make them, so they have no preflight either.
        return Ok(Route::Admin(below.to_owned()));
    }
    // Segment's library for Java writes a slash at the end.
    let calls = calls(path.strip_suffix('/').unwrap_or(path));
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

/// Returns the path without the mount prefix.
fn local_path<'p>(path: &'p str, mount: &str) -> &'p str {
    match path.strip_prefix(mount) {
        Some(rest) if rest.starts_with('/') && !mount.is_empty() => rest,
        _ => path,
    }
}

/// Lists the methods of a path, each with its call.
fn calls(path: &str) -> Vec<(&'static str, Route)> {
    match path {
        "/v1/batch" | "/v1/b" | "/v1/import" => vec![("POST", Route::Batch)],
        "/beacon/v1/batch" => vec![("POST", Route::Beacon)],
        "/v1/m" => vec![("POST", Route::Metrics)],
        "/sourceConfig" => vec![("GET", Route::SourceConfig)],
        "/v1/hello" => vec![("POST", Route::Hello)],
        "/v1/handoff" => vec![("POST", Route::Handoff)],
        "/v1/adopt" => vec![("POST", Route::Adopt)],
        "/v1/consent" => vec![("POST", Route::ConsentChange), ("GET", Route::ConsentCopy)],
        "/v1/reports" => vec![("POST", Route::Reports)],
        "/v1/optin" => vec![("POST", Route::OptIn)],
        "/v1/optin/confirm" => optin_link(LinkAct::Confirm),
        // Mail programs post here by themselves, with `List-Unsubscribe=One-Click` (RFC 8058).
        "/v1/optin/unsubscribe" => optin_link(LinkAct::Unsubscribe),
        "/v1/oauth/callback" => vec![("GET", Route::OAuthCallback)],
        "/v1/me" => vec![("GET", Route::Me(MeAct::Show)), ("DELETE", Route::Me(MeAct::Erase))],
        "/v1/me/export" => vec![("GET", Route::Me(MeAct::Export))],
        "/v1/cart" => vec![("GET", Route::Cart(None, CartAct::View))],
        "/v1/cart/ops" => vec![("POST", Route::Cart(None, CartAct::Ops))],
        "/v1/cart/checkout" => vec![("POST", Route::Cart(None, CartAct::Checkout))],
        "/v1/cart/ordered" => vec![("POST", Route::Cart(None, CartAct::Ordered))],
        "/v1/cart/leave" => vec![("POST", Route::Cart(None, CartAct::Leave))],
        "/v1/cart/live" => vec![("GET", Route::Cart(None, CartAct::Live))],
        "/health" => vec![("GET", Route::Health)],
        "/readyz" => vec![("GET", Route::Ready)],
        "/version" => vec![("GET", Route::Version)],
        _ if path.starts_with(CARTS) => cart_of(path).into_iter().collect(),
        _ => {
            if let Some(name) = path.strip_prefix(WEBHOOKS) {
                return vec![
                    ("POST", Route::Webhook(name.to_owned())),
                    ("GET", Route::WebhookProbe(name.to_owned())),
                ];
            }
            if let Some(reference) = path.strip_prefix(ERASURES) {
                return vec![("GET", Route::Erasure(percent_decode(reference)))];
            }
            if let Some(key) = key_of_settings(path) {
                return vec![("GET", Route::Settings(percent_decode(key)))];
            }
            let file = || Some(("GET", Route::File(super::files::file_name(path)?.to_owned())));
            event(path).map(|route| ("POST", route)).or_else(file).into_iter().collect()
        }
    }
}

/// Whoever opens a link sees a page, and whoever posts agrees.
fn optin_link(act: LinkAct) -> Vec<(&'static str, Route)> {
    vec![("GET", Route::OptInLink(act, false)), ("POST", Route::OptInLink(act, true))]
}

/// Reads the path of one event: `/v1/track` and `/v1/t` of Segment's libraries, `/api/s/track` and `/api/s/s2s/track` of
/// Jitsu's.
fn event(path: &str) -> Option<Route> {
    let find = |is_named: &dyn Fn(&str, &str) -> bool| {
        KINDS.iter().find(|(long, short)| is_named(long, short)).map(|(long, _)| *long)
    };
    if let Some(name) = path.strip_prefix("/v1/") {
        return find(&|long, short| name == long || name == short).map(Route::Single);
    }
    let name = path.strip_prefix("/api/s/")?;
    let name = name.strip_prefix("s2s/").unwrap_or(name);
    find(&|long, _| name == long).map(Route::Jitsu)
}

/// Reads the write key of `/v1/projects/:key/settings`.
fn key_of_settings(path: &str) -> Option<&str> {
    let key = path.strip_prefix("/v1/projects/")?.strip_suffix("/settings")?;
    (!key.contains('/')).then_some(key)
}

/// Reads a server's call: `/v1/carts/:userId` and the paths below it.
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
            check("HEAD", &format!("{prefix}/readyz"), Ok(Route::Ready));
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
    fn the_paths_of_every_client_find_their_call_with_and_without_a_slash_at_the_end() {
        for (method, path, expected) in [
            ("POST", "/v1/batch", Route::Batch),
            ("POST", "/v1/b", Route::Batch),
            ("POST", "/v1/import", Route::Batch),
            ("POST", "/v1/m", Route::Metrics),
            ("POST", "/v1/identify", Route::Single("identify")),
            ("POST", "/v1/a", Route::Single("alias")),
            ("GET", "/v1/projects/wk%5Fshop/settings", Route::Settings("wk_shop".to_owned())),
            ("GET", "/sourceConfig", Route::SourceConfig),
            ("POST", "/beacon/v1/batch", Route::Beacon),
            ("POST", "/v1/reports", Route::Reports),
            ("POST", "/api/s/page", Route::Jitsu("page")),
            ("POST", "/api/s/s2s/track", Route::Jitsu("track")),
            ("POST", "/v1/handoff", Route::Handoff),
            ("POST", "/v1/adopt", Route::Adopt),
            ("POST", "/v1/in/orders", Route::Webhook("orders".to_owned())),
            ("HEAD", "/v1/in/orders", Route::WebhookProbe("orders".to_owned())),
            ("GET", "/v1/oauth/callback", Route::OAuthCallback),
            ("GET", "/v1/carts/u1", Route::Cart(Some("u1".to_owned()), CartAct::View)),
        ] {
            check(method, path, Ok(expected.clone()));
            check(method, &format!("/_h{path}/"), Ok(expected));
        }
        for path in
            ["/v1/batch//", "/api/s/t", "/api/s/batch", "/v1/projects/a/b/settings", "/v1/", "/"]
        {
            check("POST", path, Err(Code::NotFound));
        }
    }

    #[test]
    fn a_server_puts_the_customer_of_a_cart_into_the_path() {
        let cart = |user: &str, act| Ok(Route::Cart(Some(user.to_owned()), act));
        check("GET", "/v1/carts/u%2F1", cart("u/1", CartAct::View));
        check("POST", "/_h/v1/carts/u1/commands", cart("u1", CartAct::Commands));
        check("POST", "/v1/carts/u1", Err(Code::MethodNotAllowed));
        check("GET", "/v1/carts/u1/secrets", Err(Code::NotFound));
    }

    #[test]
    fn a_person_reads_and_erases_at_one_path() {
        check("GET", "/v1/me", Ok(Route::Me(MeAct::Show)));
        check("DELETE", "/_h/v1/me/", Ok(Route::Me(MeAct::Erase)));
        check("GET", "/v1/me/export", Ok(Route::Me(MeAct::Export)));
        check("DELETE", "/v1/me/export", Err(Code::MethodNotAllowed));
        check("POST", "/v1/me", Err(Code::MethodNotAllowed));
        check("GET", "/v1/me/erasure/a.0.b", Ok(Route::Erasure("a.0.b".to_owned())));
    }

    #[test]
    fn a_known_path_with_another_method_is_refused_as_method_not_allowed() {
        check("GET", "/v1/batch", Err(Code::MethodNotAllowed));
        check("OPTIONS", "/v1/batch", Ok(Route::Preflight));
        check("OPTIONS", "/nothing", Err(Code::NotFound));
    }
}
