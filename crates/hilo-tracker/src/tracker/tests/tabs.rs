//! Several tabs of one origin: one sends for all, and no event is lost or sent twice when another one takes over.

use super::*;

/// Two tabs of a visitor whose id is certain; nothing waits. Neither takes anything up by itself.
fn two_tabs() -> (Memory, [Tracker<Memory>; 2]) {
    let page = Memory::new("https://a.example/");
    let mut first = start(&page);
    grant(&mut first);
    serve(&mut first, &page, 200);
    let tabs = [(); 2].map(|()| {
        let mut tab = Tracker::new(options(), page.clone());
        tab.begin();
        tab.happened(Happened::Ready);
        serve(&mut tab, &page, 200);
        tab
    });
    (page, tabs)
}

fn tell(tab: &mut Tracker<Memory>, name: &str) {
    tab.track(name, "{}", 1_795_000_000_000);
    tab.happened(Happened::TaskEnded);
}

/// The named acts that `tab` sends.
fn acts(tab: &mut Tracker<Memory>, page: &Memory) -> Vec<String> {
    let body = batches(&serve(tab, page, 200));
    let named = body.split("\"event\":\"").skip(1);
    named.map(|rest| rest.split('"').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_tab_that_hands_over_stores_its_events_and_sends_none() {
    let (page, [mut leader, mut other]) = two_tabs();
    assert!(other.hand_over());
    tell(&mut other, "Order Completed");
    other.happened(Happened::Hidden);
    other.flush();
    assert!(page.sent().is_empty());
    assert!(page.stored().keys().any(|key| key.starts_with("hilo.q.")));
    leader.take_up(&other.tab);
    assert_eq!(acts(&mut leader, &page), ["Order Completed"]);
    assert!(page.stored().keys().all(|key| !key.starts_with("hilo.q.")));
}

#[test]
fn a_tab_hands_nothing_over_while_its_batch_is_on_its_way() {
    let (page, [_, mut other]) = two_tabs();
    tell(&mut other, "Order Completed");
    page.pass(TOGETHER_MS);
    other.happened(Happened::Woke);
    assert!(!other.hand_over());
    let sent = page.sent();
    other.happened(Happened::Answered(answer(&sent[0], 503)));
    assert!(other.hand_over(), "what failed is the other tab's");
    assert_eq!(acts(&mut other, &page), [""; 0]);
}

#[test]
fn a_tab_that_leads_takes_its_own_events_up_again_in_their_order() {
    let (page, [_, mut tab]) = two_tabs();
    tab.hand_over();
    for name in ["A", "B", "C"] {
        tell(&mut tab, name);
    }
    let own = tab.tab.clone();
    tab.take_up(&own);
    tell(&mut tab, "D");
    assert_eq!(acts(&mut tab, &page), ["A", "B", "C", "D"]);
}

#[test]
fn events_that_no_storage_of_all_tabs_holds_are_sent_by_their_own_tab() {
    let (page, [_, mut tab]) = two_tabs();
    tab.hand_over();
    page.block_storage();
    tell(&mut tab, "Kept in memory");
    assert_eq!(acts(&mut tab, &page), ["Kept in memory"]);
}

#[test]
fn nothing_is_taken_up_without_consent() {
    let (page, [mut leader, mut other]) = two_tabs();
    other.hand_over();
    tell(&mut other, "Left");
    let left = page.stored();
    leader.withdraw();
    for (key, value) in left {
        if key.starts_with("hilo.q.") {
            page.save(&key, &value);
        }
    }
    leader.take_up(&other.tab);
    assert_eq!(acts(&mut leader, &page), [""; 0]);
}

#[test]
fn events_that_a_full_storage_leaves_where_they_are_are_taken_up_once() {
    let (page, [mut leader, mut other]) = two_tabs();
    other.hand_over();
    tell(&mut other, "Order Completed");
    page.block_storage();
    for _ in 0..3 {
        leader.take_up(&other.tab);
    }
    assert_eq!(acts(&mut leader, &page), ["Order Completed"]);
    assert!(page.stored().keys().all(|key| !key.starts_with("hilo.q.")), "{:?}", page.stored());
    leader.take_up(&other.tab);
    assert_eq!(acts(&mut leader, &page), [""; 0]);
}

#[test]
fn a_leader_sends_under_the_choice_that_another_tab_made_a_moment_ago() {
    let (page, [mut leader, mut other]) = two_tabs();
    leader.choose("advertising", Choice::Granted);
    serve(&mut leader, &page, 200);
    other.happened(Happened::StoredElsewhere);
    tell(&mut leader, "A");
    other.choose("advertising", Choice::Denied);
    page.sent();
    page.pass(TOGETHER_MS);
    // No event of the browser has told the leader of the denial yet.
    leader.happened(Happened::Woke);
    let told = batches(&page.sent());
    assert!(told.contains("\"advertising\":false"), "{told}");
}
