//! Erasures of users and devices whose profiles have moved, as their persons and the admin ask for them.

use super::*;

/// The notice of an erasure that an admin asks for.
fn notice(memory: &Memory, key: &str) -> Value {
    let fields = vec![("authorization", "Bearer token".to_owned())];
    let mut admin = Browser { fields, ..Browser::new(memory) };
    let path = format!("/admin/v1/profiles/{key}/erase");
    let (status, answer) = admin.call("POST", &path, Value::Null);
    assert_eq!((status, &answer["status"]), (202, &json!("erasing")));
    answer["notice"]["code"].clone()
}

/// A device that is linked to the user of the token, who has become another user.
fn renamed(memory: &Memory) -> Browser<'_> {
    let mut page = signed_in(memory, ID, token(memory, "profile", 600));
    page.hello(json!({"anonymousId": ID}));
    assert!(is_linked(memory, ID));
    let mut alias = alias("x1", "user-1");
    alias["userId"] = "new".into();
    assert_eq!(send(memory, true, &json!([alias])).0, 200);
    pass(memory, 3);
    page
}

fn check_erased(memory: &Memory) {
    for key in ["u:new", USER, &format!("a:{ID}")] {
        let kept = summary(memory, key);
        assert_eq!(
            (&kept["erasure"]["status"], &kept["events"]),
            (&json!("done"), &json!(0)),
            "{key}"
        );
    }
}

#[test]
fn the_token_of_an_earlier_id_reads_and_erases_what_moved_with_it() {
    for has_device in [false, true] {
        let memory = memory_with_webhook();
        let page = renamed(&memory);
        let token = token(&memory, "profile erase", 600);
        let mut person = signed_in(&memory, "another-device", token.clone());
        person.cookie = None;
        person.fields.push(("authorization", "Bearer wk_shop".to_owned()));
        let (_, kept) = person.call("GET", "/v1/me", Value::Null);
        assert_eq!((&kept["about"], &kept["events"]), (&json!("user"), &json!(2)));
        let answer = erase(&memory, page.cookie.filter(|_| has_device), Some(token));
        assert_eq!(answer["notice"], Value::Null, "nothing of the person stays");
        check_erased(&memory);
        let poll = answer["poll"].as_str().unwrap();
        assert_eq!(Browser::new(&memory).call("GET", poll, Value::Null).1["status"], "done");
    }
}

#[test]
fn an_admins_erasure_of_an_earlier_id_erases_the_person_and_that_of_a_device_names_the_user() {
    let memory = memory_with_webhook();
    renamed(&memory);
    assert_eq!(notice(&memory, USER), Value::Null);
    wait(&memory, 12, 10);
    check_erased(&memory);
    let memory = memory_with_webhook();
    renamed(&memory);
    assert_eq!(notice(&memory, &format!("a:{ID}")), "user_kept");
    wait(&memory, 12, 10);
    assert_eq!(events(&memory, USER).len(), 2);
    assert_eq!(summary(&memory, "u:new")["links"], 1, "the new one forgets the device");
}

#[test]
fn a_device_of_somebody_else_beside_a_users_token_says_that_its_user_stays() {
    let memory = memory_with_webhook();
    let page = signed_in(&memory, ID, String::new());
    let mut identify = identify("i1", ID);
    identify["userId"] = "somebody".into();
    assert_eq!(send(&memory, true, &json!([identify])).0, 200);
    pass(&memory, 3);
    let answer = erase(&memory, page.cookie, Some(token(&memory, "erase", 600)));
    let said = (&answer["erases"], &answer["notice"]["code"]);
    assert_eq!(said, (&json!(["user", "device"]), &json!("user_kept")));
    assert_eq!(events(&memory, "u:somebody").len(), 2);
}
