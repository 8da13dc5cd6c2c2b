//! Times and durations as other systems write them.
//!
//! `(value, how it is written)` → an instant, or whole seconds. Nothing is guessed: a text that is written otherwise is no time.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use serde_json::Value;

use super::plain::{int, text};
use crate::zone::Zone;

/// Minutes of an hour, and seconds of a minute.
const SIXTY: i64 = 60;
/// RFC 2822. Some senders write the wrong weekday, and the date decides.
const MAIL: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new().relaxed_weekday(true);

/// How a time that is read is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clock {
    /// RFC 3339 text with its offset.
    Iso,
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// RFC 2822 text, as e-mail has it.
    Mail,
    /// What a clock of a zone shows.
    Local(Pattern, Zone),
}

/// The form of a local time: `%Y-%m-%d %H:%M`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Piece>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    /// `%Y`, `%m`, `%d`, `%H`, `%I`, `%M`, `%S`: a number of digits.
    Number(char),
    /// `%p`: AM or PM.
    Half,
    /// A letter that stands there.
    Letter(char),
}

impl Clock {
    /// The instant.
    pub(super) fn read(&self, value: &Value) -> Option<Timestamp> {
        match self {
            Clock::Iso => value.as_str()?.trim().parse().ok(),
            // Some systems write fractions of a second.
            Clock::Seconds => Timestamp::from_second(int(&whole(value)?)?).ok(),
            Clock::Milliseconds => Timestamp::from_millisecond(int(value)?).ok(),
            Clock::Mail => MAIL.parse_timestamp(value.as_str()?.trim()).ok(),
            Clock::Local(pattern, zone) => zone.instant(pattern.read(&text(value)?)?),
        }
    }
}

