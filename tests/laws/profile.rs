//! Laws of the profile's fold: in whatever order and in however many parts the events come, the profile is the same.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helper of a test may assert the short way"
)]

use hilo_core::event::{Event, Gist};
use hilo_core::journey::StateRules;
use hilo_core::profile::{Profile, figures, fold, join};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

/// The acts that the profile understands, and one that it does not.
const ACTS: [&str; 22] = [
    "Order Completed",
    "Order Updated",
    "Order Shipped",
    "Order Delivered",
    "Order Cancelled",
    "Order Refunded",
    "Email Delivered",
    "Email Opened",
    "Email Link Clicked",
    "Email Bounced",
    "Unsubscribed",
    "Message Sent",
    "Message Received",
    "Ticket Created",
    "Ticket Solved",
    "Call Received",
    "Call Missed",
    "Store Visited",
    "Live Chat Message Sent",
    "Product Reviewed",
    "Loyalty Enrolled",
    "Something Else",
];

/// An event of one person, with few ids and times, so that many events speak of one thing at one time.
fn any_event() -> impl Strategy<Value = Value> {
    let properties = (0..4_u32, 0..3_u32, 0..9_999_u32, any::<bool>()).prop_map(
        |(order, other, cents, machine)| {
            let way = ["email", "whatsapp", "store"][other as usize];
            let currency = ["EUR", "JPY", "USD", "EUR"][order as usize];
            json!({
                "order_id": format!("o{order}"), "refund_id": format!("r{other}"),
                "message_id": format!("m{other}"), "ticket_id": format!("t{other}"),
                "loyalty_id": format!("l{order}"), "machine": machine,
                "channel": way,
                "currency": currency,
                "total": cents,
            })
        },
    );
    let context = (0..3_u32, 0..3_u32, any::<bool>()).prop_map(|(session, touch, has_session)| {
        let channel = ["Email", "Direct", "Referral"][touch as usize];
        let os = ["Linux", "iOS"][usize::from(has_session)];
        let session = has_session.then(|| json!({"id": format!("s{session}")}));
        let touch = has_session.then(|| json!({"channel": channel, "via": "page"}));
        json!({
            "locale": format!("l{channel}"),
            "os": {"name": os},
            "hilo": {"session": session, "touch": touch},
        })
    });
    let kinds = prop_oneof![4 => select(&ACTS[..]).prop_map(Some), 1 => Just(None)];
    (kinds, 0..50_i64, properties, context).prop_map(|(act, minute, properties, context)| {
        let at = format!("2026-11-{:02}T10:{:02}:00Z", 1 + minute % 25, minute);
        let kind = if act.is_some() { "track" } else { "page" };
        json!({
            "type": kind, "event": act, "properties": properties, "context": context,
            "anonymousId": "a1", "timestamp": at, "receivedAt": at,
        })
    })
}

fn gists(events: Vec<Value>) -> Vec<Gist> {
    let gist = |(n, mut event): (usize, Value)| {
        event["messageId"] = json!(format!("event-{n}"));
        Gist::of(&serde_json::from_value::<Event>(event).unwrap())
    };
    events.into_iter().enumerate().map(gist).collect()
}

fn folded<'g>(gists: impl IntoIterator<Item = &'g Gist>) -> Profile {
    gists.into_iter().fold(Profile::default(), |profile, gist| fold(profile, gist, Some("shop")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_profile_is_the_same_in_any_order_and_in_any_parts(
        events in proptest::collection::vec(any_event(), 0..40),
        shuffled in any::<u64>(),
        parts in proptest::collection::vec(any::<Index>(), 0..4),
    ) {
        let gists = gists(events);
        let expected = folded(&gists);
        let mut other: Vec<&Gist> = gists.iter().collect();
        let mut seed = shuffled;
        for place in (1..other.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let with = usize::try_from((seed >> 33) % (place as u64 + 1)).unwrap();
            other.swap(place, with);
        }
        prop_assert_eq!(&folded(other.iter().copied()), &expected);
        let mut ends: Vec<usize> = parts.iter().map(|one| one.index(other.len() + 1)).collect();
        ends.extend([0, other.len()]);
        ends.sort_unstable();
        let pieces = ends.windows(2).map(|pair| folded(other[pair[0]..pair[1]].iter().copied()));
        prop_assert_eq!(&pieces.fold(Profile::default(), join), &expected);
        // What is stored is what was folded, and revenue is never less than nothing.
        let stored = serde_json::to_string(&expected).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Profile>(&stored).unwrap(), &expected);
        let now = "2026-12-01T00:00:00Z".parse().unwrap();
        let net = json!(figures(&expected, now, &StateRules::default()).net);
        for sum in net.as_object().unwrap().values() {
            prop_assert!(sum.as_str().unwrap().parse::<i64>().unwrap() >= 0);
        }
    }
}
