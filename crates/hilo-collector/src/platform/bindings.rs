//! The names under which wrangler.jsonc binds things. The only place that knows them.

/// Namespace of the profile objects.
pub const PROFILES: &str = "PROFILES";
/// Namespace of the journal object.
pub const JOURNAL: &str = "JOURNAL";
/// Queue that carries deliveries off the request's path.
pub const DELIVERIES: &str = "DELIVERIES";
/// KV namespace that may hold `hilo.toml`.
pub const CONFIG: &str = "CONFIG";
/// The tracker's files.
pub const ASSETS: &str = "ASSETS";
/// `1` on a developer's machine.
pub const DEV: &str = "HILO_DEV";
/// Path prefix on the site's own host.
pub const MOUNT: &str = "HILO_MOUNT";
