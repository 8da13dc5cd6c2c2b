//! The frames that the sockets of a cart may send, and the frames that they get.

use std::collections::VecDeque;

use super::*;
use crate::keyring::Keyring;
use crate::ticket;

fn secret() -> Keyring {
    Keyring::only("secret")
}

fn socket() -> Socket {
    Socket { id: 1, opened_ms: 0, speaker: None, replica: None }
}

impl Object {
    fn frame(&mut self, socket: &mut Socket, frame: &Value) -> Frame {
        let turn = Turn { name: &self.name, now: self.now, random: [9; 16] };
        let text = frame.to_string();
        super::frame(&self.storage, &mut self.volatile, socket, &text, &secret(), turn).unwrap()
    }

    fn hello(&mut self) -> Socket {
        let mut socket = socket();
        let frame = self.frame(&mut socket, &self.hello_frame());
        assert_eq!(frame.close, None);
        let view: Value = serde_json::from_str(&frame.replies[0]).unwrap();
        assert_eq!((&view["t"], &view["cart"]), (&json!("view"), &json!(self.name)));
        socket
    }

    fn hello_frame(&self) -> Value {
        let speaker = self.speaker(false);
        let ticket = ticket::make(&self.name, &speaker, &secret(), self.now.as_second()).unwrap();
        json!({"t": "hello", "ticket": ticket, "epoch": 0, "rev": "0"})
    }

    fn told(&mut self, socket: &Socket, news: &News) -> Option<Value> {
        let turn = Turn { name: &self.name, now: self.now, random: [9; 16] };
        let text = super::text_of(&self.storage, &mut self.volatile, socket, news, turn).unwrap();
        text.map(|text| serde_json::from_str(&text).unwrap())
    }
}

fn ops_frame(ops: &Ops) -> Value {
    let mut frame = serde_json::to_value(ops).unwrap();
    frame["t"] = "ops".into();
    frame
}

#[test]
fn a_socket_may_send_only_after_a_hello_with_a_fresh_ticket() {
    let mut hub = Object::customer();
    hub.hello();
    assert!(!hub.summary().known, "listening creates no cart");
    let mut stranger = socket();
    let bad = json!({"t": "hello", "ticket": "x.y", "epoch": 0, "rev": "0"});
    assert_eq!(hub.frame(&mut stranger, &bad).close.unwrap().0, 4_401);
    let ops = ops_frame(&tab(1).add("mug", 1));
    assert_eq!(hub.frame(&mut stranger, &ops).close.unwrap().0, 4_401);
    assert_eq!(hub.frame(&mut stranger, &json!("?")).close.unwrap().0, 4_400);
    assert_eq!(stranger.speaker, None);
    let mut late = socket();
    let frame = hub.hello_frame();
    hub.wait(SignedDuration::from_secs(60));
    assert_eq!(hub.frame(&mut late, &frame).close.unwrap().0, 4_401);
}

#[test]
fn a_socket_without_a_hello_is_overdue_after_five_seconds() {
    assert_eq!(socket().overdue(4_999), None);
    assert_eq!(socket().overdue(5_000).unwrap().0, 4_408);
    let greeted = Object::customer().hello();
    assert_eq!(greeted.overdue(i64::MAX), None);
}

#[test]
fn every_socket_gets_the_delta_with_its_own_acknowledgment() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    let (mut mine, other) = (hub.hello(), hub.hello());
    let ops = a.add("mug", 2);
    let frame = hub.frame(&mut mine, &ops_frame(&ops));
    assert_eq!((frame.replies.len(), frame.close), (0, None));
    let [news @ News::Delta(_)] = frame.news.as_slice() else { panic!("{:?}", frame.news) };
    let to_me = hub.told(&mine, news).unwrap();
    assert_eq!(
        (&to_me["t"], &to_me["acked"], &to_me["rev"]),
        (&json!("delta"), &json!(1), &json!("1"))
    );
    let to_other = hub.told(&other, news).unwrap();
    assert_eq!((&to_other["acked"], &to_other["put"]), (&json!(0), &to_me["put"]));
    assert_eq!(hub.told(&socket(), news), None, "who has not said hello hears nothing");
    let again = hub.frame(&mut mine, &ops_frame(&ops));
    assert_eq!(again.replies, [r#"{"t":"ack","rev":"1","acked":1}"#]);
    assert_eq!(again.news, []);
}

#[test]
fn a_refused_frame_changes_nothing_and_keeps_the_socket() {
    let mut hub = Object::customer();
    let mut mine = hub.hello();
    let ops = Ops { from: 5, to: 5, ..tab(1).add("mug", 2) };
    for (frame, expected) in [
        (ops_frame(&ops), "epoch"),
        (json!({"t": "ops"}), "malformed_delta"),
        (json!([]), "malformed_delta"),
    ] {
        let frame = hub.frame(&mut mine, &frame);
        let reply: Value = serde_json::from_str(&frame.replies[0]).unwrap();
        assert_eq!((&reply["t"], &reply["error"]["code"]), (&json!("refused"), &json!(expected)));
        assert_eq!((frame.news, frame.close), (Vec::new(), None));
    }
    assert!(!hub.summary().known);
}

#[test]
fn sockets_get_news_of_a_new_epoch_and_of_a_checkout() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    a.adds(&mut hub, "mug", 2);
    let mine = hub.hello();
    hub.checkout();
    hub.order(order("o1", None));
    let told: Vec<Value> =
        hub.news.clone().iter().filter_map(|news| hub.told(&mine, news)).collect();
    assert_eq!(told[1], json!({"t": "checkout", "open": true, "changed": false}));
    assert_eq!(told[2], json!({"t": "checkout", "open": false, "changed": false}));
    assert_eq!((&told[3]["t"], &told[3]["epoch"]), (&json!("view"), &json!(1)));
    assert_eq!(hub.told(&mine, &News::Merged), Some(json!({"t": "merged"})));
}

#[test]
fn a_socket_may_send_twenty_frames_a_second_and_no_more() {
    let mut times = VecDeque::new();
    assert!((0..20).all(|n| !is_flood(&mut times, n)));
    assert!(is_flood(&mut times, 999));
    assert!(!is_flood(&mut VecDeque::from([0; 20]), 1_000));
}
