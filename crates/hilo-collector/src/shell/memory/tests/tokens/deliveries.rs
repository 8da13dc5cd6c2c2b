//! Deliveries to a destination with access tokens: they wait for the first grant, and a refused token costs one more request.

use hilo_core::identity::ProfileKey;
use hilo_core::profile::Person;

use super::*;
use crate::calls::erasure::{Ended, Parting};
use crate::forward;

fn view(memory: &Memory, id: &str) {
    let mut event = page_view();
    event["messageId"] = id.into();
    event["timestamp"] = memory.now().to_string().into();
    send(memory, &event);
}

fn taken(service: &Shared) -> Vec<String> {
    service.borrow().taken.iter().map(|(_, body)| body.clone()).collect()
}

#[test]
fn deliveries_wait_for_the_first_grant_and_none_is_attempted_without_a_token() {
    let (memory, service) = deployment(ASKS_A_PERSON);
    view(&memory, "m1");
    settle(&memory);
    assert!(memory.sent().iter().all(|sent| !sent.url.contains("vault")));
    let secret = crate::call::secret(&memory).unwrap();
    let name =
        crate::signature::object_name(secret.naming(), &ProfileKey::Anonymous("a1".to_owned()));
    let call = crate::calls::ProfileCall::Deliveries { cursor: None, limit: 10 };
    let page: crate::calls::Page =
        run(crate::calls::ask_profile(&memory, name, &call)).unwrap().unwrap();
    let rows: Vec<_> =
        page.rows.iter().map(|row| row.get()).filter(|row| row.contains("vault")).collect();
    assert!(
        rows[0].contains("pending") && rows[0].contains("cargo xtask connect vault"),
        "{rows:?}"
    );
    memory.set_secret("VAULT_FIRST", "refresh-0");
    memory.configure(&format!(
        "{}\n[[destination]]\nname = \"vault\"\ntype = \"vault\"\npurposes = [\"analytics\"]\n{ROTATES}\n",
        include_str!("../../../../../hilo.toml")
    ));
    memory.advance(SignedDuration::from_hours(1));
    settle(&memory);
    assert_eq!(taken(&service), ["m1"]);
}

#[test]
fn a_refused_token_is_renewed_once_and_the_request_repeated() {
    let (memory, service) = deployment(ROTATES);
    view(&memory, "m1");
    settle(&memory);
    // The service ends the token before its time.
    service.borrow_mut().live.clear();
    ["m2", "m3", "m4"].iter().for_each(|id| view(&memory, id));
    settle(&memory);
    assert_eq!(taken(&service).len(), 4, "{:?}", taken(&service));
    assert_eq!(requests(&memory), 2);
    assert!(!service.borrow().is_revoked);
}

#[test]
fn a_service_that_refuses_every_token_gets_one_more_request_and_the_deliveries_wait() {
    let (memory, service) = deployment(CLIENT);
    memory.set_vendor({
        let service = Rc::clone(&service);
        move |request| {
            service.borrow_mut().live.clear();
            service.borrow_mut().answer(request)
        }
    });
    view(&memory, "m1");
    settle(&memory);
    let events = memory.sent().iter().filter(|sent| sent.url.contains("/events")).count();
    assert_eq!((events, requests(&memory)), (2, 2));
    assert_eq!(taken(&service), Vec::<String>::new());
}

#[test]
fn a_deletion_uses_the_token_and_renews_a_refused_one_once() {
    let (memory, service) = deployment(ROTATES);
    access(&memory);
    service.borrow_mut().live.clear();
    let parting = Parting {
        destination: "vault".to_owned(),
        person: Person { user_id: Some("u1".to_owned()), ..Person::default() },
        attempt: 0,
        since_ms: memory.now().as_millisecond(),
    };
    assert_eq!(run(forward::part(&parting, &memory)).unwrap(), Ended::Done);
    assert_eq!(service.borrow().taken, [("delete".to_owned(), "[\"u1\"]".to_owned())]);
    assert_eq!(requests(&memory), 2);
}

#[test]
fn the_log_of_a_refused_deletion_has_nothing_of_the_person() {
    let (memory, _) = deployment(ROTATES);
    memory.set_vendor(|request| {
        let body = match request.url.ends_with("/delete") {
            true => format!("no {} of AN\u{dc}-1 for {:?}", request.body, request.headers),
            false => json!({"access_token": "access-1", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r"}).to_string(),
        };
        let status = if request.url.ends_with("/delete") { 422 } else { 200 };
        Some(Ok(Response { status, body, ..Response::default() }))
    });
    let parting = Parting {
        destination: "vault".to_owned(),
        person: Person { user_id: Some("anü-1".to_owned()), ..Person::default() },
        attempt: 0,
        since_ms: memory.now().as_millisecond(),
    };
    assert_eq!(run(forward::part(&parting, &memory)).unwrap(), Ended::Refused);
    let log = memory.lines().join("\n");
    assert!(log.contains("erasure refused") && log.contains("422"), "{log}");
    assert!(!log.contains("anü-1") && !log.contains("ANÜ-1") && !log.contains("access-1"), "{log}");
}
