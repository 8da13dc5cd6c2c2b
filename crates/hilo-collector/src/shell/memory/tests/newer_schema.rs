//! Today's code on the storage of a newer version: what that version has added is left alone, and a storage that this version
//! cannot run on is refused until the newer version is back.

use super::world::Objects;
use super::*;
use crate::calls::{DeliveryState, Page, ProfileCall, decode};
use crate::platform::{Reply, Sql, SqlValue};

/// Runs `work` on the storage of each object.
fn on_each(memory: &Memory, work: impl Fn(&MemorySql)) {
    fn on<V>(objects: &Objects<V>, work: impl Fn(&MemorySql)) {
        let objects = objects.borrow();
        let present = objects.values().filter(|one| !tables(&one.sql).is_empty());
        present.for_each(|one| work(&one.sql));
    }
    on(&memory.0.profiles, &work);
    on(&memory.0.carts, &work);
    on(&memory.0.journal, &work);
}

fn tables(sql: &MemorySql) -> Vec<String> {
    let query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let rows = sql.exec(query, &[]).unwrap();
    rows.iter().map(|row| row.text("name").unwrap().to_owned()).collect()
}

/// The number of migrations that are done, and the number that a version must know at least.
fn numbers(sql: &MemorySql) -> (u32, u32) {
    let rows = sql.exec("SELECT value FROM meta WHERE key = 'schema'", &[]).unwrap();
    let (count, oldest) = rows[0].text("value").unwrap().split_once(' ').unwrap();
    (count.parse().unwrap(), oldest.parse().unwrap())
}

fn set_numbers(sql: &MemorySql, count: u32, oldest: u32) {
    let text = SqlValue::Text(format!("{count} {oldest}"));
    sql.run("UPDATE meta SET value = ? WHERE key = 'schema'", &[text]).unwrap();
}

/// Updates all objects as a newer version would, and starts this version on them: each table has one more column and one more
/// index, there is one more table, and `meta` has one more value.
fn update(memory: &Memory) {
    on_each(memory, |sql| {
        for table in tables(sql) {
            let column = format!("ALTER TABLE {table} ADD COLUMN later INTEGER NOT NULL DEFAULT 7");
            sql.run(&column, &[]).unwrap();
            sql.run(&format!("CREATE INDEX later_{table} ON {table} (later)"), &[]).unwrap();
        }
        sql.run("CREATE TABLE later (name TEXT PRIMARY KEY)", &[]).unwrap();
        sql.run("INSERT INTO meta (key, value) VALUES ('later', 'kept')", &[]).unwrap();
        let (count, oldest) = numbers(sql);
        set_numbers(sql, count + 1, oldest);
    });
    memory.crash();
}

fn post(memory: &Memory, path: &str, body: &Value) -> Reply {
    memory.serve(request("POST", path, body, &[("origin", SHOP), ("x-hilo", "1")])).unwrap()
}

fn view(id: &str) -> Value {
    let mut view = page_view();
    view["messageId"] = id.into();
    view
}

/// Returns the ids that the destination got.
fn got(memory: &Memory) -> Vec<String> {
    let sent = memory.sent().into_iter();
    sent.map(|one| crate::shell::memory::delivered_id(&one)).collect()
}

fn deliveries(memory: &Memory) -> Vec<DeliveryState> {
    let page: Page = ask_visitor(memory, &ProfileCall::Deliveries { cursor: None, limit: 200 });
    page.rows.iter().map(|row| decode(row.get()).unwrap()).collect()
}

