//! What is personal is sealed at rest: no byte of it is in the file, and only the object's own key opens it.

use std::path::PathBuf;

use super::*;

/// A profile whose storage is a file.
struct Disk {
    object: Object,
    path: PathBuf,
}

impl Disk {
    fn new(name: &str) -> Disk {
        let path = std::env::temp_dir().join(format!("hilo-{name}-{}", std::process::id()));
        drop(std::fs::remove_file(&path));
        let object = Object { sql: MemorySql::at(&path).unwrap().of("p"), ..Object::new() };
        Disk { object, path }
    }

    /// The canaries that stand in the file.
    fn found(&self, canaries: &[String]) -> Vec<String> {
        let bytes = std::fs::read(&self.path).unwrap();
        let is_in =
            |canary: &&String| bytes.windows(canary.len()).any(|part| part == canary.as_bytes());
        canaries.iter().filter(is_in).cloned().collect()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.path));
    }
}

/// Events with a canary in each field that the field table calls personal, and the canaries.
fn personal(count: usize) -> (Vec<Sent>, Vec<String>) {
    let mut canaries = Vec::new();
    let mut sent = Vec::new();
    for n in 0..count {
        let mut canary = |field: &str| {
            let canary = format!("kanari-{field}-{n}");
            canaries.push(canary.clone());
            json!({ "plain": canary })
        };
        let (properties, traits, beside) =
            (canary("properties"), canary("traits"), canary("context"));
        let mut page = bound(&format!("m{n}"));
        page.event.kind = serde_json::from_value(
            json!({"type": "track", "event": "A", "properties": properties}),
        )
        .unwrap();
        page.event.context.traits = beside.as_object().cloned().unwrap();
        let mut who = kept(&format!("i{n}"), 1);
        who.event.kind =
            serde_json::from_value(json!({"type": "identify", "traits": traits})).unwrap();
        sent.extend([page, who]);
    }
    (sent, canaries)
}

#[test]
fn nothing_personal_stands_in_the_file_and_all_of_it_is_read_again() {
    let mut disk = Disk::new("sealed");
    // So many that the folded profile is stored as well.
    let (sent, mut canaries) = personal(40);
    let read = canaries.clone();
    disk.object.record(sent);
    let address = "kanari@shop.example".to_owned();
    let said = OptIn {
        at: disk.object.now.to_string(),
        address: Some(address.clone()),
        address_hash: Some("a hash".to_owned()),
        ..opt_in(OptInChannel::Email, OptInState::Subscribed)
    };
    let call = ProfileCall::OptIn(Box::new(OptInCall {
        said,
        request: None,
        listeners: Listeners::default(),
    }));
    disk.object.ask::<OptIn>(&call);
    canaries.push(address.clone());
    assert_eq!(disk.found(&canaries), [""; 0]);
    assert_eq!(disk.found(&["kanari".to_owned()]), [""; 0]);
    // A part of what is not personal shows that the search finds something.
    assert_eq!(disk.found(&["webhook".to_owned()]).len(), 1);
    disk.object.volatile = Volatile::default();
    let page: Page = disk.object.ask(&ProfileCall::Events { cursor: None, limit: 100 });
    let text = page.rows.iter().map(|row| row.get()).collect::<String>();
    assert!(read.iter().all(|canary| text.contains(canary.as_str())));
    let summary: Summary = disk.object.ask(&ProfileCall::Summary);
    assert!(summary.profile.get().contains("kanari-traits-39"));
    let page: Page = disk.object.ask(&ProfileCall::OptIns { cursor: None, limit: 10 });
    let entry: OptIn = decode(page.rows[0].get()).unwrap();
    assert_eq!(entry.address, Some(address));
    assert_eq!(disk.object.deliveries().len(), 40);
}

#[test]
fn another_secret_opens_nothing_and_the_failure_tells_why() {
    let mut disk = Disk::new("other-key");
    disk.object.record(personal(1).0);
    disk.object.sql = MemorySql::at(&disk.path).unwrap().of("q");
    disk.object.volatile = Volatile::default();
    let call = encode(&ProfileCall::Events { cursor: None, limit: 10 }).unwrap();
    let failure = disk.object.answer(&call).unwrap_err();
    assert!(matches!(failure, Failure::Fatal(_)), "{failure:?}");
    assert!(failure.message().contains("HILO_SECRET"), "{failure:?}");
}

#[test]
fn what_an_earlier_version_stored_plain_is_read_and_sealed_when_it_is_written_again() {
    let mut disk = Disk::new("plain");
    let (sent, canaries) = personal(1);
    let bodies: String = sent.iter().map(|one| encode(&one.event).unwrap()).collect();
    disk.object.record(sent);
    let plain = SqlValue::Bytes(bodies.into_bytes());
    disk.object.sql.run("UPDATE batches SET bodies = ?", &[plain]).unwrap();
    disk.object.volatile = Volatile::default();
    assert_eq!(disk.found(&canaries).len(), 3);
    let page: Page = disk.object.ask(&ProfileCall::Events { cursor: None, limit: 10 });
    assert_eq!(page.rows.len(), 2);
    disk.object.record(vec![kept("later", 1)]);
    let row = timeline::after(&disk.object.sql, 0).unwrap().unwrap();
    disk.object.sql.run("DELETE FROM batches WHERE seq = 1", &[]).unwrap();
    timeline::insert(&disk.object.sql, row).unwrap();
    disk.object.sql.run("VACUUM", &[]).unwrap();
    assert_eq!(disk.found(&canaries), [""; 0]);
}

#[test]
fn sealed_bodies_open_in_no_other_row() {
    let mut object = Object::new();
    object.record(personal(1).0);
    object.sql.run("UPDATE batches SET seq = seq + 1, last = last + 1", &[]).unwrap();
    assert!(timeline::after(&object.sql, 0).is_err());
}
