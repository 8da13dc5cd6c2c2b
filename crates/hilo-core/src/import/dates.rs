//! Times as people and tills write them → an instant, or the reason why there is none.
//!
//! Whether `04/05/2026` is in April or in May is decided once for the whole file, by a row that has only one reading, and never guessed.
//! Zone and order of the parts arrive as arguments: the core has no database of zones.

use alloc::string::String;
use alloc::vec::Vec;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::fault::{Fault, FaultCode};

/// What stands first in a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// `31/12/2026`.
    DayFirst,
    /// `12/31/2026`.
    MonthFirst,
}

impl DateOrder {
    /// Reads `dd/mm/yyyy`, `m-d-y` and the like: only the order of the letters counts.
    pub fn parse(format: &str) -> Option<DateOrder> {
        let mut letters = String::new();
        // `mm` behind `hh` are minutes.
        let date = format.split(['h', 'H']).next().unwrap_or_default().to_ascii_lowercase();
        for letter in date.chars().filter(|letter| matches!(letter, 'd' | 'm' | 'y')) {
            if !letters.ends_with(letter) {
                letters.push(letter);
            }
        }
        match letters.as_str() {
            "dmy" => Some(DateOrder::DayFirst),
            "mdy" => Some(DateOrder::MonthFirst),
            _ => None,
        }
    }
}

/// What a file's dates show about their order.
#[derive(Clone, Debug, Default)]
pub struct Dates {
    day_first: Option<u64>,
    month_first: Option<u64>,
    unclear: Option<u64>,
}

impl Dates {
    /// Looks at a date in the row of this line.
    pub fn look(&mut self, text: &str, line: u64) {
        let Some((first, second, _)) = parts(text.trim()) else { return };
        let slot = match (first > 12, second > 12) {
            (true, false) => &mut self.day_first,
            (false, true) => &mut self.month_first,
            (false, false) if first != second => &mut self.unclear,
            (false, false) | (true, true) => return,
        };
        slot.get_or_insert(line);
    }

    /// Decides for the whole file. `given` is what the deployer said.
    ///
    /// # Errors
    /// `mixed_dates` where rows contradict each other, `ambiguous_dates` where no row decides.
    pub fn decide(&self, given: Option<DateOrder>) -> Result<Option<DateOrder>, Fault> {
        let remedy = "write the dates as 2026-12-31, or say --date-format dd/mm/yyyy";
        match (given, self.day_first, self.month_first) {
            (Some(order), ..) => Ok(Some(order)),
            (None, Some(one), Some(other)) => Err(Fault::new(
                FaultCode::MixedDates,
                alloc::format!("line {one} has the day first and line {other} the month: {remedy}"),
            )),
            (None, Some(_), None) => Ok(Some(DateOrder::DayFirst)),
            (None, None, Some(_)) => Ok(Some(DateOrder::MonthFirst)),
            (None, None, None) => match self.unclear {
                None => Ok(None),
                Some(line) => Err(Fault::new(
                    FaultCode::AmbiguousDates,
                    alloc::format!(
                        "the date of line {line} can be read with the day or with the month first, and no other row decides: {remedy}"
                    ),
                )),
            },
        }
    }
}

/// A remark on a time that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFlag {
    /// The hour comes twice that day, because clocks were set back. The earlier instant counts.
    AmbiguousHour,
    /// The hour does not exist that day, because clocks were set forward. The instant is moved by as much.
    SkippedHour,
}

impl TimeFlag {
    /// The word in an event's `import_flags`.
    pub const fn name(self) -> &'static str {
        match self {
            TimeFlag::AmbiguousHour => "ambiguous_hour",
            TimeFlag::SkippedHour => "skipped_hour",
        }
    }
}

/// Reads a time: ISO 8601 first, else with the file's order of parts. `clock` is the time of day, where it has a column of its own.
///
/// # Errors
/// `excel_date`, `bad_time`, and `zone_missing` for a time without an offset where no zone is given.
pub fn read(
    text: &str,
    clock: Option<&str>,
    order: Option<DateOrder>,
    zone: Option<&TimeZone>,
) -> Result<(Timestamp, Option<TimeFlag>), FaultCode> {
    let text = text.trim();
    if clock.is_none()
        && let Ok(instant) = text.parse::<Timestamp>()
    {
        return Ok((instant, None));
    }
    if is_serial(text) {
        return Err(FaultCode::ExcelDate);
    }
    let local = local(text, clock, order).ok_or(FaultCode::BadTime)?;
    let zone = zone.ok_or(FaultCode::ZoneMissing)?;
    let found = zone.to_ambiguous_timestamp(local);
    let flag = match found.offset() {
        AmbiguousOffset::Unambiguous { .. } => None,
        AmbiguousOffset::Fold { .. } => Some(TimeFlag::AmbiguousHour),
        AmbiguousOffset::Gap { .. } => Some(TimeFlag::SkippedHour),
    };
    // The earlier instant of an hour that comes twice; forward out of one that does not exist.
    found.compatible().map(|instant| (instant, flag)).map_err(|_| FaultCode::BadTime)
}

