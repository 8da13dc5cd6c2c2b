//! Opt-out flags of records, which services tell again with every change: a repeated flag lifts no newer subscription.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;

/// Salesforce with one contact, as the test sets it: whether it has opted out, its address, and the minute of its last change.
#[derive(Clone)]
struct Record {
    is_out: bool,
    email: &'static str,
    changed: u32,
}

fn salesforce(more: &str) -> (Memory, Rc<RefCell<Record>>) {
    let settings = "domain = \"acme.my.salesforce.com\"\nclient_id = { secret = \"ID\" }\n\
        client_secret = { secret = \"KEY\" }\nuser_id = \"Shop_User__c\"\nobjects = [\"Contact\"]\n\
        identity = \"trusted\"\n";
    let memory = deployment("salesforce", &format!("{settings}{more}"));
    let record =
        Rc::new(RefCell::new(Record { is_out: true, email: "ana@shop.example", changed: 0 }));
    let told = Rc::clone(&record);
    memory.set_vendor(move |request| {
        let body = if request.url.ends_with("/services/oauth2/token") {
            json!({"access_token": "t", "instance_url": "https://acme.my.salesforce.com", "token_type": "Bearer"})
        } else if request.url.contains(".my.salesforce.com/") {
            let Record { is_out, email, changed } = *told.borrow();
            json!({"totalSize": 1, "done": true, "records": [{
                "Id": "0035e00000AbCdEAAV", "Email": email, "HasOptedOutOfEmail": is_out, "Shop_User__c": "u17",
                "SystemModstamp": format!("2026-11-24T10:{changed:02}:00.000+0000"),
                "Opted_Out_At__c": "2026-11-24T09:00:00.000+0000",
            }]})
        } else {
            return None;
        };
        Some(Ok(Response { status: 200, headers: Headers::default(), body: body.to_string() }))
    });
    (memory, record)
}

/// The person subscribes, and has proved the address to the company's backend.
fn subscribe(memory: &Memory, email: &str) {
    let body = json!({"reports": [{
        "id": format!("in:{}", memory.now()), "who": {"userId": "u17", "email": email},
        "optIn": {"channel": "email", "subscribed": true, "text": "Write to me."},
        "occurredAt": memory.now().to_string(),
    }]});
    let reply = call(memory, "/v1/reports", &body, &[("authorization", "Bearer sk_dev_backend")]);
    assert_eq!(json(&reply)["accepted"], 1, "{}", json(&reply));
}

/// Lets the feed read, after the record was changed.
fn tell(memory: &Memory, record: &Rc<RefCell<Record>>, change: impl Fn(&mut Record)) {
    memory.advance(SignedDuration::from_mins(15));
    change(&mut record.borrow_mut());
    record.borrow_mut().changed += 15;
    read(memory);
    assert_eq!(standing(memory).reason, None);
}

/// The state in force.
fn state(memory: &Memory) -> Value {
    get(memory, "/admin/v1/profiles/u:u17/optins")["optins"][0]["state"].clone()
}

#[test]
fn a_flag_that_is_only_told_again_leaves_a_newer_subscription_in_force() {
    let (memory, record) = salesforce("");
    read(&memory);
    assert_eq!(state(&memory), "unsubscribed");
    memory.advance(SignedDuration::from_mins(1));
    subscribe(&memory, "ana@shop.example");
    for _ in 0..2 {
        tell(&memory, &record, |_| {});
        assert_eq!(state(&memory), "subscribed");
    }
}

#[test]
fn a_flag_that_was_lifted_and_is_set_again_is_a_new_opt_out() {
    let (memory, record) = salesforce("");
    read(&memory);
    memory.advance(SignedDuration::from_mins(1));
    subscribe(&memory, "ana@shop.example");
    tell(&memory, &record, |record| record.is_out = false);
    assert_eq!(
        state(&memory),
        "subscribed",
        "no feed subscribes or ends anything by a missing flag"
    );
    tell(&memory, &record, |record| record.is_out = true);
    assert_eq!(state(&memory), "unsubscribed");
}

#[test]
fn a_flag_that_is_heard_for_the_first_time_counts_even_against_an_older_subscription() {
    let (memory, record) = salesforce("");
    subscribe(&memory, "ana@shop.example");
    tell(&memory, &record, |_| {});
    assert_eq!(state(&memory), "unsubscribed");
}

