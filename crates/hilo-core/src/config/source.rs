//! `[[source]]`: a configured sender of events, with its keys, its origins, and the legal basis of a server's events.
//! Reads and checks the table. The collector compares keys and origins with requests.

use serde::Serialize;

use super::feed::{self, Feed};
use super::inbound::{self, Inbound};
use super::key::{self, Key};
use super::reader::{Reader, Section};
use super::source_kind::SourceKind;
use super::webhook::{self, Webhook};
use super::{Origin, ProblemCode};
use crate::consent::Purpose;
use crate::event::Trust;
use crate::hosts::is_public_suffix;

/// The environment whose file may list pages of a developer's machine.
const DEVELOPMENT: &str = "development";

/// A configured sender of events.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Source {
    /// The name in reports and logs.
    pub name: String,
    /// The kind of sender.
    pub kind: SourceKind,
    /// The keys.
    pub keys: Vec<Key>,
    /// The origins from which it may send. Only pages and the pages of apps have origins.
    pub origins: Vec<Origin>,
    /// The domain whose hosts share the cookie of a visitor's id. Without one, each host of the collector has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie_domain: Option<String>,
    /// The legal basis of events that carry no consent themselves. Pages cannot have a basis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent_basis: Option<ConsentBasis>,
    /// Whether ids of devices are kept where the person allows advertising.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub device_ids: bool,
    /// Whether `?hilo_debug` in an address opens the debugger on the pages of this source.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub debug: bool,
    /// Whether it vouches for the addresses that it names beside a person, and for whose they are.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_trusted: bool,
    /// The webhook, if another system calls by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// The service, if hilo reads the sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feed: Option<Feed>,
    /// What the calls of a webhook mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inbound: Option<Inbound>,
}

/// The legal basis of a server's events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConsentBasis {
    /// The legal ground (GDPR, article 6).
    pub basis: Basis,
    /// The purposes it covers.
    pub purposes: Vec<Purpose>,
}

/// A legal ground for using data (GDPR, article 6(1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The person agreed, and the sender keeps the record.
    Consent,
    /// The contract with the person cannot be kept without it.
    Contract,
    /// A law demands it.
    LegalObligation,
    /// The sender's interest, weighed against the person's interest.
    LegitimateInterest,
}

impl Basis {
    /// The word in `hilo.toml`, and in the consent of the events that rest on it.
    pub const fn name(self) -> &'static str {
        match self {
            Basis::Consent => "consent",
            Basis::Contract => "contract",
            Basis::LegalObligation => "legal_obligation",
            Basis::LegitimateInterest => "legitimate_interest",
        }
    }
}

impl Source {
    /// Whether a backend sends: the company's own or another system's.
    pub const fn is_server(&self) -> bool {
        matches!(self.kind, SourceKind::Server | SourceKind::Webhook | SourceKind::Feed)
    }

    /// How far the collector trusts the sender.
    pub const fn trust(&self) -> Trust {
        match self.kind {
            SourceKind::Browser | SourceKind::App => Trust::Public,
            SourceKind::Server | SourceKind::Webhook | SourceKind::Feed => Trust::Server,
        }
    }

    /// Whether a page of `origin` may use this source.
    ///
    /// In development every port of this machine may. Elsewhere only listed origins may, and a page of a machine's own
    /// only where the source is an app.
    pub fn allows_origin(&self, origin: &Origin, dev: bool) -> bool {
        let is_listed = || self.origins.iter().any(|rule| rule.covers(origin));
        match self.kind {
            SourceKind::Server | SourceKind::Webhook | SourceKind::Feed => false,
            _ if dev && origin.is_loopback() && origin.is_web() => true,
            SourceKind::Browser => !origin.is_loopback() && is_listed(),
            SourceKind::App => is_listed(),
        }
    }
}

/// Reads every `[[source]]` of a file for `environment`.
pub(super) fn read_all(reader: &Reader<'_>, root: &Section<'_>, environment: &str) -> Vec<Source> {
    let mut sources: Vec<Source> = Vec::new();
    for section in reader.sections(root, "source") {
        let source = read(reader, &section, &sources, environment);
        sources.push(source);
    }
    sources
}

