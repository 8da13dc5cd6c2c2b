//! THE field table: every field that a sender may fill, with its shape, limit and privacy class.
//!
//! `validate` reads shapes and limits. A law holds `normalize` against the privacy class. A field without a row does not pass.

/// The type of a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text.
    Text,
    /// Text, or a number that is read as its digits (ids never pass through f64).
    Id,
    /// A time as text, or seconds or milliseconds since the epoch.
    Time,
    /// `true` or `false`.
    Flag,
    /// A whole number ≥ 0.
    Count,
    /// Any number.
    Number,
    /// Any object: the sender's own keys, inside the general limits.
    Open,
    /// An object whose keys are rows of this table.
    Closed,
    /// The same. A text stands for its `url`.
    Link,
    /// An object of booleans.
    Flags,
    /// An object of whole numbers.
    Counts,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Anything. Libraries send it with every event by themselves, so it is left out without a remark.
    Ignored,
}

/// How a field must be treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// Reveals nothing about a person.
    Plain,
    /// Names or singles out a person or a device.
    Identifier,
    /// A URL, in which secrets and personal data are redacted.
    Url,
    /// Personal data, kept only where the sender put them on purpose.
    Personal,
    /// Reduced at once and never stored as sent (address, user agent).
    Reduced,
    /// Names a person's device or reaches it: kept only where the source asks for it and the person allows advertising.
    Device,
    /// Never stored. A remark tells so, except where libraries send the field by themselves ([`Shape::Ignored`]).
    Unkept,
}

/// One row of the field table.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The dotted path.
    pub path: &'static str,
    /// The type of the value.
    pub shape: Shape,
    /// Bytes of text. The general limits hold besides.
    pub bytes_max: usize,
    /// How the field must be treated.
    pub privacy: Privacy,
}

impl Field {
    /// Whether the field decides something: what the event is, whom it is about, or what the visitor allowed.
    ///
    /// `validate` reads these fields strictly and never guesses. Every other field describes the event, and an odd value there
    /// costs only the field.
    pub fn decides(&self) -> bool {
        matches!(self.path, "type" | "anonymousId" | "userId" | "previousId" | "groupId")
            || self.path.starts_with("context.consent")
    }
}

const fn row(path: &'static str, shape: Shape, bytes_max: usize, privacy: Privacy) -> Field {
    Field { path, shape, bytes_max, privacy }
}

use Privacy::{Device, Identifier, Personal, Plain, Reduced, Unkept, Url};
use Shape::{
    Closed, Count, Counts, Flag, Flags, Id, Ignored, Link, Number, OneOf, Open, Text, Time,
};

/// Bytes of a URL. A longer URL is shortened. (The common limits of servers and of GA4's `page_location` are lower.)
pub const URL_BYTES_MAX: usize = 2_048;
/// Bytes of a name. Segment's own limit is the event's size, but reports need less.
pub const NAME_BYTES_MAX: usize = 256;

