//! The Global Privacy Platform: what `__gpp` tells about its sections (IAB, GPP CMP API 1.1).
//!
//! In: a copied `pingData`, and the site's vendor. Out: an answer for each purpose, or nothing before the signal is ready. The sections
//! of US states tell opt-outs: 1 is a denial, and 2 is no grant, it only ends a denial.

use alloc::borrow::ToOwned;

use super::tc_string::TcString;
use super::{Answer, Answers, Told, tcf};
use crate::consent::Purpose;
use crate::plain::Plain;
use crate::text::parts;

/// Ids that stand for no section.
const NONE: i64 = -1;
const UNKNOWN: i64 = 0;
/// The section of TCF Europe and of TCF Canada.
const TCF_EUROPE: i64 = 2;
const TCF_CANADA: i64 = 5;
/// The API prefixes of the sections from 6 on.
const STATES_AT: i64 = 6;
const STATES: &str = "uspv1 usnat usca usva usco usut usct usfl usmt usor ustx usde usia usne usnh usnj ustn usmn usmd usin usky usri";

/// Purposes that laws of US states are about.
const STATE_PURPOSES: [Purpose; 2] = [Purpose::Advertising, Purpose::SaleShare];

/// Reads a `pingData`.
pub(super) fn read(told: &Plain, vendor: Option<u64>) -> Told {
    let sections = told.list("applicableSections");
    if told.word("signalStatus") != "ready" || sections.is_empty() {
        return None;
    }
    let mut answers = Answers::default();
    for section in sections {
        let id = section.text().and_then(crate::digits::read_signed).unwrap_or(UNKNOWN);
        match id {
            NONE => {}
            UNKNOWN => return None,
            TCF_EUROPE => europe(told, vendor, &mut answers),
            // Consent may be implied there, which hilo takes for none. The section denies nothing either.
            TCF_CANADA => {}
            _ => state(told, id, &mut answers),
        }
    }
    Some((answers, told.word("gppString").to_owned()))
}

/// The answers while something is about to change: what GPP speaks about waits, and a denial stays.
pub(super) fn unready(former: Answers) -> Answers {
    let mut answers = former;
    for (purpose, answer) in Purpose::ASKED.into_iter().zip(&mut answers.0) {
        if *answer != Answer::Silent || STATE_PURPOSES.contains(&purpose) {
            *answer = (*answer).max(Answer::Pending);
        }
    }
    answers
}

/// Reads the section of TCF Europe. It is in the string as TCF writes it, in the order of the ids.
fn europe(told: &Plain, vendor: Option<u64>, answers: &mut Answers) {
    let ids = told.list("sectionList").iter().filter_map(Plain::text);
    let place = ids.take_while(|id| *id != "2").count();
    let mut sections = parts(told.word("gppString"), b'~').skip(1);
    match sections.nth(place).and_then(TcString::read) {
        Some(string) => {
            let theirs = match vendor {
                None => tcf::answers(&|purpose| string.publisher_consents(purpose)),
                Some(vendor) => {
                    let may = string.discloses(vendor) && string.allows(vendor);
                    tcf::answers(&|purpose| may && string.consents(purpose))
                }
            };
            for (purpose, answer) in Purpose::ASKED.into_iter().zip(theirs.0) {
                answers.add(purpose, answer);
            }
        }
        None => {
            Purpose::ASKED.into_iter().for_each(|purpose| answers.add(purpose, Answer::Pending))
        }
    }
}

/// Reads the section of a US state, or the national one. What cannot be read waits.
fn state(told: &Plain, id: i64, answers: &mut Answers) {
    let place = usize::try_from(id - STATES_AT).unwrap_or(usize::MAX);
    let name = parts(STATES, b' ').nth(place);
    let section = name.and_then(|name| told.get("parsedSections")?.get(name));
    let Some(section) = section.filter(|section| **section != Plain::Null) else {
        for purpose in STATE_PURPOSES {
            answers.add(purpose, Answer::Pending);
        }
        return;
    };
    let is = |name: &str, value: &str| field(section, name).and_then(Plain::text) == Some(value);
    let gpc = field(section, "Gpc") == Some(&Plain::Flag(true)) || is("Gpc", "1");
    // `1YNY`: the third letter is the opt-out.
    let is_letter = section.text().and_then(|text| text.as_bytes().get(2)) == Some(&b'Y');
    let is_sale_denied = gpc
        || is("SaleOptOut", "1")
        || is("SharingOptOut", "1")
        || is("OptOutSale", "Y")
        || is("MspaServiceProviderMode", "1")
        || is_letter;
    if is_sale_denied {
        answers.add(Purpose::SaleShare, Answer::Denied);
    }
    let is_child = field(section, "KnownChildSensitiveDataConsents").is_some_and(is_any);
    if gpc || is("TargetedAdvertisingOptOut", "1") || is_child {
        answers.add(Purpose::Advertising, Answer::Denied);
    }
}

/// A field of a section: of its one object, or of the first of its segments that has the field.
fn field<'p>(section: &'p Plain, name: &str) -> Option<&'p Plain> {
    if let Plain::List(segments) = section {
        return segments.iter().find_map(|segment| segment.get(name));
    }
    section.get(name)
}

/// Whether a number, or any number of a list, is not 0.
fn is_any(value: &Plain) -> bool {
    if let Plain::List(values) = value {
        return values.iter().any(is_any);
    }
    value.text().is_some_and(|text| text != "0")
}
