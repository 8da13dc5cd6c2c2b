//! Reads a sender's time, in the forms that languages print.
//! In: a JSON value. Out: a time, or none. Guesses no time zone: a time without one is UTC.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use serde_json::Value;

/// Numbers below are seconds, and numbers from here on are milliseconds: 10¹¹ seconds are the year 5138, 10¹¹ milliseconds
/// are 1973.
const MILLISECONDS_FROM: f64 = 1e11;

/// The last time that no clock shows: 1970 is a clock that was never set, a missing time, or seconds read as milliseconds.
const UNSET_UNTIL_S: i64 = 366 * 24 * 3_600;

/// Reads a time: RFC 3339 with or without its zone, an HTTP date (RFC 9110, 5.6.7), a date, or a number of seconds or
/// milliseconds since 1970, also as text. `None` for anything else, and for times before 1971.
pub(super) fn read_time(value: &Value) -> Option<Timestamp> {
    let time = match value {
        Value::String(text) => read_text(text.trim()),
        Value::Number(number) => of_number(number.as_f64()?),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    time.filter(|time| time.as_second() >= UNSET_UNTIL_S)
}

fn read_text(text: &str) -> Option<Timestamp> {
    if text.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return http_date(text);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
        && let Ok(number) = serde_json::from_str::<Value>(text)
    {
        return of_number(number.as_f64()?);
    }
    let (local, zone) = zoned(text)?;
    let local: DateTime = local.trim_end().parse().ok()?;
    zone.to_timestamp(local).ok()
}

/// The local time and its zone. Languages print `Z`, `UTC`, `GMT` and offsets of two to four digits, after a blank or not.
fn zoned(text: &str) -> Option<(&str, Offset)> {
    for name in ["Z", "z", "UTC", "GMT"] {
        if let Some(local) = text.strip_suffix(name) {
            return Some((local, Offset::UTC));
        }
    }
    // jiff reads past a zone in brackets, and the time would count as UTC.
    if text.contains('[') {
        return None;
    }
    // A sign within the first ten characters belongs to the date.
    match text.rfind(['+', '-']).filter(|at| *at > "2026-11-24".len()) {
        Some(at) => Some((text.get(..at)?, offset(text.get(at..)?)?)),
        None => Some((text, Offset::UTC)),
    }
}

/// `+01`, `+0100`, `+01:00`.
fn offset(text: &str) -> Option<Offset> {
    let (is_west, digits) = (text.starts_with('-'), text.get(1..)?);
    let (hours, minutes) = (digits.get(..2)?, digits.get(2..)?.trim_start_matches(':'));
    let minutes = if minutes.is_empty() { 0 } else { number(minutes).filter(|min| *min < 60)? };
    let seconds = (number(hours)? * 60 + minutes) * 60;
    Offset::from_seconds(if is_west { -seconds } else { seconds }).ok()
}

/// The three forms of RFC 9110: `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` and
/// `Sun Nov  6 08:49:37 1994`.
fn http_date(text: &str) -> Option<Timestamp> {
    let mut parts = text.split([' ', ',', '-']).filter(|part| !part.is_empty()).skip(1);
    let (first, second, third, fourth) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_asctime = first.starts_with(|first: char| first.is_ascii_alphabetic());
    let (day, month, year, time) =
        if is_asctime { (second, first, fourth, third) } else { (first, second, third, fourth) };
    let zone = parts.next();
    let is_utc = matches!(zone, Some("GMT" | "UTC" | "UT" | "Z" | "+0000"))
        || (is_asctime && zone.is_none());
    if !is_utc || parts.next().is_some() {
        return None;
    }
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))? + 1;
    let year = match (number(year)?, year.len()) {
        (year, 2) if year < 70 => 2_000 + year,
        (year, 2) => 1_900 + year,
        (year, _) => year,
    };
    let date = Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(number(day)?).ok()?,
    );
    let time: Time = time.parse().ok()?;
    Offset::UTC.to_timestamp(date.ok()?.to_datetime(time)).ok()
}

