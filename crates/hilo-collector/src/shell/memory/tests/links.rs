//! The alarm of a profile that is linked to a user's.

use super::*;
use crate::calls::link::{Earlier, LinkTo};
use crate::calls::{ProfileCall, Summary, ask_profile};

/// Links the page view's profile to that of a user.
pub(super) fn link_visitor(memory: &Memory) {
    let to = LinkTo {
        name: "user".to_owned(),
        label: "u:u1".to_owned(),
        user: Some("u1".to_owned()),
        subject: "s".to_owned(),
        controller: "Shop".to_owned(),
        at_ms: 0,
        cart: Some("cart".to_owned()),
        earlier: Earlier::Device("hash".to_owned()),
    };
    assert!(ask_visitor::<bool>(memory, &ProfileCall::Link(to)));
}

/// How many profiles have moved into that of the user.
pub(super) fn links(memory: &Memory) -> u32 {
    let kept = run(ask_profile::<_, Summary>(memory, "user".to_owned(), &ProfileCall::Summary));
    kept.unwrap().unwrap().links
}

#[test]
fn a_link_whose_call_failed_goes_on_soon_although_no_configuration_can_be_read() {
    let memory = memory();
    send(&memory, &page_view());
    settle(&memory);
    link_visitor(&memory);
    fall_back_to_short_times(&memory);
    memory.cut_call(0, false);
    memory.advance(SignedDuration::from_secs(2));
    settle(&memory);
    assert!(memory.lines().iter().any(|line| line.contains("\"link\"")), "{:?}", memory.lines());
    assert_eq!(links(&memory), 0);
    memory.advance(SignedDuration::from_secs(31));
    settle(&memory);
    assert_eq!(links(&memory), 1);
}
