//! Orders, refunds, messages, conversations and the state of a person, in any order of arrival.

use serde_json::{Value, json};

use super::{act, event, folded};
use crate::event::{Event, EventKind, Gist};
use crate::journey::{Fate, State, StateRules};
use crate::profile::{
    Figures, Listed as _, Message, Order, Profile, figures, is_machine_click, join, state,
};

fn order(id: &str, minute: u32, total: &str) -> Event {
    act("Order Completed", minute, &json!({"order_id": id, "total": total, "currency": "EUR"}))
}

fn refund(id: &str, minute: u32, total: &str) -> Event {
    let properties = json!({"order_id": id, "total": total, "currency": "EUR"});
    act("Order Refunded", minute, &properties)
}

fn told(profile: &Profile) -> Figures {
    figures(profile, "2026-11-24T11:00:00Z".parse().unwrap(), &StateRules::default())
}

fn net(profile: &Profile) -> serde_json::Value {
    serde_json::to_value(told(profile).net).unwrap()
}

/// Folds the events in every order, in one part and in two. All profiles must be the same.
fn in_any_order(events: &[Event]) -> Profile {
    let expected = folded(events);
    let mut places: Vec<usize> = (0..events.len()).collect();
    permute(&mut places, 0, &mut |places| {
        let some: Vec<Event> = places.iter().map(|place| events[*place].clone()).collect();
        assert_eq!(folded(&some), expected, "{places:?}");
        let (mine, theirs) = some.split_at(some.len() / 2);
        assert_eq!(join(folded(mine), folded(theirs)), expected, "{places:?}");
    });
    expected
}

fn permute(places: &mut [usize], done: usize, each: &mut impl FnMut(&[usize])) {
    if done == places.len() {
        return each(places);
    }
    for place in done..places.len() {
        places.swap(done, place);
        permute(places, done + 1, each);
        places.swap(done, place);
    }
}

#[test]
fn an_order_that_two_senders_tell_counts_once_and_a_refund_may_come_before_it() {
    let events = [
        refund("1", 4, "30"),
        order("1", 1, "100.50"),
        act("Order Completed", 2, &json!({"order_id": "1", "revenue": 90, "currency": "EUR"})),
        act("Order Updated", 3, &json!({"order_id": "1", "total": 110, "currency": "EUR"})),
        order("2", 5, "5"),
    ];
    let profile = in_any_order(&events);
    let figures = told(&profile);
    assert_eq!((figures.orders.counted, figures.orders.refunded), (2, 1));
    assert_eq!(net(&profile), json!({"EUR": "8500"}));
}

#[test]
fn the_same_refund_counts_once_and_more_than_the_order_is_never_given_back() {
    let twice = |minute| {
        let properties = json!({"order_id": "1", "refund_id": "R", "total": 70, "currency": "EUR"});
        act("Order Refunded", minute, &properties)
    };
    let events = [order("1", 1, "100"), twice(2), twice(3)];
    assert_eq!(net(&in_any_order(&events)), json!({"EUR": "3000"}));
    let more = [order("1", 1, "100"), twice(2), refund("1", 3, "70")];
    let profile = in_any_order(&more);
    assert_eq!(net(&profile), json!({"EUR": "0"}));
    assert_eq!(told(&profile).orders.counted, 0);
}

#[test]
fn one_cent_that_is_left_counts_and_an_order_that_was_cancelled_does_not() {
    let left = [order("1", 1, "100"), refund("1", 2, "99.99")];
    assert_eq!(told(&in_any_order(&left)).orders.counted, 1);
    let cancelled = [
        order("1", 1, "100"),
        act("Order Cancelled", 2, &json!({"order_id": "1"})),
        refund("1", 3, "100"),
    ];
    let profile = in_any_order(&cancelled);
    let figures = told(&profile);
    assert_eq!((figures.orders.counted, figures.orders.cancelled), (0, 1));
    assert_eq!(net(&profile), json!({}));
    let whole = [order("1", 1, "100"), act("Order Refunded", 2, &json!({"order_id": "1"}))];
    assert_eq!(told(&in_any_order(&whole)).orders.counted, 0);
}

#[test]
fn revenue_is_summed_by_currency_and_stays_right_beyond_the_list() {
    let mut events: Vec<Event> = (0..70).map(|n| order(&format!("o{n}"), n % 60, "1.10")).collect();
    let yen = json!({"order_id": "yen", "total": 500, "currency": "JPY"});
    events.push(act("Order Completed", 59, &yen));
    let profile = folded(&events);
    assert_eq!(profile.orders.iter().count(), Order::MAX);
    assert_eq!(net(&profile), json!({"EUR": "7700", "JPY": "500"}));
    assert_eq!(told(&profile).orders.counted, 71);
    events.reverse();
    assert_eq!(folded(&events), profile);
}

