//! Whoever has no right to an id, or a token that is not theirs, gets nothing by either call.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::platform::Limit;

/// A visitor of the store, and a token for the blog.
fn handed(memory: &Memory) -> (Site<'_>, String, String) {
    let mut store = Site::at(memory, STORE);
    let id = store.greet();
    let token = store.hand(&id, BLOG);
    (store, id, token)
}

/// Shows a token, which opens nothing.
#[track_caller]
fn check_refused(mut site: Site<'_>, token: &str) {
    let cookie = site.cookie.clone();
    let (status, answer) = site.adopt(token);
    assert_eq!((status, &answer["code"]), (403, &json!("handoff_refused")), "{answer}");
    assert!(answer["message"].as_str().unwrap().contains("ask /v1/handoff for another"));
    assert_eq!(site.cookie, cookie, "the page keeps what it has");
}

/// Asks for a token, and returns the code of the refusal.
fn code(site: &mut Site<'_>, body: &Value) -> (u16, String) {
    let (status, answer) = site.call("/v1/handoff", body);
    assert_eq!(answer["token"], Value::Null);
    (status, answer["code"].as_str().unwrap().to_owned())
}

#[test]
fn a_forged_or_altered_token_opens_nothing_and_the_true_one_still_does() {
    let memory = company();
    let (_, id, token) = handed(&memory);
    let blog = Site::at(&memory, BLOG);
    let elsewhere = company();
    elsewhere.set_secret(SECRET, "the secret of some other deployment!");
    let forged = handed(&elsewhere).2;
    for text in [
        "",
        "x",
        "a.b.c",
        &id,
        &forged,
        &token.repeat(9),
        &format!("{token}A"),
        &format!("{token}="),
    ] {
        check_refused(blog.clone(), text);
    }
    for at in 0..token.len() {
        let mut altered = token.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        check_refused(blog.clone(), std::str::from_utf8(&altered).unwrap());
    }
    check_refused(blog.clone(), &token[..token.len() - 1]);
    assert_eq!(blog.clone().adopt(&token).1["anonymousId"], json!(id));
}

#[test]
fn a_token_opens_at_its_origin_under_its_source_and_in_its_environment_only() {
    let memory = company();
    let (store, id, token) = handed(&memory);
    let blog = Site::at(&memory, BLOG);
    check_refused(Site { cookie: String::new(), ..store }, &token);
    check_refused(Site::at(&memory, SHOP), &token);
    check_refused(Site::at(&memory, ""), &token);
    check_refused(Site { key: "wk_other", ..blog.clone() }, &token);
    check_refused(Site { key: "wk_app", ..Site::at(&memory, APP) }, &token);
    let stranger = Site::at(&memory, "https://evil.example").adopt(&token);
    assert_eq!((stranger.0, &stranger.1["code"]), (403, &json!("origin_refused")));
    memory.configure(&text("staging"));
    memory.advance(SignedDuration::from_secs(1));
    memory.start_cold();
    check_refused(blog.clone(), &token);
    memory.configure(&text("development"));
    memory.start_cold();
    assert_eq!(blog.clone().adopt(&token).1["anonymousId"], json!(id));
}

#[test]
fn a_token_ends_after_sixty_seconds() {
    let memory = company();
    let (mut store, id, token) = handed(&memory);
    let late = store.hand(&id, BLOG);
    memory.advance(SignedDuration::from_millis(59_999));
    assert_eq!(Site::at(&memory, BLOG).adopt(&token).1["anonymousId"], json!(id));
    memory.advance(SignedDuration::from_millis(1));
    check_refused(Site::at(&memory, BLOG), &late);
}

#[test]
fn the_clock_of_the_object_refuses_a_token_that_ended_on_its_way() {
    let memory = company();
    let (_, _, token) = handed(&memory);
    memory.advance(SignedDuration::from_millis(59_990));
    memory.move_objects_away(SignedDuration::from_millis(10));
    check_refused(Site::at(&memory, BLOG), &token);
}

#[test]
fn a_token_opens_once_also_after_a_restart_and_after_the_upkeep() {
    let memory = company();
    let (_, id, token) = handed(&memory);
    assert_eq!(Site::at(&memory, BLOG).adopt(&token).1["anonymousId"], json!(id));
    check_refused(Site::at(&memory, BLOG), &token);
    memory.crash();
    check_refused(Site::at(&memory, BLOG), &token);
    // The alarm of the new object would forget an id of which nothing is known.
    for _ in 0..2 {
        memory.advance(SignedDuration::from_secs(25));
        settle(&memory);
        check_refused(Site::at(&memory, BLOG), &token);
    }
    memory.advance(SignedDuration::from_secs(25));
    settle(&memory);
    assert!(!memory.0.profiles.borrow().values().any(has_rows), "nothing stays");
}

