//! Facts of the edge about a request, gathered once. The core learns of clock, chance and place only from them.
//! Shapes only: the collector's `ingest` fills them.

use jiff::Timestamp;

/// The edge's facts about the request that brought an envelope.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The edge clock at the request.
    pub received_at: Timestamp,
    /// Fresh random bytes, for events without an id.
    pub random: [u8; 16],
    /// How far the collector trusts the sender.
    pub trust: Trust,
    /// The connection's IP address. Truncated before an event is stored.
    pub ip: Option<String>,
    /// The request's own user agent. Reduced before an event is stored.
    pub user_agent: Option<String>,
    /// The client hints that the request's browser sent.
    pub hints: ClientHints,
    /// Whether `Sec-GPC: 1` was sent.
    pub gpc: bool,
    /// The location of the address by the edge's own data.
    pub geo: Geo,
}

/// Client hints, as the fields of a request have them (<https://wicg.github.io/ua-client-hints/>).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHints {
    /// `Sec-CH-UA`: the brands with their major versions.
    pub brands: Option<String>,
    /// `Sec-CH-UA-Mobile`: `?1` or `?0`.
    pub mobile: Option<String>,
    /// `Sec-CH-UA-Platform`: the system.
    pub platform: Option<String>,
    /// `Sec-CH-UA-Platform-Version`: the system's version, which a browser sends only where it was asked for.
    pub platform_version: Option<String>,
}

/// How far the collector trusts a sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// A public write key: the sender may add events and claim a user id, but vouches for none.
    #[default]
    Public,
    /// A secret server key: the sender vouches for user ids.
    Server,
}

/// A location by address, as `request.cf` has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Geo {
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Region name.
    pub region: Option<String>,
    /// City name.
    pub city: Option<String>,
    /// IANA name of the time zone there.
    pub timezone: Option<String>,
}