#[test]
fn a_message_shows_what_became_of_it_and_numbers_stay_right_beyond_the_list() {
    let mail = |name: &str, n: usize, minute: u32| {
        act(name, minute, &json!({"message_id": format!("m{n}")}))
    };
    let machine = act("Email Opened", 2, &json!({"message_id": "m0", "machine": true}));
    let events = [
        mail("Email Opened", 0, 4),
        machine,
        mail("Email Delivered", 0, 1),
        mail("Email Opened", 0, 3),
    ];
    let profile = in_any_order(&events);
    let (_, message) = profile.messages.iter().next().unwrap();
    let fates: Vec<_> = message.fates.iter().map(|(fate, at)| (*fate, at.to_string())).collect();
    let at = |minute: u32| format!("2026-11-24T10:{minute:02}:00Z");
    let expected =
        [(Fate::Delivered, at(1)), (Fate::Opened, at(3)), (Fate::OpenedByMachine, at(2))];
    assert_eq!(fates, expected);
    let many: Vec<Event> =
        (0..100).map(|n| mail("Email Link Clicked", n, u32::try_from(n % 60).unwrap())).collect();
    let profile = folded(&many);
    assert_eq!(profile.messages.iter().count(), Message::MAX);
    assert_eq!(told(&profile).messages["email"][&Fate::Clicked], 100);
}

/// A click on a link of the message `m`, at a second of the tests' first minute.
fn click(second: u32, more: &Value) -> Event {
    let mut click = act("Email Link Clicked", 0, &json!({"message_id": "m"}));
    click.occurred_at = format!("2026-11-24T10:00:{second:02}Z").parse().unwrap();
    click.message_id = format!("click {second} {more}");
    if let EventKind::Track { properties, .. } = &mut click.kind {
        properties.extend(more.as_object().unwrap().clone());
    }
    click
}

fn delivered(second: u32) -> Event {
    let mut delivered = click(second, &json!({}));
    if let EventKind::Track { event, .. } = &mut delivered.kind {
        "Email Delivered".clone_into(event);
    }
    delivered
}

/// The numbers of reactions, and which of the events are a machine's clicks.
fn reactions(events: &[Event]) -> (Value, Vec<bool>) {
    let profile = in_any_order(events);
    let machine = |event: &Event| is_machine_click(&profile, &Gist::of(event));
    let sums = serde_json::to_value(&told(&profile).messages["email"]).unwrap();
    (sums, events.iter().map(machine).collect())
}

#[test]
fn a_click_within_two_seconds_of_the_delivery_is_a_machines() {
    let link = json!({"link_url": "https://shop.example/a"});
    let of = |second| reactions(&[delivered(10), click(second, &link)]);
    let machine = (json!({"delivered": 1, "clicked_by_machine": 1}), vec![false, true]);
    let person = (json!({"delivered": 1, "clicked": 1}), vec![false, false]);
    assert_eq!([of(8), of(10), of(12)], [machine.clone(), machine.clone(), machine]);
    assert_eq!([of(7), of(13)], [person.clone(), person]);
    let both = reactions(&[delivered(10), click(11, &link), click(40, &link)]);
    let expected = json!({"delivered": 1, "clicked": 1, "clicked_by_machine": 1});
    assert_eq!(both, (expected, vec![false, true, false]));
}

#[test]
fn three_links_of_a_message_within_two_seconds_are_a_machines() {
    let link = |second, link: &str| click(second, &json!({"link_url": link}));
    let three = [link(20, "a"), link(21, "b"), link(22, "c"), link(50, "a")];
    let expected = json!({"clicked": 1, "clicked_by_machine": 1});
    assert_eq!(reactions(&three), (expected, vec![true, true, true, false]));
    for person in [
        [link(20, "a"), link(21, "b"), link(23, "c")],
        [link(20, "a"), link(21, "a"), link(22, "b")],
        [link(20, ""), link(21, ""), link(22, "")],
    ] {
        assert_eq!(reactions(&person), (json!({"clicked": 1}), vec![false; 3]));
    }
}

#[test]
fn a_click_that_its_service_calls_a_machines_meets_nobody() {
    let (by, is) = (json!({"machine": true}), json!({"is_machine": true}));
    let told = [click(20, &by), click(40, &is)];
    assert_eq!(reactions(&told), (json!({"clicked_by_machine": 1}), vec![true, true]));
    assert_eq!((folded(&told).contacts, folded(&told).channels), Default::default());
    assert_eq!(folded(&[click(20, &json!({}))]).contacts["Email Link Clicked"].count, 1);
}