#[test]
fn of_two_pages_that_show_a_token_at_once_one_gets_the_id() {
    let memory = company();
    let (_, id, token) = handed(&memory);
    let body = json!({"token": token, "consent": granted()});
    let asks = || Site::at(&memory, BLOG).asks("POST", "/v1/adopt", &body);
    let mut calls = [asks(), asks()].map(|asks| Box::pin(crate::pipeline::serve(asks, &memory)));
    let mut context = Context::from_waker(Waker::noop());
    let answers = calls.each_mut().map(|call| match pin!(call).poll(&mut context) {
        Poll::Ready(reply) => super::super::json(&reply),
        Poll::Pending => panic!("nothing in memory waits"),
    });
    let ids: Vec<_> = answers.iter().filter(|answer| answer["anonymousId"] == json!(id)).collect();
    assert_eq!((ids.len(), &answers[1]["code"]), (1, &json!("handoff_refused")));
}

#[test]
fn a_token_whose_answer_was_lost_is_used() {
    let memory = company();
    let (_, _, token) = handed(&memory);
    memory.cut_call(0, true);
    assert_eq!(Site::at(&memory, BLOG).adopt(&token).0, 503);
    check_refused(Site::at(&memory, BLOG), &token);
}

#[test]
fn an_object_takes_no_more_tokens_than_it_can_remember() {
    let memory = company();
    let (mut store, id, _) = handed(&memory);
    for _ in 0..32 {
        let token = store.hand(&id, BLOG);
        assert_eq!(Site::at(&memory, BLOG).adopt(&token).0, 200);
    }
    let token = store.hand(&id, BLOG);
    assert_eq!(Site::at(&memory, BLOG).adopt(&token).0, 429);
    memory.advance(SignedDuration::from_secs(60));
    let token = store.hand(&id, BLOG);
    assert_eq!(Site::at(&memory, BLOG).adopt(&token).0, 200);
}

#[test]
fn an_id_is_handed_over_with_its_proof_only() {
    let memory = company();
    let (mut store, id, _) = handed(&memory);
    let asked = json!({"anonymousId": id, "to": BLOG});
    let mut stranger = Site::at(&memory, STORE);
    assert_eq!(code(&mut stranger, &asked), (403, "not_yours".to_owned()));
    assert_eq!(code(&mut stranger, &json!({"to": BLOG})), (403, "not_yours".to_owned()));
    let unused = json!({"anonymousId": "unused", "to": BLOG});
    assert_eq!(code(&mut stranger, &unused), (403, "not_yours".to_owned()));
    stranger.greet();
    assert_eq!(code(&mut stranger, &asked), (403, "not_yours".to_owned()));
    assert_eq!(code(&mut store, &unused), (403, "not_yours".to_owned()));
    let forged = store.cookie.replace(".0.", ".1.");
    let mut forger = Site { cookie: forged, ..Site::at(&memory, STORE) };
    assert_eq!(code(&mut forger, &asked), (403, "not_yours".to_owned()));
    let (status, answer) = store.call("/v1/handoff", &json!({"to": BLOG}));
    assert_eq!(status, 200, "the id of the cookie: {answer}");
}

#[test]
fn an_id_is_handed_over_to_origins_of_its_source_only() {
    let memory = company();
    let (mut store, id, _) = handed(&memory);
    for (to, expected, remedy) in [
        (
            json!("https://evil.example"),
            "origin_refused",
            "add \"https://evil.example\" to the origins",
        ),
        (json!("http://blog.example"), "origin_refused", "serve it over https"),
        (json!(format!("{BLOG}/path")), "origin_refused", "without an origin of its own"),
        (json!("*"), "origin_refused", "without an origin of its own"),
        (json!(APP), "origin_refused", "kind = \"app\""),
        (json!(7), "wrong_type", "another type"),
        (Value::Null, "missing_field", "such as https://blog.example"),
    ] {
        let body = json!({"anonymousId": id, "to": to});
        let (_, answer) = store.call("/v1/handoff", &body);
        assert_eq!((&answer["code"], &answer["token"]), (&json!(expected), &Value::Null), "{to}");
        assert!(answer["message"].as_str().unwrap().contains(remedy), "{answer}");
    }
    let (status, answer) =
        vouch(&memory, &json!({"anonymousId": id, "to": "https://evil.example"}));
    assert_eq!((status, &answer["code"]), (403, &json!("origin_refused")));
    let (_, answer) = vouch(&memory, &json!({}));
    assert_eq!(answer["code"], "not_yours", "a server names an id");
}

