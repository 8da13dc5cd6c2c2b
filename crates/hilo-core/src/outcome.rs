//! The fate of an event, and the closed list of codes that explain it.
//!
//! Every event of an envelope ends in exactly one `Outcome`. A `Code` tells people and programs the reason. A code never
//! changes its meaning and is never used again. Holds no policy.

use alloc::string::String;

use serde::{Serialize, Serializer};

/// The fate of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The event is durable in the profile, with its outbox rows.
    Accepted,
    /// The sender's fault: the event cannot be used. Answer and reject log show the reason.
    Rejected(Rejection),
    /// Our policy: the event was right, and is not kept.
    Dropped(Rejection),
    /// An event with the same `messageId` is stored already.
    Duplicate,
}

impl Outcome {
    /// The outcome's word in the answer, the reject log and the live stream.
    pub const fn name(&self) -> &'static str {
        match self {
            Outcome::Accepted => "accepted",
            Outcome::Rejected(_) => "rejected",
            Outcome::Dropped(_) => "dropped",
            Outcome::Duplicate => "duplicate",
        }
    }

    /// The reason, if the event was rejected or dropped.
    pub const fn rejection(&self) -> Option<&Rejection> {
        match self {
            Outcome::Rejected(why) | Outcome::Dropped(why) => Some(why),
            Outcome::Accepted | Outcome::Duplicate => None,
        }
    }
}

/// A refusal: a stable code, the field to blame, and one sentence about what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// The stable code, for programs.
    pub code: Code,
    /// Dotted path into the message (`context.page.url`), where one field is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// One sentence for people. Never repeats a value of an event. The refusal of an origin names the origin.
    pub message: String,
}

impl Rejection {
    /// A refusal of the whole message.
    pub fn new(code: Code, message: impl Into<String>) -> Rejection {
        Rejection { code, field: None, message: message.into() }
    }

    /// A refusal with a field to blame.
    pub fn at(code: Code, field: impl Into<String>, message: impl Into<String>) -> Rejection {
        Rejection { code, field: Some(field.into()), message: message.into() }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal;)+) => {
        /// Every reason to refuse, drop or remark on an event or a request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[$doc])* $variant),+ }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Code] = &[$(Code::$variant),+];

            /// The stable name.
            pub const fn name(self) -> &'static str {
                match self { $(Code::$variant => $name),+ }
            }

            /// The HTTP status of a refused request. A refused event does not change the status 200, alone or in a batch.
            pub const fn status(self) -> u16 {
                match self { $(Code::$variant => $status),+ }
            }

            /// Whether our own side has to mend something. The sender keeps its events and tries again.
            pub const fn is_ours(self) -> bool {
                self.status() == 503
            }
        }
    };
}