/// Whether the text is the number by which a spreadsheet stores a date: the days since 1900, with the time as a fraction.
fn is_serial(text: &str) -> bool {
    let (days, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    days.len() == 5 && is_digits(days) && is_digits(fraction)
}

/// The date and time on the wall.
fn local(text: &str, clock: Option<&str>, order: Option<DateOrder>) -> Option<DateTime> {
    let (date, rest) = match text.find(['T', ' ', ',']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?.trim()),
        None => (text, ""),
    };
    let date = day(date, order)?;
    let time = match clock.map(str::trim).filter(|clock| !clock.is_empty()) {
        // A spreadsheet writes midnight behind a date that has no time.
        Some(clock) if rest.is_empty() || of_day(rest)? == Time::midnight() => of_day(clock)?,
        Some(_) => return None,
        None if rest.is_empty() => Time::midnight(),
        None => of_day(rest)?,
    };
    Some(date.to_datetime(time))
}

fn day(text: &str, order: Option<DateOrder>) -> Option<Date> {
    let Some((first, second, year)) = parts(text) else { return iso(text) };
    let (day, month) = match order {
        Some(DateOrder::DayFirst) => (first, second),
        Some(DateOrder::MonthFirst) => (second, first),
        // Both readings are the same day.
        None if first == second => (first, second),
        None => return None,
    };
    Date::new(year, month, day).ok()
}

/// `2026-12-31`, `2026/12/31` and `20261231`.
fn iso(text: &str) -> Option<Date> {
    let parts: Vec<&str> = text.split(['-', '/', '.']).collect();
    let (year, month, day) = match parts.as_slice() {
        [year, month, day] if year.len() == 4 => (*year, *month, *day),
        [whole] if whole.len() == 8 => (whole.get(..4)?, whole.get(4..6)?, whole.get(6..)?),
        _ => return None,
    };
    Date::new(number(year)?, small(month)?, small(day)?).ok()
}

/// The three numbers of a date with the year last.
fn parts(text: &str) -> Option<(i8, i8, i16)> {
    let date = text.split(['T', ' ', ',']).next()?;
    let parts: Vec<&str> = date.split(['-', '/', '.']).collect();
    let [first, second, year] = parts.as_slice() else { return None };
    let year = match year.len() {
        2 => 2_000 + number(year)?,
        4 => number(year)?,
        _ => return None,
    };
    Some((small(first)?, small(second)?, year))
}

/// `9:05`, `09:05:30`, `09:05:30.5`, `9:05 PM`, `9h05`.
fn of_day(text: &str) -> Option<Time> {
    let lower = text.to_ascii_lowercase().replace(['.', ' '], "");
    let (lower, half) = match (lower.strip_suffix("am"), lower.strip_suffix("pm")) {
        (Some(rest), _) => (rest, Some(0)),
        (_, Some(rest)) => (rest, Some(12)),
        (None, None) => (lower.as_str(), None),
    };
    // Fractions of a second are dropped with their point above only where no point stood.
    let text = if half.is_some() { lower } else { text.trim() };
    let text = text.split(['.', ',']).next()?.trim_end_matches('h');
    let mut parts = text.split([':', 'h']);
    let hour: i8 = small(parts.next()?.trim())?;
    let minute = parts.next().map_or(Some(0), |part| small(part.trim()))?;
    let second = parts.next().map_or(Some(0), |part| small(part.trim()))?;
    if parts.next().is_some() || text.len() < 3 && half.is_none() {
        return None;
    }
    let hour = match half {
        None => hour,
        Some(add) if (1..=12).contains(&hour) => hour % 12 + add,
        Some(_) => return None,
    };
    Time::new(hour, minute, second, 0).ok()
}