/// The seconds without their fraction.
fn whole(value: &Value) -> Option<Value> {
    let text = text(value)?;
    let (whole, fraction) = crate::text::cut(&text, b'.');
    let is_fraction = fraction.is_none_or(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
    is_fraction.then(|| Value::from(whole))
}

impl Pattern {
    /// Reads a form; `None` where it has another `%` than those above, or leaves out year, month or day.
    pub fn parse(form: &str) -> Option<Pattern> {
        let (mut pieces, mut letters) = (Vec::new(), form.chars());
        while let Some(letter) = letters.next() {
            pieces.push(match letter {
                '%' => match letters.next()? {
                    number @ ('Y' | 'm' | 'd' | 'H' | 'I' | 'M' | 'S') => Piece::Number(number),
                    'p' => Piece::Half,
                    _ => return None,
                },
                letter => Piece::Letter(letter),
            });
        }
        let has = |letter| pieces.contains(&Piece::Number(letter));
        (has('Y') && has('m') && has('d')).then_some(Pattern(pieces))
    }

    fn read(&self, text: &str) -> Option<DateTime> {
        let (mut year, mut month, mut day) = (0, 0, 0);
        let (mut hour, mut minute, mut second, mut is_late) = (0, 0, 0, None);
        let mut rest = text;
        for piece in &self.0 {
            match piece {
                Piece::Letter(letter) => rest = rest.strip_prefix(*letter)?,
                Piece::Half => {
                    let (half, behind) = rest.split_at_checked(2)?;
                    is_late = Some(match half.to_ascii_lowercase().as_str() {
                        "am" => false,
                        "pm" => true,
                        _ => return None,
                    });
                    rest = behind;
                }
                Piece::Number(name) => {
                    let most = if *name == 'Y' { 4 } else { 2 };
                    let digits = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
                    let (number, behind) = rest.split_at_checked(digits)?;
                    let place = match name {
                        'Y' if digits == most => &mut year,
                        'm' => &mut month,
                        'd' => &mut day,
                        'H' | 'I' => &mut hour,
                        'M' => &mut minute,
                        'S' => &mut second,
                        _ => return None,
                    };
                    *place = number.parse::<i16>().ok()?;
                    rest = behind;
                }
            }
        }
        let hour = match is_late {
            Some(is_late) if (1..=12).contains(&hour) => hour % 12 + if is_late { 12 } else { 0 },
            Some(_) => return None,
            None => hour,
        };
        let small = |number: i16| i8::try_from(number).ok();
        let clock = DateTime::new(
            year,
            small(month)?,
            small(day)?,
            small(hour)?,
            small(minute)?,
            small(second)?,
            0,
        );
        clock.ok().filter(|_| rest.is_empty())
    }
}

/// Whole seconds: a number of them, or `mm:ss` and `hh:mm:ss`.
pub(super) fn seconds(value: &Value) -> Option<i64> {
    if let Some(seconds) = whole(value).and_then(|value| int(&value)) {
        return (seconds >= 0).then_some(seconds);
    }
    let text = value.as_str()?.trim();
    if !(1..=2).contains(&text.matches(':').count()) {
        return None;
    }
    let mut total: i64 = 0;
    for (at, part) in text.split(':').enumerate() {
        let is_number = (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        let number = part.parse::<i64>().ok().filter(|_| is_number)?;
        if at > 0 && number >= SIXTY {
            return None;
        }
        total = total * SIXTY + number;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(clock: &Clock, value: Value, expected: Option<&str>) {
        let read = clock.read(&value).map(|at| at.to_string());
        assert_eq!(read.as_deref(), expected, "{clock:?} {value}");
    }

    fn local(form: &str) -> Clock {
        Clock::Local(Pattern::parse(form).unwrap(), Zone::of("Europe/Madrid").unwrap())
    }

    #[test]
    fn a_time_is_read_in_the_unit_of_the_rule() {
        let noon = Some("2026-11-24T12:00:00Z");
        check(&Clock::Seconds, json!(1_795_521_600), noon);
        check(&Clock::Seconds, json!("1795521600.25"), noon);
        check(&Clock::Milliseconds, json!("1795521600000"), noon);
        check(&Clock::Iso, json!("2026-11-24T13:00:00+01:00"), noon);
        check(&Clock::Iso, json!("2026-11-24"), None);
        check(&Clock::Seconds, json!(i64::MAX), None);
        check(&Clock::Mail, json!("Tue, 24 Nov 2026 12:00:00 +0000"), noon);
        check(&Clock::Mail, json!("Mon, 24 Nov 2026 13:00:00 +0100"), noon);
        check(&Clock::Mail, json!("2026-11-24T12:00:00Z"), None);
    }

    #[test]
    fn a_local_time_is_read_in_its_form_and_zone_and_in_no_other() {
        let noon = Some("2026-11-24T12:00:00Z");
        check(&local("%d/%m/%Y %H:%M"), json!("24/11/2026 13:00"), noon);
        check(&local("%Y-%m-%d %H:%M:%S"), json!(" 2026-11-24 13:00:00 "), noon);
        check(&local("%m/%d/%Y %I:%M:%S %p"), json!("11/24/2026 1:00:00 PM"), noon);
        check(&local("%Y-%m-%d"), json!("2026-11-24"), Some("2026-11-23T23:00:00Z"));
        check(&local("%Y-%m-%d %I %p"), json!("2026-11-24 12 am"), Some("2026-11-23T23:00:00Z"));
        for text in ["24/11/26 13:00", "24/11/2026 13:00:00", "31/02/2026 13:00", "24/11/2026", ""]
        {
            check(&local("%d/%m/%Y %H:%M"), json!(text), None);
        }
        check(&local("%Y-%m-%d %I %p"), json!("2026-11-24 13 pm"), None);
        for form in ["%d/%m %H:%M", "%Y-%m-%d %q", "%Y-%m-%d %"] {
            assert_eq!(Pattern::parse(form), None, "{form}");
        }
    }

    #[test]
    fn a_duration_is_whole_seconds() {
        for (value, expected) in [
            (json!(42), Some(42)),
            (json!("42.9"), Some(42)),
            (json!("00:01:05"), Some(65)),
            (json!("1:05"), Some(65)),
            (json!("100:00:00"), Some(360_000)),
            (json!("1:65"), None),
            (json!("1:2:3:4"), None),
            (json!(-1), None),
            (json!("soon"), None),
            (json!(true), None),
        ] {
            assert_eq!(seconds(&value), expected, "{value}");
        }
    }
}
