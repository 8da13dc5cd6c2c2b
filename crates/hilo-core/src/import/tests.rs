//! Canonical rows → the reports that they become, or the fault.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::inbound::{Report, Told};

fn import(kind: Kind, row: Value) -> Result<Imported, Fault> {
    let now: Timestamp = "2026-11-30T10:00:00Z".parse().unwrap();
    let oldest = "2025-10-30T10:00:00Z".parse().ok();
    read(row.as_object().unwrap(), &Terms { kind, source: "till", now, oldest })
}

fn told(report: &Report) -> Value {
    match &report.told {
        Told::Act { event, properties } => json!([event, properties]),
        Told::Traits(traits) => json!(["traits", traits]),
        Told::OptIn { channel, is_subscribed, text } => json!([channel, is_subscribed, text]),
    }
}

#[track_caller]
fn check(kind: Kind, row: Value, expected: &[Value]) {
    let found = import(kind, row).unwrap();
    assert_eq!(found.reports.iter().map(told).collect::<Vec<_>>(), expected);
}

#[track_caller]
fn refuses(kind: Kind, row: Value, code: &str, column: &str) {
    let fault = import(kind, row.clone()).unwrap_err();
    let found = (fault.code.name(), fault.column.as_deref().unwrap_or_default());
    assert_eq!(found, (code, column), "{row}");
}

fn order() -> Value {
    json!({
        "line": 7, "order_id": "1001", "occurred_at": "2026-11-20T17:30:00Z", "total": "44.90", "currency": "EUR",
        "store_id": "Sol", "loyalty_id": "L-9", "payment_method": "card",
        "lines": [{"product_id": "MUG", "quantity": "2", "price": "20.00"}, {"product_id": "TEA", "quantity": "1.5", "price": "3.27"}],
    })
}

#[test]
fn an_order_of_a_store_becomes_order_completed_with_its_products() {
    check(
        Kind::Orders,
        order(),
        &[json!(["Order Completed", {
            "order_id": "1001", "total": 44.9, "currency": "EUR", "store_id": "Sol", "payment_method": "card", "affiliation": "store",
            "products": [
                {"product_id": "MUG", "quantity": 2, "price": 20.0},
                {"product_id": "TEA", "quantity": 1.5, "price": 3.27},
            ],
        }])],
    );
    let found = import(Kind::Orders, order()).unwrap();
    let report = &found.reports[0];
    assert_eq!(report.context["channel"], "Store");
    assert_eq!(
        (report.who.order_id.as_deref(), report.who.loyalty_id.as_deref()),
        (Some("1001"), Some("L-9"))
    );
    assert_eq!(report.occurred_at.unwrap().to_string(), "2026-11-20T17:30:00Z");
    assert_eq!((found.line, report.id.as_deref()), (7, Some(found.key.as_str())));
}

#[test]
fn an_order_in_one_row_may_have_one_product_or_none() {
    let mut row = order();
    row.as_object_mut().unwrap().remove("lines");
    row["tax"] = json!("7.79");
    check(
        Kind::Orders,
        row.clone(),
        &[json!(["Order Completed", {
            "order_id": "1001", "total": 44.9, "currency": "EUR", "store_id": "Sol", "payment_method": "card", "affiliation": "store", "tax": 7.79,
        }])],
    );
    row["product_id"] = json!("MUG");
    row["extra"] = json!({"table": "4", "total": "0"});
    row["flags"] = json!(["ambiguous_hour"]);
    check(
        Kind::Orders,
        row,
        &[json!(["Order Completed", {
            "order_id": "1001", "total": 44.9, "currency": "EUR", "store_id": "Sol", "payment_method": "card", "affiliation": "store",
            "products": [{"product_id": "MUG", "tax": 7.79}], "table": "4", "import_flags": ["ambiguous_hour"],
        }])],
    );
}

#[test]
fn a_call_is_named_by_its_direction_and_its_end() {
    for (direction, outcome, event) in [
        ("in", "answered", "Call Received"),
        ("in", "No contestada", "Call Missed"),
        ("in", "buzón", "Voicemail Left"),
        ("out", "no answer", "Call Made"),
    ] {
        let row = json!({"occurred_at": "2026-11-20T17:30:00Z", "direction": direction, "phone": "+34600111222", "outcome": outcome, "duration_s": "200"});
        let found = import(Kind::Calls, row).unwrap();
        let shown = told(&found.reports[0]);
        assert_eq!((&shown[0], &shown[1]["duration_s"]), (&json!(event), &json!(200)), "{outcome}");
        assert_eq!(found.reports[0].context["channel"], "Phone");
    }
}

#[test]
fn a_visit_and_a_refund_become_their_touchpoints() {
    let visit = json!({"occurred_at": "2026-11-20T17:30:00Z", "store_id": "Sol", "email": "ana@shop.example", "reason": "fitting"});
    check(
        Kind::Visits,
        visit,
        &[json!(["Store Visited", {"store_id": "Sol", "reason": "fitting"}])],
    );
    let refund = json!({"order_id": "1001", "occurred_at": "2026-11-21T10:00:00Z", "total": 20, "currency": "EUR"});
    check(
        Kind::Refunds,
        refund,
        &[
            json!(["Order Refunded", {"order_id": "1001", "total": 20.0, "currency": "EUR", "affiliation": "store"}]),
        ],
    );
}

