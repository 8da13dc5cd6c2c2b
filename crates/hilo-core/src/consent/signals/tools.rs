//! Tools that name categories: Cookiebot, OneTrust, Usercentrics, Didomi, CookieYes, Complianz, iubenda, CookieFirst, Shopify and the
//! WP Consent API.
//!
//! In: whether the visitor chose, and each category with its state, as the tool writes them. Out: an answer for each purpose. A
//! category that nobody maps grants nothing and is named to the developer.

use alloc::string::String;

use super::consent_mode::push_word;
use super::{Answer, Answers, Told};
use crate::consent::Purpose;
use crate::plain::Plain;
use crate::text::{cut, lists, parts};

/// Bytes of the names that the developer is told.
const UNKNOWN_BYTES_MAX: usize = 1_000;

/// The purposes of the categories that the tools come with. `essential` is always on and says nothing. Didomi's names are those of
/// TCF's purposes; the numbers are iubenda's.
const CATEGORIES: &str = "c0001=essential c0002=analytics c0003=functional c0004=advertising c0005=advertising \
necessary=essential essential=essential functional=functional preferences=functional statistics=analytics analytics=analytics \
performance=analytics marketing=advertising advertising=advertising advertisement=advertising sale_of_data=sale_share \
personalization=personalization sale_share=sale_share measure_content_performance=analytics \
select_basic_ads=advertising create_ads_profile=advertising select_personalized_ads=advertising \
create_content_profile=personalization select_personalized_content=personalization \
1=essential 2=functional 3=functional 4=analytics 5=advertising";

/// Reads what a tool tells: `made`, and `categories` as pairs of a name and a state. With `optOut` the tool asks for objections only.
pub(super) fn read(told: &Plain, own: &str, unknown: &mut String) -> Told {
    // Where the tool asks nobody, it says nothing. That is no grant.
    if told.get("applies") == Some(&Plain::Flag(false)) {
        return Some((Answers::default(), String::new()));
    }
    if !is_made(told.get("made")?) {
        return None;
    }
    let is_opt_out = told.get("optOut") == Some(&Plain::Flag(true));
    let (mut answers, mut raw) = (Answers::default(), String::new());
    for pair in told.list("categories") {
        let Plain::List(pair) = pair else { continue };
        let [name, state] = pair.as_slice() else { continue };
        let Some(name) = name.text() else { continue };
        let mut answer = answer(state);
        if answer == Answer::Granted && is_opt_out {
            // What holds until somebody objects is no grant.
            answer = Answer::Silent;
        }
        if answer == Answer::Granted {
            push_word(&mut raw, name);
        }
        match purposes(name, own) {
            Some(purposes) => {
                for purpose in parts(purposes, b' ').filter_map(Purpose::from_name) {
                    answers.add(purpose, answer);
                }
            }
            None if unknown.len() > UNKNOWN_BYTES_MAX || lists(unknown, name) => {}
            None => push_word(unknown, name),
        }
    }
    Some((answers, raw))
}

/// Whether the visitor chose: each tool has its own word for it.
fn is_made(made: &Plain) -> bool {
    match made {
        Plain::Flag(is_made) => *is_made,
        Plain::Text(word) => matches!(word.as_str(), "EXPLICIT" | "explicit" | "dismissed" | "yes"),
        Plain::Null | Plain::Number(_) | Plain::List(_) | Plain::Map(_) => false,
    }
}

/// The state of a category. `SOME_ACCEPTED` is not all, so it is no.
fn answer(state: &Plain) -> Answer {
    match state {
        Plain::Flag(true) => Answer::Granted,
        Plain::Text(word) => match word.as_str() {
            "yes" | "allow" | "ALL_ACCEPTED" => Answer::Granted,
            // The visitor has not been asked about this one.
            "" => Answer::Pending,
            _ => Answer::Denied,
        },
        Plain::Null => Answer::Pending,
        Plain::Flag(false) | Plain::Number(_) | Plain::List(_) | Plain::Map(_) => Answer::Denied,
    }
}

/// The purposes of a category: the site's own, else those of the table.
fn purposes<'t>(name: &str, own: &'t str) -> Option<&'t str> {
    find(own, [b'\n', b'\t'], name).or_else(|| find(CATEGORIES, [b' ', b'='], name))
}

/// What stands behind `name` in a table whose rows and cells end with these marks.
#[inline(never)]
fn find<'t>(table: &'t str, [row, cell]: [u8; 2], name: &str) -> Option<&'t str> {
    let mut rows = parts(table, row).map(|row| cut(row, cell));
    rows.find(|(known, _)| known.eq_ignore_ascii_case(name)).and_then(|(_, found)| found)
}