codes! {
    /// Not JSON, cut short, or not UTF-8.
    MalformedBody = "malformed_body", 400;
    /// A `Content-Encoding` other than gzip, or broken gzip.
    UnsupportedEncoding = "unsupported_encoding", 415;
    /// More than [`crate::event::BODY_BYTES_MAX`] on the wire.
    BodyTooLarge = "body_too_large", 413;
    /// More than [`crate::event::INFLATED_BYTES_MAX`] after inflating.
    InflatedTooLarge = "inflated_too_large", 413;
    /// More than [`crate::event::BATCH_EVENTS_MAX`] events.
    TooManyEvents = "too_many_events", 413;
    /// An event about one person more than [`crate::event::PUBLIC_PERSONS_MAX`], in an envelope under a public key.
    TooManyPersons = "too_many_persons", 422;
    /// A call of another system for which its source has no rule.
    NotMapped = "not_mapped", 422;
    /// A call of another system without the value that its rule requires.
    MapMissingRequired = "map_missing_required", 422;
    /// A call of another system with a value that cannot become what its rule says.
    MapBadValue = "map_bad_value", 422;
    /// A field of another type than the specification's.
    WrongType = "wrong_type", 422;
    /// A required field is missing.
    MissingField = "missing_field", 422;
    /// No write key in body or header.
    MissingKey = "missing_key", 401;
    /// A key of no source.
    UnknownKey = "unknown_key", 401;
    /// A key that was switched off for good. hilo's tracker is answered with 410 and purges its queue. Other clients
    /// would send again after 410.
    KeyRevoked = "key_revoked", 401;
    /// A secret key in a place that others can read: an address, or a request from a page.
    KeyExposed = "key_exposed", 403;
    /// The source does not list this origin.
    OriginRefused = "origin_refused", 403;
    /// A call that changes data came without `X-Hilo: 1`.
    MissingHeader = "missing_header", 403;
    /// Too many requests; obey `Retry-After`.
    RateLimited = "rate_limited", 429;
    /// Admin token absent or wrong.
    Unauthorized = "unauthorized", 401;
    /// An admin call that is none of the caller's role.
    RoleMissing = "role_missing", 403;
    /// Text that is no user token: too long, cut short, not base64url, not JSON, or without its times.
    TokenMalformed = "token_malformed", 401;
    /// A user token that names no key, or a key that `hilo.toml` does not have.
    TokenUnknownKey = "token_unknown_key", 401;
    /// A user token with another algorithm than `hilo.toml` pins for its key.
    TokenBadAlgorithm = "token_bad_algorithm", 401;
    /// A user token that the holder of its key did not sign.
    TokenBadSignature = "token_bad_signature", 401;
    /// A user token whose `exp` has passed: ask the shop's backend for a new one.
    TokenExpired = "token_expired", 401;
    /// A user token whose `iat` or `nbf` is still to come.
    TokenNotYet = "token_not_yet", 401;
    /// A user token that is valid for more than 24 hours.
    TokenLongLived = "token_long_lived", 401;
    /// A user token of another issuer.
    TokenWrongIssuer = "token_wrong_issuer", 401;
    /// A user token for another environment.
    TokenWrongAudience = "token_wrong_audience", 401;
    /// A user token whose `sub` is missing, reserved or no id.
    TokenBadSubject = "token_bad_subject", 401;
    /// A user token whose `scope` lacks the scope of this call.
    TokenMissingScope = "token_missing_scope", 403;
    /// An id that exists, without the proof that it is the sender's.
    NotYours = "not_yours", 403;
    /// An id whose person had everything erased: it is never used again. For a verified user: what happened before the erasure.
    Erased = "erased", 403;
    /// A subscription that has to be confirmed, where `hilo.toml` names no destination that carries the link.
    OptInUnconfirmable = "optin_unconfirmable", 422;
    /// A token of a hand-over that opens nothing here, or nothing any more: the page goes on with its own id.
    HandoffRefused = "handoff_refused", 403;
    /// A grant that was made before the person's recorded denial, and does not lift it.
    ConsentOutdated = "consent_outdated", 409;
    /// An `Import-Id` that belongs to another source or kind, or an `Import-Seq` that was sent with other rows.
    ImportChanged = "import_changed", 409;
    /// A webhook whose vendor did not make the call: a wrong signature, or a wrong token.
    BadSignature = "bad_signature", 401;
    /// A webhook with a valid signature that was made too long ago or is still to come.
    StaleSignature = "stale_signature", 401;
    /// No such path or object.
    NotFound = "not_found", 404;
    /// The path exists, with another method.
    MethodNotAllowed = "method_not_allowed", 405;
    /// The events may not be durable: send them again later.
    Unavailable = "unavailable", 503;
    /// This version cannot read the configuration, and there is no earlier one that it can read.
    ConfigInvalid = "config_invalid", 503;
    /// No configuration was uploaded.
    ConfigMissing = "config_missing", 503;
    /// The store of the configuration does not answer, and there is no copy.
    ConfigUnreadable = "config_unreadable", 503;
    /// The configuration and the deployment name different jurisdictions, so the collector would look for everybody elsewhere.
    JurisdictionChanged = "jurisdiction_changed", 503;
    /// A secret of the collector is not set.
    SecretMissing = "secret_missing", 503;
    /// A secret of the collector is so short that it could be guessed.
    SecretShort = "secret_short", 503;
    /// A newer version of the collector has changed the storage, and the one that runs cannot run on it.
    SchemaNewer = "schema_newer", 503;

    /// An item that is not a JSON object.
    MalformedEvent = "malformed_event", 422;
    /// More than [`crate::event::EVENT_BYTES_MAX`].
    EventTooLarge = "event_too_large", 413;
    /// A `type` that the specification does not know.
    UnknownType = "unknown_type", 422;
    /// Neither `anonymousId` nor a `userId` that this source may vouch for.
    MissingId = "missing_id", 422;
    /// An id such as `null`, `undefined` or `guest`, which would merge strangers. A remark if the event has another id.
    ReservedId = "reserved_id", 422;
    /// The same key twice in one object: JSON readers disagree about such objects.
    DuplicateKey = "duplicate_key", 422;
    /// Nested deeper than [`crate::event::DEPTH_MAX`].
    TooDeep = "too_deep", 422;
    /// More than [`crate::event::OBJECT_KEYS_MAX`] keys in one object.
    TooManyKeys = "too_many_keys", 422;
    /// A key longer than [`crate::event::KEY_BYTES_MAX`].
    KeyTooLong = "key_too_long", 422;
    /// The event carries no consent. Silence is never consent.
    NoConsent = "no_consent", 422;
    /// Only consent categories that `hilo.toml` does not map could have granted what the event needs.
    UnknownCategory = "unknown_category", 422;
    /// A purpose the event needs is denied or unanswered.
    ConsentDenied = "consent_denied", 403;
    /// `Sec-GPC: 1` denies a purpose the event needs.
    GpcDenied = "gpc_denied", 403;

    /// A program that calls itself a bot has sent the event, and `hilo.toml` refuses bots.
    BotRefused = "bot_refused", 403;
    /// The tracking plan has no event of this name. A remark where the plan only flags.
    PlanUnknownEvent = "plan_unknown_event", 422;
    /// A property that the tracking plan requires is missing. A remark where the plan only flags.
    PlanMissing = "plan_missing", 422;
    /// A property has another type than the tracking plan's. A remark where the plan flags or strips.
    PlanType = "plan_type", 422;
    /// A property has a value that the tracking plan does not list. A remark where the plan flags or strips.
    PlanEnum = "plan_enum", 422;
    /// A property is longer, smaller or greater than the tracking plan allows. A remark where the plan flags or strips.
    PlanLimit = "plan_limit", 422;
    /// A property that the tracking plan does not have. A remark where the plan flags or strips.
    PlanUnknownProperty = "plan_unknown_property", 422;

    /// Remark: a field the specification does not know was left out; the event was kept.
    UnknownField = "unknown_field", 200;
    /// Remark: a field that is personal and not asked for was left out; the event was kept.
    NotKept = "not_kept", 200;
    /// Remark: a string was cut to its limit; the event was kept.
    Truncated = "truncated", 200;
    /// Remark: `NaN`, `Infinity` or a number out of every range became `null`; the event was kept.
    NotANumber = "not_a_number", 200;
    /// Remark: a time could not be read; the event was kept with the time of receipt.
    BadTimestamp = "bad_timestamp", 200;
    /// Remark: a key that changes prototypes in JavaScript was left out; the event was kept.
    UnsafeKey = "unsafe_key", 200;
    /// Remark: the same `messageId` twice in one envelope; the first was kept.
    DuplicateId = "duplicate_id", 200;
    /// Remark: the address is that of several known people, so the event waits under an unknown contact.
    ContactAmbiguous = "contact_ambiguous", 200;
    /// Remark: nobody is known under the address yet, so the event waits under an unknown contact.
    ContactUnknown = "contact_unknown", 200;
    /// Remark: the source only claims who the person is, so the event is joined to nobody.
    IdentityClaimed = "identity_claimed", 200;
    /// Remark: a campaign's field was a template that nobody filled in; it was left out.
    UnrenderedTemplate = "unrendered_template", 200;
    /// Remark: a link inside the site has campaign parameters, so it looks as if a campaign had brought the visitor again.
    InternalCampaign = "internal_campaign", 200;
    /// Remark: a telephone number has no reading, or several, in the shop's country; it was kept as it came.
    PhoneUnparsed = "phone_unparsed", 200;
    /// Remark: a device was erased. The profile of the verified user to whom it is linked stays, because that needs the user's token.
    UserKept = "user_kept", 200;
}

