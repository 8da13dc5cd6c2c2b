//! An archive in a bound bucket, from the event to its file.

use super::*;
use crate::platform::{Body, Upload};

/// The built-in file with an archive.
fn deployment() -> Memory {
    let memory = memory();
    memory.set_secret("HILO_ADMIN_TOKEN", "dev-admin");
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

/// Makes an admin call, and returns status and answer.
fn admin(memory: &Memory, method: &str, path: &str, body: &str) -> (u16, String) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut request = request(method, path, &Value::Null, &[("authorization", "Bearer dev-admin")]);
    request.query = query.to_owned();
    if !body.is_empty() {
        request.body = Upload::Bytes(body.as_bytes().to_vec());
    }
    let reply = memory.serve(request).unwrap();
    let Body::Text(text) = reply.body else { panic!("no text") };
    (reply.status, text)
}

/// The names of the day's files.
fn files(memory: &Memory) -> Vec<String> {
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/admin/v1/archive/files?day=2026-11-24{cursor}");
        let (status, text) = admin(memory, "GET", &path, "");
        assert_eq!(status, 200, "{text}");
        let page: Value = serde_json::from_str(&text).unwrap();
        names.extend(
            page["files"].as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { return names };
        cursor = format!("&cursor={}", next.replace('/', "%2F").replace('=', "%3D"));
    }
}

/// The lines of the day, opened.
fn opened(memory: &Memory) -> Vec<Value> {
    let of_file = |name: String| {
        let (status, text) =
            admin(memory, "GET", &format!("/admin/v1/archive/lines?file={name}"), "");
        assert_eq!(status, 200, "{text}");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    };
    files(memory).into_iter().flat_map(of_file).collect()
}

#[test]
fn the_lines_of_a_day_are_opened_until_their_person_is_erased() {
    let memory = deployment();
    for (id, person) in [("m1", "visitor1"), ("m2", "visitor1"), ("m3", "visitor2")] {
        see(&memory, id, person);
    }
    let readable = |lines: &[Value]| -> Vec<String> {
        let mut ids: Vec<String> = lines
            .iter()
            .filter_map(|line| Some(line["event"]["messageId"].as_str()?.to_owned()))
            .collect();
        ids.sort();
        ids
    };
    assert_eq!(readable(&opened(&memory)), ["m1", "m2", "m3"]);
    let erased = admin(&memory, "POST", "/admin/v1/profiles/a:visitor1/erase", "");
    assert_eq!(erased.0, 202);
    settle(&memory);
    memory.advance(SignedDuration::from_mins(5));
    settle(&memory);
    let lines = opened(&memory);
    assert_eq!(readable(&lines), ["m3"]);
    assert_eq!(lines.iter().filter(|line| line["unreadable"] == "erased").count(), 2);
}

#[test]
fn lines_of_another_services_files_are_opened_too() {
    let memory = deployment();
    see(&memory, "m1", "visitor1");
    let file = memory.bucket().into_values().next().unwrap();
    let nobodys = r#"{"v":1,"id":"h2","event":{"event":"Social Mentioned"}}"#;
    let body = format!("{file}rubbish\n{nobodys}\n");
    let (status, text) = admin(&memory, "POST", "/admin/v1/archive/open", &body);
    assert_eq!(status, 200, "{text}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["event"]["messageId"], "m1");
    assert_eq!(lines[1], json!({"id": "", "subject": "", "unreadable": "another form"}));
    let event = json!({"event": "Social Mentioned"});
    assert_eq!(lines[2], json!({"id": "h2", "subject": "", "event": event}), "it needs no key");
}

#[test]
fn a_persons_lines_are_found_by_subject_and_hour() {
    let memory = deployment();
    see(&memory, "m1", "visitor1");
    memory.advance(SignedDuration::from_hours(3));
    see(&memory, "m2", "visitor1");
    see(&memory, "m3", "visitor2");
    let (_, text) = admin(&memory, "GET", "/admin/v1/profiles/a:visitor1/archive", "");
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["hours"], json!(["dt=2026-11-24/hour=10", "dt=2026-11-24/hour=13"]));
    let subjects = found["subjects"].as_array().unwrap();
    let of_person =
        lines(&memory).iter().filter(|line| subjects.contains(&line["subject"])).count();
    assert_eq!((subjects.len(), of_person), (1, 2));
}

#[test]
fn a_wrong_day_a_foreign_file_and_a_missing_archive_are_refused() {
    let memory = deployment();
    memory.0.create("ARCHIVE/secret.txt", "x");
    for (path, status) in [
        ("/admin/v1/archive/files?day=yesterday", 422),
        ("/admin/v1/archive/files?day=2026-11-24&destination=none", 404),
        ("/admin/v1/archive/lines?file=secret.txt", 404),
        ("/admin/v1/archive/lines?file=hilo/dt=2026-11-24/none", 404),
    ] {
        assert_eq!(admin(&memory, "GET", path, "").0, status, "{path}");
    }
}
