//! Customers by the month of their first counted order → what they brought at each age.
//!
//! Ages are steps of 30 days and no calendar months, so that all have the same length. A step that has begun for somebody and is not
//! over for everybody is marked as partial.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::order::{History, sum};
use super::share::{Mean, Share, count};

/// The days of one step of age.
pub const AGE_DAYS: i64 = 30;
/// The customers that a row of the table should have.
pub const MEMBERS_MIN: usize = 10;

/// Customers who began in the same month, or in neighbouring ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cohort {
    /// The first day of the first month.
    pub first: Date,
    /// The first day of the last month.
    pub last: Date,
    /// The customers.
    pub size: u32,
    /// What they brought at each age, from the first 30 days on.
    pub cells: Vec<Cell>,
}

/// What a cohort brought at one age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The members who ordered at this age.
    pub ordered: Share,
    /// Their net revenue, shared by all members.
    pub net: Mean,
    /// The net revenue until the end of this age, shared by all members.
    pub net_until: Mean,
    /// Whether the youngest member has not completed this age.
    pub is_partial: bool,
}

/// Makes the table at the end of `as_of`, the oldest month first.
///
/// Months are joined until a row has `members_min` customers; the newest months, if they are too small, join the row before. A
/// table of fewer customers is one row: whoever shows it decides whether it may be shown.
pub fn cohorts<'a>(
    histories: impl IntoIterator<Item = &'a History>,
    as_of: Date,
    members_min: usize,
) -> Vec<Cohort> {
    let mut months: BTreeMap<Date, Vec<&History>> = BTreeMap::new();
    for history in histories {
        months.entry(history.first.first_of_month()).or_default().push(history);
    }
    let mut rows: Vec<(Date, Date, Vec<&History>)> = Vec::new();
    for (month, mut members) in months {
        match rows.last_mut().filter(|row| row.2.len() < members_min) {
            Some(row) => {
                row.1 = month;
                row.2.append(&mut members);
            }
            None => rows.push((month, month, members)),
        }
    }
    if let Some(mut newest) = rows.pop() {
        if let Some(row) = rows.last_mut().filter(|_| newest.2.len() < members_min) {
            row.1 = newest.1;
            row.2.append(&mut newest.2);
        } else {
            rows.push(newest);
        }
    }
    rows.into_iter()
        .map(|(first, last, members)| {
            let size = count(&members);
            Cohort { first, last, size, cells: cells(&members, as_of) }
        })
        .collect()
}

fn cells(members: &[&History], as_of: Date) -> Vec<Cell> {
    let ages = members.iter().map(|one| one.age_days(as_of));
    let (youngest, oldest) = (ages.clone().min().unwrap_or(-1), ages.max().unwrap_or(-1));
    let size = count(members);
    let mut net_until = 0_i64;
    let cell = |age: i64| {
        let orders = members.iter().enumerate().flat_map(|(member, one)| {
            let inside = one.orders.iter().filter(move |(day, _)| day / AGE_DAYS == age);
            inside.map(move |(_, net)| (member, *net))
        });
        let who: BTreeSet<usize> = orders.clone().map(|(member, _)| member).collect();
        let net = sum(orders.map(|(_, net)| net));
        net_until = net_until.saturating_add(net);
        Cell {
            ordered: Share { part: u32::try_from(who.len()).unwrap_or(u32::MAX), all: size },
            net: Mean { sum: net, count: size },
            net_until: Mean { sum: net_until, count: size },
            is_partial: youngest < AGE_DAYS * (age + 1),
        }
    };
    (0..oldest.div_euclid(AGE_DAYS) + 1).map(cell).collect()
}
