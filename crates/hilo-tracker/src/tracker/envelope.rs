//! The wire's shapes, written: one event, one envelope, one hello, one consent record.
//! In: what the stages know. Out: JSON text after the Segment spec, hilo's own facts under `context.hilo`.

use hilo_core::consent::{Choice, ConsentState, Purpose};

use crate::draft::Draft;
use crate::identity::{Landing, Session, path};
use crate::json::{Object, write_text};
use crate::platform::{Place, Platform};
use crate::queue::{Counts, Item};

/// What these events say captured them.
const LIBRARY: &str = concat!(r#"{"name":"hilo","version":""#, env!("CARGO_PKG_VERSION"), r#""}"#);

/// One event of a batch.
pub(super) fn event<P: Platform>(
    draft: &Draft,
    message_id: &str,
    anonymous_id: &str,
    claim: Option<&str>,
    session: &Session,
    landing: Option<&Landing>,
    platform: &P,
) -> String {
    let mut hilo = Object::new();
    hilo.text("id", &session.id());
    if let Some(landing) = landing {
        let told = Object::new()
            .some("url", Some(&landing.url))
            .some("referrer", Some(&landing.referrer))
            .text("via", landing.via)
            .close();
        hilo.raw("landing", &told);
    }
    let context = Object::new()
        .raw("page", &page(&draft.place))
        .raw("hilo", &Object::new().raw("session", &hilo.close()).close())
        .close();
    let claim = if draft.claim.is_empty() { claim } else { Some(draft.claim.as_str()) };
    let mut event = Object::new();
    event
        .text("type", draft.kind)
        .text("messageId", message_id)
        .text("anonymousId", anonymous_id)
        .some("userId", claim)
        .text("timestamp", &platform.iso(draft.at_ms));
    match draft.kind {
        "track" => event.text("event", &draft.name),
        "group" => event.text("groupId", &draft.name),
        _ => event.some("name", Some(&draft.name)),
    };
    let details = if matches!(draft.kind, "identify" | "group") { "traits" } else { "properties" };
    if !draft.details.is_empty() {
        event.raw(details, &draft.details);
    }
    event.raw("context", &context).close()
}

fn page(place: &Place) -> String {
    let bare = place.url.split('#').next().unwrap_or_default();
    let search = bare.get(bare.find('?').unwrap_or(bare.len())..);
    let path = path(&place.url);
    Object::new()
        .text("url", &place.url)
        .text("path", if path.is_empty() { "/" } else { path })
        .some("search", search)
        .some("referrer", Some(&place.referrer))
        .some("title", Some(&place.title))
        .close()
}

/// A whole envelope.
pub(super) fn batch<P: Platform>(
    key: &str,
    items: &[Item],
    state: &ConsentState,
    persistence: &str,
    dropped: &Counts,
    platform: &P,
) -> String {
    let around = platform.surroundings();
    let screen =
        Object::new().number("width", around.width).number("height", around.height).close();
    let mut hilo = Object::new();
    hilo.text("persistence", persistence);
    if !dropped.is_empty() {
        let mut counts = Object::new();
        for (reason, count) in dropped {
            counts.number(reason, i64::from(*count));
        }
        hilo.raw("dropped", &counts.close());
    }
    let context = Object::new()
        .raw("library", LIBRARY)
        .some("locale", Some(&around.locale))
        .some("timezone", Some(&around.timezone))
        .raw("screen", &screen)
        .raw("consent", &consent(state))
        .raw("hilo", &hilo.close())
        .close();
    let mut events =
        String::with_capacity(items.iter().map(|item| item.json.len() + 1).sum::<usize>() + 2);
    events.push('[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            events.push(',');
        }
        events.push_str(&item.json);
    }
    events.push(']');
    header(key, platform).raw("context", &context).raw("batch", &events).close()
}

/// What the page says when it comes to life.
pub(super) fn hello<P: Platform>(
    key: &str,
    id: Option<&str>,
    state: &ConsentState,
    platform: &P,
) -> String {
    header(key, platform).some("anonymousId", id).raw("consent", &consent(state)).close()
}

/// One change of consent.
pub(super) fn record<P: Platform>(
    key: &str,
    id: Option<&str>,
    consent: &str,
    platform: &P,
) -> String {
    header(key, platform).some("anonymousId", id).raw("consent", consent).close()
}

/// The `consent` of a record.
pub(super) fn change(
    revision: u32,
    purposes: &[Purpose],
    choice: Choice,
    at: &str,
    notice: &str,
) -> String {
    let mut changes = String::from("[");
    for purpose in purposes {
        if changes.len() > 1 {
            changes.push(',');
        }
        let state = if choice == Choice::Granted { "granted" } else { "denied" };
        let mut change = Object::new();
        change
            .text("purpose", purpose.name())
            .text("state", state)
            .text("at", at)
            .text("method", "api");
        changes.push_str(&change.close());
    }
    changes.push(']');
    let mut consent = Object::new();
    consent.number("revision", i64::from(revision)).raw("changes", &changes);
    if !notice.is_empty() {
        consent.raw("notice", &Object::new().text("version", notice).close());
    }
    consent.close()
}

fn header<P: Platform>(key: &str, platform: &P) -> Object {
    let mut header = Object::new();
    header.text("writeKey", key).text("sentAt", &platform.iso(platform.now_ms()));
    header
}

fn consent(state: &ConsentState) -> String {
    let mut preferences = String::from("{");
    for purpose in Purpose::ASKED {
        let granted = match state.choice(purpose) {
            Choice::Unset => continue,
            Choice::Granted => "true",
            Choice::Denied => "false",
        };
        if preferences.len() > 1 {
            preferences.push(',');
        }
        write_text(&mut preferences, purpose.name());
        preferences.push(':');
        preferences.push_str(granted);
    }
    preferences.push('}');
    Object::new()
        .raw("categoryPreferences", &preferences)
        .number("revision", i64::from(state.revision))
        .close()
}
