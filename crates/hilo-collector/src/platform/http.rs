//! Requests and answers without a runtime: `ingest` and `admin` read and write them, `forward` sends them.
//! Shapes only.

/// Header fields by lower-case name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// Returns the value of a field; `name` is in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Adds a field.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into()));
    }
}

/// The body of a request, already read up to the size limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Upload {
    /// The request has no body.
    #[default]
    Absent,
    /// The whole body.
    Bytes(Vec<u8>),
    /// The body is larger than [`hilo_core::event::BODY_BYTES_MAX`], or a webhook's larger than any table allows. Reading stopped there.
    TooLarge,
    /// The connection ended in the middle of the body.
    Broken,
}

/// A request that reached the collector.
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    /// Upper-case method.
    pub method: String,
    /// `https` or `http`.
    pub scheme: String,
    /// Host and port as they stand in the URL.
    pub host: String,
    /// The path, not decoded.
    pub path: String,
    /// The query without `?`, not decoded.
    pub query: String,
    /// The header fields that the collector reads, and all of a webhook's; `shell/workerd/requests.rs` has the list.
    pub headers: Headers,
    /// The body.
    pub body: Upload,
    /// The sender's location, as the edge estimates it.
    pub geo: hilo_core::event::Geo,
}

impl Incoming {
    /// A query parameter, percent-decoded.
    pub fn query_value(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key == name).then(|| percent_decode(value))
        })
    }
}

/// The parts of a URL as the runtime writes it: complete, without default ports, and in lower case where case has no
/// meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'u> {
    /// The scheme without its colon.
    pub scheme: &'u str,
    /// Host and port.
    pub host: &'u str,
    /// The path from its slash on.
    pub path: &'u str,
    /// The query without its `?`.
    pub query: &'u str,
}

impl<'u> Address<'u> {
    /// Cuts `url` into its parts. No parser is needed, because the runtime has parsed the URL, and this function runs
    /// for every request.
    pub fn of(url: &'u str) -> Address<'u> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let rest = rest.split('#').next().unwrap_or_default();
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // Credentials may stand before the host. The collector needs none.
        let host = authority.rsplit('@').next().unwrap_or_default();
        Address { scheme, host, path, query }
    }
}

/// Reads `%41` as `A` and leaves everything else as it is. Bytes that are not UTF-8 become U+FFFD.
pub fn percent_decode(text: &str) -> String {
    String::from_utf8_lossy(&hilo_core::text::percent_decode(text)).into_owned()
}

/// The body of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// No body.
    Empty,
    /// Text, mostly JSON.
    Text(String),
    /// Bytes that are sent as they are. If a header names an encoding, the bytes are encoded already.
    Bytes(Vec<u8>),
    /// The journal's live stream (server-sent events), after the given sequence number.
    Live {
        /// The last `seq` that the watcher has received; 0 means all events that the ring still has.
        after: i64,
    },
    /// A socket of a cart. The Worker passes the request on to the object with this label and returns the object's
    /// answer.
    Socket {
        /// The label.
        cart: String,
        /// The ticket, which was checked. The object reads it again.
        ticket: String,
    },
}

/// The collector's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Header fields.
    pub headers: Headers,
    /// Body.
    pub body: Body,
}

impl Reply {
    /// An answer without a body.
    pub fn empty(status: u16) -> Reply {
        Reply { status, headers: Headers::default(), body: Body::Empty }
    }

    /// A JSON answer. No cache stores it, and no browser guesses another type.
    pub fn json(status: u16, body: String) -> Reply {
        let mut headers = Headers::default();
        headers.push("content-type", "application/json; charset=utf-8");
        headers.push("cache-control", "no-store");
        headers.push("x-content-type-options", "nosniff");
        Reply { status, headers, body: Body::Text(body) }
    }
}

/// A request to a destination. `Debug` shows neither the values of its header fields nor the query of its URL: secrets stand there.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Upper-case method.
    pub method: String,
    /// The complete URL. `r2://<binding>/<name>` is an object of a bucket that is bound to the collector.
    pub url: String,
    /// Header fields.
    pub headers: Headers,
    /// Body.
    pub body: String,
}

impl Outgoing {
    /// How the URL of an object in a bound bucket begins.
    pub const R2: &'static str = "r2://";

    /// The binding and the name of the object that this request creates in a bucket; `None` for a request to the outside world. The
    /// shell does it and answers as S3 would: 200, or 412 if the object is there.
    pub fn object(&self) -> Option<(&str, &str)> {
        self.url.strip_prefix(Outgoing::R2)?.split_once('/')
    }
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.headers.0.iter().map(|(name, _)| name).collect();
        out.debug_struct("Outgoing")
            .field("method", &self.method)
            .field("url", &self.url.split('?').next())
            .field("headers", &names)
            .field("body", &self.body)
            .finish()
    }
}

/// The most bytes that are read of a destination's answer: the results of a hundred records with half a KB each.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The most bytes that are read of a page of a feed: some hundred records.
pub const PAGE_BYTES_MAX: usize = 1024 * 1024;

/// A destination's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Header fields.
    pub headers: Headers,
    /// The first [`ANSWER_BYTES_MAX`] of the body at most; of a feed's page, [`PAGE_BYTES_MAX`].
    pub body: String,
}

impl Response {
    /// Whether the body goes on behind what was read.
    pub fn is_cut(&self) -> bool {
        // A character that was cut is replaced by a longer one, so the text is never shorter than what was read.
        self.body.len() >= ANSWER_BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: [&str; 4]) {
        let Address { scheme, host, path, query } = Address::of(url);
        assert_eq!([scheme, host, path, query], expected, "{url}");
    }

    #[test]
    fn an_address_is_cut_into_scheme_host_path_and_query() {
        check("https://shop.example/", ["https", "shop.example", "/", ""]);
        check(
            "http://127.0.0.1:8787/_h/v1/batch?x=1&y=/2?#a/b",
            ["http", "127.0.0.1:8787", "/_h/v1/batch", "x=1&y=/2?"],
        );
        check("https://ana:pw@[::1]:8443/a@b", ["https", "[::1]:8443", "/a@b", ""]);
    }
}