/// Every field, in the order of the documentation. A parent stands before its children.
pub const FIELDS: &[Field] = &[
    row("type", Text, 16, Plain),
    row("messageId", Id, 100, Plain),
    row("anonymousId", Id, crate::identity::ID_BYTES_MAX, Identifier),
    row("userId", Id, crate::identity::ID_BYTES_MAX, Identifier),
    row("previousId", Id, crate::identity::ID_BYTES_MAX, Identifier),
    row("groupId", Id, crate::identity::ID_BYTES_MAX, Identifier),
    row("timestamp", Time, 64, Plain),
    row("originalTimestamp", Time, 64, Plain),
    row("sentAt", Time, 64, Plain),
    row("event", Text, NAME_BYTES_MAX, Plain),
    row("name", Text, NAME_BYTES_MAX, Plain),
    row("category", Text, NAME_BYTES_MAX, Plain),
    row("properties", Open, 0, Personal),
    row("traits", Open, 0, Personal),
    row("integrations", Open, 0, Plain),
    row("context", Closed, 0, Plain),
    row("context.active", Flag, 0, Plain),
    row("context.amp", Ignored, 0, Unkept),
    row("context.app", Closed, 0, Plain),
    row("context.app.build", Text, 64, Plain),
    row("context.app.installType", Text, 32, Plain),
    row("context.app.name", Text, NAME_BYTES_MAX, Plain),
    row("context.app.namespace", Text, NAME_BYTES_MAX, Plain),
    row("context.app.version", Text, 64, Plain),
    row("context.autoTrack", Ignored, 0, Unkept),
    row("context.campaign", Closed, 0, Plain),
    row("context.campaign.id", Id, NAME_BYTES_MAX, Plain),
    row("context.campaign.name", Text, NAME_BYTES_MAX, Plain),
    row("context.campaign.source", Text, NAME_BYTES_MAX, Plain),
    row("context.campaign.medium", Text, NAME_BYTES_MAX, Plain),
    row("context.campaign.term", Text, NAME_BYTES_MAX, Plain),
    row("context.campaign.content", Text, NAME_BYTES_MAX, Plain),
    row("context.channel", Text, 32, Plain),
    row("context.clientIds", Ignored, 0, Unkept),
    row("context.consent", Closed, 0, Plain),
    row("context.consent.categoryPreferences", Flags, 0, Plain),
    row("context.consent.revision", Count, 0, Plain),
    row("context.device", Closed, 0, Plain),
    row("context.device.adTrackingEnabled", Flag, 0, Device),
    row("context.device.advertisingId", Text, 128, Device),
    row("context.device.id", Text, 128, Device),
    row("context.device.manufacturer", Text, 64, Plain),
    row("context.device.model", Text, 128, Plain),
    row("context.device.name", Text, 128, Device),
    row("context.device.token", Text, 1_024, Device),
    row("context.device.type", Text, 32, Plain),
    row("context.device.version", Text, 64, Plain),
    row("context.groupId", Id, crate::identity::ID_BYTES_MAX, Identifier),
    row("context.ids", Closed, 0, Plain),
    row("context.ids.fbc", Id, NAME_BYTES_MAX, Identifier),
    row("context.ids.fbp", Id, 128, Identifier),
    row("context.ids.ga", Id, 128, Identifier),
    row("context.ids.gaSession", Id, NAME_BYTES_MAX, Identifier),
    row("context.ids.gbraid", Id, NAME_BYTES_MAX, Identifier),
    row("context.ids.gclid", Id, NAME_BYTES_MAX, Identifier),
    row("context.ids.hubspotutk", Id, 128, Identifier),
    row("context.ids.mkto_trk", Id, NAME_BYTES_MAX, Identifier),
    row("context.ids.ttclid", Id, NAME_BYTES_MAX, Identifier),
    row("context.ids.ttp", Id, 128, Identifier),
    row("context.ids.wbraid", Id, NAME_BYTES_MAX, Identifier),
    row("context.instanceId", Ignored, 0, Unkept),
    row("context.ip", Text, 45, Reduced),
    row("context.library", Closed, 0, Plain),
    row("context.library.name", Text, 64, Plain),
    row("context.library.consumer", Ignored, 0, Unkept),
    row("context.library.env", Ignored, 0, Unkept),
    row("context.library.snippetVersion", Ignored, 0, Unkept),
    row("context.library.variant", Ignored, 0, Unkept),
    row("context.library.version", Text, 32, Plain),
    row("context.locale", Text, 35, Plain),
    row("context.location", Closed, 0, Plain),
    row("context.location.city", Text, 128, Plain),
    row("context.location.country", Text, 128, Plain),
    row("context.location.latitude", Number, 0, Unkept),
    row("context.location.longitude", Number, 0, Unkept),
    row("context.location.region", Text, 128, Plain),
    row("context.location.speed", Number, 0, Unkept),
    row("context.network", Closed, 0, Plain),
    row("context.network.bluetooth", Flag, 0, Plain),
    row("context.network.carrier", Text, 128, Device),
    row("context.network.cellular", Flag, 0, Plain),
    row("context.network.wifi", Flag, 0, Plain),
    row("context.os", Closed, 0, Plain),
    row("context.os.name", Text, 64, Plain),
    row("context.os.version", Text, 64, Plain),
    row("context.page", Closed, 0, Plain),
    row("context.page.url", Text, URL_BYTES_MAX, Url),
    row("context.page.path", Text, URL_BYTES_MAX, Url),
    row("context.page.search", Text, URL_BYTES_MAX, Url),
    row("context.page.referrer", Text, URL_BYTES_MAX, Url),
    row("context.page.title", Text, 512, Plain),
    row("context.page.encoding", Ignored, 0, Unkept),
    row("context.page.host", Ignored, 0, Unkept),
    row("context.page.initial_referrer", Ignored, 0, Unkept),
    row("context.page.initial_referring_domain", Ignored, 0, Unkept),
    row("context.page.referring_domain", Ignored, 0, Unkept),
    row("context.page.tab_url", Ignored, 0, Unkept),
    row("context.referrer", Link, 0, Plain),
    row("context.referrer.id", Text, NAME_BYTES_MAX, Plain),
    row("context.referrer.link", Text, URL_BYTES_MAX, Url),
    row("context.referrer.name", Text, NAME_BYTES_MAX, Plain),
    row("context.referrer.type", Text, 64, Plain),
    row("context.referrer.url", Text, URL_BYTES_MAX, Url),
    row("context.screen", Closed, 0, Plain),
    row("context.screen.density", Number, 0, Plain),
    row("context.screen.height", Number, 0, Plain),
    row("context.screen.innerHeight", Number, 0, Plain),
    row("context.screen.innerWidth", Number, 0, Plain),
    row("context.screen.width", Number, 0, Plain),
    row("context.sessionId", Ignored, 0, Unkept),
    row("context.sessionStart", Ignored, 0, Unkept),
    row("context.timezone", Text, 64, Plain),
    row("context.traits", Open, 0, Personal),
    row("context.trulyAnonymousTracking", Ignored, 0, Unkept),
    row("context.userAgent", Text, 1_024, Reduced),
    row("context.userAgentData", Open, 0, Reduced),
    row("context.ua-ch", Ignored, 0, Unkept),
    row("context.hilo", Closed, 0, Plain),
    row("context.hilo.dropped", Counts, 0, Plain),
    row("context.hilo.persistence", Text, 16, Plain),
    row("context.hilo.session", Closed, 0, Plain),
    row("context.hilo.session.id", Id, 32, Plain),
    row("context.hilo.session.landing", Closed, 0, Plain),
    row("context.hilo.session.landing.url", Text, URL_BYTES_MAX, Url),
    row("context.hilo.session.landing.referrer", Text, URL_BYTES_MAX, Url),
    row("context.hilo.session.landing.via", OneOf(&["page", "history", "referrer"]), 0, Plain),
];

