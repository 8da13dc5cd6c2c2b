//! Checkouts and orders: an order removes the units of its checkout, once, and keeps later units.

use super::*;

#[test]
fn an_order_removes_the_units_of_its_checkout_and_keeps_later_units() {
    let (mut hub, mut a, mut b) = (Object::customer(), tab(1), tab(2));
    a.adds(&mut hub, "mug", 3);
    let id = hub.checkout();
    assert!(id.starts_with("co_customer_") && id.len() == "co_customer_".len() + 32);
    assert_eq!(hub.summary().checkout, Some(id.clone()));
    b.look(&mut hub);
    b.adds(&mut hub, "mug", 2);
    assert!(hub.news.contains(&News::Checkout { open: true, changed: true }));
    let (status, view) = hub.order(order("o1", Some(&id)));
    assert_eq!(
        (status, &view["duplicate"], &view["checkout_open"]),
        (200, &json!(false), &json!(false))
    );
    assert_eq!(hub.shown(), lines(&[("mug", 2)]));
    let (_, again) = hub.order(order("o1", Some(&id)));
    assert_eq!(again["duplicate"], true);
    assert_eq!(hub.shown(), lines(&[("mug", 2)]));
    assert_eq!(hub.news.last(), hub.news.iter().rfind(|news| matches!(news, News::Delta(_))));
}

#[test]
fn an_order_without_a_checkout_uses_the_newest_checkout_or_removes_the_oldest_units() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    a.adds(&mut hub, "mug", 3);
    hub.checkout();
    a.adds(&mut hub, "mug", 1);
    hub.order(order("o1", None));
    assert_eq!(hub.shown(), lines(&[("mug", 1)]));
    // The only checkout has been ordered, so the next order needs lines of its own.
    assert_eq!(code(&hub.order(order("o2", None))), (422, "bad_order"));
    a.adds(&mut hub, "cup", 5);
    hub.order(bought("o3", &[("cup", 2), ("hat", 1)]));
    assert_eq!(hub.shown(), lines(&[("cup", 3), ("mug", 1)]));
}

#[test]
fn an_order_that_empties_the_cart_ends_the_epoch_and_refuses_a_late_delta() {
    let (mut hub, mut a, mut offline) = (Object::customer(), tab(1), tab(2));
    a.adds(&mut hub, "mug", 3);
    offline.look(&mut hub);
    offline.adds(&mut hub, "mug", 1);
    let late = offline.add("cup", 1);
    hub.checkout();
    let (_, view) = hub.order(order("o1", None));
    assert_eq!((&view["epoch"], &view["full"]["put"]), (&json!(1), &json!([])));
    assert_eq!(hub.news.last(), Some(&News::Anew));
    let answer = offline.send(&mut hub, late);
    assert_eq!(code(&answer), (409, "epoch"));
    assert_eq!(answer.1["error"]["previous"]["2"], 1);
    hub.crash();
    offline.cart = Cart::of(1);
    offline.adds(&mut hub, "cup", 1);
    assert_eq!(hub.shown(), lines(&[("cup", 1)]));
    assert_eq!(hub.order(order("o1", None)).1["duplicate"], true, "orders outlive epochs");
}

/// What the last order reported: article and quantity of each product. A crash ends what is under way.
fn reported(hub: &mut Object) -> Vec<(String, Value)> {
    hub.crash();
    let due = hub.due();
    let event = due.touchpoints.last().unwrap().event.get();
    let event: Value = serde_json::from_str(event).unwrap();
    assert_eq!(event["event"], "Order Completed");
    let products = event["properties"]["products"].as_array().unwrap().iter();
    let told = products.map(|product| {
        (product["product_id"].as_str().unwrap().to_owned(), product["quantity"].clone())
    });
    told.collect()
}

#[test]
fn an_order_of_a_measure_empties_the_line_that_was_set_to_that_measure() {
    let mut hub = Object::customer();
    let one_and_a_half = Quantity::parse(&json!(1.5));
    let set =
        Command { quantity: one_and_a_half, ..command("1", CommandOp::Set, Some("rice"), None) };
    hub.view(true, CartAsk::Commands(vec![set]));
    assert_eq!(hub.shown(), lines(&[("rice", 2)]));
    hub.order(measured("o1", &[("rice", json!(1.5))]));
    assert_eq!(hub.shown(), []);
    assert_eq!(reported(&mut hub), [("rice".to_owned(), json!(1.5))]);
}

#[test]
fn an_order_of_a_measure_leaves_whole_units_of_a_larger_line() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    a.adds(&mut hub, "rice", 5);
    hub.order(measured("o1", &[("rice", json!(1.5))]));
    assert_eq!(hub.shown(), lines(&[("rice", 3)]));
    hub.order(measured("o2", &[("rice", json!(0.75)), ("rice", json!(0.75))]));
    assert_eq!(hub.shown(), lines(&[("rice", 1)]), "two lines of 0.75 are 1.5");
    assert_eq!(reported(&mut hub), [("rice".to_owned(), json!(1.5))]);
}

#[test]
fn two_orders_of_half_a_unit_take_one_unit_and_no_more() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    a.adds(&mut hub, "rice", 1);
    for (id, left) in [("o1", []), ("o2", [])] {
        hub.order(measured(id, &[("rice", json!(0.5))]));
        assert_eq!(hub.shown(), lines(&left), "{id}");
        assert_eq!(reported(&mut hub), [("rice".to_owned(), json!(0.5))], "{id}");
    }
    let mut later = tab(2);
    later.cart = Cart::of(hub.summary().epoch);
    later.adds(&mut hub, "rice", 1);
    assert_eq!(hub.shown(), lines(&[("rice", 1)]), "nothing is owed");
}

#[test]
fn a_measure_that_two_lines_share_is_reported_exactly() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    let unknown = LineKey { currency: Currency::parse("XXX").unwrap(), ..line("rice") };
    for key in [LineKey { options_hash: 7, ..line("rice") }, unknown] {
        let ops = a.act(|cart, me| cart.add(me, &key, 1));
        assert_eq!(a.send(&mut hub, ops).0, 200);
    }
    let order = measured("o1", &[("rice", json!(1.5))]);
    hub.order(Order { is_foreign: true, ..order });
    assert_eq!(hub.shown(), []);
    let told = reported(&mut hub);
    assert_eq!(told, [("rice".to_owned(), json!(1)), ("rice".to_owned(), json!(0.5))]);
}
