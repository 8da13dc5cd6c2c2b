//! Faults of the deployment itself, as `/health` lists them: a closed list of codes, each with its remedy.
//!
//! A fault is the deployer's to mend. A sender's mistake is a `hilo_core::outcome::Rejection`. This file finds nothing.

use hilo_core::config::Problem;
use hilo_core::outcome::{Code, Rejection};
use jiff::Timestamp;

macro_rules! faults {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $loses:literal, $remedy:literal;)+) => {
        /// The kinds of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum FaultCode { $($(#[$doc])* $variant),+ }

        impl FaultCode {
            /// Every kind, in the order of the documentation.
            pub const ALL: &'static [FaultCode] = &[$(FaultCode::$variant),+];

            /// The stable name.
            pub const fn name(self) -> &'static str {
                match self { $(FaultCode::$variant => $name),+ }
            }

            /// Whether events are refused or lost while this fault lasts.
            pub const fn loses_events(self) -> bool {
                match self { $(FaultCode::$variant => $loses),+ }
            }

            /// What the deployer does, in one sentence.
            pub const fn remedy(self) -> &'static str {
                match self { $(FaultCode::$variant => $remedy),+ }
            }
        }
    };
}

faults! {
    /// No configuration was uploaded. Where an earlier one is in force, [`Fault::is_bridged`] says so.
    ConfigMissing = "config_missing", true,
        "no hilo.toml is uploaded: cargo xtask config push FILE";
    /// KV does not answer.
    ConfigUnreadable = "config_unreadable", true,
        "KV does not give hilo.toml: see that wrangler.jsonc binds CONFIG, and https://www.cloudflarestatus.com";
    /// This version cannot read the uploaded file.
    ConfigInvalid = "config_invalid", true,
        "this version cannot read the uploaded hilo.toml: mend it and push it again, or cargo xtask config rollback";
    /// The file of a developer's machine is in force on a live site.
    ConfigDevelopment = "config_development", true,
        "the file of a developer's machine is in force, and it refuses real visitors: cargo xtask config push your own";
    /// The file names another jurisdiction than the deployment.
    JurisdictionChanged = "jurisdiction_changed", true,
        "[storage] jurisdiction of hilo.toml and HILO_JURISDICTION of wrangler.jsonc differ, and neither may change after installation: write both as they were, push and deploy";
    /// `HILO_SECRET` is not set.
    SecretMissing = "secret_missing", true,
        "openssl rand -base64 32 | cargo xtask wrangler secret put HILO_SECRET";
    /// `HILO_SECRET` or a signing secret has fewer than 32 bytes.
    SecretShort = "secret_short", true,
        "a secret needs 32 bytes: openssl rand -base64 32 | cargo xtask wrangler secret put NAME";
    /// The secret of a token's key is missing or too short, so nobody can sign in.
    TokenSecretUnusable = "token_secret_unusable", true,
        "the secret of an [[identity.key]] is missing or has fewer than 32 bytes: cargo xtask wrangler secret put NAME";
    /// The secret of a webhook source is missing or too short, so its orders are refused.
    WebhookSecretUnusable = "webhook_secret_unusable", true,
        "the secret of a webhook source is missing or has fewer than 16 bytes: cargo xtask wrangler secret put NAME";
    /// The secret of a destination is not set, so its deliveries wait until they are given up.
    DestinationSecretMissing = "destination_secret_missing", true,
        "the secret of a destination is not set: cargo xtask wrangler secret put NAME";
    /// A destination gets no access tokens until the deployer acts, so its deliveries wait until they are given up.
    DestinationDisconnected = "destination_disconnected", true,
        "a destination has no access any more: cargo xtask connect NAME, or mend its secrets; GET /admin/v1/destinations shows why";
    /// A destination refuses our secret or token, so its deliveries wait until they are given up.
    DestinationUnauthorized = "destination_unauthorized", true,
        "a destination does not let us in: see its answer in GET /admin/v1/deliveries, mend its secret or its rights, and nothing is lost within four days";
    /// A destination has accepted nothing for a while.
    DestinationDown = "destination_down", true,
        "a destination accepts nothing: GET /admin/v1/deliveries shows its last error";
    /// A destination's last attempt failed.
    DestinationErrors = "destination_errors", false,
        "deliveries are tried again: GET /admin/v1/deliveries shows the last error";
    /// The queue takes messages and brings none, so deliveries wait.
    QueueStuck = "queue_stuck", true,
        "the queue brings nothing: see its consumer, its backlog and the day's operations in Cloudflare's dashboard; deliveries wait, and nothing is lost within four days";
    /// The secret of a feed is not set, so its service is not read.
    FeedSecretMissing = "feed_secret_missing", false,
        "the secret of a feed is not set: cargo xtask wrangler secret put NAME";
    /// A service was not read for longer than it should be. What happened there meanwhile is read later.
    FeedBehind = "feed_behind", false,
        "a feed is behind: GET /admin/v1/feeds shows its last error; without any, see that wrangler.jsonc has its cron trigger";
    /// This version cannot run on the storage of some objects, because a newer version has changed it. Calls of these objects
    /// are refused, and nothing of them is lost.
    SchemaNewer = "schema_newer", true,
        "a newer version has changed the storage, and this version cannot run on it: npx wrangler versions list, and deploy the newer one again";
    /// Nobody can make admin calls.
    AdminDoorClosed = "admin_door_closed", false,
        "openssl rand -base64 32 | cargo xtask wrangler secret put HILO_ADMIN_TOKEN";
    /// The secret that signs alerts is missing or is none, so no alert is sent.
    AlertUnusable = "alert_unusable", false,
        "the secret of [health] alert is not set, or is no whsec_ secret of 24 to 64 bytes: cargo xtask wrangler secret put NAME";
    /// The journal does not answer, so refusals are not noted.
    JournalUnreachable = "journal_unreachable", false,
        "the journal's object does not answer: see https://www.cloudflarestatus.com";
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind.
    pub code: FaultCode,
    /// The earliest time at which this isolate or the journal knows of the fault.
    pub since: Timestamp,
    /// Whether an earlier configuration is in force in place of the broken one, so that nothing is lost.
    pub is_bridged: bool,
    /// What it is about, for operators: the name of a secret or destination.
    pub about: Option<String>,
    /// What exactly is wrong, for operators.
    pub details: Vec<String>,
}

