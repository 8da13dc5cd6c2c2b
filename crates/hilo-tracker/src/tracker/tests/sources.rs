//! Consent tools decide: nothing passes before they answer, their denials are obeyed at once, and the record names them.

mod repeats;
mod truth_table;

use hilo_core::plain::Plain;
use serde_json::{Value, json};

use super::*;
use crate::sources::Sources;

/// A page with consent tools: the first module's tracker and the second module's sources.
struct Told {
    tracker: Tracker<Memory>,
    sources: Sources,
}

impl Told {
    /// A page whose tools are these.
    fn new(page: &Memory, expected: &str, gpc: bool) -> Told {
        Told::under("7", page, expected, gpc)
    }

    /// A page that shows this notice.
    fn under(notice: &str, page: &Memory, expected: &str, gpc: bool) -> Told {
        let options = Options { is_awaiting: true, notice: notice.to_owned(), ..options() };
        let mut tracker = Tracker::new(options, page.clone());
        tracker.begin();
        tracker.happened(Happened::Ready);
        let sources = Sources::new(&Plain::from(&json!({ "expected": expected, "gpc": gpc })));
        Told { tracker, sources }
    }

    /// The second module is there: its first report.
    fn looked(mut self) -> Told {
        self.hear("", json!(null));
        self
    }

    /// A source tells something, as `js/sdk/src/more/consent/watch.ts` hands it on.
    fn hear(&mut self, name: &str, told: Value) {
        let lines = self.sources.hear(name, &Plain::from(&told));
        let report = lines.lines().next().unwrap_or_default();
        if let [codes, methods, signals] = report.split('\t').collect::<Vec<_>>()[..] {
            self.tracker.hear(codes.parse().unwrap(), &format!("{methods}\n{signals}"));
        }
    }

    fn choice(&self, purpose: Purpose) -> Choice {
        self.tracker.choices().find(|(known, _)| *known == purpose).unwrap().1
    }

    fn analytics(&self) -> Choice {
        self.choice(Purpose::Analytics)
    }
}

fn tcf(status: &str, purposes: &[u8], string: &str) -> Value {
    let consents: Value = purposes.iter().map(|one| (one.to_string(), json!(true))).collect();
    json!({ "ok": true, "status": status, "cmp": "loaded", "applies": true, "string": string, "publisher": consents })
}

fn usnat(status: &str, sale: u8, ads: u8, gpc: bool) -> Value {
    json!({ "signalStatus": status, "applicableSections": [7], "sectionList": [7], "gppString": "DBABLA~B",
        "parsedSections": { "usnat": [{ "SaleOptOut": sale, "SharingOptOut": sale, "TargetedAdvertisingOptOut": ads }, { "Gpc": gpc }] } })
}

/// A page of a visitor who granted everything by a call on an earlier page.
fn granted_before() -> (Memory, String) {
    let page = Memory::new("https://a.example/");
    let mut tracker = start(&page);
    tracker.choose("functional analytics personalization advertising sale_share", Choice::Granted);
    serve(&mut tracker, &page, 200);
    let id = tracker.anonymous_id().unwrap().to_owned();
    (page.next_document("https://a.example/2", ""), id)
}

fn keys(page: &Memory) -> Vec<String> {
    page.stored().into_keys().collect()
}

