//! Imports on the whole collector in memory.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::platform::{Platform as _, Upload};
use crate::shell::memory::{self, Memory, request};

const ID: &str = "3f1f6a52-7d1e-4c57-9c39-000000000001";
const OTHER: &str = "3f1f6a52-7d1e-4c57-9c39-000000000002";

fn memory() -> Memory {
    let memory = Memory::new("2026-11-30T10:00:00Z".parse().unwrap(), None).unwrap();
    memory.set_secret("HILO_ADMIN_TOKEN", "token");
    let built_in = include_str!("../../../hilo.toml");
    let till = "[[source]]\nname = \"till\"\nkind = \"server\"\nkeys = [{ sha256 = \"0000000000000000000000000000000000000000000000000000000000000001\" }]\nconsent_basis = { basis = \"contract\", purposes = [\"analytics\"] }\n";
    memory.configure(&format!("{built_in}\n{till}"));
    memory
}

fn send_with(memory: &Memory, query: &str, (id, seq): (&str, u32), rows: &[Value]) -> (u16, Value) {
    let seq = seq.to_string();
    let fields = [("authorization", "Bearer token"), ("import-id", id), ("import-seq", &seq)];
    let mut incoming = request("POST", "/_h/admin/v1/import", &Value::Null, &fields);
    incoming.query = query.to_owned();
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    incoming.body = Upload::Bytes(lines.join("\n").into_bytes());
    let reply = memory.serve(incoming).unwrap();
    (reply.status, memory::json(&reply))
}

fn send(memory: &Memory, place: (&str, u32), rows: &[Value]) -> (u16, Value) {
    send_with(memory, "source=till&kind=orders", place, rows)
}

fn get(memory: &Memory, path: &str) -> Value {
    let fields = [("authorization", "Bearer token")];
    memory::json(&memory.serve(request("GET", path, &Value::Null, &fields)).unwrap())
}

fn order(line: u64, id: &str, total: &str) -> Value {
    json!({"line": line, "order_id": id, "occurred_at": "2026-11-20T10:00:00Z", "total": total, "currency": "EUR", "customer_id": "17"})
}

/// The names of a customer's events, newest first.
fn events(memory: &Memory) -> Vec<Value> {
    let events = get(memory, "/_h/admin/v1/profiles/u:17/events")["events"].clone();
    let events = events.as_array().cloned().unwrap_or_default();
    events.iter().map(|event| json!([event["event"], event["properties"]["total"]])).collect()
}

fn counts(answer: &Value) -> [Value; 4] {
    ["rows", "accepted", "duplicate", "conflict"].map(|name| answer[name].clone())
}

#[test]
fn rows_become_events_of_their_person_and_the_same_file_again_changes_nothing() {
    let memory = memory();
    let rows = [order(2, "1001", "44.90"), order(3, "1002", "5")];
    let (status, answer) = send_with(&memory, "source=till&kind=orders&last=1", (ID, 0), &rows);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        answer,
        json!({"rows": 2, "accepted": 2, "duplicate": 0, "conflict": 0, "rejected": [], "next_seq": 1})
    );
    assert_eq!(events(&memory).len(), 2);
    let (_, again) = send(&memory, (OTHER, 0), &rows);
    assert_eq!(counts(&again), [2, 0, 2, 0].map(|n| json!(n)));
    assert_eq!(events(&memory).len(), 2);
    let standing = get(&memory, &format!("/_h/admin/v1/import/{ID}"));
    assert_eq!((&standing["state"], &standing["accepted"]), (&json!("done"), &json!(2)));
}

#[test]
fn rows_of_one_person_reach_the_profile_in_one_call_and_prove_their_addresses_in_another() {
    let memory = memory();
    let rows: Vec<Value> = (0..50).map(|n| order(n + 2, &format!("10{n}"), "1")).collect();
    send(&memory, (ID, 0), &rows);
    let asked = memory.asked();
    let profiles =
        asked.iter().filter(|object| matches!(object, crate::platform::Object::Profile(_)));
    assert_eq!(profiles.count(), 2);
}