impl Fault {
    /// A fault that was just found.
    pub fn new(code: FaultCode, since: Timestamp) -> Fault {
        Fault { code, since, is_bridged: false, about: None, details: Vec::new() }
    }

    /// A fault of one secret or destination.
    pub fn about(code: FaultCode, since: Timestamp, about: impl Into<String>) -> Fault {
        Fault { about: Some(about.into()), ..Fault::new(code, since) }
    }

    /// The fault of a file that cannot be read.
    pub fn invalid(problems: &[Problem], since: Timestamp) -> Fault {
        let details = problems.iter().map(ToString::to_string).collect();
        Fault { details, ..Fault::new(FaultCode::ConfigInvalid, since) }
    }

    /// Whether events are refused or lost.
    pub fn loses_events(&self) -> bool {
        self.code.loses_events() && !self.is_bridged
    }

    /// The same fault, with the earlier time of `before` if `before` is the same fault.
    #[must_use]
    pub fn lasting(mut self, before: Option<&Fault>) -> Fault {
        let same = before.filter(|one| one.code == self.code && one.about == self.about);
        self.since = same.map_or(self.since, |one| one.since.min(self.since));
        self
    }

    /// The answer to a request that cannot be served because of this fault.
    pub fn rejection(&self) -> Rejection {
        self.code.rejection()
    }
}

impl FaultCode {
    /// The answer to a request that cannot be served because of such a fault.
    pub fn rejection(self) -> Rejection {
        let code = match self {
            FaultCode::ConfigMissing => Code::ConfigMissing,
            FaultCode::ConfigInvalid => Code::ConfigInvalid,
            FaultCode::ConfigUnreadable => Code::ConfigUnreadable,
            FaultCode::JurisdictionChanged => Code::JurisdictionChanged,
            FaultCode::SecretMissing => Code::SecretMissing,
            FaultCode::SecretShort => Code::SecretShort,
            FaultCode::SchemaNewer => Code::SchemaNewer,
            FaultCode::ConfigDevelopment
            | FaultCode::TokenSecretUnusable
            | FaultCode::WebhookSecretUnusable
            | FaultCode::DestinationSecretMissing
            | FaultCode::DestinationDisconnected
            | FaultCode::DestinationUnauthorized
            | FaultCode::DestinationDown
            | FaultCode::DestinationErrors
            | FaultCode::QueueStuck
            | FaultCode::FeedSecretMissing
            | FaultCode::FeedBehind
            | FaultCode::AdminDoorClosed
            | FaultCode::AlertUnusable
            | FaultCode::JournalUnreachable => Code::Unavailable,
        };
        Rejection::new(code, self.remedy())
    }
}
