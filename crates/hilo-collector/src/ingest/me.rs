//! The answers of `/v1/me`: what is kept in short, pages of all of it as files, and how an erasure goes.
//!
//! What the objects answer → JSON. The pipeline finds out whose it is.

use std::collections::BTreeMap;

use hilo_core::outcome::{Code, Rejection};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use super::reply;
use crate::calls::cart::CartSummary;
use crate::calls::erasure::{ErasureStanding, ErasureStatus};
use crate::calls::{OwnPart, Page, Summary};
use crate::platform::Reply;

/// The parts of a copy, in their order, each with its name in cursors and answers.
const PARTS: [(OwnPart, &str); 5] = [
    (OwnPart::Profile, "profile"),
    (OwnPart::OptIns, "optins"),
    (OwnPart::Receipts, "receipts"),
    (OwnPart::Events, "events"),
    (OwnPart::Deliveries, "deliveries"),
];

/// What is kept about a person.
#[derive(Debug)]
pub struct Shown {
    /// `user` or `device`.
    pub about: &'static str,
    /// The profile.
    pub summary: Summary,
    /// The carts.
    pub carts: Vec<CartSummary>,
    /// What an erasure reaches at the destinations.
    pub destinations: Destinations,
}

/// The destinations of the deployment, by whether an erasure reaches them.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Destinations {
    /// The names of those that delete a person.
    pub delete: Vec<String>,
    /// The names of those that cannot: somebody has to ask their services by hand.
    pub cannot_delete: Vec<String>,
}

/// Answers what is kept, in short.
pub fn short(kept: &Shown) -> Reply {
    #[derive(Serialize)]
    struct Short<'a> {
        about: &'a str,
        known: bool,
        events: u32,
        consent: &'a BTreeMap<String, String>,
        optins: &'a BTreeMap<String, String>,
        carts: Vec<Cart>,
        destinations: &'a Destinations,
        #[serde(skip_serializing_if = "Option::is_none")]
        erasure: &'a Option<ErasureStanding>,
    }
    #[derive(Serialize)]
    struct Cart {
        lines: usize,
    }
    let Shown { about, summary, carts, destinations } = kept;
    let Summary { known, events, consent, optins, erasure, .. } = summary;
    let carts = carts.iter().map(|cart| Cart { lines: cart.lines.len() }).collect();
    let (known, events) = (*known, *events);
    reply::json(200, &Short { about, known, events, consent, optins, carts, destinations, erasure })
}

/// Answers the first page of all that is kept.
pub fn first_page(kept: &Shown, now: Timestamp) -> Reply {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct First<'a> {
        about: &'a str,
        exported_at: String,
        profile: &'a Summary,
        carts: &'a [CartSummary],
        next: Option<&'a str>,
    }
    let Shown { about, summary: profile, carts, .. } = kept;
    let (exported_at, next) = (now.to_string(), after(OwnPart::Profile));
    as_file(OwnPart::Profile, reply::json(200, &First { about, exported_at, profile, carts, next }))
}

/// Answers a page of one part.
pub fn page(part: OwnPart, page: &Page) -> Reply {
    let next = match &page.next {
        Some(cursor) => Some(format!("{}:{cursor}", name(part))),
        None => after(part).map(str::to_owned),
    };
    let mut answer: BTreeMap<&str, Rows<'_>> = BTreeMap::new();
    answer.insert(name(part), Rows::Rows(&page.rows));
    answer.insert("next", Rows::Next(next));
    as_file(part, reply::json(200, &answer))
}

#[derive(Serialize)]
#[serde(untagged)]
enum Rows<'a> {
    Rows(&'a [Box<RawValue>]),
    Next(Option<String>),
}

/// Lets a browser store the answer as a file.
fn as_file(part: OwnPart, mut answer: Reply) -> Reply {
    let disposition = format!("attachment; filename=\"my-data-{}.json\"", name(part));
    answer.headers.push("content-disposition", disposition);
    answer
}