#[test]
fn a_call_that_was_cut_anywhere_counts_each_row_once() {
    let rows = [order(2, "1001", "44.90"), order(3, "1002", "5")];
    // The claim, the profile and the settlement: each fails before and after it is done.
    for (after, is_done) in [(0, false), (0, true), (1, false), (1, true), (2, false), (2, true)] {
        let memory = memory();
        memory.cut_call(after, is_done);
        assert_eq!(send(&memory, (ID, 0), &rows).0, 503, "{after} {is_done}");
        assert!(memory.has_failed());
        memory.crash();
        let (_, answer) = send(&memory, (ID, 0), &rows);
        assert_eq!(counts(&answer), [2, 2, 0, 0].map(|n| json!(n)), "{after} {is_done}");
        let standing = get(&memory, &format!("/_h/admin/v1/import/{ID}"));
        assert_eq!(counts(&standing), [2, 2, 0, 0].map(|n| json!(n)), "{after} {is_done}");
        assert_eq!(events(&memory).len(), 2, "{after} {is_done}");
    }
}

#[test]
fn a_changed_row_is_a_conflict_and_an_update_only_if_the_call_says_so() {
    let memory = memory();
    send(&memory, (ID, 0), &[order(2, "1001", "44.90")]);
    let changed = [order(2, "1001", "49.90")];
    let (_, answer) = send(&memory, (OTHER, 0), &changed);
    assert_eq!(counts(&answer), [1, 0, 0, 1].map(|n| json!(n)));
    assert_eq!(answer["rejected"][0]["code"], "conflict");
    assert_eq!(events(&memory), [json!(["Order Completed", 44.9])]);
    let (_, answer) = send_with(&memory, "source=till&kind=orders&update=1", (OTHER, 1), &changed);
    assert_eq!(counts(&answer), [1, 1, 0, 0].map(|n| json!(n)));
    let found = events(&memory);
    assert!(found.contains(&json!(["Order Updated", 49.9])) && found.len() == 2, "{found:?}");
}

#[test]
fn a_refused_row_tells_its_line_and_reason_and_spoils_no_other() {
    let memory = memory();
    let told = json!({"line": 9, "refused": {"code": "bad_number", "column": "total", "message": "an amount"}});
    let rows = [
        order(2, "1001", "44.90"),
        order(7, "1002", "44,90"),
        told,
        json!("no row"),
        order(11, "1003", "1"),
    ];
    let (_, answer) = send(&memory, (ID, 0), &rows);
    assert_eq!(counts(&answer), [5, 2, 0, 0].map(|n| json!(n)));
    let refused = answer["rejected"].as_array().unwrap();
    let refused: Vec<_> =
        refused.iter().map(|one| (one["line"].clone(), one["code"].clone())).collect();
    let expected = [(4, "malformed_row"), (7, "bad_number"), (9, "bad_number")];
    assert_eq!(refused, expected.map(|(line, code)| (json!(line), json!(code))));
    let list = memory.serve({
        let path = format!("/_h/admin/v1/import/{ID}");
        let mut incoming =
            request("GET", &path, &Value::Null, &[("authorization", "Bearer token")]);
        incoming.query = "format=csv".to_owned();
        incoming
    });
    let crate::platform::Body::Text(text) = list.unwrap().body else { panic!("no text") };
    assert!(text.starts_with("line,column,code,message\r\n\"4\",\"\",\"malformed_row\""), "{text}");
    // Mended, it counts.
    let (_, answer) = send(&memory, (OTHER, 0), &[order(7, "1002", "44.90")]);
    assert_eq!(answer["accepted"], 1);
}

#[test]
fn a_dry_run_stores_nothing() {
    let memory = memory();
    let rows = [order(2, "1001", "44.90"), order(3, "1002", "free")];
    let (_, answer) = send_with(&memory, "source=till&kind=orders&dry_run=1", (ID, 0), &rows);
    assert_eq!((&answer["accepted"], &answer["rejected"][0]["line"]), (&json!(1), &json!(3)));
    assert_eq!((memory.asked().len(), events(&memory).len()), (0, 0));
}

