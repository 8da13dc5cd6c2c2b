//! Touchpoints of posts and channels: kept once, with what has changed, and brought to the destinations.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;

/// Buffer with one post, whose likes the test sets.
fn buffer(
    likes: &Rc<RefCell<u32>>,
) -> impl Fn(&Outgoing) -> Option<Result<Response, Failure>> + use<> {
    let likes = Rc::clone(likes);
    move |request| {
        if request.url != "https://api.buffer.com/graphql" {
            return None;
        }
        let count = *likes.borrow();
        let metrics = json!([{"type": "likes", "value": count, "unit": "count"}]);
        let day = if count > 10 { "25" } else { "24" };
        let node = json!({
            "id": "p1", "status": "sent", "sentAt": "2026-11-20T09:00:00Z", "channelId": "ch1",
            "channelService": "facebook", "metrics": metrics,
            "metricsUpdatedAt": format!("2026-11-{day}T04:00:00Z"),
        });
        let answer = if request.body.contains("aggregatedPostMetrics") {
            json!({"data": {"c0": {"metrics": metrics, "metricsUpdatedAt": null}}})
        } else {
            json!({"data": {"posts": {"edges": [{"node": node}], "pageInfo": {"hasNextPage": false, "endCursor": null}}}})
        };
        Some(Ok(Response { status: 200, headers: Headers::default(), body: answer.to_string() }))
    }
}

#[test]
fn touchpoints_of_posts_are_kept_once_with_what_has_changed_and_reach_the_destinations() {
    let memory = deployment(
        "buffer",
        "organization = \"o1\"\nchannels = [\"ch1\"]\napi_key = { secret = \"KEY\" }",
    );
    let likes = Rc::new(RefCell::new(7));
    memory.set_vendor(buffer(&likes));
    read(&memory);
    *likes.borrow_mut() = 12;
    memory.advance(SignedDuration::from_hours(1));
    read(&memory);
    *likes.borrow_mut() = 11;
    memory.advance(SignedDuration::from_hours(24));
    read(&memory);
    let shown = get(&memory, "/admin/v1/feeds/feed/events");
    let shown = shown["events"].as_array().unwrap();
    let told: Vec<_> = shown
        .iter()
        .rev()
        .map(|one| (one["event"].as_str().unwrap(), &one["properties"]["delta"]["likes"]))
        .collect();
    let none = &Value::Null;
    assert_eq!(
        told,
        [
            ("social_post_published", none),
            ("social_post_metrics", &json!(7)),
            ("social_channel_metrics", none),
            ("social_post_metrics", &json!(5)),
            ("social_channel_metrics", none),
        ]
    );
    assert!(
        shown.iter().all(|one| one.get("anonymousId").is_none() && one.get("userId").is_none())
    );
    assert_eq!(asked(&memory, "http://127.0.0.1:8787/dev/webhook"), 5, "each once");
    let standing = standing(&memory);
    assert_eq!((standing.pending, standing.dead, standing.touches), (0, 0, 5));
}

#[test]
fn touchpoints_wait_for_a_destination_that_fails() {
    let memory = deployment(
        "buffer",
        "organization = \"o1\"\nchannels = [\"ch1\"]\napi_key = { secret = \"KEY\" }",
    );
    let webhook = "http://127.0.0.1:8787/dev/webhook";
    memory.set_vendor(buffer(&Rc::new(RefCell::new(7))));
    memory.set_answer(webhook, 500, SignedDuration::ZERO);
    read(&memory);
    assert_eq!(standing(&memory).pending, 3);
    memory.set_answer(webhook, 200, SignedDuration::ZERO);
    memory.advance(SignedDuration::from_mins(5));
    read(&memory);
    assert_eq!(standing(&memory).pending, 0);
}
