//! Every combination of what can be said about consent, against a reference that is written from `consent.md` alone.
//!
//! The sources answer in an order that a seeded generator picks. The seed is printed.

use super::*;

const SEED: u64 = 0x5eed_c0de;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tcf {
    Absent,
    Stub,
    Shown,
    DoesNotApply,
    /// A string with these purposes.
    Loaded(&'static [u8]),
}
const TCF: [Tcf; 9] = [
    Tcf::Absent,
    Tcf::Stub,
    Tcf::Shown,
    Tcf::DoesNotApply,
    Tcf::Loaded(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    Tcf::Loaded(&[]),
    Tcf::Loaded(&[1, 8]),
    Tcf::Loaded(&[1, 2, 3, 4]),
    Tcf::Loaded(&[2, 3, 4, 5, 6, 8]),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gpp {
    Absent,
    NotReady,
    /// Sale, advertising, GPC of the section.
    Ready(u8, u8, bool),
}
const GPP: [Gpp; 6] = [
    Gpp::Absent,
    Gpp::NotReady,
    Gpp::Ready(2, 2, false),
    Gpp::Ready(1, 2, false),
    Gpp::Ready(2, 1, false),
    Gpp::Ready(2, 2, true),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Absent,
    DefaultGranted,
    DefaultDenied,
    /// Analytics granted, advertising denied.
    Mixed,
}
const MODES: [Mode; 4] = [Mode::Absent, Mode::DefaultGranted, Mode::DefaultDenied, Mode::Mixed];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    Nothing,
    Grant,
    Expired,
    OlderNotice,
}
const STORED: [Stored; 4] = [Stored::Nothing, Stored::Grant, Stored::Expired, Stored::OlderNotice];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Api {
    Nothing,
    /// Analytics and advertising.
    Grant,
    /// Analytics.
    Deny,
    Withdraw,
}
const APIS: [Api; 4] = [Api::Nothing, Api::Grant, Api::Deny, Api::Withdraw];

#[derive(Clone, Copy, Debug)]
struct Row {
    tcf: Tcf,
    gpp: Gpp,
    /// Undefined, no, yes.
    gpc: Option<bool>,
    mode: Mode,
    stored: Stored,
    api: Api,
}

use Purpose::{Advertising, Analytics, Functional, Personalization, SaleShare};

/// What consent.md says: call > TCF and GPP > update > stored choice > nothing; a denial wins between signals; who has not answered is
/// waited for.
fn reference(row: Row, purpose: Purpose) -> Choice {
    match row.api {
        Api::Grant if matches!(purpose, Analytics | Advertising) => return Choice::Granted,
        Api::Deny if purpose == Analytics => return Choice::Denied,
        Api::Withdraw => return Choice::Denied,
        Api::Nothing | Api::Grant | Api::Deny => {}
    }
    let needs: &[u8] = match purpose {
        Functional => &[1],
        Analytics => &[1, 8],
        Personalization => &[1, 5, 6],
        Advertising => &[1, 2, 3, 4],
        Purpose::Essential | SaleShare => &[],
    };
    let is_ad = matches!(purpose, Advertising | SaleShare);
    let tcf_lacks =
        matches!(row.tcf, Tcf::Loaded(has) if needs.iter().any(|one| !has.contains(one)));
    let gpp_denies = match row.gpp {
        Gpp::Ready(_, _, true) => is_ad,
        Gpp::Ready(sale, ads, _) => {
            (sale == 1 && purpose == SaleShare) || (ads == 1 && purpose == Advertising)
        }
        Gpp::Absent | Gpp::NotReady => false,
    };
    if tcf_lacks
        || gpp_denies
        || (row.mode == Mode::Mixed && purpose == Advertising)
        || (row.gpc == Some(true) && is_ad)
    {
        return Choice::Denied;
    }
    if matches!(row.tcf, Tcf::Stub | Tcf::Shown) || row.gpp == Gpp::NotReady {
        return Choice::Unset;
    }
    let is_tcfs = matches!(purpose, Analytics | Personalization | Advertising);
    if (matches!(row.tcf, Tcf::Loaded(_)) && is_tcfs)
        || (row.mode == Mode::Mixed && purpose == Analytics)
    {
        return Choice::Granted;
    }
    let is_withheld = row.mode == Mode::DefaultDenied && matches!(purpose, Analytics | Advertising);
    if row.stored == Stored::Grant && !is_withheld { Choice::Granted } else { Choice::Unset }
}

fn stored(stored: Stored, now_ms: i64) -> Option<String> {
    const MONTH_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
    let (age, notice) = match stored {
        Stored::Nothing => return None,
        Stored::Grant => (MONTH_MS, "7"),
        Stored::Expired => (7 * MONTH_MS, "7"),
        Stored::OlderNotice => (MONTH_MS, "6"),
    };
    let (at, notice) = (now_ms - age, crate::gate::notice(notice));
    // Every purpose that visitors are asked about has a bit in the lowest byte.
    let all = 0b11_1110;
    Some(format!("4|{all}|0|{at}|6|{now_ms}|{notice}|0|"))
}

/// What hilo makes of a row, with its sources in an order that `random` picks.
fn played(row: Row, random: &mut u64) -> Vec<Choice> {
    let page = Memory::new("https://a.example/");
    if let Some(text) = stored(row.stored, page.now_ms()) {
        page.save(CONSENT_KEY, &text);
    }
    if row.gpc == Some(true) {
        page.deny(hilo_core::consent::PurposeSet::of(&Purpose::GPC_DENIES));
    }
    let mut steps: Vec<(&str, Value)> = Vec::new();
    match row.tcf {
        Tcf::Absent => {}
        Tcf::Stub => steps.push(("tcf", json!({}))),
        Tcf::Shown => steps.push(("tcf", tcf("cmpuishown", &[1, 8], "C"))),
        Tcf::DoesNotApply => steps.push(("tcf", json!({ "ok": true, "applies": false }))),
        Tcf::Loaded(has) => steps.push(("tcf", tcf("tcloaded", has, "C"))),
    }
    match row.gpp {
        Gpp::Absent => {}
        Gpp::NotReady => steps.push(("gpp", usnat("not ready", 2, 2, false))),
        Gpp::Ready(sale, ads, gpc) => steps.push(("gpp", usnat("ready", sale, ads, gpc))),
    }
    let mode = |command: &str, analytics: &str, ads: &str| json!({ "command": command, "states": { "analytics_storage": analytics, "ad_storage": ads, "ad_user_data": ads } });
    match row.mode {
        Mode::Absent => {}
        Mode::DefaultGranted => steps.push(("consent_mode", mode("default", "granted", "granted"))),
        Mode::DefaultDenied => steps.push(("consent_mode", mode("default", "denied", "denied"))),
        Mode::Mixed => steps.push(("consent_mode", mode("update", "granted", "denied"))),
    }
    let expected: Vec<&str> = steps.iter().map(|(name, _)| *name).collect();
    let mut told = Told::new(&page, &expected.join(" "), row.gpc == Some(true)).looked();
    while !steps.is_empty() {
        // xorshift64 (Marsaglia 2003).
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        let (name, step) = steps.swap_remove((*random % steps.len() as u64) as usize);
        told.hear(name, step);
    }
    let was_open = !batches(&serve(&mut told.tracker, &page, 200)).is_empty();
    match row.api {
        Api::Nothing => {}
        Api::Grant => told.tracker.choose("analytics advertising", Choice::Granted),
        Api::Deny => told.tracker.choose("analytics", Choice::Denied),
        Api::Withdraw => told.tracker.withdraw(),
    }
    let choices: Vec<Choice> = told.tracker.choices().map(|(_, choice)| choice).collect();
    // What the gate says is what leaves the page, and what stays in it.
    told.tracker.track("Product Viewed", "", page.now_ms());
    let sent = serve(&mut told.tracker, &page, 200);
    assert_eq!(!batches(&sent).is_empty(), choices[1] == Choice::Granted, "{row:?}");
    assert!(!was_open || row.api != Api::Nothing || choices[1] == Choice::Granted, "{row:?}");
    let may_keep_id = choices[..4].contains(&Choice::Granted);
    assert_eq!(page.stored().contains_key(ID_KEY), may_keep_id, "{row:?}");
    if !choices.contains(&Choice::Granted) {
        assert!(
            sent.iter().all(|one| one.call == Call::Consent && one.body.contains("denied")),
            "{row:?}"
        );
    }
    choices
}

#[test]
fn every_row_of_the_truth_table_is_what_the_rules_say() {
    println!("seed {SEED:#x}");
    let (mut random, mut rows) = (SEED, 0);
    for tcf in TCF {
        for gpp in GPP {
            for gpc in [None, Some(false), Some(true)] {
                for mode in MODES {
                    for stored in STORED {
                        for api in APIS {
                            let row = Row { tcf, gpp, gpc, mode, stored, api };
                            let expected: Vec<Choice> =
                                Purpose::ASKED.into_iter().map(|one| reference(row, one)).collect();
                            assert_eq!(played(row, &mut random), expected, "row {rows}: {row:?}");
                            rows += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(rows, 10_368);
}