/// Reads the cursor of a copy: the part, and the cursor inside it.
///
/// # Errors
/// `wrong_type` for a cursor that no page has answered.
pub fn read_cursor(cursor: Option<&str>) -> Result<(OwnPart, Option<String>), Rejection> {
    let Some(cursor) = cursor else { return Ok((OwnPart::Profile, None)) };
    let (part, inner) = match cursor.split_once(':') {
        Some((part, inner)) => (part, Some(inner.to_owned())),
        None => (cursor, None),
    };
    let part = PARTS.iter().find(|(_, name)| *name == part).map(|(part, _)| *part);
    let unknown = || Rejection::at(Code::WrongType, "cursor", "the `next` of the page before");
    part.map(|part| (part, inner)).ok_or_else(unknown)
}

fn name(part: OwnPart) -> &'static str {
    PARTS.iter().find(|(one, _)| *one == part).map_or("", |(_, name)| *name)
}

/// The name of the part behind `part`.
fn after(part: OwnPart) -> Option<&'static str> {
    PARTS.iter().skip_while(|(one, _)| *one != part).nth(1).map(|(_, name)| *name)
}

/// Answers that an erasure has begun: of whom, at which destinations, and where to ask how far it is. `is_user_kept` says that a
/// user's profile stays.
pub fn erasing(
    erases: &[&str],
    destinations: &Destinations,
    reference: &str,
    is_user_kept: bool,
) -> Reply {
    #[derive(Serialize)]
    struct Erasing<'a> {
        status: ErasureStatus,
        erases: &'a [&'a str],
        destinations: &'a Destinations,
        poll: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        notice: Option<Rejection>,
    }
    let message = "this device belongs to a signed-in person, whose profile stays: send the same call with the person's token, whose scope names `erase`";
    let notice = is_user_kept.then(|| Rejection::new(Code::UserKept, message));
    let poll = format!("/v1/me/erasure/{reference}");
    let status = ErasureStatus::Erasing;
    reply::json(202, &Erasing { status, erases, destinations, poll, notice })
}

/// Answers how far an erasure is.
pub fn standing(standing: &ErasureStanding) -> Reply {
    reply::json(200, standing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Body;

    #[test]
    fn an_erasure_of_a_linked_device_says_that_the_user_stays() {
        for (is_user_kept, code) in [(true, Some("user_kept")), (false, None)] {
            let destinations = Destinations::default();
            let reply = erasing(&["device"], &destinations, "ref", is_user_kept);
            let Body::Text(text) = reply.body else { panic!() };
            let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!((reply.status, &answer["poll"]), (202, &"/v1/me/erasure/ref".into()));
            assert_eq!(answer["notice"]["code"].as_str(), code);
        }
    }

    #[test]
    fn the_pages_of_a_copy_lead_from_part_to_part() {
        assert_eq!(read_cursor(None).unwrap(), (OwnPart::Profile, None));
        assert_eq!(read_cursor(Some("events")).unwrap(), (OwnPart::Events, None));
        let inside = (OwnPart::Events, Some("12.3".to_owned()));
        assert_eq!(read_cursor(Some("events:12.3")).unwrap(), inside);
        assert_eq!(read_cursor(Some("secrets")).unwrap_err().code, Code::WrongType);
        let rows = || vec![RawValue::from_string("{\"a\":1}".to_owned()).unwrap()];
        for (part, next, expected) in [
            (OwnPart::OptIns, None, r#"{"next":"receipts","optins":[{"a":1}]}"#),
            (OwnPart::Events, Some("7.1"), r#"{"events":[{"a":1}],"next":"events:7.1"}"#),
            (OwnPart::Deliveries, None, r#"{"deliveries":[{"a":1}],"next":null}"#),
        ] {
            let reply = page(part, &Page { rows: rows(), next: next.map(str::to_owned) });
            assert_eq!(reply.body, Body::Text(expected.to_owned()));
            assert!(reply.headers.get("content-disposition").unwrap().starts_with("attachment"));
        }
    }
}
