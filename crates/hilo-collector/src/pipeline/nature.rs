//! The table of calls: what the stages before a call must know about it. A new call is a line here.
//!
//! A route → its nature. This file reads no request and refuses nothing.

use crate::ingest::{CartAct, Route};

/// The nature of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    /// The call brings data to objects. A refusal of the whole call loses them.
    Brings,
    /// The call reads from objects. Its sender learns enough from the answer.
    Reads,
    /// A page asks whether it may send. A page that may not asks once, and then sends nothing.
    AsksFirst,
    /// The answer contains nothing secret, and every page may read it.
    Public,
    /// The call reaches no object of a person or a cart.
    Aside,
}

impl Nature {
    /// Finds the nature of a call.
    pub(super) const fn of(route: &Route) -> Nature {
        match route {
            Route::Cart(_, CartAct::Live)
            | Route::ConsentCopy
            | Route::OptInLink(..)
            | Route::OAuthCallback
            | Route::Me(_)
            | Route::Erasure(_) => Nature::Reads,
            Route::Batch
            | Route::Beacon
            | Route::Single(_)
            | Route::Jitsu(_)
            | Route::Hello
            | Route::Handoff
            | Route::Adopt
            | Route::ConsentChange
            | Route::OptIn
            | Route::Cart(..)
            | Route::Reports
            | Route::Webhook(_) => Nature::Brings,
            Route::Preflight => Nature::AsksFirst,
            Route::Settings(_) | Route::SourceConfig => Nature::Public,
            Route::Metrics
            | Route::Health
            | Route::Ready
            | Route::Version
            | Route::Admin(_)
            | Route::File(_)
            | Route::WebhookProbe(_) => Nature::Aside,
        }
    }

    /// The name under which a call is measured.
    pub(super) const fn name(route: &Route) -> &'static str {
        match route {
            Route::Batch => "batch",
            Route::Beacon => "beacon",
            Route::Single(_) => "single",
            Route::Jitsu(_) => "jitsu",
            Route::Metrics => "library metrics",
            Route::Settings(_) | Route::SourceConfig => "settings",
            Route::Hello => "hello",
            Route::Handoff => "handoff",
            Route::Adopt => "adopt",
            Route::ConsentChange | Route::ConsentCopy => "consent",
            Route::OptIn | Route::OptInLink(..) => "optin",
            Route::OAuthCallback => "oauth",
            Route::Me(_) | Route::Erasure(_) => "me",
            Route::Cart(..) => "cart",
            Route::Reports => "reports",
            Route::Webhook(_) | Route::WebhookProbe(_) => "webhook",
            Route::Health | Route::Ready | Route::Version => "health",
            Route::Admin(_) => "admin",
            Route::File(_) => "file",
            Route::Preflight => "preflight",
        }
    }

    /// Whether the call names objects or reads signatures. Then it needs the collector's secret, and its network is counted.
    pub(super) const fn names_objects(self) -> bool {
        matches!(self, Nature::Brings | Nature::Reads)
    }

    /// Whether a refusal of the whole call goes into the reject log.
    pub(super) const fn is_noted(self) -> bool {
        matches!(self, Nature::Brings | Nature::AsksFirst)
    }
}
