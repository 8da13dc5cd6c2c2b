//! The erasure of a cart: whose claim holds, and what is left.

use super::*;
use crate::calls::cart::CartSummary;
use crate::calls::erasure::{CartClaim, CartErased};
use crate::signature::sha256_hex;

impl Object {
    fn erase(&mut self, claim: CartClaim) -> CartErased {
        self.ask(false, CartAsk::Erase(claim))
    }

    fn is_known(&mut self) -> bool {
        self.ask::<CartSummary>(false, CartAsk::Summary).known
    }
}

#[test]
fn a_cart_goes_with_everything_and_a_device_finds_a_new_one() {
    let mut object = Object::customer();
    let mut tab = tab(1);
    tab.adds(&mut object, "mug", 2);
    object.erase(CartClaim::Proved);
    assert!(!object.is_known());
    let tables = "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'";
    assert_eq!(object.storage.exec(tables, &[]).unwrap(), []);
    assert_eq!(
        object.erase(CartClaim::Proved),
        CartErased::default(),
        "a second call finds nothing"
    );
    super::tab(2).adds(&mut object, "cup", 1);
    assert!(object.is_known());
}

#[test]
fn a_cart_stays_for_whoever_only_knows_its_label() {
    for owner in [Owner::Guest, Owner::Customer("u1".to_owned())] {
        let mut object = Object::new("cart", owner);
        tab(1).adds(&mut object, "mug", 2);
        for claim in [
            CartClaim::OfDevice(vec![sha256_hex(b"somebody")]),
            CartClaim::OfDevice(Vec::new()),
            CartClaim::MovedInto("another".to_owned()),
        ] {
            object.erase(claim);
            assert!(object.is_known());
        }
    }
}

#[test]
fn a_guests_cart_goes_with_the_device_that_its_touchpoints_are_about() {
    let mut object = Object::new("cart", Owner::Guest);
    tab(1).adds(&mut object, "mug", 2);
    let claim = || CartClaim::OfDevice(vec![sha256_hex(b"a1")]);
    object.erase(claim());
    assert!(object.is_known(), "nothing tells whose it is");
    let bought = BoughtLine { line: line("mug"), quantity: Quantity::whole(1) };
    let order = Order {
        order_id: "o1".to_owned(),
        checkout_id: None,
        lines: Some(vec![bought]),
        total: None,
        is_unpaid: false,
        is_foreign: false,
        person: Some(person()),
    };
    object.ask::<CartAnswer>(false, CartAsk::Ordered(order));
    object.erase(claim());
    assert!(!object.is_known());
}

#[test]
fn a_touchpoint_of_an_erased_cart_confirms_none_of_the_next_cart() {
    let mut hub = Object::customer();
    hub.view(true, CartAsk::Commands(vec![command("1", CommandOp::Add, Some("mug"), None)]));
    let under_way = hub.due().touchpoints;
    hub.erase(CartClaim::Proved);
    hub.view(true, CartAsk::Commands(vec![command("2", CommandOp::Add, Some("cup"), None)]));
    hub.confirm(&under_way);
    let next = hub.due().touchpoints;
    let numbers = |touchpoints: &[Touchpoint]| -> Vec<i64> {
        touchpoints.iter().map(|one| one.seq).collect()
    };
    assert_eq!((numbers(&under_way), numbers(&next)), (vec![1], vec![1]));
    hub.confirm(&next);
    assert_eq!(hub.touchpoints(), []);
}