#[test]
fn a_flag_about_another_address_is_a_new_opt_out() {
    let (memory, record) = salesforce("");
    read(&memory);
    memory.advance(SignedDuration::from_mins(1));
    subscribe(&memory, "ana@other.example");
    tell(&memory, &record, |record| record.email = "ana@other.example");
    assert_eq!(state(&memory), "unsubscribed");
}

#[test]
fn a_flag_whose_time_the_record_tells_counts_with_that_time() {
    let (memory, record) = salesforce("opted_out_at = \"Opted_Out_At__c\"");
    subscribe(&memory, "ana@shop.example");
    tell(&memory, &record, |_| {});
    assert_eq!(state(&memory), "subscribed", "the choice of an hour before is older");
}

#[test]
fn a_run_that_is_killed_hears_a_new_flag_all_the_same() {
    for after in 0..14 {
        for is_done in [false, true] {
            let (memory, _) = salesforce("");
            memory.cut_call(after, is_done);
            read(&memory);
            memory.crash();
            memory.advance(SignedDuration::from_mins(15));
            read(&memory);
            assert_eq!(state(&memory), "unsubscribed", "{after} {is_done}");
        }
    }
}

#[test]
fn the_history_of_hubspots_property_tells_since_when_a_contact_has_opted_out() {
    let (memory, since) = (hubspot(), Rc::new(RefCell::new("2026-11-24T09:00:00Z")));
    let told = Rc::clone(&since);
    memory.set_vendor(move |request| {
        let path = request.url.strip_prefix("https://api.hubapi.com/")?;
        let mut contact = json!({"id": "7", "properties": {
            "email": "ana@shop.example", "shop_id": "u17", "hs_email_optout": "true",
            "lastmodifieddate": "2026-11-24T10:05:00Z",
        }});
        if path.ends_with("/batch/read") {
            let of = |at: &str, value: &str, by: &str| json!({"timestamp": at, "value": value, "sourceType": by});
            contact["propertiesWithHistory"] = json!({"hs_email_optout": [
                of("2026-11-24T10:04:00Z", "true", "INTEGRATIONS_SYNC"), of(*told.borrow(), "true", "API"),
                of("2026-11-23T09:00:00Z", "true", "API"), of("2026-11-22T09:00:00Z", "false", "API"),
            ]});
        }
        let body = json!({"results": [contact]}).to_string();
        Some(Ok(Response { status: 200, headers: Headers::default(), body }))
    });
    subscribe(&memory, "ana@shop.example");
    memory.advance(SignedDuration::from_mins(10));
    read(&memory);
    assert_eq!(standing(&memory).reason, None);
    assert_eq!(state(&memory), "subscribed", "the choice of an hour before is older");
    since.replace("2026-11-24T10:01:00Z");
    memory.advance(SignedDuration::from_mins(10));
    read(&memory);
    assert_eq!(state(&memory), "unsubscribed");
    let asked: Vec<_> =
        memory.sent().into_iter().filter(|one| one.url.ends_with("/batch/read")).collect();
    assert_eq!(asked.len(), 2, "one request for the history of a run, and the run ends behind it");
}

#[test]
fn a_contact_of_hubspot_without_history_that_opts_out_again_has_opted_out_again() {
    let (memory, contact) = (hubspot(), Rc::new(RefCell::new((true, String::new()))));
    let told = Rc::clone(&contact);
    memory.set_vendor(move |request| {
        request.url.strip_prefix("https://api.hubapi.com/")?;
        let (is_out, changed_at) = told.borrow().clone();
        let contact = json!({"id": "7", "properties": {
            "email": "ana@shop.example", "shop_id": "u17", "hs_email_optout": is_out.to_string(),
            "lastmodifieddate": changed_at,
        }});
        let body = json!({"results": [contact]}).to_string();
        Some(Ok(Response { status: 200, headers: Headers::default(), body }))
    });
    let change = |is_out: bool| {
        memory.advance(SignedDuration::from_mins(10));
        contact.replace((is_out, memory.now().to_string()));
        read(&memory);
        assert_eq!(standing(&memory).reason, None);
    };
    change(true);
    assert_eq!(state(&memory), "unsubscribed");
    memory.advance(SignedDuration::from_mins(1));
    subscribe(&memory, "ana@shop.example");
    change(true);
    assert_eq!(state(&memory), "subscribed", "the flag is only told again");
    change(false);
    assert_eq!(state(&memory), "subscribed");
    change(true);
    assert_eq!(state(&memory), "unsubscribed");
}