#[test]
fn an_imported_opt_in_never_lifts_a_newer_withdrawal() {
    let memory = memory();
    let row = |state: &str, at: &str| {
        json!({"customer_id": "17", "email": "ana@shop.example", "channel": "email", "state": state, "at": at, "text": "We write.",
               "double_opt_in_at": at})
    };
    let import = |seq: u32, row: Value| {
        send_with(&memory, "source=till&kind=optins", (ID, seq), &[row]).1["accepted"].clone()
    };
    let mut unconfirmed = row("subscribed", "2026-01-01T10:00:00Z");
    unconfirmed.as_object_mut().unwrap().remove("double_opt_in_at");
    let (_, answer) = send_with(&memory, "source=till&kind=optins", (OTHER, 0), &[unconfirmed]);
    assert_eq!(answer["rejected"][0]["code"], "optin_unconfirmable", "{answer}");
    assert_eq!(import(0, row("subscribed", "2026-01-01T10:00:00Z")), 1);
    let state = || get(&memory, "/_h/admin/v1/profiles/u:17")["optins"]["email"].clone();
    assert_eq!(state(), "subscribed");
    assert_eq!(import(1, row("unsubscribed", "2026-03-01T10:00:00Z")), 1);
    assert_eq!(import(2, row("subscribed", "2026-02-01T10:00:00Z")), 1);
    assert_eq!(state(), "unsubscribed");
    assert_eq!(import(3, row("subscribed", "2026-04-01T10:00:00Z")), 1);
    assert_eq!(state(), "subscribed");
    let ledger = get(&memory, "/_h/admin/v1/profiles/u:17/optins")["optins"].clone();
    let times: Vec<_> =
        ledger.as_array().unwrap().iter().map(|entry| entry["at"].clone()).collect();
    let expected = ["2026-04-01", "2026-03-01", "2026-02-01", "2026-01-01"];
    assert_eq!(times, expected.map(|day| json!(format!("{day}T10:00:00Z"))));
}

#[test]
fn two_people_without_an_id_are_two_contacts_and_their_labels_tell_no_address() {
    let memory = memory();
    let visit = |email: &str| json!({"occurred_at": "2026-11-20T10:00:00Z", "store_id": "Sol", "email": email});
    let rows = [visit("ana@shop.example"), visit("ANA@shop.example "), visit("eva@shop.example")];
    let (_, answer) = send_with(&memory, "source=till&kind=visits", (ID, 0), &rows);
    assert_eq!(answer["accepted"], 3, "{answer}");
    assert_eq!(memory.profiles(), 2);
}

#[test]
fn a_call_that_cannot_be_an_imports_is_refused() {
    let memory = memory();
    let rows = [order(2, "1001", "44.90")];
    for (query, status, code) in [
        ("source=nobody&kind=orders", 404, "not_found"),
        ("source=shop&kind=orders", 404, "not_found"),
        ("source=till&kind=dreams", 422, "wrong_type"),
    ] {
        let (found, answer) = send_with(&memory, query, (ID, 0), &rows);
        assert_eq!((found, &answer["error"]["code"]), (status, &json!(code)), "{query}");
    }
    assert_eq!(send(&memory, ("short", 0), &rows).1["error"]["field"], "Import-Id");
    assert_eq!(send(&memory, (ID, 64), &rows).1["error"]["field"], "Import-Seq");
    assert_eq!(send(&memory, (ID, 0), &rows).0, 200);
    assert_eq!(
        send(&memory, (ID, 0), &[order(2, "1009", "1")]).1["error"]["code"],
        "import_changed"
    );
    let many: Vec<Value> = (0..501).map(|n| order(n, &n.to_string(), "1")).collect();
    assert_eq!(send(&memory, (ID, 1), &many).1["error"]["code"], "too_many_events");
    let fields = [("authorization", "Bearer wrong")];
    let stranger = memory.serve(request("POST", "/_h/admin/v1/import", &Value::Null, &fields));
    assert_eq!(stranger.unwrap().status, 401);
}

#[test]
fn a_row_from_before_the_months_of_events_is_too_old() {
    let memory = memory();
    let mut row = order(2, "1001", "44.90");
    row["occurred_at"] =
        json!((memory.now() - SignedDuration::from_hours(24 * 31 * 14)).to_string());
    assert_eq!(send(&memory, (ID, 0), &[row]).1["rejected"][0]["code"], "too_old");
}