fn read(
    reader: &Reader<'_>,
    section: &Section<'_>,
    earlier: &[Source],
    environment: &str,
) -> Source {
    if section.value("kind").is_some_and(|kind| kind.get_ref().as_str() == Some("feed")) {
        return read_feed(reader, section, earlier);
    }
    let own = [
        "name",
        "kind",
        "keys",
        "origins",
        "cookie_domain",
        "consent_basis",
        "device_ids",
        "debug",
        "identity",
    ];
    reader.only(section, &[own.as_slice(), &webhook::FIELDS, &inbound::FIELDS].concat());
    let name = name(
        reader,
        section,
        &earlier.iter().map(|source| source.name.as_str()).collect::<Vec<_>>(),
    );
    let kind = match reader.word(section, "kind", &["browser", "app", "server", "webhook", "feed"])
    {
        Some("app") => Some(SourceKind::App),
        Some("server") => Some(SourceKind::Server),
        Some("webhook") => Some(SourceKind::Webhook),
        Some(_) => Some(SourceKind::Browser),
        None => None,
    };
    if !section.has("kind") {
        reader.report_missing(
            section,
            "kind",
            "say what sends: `browser` for pages, `app` for apps, `server` for backends, `webhook` for another system that calls by itself, `feed` for a service that hilo reads",
        );
    }
    let taken_keys: Vec<_> =
        earlier.iter().flat_map(|source| &source.keys).map(|key| &key.text).collect();
    let origins = origins(reader, section, kind, environment == DEVELOPMENT);
    Source {
        name,
        kind: kind.unwrap_or(SourceKind::Browser),
        keys: key::read_all(reader, section, kind, &taken_keys),
        cookie_domain: cookie_domain(reader, section, kind, &origins),
        origins,
        consent_basis: consent_basis(reader, section, kind),
        device_ids: device_ids(reader, section, kind),
        debug: debug(reader, section, kind),
        is_trusted: is_trusted(reader, section, kind),
        webhook: webhook::read(reader, section, kind == Some(SourceKind::Webhook)),
        feed: None,
        inbound: inbound::read(reader, section, kind == Some(SourceKind::Webhook)),
    }
}

fn read_feed(reader: &Reader<'_>, section: &Section<'_>, earlier: &[Source]) -> Source {
    let kind = SourceKind::Feed;
    let taken: Vec<_> = earlier.iter().map(|source| source.name.as_str()).collect();
    Source {
        name: name(reader, section, &taken),
        kind,
        keys: Vec::new(),
        origins: Vec::new(),
        cookie_domain: None,
        consent_basis: consent_basis(reader, section, Some(kind)),
        device_ids: false,
        debug: false,
        is_trusted: is_trusted(reader, section, Some(kind)),
        webhook: None,
        feed: Some(feed::read(reader, section)),
        inbound: None,
    }
}

/// A name of lower-case letters, digits, `-` and `_` that no other entry has.
pub(super) fn name(reader: &Reader<'_>, section: &Section<'_>, taken: &[&str]) -> String {
    let field = section.path_of("name");
    if !section.has("name") {
        reader.report_missing(section, "name", "give it a name: reports and logs use it");
    }
    let Some((name, span)) = reader.text_at(section, "name") else { return String::new() };
    let is_plain = name.len() <= 64
        && name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
        });
    if !is_plain {
        let message =
            "write names with lower-case letters, digits, `-` and `_`, at most 64 of them";
        reader.report(span, &field, ProblemCode::BadValue, message);
    } else if taken.contains(&name.as_str()) {
        let message = format!("`{name}` is taken: every {} has its own name", section.path);
        reader.report(span, &field, ProblemCode::Duplicate, message);
    }
    name
}

fn origins(
    reader: &Reader<'_>,
    section: &Section<'_>,
    kind: Option<SourceKind>,
    is_development: bool,
) -> Vec<Origin> {
    let field = section.path_of("origins");
    let values = reader.list(section, "origins", "a list of origins");
    match (kind, section.value("origins")) {
        (Some(SourceKind::Server | SourceKind::Webhook), Some(value)) => {
            let message = "only browsers send an origin: this kind of source has none";
            reader.report(value.span(), &field, ProblemCode::BadValue, message);
        }
        (Some(SourceKind::Browser), _) if section.is_blank("origins") => {
            let message = "list the origins whose pages may use this source, such as [\"https://www.shop.example\"]";
            reader.report_missing(section, "origins", message);
        }
        _ => {}
    }
    let mut origins = Vec::new();
    for value in values {
        let Some(text) = reader.as_text(value, &field) else { continue };
        match Origin::parse_rule(&text, kind.unwrap_or(SourceKind::Browser), is_development) {
            Ok(origin) => origins.push(origin),
            Err(message) => reader.report(value.span(), &field, ProblemCode::BadValue, message),
        }
    }
    origins
}

