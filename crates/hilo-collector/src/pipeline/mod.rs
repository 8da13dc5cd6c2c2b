//! The edge's stages in order: validate → normalize → tracking plan → store → forward.
//!
//! [`serve`] answers a request; each call has a file of its own. [`run`] takes an envelope through the stages: each of
//! its events ends in exactly one outcome. [`deliver`] is the last stage, after the request has been answered. Only this
//! folder has the order of the stages, and passes the result of one stage to the next.

mod addresses;
mod at_once;
mod cart;
mod channels;
mod claim;
mod connect;
mod consent;
mod desk;
mod entry;
mod erasure;
mod events;
mod examine;
mod feeds;
mod greeting;
mod handoff;
mod health;
mod hello;
mod import;
mod inbound;
#[cfg(test)]
mod joins;
mod journal;
mod ledger;
mod limits;
mod link;
mod me;
mod meeting;
mod merge;
mod nature;
mod optin;
mod orders;
mod plan;
mod profiles;
mod progress;
mod replay;
mod reports;
mod requests;
#[cfg(test)]
mod rights;
mod sockets;
pub mod tokens;
mod touchpoints;
mod user;
mod watch;

pub use entry::Entry;
pub use erasure::erase;
pub use examine::examine;
pub use feeds::due as read_feeds;
pub use inbound::work;
pub use merge::{finish_merge, left, take_in};
pub use progress::forget as forget_progress;
pub use requests::serve;
pub use touchpoints::hand_on;
pub use watch::{probed, watch};

use hilo_core::config::{BotPolicy, Source};
use hilo_core::event::{Event, Facts, OPT_IN_CONFIRMED, OPT_IN_REQUESTED, OPT_IN_WITHDRAWN};
use hilo_core::journey::presume;
use hilo_core::validate::Envelope;
use hilo_core::{normalize, validate};

use self::claim::Right;
use self::greeting::Greeting;
use crate::calls::{Delivery, Planned};
use crate::forward::{self, Configured};
use crate::loaded::Loaded;
use crate::platform::{Failure, Platform};

/// Takes one envelope through the stages: exactly one [`Entry`] for each event, in order. A hello on it gets its right to an id.
///
/// # Errors
/// A failure if any part is not known to be durable. A stored event gets `duplicate` at the next attempt.
async fn run<P: Platform>(
    envelope: &Envelope,
    greeting: Option<&Greeting<'_, P>>,
    source: &Source,
    facts: &Facts,
    loaded: &Loaded,
    platform: &P,
) -> Result<(Vec<Entry>, Option<Right>), Failure> {
    let judged = validate::check(envelope, source, &loaded.config, facts);
    let mut entries: Vec<Entry> = judged.into_iter().map(Entry::from).collect();
    for entry in &mut entries {
        let Some(event) = &mut entry.event else { continue };
        entry.notices.extend(normalize::apply(event, facts, &loaded.config.normalize));
        // The presumed channel is mostly that of the session's first event. Then the profile need not write the event again.
        event.context.hilo.channel = presume(&event.context.hilo);
        if event.context.hilo.bot && loaded.config.normalize.bots == BotPolicy::Refuse {
            entry.refuse_bot();
        }
    }
    plan::judge(&mut entries, source, loaded, platform).await?; // after normalizing: the plan knows the names of Segment's second version
    let right = keep(&mut entries, greeting, source, facts, loaded, platform).await?;
    Ok((entries, right))
}

