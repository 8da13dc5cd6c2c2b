//! Feeds: pages, kills between them, two runs at once, a day's calls, waits, calls of the services, touchpoints without a person.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::calls::feed::{Begun, FeedCall, FeedStanding, ask_feed};
use crate::calls::{Page, ProfileCall, ask_profile};
use crate::platform::{Headers, Reply};

mod addresses;
mod deletions;
mod flags;
mod posts;
mod told;

const BASIS: &str = "consent_basis = { basis = \"consent\", purposes = [\"analytics\"] }";
const SECRET: &str = "a secret of more than sixteen bytes";
/// When the first contact was changed: 2026-11-24T09:00:00Z.
const FIRST_MS: i64 = 1_795_510_800_000;

/// The built-in file with one feed, whose webhook gets every event.
fn deployment(vendor: &str, settings: &str) -> Memory {
    let memory = memory();
    let built_in = include_str!("../../../../hilo.toml");
    memory.configure(&format!(
        "{built_in}\n[[source]]\nname = \"feed\"\nkind = \"feed\"\nvendor = \"{vendor}\"\n{BASIS}\n{settings}\n"
    ));
    for name in ["KEY", "ID", "TOKEN"] {
        memory.set_secret(name, SECRET);
    }
    memory.set_secret("HILO_ADMIN_TOKEN", "token");
    memory
}

fn hubspot() -> Memory {
    deployment(
        "hubspot",
        "token = { secret = \"TOKEN\" }\nwebhook_secret = { secret = \"KEY\" }\nportal_id = 33\nuser_id = \"shop_id\"\nemail_events = false",
    )
}

/// HubSpot with so many contacts, each changed a second after the one before. A page has two.
fn contacts(count: usize) -> impl Fn(&Outgoing) -> Option<Result<Response, Failure>> {
    move |request| {
        if !request.url.starts_with("https://api.hubapi.com/") {
            return None;
        }
        let asked: Value = serde_json::from_str(&request.body).unwrap();
        let filter = &asked["filterGroups"][0]["filters"][0];
        let contact = |number: usize| {
            json!({"id": number.to_string(), "properties": {
                "email": format!("p{number}@shop.example"), "shop_id": format!("u{number}"),
                "lastmodifieddate": format!("2026-11-24T09:00:{number:02}Z"), "firstname": "Ana",
            }})
        };
        let answer = if filter["operator"] == "IN" {
            let told = filter["values"].as_array().unwrap().iter();
            let numbers = told.map(|id| id.as_str().unwrap().parse().unwrap());
            json!({"results": numbers.map(contact).collect::<Vec<_>>()})
        } else {
            let from: i64 = filter["value"].as_str().unwrap().parse().unwrap();
            let first = usize::try_from((from - FIRST_MS).max(0) / 1_000).unwrap();
            let page = (first..count).take(2).map(contact);
            let mut answer = json!({"results": page.collect::<Vec<_>>()});
            if first + 2 < count {
                answer["paging"] = json!({"next": {"after": "2"}});
            }
            answer
        };
        Some(Ok(Response { status: 200, headers: Headers::default(), body: answer.to_string() }))
    }
}

fn read(memory: &Memory) {
    run(crate::pipeline::read_feeds(memory)).unwrap();
    settle(memory);
}

fn standing(memory: &Memory) -> FeedStanding {
    run(ask_feed(memory, "feed", &FeedCall::Standing)).unwrap().unwrap()
}

/// The events of a user, oldest first.
fn events(memory: &Memory, user: &str) -> Vec<Value> {
    let secret = crate::call::secret(memory).unwrap();
    let key = hilo_core::identity::ProfileKey::User(user.to_owned());
    let name = crate::signature::object_name(secret.naming(), &key);
    let call = ProfileCall::Events { cursor: None, limit: 200 };
    let page: Page = run(ask_profile(memory, name, &call)).unwrap().unwrap();
    page.rows.iter().rev().map(|row| serde_json::from_str(row.get()).unwrap()).collect()
}

fn asked(memory: &Memory, host: &str) -> usize {
    memory.sent().iter().filter(|one| one.url.starts_with(host)).count()
}

