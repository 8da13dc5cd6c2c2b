//! One visit to a shop, as a user of the crate `segment` writes it.
//! In: host, write key, user id, anonymous id as arguments. Out: a batch and one single event. Does not compare anything.

use segment::message::{Alias, Group, Identify, Message, Page, Screen, Track, User};
use segment::{AutoBatcher, Batcher, Client as _, HttpClient};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let [host, key, user_id, anonymous_id] =
        <[String; 4]>::try_from(std::env::args().skip(1).collect::<Vec<_>>())
            .map_err(|_| "usage: hilo-client-session HOST KEY USER_ID ANONYMOUS_ID")?;
    let user = User::UserId { user_id: user_id.clone() };
    let client = HttpClient::new(Default::default(), format!("{host}/_h"));
    let context = json!({ "app": { "name": "Warehouse", "version": "3.1" }, "library": { "name": "analytics-rust" } });
    let mut batcher = AutoBatcher::new(client.clone(), Batcher::new(Some(context)), key.clone());
    batcher
        .push(Page {
            user: User::AnonymousId { anonymous_id: anonymous_id.clone() },
            name: "Rust".to_owned(),
            properties: json!({ "url": "https://shop.example/docs", "path": "/docs" }),
            ..Default::default()
        })
        .await?;
    batcher
        .push(Identify {
            user: user.clone(),
            traits: json!({ "name": "Ana Peña", "age": 42 }),
            ..Default::default()
        })
        .await?;
    batcher
        .push(Track {
            user: User::Both { user_id: user_id.clone(), anonymous_id },
            event: "Item Packed".to_owned(),
            properties: json!({
                "price": 19.99, "ratio": 0.1 + 0.2, "serial": "9007199254740993123", "count": 9_007_199_254_740_993_u64,
                "gift": null, "nested": { "list": [[1], {}] }, "word": "茶 🫖",
            }),
            timestamp: Some(OffsetDateTime::parse("2026-11-20T11:06:40.123456789+01:00", &Rfc3339)?),
            ..Default::default()
        })
        .await?;
    batcher
        .push(Group {
            user: user.clone(),
            group_id: "g-1".to_owned(),
            traits: json!({ "name": "Club", "employees": 12 }),
            ..Default::default()
        })
        .await?;
    batcher
        .push(Alias { user: user.clone(), previous_id: "old-ana".to_owned(), ..Default::default() })
        .await?;
    batcher
        .push(Screen {
            user: user.clone(),
            name: "Cart".to_owned(),
            properties: json!({ "items": 1 }),
            ..Default::default()
        })
        .await?;
    batcher.flush().await?;
    // One event alone has its type in the path only.
    let order = Track {
        user,
        event: "Order Completed".to_owned(),
        properties: json!({ "order_id": "o-rust", "total": 44.9, "currency": "EUR", "products": [{ "product_id": "MUG-BLU", "price": 19.99, "quantity": 2 }] }),
        ..Default::default()
    };
    client.send(key, Message::from(order)).await?;
    Ok(())
}