/// Lets a new person deny analytics. The person gets an id first.
fn deny(memory: &Memory, id: &str) {
    let granted = json!({"categoryPreferences": {"analytics": true}});
    let hello = json!({"writeKey": "wk_shop", "anonymousId": id, "consent": granted});
    let fields = [("origin", SHOP), ("x-hilo", "1"), ("x-hilo-auth", "none")];
    let welcome = memory.serve(request("POST", "/v1/hello", &hello, &fields)).unwrap();
    let proof = json(&welcome)["token"].as_str().unwrap().to_owned();
    let change = json!({"purpose": "analytics", "state": "denied", "at": "2026-11-24T10:00:00Z", "method": "api"});
    let body = json!({"writeKey": "wk_shop", "anonymousId": id, "consent": {"changes": [change]}});
    let fields = [("origin", SHOP), ("x-hilo", "1"), ("x-hilo-auth", proof.as_str())];
    let answer = memory.serve(request("POST", "/v1/consent", &body, &fields)).unwrap();
    assert_eq!((answer.status, &json(&answer)["revision"]), (200, &json!(1)), "{answer:?}");
}

/// Counts the refusals that the journal has.
fn refusals(memory: &Memory) -> u32 {
    rejects(memory, 14).counts.values().sum()
}

/// A deployment with a pending delivery, a recorded denial, a cart with touchpoints, a merge under way, and refusals.
fn deployment() -> Memory {
    let memory = memory();
    memory.fail_queue_after(Some(0));
    assert_eq!(post(&memory, "/v1/page", &view("m1")).status, 200);
    deny(&memory, "a2");
    fill(&memory, "guest", speaker(Owner::Guest));
    send_refused(&memory, 3);
    memory.advance(SignedDuration::from_secs(20));
    settle(&memory);
    assert_eq!(got(&memory), [""; 0]);
    memory
}

#[test]
fn this_version_runs_on_the_next_schema_and_loses_nothing() {
    let memory = deployment();
    let refused = refusals(&memory);
    update(&memory);
    let reply = post(&memory, "/v1/page", &view("m1"));
    assert_eq!(json(&reply)["duplicate"], 1, "{reply:?}");
    assert_eq!(post(&memory, "/v1/page", &view("m2")).status, 200);
    deny(&memory, "a3");
    memory.fail_queue_after(None);
    memory.advance(SignedDuration::from_secs(20));
    settle(&memory);
    let mut ids = got(&memory);
    ids.sort();
    assert_eq!(ids, ["m1", "m2"]);
    assert!(deliveries(&memory).iter().all(|one| one.state == "delivered"));
    assert_eq!(events_of_visitor(&memory), 2);
    // The cart, its merge and the refusals.
    let to =
        CustomerCart { cart: "customer".to_owned(), speaker: customer(), policy: "sum".to_owned() };
    let _: Leave = ask(&memory, "guest", customer(), CartAsk::Leave(to));
    memory.advance(SignedDuration::from_secs(6));
    settle(&memory);
    assert_eq!(summary(&memory, "guest").standing, "merged");
    assert_eq!(summary(&memory, "customer").lines.len(), 1);
    let kept = refusals(&memory);
    assert!(kept >= refused, "{kept} of {refused}, and some of the cart's own");
    send_refused(&memory, 2);
    memory.advance(SignedDuration::from_secs(20));
    settle(&memory);
    assert_eq!(refusals(&memory), kept + 2);
    // Upkeep, with what the newer version has added.
    memory.advance(SignedDuration::from_hours(24 * 31 * 14));
    settle(&memory);
    assert_eq!(events_of_visitor(&memory), 0);
    let kept = std::cell::Cell::new(0);
    on_each(&memory, |sql| {
        let later = sql.exec("SELECT value FROM meta WHERE key = 'later'", &[]).unwrap();
        kept.set(kept.get() + later.len());
    });
    assert!(kept.get() >= 2, "{} objects", kept.get());
    assert!(!memory.lines().iter().any(|line| line.contains("\"error\"")), "{:?}", memory.lines());
}

/// Updates all objects so that only a newer version can run on them, or lets that version be this one.
fn need_newer(memory: &Memory, is_newer: bool) {
    on_each(memory, |sql| {
        let (count, _) = numbers(sql);
        let count = if is_newer { count + 1 } else { count - 1 };
        set_numbers(sql, count, count);
    });
    memory.crash();
}

