//! TCF 2.2 and 2.3: what `addEventListener` of `__tcfapi` calls back with (IAB CMP API v2).
//!
//! In: the listed fields of `tcData`, and the site's vendor. Out: an answer for each purpose, or nothing where no choice was made.
//! Legitimate interests never grant. The page copies of a vendor's maps only the site's own vendor.

use alloc::borrow::ToOwned;

use super::tc_string::TcString;
use super::{Answer, Answers, Told};
use crate::consent::Purpose;
use crate::plain::Plain;

/// The purposes of TCF that each purpose needs, all of them (consent.md, in the page, rule 5). A purpose that is not listed here is
/// none of TCF's. Storage on the device needs the first one, so its denial denies `functional` too.
const NEEDS: [(Purpose, &[u8]); 4] = [
    (Purpose::Functional, &[STORAGE]),
    (Purpose::Analytics, &[STORAGE, 8]),
    (Purpose::Personalization, &[STORAGE, 5, 6]),
    (Purpose::Advertising, &[STORAGE, 2, 3, 4]),
];
/// The purpose of TCF that allows storage on the device.
const STORAGE: u8 = 1;

/// Reads `tcData`. Its fields: `ok` (the callback's second argument), `status`, `cmp`, `applies`, `string`, and the maps `purposes`,
/// `publisher` and, for the site's vendor, `restrictions`; `consent` and `disclosed` are the vendor's own entries.
pub(super) fn read(told: &Plain, vendor: Option<u64>) -> Told {
    let string = told.word("string");
    if told.word("cmp") == "error" {
        return Some((Answers::all(Answer::Pending), string.to_owned()));
    }
    match told.get("applies") {
        // TCF does not apply, so it says nothing. That is no grant.
        Some(Plain::Flag(false)) if told.flag("ok") => {
            return Some((Answers::default(), string.to_owned()));
        }
        Some(Plain::Flag(true)) => {}
        _ => return None,
    }
    if !told.flag("ok") || !matches!(told.word("status"), "tcloaded" | "useractioncomplete") {
        return None;
    }
    let listed = |map: &str, purpose: u8| {
        told.get(map).is_some_and(|consents| consents.flag(digit(purpose)))
    };
    let answers = match vendor {
        None => answers(&|purpose| listed("publisher", purpose)),
        Some(vendor) => {
            let is_disclosed = match told.get("disclosed") {
                Some(Plain::Flag(is_disclosed)) => *is_disclosed,
                _ => TcString::read(string).is_some_and(|string| string.discloses(vendor)),
            };
            let may = is_disclosed && told.flag("consent");
            answers(&|purpose| {
                // 0: the publisher does not allow the purpose; 2: only by legitimate interest, which is no consent.
                let is_restricted = told
                    .get("restrictions")
                    .and_then(|kinds| kinds.number(digit(purpose)))
                    .is_some_and(|kind| kind != 1);
                may && !is_restricted && listed("purposes", purpose)
            })
        }
    };
    Some((answers, string.to_owned()))
}

/// The answers of a visitor who has chosen: what is not consented is denied.
pub(super) fn answers(consents: &dyn Fn(u8) -> bool) -> Answers {
    let mut answers = Answers::default();
    for (purpose, needs) in NEEDS {
        match needs.iter().all(|need| consents(*need)) {
            // Storage alone is no answer about comfort.
            true if needs.len() > 1 => answers.add(purpose, Answer::Granted),
            true => {}
            false => answers.add(purpose, Answer::Denied),
        }
    }
    answers
}

/// A purpose's name in the maps of TCF.
fn digit(purpose: u8) -> &'static str {
    "012345678".get(usize::from(purpose)..=usize::from(purpose)).unwrap_or_default()
}