#[test]
fn an_opt_in_needs_the_text_that_the_person_agreed_to_and_an_opt_out_needs_none() {
    let row = |state: &str| json!({"email": "ana@shop.example", "channel": "email", "state": state, "at": "2020-01-01T10:00:00Z"});
    check(Kind::OptIns, row("unsubscribed"), &[json!(["email", false, null])]);
    refuses(Kind::OptIns, row("subscribed"), "missing_value", "text");
    let mut row = row("subscribed");
    row["text_id"] = json!("news-3");
    row["double_opt_in_at"] = json!("2020-01-01T10:05:00Z");
    check(Kind::OptIns, row.clone(), &[json!(["email", true, "news-3"])]);
    assert_eq!(
        import(Kind::OptIns, row).unwrap().reports[0].context["double_opt_in_at"],
        "2020-01-01T10:05:00Z"
    );
}

#[test]
fn a_contact_becomes_facts_about_a_person_and_the_opt_ins_beside_them() {
    let row = json!({
        "customer_id": "17", "email": "ana@shop.example", "first_name": "Ana", "city": "Madrid", "updated_at": "2026-11-20T10:00:00Z",
        "email_optin": "subscribed", "sms_optin": "unsubscribed", "optin_at": "2026-11-01T10:00:00Z", "optin_text": "We write twice a month.",
    });
    check(
        Kind::Contacts,
        row.clone(),
        &[
            json!(["traits", {"email": "ana@shop.example", "firstName": "Ana", "address": {"city": "Madrid"}}]),
            json!(["email", true, "We write twice a month."]),
            json!(["sms", false, "We write twice a month."]),
        ],
    );
    let ids: alloc::collections::BTreeSet<_> = import(Kind::Contacts, row.clone())
        .unwrap()
        .reports
        .into_iter()
        .map(|one| one.id)
        .collect();
    assert_eq!(ids.len(), 3);
    let mut row = row;
    row.as_object_mut().unwrap().remove("optin_at");
    row.as_object_mut().unwrap().remove("updated_at");
    refuses(Kind::Contacts, row, "missing_value", "optin_at");
}

#[test]
fn the_same_row_has_the_same_key_wherever_it_stands_and_a_changed_row_another_digest() {
    let (one, mut moved, mut changed) = (order(), order(), order());
    moved["line"] = json!(99);
    changed["total"] = json!("45.90");
    let [one, moved, changed] = [one, moved, changed].map(|row| import(Kind::Orders, row).unwrap());
    assert_eq!((&one.key, &one.digest), (&moved.key, &moved.digest));
    assert_eq!(one.key, changed.key);
    assert_ne!(one.digest, changed.digest);
    assert!(one.key.starts_with("imp:") && one.key.len() == 36, "{}", one.key);
    let changed = updated(&changed.reports[0], &changed.key, &changed.digest).unwrap();
    assert_eq!(told(&changed)[0], ORDER_UPDATED);
    assert_ne!(changed.id, one.reports[0].id);
}

#[test]
fn the_key_of_a_call_without_an_id_is_its_minute_its_number_and_its_direction() {
    let call = |at: &str, direction: &str| {
        import(
            Kind::Calls,
            json!({"occurred_at": at, "direction": direction, "phone": "+34600111222"}),
        )
        .unwrap()
        .key
    };
    assert_eq!(call("2026-11-20T17:30:05Z", "in"), call("2026-11-20T18:30:59+01:00", "in"));
    assert_ne!(call("2026-11-20T17:30:05Z", "in"), call("2026-11-20T17:31:00Z", "in"));
    assert_ne!(call("2026-11-20T17:30:05Z", "in"), call("2026-11-20T17:30:05Z", "out"));
}

#[test]
fn a_row_that_decides_something_wrongly_is_refused_with_its_reason() {
    let with = |name: &str, value: Value| {
        let mut row = order();
        row[name] = value;
        row
    };
    for (name, value, code) in [
        ("total", json!("44,90"), "bad_number"),
        ("total", json!("44.905"), "bad_number"),
        ("total", json!(null), "missing_value"),
        ("total", json!(["44.90"]), "malformed_row"),
        ("currency", json!("eur"), "bad_currency"),
        ("currency", json!("XXX"), "bad_currency"),
        ("occurred_at", json!("2026-11-20 17:30"), "bad_time"),
        ("occurred_at", json!("2026-12-02T10:00:00Z"), "in_future"),
        ("occurred_at", json!("2024-11-20T10:00:00Z"), "too_old"),
        ("phone", json!("600111222"), "bad_phone"),
        ("email", json!("ana"), "bad_email"),
        ("shoe_size", json!("42"), "unknown_column"),
        ("lines", json!("MUG"), "malformed_row"),
    ] {
        refuses(Kind::Orders, with(name, value), code, name);
    }
    refuses(
        Kind::Orders,
        with("lines", json!([{"product_id": "MUG", "price": "free"}])),
        "bad_number",
        "price",
    );
    let nobody = json!({"occurred_at": "2026-11-20T17:30:00Z", "store_id": "Sol"});
    refuses(Kind::Visits, nobody, "no_person", "");
}
