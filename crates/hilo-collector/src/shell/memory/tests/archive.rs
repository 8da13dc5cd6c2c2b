//! An archive in a bound bucket, from the event to its file.

use super::*;

/// The built-in file with an archive.
fn deployment() -> Memory {
    let memory = memory();
    let archive = "[[destination]]\nname = \"files\"\ntype = \"archive\"\npurposes = [\"analytics\"]\nto = \"r2\"\n";
    memory.configure(&format!("{}\n{archive}", include_str!("../../../../hilo.toml")));
    memory
}

fn see(memory: &Memory, id: &str, person: &str) {
    let mut event = page_view();
    event["messageId"] = id.into();
    event["anonymousId"] = person.into();
    event["properties"] = json!({"note": "a canary"});
    send(memory, &event);
    settle(memory);
}

/// The lines of all files.
fn lines(memory: &Memory) -> Vec<Value> {
    let bucket = memory.bucket();
    let lines = bucket.values().flat_map(|file| file.lines());
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_event_is_a_line_that_shows_nothing_of_it() {
    let memory = deployment();
    see(&memory, "m1", "visitor1");
    see(&memory, "m2", "visitor1");
    see(&memory, "m3", "visitor2");
    let bucket = memory.bucket();
    let folder = "ARCHIVE/hilo/dt=2026-11-24/hour=10/";
    assert!(bucket.keys().all(|name| name.starts_with(folder)), "{:?}", memory.lines());
    assert!(bucket.values().all(|file| !file.contains("canary") && !file.contains("visitor")));
    let lines = lines(&memory);
    assert_eq!(lines.len(), 3, "{:?}", memory.lines());
    let subjects: std::collections::BTreeSet<_> =
        lines.iter().map(|line| line["subject"].as_str().unwrap()).collect();
    assert_eq!(subjects.len(), 2);
}

#[test]
fn a_file_is_created_once_also_after_a_crash() {
    let memory = deployment();
    see(&memory, "m1", "visitor1");
    let before = memory.bucket();
    assert_eq!(before.len(), 1);
    // The event comes again from elsewhere, with a file of the same name.
    let name = before.keys().next().unwrap();
    assert_eq!(memory.0.create(name, "another body"), 412);
    memory.crash();
    memory.advance(SignedDuration::from_mins(5));
    settle(&memory);
    assert_eq!(memory.bucket(), before);
}