/// A domain that somebody registered, or one below it, of which every origin is a host.
fn cookie_domain(
    reader: &Reader<'_>,
    section: &Section<'_>,
    kind: Option<SourceKind>,
    origins: &[Origin],
) -> Option<String> {
    let (domain, span) = reader.text_at(section, "cookie_domain")?;
    let is_plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
    };
    let is_address = domain.parse::<std::net::IpAddr>().is_ok();
    let is_domain =
        domain.bytes().all(is_plain) && domain.split('.').all(|label| !label.is_empty());
    let message = if kind != Some(SourceKind::Browser) {
        "only pages have the cookie: an app's page proves nothing by its origin, and a server has no cookies"
    } else if !is_domain || is_address {
        "write the domain alone, in lower case, such as \"shop.example\""
    } else if is_public_suffix(&domain) {
        "everybody can have a host of this domain, so browsers refuse a cookie for it: write your own domain, such as \"shop.example\""
    } else if !origins.iter().all(|origin| origin.is_of(&domain)) {
        "every origin of the source must be a host of this domain: pages elsewhere would not get the cookie"
    } else {
        return Some(domain);
    };
    reader.report(span, &section.path_of("cookie_domain"), ProblemCode::BadValue, message);
    None
}

fn device_ids(reader: &Reader<'_>, section: &Section<'_>, kind: Option<SourceKind>) -> bool {
    let is_asked = reader.flag(section, "device_ids").unwrap_or(false);
    if let (Some(value), Some(SourceKind::Webhook)) = (section.value("device_ids"), kind) {
        let message =
            "what other systems report names no device: this kind of source has no such setting";
        let field = section.path_of("device_ids");
        reader.report(value.span(), &field, ProblemCode::BadValue, message);
    }
    is_asked
}

/// `identity = "trusted"` or `"claimed"`. Where the file says nothing, the company's own backend is trusted, and so is a service that hilo reads
/// with the company's own account; a system that calls is not.
fn is_trusted(reader: &Reader<'_>, section: &Section<'_>, kind: Option<SourceKind>) -> bool {
    let word = reader.word(section, "identity", &["trusted", "claimed"]);
    let is_server =
        matches!(kind, Some(SourceKind::Server | SourceKind::Webhook | SourceKind::Feed));
    if let (Some(value), false) = (section.value("identity"), is_server) {
        let message = "what a page says about a person is always a claim: this kind of source has no such setting";
        reader.report(value.span(), &section.path_of("identity"), ProblemCode::BadValue, message);
    }
    match word {
        Some(word) => is_server && word == "trusted",
        None => matches!(kind, Some(SourceKind::Server | SourceKind::Feed)),
    }
}

fn debug(reader: &Reader<'_>, section: &Section<'_>, kind: Option<SourceKind>) -> bool {
    let is_on = reader.flag(section, "debug").unwrap_or(false);
    if let (Some(value), Some(SourceKind::Server | SourceKind::Webhook)) =
        (section.value("debug"), kind)
    {
        let message = "only pages have the debugger: this kind of source has no such setting";
        reader.report(value.span(), &section.path_of("debug"), ProblemCode::BadValue, message);
    }
    is_on
}

fn consent_basis(
    reader: &Reader<'_>,
    section: &Section<'_>,
    kind: Option<SourceKind>,
) -> Option<ConsentBasis> {
    let basis = reader.section(section, "consent_basis")?;
    if matches!(kind, Some(SourceKind::Browser | SourceKind::App)) {
        let message = "a page or an app may not declare a basis: it sends what the visitor allowed";
        reader.report(
            basis.span,
            &section.path_of("consent_basis"),
            ProblemCode::BadValue,
            message,
        );
        return None;
    }
    reader.only(&basis, &["basis", "purposes"]);
    for (field, message) in [
        (
            "basis",
            "say what the events rest on: consent, contract, legal_obligation or legitimate_interest",
        ),
        ("purposes", "say which purposes the basis covers, such as [\"analytics\"]"),
    ] {
        if !basis.has(field) {
            reader.report_missing(&basis, field, message);
        }
    }
    let word = reader.word(
        &basis,
        "basis",
        &["consent", "contract", "legal_obligation", "legitimate_interest"],
    );
    let purposes = reader.purposes(&basis, "purposes");
    let basis = match word? {
        "consent" => Basis::Consent,
        "contract" => Basis::Contract,
        "legal_obligation" => Basis::LegalObligation,
        _ => Basis::LegitimateInterest,
    };
    Some(ConsentBasis { basis, purposes })
}
