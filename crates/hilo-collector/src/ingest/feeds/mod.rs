//! Feeds: the services that hilo reads at times, or that call in their own way.
//!
//! Settings and state → the next request; an answer or a call → reports about people, touchpoints of posts and channels, and the state
//! behind it. Each service has one file, and all are pure. `pipeline/feeds` reads them, and the object of a feed keeps the state.

mod braze;
mod buffer;
mod call;
mod hootsuite;
mod hubspot;
mod marketo;
mod salesforce;
pub mod shape;
mod social;
mod sumup;
mod words;

pub use call::check;

use hilo_core::config::{Config, Feed, Problem, ProblemCode, Source};

use self::shape::{Kind, Reader};
use crate::access::OAuth;
use crate::calls::feed::PREFIX;
use crate::calls::tokens::{Described, Door};

/// Every kind of feed.
pub const CATALOGUE: [Kind; 7] = [
    braze::KIND,
    buffer::KIND,
    hootsuite::KIND,
    hubspot::KIND,
    marketo::KIND,
    salesforce::KIND,
    sumup::KIND,
];

/// A configured feed with parsed settings.
pub struct Configured<'c> {
    /// The source of `hilo.toml`.
    pub source: &'c Source,
    /// The kind.
    pub kind: Kind,
    /// The feed's own code.
    pub reader: Box<dyn Reader>,
    /// The seconds between two runs; `None` for a service that only calls.
    pub every_s: Option<u32>,
    /// The most calls in 24 hours.
    pub calls_max: u32,
}

/// Every feed of a configuration, or what is wrong with it.
pub fn all(config: &Config) -> impl Iterator<Item = Result<Configured<'_>, Problem>> {
    config.sources.iter().filter_map(|source| Some(load(source, source.feed.as_ref()?)))
}

/// The feed of the source called `name`.
///
/// # Errors
/// Why there is none, for people.
pub fn find<'c>(name: &str, config: &'c Config) -> Result<Configured<'c>, String> {
    let source = config.sources.iter().find(|source| source.name == name);
    let found = source.and_then(|source| Some((source, source.feed.as_ref()?)));
    let (source, feed) = found.ok_or_else(|| format!("hilo.toml has no feed called {name:?}"))?;
    load(source, feed).map_err(|problem| problem.to_string())
}

fn load<'c>(source: &'c Source, feed: &'c Feed) -> Result<Configured<'c>, Problem> {
    let Some(kind) = CATALOGUE.iter().find(|kind| kind.name == feed.vendor) else {
        let names: Vec<_> = CATALOGUE.iter().map(|kind| kind.name).collect();
        let message = format!("there is no such feed; there is {}", names.join(", "));
        return Err(feed.settings.problem("", ProblemCode::BadValue, message));
    };
    let every = kind.every_minutes.map(|usual| feed.every_minutes.unwrap_or(usual));
    Ok(Configured {
        source,
        kind: *kind,
        reader: (kind.load)(&feed.settings)?,
        every_s: every.map(|minutes| minutes * 60),
        calls_max: feed.daily_calls.unwrap_or(kind.daily_calls),
    })
}

/// Every problem of the feeds' own settings, which the core does not know. It has reported feeds without a vendor.
pub fn problems(config: &Config) -> Vec<Problem> {
    let named = config.sources.iter().filter_map(|source| Some((source, source.feed.as_ref()?)));
    let named = named.filter(|(_, feed)| !feed.vendor.is_empty());
    named.filter_map(|(source, feed)| load(source, feed).err()).collect()
}

/// The secrets that a feed names and that are not set, each with its feed.
pub fn missing_secrets<'c>(
    config: &'c Config,
    is_set: &dyn Fn(&str) -> bool,
) -> Vec<(&'c str, &'c str)> {
    let feeds = config.sources.iter().filter_map(|source| Some((source, source.feed.as_ref()?)));
    let named = feeds.flat_map(|(source, feed)| {
        feed.settings.secret_names().into_iter().map(|secret| (source.name.as_str(), secret))
    });
    named.filter(|(_, secret)| !is_set(secret)).collect()
}

/// Describes the feeds that get access tokens, under the names of their objects with tokens.
pub fn described(config: &Config) -> Vec<Described> {
    let described = all(config).filter_map(Result::ok).filter_map(|feed| {
        let door = if feed.reader.oauth()?.needs_grant() { Door::Grant } else { Door::Client };
        let (kind, title) = (feed.kind.name.to_owned(), feed.kind.title.to_owned());
        Some(Described { name: format!("{PREFIX}{}", feed.source.name), kind, title, door })
    });
    described.collect()
}

/// How a feed gets access tokens, by the name of its object with tokens. `None` if the name is no feed's.
///
/// # Errors
/// Why it gets none, for people.
pub fn oauth_of(name: &str, config: &Config) -> Option<Result<OAuth, String>> {
    let name = name.strip_prefix(PREFIX)?;
    let needs_nobody = || "nobody has to connect this feed: its secrets are enough".to_owned();
    Some(find(name, config).and_then(|feed| feed.reader.oauth().ok_or_else(needs_nobody)))
}