fn call(memory: &Memory, path: &str, body: &Value, fields: &[(&str, &str)]) -> Reply {
    memory.serve(request("POST", path, body, fields)).unwrap()
}

fn get(memory: &Memory, path: &str) -> Value {
    let fields = [("authorization", "Bearer token")];
    json(&memory.serve(request("GET", path, &Value::Null, &fields)).unwrap())
}

#[test]
fn a_run_reads_page_by_page_and_the_next_one_is_not_due_before_its_time() {
    let memory = hubspot();
    memory.set_vendor(contacts(3));
    read(&memory);
    assert_eq!(asked(&memory, "https://api.hubapi.com/"), 2);
    for user in ["u0", "u1", "u2"] {
        let events = events(&memory, user);
        assert_eq!(events.len(), 1, "{user}");
        assert_eq!(events[0]["traits"]["firstName"], "Ana");
    }
    memory.advance(SignedDuration::from_mins(9));
    read(&memory);
    assert_eq!(asked(&memory, "https://api.hubapi.com/"), 2);
    memory.advance(SignedDuration::from_mins(1));
    read(&memory);
    assert_eq!(asked(&memory, "https://api.hubapi.com/"), 3);
    assert_eq!(events(&memory, "u2").len(), 1, "what is read again is known");
}

#[test]
fn a_kill_anywhere_in_a_run_loses_nothing_and_repeats_nothing() {
    // Each call of an object may be the one at which the run dies: before it is done, or before its answer comes.
    for after in 0..16 {
        for is_done in [false, true] {
            let memory = hubspot();
            memory.set_vendor(contacts(3));
            memory.cut_call(after, is_done);
            read(&memory);
            memory.crash();
            memory.advance(SignedDuration::from_mins(15));
            read(&memory);
            for user in ["u0", "u1", "u2"] {
                assert_eq!(events(&memory, user).len(), 1, "{user} after {after}, {is_done}");
            }
            let standing = standing(&memory);
            assert!(standing.done_ms.is_some() && standing.failing_ms.is_none(), "{after}");
        }
    }
}

#[test]
fn a_run_that_was_killed_goes_on_at_its_page() {
    // Where the run dies before the second page is kept, the next one asks for that page and not for the first.
    let goes_on = |after: u32| {
        let memory = hubspot();
        memory.set_vendor(contacts(5));
        memory.cut_call(after, false);
        read(&memory);
        let before = memory.sent().len();
        memory.advance(SignedDuration::from_mins(5));
        read(&memory);
        assert_eq!(events(&memory, "u4").len(), 1, "{after}");
        let sent = memory.sent();
        let mut again =
            sent[before..].iter().filter(|one| one.url.starts_with("https://api.hubapi.com/"));
        let Some(again) = again.next() else { return false };
        let asked: Value = serde_json::from_str(&again.body).unwrap();
        asked["filterGroups"][0]["filters"][0]["value"] == json!((FIRST_MS + 1_000).to_string())
    };
    assert!((1..60).any(goes_on));
}

#[test]
fn two_runs_never_overlap_and_a_run_that_gives_no_sign_is_replaced() {
    let memory = hubspot();
    memory.set_vendor(contacts(1));
    let begin = |run: &str| FeedCall::Begin { run: run.to_owned(), calls_max: 100 };
    let begun: Begun = run(ask_feed(&memory, "feed", &begin("one"))).unwrap().unwrap();
    assert!(matches!(begun, Begun::Run { .. }));
    read(&memory);
    assert_eq!(asked(&memory, "https://api.hubapi.com/"), 0);
    memory.advance(SignedDuration::from_mins(2));
    read(&memory);
    assert_eq!(asked(&memory, "https://api.hubapi.com/"), 1);
    let late = FeedCall::Page {
        run: "one".to_owned(),
        state: json!({"after": "7"}),
        touches: Vec::new(),
        flags: Vec::new(),
        read: Vec::new(),
        reports: 0,
        odd: 0,
        goes_on: true,
        calls_max: 100,
    };
    let taken: crate::calls::feed::Taken = run(ask_feed(&memory, "feed", &late)).unwrap().unwrap();
    assert_eq!(taken, crate::calls::feed::Taken::Lost);
}

