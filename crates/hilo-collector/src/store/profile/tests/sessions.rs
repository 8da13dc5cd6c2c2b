//! Sessions: the channel of a session's first event counts for all of its events.

use hilo_core::event::Gist;
use hilo_core::journey::{Channel, attribute};

use super::*;

#[test]
fn an_event_gets_the_channel_of_the_event_that_opened_its_session() {
    let shows = |id: &str, channel: &str| {
        let mut event = event(id, 1);
        let touch = json!({"channel": channel, "via": "page"});
        event.context.hilo.touch = serde_json::from_value(touch).unwrap();
        event.context.hilo.channel = attribute(&Gist::of(&event), None).0;
        Sent { event, to: vec![] }
    };
    let mut object = Object::new();
    object.record(vec![shows("m1", "Email")]);
    let said = Recorded::Stored { channel: Some(Channel::Email), destinations: vec![] };
    // Later page views of a visit come "from" the shop itself. An event that shows no channel begins no new visit
    // either.
    assert_eq!(object.record(vec![shows("m2", "Direct"), kept("m3", 1)]), [said.clone(), said]);
    let page: Page = object.ask(&ProfileCall::Events { cursor: None, limit: 10 });
    let events = page.rows.iter().map(|row| decode::<Event>(row.get()).unwrap());
    let channels: Vec<_> = events.map(|event| event.context.hilo.channel).collect();
    assert_eq!(channels, [Some(Channel::Email); 3]);
}