/// The codes that the collector refuses a whole request of hilo's page with. The page obeys no other refusal: portals,
/// proxies and firewalls refuse in the collector's place, some of them with codes of their own.
///
/// Text, because the page would carry the names of all codes otherwise.
pub const PAGE_REFUSALS: &str = "\
    malformed_body body_too_large inflated_too_large event_too_large too_many_events too_many_keys key_too_long too_deep \
    duplicate_key missing_key unknown_key key_revoked key_exposed missing_field missing_header wrong_type reserved_id \
    origin_refused not_yours erased unsupported_encoding";

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Codes with the statuses of [`PAGE_REFUSALS`] that no whole request of the tracker is refused with: calls of other clients, and
    /// single events, whose refusals stand inside an answer 200.
    const OTHERS: [Code; 36] = [
        Code::NotMapped,
        Code::MapMissingRequired,
        Code::MapBadValue,
        Code::Unauthorized,
        Code::RoleMissing,
        Code::TokenMalformed,
        Code::TokenUnknownKey,
        Code::TokenBadAlgorithm,
        Code::TokenBadSignature,
        Code::TokenExpired,
        Code::TokenNotYet,
        Code::TokenLongLived,
        Code::TokenWrongIssuer,
        Code::TokenWrongAudience,
        Code::TokenBadSubject,
        Code::TokenMissingScope,
        Code::BadSignature,
        Code::StaleSignature,
        Code::TooManyPersons,
        Code::MalformedEvent,
        Code::UnknownType,
        Code::MissingId,
        Code::NoConsent,
        Code::UnknownCategory,
        Code::ConsentDenied,
        Code::GpcDenied,
        Code::TooManyPersons,
        Code::OptInUnconfirmable,
        Code::HandoffRefused,
        Code::BotRefused,
        Code::PlanUnknownEvent,
        Code::PlanMissing,
        Code::PlanType,
        Code::PlanEnum,
        Code::PlanLimit,
        Code::PlanUnknownProperty,
    ];

    #[test]
    fn every_code_is_a_refusal_that_the_page_obeys_or_one_that_it_never_gets() {
        let known: BTreeSet<&str> = PAGE_REFUSALS.split(' ').collect();
        let mut expected = BTreeSet::new();
        for code in Code::ALL {
            let decides = matches!(code.status(), 400 | 401 | 403 | 410 | 413 | 415 | 422);
            if decides && !OTHERS.contains(code) {
                expected.insert(code.name());
            }
        }
        assert_eq!(known, expected);
    }

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|c| c.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
