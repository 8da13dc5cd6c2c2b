//! What a file's rows would become: the first events, the counts, and the refused rows. Nothing is sent.

use std::fs::File;
use std::time::{SystemTime, UNIX_EPOCH};

use hilo_core::import::groups::Read;
use hilo_core::import::{Fault, Imported, Terms, read};
use hilo_core::inbound::Told;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::bytes::Seen;
use crate::emit::each;
use crate::flags::Flags;
use crate::problem::Problem;
use crate::refused::{self, Lines};
use crate::survey::Survey;

/// The events that are shown.
const EVENTS_SHOWN: usize = 5;
/// The refused rows that are shown.
const REFUSED_SHOWN: usize = 10;

/// What was read so far.
#[derive(Default)]
struct Tally {
    shown: Vec<[String; 4]>,
    good: u64,
    refused: u64,
    lines: Lines,
}

/// Shows the file. Whether no row is refused.
pub(crate) fn run(flags: &Flags, seen: &Seen, survey: Survey) -> Result<bool, Problem> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = Timestamp::from_second(i64::try_from(now).unwrap_or_default()).unwrap_or_default();
    let terms = Terms { kind: flags.kind, source: &flags.source, now, oldest: None };
    let (rows, mut told) = (survey.rows, Tally::default());
    each(flags, seen, survey, &mut |one| {
        told.take(one, &terms);
        true
    })?;
    table(&told.shown);
    eprintln!(
        "\n{rows} rows: {} events to import, {} rows refused. Nothing was sent.",
        told.good, told.refused
    );
    if told.refused == 0 {
        return Ok(true);
    }
    for (line, (code, message)) in told.lines.iter().take(REFUSED_SHOWN) {
        eprintln!("  line {line}: {code}: {message}");
    }
    let mut path = flags.file.clone().into_os_string();
    path.push(".refused.csv");
    refused::copy_to(File::create(&path)?, flags, seen, &told.lines)?;
    eprintln!("The refused rows with their reasons: {}", path.display());
    Ok(false)
}

impl Tally {
    fn take(&mut self, one: Read, terms: &Terms<'_>) {
        match one {
            Read::Refused(line, fault) => self.refuse([line].into_iter(), &fault),
            Read::Row(row) => match read(&row, terms) {
                Ok(imported) => {
                    self.good += 1;
                    if self.shown.len() < EVENTS_SHOWN {
                        self.shown.push(cells(&imported));
                    }
                }
                Err(fault) => {
                    let also = row.get("also").and_then(Value::as_array).into_iter().flatten();
                    let lines = row.get("line").into_iter().chain(also).filter_map(Value::as_u64);
                    self.refuse(lines, &fault);
                }
            },
        }
    }

    fn refuse(&mut self, lines: impl Iterator<Item = u64>, fault: &Fault) {
        let column = fault.column.as_deref().unwrap_or_default();
        for line in lines {
            self.refused += 1;
            refused::add(&mut self.lines, line, fault.code.name(), column, &fault.message);
        }
    }
}

/// Time, person, event and details of a row's first report.
fn cells(imported: &Imported) -> [String; 4] {
    let Some(report) = imported.reports.first() else { return Default::default() };
    let who = &report.who;
    let names = [&who.user_id, &who.email, &who.phone, &who.loyalty_id, &who.order_id];
    let who = names.into_iter().flatten().next().cloned().unwrap_or_default();
    let (event, details) = match &report.told {
        Told::Act { event, properties } => (event.clone(), properties.clone()),
        Told::Traits(traits) => ("facts".to_owned(), traits.clone()),
        Told::OptIn { channel, is_subscribed, text } => {
            let mut details = Map::new();
            details.insert("channel".to_owned(), json!(channel));
            details.insert("text".to_owned(), json!(text));
            (if *is_subscribed { "opt-in" } else { "opt-out" }.to_owned(), details)
        }
    };
    let at = report.occurred_at.map(|at| at.to_string()).unwrap_or_default();
    [at, who, event, Value::Object(details).to_string()]
}

fn table(rows: &[[String; 4]]) {
    /// Letters of the details that are shown.
    const DETAILS_MAX: usize = 160;
    let width =
        |at: usize| rows.iter().filter_map(|row| row.get(at)).map(String::len).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    for [at, who, event, details] in rows {
        let details: String = details.chars().take(DETAILS_MAX).collect();
        let [first, second, third] = widths;
        eprintln!("{at:first$}  {who:second$}  {event:third$}  {details}");
    }
}
