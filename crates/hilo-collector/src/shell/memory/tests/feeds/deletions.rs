//! Deletions for privacy at HubSpot: what the feed has told goes, or the whole person, and nothing without the signature.

use super::*;
use crate::platform::Object;

pub(super) const FEED: &str = "token = { secret = \"TOKEN\" }\nwebhook_secret = { secret = \"KEY\" }\n\
    portal_id = 33\nuser_id = \"shop_id\"\nemail_events = false";

/// HubSpot with the contact 7: the user `u7`, or an address alone.
pub(super) fn contact(
    user: Option<&'static str>,
) -> impl Fn(&Outgoing) -> Option<Result<Response, Failure>> {
    all(json!([{"id": "7", "properties": {
        "email": "ana@shop.example", "firstname": "Ana", "lastname": "Ruiz", "shop_id": user,
        "lastmodifieddate": "2026-11-24T09:00:00Z",
    }}]))
}

/// HubSpot with these contacts.
pub(super) fn all(contacts: Value) -> impl Fn(&Outgoing) -> Option<Result<Response, Failure>> {
    let body = json!({"results": contacts}).to_string();
    move |request| {
        let answer =
            || Ok(Response { status: 200, headers: Headers::default(), body: body.clone() });
        request.url.starts_with("https://api.hubapi.com/").then(answer)
    }
}

/// The company's own backend tells who the user is.
pub(super) fn identify(memory: &Memory, traits: &Value) {
    let body = json!({"batch": [{"type": "identify", "messageId": "i1", "userId": "u7", "traits": traits}]});
    let reply = call(memory, "/v1/batch", &body, &[("authorization", "Bearer sk_dev_backend")]);
    assert_eq!((reply.status, &json(&reply)["rejected"]), (200, &json!([])));
    settle(memory);
}

/// HubSpot tells that the contact was deleted, and the feed runs.
pub(super) fn delete(memory: &Memory, has_signature: bool) -> u16 {
    memory.advance(SignedDuration::from_mins(10));
    let status = tell(memory, has_signature, 33);
    // Who is deleted there is told no more.
    memory.set_vendor(all(json!([])));
    read(memory);
    assert_eq!(standing(memory).reason, None);
    status
}

/// HubSpot tells that the contact was deleted in an account.
fn tell(memory: &Memory, has_signature: bool, portal: u32) -> u16 {
    let body =
        json!([{"subscriptionType": "contact.privacyDeletion", "objectId": 7, "portalId": portal}]);
    let (path, stamp) = ("/v1/in/feed", memory.now().as_millisecond().to_string());
    let text = format!("POSThttp://127.0.0.1:8787{path}{body}{stamp}");
    let key = if has_signature { SECRET } else { "another secret of many bytes" };
    let tag = STANDARD.encode(crate::signature::sign(key.as_bytes(), text.as_bytes()));
    let fields =
        [("x-hubspot-signature-v3", tag.as_str()), ("x-hubspot-request-timestamp", &stamp)];
    call(memory, path, &body, &fields).status
}

/// Notes that contacts were deleted, as a call does.
pub(super) fn note(memory: &Memory, contacts: &[u32]) {
    let ids = contacts.iter().map(|id| format!("deleted:contact:{id}")).collect();
    let () = run(ask_feed(memory, "feed", &FeedCall::Told { ids })).unwrap().unwrap();
}

fn traits(memory: &Memory) -> Value {
    let profile = get(memory, "/admin/v1/profiles/u:u7")["profile"].clone();
    let traits = profile["traits"].as_object().cloned().unwrap_or_default();
    traits.into_iter().map(|(name, one)| (name, one["value"].clone())).collect()
}

pub(super) fn find(memory: &Memory) -> Value {
    let fields = [("authorization", "Bearer token")];
    let body = json!({"email": "ana@shop.example"});
    json(&call(memory, "/admin/v1/profiles/find", &body, &fields))
}

#[test]
fn a_deleted_contact_takes_what_the_feed_has_told_and_leaves_the_rest() {
    let memory = deployment("hubspot", FEED);
    identify(&memory, &json!({"firstName": "Anna", "city": "Madrid"}));
    memory.set_vendor(contact(Some("u7")));
    memory.advance(SignedDuration::from_mins(1));
    read(&memory);
    // A contact that is newer than the backend's word has its names.
    let before = traits(&memory);
    assert_eq!(
        (&before["lastName"], &before["email"]),
        (&json!("Ruiz"), &json!("ana@shop.example"))
    );
    assert_eq!(find(&memory)["found"], json!(["u:u7"]));
    assert_eq!(delete(&memory, true), 200);
    assert_eq!(traits(&memory), json!({"city": "Madrid", "firstName": "Anna"}));
    let events = events(&memory, "u7");
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["messageId"], "i1");
    assert_eq!(find(&memory)["found"], json!([]), "the address joins nobody any more");
    assert_eq!(standing(&memory).told, 1, "a search may still have the contact");
    memory.advance(SignedDuration::from_mins(5));
    read(&memory);
    assert_eq!(standing(&memory).told, 0);
}