/// Stores judged events with their deliveries, and notes every outcome.
///
/// # Errors
/// A failure if any part is not known to be durable.
async fn keep<P: Platform>(
    entries: &mut [Entry],
    greeting: Option<&Greeting<'_, P>>,
    source: &Source,
    facts: &Facts,
    loaded: &Loaded,
    platform: &P,
) -> Result<Option<Right>, Failure> {
    consent::record_reports(entries, facts, loaded, platform).await?;
    let configured = Configured::all(&loaded.config.destinations);
    let plan = |entry: &Entry| -> Vec<&Planned> {
        let planned = entry.event.iter().flat_map(|event| {
            let is_open = |planned: &&Planned| !is_reserved(event, planned, loaded);
            forward::plan(event, &configured).into_iter().filter(is_open)
        });
        planned.collect()
    };
    let plans: Vec<_> = entries.iter().map(plan).collect();
    // The events are stored before any is forwarded: a crash may repeat a delivery and never loses one. The object that
    // stores an event also sends its deliveries to the queue, and the queue calls `deliver`.
    let right = match greeting {
        Some(greeting) => greeting.store(entries, &plans, source).await?,
        None => None,
    };
    let states = loaded.config.touchpoints.states;
    profiles::store(entries, &plans, (source, states), facts, platform).await?;
    link::named(entries, facts, loaded, platform).await?;
    addresses::named(entries, source, facts, loaded, platform).await?;
    journal::note_outcomes(entries, source, platform);
    Ok(right)
}

/// Whether a destination takes an event of this name from the collector alone. A sender's request would write to anybody in the company's
/// name, and a sender's change would subscribe or unsubscribe any address: only the ledger has proofs.
fn is_reserved(event: &Event, planned: &Planned, loaded: &Loaded) -> bool {
    let carrier = loaded.config.consent.optin.confirm_by.as_ref();
    match event.kind.label() {
        Some(OPT_IN_CONFIRMED | OPT_IN_WITHDRAWN) => true,
        Some(OPT_IN_REQUESTED) => carrier == Some(&planned.name),
        Some(_) | None => false,
    }
}

