//! The page of admin calls has every call under its path, and the runbook every alarm.
//!
//! The collector's own answer, and its list of faults → the facts of both pages.

use hilo_collector::fault::FaultCode;
use hilo_collector::shell::memory::{Memory, json, request};
use serde_json::Value;

use crate::facts::stale;

#[test]
fn the_page_of_admin_calls_has_every_call_under_the_path_where_it_is_reached() {
    let memory = Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), None).unwrap();
    memory.set_secret("HILO_ADMIN_TOKEN", "token");
    let fields = [("authorization", "Bearer token")];
    let reply = memory.serve(request("GET", "/_h/admin/v1/", &Value::Null, &fields)).unwrap();
    let mut table = "| call | roles | what for |\n| --- | --- | --- |\n".to_owned();
    for call in json(&reply)["calls"].as_array().unwrap() {
        let text = |name: &str| call[name].as_str().unwrap();
        let roles: Vec<_> =
            call["roles"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let roles = if roles.len() == 4 { "everybody".to_owned() } else { roles.join(", ") };
        let purpose = text("purpose").replace('<', "&lt;");
        table.push_str(&format!(
            "| `{} /_h{}` | {roles} | {purpose} |\n",
            text("method"),
            text("path")
        ));
    }
    assert_eq!(stale("crates/hilo-collector/docs/admin.md", &table), None);
}

#[test]
fn the_runbook_has_every_alarm_with_its_remedy() {
    let mut table = "| alarm | events | what to do |\n| --- | --- | --- |\n".to_owned();
    for code in FaultCode::ALL {
        let events = if code.loses_events() { "lost, refused or late" } else { "none lost" };
        table.push_str(&format!("| `{}` | {events} | {} |\n", code.name(), code.remedy()));
    }
    assert_eq!(stale("crates/hilo-collector/RUNBOOK.md", &table), None);
}
