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