#[cfg(test)]
mod tests {
    use hilo_core::config::parse;
    use serde_json::{Value, json};

    use super::*;
    use crate::access::Access;
    use crate::calls::tokens::Token;
    use crate::ingest::feeds::shape::Turn;
    use crate::platform::{Headers, Response};

    fn config_of(kind: &str) -> Config {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/feeds");
        let settings = std::fs::read_to_string(format!("{golden}/{kind}/settings.toml")).unwrap();
        parse(&format!("[project]\ncontroller = \"Shop\"\n\n{settings}")).unwrap()
    }

    #[test]
    fn an_answer_or_a_call_of_any_shape_names_nobody_and_leaves_a_state_that_goes_on() {
        let odd =
            json!([null, 7, "x", [], {}, {"id": {}, "properties": 7}, [[1]], {"node": {"id": 1}}]);
        let members =
            ["data", "results", "result", "records", "events", "paging", "metadata", "errors"];
        let mut bodies = vec![Value::Null, json!({}), json!([]), json!(7), odd.clone()];
        bodies.extend(members.map(|name| json!({ name: odd, "success": true })));
        bodies.extend(members.map(|name| json!({ name: 7, "success": true, "hasMore": 1 })));
        for kind in CATALOGUE {
            let config = config_of(kind.name);
            let feed = find(kind.name, &config).unwrap();
            let token = Token { access: "t".to_owned(), host: None };
            let secrets = |_: &str| Some("s".to_owned());
            let access = Access { secrets: &secrets, token: Some(&token) };
            let mut state = Value::Null;
            for body in &bodies {
                let called = feed.reader.called(body);
                assert!(called.reports.is_empty(), "{} {body}", kind.name);
                for status in [200, 302, 400, 401, 429, 503] {
                    let now = "2026-11-24T10:00:00Z".parse().unwrap();
                    let turn = Turn { state: &state, told: &[], access, now };
                    assert!(feed.reader.request(&turn).is_ok(), "{} {state}", kind.name);
                    let body = body.to_string();
                    let response = Response { status, headers: Headers::default(), body };
                    if let Ok(page) = feed.reader.read(&turn, &response) {
                        assert!(
                            page.reports.is_empty() && page.touches.is_empty(),
                            "{}",
                            kind.name
                        );
                        state = page.state;
                    }
                }
            }
        }
    }

    #[test]
    fn a_wrong_setting_is_told_with_its_line() {
        let text =
            "[project]\ncontroller = \"Shop\"\n\n[[source]]\nname = \"x\"\nkind = \"feed\"\n";
        let told = |vendor: &str, settings: &str| {
            let basis = "consent_basis = { basis = \"consent\", purposes = [\"analytics\"] }";
            let text = format!("{text}vendor = \"{vendor}\"\n{basis}\n{settings}\n");
            problems(&parse(&text).unwrap()).iter().map(ToString::to_string).collect::<String>()
        };
        assert!(told("hubspt", "").contains("there is braze, buffer"), "{}", told("hubspt", ""));
        for (vendor, settings, field) in [
            ("braze", "tokn = { secret = \"A\" }", "9:1: source.tokn"),
            (
                "buffer",
                "organization = \"o/1\"\nchannels = [\"c\"]\napi_key = { secret = \"A\" }",
                "source.organization",
            ),
            (
                "hootsuite",
                "profiles = { LINKEDIN = [\"1\"] }\nclient_id = { secret = \"A\" }\nclient_secret = { secret = \"B\" }",
                "source.profiles",
            ),
            ("hubspot", "user_id = \"id\"", "source.token"),
            (
                "hubspot",
                "token = { secret = \"A\" }\nwebhook_secret = { secret = \"B\" }",
                "source.portal_id: write portal_id",
            ),
            (
                "marketo",
                "munchkin_id = \"evil.example/\"\nclient_id = { secret = \"A\" }\nclient_secret = { secret = \"B\" }",
                "source.munchkin_id",
            ),
            (
                "salesforce",
                "domain = \"evil.example\"\nclient_id = { secret = \"A\" }\nclient_secret = { secret = \"B\" }",
                "source.domain",
            ),
            (
                "salesforce",
                "domain = \"a.my.salesforce.com\"\nfields = { x = \"A FROM B\" }\nclient_id = { secret = \"A\" }\nclient_secret = { secret = \"B\" }",
                "source.fields",
            ),
            (
                "sumup",
                "api_key = { secret = \"A\" }\nwebhook_key = { secret = \"B\" }\norders = \"all\"",
                "source.orders",
            ),
        ] {
            assert!(told(vendor, settings).contains(field), "{vendor}: {}", told(vendor, settings));
        }
    }
}