/// A part of a date, with leading zeros or not.
fn number(text: &str) -> Option<i32> {
    let is_number = text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// Fractions of a millisecond are dropped: clocks such as `performance.timeOrigin` count in them.
fn of_number(number: f64) -> Option<Timestamp> {
    let ms = if number.abs() < MILLISECONDS_FROM { number * 1_000.0 } else { number };
    /// Whole numbers up to here are exact in an f64 (ECMA-262, `Number.MAX_SAFE_INTEGER`).
    const SAFE_MAX: f64 = 9_007_199_254_740_991.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "inside ±2^53, and the fraction is dropped on purpose"
    )]
    let ms = (ms.abs() <= SAFE_MAX).then_some(ms as i64)?;
    Timestamp::from_millisecond(ms).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check_time(value: Value, expected: Option<&str>) {
        assert_eq!(read_time(&value).map(|at| at.to_string()).as_deref(), expected, "{value}");
    }

    #[test]
    fn times_are_read_as_languages_print_them() {
        for same in [
            json!("2026-11-24T10:00:00Z"),
            json!("2026-11-24t10:00:00z"),
            json!("2026-11-24T10:00:00"),
            json!("2026-11-24 10:00:00"),
            json!("2026-11-24T10:00"),
            json!("2026-11-24T10:00:00+00:00"),
            json!("2026-11-24T10:00:00+0000"),
            json!("2026-11-24T10:00:00+00"),
            json!("2026-11-24T11:00:00+01:00"),
            json!("2026-11-24T04:30:00-0530"),
            json!("2026-11-24 10:00:00 +0000"),
            json!("2026-11-24 10:00:00 UTC"),
            json!("2026-11-24T10:00:00.000000000Z"),
            json!(1_795_514_400),
            json!("1795514400"),
            json!(1_795_514_400_000_i64),
            json!(" 1795514400000 "),
            json!("1795514400.0"),
            json!(1_795_514_400_000.75),
            json!("Tue, 24 Nov 2026 10:00:00 GMT"),
            json!("Tuesday, 24-Nov-26 10:00:00 GMT"),
            json!("Tue Nov 24 10:00:00 2026"),
            json!("Tue, 24 Nov 2026 10:00:00 +0000"),
        ] {
            check_time(same, Some("2026-11-24T10:00:00Z"));
        }
        check_time(json!("2026-11-24"), Some("2026-11-24T00:00:00Z"));
        check_time(
            json!("2026-11-24T10:00:00.1234567+01:00"),
            Some("2026-11-24T09:00:00.1234567Z"),
        );
        check_time(json!("2026-11-24T10:00:00.123456789"), Some("2026-11-24T10:00:00.123456789Z"));
        check_time(json!("Tue Nov  3 10:00:00 2026"), Some("2026-11-03T10:00:00Z"));
        check_time(json!("Sun, 06 Nov 1994 08:49:37 GMT"), Some("1994-11-06T08:49:37Z"));
        check_time(json!(1_795_514_400.5), Some("2026-11-24T10:00:00.5Z"));
    }

    #[test]
    fn a_value_that_is_no_time_is_not_read_and_never_becomes_1970() {
        for nonsense in [
            json!("NaN"),
            json!(""),
            json!("yesterday"),
            json!("Tue, 24 Nov 2026"),
            json!("Tue, 24 Foo 2026 10:00:00 GMT"),
            json!("Tue, 24 Nov 2026 10:00:00 CET"),
            json!("2026-13-24"),
            json!("2026-11-24T10:00:00+99:00"),
            json!("2026-11-24T25:00:00Z"),
            json!("2026-11-24T10:00:00 Europe/Madrid"),
            json!("2026-11-24T10:00:00[Europe/Madrid]"),
            json!("2026-11-24T10:00:00+1"),
            json!("24/11/2026"),
            json!("20261124"),
            json!(0),
            json!(-1),
            json!(20_261_124),
            json!("1970-01-01T00:00:00Z"),
            json!("0001-01-01T00:00:00Z"),
            json!(1e300),
            json!(u64::MAX),
            json!([]),
            json!(true),
            Value::Null,
        ] {
            check_time(nonsense, None);
        }
    }
}