#[test]
fn both_calls_need_the_field_that_no_form_can_send_and_are_counted_like_a_hello() {
    let memory = company();
    let (store, id, token) = handed(&memory);
    for (site, path, body) in [
        (store, "/v1/handoff", json!({"anonymousId": id, "to": BLOG})),
        (Site::at(&memory, BLOG), "/_h/v1/adopt", json!({"token": token, "consent": granted()})),
    ] {
        let mut asks = site.asks("POST", path, &body);
        asks.headers.0.retain(|(name, _)| name != "x-hilo");
        let reply = memory.serve(asks).unwrap();
        assert_eq!(
            (reply.status, &super::super::json(&reply)["code"]),
            (403, &json!("missing_header"))
        );
        memory.limit(Limit::Key, 0);
        assert_eq!(memory.serve(site.asks("POST", path, &body)).unwrap().status, 429);
        memory.limit(Limit::Key, 1_000);
    }
}

#[test]
fn an_id_whose_record_denies_one_is_not_handed_over() {
    let memory = company();
    let (mut store, id, _) = handed(&memory);
    let asked = json!({"anonymousId": id, "to": BLOG});
    store.decide(&id, "analytics", "denied");
    assert_eq!(code(&mut store, &asked), (403, "consent_denied".to_owned()));
    assert_eq!(vouch(&memory, &asked).1["code"], "consent_denied");
    store.decide(&id, "functional", "granted");
    store.hand(&id, BLOG);
}

#[test]
fn an_erased_id_is_neither_handed_over_nor_taken() {
    let memory = company();
    let (mut store, id, token) = handed(&memory);
    let asked = json!({"anonymousId": id, "to": BLOG});
    let vouched = vouch(&memory, &asked).1["token"].as_str().unwrap().to_owned();
    store.erase();
    assert_eq!(code(&mut store, &asked), (403, "erased".to_owned()));
    assert_eq!(vouch(&memory, &asked).1["code"], "erased");
    let mut blog = Site::at(&memory, BLOG);
    blog.greet();
    check_refused(blog.clone(), &token);
    check_refused(blog, &vouched);
}

#[test]
fn an_id_that_was_reserved_meanwhile_is_nobodys() {
    let memory = company();
    let mut store = Site::at(&memory, STORE);
    let (_, hello) =
        store.call("/v1/hello", &json!({"anonymousId": "kiosk", "consent": granted()}));
    assert_eq!(hello["anonymousId"], "kiosk");
    let token = store.hand("kiosk", BLOG);
    memory.configure(
        &text("development").replace("[identity]", "[identity]\nreserved = [\"kiosk\"]"),
    );
    memory.start_cold();
    check_refused(Site::at(&memory, BLOG), &token);
    let asked = json!({"anonymousId": "kiosk", "to": BLOG});
    assert_eq!(code(&mut store, &asked), (422, "reserved_id".to_owned()));
}

#[test]
fn no_line_of_the_log_or_of_the_journal_has_a_token() {
    let memory = company();
    let (mut store, id, token) = handed(&memory);
    let mut blog = Site::at(&memory, BLOG);
    assert_eq!(blog.adopt(&token).0, 200);
    check_refused(blog.clone(), &token);
    check_refused(Site::at(&memory, STORE), &token);
    code(&mut store, &json!({"anonymousId": id, "to": format!("{BLOG}/#hilo={token}")}));
    // A page of another system's client reports the address as it stands.
    let address = format!("{BLOG}/#hilo={token}");
    let page = |message: &str, consent: Value| {
        let mut event = page_view();
        event["messageId"] = message.into();
        event["context"]["page"] = json!({"url": address, "referrer": address});
        event["properties"] = json!({"url": address, "path": format!("/#hilo={token}")});
        event["context"]["consent"] = consent;
        event
    };
    for event in [page("m1", granted()), page("m2", Value::Null)] {
        assert_eq!(blog.call("/v1/page", &event).0, 200);
    }
    settle(&memory);
    let kept =
        ["/admin/v1/rejects", "/admin/v1/live", "/admin/v1/profiles/a:a1/events"].map(|path| {
            let fields = [("authorization", "Bearer token")];
            super::super::json(&memory.serve(request("GET", path, &Value::Null, &fields)).unwrap())
        });
    let sent = memory.sent().into_iter().map(|sent| sent.body);
    let all: Vec<String> =
        kept.iter().map(Value::to_string).chain(memory.lines()).chain(sent).collect();
    assert!(kept[0].to_string().contains("handoff_refused"), "{}", kept[0]);
    assert!(all.iter().any(|text| text.contains(BLOG)), "{all:?}");
    for text in all {
        assert!(!text.contains(&token), "{text}");
    }
}
