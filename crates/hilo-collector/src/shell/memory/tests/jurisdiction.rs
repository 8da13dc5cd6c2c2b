//! A deployment that names another jurisdiction than its file: no object calls another one, and nothing is lost.

use super::*;
use crate::calls::link::{Earlier, LinkTo};
use crate::calls::{ProfileCall, Summary, ask_profile};

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
    let to = LinkTo {
        name: "user".to_owned(),
        label: "u:u1".to_owned(),
        user: Some("u1".to_owned()),
        subject: "s".to_owned(),
        controller: "Shop".to_owned(),
        at_ms: 0,
        cart: None,
        earlier: Earlier::Device("hash".to_owned()),
    };
    assert!(ask_visitor::<bool>(&memory, &ProfileCall::Link(to)));
    let links = || {
        let kept =
            run(ask_profile::<_, Summary>(&memory, "user".to_owned(), &ProfileCall::Summary));
        kept.unwrap().unwrap().links
    };
    misplace(&memory);
    for _ in 0..3 {
        memory.advance(SignedDuration::from_mins(10));
        settle(&memory);
    }
    assert_eq!(links(), 0);
    let told = |line: &String| line.contains("upkeep") && line.contains("jurisdiction_changed");
    assert!(memory.lines().iter().any(told), "{:?}", memory.lines());
    mend(&memory);
    memory.advance(SignedDuration::from_mins(10));
    settle(&memory);
    assert_eq!(links(), 1);
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
