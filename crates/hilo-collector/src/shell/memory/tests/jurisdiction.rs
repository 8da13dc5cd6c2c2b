//! A deployment that names another jurisdiction than its file: no object calls another one, and nothing is lost.

use super::links::{link_visitor, links};
use super::*;

/// Gives the deployment a variable that does not fit its file, as after a mistake in `wrangler.jsonc`.
fn misplace(memory: &Memory) {
    memory.configure(include_str!("../../../../hilo.toml"));
    memory.set_dev(false);
    memory.set_jurisdiction("eu");
    memory.start_cold();
}

/// Mends the variable.
fn mend(memory: &Memory) {
    memory.set_jurisdiction("");
    memory.start_cold();
}

#[test]
fn a_link_waits_while_the_jurisdiction_is_not_that_of_the_file() {
    let memory = memory();
    send(&memory, &page_view());
    settle(&memory);
    link_visitor(&memory);
    misplace(&memory);
    for _ in 0..3 {
        memory.advance(SignedDuration::from_mins(10));
        settle(&memory);
    }
    assert_eq!(links(&memory), 0);
    let told = |line: &String| line.contains("upkeep") && line.contains("jurisdiction_changed");
    assert!(memory.lines().iter().any(told), "{:?}", memory.lines());
    mend(&memory);
    memory.advance(SignedDuration::from_mins(10));
    settle(&memory);
    assert_eq!(links(&memory), 1);
}

#[test]
fn a_link_waits_while_no_file_is_known() {
    let memory = memory();
    send(&memory, &page_view());
    settle(&memory);
    link_visitor(&memory);
    misplace(&memory);
    memory.lose_kv();
    memory.start_cold();
    for _ in 0..3 {
        memory.advance(SignedDuration::from_mins(10));
        settle(&memory);
    }
    assert_eq!(links(&memory), 0);
}

#[test]
fn deliveries_ask_no_stranger_and_come_again() {
    let memory = memory();
    send(&memory, &page_view());
    misplace(&memory);
    let asked = || {
        let asked = memory.asked();
        asked.iter().filter(|object| matches!(object, Object::Profile(_))).count()
    };
    let before = asked();
    settle(&memory);
    assert_eq!((memory.sent().len(), asked()), (0, before));
    mend(&memory);
    memory.set_dev(true); // the built-in file's webhook is on this machine
    for _ in 0..3 {
        memory.advance(SignedDuration::from_mins(10));
        settle(&memory);
    }
    assert_eq!(memory.sent().len(), 1, "{:?}", memory.lines());
}

#[test]
fn what_a_cart_reports_waits_while_the_jurisdiction_is_not_that_of_the_file() {
    let memory = memory();
    fill(&memory, "customer", customer());
    settle(&memory);
    misplace(&memory);
    for _ in 0..3 {
        memory.advance(SignedDuration::from_mins(61));
        settle(&memory);
    }
    assert_eq!(abandoned(&memory), 0);
    mend(&memory);
    memory.advance(SignedDuration::from_mins(61));
    settle(&memory);
    assert_eq!(abandoned(&memory), 1, "{:?}", memory.lines());
}
