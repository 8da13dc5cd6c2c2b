//! What a tool says again, after choices have ended, and what a page only finds: none of it is a new choice.

use super::*;

#[test]
fn choices_that_are_too_old_follow_the_tool_again() {
    let page = Memory::new("https://a.example/");
    let mut told = Told::new(&page, "tcf", false).looked();
    told.hear("tcf", tcf("useractioncomplete", &[1, 8], "C"));
    let hello = page.sent().remove(0);
    let word = "11111111-1111-4111-8111-111111111111|6|1".to_owned();
    told.tracker.happened(Happened::Answered(Answer {
        ticket: hello.ticket,
        status: 200,
        word,
        ..Answer::default()
    }));
    serve(&mut told.tracker, &page, 200);
    page.pass(200 * 24 * 60 * 60 * 1_000);
    let next = page.next_document("https://a.example/2", "");
    let mut told = Told::new(&next, "tcf", false).looked();
    assert_eq!(told.analytics(), Choice::Unset);
    told.hear("tcf", tcf("tcloaded", &[1, 8], "C"));
    assert_eq!(told.analytics(), Choice::Granted, "the tool answers for the age of its own choice");
}

/// The answer to the request that left first: the id is the page's, a choice holds for six months, and the notice is this one.
fn answered(told: &mut Told, page: &Memory, notice: &str) {
    let hello = page.sent().remove(0);
    let mut answer = Answer { ticket: hello.ticket, status: 200, ..Answer::default() };
    answer.hello = "11111111-1111-4111-8111-111111111111|6|".to_owned() + notice;
    told.tracker.happened(Happened::Answered(answer));
    serve(&mut told.tracker, page, 200);
}

#[test]
fn a_tool_that_repeats_itself_undoes_no_withdrawal_that_has_ended() {
    for is_other_notice in [false, true] {
        let page = Memory::new("https://a.example/");
        let mut told = Told::new(&page, "tcf", false).looked();
        told.hear("tcf", tcf("useractioncomplete", &[1, 8], "C"));
        answered(&mut told, &page, "1");
        told.tracker.withdraw();
        serve(&mut told.tracker, &page, 200);
        if !is_other_notice {
            page.pass(200 * 24 * 60 * 60 * 1_000);
        }
        let mut next = page;
        for at in ["https://a.example/2", "https://a.example/3"] {
            next = next.next_document(at, "");
            let notice = if is_other_notice { "8" } else { "7" };
            let mut told = Told::under(notice, &next, "tcf", false).looked();
            assert_eq!(told.analytics(), Choice::Unset, "the withdrawal has ended");
            told.hear("tcf", tcf("tcloaded", &[1, 8], "C"));
            told.hear("tcf", tcf("tcloaded", &[1, 8], "C"));
            assert_eq!(told.analytics(), Choice::Unset, "{is_other_notice} {at}");
            let sent = serve(&mut told.tracker, &next, 200);
            let is_denial =
                |one: &Request| one.call == Call::Consent && !one.body.contains("granted");
            assert!(sent.iter().all(is_denial), "{sent:?}");
        }
        let mut told = Told::new(&next, "tcf", false).looked();
        told.hear("tcf", tcf("useractioncomplete", &[], "C2"));
        assert_eq!(told.analytics(), Choice::Denied);
        told.hear("tcf", tcf("useractioncomplete", &[1, 8], "C3"));
        assert_eq!(told.analytics(), Choice::Granted, "the visitor chose anew");
    }
}

#[test]
fn after_an_erasure_a_tool_that_repeats_itself_makes_no_other_id() {
    let page = Memory::new("https://a.example/");
    let mut told = Told::new(&page, "tcf", false).looked();
    told.hear("tcf", tcf("useractioncomplete", &[1, 8], "C"));
    answered(&mut told, &page, "");
    told.tracker.forget_visitor();
    assert_eq!((told.analytics(), told.tracker.anonymous_id()), (Choice::Unset, None));
    assert_eq!(keys(&page), ["hilo.c"], "what the tool told holds no id");
    told.hear("tcf", tcf("tcloaded", &[1, 8], "C"));
    assert_eq!(told.analytics(), Choice::Unset);
    let next = page.next_document("https://a.example/2", "");
    let mut told = Told::new(&next, "tcf", false).looked();
    told.hear("tcf", tcf("tcloaded", &[1, 8], "C"));
    assert_eq!((told.analytics(), told.tracker.anonymous_id()), (Choice::Unset, None));
    told.tracker.choose("analytics", Choice::Granted);
    assert_eq!(told.analytics(), Choice::Granted, "an explicit choice is another grant");
}

#[test]
fn a_denial_by_call_holds_on_later_pages_against_the_tool_s_first_answer() {
    for is_heard in [true, false] {
        let page = Memory::new("https://a.example/");
        let mut told = Told::new(&page, "tcf", false).looked();
        told.tracker.choose("analytics", Choice::Denied);
        if is_heard {
            told.hear("tcf", tcf("tcloaded", &[1, 8], "C"));
        }
        assert_eq!(told.analytics(), Choice::Denied);
        serve(&mut told.tracker, &page, 200);
        let mut next = page;
        for (at, expected) in [("https://a.example/2", "tcf"), ("https://a.example/3", "")] {
            // The tool of the last page turns up late.
            next = next.next_document(at, "");
            let mut told = Told::new(&next, expected, false).looked();
            told.hear("tcf", json!({}));
            told.hear("tcf", tcf("tcloaded", &[1, 8], "C"));
            assert_eq!(told.analytics(), Choice::Denied, "{is_heard} {at}");
            serve(&mut told.tracker, &next, 200);
        }
    }
}

#[test]
fn a_grant_that_the_page_finds_is_told_from_one_that_it_sees() {
    let page = Memory::new("https://a.example/");
    let mut told = Told::new(&page, "tcf", false).looked();
    told.hear("tcf", tcf("tcloaded", &[1, 8], "C"));
    let found = |page: &Memory, told: &mut Told| {
        let sent = serve(&mut told.tracker, page, 200);
        let bodies = sent.iter().filter(|one| one.call == Call::Consent);
        let of = |body: &str| body.contains(r#""isFound":true"#);
        bodies.map(|one| of(&one.body)).collect::<Vec<_>>()
    };
    assert_eq!(
        found(&page, &mut told),
        [false, true],
        "denials always count, but nobody knows when the visitor chose"
    );
    told.hear("tcf", tcf("useractioncomplete", &[], "C2"));
    assert_eq!(found(&page, &mut told), [false], "a denial always counts");
    told.hear("tcf", tcf("useractioncomplete", &[1, 8], "C3"));
    assert_eq!(found(&page, &mut told), [false], "the visitor chose on this page");
    told.tracker.choose("sale_share", Choice::Granted);
    assert_eq!(found(&page, &mut told), [false], "the site's own call");
    // A notice that reloads the page after the answer.
    told.hear("tcf", tcf("useractioncomplete", &[], "C4"));
    serve(&mut told.tracker, &page, 200);
    let next = page.next_document("https://a.example/2", "");
    let mut told = Told::new(&next, "tcf", false).looked();
    told.hear("tcf", tcf("tcloaded", &[1, 8], "C5"));
    assert_eq!(found(&next, &mut told), [false], "the answer has changed since the last page");
}
