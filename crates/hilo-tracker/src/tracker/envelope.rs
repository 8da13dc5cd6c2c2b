//! Writes the shapes of the wire: an event, an envelope, a hello, a consent record.
//! In: the stages' values. Out: JSON text after the Segment spec, with hilo's own facts under `context.hilo`.

use hilo_core::consent::{Choice, ConsentState, Purpose, PurposeSet};
use hilo_core::identity::uuid_v7;
use hilo_core::service_cookies::readable;
use hilo_core::text::{cut, parts};

use super::stored::offer_of;
use crate::address::{path, search};
use crate::draft::{Draft, Kind, Scene};
use crate::identity::{Landing, campaign};
use crate::json::Json;
use crate::platform::{Place, Platform, codes};
use crate::queue::{Batch, Counts};

/// The library that the events name as their source.
const LIBRARY: &str = concat!(r#"{"name":"hilo","version":""#, env!("CARGO_PKG_VERSION"), r#""}"#);

/// One event of a batch, as the site changed it; empty where the site drops it. `claim` is the claimed user id; empty for none.
pub(super) fn event<P: Platform>(
    draft: &Draft,
    anonymous_id: &str,
    claim: &str,
    session: &str,
    landing: Option<&Landing>,
    platform: &P,
) -> String {
    let minted;
    let id = if draft.id.is_empty() {
        minted = uuid_v7(draft.at_ms, platform.random16());
        &minted
    } else {
        &draft.id
    };
    let mut json = Json::new();
    json.text("type", draft.kind.name()).text("messageId", id);
    let (user, named, details) = match draft.kind {
        Kind::Page => (claim, "name", "properties"),
        Kind::Track => (claim, "event", "properties"),
        Kind::Group => (claim, "groupId", "traits"),
        Kind::Identify => (draft.name.as_str(), "", "traits"),
    };
    json.text("timestamp", &platform.iso(draft.at_ms));
    if !named.is_empty() {
        json.some(named, &draft.name);
    }
    if !draft.details.is_empty() {
        json.raw(details, &draft.details);
    }
    // The pieces of an event, as the queue knows them.
    json.put("\n").text("anonymousId", anonymous_id).some("userId", user);
    json.put("\n,\"context\":{\"hilo\":{\n\"session\":{").text("id", session);
    if let Some(landing) = landing {
        json.open("landing").some("url", &landing.url).some("referrer", &landing.referrer);
        json.text("via", landing.via).close();
    }
    json.put("}\n}\n").raw("page", &draft.scene.page).put("\n}\n");
    platform.changed(json.done())
}

/// The scene at `place`, which every event there shares.
pub(super) fn scene(place: Place) -> Scene {
    let path = path(&place.url);
    let mut json = Json::new();
    json.text("url", &place.url)
        .text("path", if path.is_empty() { "/" } else { path })
        .some("search", search(&place.url))
        .some("referrer", &place.referrer)
        .some("title", &place.title);
    Scene { page: json.done(), campaign: campaign(&place.url), place }
}

/// A whole envelope around the events of `batch`. `hello` is the visitor whose hello rides on it; empty for none.
pub(super) fn batch<P: Platform>(
    key: &str,
    hello: &str,
    batch: &Batch<'_>,
    state: &ConsentState,
    dropped: &Counts,
    platform: &P,
) -> String {
    let mut json = Json::new();
    if !hello.is_empty() {
        // First, where `page.ts` looks for it.
        visitor(json.open("hello"), hello);
        json.close();
    }
    header(&mut json, key, platform);
    let surroundings = platform.surroundings(readable(state));
    json.put(batch.ids).open("context").raw("library", LIBRARY).fields(&surroundings);
    consent(&mut json, state);
    let persistence = match platform.persistence() {
        codes::PERSISTENCE_LOCAL => "local",
        codes::PERSISTENCE_TAB => "tab",
        _ => "memory",
    };
    json.open("hilo").text("persistence", persistence);
    if !dropped.is_empty() {
        json.open("dropped");
        for (reason, count) in dropped {
            json.number(reason, i64::from(*count));
        }
        json.close();
    }
    json.fields(batch.session)
        .close()
        .put(batch.page)
        .close()
        .list("batch")
        .fields(&batch.events)
        .end();
    json.done()
}

/// The call that asks for an id, for its proof or for what is recorded.
pub(super) fn hello<P: Platform>(
    key: &str,
    whose: &str,
    state: &ConsentState,
    platform: &P,
) -> String {
    let mut json = Json::new();
    header(&mut json, key, platform);
    visitor(&mut json, whose);
    consent(&mut json, state);
    json.done()
}

/// A consent record around one change, which [`change`] wrote. `keeps_id` tells whether the page has an id now, so that the answer
/// leaves it the proof.
pub(super) fn record<P: Platform>(
    key: &str,
    whose: &str,
    keeps_id: bool,
    consent: &str,
    platform: &P,
) -> String {
    let mut json = Json::new();
    header(&mut json, key, platform);
    visitor(&mut json, whose);
    json.raw("keepsId", if keeps_id { "true" } else { "false" }).raw("consent", consent);
    json.done()
}

/// One change of consent, as the `consent` of a record, and the signals behind it. `base` is the recorded revision that the page knew. `told`
/// is what [`super::Tracker::hear`] takes; where it has no method, the site's own call decided.
pub(super) fn change(
    base: u32,
    purposes: PurposeSet,
    choice: Choice,
    told: &str,
    at: &str,
    notice: &str,
) -> String {
    let state = if choice == Choice::Granted { "granted" } else { "denied" };
    let mut json = Json::new();
    json.number("base", i64::from(base)).list("changes");
    let (methods, signals) = cut(told, b'\n');
    let mut methods = parts(methods, b' ');
    for purpose in Purpose::ASKED {
        let method = methods.next().filter(|method| !method.is_empty()).unwrap_or("api");
        if purposes.contains(purpose) {
            json.open("").text("purpose", purpose.name()).text("state", state);
            json.text("at", at).text("method", method).close();
        }
    }
    json.end();
    if !notice.is_empty() {
        json.open("notice").text("version", notice).close();
    }
    let mut text = json.done();
    text.push_str(signals.unwrap_or_default());
    text
}

/// The fields of a visitor as stored: the id that this page made with its proof, for which the collector answers the visitor's, or that
/// one itself; nothing for empty text.
fn visitor(json: &mut Json, whose: &str) {
    match cut(offer_of(whose), b' ') {
        (id, Some(proof)) => json.text("spareId", id).text("spareProof", proof),
        _ => json.some("anonymousId", whose),
    };
}

fn header<P: Platform>(json: &mut Json, key: &str, platform: &P) {
    json.text("writeKey", key).text("sentAt", &platform.iso(platform.now_ms()));
}

fn consent(json: &mut Json, state: &ConsentState) {
    json.open("consent").open("categoryPreferences");
    for purpose in &Purpose::ASKED {
        match state.choice(*purpose) {
            Choice::Unset => {}
            Choice::Granted => _ = json.raw(purpose.name(), "true"),
            Choice::Denied => _ = json.raw(purpose.name(), "false"),
        }
    }
    json.close().number("revision", i64::from(state.revision)).close();
}
