//! Which golden cases every kind of destination has. In: the cases of each kind. Out: a failure for each that is missing without a
//! reason, and for each reason that is not true any more.

use std::fs;
use std::path::Path;

use hilo_collector::forward::destination::Kind;
use hilo_collector::forward::destinations::CATALOGUE;
use hilo_core::event::EVENT_BYTES_MAX;
use serde_json::Value;

/// The largest limit whose batch is stated in a file. Larger ones are cut by the same code (`forward/batch.rs`).
const STATED_EVENTS_MAX: usize = 250;

/// A golden case as its files have it.
struct Golden {
    input: Value,
    output: Value,
}

impl Golden {
    /// Whether a message of the case has one of these types or names.
    fn tells(&self, names: &[&str]) -> bool {
        if self.input.get("delete").is_some() {
            return false;
        }
        let several = self.input.get("messages").and_then(Value::as_array);
        let one = || self.input.get("message").into_iter().collect();
        let messages: Vec<&Value> = several.map_or_else(one, |all| all.iter().collect());
        let name = |message: &Value| {
            let kind = message.get("type").and_then(Value::as_str).unwrap_or("page");
            let name = if kind == "track" { message.get("event")?.as_str()? } else { kind };
            Some(names.contains(&name))
        };
        match messages.is_empty() {
            // The case changes nothing of the ordinary message.
            true => names.contains(&"page"),
            false => messages.into_iter().any(|message| name(message) == Some(true)),
        }
    }

    /// Whether the event is not sent for a reason with this beginning.
    fn is_kept_for(&self, code: &str, word: &str) -> bool {
        let why = self.output.get("why").and_then(Value::as_str).unwrap_or_default();
        why.starts_with(code) && why.contains(word)
    }

    fn is_left_out(&self, code: &str) -> bool {
        let left_out = self.output.get("leftOut").map(Value::to_string).unwrap_or_default();
        left_out.contains(code)
    }

    /// Whether the events of the case are one more than this.
    fn is_one_more_than(&self, limit: usize) -> bool {
        let repeat = self.input.get("repeat").and_then(Value::as_u64);
        let requests = self.output.get("requests").and_then(Value::as_array).map_or(0, Vec::len);
        repeat == u64::try_from(limit + 1).ok() && requests > 1
    }
}

/// What every kind must show.
type Shows = fn(&Golden, &Kind) -> bool;

const CASES: [(&str, Shows); 17] = [
    ("identify", |case, _| case.tells(&["identify"])),
    ("page", |case, _| case.tells(&["page"])),
    ("add to cart", |case, _| case.tells(&["Product Added"])),
    ("cart abandoned", |case, _| case.tells(&["Cart Abandoned"])),
    ("order", |case, _| case.tells(&["Order Completed"])),
    ("refund", |case, _| case.tells(&["Order Refunded"])),
    ("lead form", |case, _| case.tells(&["Lead Submitted"])),
    ("opt-in", |case, _| case.tells(&["Opt-In Confirmed"])),
    ("opt-out", |case, _| case.tells(&["Opt-In Withdrawn", "Unsubscribed"])),
    ("erasure", |case, _| case.input.get("delete").is_some()),
    ("not for us", |case, _| {
        ["kind: ", "filter: ", "integrations: "].iter().any(|code| case.is_kept_for(code, ""))
    }),
    ("consent denied", |case, _| case.is_kept_for("consent: ", " is denied")),
    ("consent unset", |case, _| case.is_kept_for("consent: ", " is unset")),
    ("missing identifier", |case, _| case.is_left_out("missing_identifier: ")),
    ("too old", |case, _| case.is_kept_for("too_old: ", "") || case.is_left_out("too_old: ")),
    ("oversize", |case, _| case.is_left_out("too_large: ")),
    ("batch at the limit and one more", |case, kind| case.is_one_more_than(kind.limits.events)),
];

/// Why kinds have no case.
const NONE: [(&str, &[&str], &str); 5] = [
    (
        "missing identifier",
        &["archive", "bigquery", "clickhouse", "kafka", "webhook"],
        "it takes events of nobody, too",
    ),
    ("missing identifier", &["buffer", "hootsuite"], "a post is about no person"),
    (
        "missing identifier",
        &["braze"],
        "it knows people by any id, and no event without one passes validation",
    ),
    (
        "oversize",
        &[
            "archive",
            "bigquery",
            "clickhouse",
            "google_ads",
            "hubspot",
            "kafka",
            "marketo",
            "meta",
            "posthog",
            "salesforce",
            "tiktok",
            "webhook",
            "zoho",
        ],
        "it has no limit for one event, or texts are cut at the field's length",
    ),
    (
        "oversize",
        &["braze", "ga4"],
        "its limit is above what an event of hilo can have; a rule of the deployer could only add fields of events",
    ),
];

/// Why no case of this name is wanted of the kind, if none is.
fn why_none(name: &str, kind: &Kind) -> Option<&'static str> {
    match name {
        "too old" if kind.limits.age_s_max.is_none() => Some("the service names no age"),
        "batch at the limit and one more" if kind.limits.events > STATED_EVENTS_MAX => {
            Some("its limit is too large for a file")
        }
        _ => {
            let of_kind = |(case, kinds, _): &&(&str, &[&str], &str)| {
                *case == name && kinds.contains(&kind.name)
            };
            NONE.iter().find(of_kind).map(|(.., why)| *why)
        }
    }
}

fn golden(kind: &str) -> Vec<Golden> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/forward").join(kind);
    let read = |path: &Path| {
        let text = fs::read_to_string(path).ok()?;
        serde_json::from_str::<Value>(&text).ok()
    };
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let case = |path: &Path| {
        let name = path.file_name()?.to_str()?.strip_suffix(".in.json")?;
        let output = read(&path.with_file_name(format!("{name}.out.json")))?;
        Some(Golden { input: read(path)?, output })
    };
    files.filter_map(|path| case(&path)).collect()
}

#[test]
fn every_kind_has_every_listed_case_or_a_reason() {
    let mut failures = Vec::new();
    for kind in CATALOGUE {
        let golden = golden(kind.name);
        for (name, shows) in CASES {
            let is_there = golden.iter().any(|case| shows(case, kind));
            match (is_there, why_none(name, kind)) {
                (true, None) | (false, Some(_)) => {}
                (true, Some(why)) => {
                    failures.push(format!("{}: {name}: there is a case, though {why}", kind.name));
                }
                (false, None) => {
                    failures.push(format!("{}: {name}: no case shows it", kind.name));
                }
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn a_kind_without_a_limit_for_one_event_takes_the_largest_there_is() {
    for kind in CATALOGUE.iter().filter(|kind| why_none("oversize", kind).is_some()) {
        let takes_it = kind.limits.events == 1 || kind.limits.bytes > 2 * EVENT_BYTES_MAX;
        assert!(takes_it, "{}", kind.name);
    }
}