/// Keys of properties and traits, at any depth, whose text is an address in whatever form (Segment's page call, product
/// objects and traits).
pub const URL_KEYS: [&str; 8] =
    ["avatar", "image_url", "link", "path", "referrer", "search", "url", "website"];

/// Keys of properties that describe goods, amounts and forms in Segment's spec and in our own events, and never a person. The row
/// `properties` is personal, because a sender may write anything there; these are the keys whose short values a developer's panel shows.
pub const PLAIN_KEYS: [&str; 29] = [
    "autofilled",
    "brand",
    "category",
    "confirmed",
    "corrections",
    "currency",
    "discount",
    "fields_done",
    "fields_filled",
    "fields_total",
    "first_field",
    "form_id",
    "last_field",
    "money_basis",
    "ms_open",
    "ms_to_submit",
    "position",
    "price",
    "product_id",
    "quantity",
    "revenue",
    "shipping",
    "sku",
    "step",
    "subtotal",
    "tax",
    "total",
    "value",
    "variant",
];

/// The row of a dotted path.
pub fn find(path: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_stand_before_their_children_and_are_closed() {
        for (i, field) in FIELDS.iter().enumerate() {
            if let Some((parent, _)) = field.path.rsplit_once('.') {
                let parent = FIELDS.iter().take(i).find(|f| f.path == parent);
                let holds_rows = |p: &Field| matches!(p.shape, Shape::Closed | Shape::Link);
                assert!(parent.is_some_and(holds_rows), "{}", field.path);
            }
        }
    }

    #[test]
    fn every_id_of_another_service_has_a_row_and_a_purpose() {
        let rows = FIELDS.iter().filter_map(|field| field.path.strip_prefix("context.ids."));
        let named = crate::event::SERVICE_IDS.iter().map(|(name, _)| *name);
        assert!(rows.eq(named));
    }
}