fn small(text: &str) -> Option<i8> {
    let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

fn number(text: &str) -> Option<i16> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Madrid's rule since 1996, without a database.
    fn madrid() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    #[track_caller]
    fn check(text: &str, clock: Option<&str>, order: Option<DateOrder>, expected: &str) {
        let found = match read(text, clock, order, Some(&madrid())) {
            Ok((at, None)) => alloc::format!("{at}"),
            Ok((at, Some(flag))) => alloc::format!("{at} {}", flag.name()),
            Err(code) => code.name().into(),
        };
        assert_eq!(found, expected, "{text} {clock:?}");
    }

    #[test]
    fn times_are_read_as_tills_and_people_write_them() {
        let day = Some(DateOrder::DayFirst);
        check("2026-11-20T10:06:40+01:00", None, None, "2026-11-20T09:06:40Z");
        check("2026-11-20T09:06:40Z", None, None, "2026-11-20T09:06:40Z");
        check("2026-11-20 10:06", None, None, "2026-11-20T09:06:00Z");
        check("2026-11-20", None, None, "2026-11-19T23:00:00Z");
        check("20261120", Some("10:06:40"), None, "2026-11-20T09:06:40Z");
        check("20/11/2026 10:06", None, day, "2026-11-20T09:06:00Z");
        check("20-11-26", Some("9:05 PM"), day, "2026-11-20T20:05:00Z");
        check("20.11.2026 0:00:00", Some("21h05"), day, "2026-11-20T20:05:00Z");
        check("11/20/2026 12:30 am", None, Some(DateOrder::MonthFirst), "2026-11-19T23:30:00Z");
        check("05/05/2026 12:00", None, None, "2026-05-05T10:00:00Z");
    }

    #[test]
    fn an_hour_that_comes_twice_is_the_earlier_one_and_one_that_does_not_exist_is_moved() {
        check("2026-10-25 02:30", None, None, "2026-10-25T00:30:00Z ambiguous_hour");
        check("2026-03-29 02:30", None, None, "2026-03-29T01:30:00Z skipped_hour");
        check("2026-10-25T02:30:00+01:00", None, None, "2026-10-25T01:30:00Z");
    }

    #[test]
    fn a_text_that_is_no_time_is_refused_with_its_reason() {
        check("45987", None, None, "excel_date");
        check("45987,42", None, None, "excel_date");
        check("yesterday", None, None, "bad_time");
        check("04/05/2026", None, None, "bad_time");
        check("31/02/2026", None, Some(DateOrder::DayFirst), "bad_time");
        check("2026-11-20 25:00", None, None, "bad_time");
        check("2026-11-20 13:00 pm", None, None, "bad_time");
        check("2026-11-20 10:06", Some("11:00"), None, "bad_time");
        check("2026-11-20 7", None, None, "bad_time");
        assert_eq!(read("2026-11-20 10:06", None, None, None), Err(FaultCode::ZoneMissing));
    }

    #[track_caller]
    fn decides(texts: &[&str], expected: Result<Option<DateOrder>, &str>) {
        let mut dates = Dates::default();
        (1..).zip(texts).for_each(|(line, text)| dates.look(text, line));
        let found = dates.decide(None);
        assert_eq!(found.map_err(|fault| fault.code.name()), expected, "{texts:?}");
    }

    #[test]
    fn the_order_of_a_date_is_decided_for_the_whole_file_and_never_guessed() {
        decides(&["04/05/2026", "20/11/2026"], Ok(Some(DateOrder::DayFirst)));
        decides(&["04/05/2026", "11/20/2026 10:00"], Ok(Some(DateOrder::MonthFirst)));
        decides(&["04/05/2026", "05/04/2026"], Err("ambiguous_dates"));
        decides(&["20/11/2026", "11/20/2026"], Err("mixed_dates"));
        decides(&["2026-11-20", "05/05/2026"], Ok(None));
        let mut dates = Dates::default();
        dates.look("04/05/2026", 2);
        assert_eq!(dates.decide(Some(DateOrder::MonthFirst)), Ok(Some(DateOrder::MonthFirst)));
    }

    #[test]
    fn a_format_says_what_stands_first() {
        assert_eq!(DateOrder::parse("dd/mm/yyyy hh:mm"), Some(DateOrder::DayFirst));
        assert_eq!(DateOrder::parse("MM-DD-YY"), Some(DateOrder::MonthFirst));
        assert_eq!(DateOrder::parse("yyyy-mm-dd"), None);
    }
}
