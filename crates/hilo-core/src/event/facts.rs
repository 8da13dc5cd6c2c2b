//! What the edge knows about a request, gathered once and passed down: the core's only window on the world.
//! Shapes only. Who fills them is `hilo-collector/platform`.

use jiff::Timestamp;

/// What the edge knows about the request an envelope came in.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Edge clock.
    pub received_at: Timestamp,
    /// Fresh random bytes, for the ids that senders left out.
    pub random: [u8; 16],
    /// How far the sender's word counts.
    pub trust: Trust,
    /// The connection's address. Truncated before anything is stored.
    pub ip: Option<String>,
    /// The request's own user agent. Reduced before anything is stored.
    pub user_agent: Option<String>,
    /// `Sec-GPC: 1` was sent.
    pub gpc: bool,
    /// Where the edge thinks the address is.
    pub geo: Geo,
}

/// How far a sender's word counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// A public write key: may append, may claim, may not vouch.
    #[default]
    Public,
    /// A secret server key: may name a user.
    Server,
}

/// Location by address, as `request.cf` has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Geo {
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Region name.
    pub region: Option<String>,
    /// City name.
    pub city: Option<String>,
}