#[test]
fn the_calls_of_24_hours_are_bounded_and_health_says_since_when_the_feed_is_behind() {
    let memory = deployment(
        "hubspot",
        "token = { secret = \"TOKEN\" }\nuser_id = \"shop_id\"\nemail_events = false\ndaily_calls = 2",
    );
    memory.set_vendor(contacts(5));
    read(&memory);
    assert_eq!(asked(&memory, "https://api.hubapi.com/"), 2);
    for _ in 0..23 {
        memory.advance(SignedDuration::from_mins(60));
        read(&memory);
    }
    assert_eq!(asked(&memory, "https://api.hubapi.com/"), 2);
    let health = get(&memory, "/health");
    let fault =
        health["faults"].as_array().unwrap().iter().find(|one| one["code"] == "feed_behind");
    let fault = fault.unwrap();
    assert_eq!(
        (&fault["about"], &fault["since"]),
        (&json!("feed"), &json!("2026-11-24T10:00:00Z"))
    );
    assert!(fault["details"][0].as_str().unwrap().contains("daily_calls"), "{fault}");
    memory.advance(SignedDuration::from_mins(60));
    read(&memory);
    assert_eq!(asked(&memory, "https://api.hubapi.com/"), 4, "a day later it goes on");
    assert_eq!(events(&memory, "u4").len(), 1);
}

#[test]
fn a_service_that_asks_to_wait_is_not_asked_before() {
    let memory = hubspot();
    memory.set_vendor(|request| {
        let mut headers = Headers::default();
        headers.push("retry-after", "600");
        let is_it = request.url.starts_with("https://api.hubapi.com/");
        is_it.then(|| Ok(Response { status: 503, headers, body: String::new() }))
    });
    read(&memory);
    memory.advance(SignedDuration::from_secs(599));
    read(&memory);
    assert_eq!(asked(&memory, "https://api.hubapi.com/"), 1);
    memory.advance(SignedDuration::from_secs(1));
    memory.set_vendor(contacts(1));
    read(&memory);
    assert_eq!(standing(&memory).reason, None);
    assert_eq!(events(&memory, "u0").len(), 1);
}

