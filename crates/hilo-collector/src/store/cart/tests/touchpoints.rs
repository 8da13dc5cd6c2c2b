//! The touchpoints that the hub reports, their persons and their number, and the life of a cart.

use super::*;

#[test]
fn a_command_is_applied_once_and_reported_once() {
    let mut hub = Object::customer();
    let commands = vec![
        command("1", CommandOp::Add, Some("mug"), Some(2)),
        command("2", CommandOp::Set, Some("cup"), Some(4)),
        command("3", CommandOp::Dec, Some("cup"), None),
    ];
    for _ in 0..2 {
        let (status, view) = hub.view(true, CartAsk::Commands(commands.clone()));
        assert_eq!((status, view["lines"].as_array().unwrap().len()), (200, 2));
        hub.crash();
    }
    assert_eq!(hub.shown(), lines(&[("cup", 3), ("mug", 2)]));
    let told = hub.touchpoints();
    let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Product Added", "Product Added", "Product Removed"]);
    assert!(told.iter().zip(1..).all(|((_, id), n)| id.ends_with(&format!("-{n}"))), "{told:?}");
    hub.view(true, CartAsk::Commands(vec![command("4", CommandOp::Clear, None, None)]));
    assert_eq!(hub.touchpoints().len(), 2, "one for each line");
    assert_eq!(hub.touchpoints(), [], "confirmed is gone");
}

#[test]
fn a_touchpoint_stays_until_it_is_confirmed() {
    let mut hub = Object::customer();
    hub.view(true, CartAsk::Commands(vec![command("1", CommandOp::Add, Some("mug"), None)]));
    let first: Vec<_> = hub.due().touchpoints.iter().map(named).collect();
    assert_eq!(first.len(), 1);
    assert_eq!(hub.due().touchpoints.len(), 0, "it is under way");
    hub.crash();
    let again: Vec<_> = hub.due().touchpoints.iter().map(named).collect();
    assert_eq!(again, first);
    let at = next_alarm(&hub.storage, &hub.volatile, hub.now).unwrap().unwrap();
    assert!(at <= hub.now.as_millisecond() + 5_000);
}

#[test]
fn nothing_is_reported_about_a_page_without_consent() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    let ops = a.add("mug", 1);
    a.send_as(&mut hub, ops, Some(person()));
    let mut denied = person();
    denied.consent.category_preferences.insert("analytics".to_owned(), false);
    let ops = a.add("mug", 1);
    a.send_as(&mut hub, ops, Some(denied));
    hub.wait(SignedDuration::from_hours(2));
    assert_eq!(hub.touchpoints(), []);
}

#[test]
fn a_cart_is_abandoned_once_per_idle_period_and_recovers_by_an_order() {
    let (mut hub, mut a) = (Object::new("guest", Owner::Guest), tab(1));
    let ops = a.add("mug", 2);
    a.send_as(&mut hub, ops, Some(person()));
    let idle_ms = hub.now.as_millisecond();
    hub.wait(SignedDuration::from_mins(59));
    assert_eq!(hub.touchpoints(), []);
    hub.wait(SignedDuration::from_mins(1));
    let id = format!("guest-0-{idle_ms}");
    let abandoned = ("Cart Abandoned".to_owned(), format!("cart-abandoned-{id}"));
    assert_eq!(hub.touchpoints(), [abandoned]);
    hub.crash();
    hub.wait(SignedDuration::from_hours(9));
    assert_eq!(hub.touchpoints(), [], "once");
    let ops = a.add("mug", 1);
    a.send_as(&mut hub, ops, Some(person()));
    hub.wait(SignedDuration::from_mins(61));
    let again = hub.touchpoints();
    assert_eq!(again.len(), 1, "an edit begins another idle period");
    assert_ne!(again[0].1, format!("cart-abandoned-{id}"));
    hub.view(false, CartAsk::Ordered(bought("o1", &[("mug", 3)])));
    let recovered = hub.touchpoints();
    assert_eq!(recovered.len(), 1);
    assert_eq!(recovered[0].0, "Cart Recovered");
    assert_eq!(recovered[0].1.replace("recovered", "abandoned"), again[0].1);
}

#[test]
fn an_open_checkout_is_not_abandoned_until_it_is_given_up() {
    let (mut hub, mut a) = (Object::new("guest", Owner::Guest), tab(1));
    let ops = a.add("mug", 2);
    a.send_as(&mut hub, ops, Some(person()));
    hub.wait(SignedDuration::from_mins(30));
    hub.checkout();
    hub.wait(SignedDuration::from_mins(59));
    assert_eq!(hub.touchpoints(), []);
    hub.wait(SignedDuration::from_mins(2));
    assert_eq!(hub.touchpoints(), [], "given up just now");
    assert_eq!(hub.summary().checkout, None);
    hub.wait(SignedDuration::from_mins(60));
    assert_eq!(hub.touchpoints().len(), 1);
}

#[test]
fn an_empty_cart_is_not_abandoned() {
    let (mut hub, mut a) = (Object::new("guest", Owner::Guest), tab(1));
    let ops = a.add("mug", 2);
    a.send_as(&mut hub, ops, Some(person()));
    let ops = a.act(|cart, me| cart.clear(me));
    a.send_as(&mut hub, ops, Some(person()));
    hub.wait(SignedDuration::from_hours(5));
    assert_eq!(hub.touchpoints(), []);
}

#[test]
fn a_cart_expires_after_its_last_edit_and_not_before() {
    let (mut hub, mut a) = (Object::new("guest", Owner::Guest), tab(1));
    a.adds(&mut hub, "mug", 1);
    hub.wait(SignedDuration::from_hours(29 * 24));
    assert!(!hub.due().is_expired);
    a.adds(&mut hub, "mug", 1);
    hub.wait(SignedDuration::from_hours(29 * 24));
    assert!(!hub.due().is_expired, "an edit prolongs its life");
    hub.wait(SignedDuration::from_hours(25));
    assert!(hub.due().is_expired);
}

#[test]
fn an_order_from_a_webhook_is_reported_about_the_checkouts_person() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    a.adds(&mut hub, "mug", 2);
    hub.view(false, CartAsk::Checkout { person: Some(person()) });
    hub.order(order("o1", None));
    let due = hub.due();
    let event: Value = serde_json::from_str(due.touchpoints[0].event.get()).unwrap();
    assert_eq!(event["messageId"], "order-o1");
    assert_eq!(event["anonymousId"], "a1");
    assert_eq!(event["properties"]["products"][0]["quantity"], 2);
    // An order without a checkout's person is about the customer, whom the server vouches for.
    hub.order(bought("o2", &[("mug", 1)]));
    hub.crash();
    let due = hub.due();
    let event: Value = serde_json::from_str(due.touchpoints[1].event.get()).unwrap();
    assert_eq!((&event["messageId"], &event["userId"]), (&json!("order-o2"), &json!("u1")));
}
