//! Time zones by their IANA names, for times that other systems write without an offset.
//!
//! `(name)` → [`Zone`]; `(zone, date and time of a clock there)` → the instant; `(zone, instant)` → the local day. Each zone has the rule that is in force now, as POSIX
//! writes it, out of the tz database (release 2025b, the last line of each TZif file, RFC 8536, 3.3). Earlier rules are
//! left out: the whole database would be a fifth of the collector's script, and what is reported is some days old at most.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Each line: a rule, and the zones that have it.
const ZONES: &str = include_str!("zones.txt");

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone called `name`, such as `Europe/Madrid`.
    ///
    /// ```
    /// use hilo_core::zone::Zone;
    /// let madrid = Zone::of("Europe/Madrid").unwrap();
    /// let noon = jiff::civil::date(2026, 11, 24).at(13, 0, 0, 0);
    /// assert_eq!(madrid.instant(noon).unwrap().to_string(), "2026-11-24T12:00:00Z");
    /// assert!(Zone::of("Madrid").is_none());
    /// ```
    pub fn of(name: &str) -> Option<Zone> {
        if name == "UTC" {
            return Some(Zone(TimeZone::UTC));
        }
        let of_line = |line: &str| {
            let (rule, names) = line.split_once(' ')?;
            names.split(' ').any(|known| known == name).then(|| TimeZone::posix(rule).ok())?
        };
        ZONES.lines().find_map(of_line).map(Zone)
    }

    /// The instant at which a clock of the zone shows this. An hour that comes twice is the earlier one, and an hour that is left out
    /// is as much later.
    pub fn instant(&self, clock: DateTime) -> Option<Timestamp> {
        self.0.to_ambiguous_timestamp(clock).compatible().ok()
    }

    /// The local day of an instant.
    pub fn day(&self, at: Timestamp) -> Date {
        self.0.to_datetime(at).date()
    }

    /// The instant at which a local day ends, which is the first one of the next day.
    pub fn end_of(&self, day: Date) -> Option<Timestamp> {
        self.instant(day.tomorrow().ok()?.at(0, 0, 0, 0))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[track_caller]
    fn check(zone: &str, clock: DateTime, expected: &str) {
        let instant = Zone::of(zone).unwrap().instant(clock).unwrap();
        assert_eq!(instant.to_string(), expected, "{zone} {clock}");
    }

    #[test]
    fn a_clock_in_a_zone_shows_an_instant() {
        check("UTC", date(2026, 7, 1).at(12, 0, 0, 0), "2026-07-01T12:00:00Z");
        check("Europe/Madrid", date(2026, 7, 1).at(12, 0, 0, 0), "2026-07-01T10:00:00Z");
        check("Atlantic/Canary", date(2026, 7, 1).at(12, 0, 0, 0), "2026-07-01T11:00:00Z");
        check("America/Sao_Paulo", date(2026, 7, 1).at(12, 0, 0, 0), "2026-07-01T15:00:00Z");
        check("America/New_York", date(2026, 3, 8).at(3, 0, 0, 0), "2026-03-08T07:00:00Z");
        check("Asia/Kolkata", date(2026, 7, 1).at(12, 0, 0, 0), "2026-07-01T06:30:00Z");
    }

    #[test]
    fn an_hour_that_comes_twice_is_the_earlier_one_and_one_that_is_left_out_is_later() {
        check("Europe/Madrid", date(2026, 10, 25).at(2, 30, 0, 0), "2026-10-25T00:30:00Z");
        check("Europe/Madrid", date(2026, 3, 29).at(2, 30, 0, 0), "2026-03-29T01:30:00Z");
    }

    #[test]
    fn a_local_day_ends_where_the_next_one_begins_however_long_it_is() {
        let madrid = Zone::of("Europe/Madrid").unwrap();
        let hours = |day| {
            let end = |day| madrid.end_of(day).unwrap();
            end(day).duration_since(end(day.yesterday().unwrap())).as_hours()
        };
        assert_eq!(hours(date(2026, 3, 28)), 24);
        assert_eq!(hours(date(2026, 3, 29)), 23);
        assert_eq!(hours(date(2026, 10, 25)), 25);
        let new_year = madrid.end_of(date(2026, 12, 31)).unwrap();
        assert_eq!(new_year.to_string(), "2026-12-31T23:00:00Z");
        assert_eq!(madrid.day(new_year), date(2027, 1, 1));
        assert_eq!(madrid.day("2026-12-31T22:30:00Z".parse().unwrap()), date(2026, 12, 31));
    }

    #[test]
    fn every_rule_of_the_table_can_be_read_and_no_zone_has_two() {
        let mut names = std::collections::BTreeSet::new();
        for line in ZONES.lines() {
            let (rule, zones) = line.split_once(' ').unwrap();
            assert!(TimeZone::posix(rule).is_ok(), "{line}");
            assert!(zones.split(' ').all(|zone| names.insert(zone)), "{line}");
        }
        assert!(names.len() > 400 && !names.contains(""));
    }

    #[test]
    fn a_name_that_is_none_is_no_zone() {
        for name in ["", "Madrid", "europe/madrid", "CET-1CEST,M3.5.0,M10.5.0/3", "Europe/"] {
            assert_eq!(Zone::of(name), None, "{name}");
        }
    }
}
