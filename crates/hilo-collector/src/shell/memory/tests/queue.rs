//! A queue that fails half-way, and a restarted object whose alarm is near.

use super::*;

const URL: &str = "http://127.0.0.1:8787/dev/webhook";

/// Sends one envelope with this many page views of one person, each with a property of so many bytes.
fn send_views(memory: &Memory, number: usize, bytes: usize) {
    let consent = json!({"categoryPreferences": {"analytics": true, "marketing": true}});
    let view = |n| {
        json!({
            "type": "page", "messageId": format!("m{n}"), "anonymousId": "a1",
            "properties": {"text": "x ".repeat(bytes / 2)},
        })
    };
    let batch: Vec<_> = (0..number).map(view).collect();
    let body = json!({"writeKey": "wk_shop", "context": {"consent": consent}, "batch": batch});
    let incoming = request("POST", "/v1/batch", &body, &[("origin", SHOP)]);
    let reply = memory.serve(incoming).unwrap();
    assert_eq!(super::json(&reply)["accepted"], number);
}

/// Returns the ids that the destination got, sorted.
fn got(memory: &Memory) -> Vec<String> {
    let sent = memory.sent().into_iter();
    let mut ids: Vec<_> = sent.map(|one| crate::shell::memory::delivered_id(&one)).collect();
    ids.sort();
    ids
}

fn alarm_ms(memory: &Memory) -> Option<i64> {
    let profiles = memory.0.profiles.borrow();
    assert_eq!(profiles.len(), 1);
    profiles.values().find_map(|stored| stored.alarm_ms.get())
}

fn deliveries(memory: &Memory) -> Vec<crate::calls::DeliveryState> {
    let call = crate::calls::ProfileCall::Deliveries { cursor: None, limit: 200 };
    let page: crate::calls::Page = ask_visitor(memory, &call);
    page.rows.iter().map(|row| crate::calls::decode(row.get()).unwrap()).collect()
}

#[test]
fn of_a_queue_that_fails_half_way_each_event_is_sent_once() {
    // Small events share messages by rows. The large ones of one row need several messages.
    for (number, bytes, room) in
        [(60, 10, 0), (60, 10, 1), (60, 10, 2), (20, 12_000, 1), (20, 12_000, 2)]
    {
        let memory = memory();
        memory.fail_queue_after(Some(room));
        send_views(&memory, number, bytes);
        settle(&memory);
        let first = got(&memory);
        assert_eq!(first.is_empty(), room == 0, "{number} events of {bytes} bytes");
        assert!(first.len() < number, "{} of {number} events", first.len());
        memory.fail_queue_after(None);
        memory.advance(SignedDuration::from_secs(20));
        settle(&memory);
        let all = got(&memory);
        let mut once = all.clone();
        once.dedup();
        assert_eq!((all.len(), once.len()), (number, number), "{bytes} bytes, {room} messages");
        let states = deliveries(&memory);
        let are_done =
            states.iter().all(|one| (one.state.as_str(), one.attempts) == ("delivered", 0));
        assert!(states.len() == number && are_done, "{states:?}");
    }
}

#[test]
fn a_queue_that_fails_again_and_again_counts_no_attempt() {
    let memory = memory();
    memory.fail_queue_after(Some(0));
    send_views(&memory, 3, 10);
    for _ in 0..20 {
        settle(&memory);
        memory.advance(SignedDuration::from_secs(20));
    }
    let pending = deliveries(&memory);
    assert!(pending.iter().all(|one| (one.state.as_str(), one.attempts) == ("pending", 0)));
    memory.fail_queue_after(None);
    settle(&memory);
    assert_eq!(got(&memory).len(), 3);
}

#[test]
fn a_call_of_a_restarted_object_does_not_put_off_a_delivery() {
    let memory = memory();
    memory.set_answer(URL, 503, SignedDuration::ZERO);
    send(&memory, &page_view());
    settle(&memory);
    let retry_ms = alarm_ms(&memory).unwrap();
    assert!(retry_ms < (memory.now() + SignedDuration::from_secs(20)).as_millisecond());
    memory.crash();
    let mut event = page_view();
    event["messageId"] = "m2".into();
    send(&memory, &event);
    assert_eq!(alarm_ms(&memory), Some(retry_ms));
}

#[test]
fn a_line_that_is_written_in_an_object_has_the_id_of_the_request_that_called_it() {
    let memory = memory();
    memory.fail_queue_after(Some(0));
    let event = json!({"type": "page", "messageId": "m1", "anonymousId": "a1", "properties": {}});
    let consent = json!({"categoryPreferences": {"analytics": true}});
    let body = json!({"writeKey": "wk_shop", "context": {"consent": consent}, "batch": [event]});
    let fields = [("origin", SHOP), ("cf-ray", "ray-1")];
    memory.serve(request("POST", "/v1/batch", &body, &fields)).unwrap();
    settle(&memory);
    let lines = memory.lines();
    let told: Vec<_> = lines.iter().filter(|line| line.contains("\"what\":\"queue\"")).collect();
    assert_eq!(told.len(), 1, "{lines:?}");
    assert!(told[0].starts_with("{\"request\":\"ray-1\","), "{told:?}");
    // The alarm tries again, and no request has called it.
    memory.advance(SignedDuration::from_mins(2));
    settle(&memory);
    let lines = memory.lines();
    let told = lines.iter().rfind(|line| line.contains("\"what\":\"queue\"")).unwrap();
    assert!(told.starts_with("{\"level\""), "{told}");
}