#[test]
fn a_persons_click_stays_one_beyond_the_clicks_that_are_kept() {
    let machine = |n: u32| click(10 + n / 20, &json!({"link_url": n.to_string()}));
    let mut events: Vec<Event> = (0..60).map(machine).collect();
    events.push(click(50, &json!({"link_url": "7"})));
    let profile = folded(&events);
    let expected = json!({"clicked": 1, "clicked_by_machine": 1});
    assert_eq!(serde_json::to_value(&told(&profile).messages["email"]).unwrap(), expected);
    events.reverse();
    assert_eq!(folded(&events), profile);
    let (mine, theirs) = events.split_at(30);
    assert_eq!(join(folded(mine), folded(theirs)), profile);
}

#[test]
fn a_click_that_an_earlier_version_folded_stays_the_persons() {
    let kept = json!({"messages": {"listed": {"m": {
        "way": "email", "clicked": "2026-11-24T10:00:05Z", "last": "2026-11-24T10:00:05Z",
    }}}});
    let kept: Profile = serde_json::from_value(kept).unwrap();
    let more = folded(&[click(40, &json!({"machine": true}))]);
    let expected = json!({"clicked": 1, "clicked_by_machine": 1});
    for both in [join(kept.clone(), more.clone()), join(more, kept)] {
        assert_eq!(serde_json::to_value(&told(&both).messages["email"]).unwrap(), expected);
    }
}

#[test]
fn a_question_is_open_until_it_is_answered_by_its_own_way() {
    let open = |events: &[Event]| told(&in_any_order(events)).open_questions;
    let ticket = |name: &str, minute: u32| act(name, minute, &json!({"ticket_id": "T"}));
    assert_eq!(open(&[ticket("Ticket Created", 1)]), 1);
    assert_eq!(open(&[ticket("Ticket Created", 1), ticket("Ticket Solved", 2)]), 0);
    assert_eq!(open(&[ticket("Ticket Created", 1), ticket("Message Sent", 2)]), 0);
    assert_eq!(open(&[ticket("Ticket Solved", 1), ticket("Message Received", 2)]), 1);
    let missed = act("Call Missed", 1, &json!({}));
    assert_eq!(open(&[missed.clone(), act("Call Made", 2, &json!({}))]), 0);
    let chat = json!({"channel": "whatsapp"});
    assert_eq!(open(&[missed, act("Message Received", 2, &chat)]), 2);
}

#[test]
fn the_state_before_a_moment_counts_only_what_was_before() {
    let page = |minute: u32, session: &str| {
        let at = format!("2026-11-24T10:{minute:02}:00Z");
        let context = json!({"hilo": {"session": {"id": session}}});
        event("page", &at, &json!({"properties": {}, "context": context}))
    };
    let events = [
        page(1, "a"),
        page(2, "a"),
        page(10, "b"),
        order("1", 20, "10"),
        order("2", 30, "10"),
        order("3", 40, "10"),
    ];
    let profile = folded(&events);
    let at = |text: &str, session: Option<&str>| {
        state(&profile, text.parse().unwrap(), session, &StateRules::default())
    };
    assert_eq!(at("2026-11-24T10:01:00Z", Some("a")), State::New);
    assert_eq!(
        at("2026-11-24T10:02:00Z", Some("a")),
        State::New,
        "the visit itself is nothing earlier"
    );
    assert_eq!(at("2026-11-24T10:10:00Z", Some("b")), State::Known);
    assert_eq!(at("2026-11-24T10:20:00Z", None), State::Known);
    assert_eq!(at("2026-11-24T10:30:00Z", None), State::Fresh);
    assert_eq!(at("2026-11-24T10:41:00Z", None), State::Loyal);
    assert_eq!(at("2028-11-24T10:41:00Z", None), State::Customer);
}

#[test]
fn somebody_is_fresh_until_some_days_after_the_delivery() {
    let sent = act("Order Shipped", 2, &json!({"order_id": "1"}));
    let at = |events: &[Event], text: &str| {
        state(&folded(events), text.parse().unwrap(), None, &StateRules::default())
    };
    let under_way = [order("1", 1, "10"), sent.clone()];
    assert_eq!(at(&under_way, "2027-01-10T10:00:00Z"), State::Fresh);
    assert_eq!(at(&under_way, "2027-03-10T10:00:00Z"), State::Customer);
    assert_eq!(at(&under_way[..1], "2027-01-10T10:00:00Z"), State::Customer);
    let refunded = [order("1", 1, "10"), refund("1", 2, "10")];
    assert_eq!(at(&refunded, "2026-11-25T10:00:00Z"), State::Known);
}

#[test]
fn a_recommendation_makes_a_customer_loyal() {
    let reviewed = act("Product Reviewed", 2, &json!({}));
    let at = "2026-11-25T10:00:00Z".parse().unwrap();
    let of = |events: &[Event]| state(&folded(events), at, None, &StateRules::default());
    assert_eq!(of(std::slice::from_ref(&reviewed)), State::Known);
    assert_eq!(of(&[order("1", 1, "10"), reviewed]), State::Loyal);
}
