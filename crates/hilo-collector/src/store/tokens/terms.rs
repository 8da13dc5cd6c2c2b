//! What the storage of a destination's tokens has to know of `hilo.toml` and the secrets of today.
//!
//! Shapes only. `pipeline/tokens` fills them.

/// What today's configuration says about the destination.
#[derive(Clone)]
pub struct Terms {
    /// The destination's name.
    pub name: String,
    /// The client, as a hash of its id at its service.
    pub client: String,
    /// The client's proof, as a hash.
    pub proof: String,
    /// The refresh token that the deployer has set, if there is one.
    pub first: Option<String>,
    /// Whether tokens need a person's grant.
    pub needs_grant: bool,
    /// Whether a refresh token is good only once.
    pub rotates: bool,
}
