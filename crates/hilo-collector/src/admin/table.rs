//! Every admin call with its method, path and purpose, as `GET /admin/v1/` lists them.
//!
//! Path → the call's row and what the path names. The calls are answered elsewhere.

use serde::Serialize;

/// An admin call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AdminCall {
    Calls,
    Find,
    Profile,
    Erase,
    ProfileRows,
    PersonArchive,
    ArchiveFiles,
    ArchiveLines,
    ArchiveOpen,
    Cart,
    Live,
    Rejects,
    ReplayRejects,
    Destinations,
    Connect,
    Feeds,
    FeedEvents,
    ReadFeed,
    Deliveries,
    DeadLetters,
    Replay,
    Inbox,
    ReplayInbox,
    Config,
    Import,
    ImportStanding,
    Deployment,
}

/// What a person needs to know to make a call.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) method: &'static str,
    /// The path; `:key` stands for one part of it.
    pub(super) path: &'static str,
    purpose: &'static str,
    #[serde(skip)]
    pub(super) call: AdminCall,
}

const fn get(path: &'static str, purpose: &'static str, call: AdminCall) -> Row {
    Row { method: "GET", path, purpose, call }
}

const fn post(path: &'static str, purpose: &'static str, call: AdminCall) -> Row {
    Row { method: "POST", path, purpose, call }
}

/// Of two rows that fit a path, the first counts.
pub(super) static ROWS: &[Row] = &[
    get("/admin/v1/", "this list", AdminCall::Calls),
    post(
        "/admin/v1/profiles/find",
        "finds a person by {\"email\":…}, {\"phone\":…, \"country\":…}, {\"orderId\":…} or {\"loyaltyId\":…}: answers labels, and the contacts who wait",
        AdminCall::Find,
    ),
    get(
        "/admin/v1/profiles/:key",
        "a person, with state, orders, revenue, messages and open questions: a:<anonymousId> or u:<userId>, or a contact whom nobody knows yet: c:<hash>; percent-encoded",
        AdminCall::Profile,
    ),
    post(
        "/admin/v1/profiles/:key/erase",
        "erases the person, as its own DELETE /v1/me would: for a wish that came by letter",
        AdminCall::Erase,
    ),
    get(
        "/admin/v1/profiles/:key/archive",
        "where an archive has the person's lines: their subjects, and the hours of their files; ?cursor= of the answer before",
        AdminCall::PersonArchive,
    ),
    get(
        "/admin/v1/profiles/:key/:rows",
        "the person's events with their lenses, receipts, optins or deliveries; ?limit=, ?cursor= of the answer before",
        AdminCall::ProfileRows,
    ),
    get("/admin/v1/carts/:key", "a cart: u:<userId>, or its label", AdminCall::Cart),
    get("/admin/v1/live", "what happens now, as server-sent events", AdminCall::Live),
    get(
        "/admin/v1/rejects",
        "the reject log, newest first: what was refused, and why; ?since=, ?code= (the code's beginning), ?limit=",
        AdminCall::Rejects,
    ),
    post(
        "/admin/v1/rejects/replay",
        "takes up events that the tracking plan refused, once it is mended: {\"source\":…, \"since\":…, \"until\":…, \"code\":…, \"messageIds\":[…]}, each optional",
        AdminCall::ReplayRejects,
    ),
    get(
        "/admin/v1/destinations",
        "the destinations: whether each is connected, since when, the next refresh of its token, the last failure",
        AdminCall::Destinations,
    ),
    post(
        "/admin/v1/destinations/:name/connect",
        "connects it with an account: answers the address that a person opens; {\"redirectUri\":…} names another way back; {\"code\":…, \"state\":…} hands over what came back",
        AdminCall::Connect,
    ),
    get(
        "/admin/v1/feeds",
        "the services that hilo reads: when each was read last and is read next, its calls of the day, since when it fails",
        AdminCall::Feeds,
    ),
    get(
        "/admin/v1/feeds/:name/events",
        "touchpoints of posts and channels, which are about no person; ?limit=, ?cursor= of the answer before",
        AdminCall::FeedEvents,
    ),
    post("/admin/v1/feeds/:name/read", "reads the service now", AdminCall::ReadFeed),
    get(
        "/admin/v1/deliveries",
        "the health of every destination: what it accepted, what was skipped or given up, its last error",
        AdminCall::Deliveries,
    ),
    get(
        "/admin/v1/dead-letters",
        "deliveries that were given up, with the last request and its answer; ?destination=, ?since=, ?until=, ?code=, ?messageId=, ?limit=",
        AdminCall::DeadLetters,
    ),
    post(
        "/admin/v1/dead-letters/replay",
        "tries them again: {\"destination\":…, \"since\":…, \"until\":…, \"code\":…, \"messageIds\":[…]}, each optional",
        AdminCall::Replay,
    ),
    get(
        "/admin/v1/archive/files",
        "the files of a day in the bound bucket: ?day=, and ?destination= where there are several archives; ?cursor= of the answer before",
        AdminCall::ArchiveFiles,
    ),
    get(
        "/admin/v1/archive/lines",
        "the opened lines of a file: ?file=; a line whose person was erased is \"unreadable\"",
        AdminCall::ArchiveLines,
    ),
    post(
        "/admin/v1/archive/open",
        "opens up to 500 lines that the body has, as the files of another service have them",
        AdminCall::ArchiveOpen,
    ),
    get(
        "/admin/v1/inbox",
        "what webhooks brought: what waits for its work, and what no rule was about or failed; ?source=, ?limit=",
        AdminCall::Inbox,
    ),
    post(
        "/admin/v1/inbox/replay",
        "works on the latter again, after a change of the rules: {\"source\":…, \"since\":…, \"until\":…, \"code\":…}, each optional",
        AdminCall::ReplayInbox,
    ),
    get("/admin/v1/config", "the hilo.toml in force, without secrets", AdminCall::Config),
    post(
        "/admin/v1/import",
        "takes rows of a file, one JSON object a line, 500 at most; ?source=, ?kind=, ?update=1, ?last=1, ?dry_run=1; Import-Id, Import-Seq",
        AdminCall::Import,
    ),
    get(
        "/admin/v1/import/:id",
        "how far an import is, and which rows were refused; ?format=csv",
        AdminCall::ImportStanding,
    ),
    get(
        "/admin/v1/deployment",
        "what runs: version, clock, bindings, and whether the queue moves",
        AdminCall::Deployment,
    ),
];

