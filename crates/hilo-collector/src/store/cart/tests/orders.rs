//! Checkouts and orders: an order removes the units of its checkout, once, and keeps later units.

use hilo_core::cart::LineInfo;

use super::*;
use crate::calls::cart::CustomerCart;

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

/// The events that wait in the outbox.
fn waiting(hub: &mut Object) -> Vec<Value> {
    let due = hub.due();
    due.touchpoints.iter().map(|told| serde_json::from_str(told.event.get()).unwrap()).collect()
}

#[test]
fn an_order_that_a_page_told_first_is_still_reported_by_the_server_once() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    a.adds(&mut hub, "mug", 2);
    let id = hub.checkout();
    // The visitor denied analytics: the page names nobody, and reports nothing itself.
    hub.view(false, CartAsk::Ordered(order("o1", Some(&id))));
    assert_eq!(hub.shown(), []);
    hub.crash();
    let foreign = Order { is_foreign: true, ..bought("o1", &[("mug", 2)]) };
    for attempt in 0..3 {
        let (status, view) = hub.order(foreign.clone());
        assert_eq!((status, &view["duplicate"]), (200, &json!(true)), "{attempt}");
    }
    let told = waiting(&mut hub);
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["messageId"], &told[0]["userId"]), (&json!("order-o1"), &json!("u1")));
    let properties = &told[0]["properties"];
    assert_eq!((&properties["order_id"], &properties["checkout_id"]), (&json!("o1"), &json!(id)));
    assert_eq!(properties["products"][0]["product_id"], "mug");
}

#[test]
fn a_measure_that_a_page_told_first_is_reported_exactly_by_the_server() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    a.adds(&mut hub, "rice", 5);
    hub.view(false, CartAsk::Ordered(measured("o1", &[("rice", json!(1.5))])));
    assert_eq!(hub.shown(), lines(&[("rice", 3)]));
    let foreign = Order { is_foreign: true, ..measured("o1", &[("rice", json!(1.5))]) };
    let (_, view) = hub.order(foreign);
    assert_eq!(view["duplicate"], true);
    assert_eq!(hub.shown(), lines(&[("rice", 3)]), "taken once");
    assert_eq!(reported(&mut hub), [("rice".to_owned(), json!(1.5))]);
}

#[test]
fn an_order_of_a_consenting_page_is_reported_about_its_device_with_the_pages_own_id() {
    for has_checkout in [true, false] {
        let (mut hub, mut a) = (Object::customer(), tab(1));
        let look = LineInfo { name: Some("A mug".to_owned()), ..LineInfo::default() };
        let ops = a.act(|cart, me| {
            let mut delta = cart.add(me, &line("mug"), 2)?;
            delta.show(&line("mug"), (1, look.clone()));
            Ok(delta)
        });
        a.send(&mut hub, ops);
        let id = has_checkout.then(|| hub.checkout());
        let paid = Order { person: Some(person()), ..bought("o1", &[("mug", 2)]) };
        hub.view(false, CartAsk::Ordered(Order { checkout_id: id, ..paid }));
        hub.order(Order { is_foreign: true, ..bought("o1", &[("mug", 2)]) });
        let told = waiting(&mut hub);
        assert_eq!(told.len(), 1);
        // The page reports the same id to the same profile, so the order is kept once.
        assert_eq!(
            (&told[0]["messageId"], &told[0]["anonymousId"]),
            (&json!("order-o1"), &json!("a1"))
        );
        assert_eq!(told[0]["properties"]["products"][0]["name"], "A mug");
    }
}

#[test]
fn an_order_with_fifty_lines_of_long_names_fits_into_an_event_with_all_its_lines() {
    let mut hub = Object::customer();
    let long = |n: usize| LineInfo {
        name: Some("n".repeat(512)),
        url: Some(format!("https://shop.example/{n}/{}", "u".repeat(1_900))),
        image: Some("i".repeat(2_048)),
        unit_price: Some(1_999),
    };
    let lines: Vec<String> = (0..50).map(|n| format!("mug-{n}")).collect();
    let command = |(n, variant): (usize, &String)| {
        let command = command(&n.to_string(), CommandOp::Add, Some(variant), Some(3));
        Command { info: Some(long(n)), ..command }
    };
    hub.view(true, CartAsk::Commands(lines.iter().enumerate().map(command).collect()));
    hub.touchpoints();
    let bought_lines: Vec<(&str, u32)> = lines.iter().map(|line| (line.as_str(), 3)).collect();
    hub.order(bought("o1", &bought_lines));
    let due = hub.due();
    let told = due.touchpoints.last().unwrap();
    assert!(told.event.get().len() <= hilo_core::event::EVENT_BYTES_MAX);
    assert_eq!(told.cut.as_deref(), Some("image_url, url"));
    let event: Value = serde_json::from_str(told.event.get()).unwrap();
    let products = event["properties"]["products"].as_array().unwrap();
    assert_eq!(products.len(), 50);
    assert!(products.iter().all(|one| one["quantity"] == 3 && one["price"] == 19.99));
    assert_eq!(event["properties"]["value"], 2_998.5);
}

#[test]
fn a_merge_takes_along_what_a_server_may_still_report() {
    let (mut guest, mut a) = (Object::new("guest", Owner::Guest), tab(1));
    a.adds(&mut guest, "mug", 2);
    guest.view(false, CartAsk::Ordered(bought("o1", &[("mug", 1)])));
    let mut customer = Object::customer();
    let to = CustomerCart {
        cart: customer.name.clone(),
        speaker: customer.speaker(false),
        policy: "max".to_owned(),
    };
    let Leave::Leaving(leaving) = guest.ask(false, CartAsk::Leave(to)) else { panic!("it stays") };
    let () = customer.ask(false, CartAsk::Join(leaving));
    let (_, view) = customer.order(Order { is_foreign: true, ..bought("o1", &[("mug", 1)]) });
    assert_eq!(view["duplicate"], true);
    assert_eq!(customer.shown(), lines(&[("mug", 1)]), "taken once");
    assert_eq!(waiting(&mut customer).len(), 1);
}
