//! The frames that the sockets of a cart may send, and the frames that they get.

use std::collections::VecDeque;

use super::*;
use crate::calls::cart::Pass;
use crate::keyring::Keyring;
use crate::ticket;

/// How long the token behind a socket is valid.
const TOKEN_S: i64 = 600;

fn secret() -> Keyring {
    Keyring::only("secret")
}

impl Object {
    fn pass(&self, login: &str) -> Pass {
        let ends_s = self.now.as_second() + TOKEN_S;
        Pass { speaker: self.speaker(false), login: login.to_owned(), ends_s }
    }

    fn ticket(&self) -> String {
        ticket::make(&self.name, &self.pass("s1"), &secret(), self.now.as_second()).unwrap()
    }

    fn try_open(&self, ticket: &str) -> Option<Socket> {
        Socket::open(
            1,
            ticket,
            &secret(),
            Turn { name: &self.name, now: self.now, random: [9; 16] },
        )
    }

    /// Opens a socket that has not said hello.
    fn silent(&self) -> Socket {
        self.try_open(&self.ticket()).unwrap()
    }

    fn frame(&mut self, socket: &mut Socket, frame: &Value) -> Frame {
        let turn = Turn { name: &self.name, now: self.now, random: [9; 16] };
        let text = frame.to_string();
        super::frame(&self.storage, &mut self.volatile, socket, &text, &secret(), turn).unwrap()
    }

    fn hello(&mut self) -> Socket {
        let mut socket = self.silent();
        let frame = self.frame(&mut socket, &json!({"t": "hello", "epoch": 0, "rev": "0"}));
        assert_eq!(frame.close, None);
        let view: Value = serde_json::from_str(&frame.replies[0]).unwrap();
        assert_eq!((&view["t"], &view["cart"]), (&json!("view"), &json!(self.name)));
        socket
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
fn a_socket_opens_with_a_fresh_ticket_and_may_send_only_after_its_hello() {
    let mut hub = Object::customer();
    hub.hello();
    assert!(!hub.summary().known, "listening creates no cart");
    assert_eq!(hub.try_open("x.y"), None);
    let mut silent = hub.silent();
    for frame in [ops_frame(&tab(1).add("mug", 1)), json!({"t": "ticket"}), json!("?")] {
        assert_eq!(hub.frame(&mut silent, &frame).close.unwrap().0, 4_400);
    }
    assert!(!silent.is_greeted);
    let old = hub.ticket();
    hub.wait(SignedDuration::from_secs(60));
    assert_eq!(hub.try_open(&old), None);
}

#[test]
fn a_socket_without_a_hello_is_overdue_after_five_seconds() {
    let mut hub = Object::customer();
    let opened_ms = hub.now.as_millisecond();
    let silent = hub.silent();
    assert_eq!(
        (silent.deadline_ms(), silent.overdue(opened_ms + 4_999)),
        (opened_ms + 5_000, None)
    );
    assert_eq!(silent.overdue(opened_ms + 5_000).unwrap().0, 4_408);
    assert_eq!(hub.hello().overdue(opened_ms + 5_000), None);
}

#[test]
fn a_socket_ends_with_the_token_that_opened_it_and_a_new_ticket_prolongs_it() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    let opened_ms = hub.now.as_millisecond();
    let (mut late, mut prolonged) = (hub.hello(), hub.hello());
    assert_eq!(late.deadline_ms(), opened_ms + TOKEN_S * 1_000);
    hub.wait(SignedDuration::from_secs(TOKEN_S - 1));
    let frame = json!({"t": "ticket", "ticket": hub.ticket()});
    assert_eq!(hub.frame(&mut prolonged, &frame), Frame::default());
    hub.wait(SignedDuration::from_secs(1));
    let ops = ops_frame(&a.add("mug", 1));
    let refused = hub.frame(&mut late, &ops);
    assert_eq!((refused.close.unwrap().0, refused.news), (4_401, Vec::new()));
    assert!(!hub.summary().known, "nothing of the frame is stored");
    let frame = hub.frame(&mut prolonged, &ops);
    assert_eq!(frame.close, None);
    assert_eq!(hub.told(&late, &frame.news[0]), None, "an ended socket hears nothing");
    assert!(hub.told(&prolonged, &frame.news[0]).is_some());
    let forged = json!({"t": "ticket", "ticket": "x.y"});
    assert_eq!(hub.frame(&mut prolonged, &forged).close.unwrap().0, 4_401);
}

#[test]
fn silent_sockets_take_no_place_of_others_and_the_oldest_gives_way() {
    let mut hub = Object::customer();
    let greeted = hub.hello();
    let socket = |id: u64, is_greeted| Socket { id, is_greeted, ..greeted.clone() };
    let silent: Vec<Socket> = (0..16)
        .map(|n| Socket { opened_ms: 1_000 - i64::try_from(n).unwrap(), ..socket(n, false) })
        .collect();
    let many: Vec<Socket> = (100..163).map(|n| socket(n, true)).collect();
    assert_eq!(super::room(silent.iter().take(15).chain(&many)), Room::Free);
    assert_eq!(super::room(silent.iter().chain(&many)), Room::InPlaceOf(15));
    let last = socket(163, true);
    assert_eq!(super::room(many.iter().chain([&last])), Room::Full);
}

#[test]
fn a_logout_names_its_login_and_creates_no_cart() {
    let mut hub = Object::customer();
    let () = hub.ask(false, CartAsk::Logout { login: "s1".to_owned() });
    assert_eq!(hub.news, [News::LoggedOut("s1".to_owned())]);
    assert!(!hub.summary().known);
}

#[test]
fn what_a_socket_keeps_through_hibernation_is_small() {
    let id = "\u{1}".repeat(hilo_core::identity::ID_BYTES_MAX);
    let mut hub = Object::new("customer", Owner::Customer(id));
    let mut socket = hub.hello();
    (socket.id, socket.replica) = (u64::MAX, Some(ReplicaId(u64::MAX)));
    socket.pass.login = crate::signature::sha256_hex(b"session");
    // Cloudflare keeps 16 KB for each socket.
    assert!(encode(&socket).unwrap().len() < 2_048);
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
    let silent = hub.silent();
    assert_eq!(hub.told(&silent, news), None, "who has not said hello hears nothing");
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