#[test]
fn an_unreadable_configuration_beside_a_newer_storage_costs_no_alarm() {
    let memory = deployment();
    memory.configure("[of a newer version");
    need_newer(&memory, true);
    memory.fail_queue_after(None);
    for _ in 0..4 {
        memory.advance(SignedDuration::from_mins(10));
        settle(&memory);
    }
    assert_eq!(got(&memory), [""; 0]);
    need_newer(&memory, false);
    memory.configure(include_str!("../../../../hilo.toml"));
    memory.advance(SignedDuration::from_hours(1));
    settle(&memory);
    assert_eq!(got(&memory), ["m1"], "{:?}", memory.lines());
}

#[test]
fn a_storage_that_only_a_newer_version_can_run_on_is_refused_and_keeps_everything() {
    let memory = deployment();
    let refused = refusals(&memory);
    need_newer(&memory, true);
    memory.fail_queue_after(None);
    let granted = json!({"categoryPreferences": {"analytics": true}});
    let hello = json!({"writeKey": "wk_shop", "anonymousId": "a2", "consent": granted});
    for (path, body) in [("/v1/page", view("m2")), ("/v1/hello", hello)] {
        let reply = post(&memory, path, &body);
        let code = json(&reply)["error"]["code"].clone();
        assert_eq!((reply.status, code), (503, json!("schema_newer")), "{path}");
        assert_eq!(reply.headers.get("retry-after"), Some("2"), "{path}");
    }
    let leave = CartCall { speaker: speaker(Owner::Guest), ask: CartAsk::Summary };
    let asked = run(ask_cart::<_, CartSummary>(&memory, "guest", &leave)).unwrap();
    assert_eq!(asked.map(|_| ()), Err(Failure::SchemaNewer));
    let health = memory.serve(request("GET", "/health", &Value::Null, &[])).unwrap();
    let faults = json(&health)["faults"].as_array().unwrap().clone();
    let found = faults.iter().filter(|fault| fault["code"] == "schema_newer");
    assert_eq!((health.status, found.count()), (503, 1), "{faults:?}");
    let before = memory.lines().len();
    for _ in 0..12 {
        memory.advance(SignedDuration::from_mins(10));
        settle(&memory);
    }
    assert_eq!(got(&memory), [""; 0]);
    let lines = memory.lines().len() - before;
    assert!(lines < 12 * 10, "{lines} lines in two hours");
    need_newer(&memory, false);
    memory.advance(SignedDuration::from_hours(1));
    settle(&memory);
    assert_eq!(got(&memory), ["m1"], "{:?}", memory.lines());
    assert_eq!(post(&memory, "/v1/page", &view("m2")).status, 200);
    settle(&memory);
    assert_eq!(got(&memory), ["m1", "m2"]);
    assert_eq!(events_of_visitor(&memory), 2);
    assert_eq!(summary(&memory, "guest").lines.len(), 1);
    assert!(refusals(&memory) >= refused);
}

#[test]
fn a_call_that_only_a_newer_version_knows_fails_and_makes_no_storage() {
    let memory = memory();
    let name = || "p".to_owned();
    for object in
        [Object::Profile(name()), Object::Cart(name()), Object::Journal, Object::Rejects(name())]
    {
        let answer = run(memory.ask(&object, "{\"of_the_future\":{}}".to_owned())).unwrap();
        assert!(matches!(answer, Err(Failure::Fatal(_))), "{object:?}: {answer:?}");
    }
    on_each(&memory, |sql| panic!("a storage with {:?}", tables(sql)));
}

#[test]
fn fields_that_only_a_newer_version_knows_are_passed_over() {
    let memory = memory();
    send(&memory, &page_view());
    let key = hilo_core::identity::ProfileKey::Anonymous("a1".to_owned());
    let name = crate::signature::object_name(crate::call::secret(&memory).unwrap().naming(), &key);
    let call = ProfileCall::Deliveries { cursor: None, limit: 9 };
    let call =
        crate::calls::encode(&call).unwrap().replace("\"limit\":9", "\"limit\":9,\"later\":1");
    assert!(call.contains("later"), "{call}");
    let answer = run(memory.ask(&Object::Profile(name), call)).unwrap().unwrap();
    assert!(answer.contains("\"rows\":[{"), "{answer}");
}
