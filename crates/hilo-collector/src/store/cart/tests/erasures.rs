//! The erasure of a cart: whose claim holds, and what is left.

use super::*;
use crate::calls::cart::{CartSummary, CustomerCart, Leave};
use crate::calls::erasure::{CartClaim, CartErased, CartToErase};
use crate::signature::sha256_hex;

impl Object {
    /// Erases the cart for a wish of now.
    fn erase(&mut self, claim: CartClaim) -> CartErased {
        let asked_ms = self.now.as_millisecond();
        let label = self.name.clone();
        self.ask(false, CartAsk::Erase(CartToErase { label, claim, asked_ms }))
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
    for table in ["cart", "infos", "deltas", "replicas", "checkouts", "schedule", "outbox"] {
        let rows = object.storage.exec(&format!("SELECT * FROM {table}"), &[]);
        assert_eq!(rows.unwrap(), [], "{table}");
    }
    let kinds = object.storage.exec("SELECT kind FROM once", &[]).unwrap();
    assert_eq!(kinds.len(), 1, "only the time of the wish is left");
    super::tab(2).adds(&mut object, "cup", 1);
    object.erase(CartClaim::Proved);
    assert!(object.is_known(), "a repeated call takes nothing that came since");
    object.now += SignedDuration::from_secs(1);
    object.erase(CartClaim::Proved);
    assert!(!object.is_known(), "a further wish does");
}

#[test]
fn a_merge_that_had_begun_brings_nothing_back_and_a_later_one_joins() {
    let (mut guest, mut customer) = (Object::new("guest", Owner::Guest), Object::customer());
    let mut a = tab(1);
    a.adds(&mut guest, "mug", 2);
    tab(2).adds(&mut customer, "cup", 1);
    let speaker = customer.speaker(false);
    let to = CustomerCart { cart: "customer".to_owned(), speaker, policy: "max".to_owned() };
    let Leave::Leaving(under_way) = guest.ask(false, CartAsk::Leave(to.clone())) else {
        panic!("it leaves")
    };
    customer.now += SignedDuration::from_secs(1);
    customer.erase(CartClaim::Proved);
    customer.ask::<()>(false, CartAsk::Join(under_way));
    assert!(!customer.is_known());
    let mut next = Object::new("next guest", Owner::Guest);
    next.now = customer.now + SignedDuration::from_secs(1);
    tab(3).adds(&mut next, "bowl", 1);
    let Leave::Leaving(later) = next.ask(false, CartAsk::Leave(to)) else { panic!("it leaves") };
    customer.ask::<()>(false, CartAsk::Join(later));
    assert!(customer.is_known());
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