/// Finds the row of a path below `/admin/`, and the parts of the path that the row gives a name. A slash at the end changes nothing.
pub(super) fn find(path: &str) -> Option<(&'static Row, Vec<&str>)> {
    let parts: Vec<&str> = path.strip_suffix('/').unwrap_or(path).split('/').collect();
    ROWS.iter().find_map(|row| Some((row, named(row, &parts)?)))
}

/// The parts that the row gives a name; `None` where the row is for another path.
fn named<'p>(row: &Row, parts: &[&'p str]) -> Option<Vec<&'p str>> {
    let expected: Vec<&str> =
        row.path.trim_start_matches("/admin/").trim_end_matches('/').split('/').collect();
    let fits = |(expected, part): (&&str, &&str)| expected.starts_with(':') || expected == part;
    if expected.len() != parts.len() || !expected.iter().zip(parts).all(fits) {
        return None;
    }
    let is_named = |(expected, part): (&&str, &&'p str)| expected.starts_with(':').then_some(*part);
    Some(expected.iter().zip(parts).filter_map(is_named).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_own_path_with_and_without_a_slash_at_the_end() {
        for row in ROWS {
            let path = row.path.trim_start_matches("/admin/").replace(":key", "u%3A1");
            let path = path.replace(":rows", "events").replace(":name", "crm");
            for path in
                [path.trim_end_matches('/').to_owned(), format!("{}/", path.trim_end_matches('/'))]
            {
                assert_eq!(find(&path).map(|(found, _)| found.call), Some(row.call), "{path}");
            }
        }
        let names = |path| find(path).map(|(_, names)| names);
        assert_eq!(names("v1/profiles/u%3A1/events"), Some(vec!["u%3A1", "events"]));
        for path in ["", "v1/nothing", "v2", "v1/profiles", "v1/profiles/a/events/more", "v1//"] {
            assert_eq!(names(path), None, "{path}");
        }
    }
}