#[test]
fn a_feed_whose_secret_is_refused_is_the_deployers_to_mend_at_once() {
    let memory = hubspot();
    memory.set_vendor(|request| {
        let is_it = request.url.starts_with("https://api.hubapi.com/");
        let body = json!({"status": "error", "category": "INVALID_AUTHENTICATION"}).to_string();
        is_it.then(|| Ok(Response { status: 401, headers: Headers::default(), body }))
    });
    read(&memory);
    let health = get(&memory, "/health");
    let fault =
        health["faults"].as_array().unwrap().iter().find(|one| one["code"] == "feed_behind");
    let detail = &fault.unwrap()["details"][0];
    assert_eq!(detail, "unauthorized: status 401 INVALID_AUTHENTICATION");
    memory.set_secret("TOKEN", "");
    memory.advance(SignedDuration::from_mins(1));
    let health = get(&memory, "/health");
    let codes: Vec<_> =
        health["faults"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert!(codes.contains(&&json!("feed_secret_missing")), "{health}");
}

#[test]
fn a_call_of_hubspot_counts_with_its_signature_only_and_its_contacts_are_read_back() {
    let memory = hubspot();
    memory.set_vendor(contacts(1));
    read(&memory);
    let body =
        json!([{"subscriptionType": "contact.propertyChange", "objectId": 41, "portalId": 33}]);
    let path = "/v1/in/feed";
    let stamp = memory.now().as_millisecond().to_string();
    let signed =
        |text: &str| STANDARD.encode(crate::signature::sign(SECRET.as_bytes(), text.as_bytes()));
    let text = format!("POSThttp://127.0.0.1:8787{path}{body}{stamp}");
    let tag = signed(&text);
    let fields = |tag: &str, stamp: &str| {
        let fields = [("x-hubspot-signature-v3", tag), ("x-hubspot-request-timestamp", stamp)];
        call(&memory, path, &body, &fields).status
    };
    assert_eq!(fields(&signed(&format!("{text} ")), &stamp), 401);
    assert_eq!(fields(&tag, "1"), 401);
    let old = (memory.now().as_millisecond() - 300_001).to_string();
    let of_old = signed(&format!("POSThttp://127.0.0.1:8787{path}{body}{old}"));
    assert_eq!(fields(&of_old, &old), 401, "a stale call");
    assert_eq!(standing(&memory).told, 0);
    assert_eq!(fields(&tag, &stamp), 200);
    assert_eq!(fields(&tag, &stamp), 200, "a repeat changes nothing");
    assert_eq!(standing(&memory).told, 1);
    read(&memory);
    assert_eq!(events(&memory, "u41").len(), 1);
    assert_eq!(standing(&memory).told, 0);
}

#[test]
fn a_call_of_braze_brings_its_events_once_and_shows_its_token() {
    let memory = deployment("braze", "token = { secret = \"TOKEN\" }");
    let body = json!({"events": [
        {"event_type": "users.messages.email.Delivery", "id": "e1", "time": 1_795_513_500,
         "user": {"external_user_id": "u17"}, "properties": {"campaign_name": "Autumn"}},
        {"event_type": "users.behaviors.CustomEvent", "id": "e2", "time": 1_795_513_500, "user": {"external_user_id": "u17"}},
    ]});
    let shown = format!("Bearer {SECRET}");
    let of = |token: &str| call(&memory, "/v1/in/feed", &body, &[("authorization", token)]);
    assert_eq!(of("Bearer another secret of some length").status, 401);
    assert_eq!(json(&of(&shown)), json!({"accepted": 1, "duplicate": 0, "ignored": 1}));
    assert_eq!(json(&of(&shown)), json!({"accepted": 0, "duplicate": 1, "ignored": 1}));
    let events = events(&memory, "u17");
    assert_eq!((events.len(), &events[0]["event"]), (1, &json!("Email Delivered")));
    assert_eq!(events[0]["messageId"], "feed:e1");
}

#[test]
fn a_feed_gets_its_tokens_from_an_object_of_its_own_and_a_person_connects_it_by_its_name() {
    let memory = deployment(
        "hootsuite",
        "profiles = { TWITTER = [\"1\"] }\nclient_id = { secret = \"ID\" }\nclient_secret = { secret = \"KEY\" }",
    );
    read(&memory);
    let reason = standing(&memory).reason.unwrap();
    assert!(reason.contains("cargo xtask connect source:feed"), "{reason}");
    let shown = get(&memory, "/admin/v1/destinations");
    let feed =
        shown["destinations"].as_array().unwrap().iter().find(|one| one["name"] == "source:feed");
    assert_eq!(
        feed.map(|one| (&one["access"], &one["connected"])),
        Some((&json!("grant"), &json!(false)))
    );
    let fields = [("authorization", "Bearer token")];
    let path = "/admin/v1/destinations/source%3Afeed/connect";
    let opened = json(&call(&memory, path, &Value::Null, &fields));
    let address = opened["authorizeUrl"].as_str().unwrap();
    assert!(address.contains("scope=offline%20analytics%3Aread"), "{address}");
}

#[test]
fn a_person_may_have_a_feed_read_now() {
    let memory = hubspot();
    memory.set_vendor(contacts(1));
    read(&memory);
    let fields = [("authorization", "Bearer token")];
    let reply = call(&memory, "/admin/v1/feeds/feed/read", &Value::Null, &fields);
    assert_eq!(reply.status, 202);
    settle(&memory);
    assert_eq!(asked(&memory, "https://api.hubapi.com/"), 2);
    assert_eq!(call(&memory, "/admin/v1/feeds/other/read", &Value::Null, &fields).status, 404);
    let feeds = get(&memory, "/admin/v1/feeds");
    assert_eq!(feeds["feeds"][0]["vendor"], "hubspot");
    assert_eq!(feeds["feeds"][0]["readAt"], "2026-11-24T10:00:00Z");
}