#[test]
fn a_stored_grant_lets_nothing_out_before_the_tool_has_answered() {
    let (page, id) = granted_before();
    let mut told = Told::new(&page, "tcf", false);
    told.tracker.track("Product Viewed", "", page.now_ms());
    told.tracker.flush();
    let mut told = told.looked();
    told.hear("tcf", tcf("cmpuishown", &[1, 8], "C"));
    page.pass(3_600_000);
    told.tracker.happened(Happened::Woke);
    told.tracker.happened(Happened::Hidden);
    assert!(page.sent().is_empty(), "no time that passes becomes a grant");
    assert_eq!((told.analytics(), told.tracker.anonymous_id()), (Choice::Unset, None));
    assert!(page.stored()["hilo.id"].contains(&id), "the id waits like the events");
    told.hear("tcf", tcf("useractioncomplete", &[1, 8], "C"));
    let sent = serve(&mut told.tracker, &page, 200);
    assert_eq!(told.tracker.anonymous_id(), Some(id.as_str()));
    assert!(batches(&sent).is_empty(), "what waited is half an hour too old");
    told.tracker.track("Product Added", "", page.now_ms());
    assert!(batches(&serve(&mut told.tracker, &page, 200)).contains("Product Added"));
}

#[test]
fn a_denial_of_the_tool_comes_before_a_stored_grant_and_leaves_nothing() {
    let (page, id) = granted_before();
    let mut told = Told::new(&page, "tcf", false).looked();
    told.tracker.track("Product Viewed", "", page.now_ms());
    told.hear("tcf", tcf("tcloaded", &[], "CNO.1"));
    assert_eq!(keys(&page), ["hilo.c", "hilo.r.d1"], "only the refusal, until it is judged");
    let sent = serve(&mut told.tracker, &page, 200);
    assert!(sent.iter().all(|one| one.call == Call::Consent), "{sent:?}");
    let body = &sent[0].body;
    assert!(body.contains(&id) && body.contains(r#""state":"denied""#), "{body}");
    assert!(
        body.contains(r#""method":"tcf""#) && body.contains(r#""signals":{"tcf":"CNO.1"}"#),
        "{body}"
    );
    assert_eq!(keys(&page), ["hilo.c"]);
}

#[test]
fn the_record_of_each_purpose_names_the_source_that_spoke() {
    let page = Memory::new("https://a.example/");
    let mut told = Told::new(&page, "tcf onetrust", false).looked();
    told.hear("onetrust", json!({ "made": true, "categories": [["C0003", true]] }));
    assert_eq!(told.choice(Purpose::Functional), Choice::Unset, "TCF has not answered");
    told.hear("tcf", tcf("useractioncomplete", &[1, 8], "CYES.\"1"));
    told.tracker.choose("sale_share", Choice::Granted);
    let sent = serve(&mut told.tracker, &page, 200);
    let records: Vec<&str> =
        sent.iter().filter(|one| one.call == Call::Consent).map(|one| one.body.as_str()).collect();
    let methods: Vec<(String, String, String)> = records
        .iter()
        .flat_map(|body| {
            let body: Value = serde_json::from_str(body).unwrap();
            let signals = body["signals"].to_string();
            let changes = body["consent"]["changes"].as_array().unwrap().clone();
            changes.into_iter().map(move |one| {
                let text = |name: &str| one[name].as_str().unwrap().to_owned();
                (text("purpose") + " " + &text("state"), text("method"), signals.clone())
            })
        })
        .collect();
    let signals = r#"{"onetrust":"C0003","tcf":"CYES.\"1"}"#;
    let expected = [
        ("personalization denied", "tcf", signals),
        ("advertising denied", "tcf", signals),
        ("functional granted", "tool", signals),
        ("analytics granted", "tcf", signals),
        ("sale_share granted", "api", "null"),
    ];
    let methods: Vec<_> = methods
        .iter()
        .map(|(what, by, with)| (what.as_str(), by.as_str(), with.as_str()))
        .collect();
    assert_eq!(methods, expected);
    assert_eq!(told.choice(Purpose::Functional), Choice::Granted);
}

#[test]
fn a_withdrawal_by_call_is_not_undone_by_a_tool_that_repeats_itself() {
    let page = Memory::new("https://a.example/");
    let mut told = Told::new(&page, "tcf", false).looked();
    told.hear("tcf", tcf("useractioncomplete", &[1, 8], "C"));
    assert_eq!(told.analytics(), Choice::Granted);
    told.tracker.withdraw();
    told.hear("tcf", tcf("useractioncomplete", &[1, 8], "C2"));
    assert_eq!(told.analytics(), Choice::Denied);
    serve(&mut told.tracker, &page, 200);
    let next = page.next_document("https://a.example/2", "");
    let mut told = Told::new(&next, "tcf", false).looked();
    told.hear("tcf", tcf("tcloaded", &[1, 8], "C2"));
    assert_eq!(told.analytics(), Choice::Denied);
    assert!(serve(&mut told.tracker, &next, 200).is_empty());
    told.hear("tcf", tcf("useractioncomplete", &[], "C3"));
    told.hear("tcf", tcf("useractioncomplete", &[1, 8], "C4"));
    assert_eq!(told.analytics(), Choice::Granted, "the visitor chose anew");
}

#[test]
fn nothing_new_flows_while_gpp_changes_and_everything_stays_for_later() {
    let page = Memory::new("https://a.example/");
    let mut told = Told::new(&page, "gpp", false).looked();
    told.hear("gpp", usnat("ready", 2, 2, false));
    assert_eq!(told.choice(Purpose::SaleShare), Choice::Unset, "no opt-out is no grant");
    told.tracker.choose("analytics advertising sale_share", Choice::Granted);
    serve(&mut told.tracker, &page, 200);
    let id = told.tracker.anonymous_id().unwrap().to_owned();
    told.hear("gpp", usnat("not ready", 2, 2, false));
    assert_eq!(told.choice(Purpose::SaleShare), Choice::Unset);
    assert_eq!(
        (told.analytics(), told.tracker.anonymous_id()),
        (Choice::Granted, Some(id.as_str()))
    );
    told.hear("gpp", usnat("ready", 1, 2, false));
    assert_eq!(told.choice(Purpose::SaleShare), Choice::Denied);
    assert_eq!(told.choice(Purpose::Advertising), Choice::Granted, "only the sale is opted out of");
    told.hear("gpp", usnat("ready", 2, 2, true));
    assert_eq!(told.choice(Purpose::Advertising), Choice::Denied, "the section's own GPC");
    told.tracker.choose("advertising", Choice::Granted);
    assert_eq!(told.choice(Purpose::Advertising), Choice::Granted, "a later explicit choice");
    told.hear("gpp", usnat("ready", 2, 2, false));
    assert_eq!(
        told.choice(Purpose::SaleShare),
        Choice::Unset,
        "the denial ends, and nothing is granted"
    );
    assert_eq!(told.choice(Purpose::Advertising), Choice::Granted);
}

#[test]
fn a_page_whose_tool_waits_again_keeps_queue_and_id_and_sends_neither() {
    let page = Memory::new("https://a.example/");
    let mut told = Told::new(&page, "consent_mode", false).looked();
    let says = |command: &str, state: &str| json!({ "command": command, "states": { "analytics_storage": state } });
    told.hear("consent_mode", says("update", "granted"));
    serve(&mut told.tracker, &page, 200);
    let id = told.tracker.anonymous_id().unwrap().to_owned();
    told.tracker.track("Product Viewed", "", page.now_ms());
    told.tracker.happened(Happened::TaskEnded);
    // Another tool turns up late, and has not answered.
    told.hear("tcf", json!({}));
    assert_eq!(told.analytics(), Choice::Unset);
    told.tracker.flush();
    told.tracker.happened(Happened::Hidden);
    assert!(page.sent().is_empty());
    assert!(keys(&page).iter().any(|key| key.starts_with("hilo.q.")), "{:?}", keys(&page));
    assert_eq!(page.stored()["hilo.id"], id);
}

#[test]
fn a_grant_by_call_waits_for_the_first_report_and_a_denial_there_wins() {
    for (purposes, expected) in [(&[1, 8][..], Choice::Granted), (&[], Choice::Denied)] {
        let page = Memory::new("https://a.example/");
        let mut told = Told::new(&page, "tcf", false);
        told.tracker.choose("analytics functional", Choice::Granted);
        assert_eq!(told.analytics(), Choice::Unset);
        assert!(page.sent().is_empty() && page.stored().is_empty());
        // The tool was there before the second module, so its answer is part of the first report.
        told.hear("tcf", tcf("tcloaded", purposes, "C"));
        assert_eq!(told.analytics(), expected);
    }
}

#[test]
fn a_grant_by_call_comes_before_a_tool_that_has_no_answer_yet_whenever_it_is_called() {
    for is_early in [true, false] {
        let page = Memory::new("https://a.example/");
        let mut told = Told::new(&page, "tcf", false);
        if is_early {
            told.tracker.choose("analytics", Choice::Granted);
        }
        told.hear("tcf", json!({}));
        if !is_early {
            told.tracker.choose("analytics", Choice::Granted);
        }
        assert_eq!(told.analytics(), Choice::Granted, "{is_early}");
        assert_eq!(told.choice(Purpose::Functional), Choice::Unset);
        told.hear("tcf", tcf("useractioncomplete", &[], "C"));
        assert_eq!(told.analytics(), Choice::Denied, "the tool's own answer is newer");
    }
}

#[test]
fn a_call_comes_before_a_tool_that_was_heard_until_the_tool_tells_something_new() {
    let page = Memory::new("https://a.example/");
    let mut told = Told::new(&page, "tcf", false).looked();
    told.hear("tcf", tcf("cmpuishown", &[], "C"));
    told.tracker.choose("analytics", Choice::Granted);
    assert_eq!(told.analytics(), Choice::Granted, "an explicit choice while the panel is open");
    told.hear("gpp", json!({ "signalStatus": "ready", "applicableSections": [-1] }));
    assert_eq!(told.analytics(), Choice::Granted, "TCF still says what it said");
    told.hear("tcf", tcf("useractioncomplete", &[], "C"));
    assert_eq!(told.analytics(), Choice::Denied);
    told.tracker.choose("analytics", Choice::Granted);
    assert_eq!(told.analytics(), Choice::Granted);
    told.hear("tcf", tcf("useractioncomplete", &[], "C2"));
    assert_eq!(told.analytics(), Choice::Granted, "it only repeats itself");
}

#[test]
fn a_tool_that_was_silent_or_does_not_apply_leaves_stored_choices_alone() {
    let (page, id) = granted_before();
    let mut told = Told::new(&page, "tcf", false).looked();
    told.hear("tcf", json!({ "ok": true, "applies": false }));
    let sent = serve(&mut told.tracker, &page, 200);
    assert!(batches(&sent).contains(&id));
    assert!(sent.iter().all(|one| one.call != Call::Consent), "nothing was chosen");
}

#[test]
fn do_not_track_denies_until_the_visitor_grants_here_and_the_grant_holds_on_later_pages() {
    let page = Memory::new("https://a.example/");
    page.deny(hilo_core::consent::PurposeSet::of(&Purpose::DNT_DENIES));
    let mut tracker = start(&page);
    let of =
        |tracker: &Tracker<Memory>| tracker.choices().map(|(_, choice)| choice).collect::<Vec<_>>();
    let (unset, granted, denied) = (Choice::Unset, Choice::Granted, Choice::Denied);
    assert_eq!(of(&tracker), [unset, denied, denied, denied, denied]);
    tracker.track("Product Viewed", "", page.now_ms());
    assert!(serve(&mut tracker, &page, 200).is_empty() && page.stored().is_empty());
    tracker.choose("analytics", Choice::Granted);
    assert_eq!(of(&tracker), [unset, granted, denied, denied, denied]);
    let next = start(&page.next_document("https://a.example/2", ""));
    assert_eq!(of(&next), [unset, granted, denied, denied, denied]);
}