#[test]
fn what_a_page_still_tells_of_a_deleted_contact_is_erased_behind_that_page() {
    let memory = deployment("hubspot", FEED);
    identify(&memory, &json!({"city": "Madrid"}));
    memory.set_vendor(contact(Some("u7")));
    read(&memory);
    memory.advance(SignedDuration::from_mins(10));
    assert_eq!(tell(&memory, true, 33), 200);
    // The search of HubSpot has the contact for some seconds more.
    read(&memory);
    assert_eq!(
        (traits(&memory), find(&memory)["found"].clone()),
        (json!({"city": "Madrid"}), json!([]))
    );
    assert_eq!(events(&memory, "u7").len(), 1);
    memory.set_vendor(all(json!([])));
    memory.advance(SignedDuration::from_mins(5));
    read(&memory);
    assert_eq!((events(&memory, "u7").len(), standing(&memory).told), (1, 0));
}

#[test]
fn a_deletion_that_fails_holds_back_no_other_deletion_and_no_page_and_is_repeated() {
    let of = |id: &str| {
        json!({"id": id, "properties": {
            "email": format!("p{id}@shop.example"), "shop_id": format!("u{id}"),
            "lastmodifieddate": "2026-11-24T09:00:00Z",
        }})
    };
    let prepared = || {
        let memory = deployment("hubspot", FEED);
        memory.set_vendor(all(json!([of("7"), of("8")])));
        read(&memory);
        memory.advance(SignedDuration::from_mins(10));
        note(&memory, &[7, 8]);
        memory.set_vendor(all(json!([of("9")])));
        memory
    };
    // The first call of a profile is about the first deletion.
    let probe = prepared();
    let before = probe.asked().len();
    read(&probe);
    let first = probe.asked()[before..].iter().position(|one| matches!(one, Object::Profile(_)));
    let memory = prepared();
    memory.cut_call(u32::try_from(first.unwrap()).unwrap(), false);
    read(&memory);
    let count = |user: &str| events(&memory, user).len();
    assert_eq!((count("u7"), count("u8"), count("u9")), (1, 0, 1));
    let standing = standing(&memory);
    assert_eq!(
        (standing.reason.as_deref(), standing.told),
        (Some("not stored: the connection broke"), 2)
    );
    assert!(memory.lines().iter().any(|line| line.contains("a record is not deleted yet")));
    memory.advance(SignedDuration::from_mins(10));
    read(&memory);
    assert_eq!(
        (count("u7"), super::standing(&memory).told, super::standing(&memory).reason),
        (0, 0, None)
    );
}

#[test]
fn a_service_that_does_not_answer_holds_no_deletion_back() {
    let memory = deployment("hubspot", FEED);
    memory.set_vendor(contact(Some("u7")));
    read(&memory);
    memory.advance(SignedDuration::from_mins(10));
    note(&memory, &[7]);
    memory.set_vendor(|request| {
        let is_it = request.url.starts_with("https://api.hubapi.com/");
        is_it
            .then(|| Ok(Response { status: 503, headers: Headers::default(), body: String::new() }))
    });
    read(&memory);
    assert_eq!((events(&memory, "u7"), standing(&memory).told), (Vec::new(), 1));
}

#[test]
fn a_run_that_dies_between_a_report_and_its_page_leaves_nothing_that_a_deletion_cannot_find() {
    for after in 0..16 {
        for is_done in [false, true] {
            let memory = deployment("hubspot", FEED);
            memory.set_vendor(contact(Some("u7")));
            memory.cut_call(after, is_done);
            read(&memory);
            memory.crash();
            memory.cut_calls(&[]);
            // The contact is deleted before another run reads it.
            note(&memory, &[7]);
            memory.set_vendor(all(json!([])));
            for _ in 0..2 {
                memory.advance(SignedDuration::from_mins(15));
                read(&memory);
            }
            assert_eq!(events(&memory, "u7"), Vec::<Value>::new(), "{after} {is_done}");
            assert_eq!(
                (find(&memory)["found"].clone(), standing(&memory).told),
                (json!([]), 0),
                "{after}"
            );
        }
    }
}

#[test]
fn a_deletion_in_another_account_of_the_app_erases_nothing() {
    let memory = deployment("hubspot", FEED);
    memory.set_vendor(contact(Some("u7")));
    read(&memory);
    assert_eq!(tell(&memory, true, 34), 200);
    assert_eq!(standing(&memory).told, 0);
}

#[test]
fn an_address_that_another_source_tells_stays_the_persons() {
    let memory = deployment("hubspot", FEED);
    identify(&memory, &json!({"email": "ana@shop.example"}));
    memory.set_vendor(contact(Some("u7")));
    read(&memory);
    assert_eq!(delete(&memory, true), 200);
    assert_eq!(traits(&memory), json!({"email": "ana@shop.example"}));
    assert_eq!(find(&memory)["found"], json!(["u:u7"]));
}