/// Forwards the deliveries of a queue batch.
pub async fn deliver<P: Platform>(deliveries: Vec<Delivery>, platform: &P) {
    forward::deliver(deliveries, platform).await;
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Value, json};

    use crate::calls::journal::{Wanted, read_rejects};
    use crate::keyring::SECRET;
    use crate::platform::{Object, Reply};
    use crate::shell::memory::{self, Memory, SHOP, request, run as run_to_end};
    use crate::signature::sign;

    fn memory() -> Memory {
        Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), None).unwrap()
    }

    /// Returns the reject log, oldest first: outcome and code.
    fn noted(memory: &Memory) -> Vec<(String, String)> {
        let rejects =
            run_to_end(read_rejects(memory, &Wanted { limit: 100, ..Wanted::default() }, 14))
                .unwrap()
                .unwrap();
        let noted = rejects.rejects.into_iter().rev();
        noted.map(|reject| (reject.outcome, reject.code)).collect()
    }

    fn call(memory: &Memory, method: &str, path: &str, body: &Value) -> (u16, Value) {
        call_with(memory, method, path, body, &[("x-hilo", "1")])
    }

    fn call_with(
        memory: &Memory,
        method: &str,
        path: &str,
        body: &Value,
        fields: &[(&str, &str)],
    ) -> (u16, Value) {
        let reply = reply_to(memory, method, path, body, fields);
        (reply.status, memory::json(&reply))
    }

    /// The cookie that an answer to `hello` sets.
    fn cookie_of(memory: &Memory, hello: &Value) -> String {
        let reply = reply_to(memory, "POST", "/v1/hello", hello, &[("x-hilo", "1")]);
        let set = reply.headers.get("set-cookie").unwrap();
        set.split(';').next().unwrap().to_owned()
    }

    fn reply_to(
        memory: &Memory,
        method: &str,
        path: &str,
        body: &Value,
        fields: &[(&str, &str)],
    ) -> Reply {
        let fields = [&[("origin", SHOP)], fields].concat();
        memory.serve(request(method, path, body, &fields)).unwrap()
    }

    fn view(id: &str, consent: &Value) -> Value {
        json!({
            "type": "page", "messageId": id, "anonymousId": "a1", "properties": {},
            "timestamp": "2026-11-24T09:59:59Z", "context": {"consent": consent},
        })
    }

    fn granted() -> Value {
        json!({"categoryPreferences": {"analytics": true}, "revision": 1})
    }

    #[test]
    fn every_event_ends_in_exactly_one_outcome() {
        let batch = json!([
            view("m1", &granted()),
            view("m1", &granted()),
            view("m2", &Value::Null),
            "not an event",
        ]);
        let envelope = json!({"writeKey": "wk_shop", "batch": batch});
        let (status, answer) = call(&memory(), "POST", "/_h/v1/batch", &envelope);
        assert_eq!(status, 200);
        assert_eq!((&answer["accepted"], &answer["duplicate"]), (&json!(1), &json!(1)));
        assert_eq!(answer["rejected"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn all_reports_about_a_person_reach_their_profile_in_one_call_and_in_order() {
        let memory = memory();
        memory.set_secret("HILO_ADMIN_TOKEN", "token");
        let report = |second: u32, granted: bool| {
            let said = json!({"categoryPreferences": {"analytics": granted}});
            let mut report = view(&format!("r{second}"), &said);
            report["type"] = json!("track");
            report["event"] = json!("Segment Consent Preference Updated");
            report["timestamp"] = json!(format!("2026-11-24T09:00:0{second}Z"));
            report
        };
        let batch =
            json!([report(1, true), report(2, false), report(3, true), view("m1", &granted())]);
        let envelope = json!({"writeKey": "wk_shop", "batch": batch});
        let (_, answer) = call(&memory, "POST", "/v1/batch", &envelope);
        assert_eq!(answer["accepted"], json!(4));
        let asked = memory.asked();
        let calls = asked.iter().filter(|object| matches!(object, Object::Profile(_)));
        assert_eq!(calls.count(), 2, "one for the reports and one for the event");
        let fields = [("authorization", "Bearer token")];
        let path = "/admin/v1/profiles/a:a1/receipts";
        let (_, receipts) = call_with(&memory, "GET", path, &Value::Null, &fields);
        let receipts = receipts["receipts"].as_array().unwrap().iter().rev();
        let told: Vec<_> = receipts
            .map(|receipt| (receipt["revision"].clone(), receipt["changes"][0]["state"].clone()))
            .collect();
        let expected = [(1, "granted"), (2, "denied"), (3, "granted")];
        assert_eq!(told, expected.map(|(revision, state)| (json!(revision), json!(state))));
    }

    #[test]
    fn a_bad_event_sent_alone_is_answered_with_200_so_that_no_client_sends_it_again() {
        let mut message = view("m1", &Value::Null);
        message["writeKey"] = json!("wk_shop");
        let (status, answer) = call(&memory(), "POST", "/v1/page", &message);
        assert_eq!((status, &answer["success"]), (200, &json!(true)));
        assert_eq!(answer["rejected"][0]["code"], "no_consent");
    }

    #[test]
    fn an_answer_to_jitsus_client_says_ok() {
        let fields = [("x-write-key", "wk_shop")];
        let message = view("m1", &granted());
        let (status, answer) = call_with(&memory(), "POST", "/api/s/page", &message, &fields);
        let expected = json!({
            "ok": true, "success": true, "accepted": 1, "duplicate": 0, "rejected": [],
        });
        assert_eq!((status, answer), (200, expected));
    }

    #[test]
    fn a_revoked_key_is_gone_for_our_tracker_and_refused_for_other_clients() {
        let memory = memory();
        let built_in = include_str!("../../hilo.toml");
        memory.configure(&built_in.replace(
            "keys = [\"wk_shop\"]",
            "keys = [\"wk_shop\", { key = \"wk_old\", state = \"revoked\" }]",
        ));
        for (name, expected) in [("hilo", 410), ("analytics.js", 401)] {
            let library = json!({"library": {"name": name}});
            let envelope = json!({"writeKey": "wk_old", "context": library, "batch": []});
            let (status, answer) = call_with(&memory, "POST", "/v1/batch", &envelope, &[]);
            assert_eq!((status, &answer["code"]), (expected, &json!("key_revoked")), "{name}");
        }
        let hello = json!({"writeKey": "wk_old"});
        assert_eq!(call(&memory, "POST", "/v1/hello", &hello).0, 410);
    }

    #[test]
    fn a_collector_without_its_secret_acknowledges_no_event_and_its_health_shows_why() {
        let memory = memory();
        memory.set_secret(SECRET, "");
        let envelope = json!({"writeKey": "wk_shop", "batch": [view("m1", &granted())]});
        let (status, answer) = call(&memory, "POST", "/v1/batch", &envelope);
        assert_eq!((status, &answer["error"]["code"]), (503, &json!("secret_missing")));
        let (status, health) = call(&memory, "GET", "/health", &Value::Null);
        assert_eq!((status, &health["faults"][0]["code"]), (503, &json!("secret_missing")));
    }

    #[test]
    fn a_broken_configuration_leaves_the_last_good_one_in_force_and_health_shows_it() {
        let memory = memory();
        assert_eq!(call(&memory, "GET", "/version", &Value::Null).0, 200);
        memory.configure("[[source]]\nnam = 1");
        let envelope = json!({"writeKey": "wk_shop", "batch": [view("m1", &granted())]});
        assert_eq!(call(&memory, "POST", "/v1/batch", &envelope).0, 200);
        let (_, health) = call(&memory, "GET", "/health", &Value::Null);
        assert_eq!(health["faults"][0]["code"], "config_invalid");
        assert_eq!(health["faults"][0]["bridged"], true);
    }

    #[test]
    fn a_refused_call_with_a_body_is_noted_exactly_once() {
        let optin = json!({"writeKey": "wk_shop", "channel": "fax", "state": "subscribed"});
        let hello = json!({"writeKey": "wk_shop", "anonymousId": "a b"});
        let consent = json!({"writeKey": "wk_shop", "consent": {"revision": 1, "changes": []}});
        let stranger = json!({"writeKey": "wk_nobody", "batch": []});
        for (path, body, code) in [
            ("/v1/hello", &hello, "wrong_type"),
            ("/v1/consent", &consent, "wrong_type"),
            ("/v1/optin", &optin, "wrong_type"),
            ("/v1/batch", &stranger, "unknown_key"),
            ("/v1/cart/checkout", &json!({}), "missing_key"),
            ("/v1/in/nobody", &json!({}), "not_found"),
        ] {
            let memory = memory();
            let (_, answer) = call(&memory, "POST", path, body);
            assert_eq!(answer["error"]["code"], code, "{path}");
            assert_eq!(noted(&memory), [("rejected".to_owned(), code.to_owned())], "{path}");
        }
    }

    /// A deployment whose own systems use `kiosk` and the customer 9000 for everybody.
    fn memory_with_kiosk() -> Memory {
        let memory = memory();
        memory.set_secret("WOO_SECRET", "a secret of the shop system");
        let orders = "[[source]]\nname = \"orders\"\nkind = \"webhook\"\nverify = \"woocommerce\"\nsecrets = [{ secret = \"WOO_SECRET\" }]\n";
        let built_in = include_str!("../../hilo.toml");
        let reserved = "[identity]\nreserved = [\"kiosk\", \"9000\"]";
        memory.configure(&format!("{}\n{orders}", built_in.replace("[identity]", reserved)));
        memory
    }

    #[test]
    fn an_id_that_the_configuration_reserves_opens_no_call_of_a_page() {
        let at = "2026-11-24T10:00:00Z";
        let changes =
            json!([{"purpose": "analytics", "state": "granted", "at": at, "method": "api"}]);
        let body = |path: &str, id: &str| {
            let mut body = json!({"writeKey": "wk_shop", "anonymousId": id});
            match path {
                "/v1/hello" => body["consent"] = granted(),
                "/v1/consent" => body["consent"] = json!({"revision": 1, "changes": changes}),
                _ => {
                    body["channel"] = json!("email");
                    body["state"] = json!("unsubscribed");
                }
            }
            body
        };
        for path in ["/v1/hello", "/v1/consent", "/v1/optin"] {
            let memory = memory_with_kiosk();
            let (status, answer) = call(&memory, "POST", path, &body(path, "Kiosk"));
            assert_eq!((status, &answer["code"]), (422, &json!("reserved_id")), "{path}");
            assert!(!memory.asked().iter().any(|one| matches!(one, Object::Profile(_))), "{path}");
            // An opt-in needs the proof of the id, which hello and a grant bind.
            let expected = if path == "/v1/optin" { 403 } else { 200 };
            assert_eq!(call(&memory, "POST", path, &body(path, "kiosk-2")).0, expected, "{path}");
        }
    }

    #[test]
    fn a_cookie_with_an_id_that_the_configuration_reserved_later_names_nobody() {
        let memory = memory();
        let hello = json!({"writeKey": "wk_shop", "consent": granted()});
        let mut own = hello.clone();
        own["anonymousId"] = json!("kiosk");
        let cookie = cookie_of(&memory, &own);
        let fields = [("x-hilo", "1"), ("cookie", cookie.as_str())];
        let (_, answer) = call_with(&memory, "POST", "/v1/hello", &hello, &fields);
        assert_eq!(answer["anonymousId"], "kiosk");
        let built_in = include_str!("../../hilo.toml");
        memory.configure(&built_in.replace("[identity]", "[identity]\nreserved = [\"kiosk\"]"));
        let (_, answer) = call_with(&memory, "POST", "/v1/hello", &hello, &fields);
        assert_ne!(answer["anonymousId"], "kiosk");
        assert_eq!(call_with(&memory, "GET", "/v1/consent", &Value::Null, &fields).0, 401);
    }

    #[test]
    fn an_order_of_a_customer_whom_the_configuration_reserves_reaches_no_cart() {
        let memory = memory_with_kiosk();
        let order = |customer: u32| {
            let items = json!([{"product_id": 7, "quantity": 1}]);
            let order = json!({
                "id": customer, "status": "completed", "currency": "EUR", "total": "3.00",
                "customer_id": customer, "line_items": items,
            });
            let tag = sign(b"a secret of the shop system", order.to_string().as_bytes());
            let tag = STANDARD.encode(tag);
            let fields =
                [("x-wc-webhook-signature", tag.as_str()), ("x-wc-webhook-topic", "order.created")];
            call_with(&memory, "POST", "/v1/in/orders", &order, &fields)
        };
        for (customer, carts) in [(9000, 0), (501, 1)] {
            assert_eq!(order(customer), (200, json!({"duplicate": false})));
            run_to_end(memory.settle()).unwrap().unwrap();
            let asked = memory.asked();
            let carts_asked = asked.iter().filter(|one| matches!(one, Object::Cart(_))).count();
            assert_eq!(carts_asked.min(1), carts, "{customer}");
        }
    }

    #[test]
    fn a_call_without_the_hilo_header_is_refused_and_noted() {
        for path in ["/v1/hello", "/v1/consent", "/v1/optin", "/v1/cart/ops"] {
            let memory = memory();
            assert_eq!(call_with(&memory, "POST", path, &json!({}), &[]).0, 403, "{path}");
            let expected = ("rejected".to_owned(), "missing_header".to_owned());
            assert_eq!(noted(&memory), [expected], "{path}");
        }
    }

    #[test]
    fn a_refused_call_that_only_reads_is_not_noted() {
        let memory = memory();
        for path in ["/v1/consent", "/nothing", "/v1/hello", "/admin/v1/rejects", "/none.js"] {
            let (status, _) = call(&memory, "GET", path, &Value::Null);
            assert!((400..500).contains(&status), "{path}: {status}");
        }
        assert_eq!(noted(&memory), []);
    }

    #[test]
    fn a_bad_token_is_noted_once_in_the_enforce_mode_and_in_the_report_mode() {
        let optin = json!({"writeKey": "wk_shop", "channel": "email", "state": "unsubscribed"});
        let fields = [("x-hilo", "1"), ("x-hilo-user-token", "forged")];
        for (mode, status, outcome) in [("enforce", 401, "rejected"), ("report", 200, "notice")] {
            let memory = memory();
            let built_in = include_str!("../../hilo.toml");
            memory
                .configure(&built_in.replace("mode = \"enforce\"", &format!("mode = \"{mode}\"")));
            let answer = call_with(&memory, "POST", "/v1/optin", &optin, &fields);
            assert_eq!(answer.0, status, "{mode}");
            assert_eq!(noted(&memory), [(outcome.to_owned(), "token_malformed".to_owned())]);
        }
    }
}