#[test]
fn what_was_told_of_a_contact_without_an_id_goes_from_whom_the_address_leads_to() {
    let memory = deployment("hubspot", FEED);
    memory.set_vendor(contact(None));
    read(&memory);
    let waiting = find(&memory)["waiting"][0].as_str().unwrap().to_owned();
    let path = format!("/admin/v1/profiles/{waiting}/events");
    assert_eq!(get(&memory, &path)["events"].as_array().unwrap().len(), 1);
    assert_eq!(delete(&memory, true), 200);
    assert_eq!(get(&memory, &path)["events"], json!([]));
    assert_eq!(find(&memory)["waiting"], json!([]));
}

#[test]
fn the_whole_person_is_erased_only_where_the_deployer_says_so() {
    let memory = deployment("hubspot", &format!("{FEED}\nprivacy_deletion = \"person\""));
    identify(&memory, &json!({"city": "Madrid"}));
    memory.set_vendor(contact(Some("u7")));
    read(&memory);
    assert_eq!(delete(&memory, true), 200);
    assert_eq!(events(&memory, "u7"), Vec::<Value>::new());
    let erasure = get(&memory, "/admin/v1/profiles/u:u7")["erasure"]["status"].clone();
    assert!(erasure.is_string(), "{erasure}");
    // The person comes back before the deletion is forgotten, and is not erased a second time.
    memory.advance(SignedDuration::from_mins(2));
    let body = json!({"batch": [{"type": "identify", "messageId": "i2", "userId": "u7", "traits": {"city": "Sevilla"}}]});
    call(&memory, "/v1/batch", &body, &[("authorization", "Bearer sk_dev_backend")]);
    for _ in 0..2 {
        memory.advance(SignedDuration::from_mins(5));
        read(&memory);
    }
    assert_eq!((events(&memory, "u7").len(), standing(&memory).told), (1, 0));
}

#[test]
fn a_call_without_its_signature_and_a_feed_that_takes_no_deletions_erase_nothing() {
    let memory = deployment("hubspot", FEED);
    memory.set_vendor(contact(Some("u7")));
    read(&memory);
    assert_eq!(delete(&memory, false), 401);
    assert_eq!(events(&memory, "u7").len(), 1);
    let memory = deployment("hubspot", &format!("{FEED}\nprivacy_deletion = \"nothing\""));
    memory.set_vendor(contact(Some("u7")));
    read(&memory);
    assert_eq!(delete(&memory, true), 200);
    assert_eq!(events(&memory, "u7").len(), 1);
}

#[test]
fn a_choice_that_the_feed_has_told_outlives_the_contact() {
    let memory = deployment("hubspot", FEED);
    memory.set_vendor(|request| {
        request.url.starts_with("https://api.hubapi.com/").then(|| {
            let history = json!([{"value": "true", "timestamp": "2026-11-24T09:00:00Z", "sourceType": "API"}]);
            let body = json!({"results": [{"id": "7", "properties": {
                "email": "ana@shop.example", "shop_id": "u7", "hs_email_optout": "true",
                "lastmodifieddate": "2026-11-24T09:00:00Z",
            }, "propertiesWithHistory": {"hs_email_optout": history}}]});
            Ok(Response { status: 200, headers: Headers::default(), body: body.to_string() })
        })
    });
    read(&memory);
    let state = || get(&memory, "/admin/v1/profiles/u:u7/optins")["optins"][0]["state"].clone();
    assert_eq!(state(), "unsubscribed");
    assert_eq!(delete(&memory, true), 200);
    assert_eq!(state(), "unsubscribed");
    assert_eq!(find(&memory)["found"], json!(["u:u7"]), "a later opt-out has to find the person");
    let kinds: Vec<_> = events(&memory, "u7").iter().map(|one| one["event"].clone()).collect();
    assert_eq!(kinds, ["Opt-In Withdrawn"]);
}

#[test]
fn a_kill_while_a_deletion_is_at_work_repeats_it() {
    for after in 0..24 {
        let memory = deployment("hubspot", FEED);
        identify(&memory, &json!({"city": "Madrid"}));
        memory.set_vendor(contact(Some("u7")));
        read(&memory);
        memory.advance(SignedDuration::from_mins(10));
        note(&memory, &[7]);
        memory.set_vendor(all(json!([])));
        memory.cut_call(after, true);
        read(&memory);
        memory.crash();
        for _ in 0..2 {
            memory.advance(SignedDuration::from_mins(15));
            read(&memory);
        }
        assert_eq!(traits(&memory), json!({"city": "Madrid"}), "{after}");
        assert_eq!((events(&memory, "u7").len(), standing(&memory).told), (1, 0), "{after}");
    }
}
