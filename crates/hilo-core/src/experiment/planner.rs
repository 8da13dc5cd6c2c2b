//! How long an experiment takes: the rate now and the rate hoped for → people, and weeks.

/// (z of 97.5 % + z of 80 %)²: a two-sided test at 5 % that finds the difference in four of five cases.
const POWER: f64 = 7.849;
/// How many people more a test needs that may be looked at after every person. A rule of thumb: say "about".
const SEQUENTIAL: f64 = 1.5;
/// An experiment that takes more weeks should try a larger change.
pub const WEEKS_MAX: u32 = 8;

/// The people that an arm needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeoplePerArm {
    /// If nobody looks before the end.
    pub fixed: u32,
    /// If somebody may look at any time.
    pub sequential: u32,
}

/// The people of each arm that find a change from `rate` to `hoped` in four of five cases. `None` for no change.
#[must_use]
pub fn people_per_arm(rate: f64, hoped: f64) -> Option<PeoplePerArm> {
    let people = POWER * (rate * (1.0 - rate) + hoped * (1.0 - hoped)) / (hoped - rate).powi(2);
    let is_known = people.is_finite() && people > 0.0;
    is_known.then(|| PeoplePerArm { fixed: whole(people), sequential: whole(people * SEQUENTIAL) })
}

/// The weeks until each of `arms` has `people`, if so many people are exposed in a week. `None` if nobody is.
#[must_use]
pub fn weeks(people: u32, arms: u32, exposed_weekly: u32) -> Option<u32> {
    let all = u64::from(people) * u64::from(arms);
    let weekly = u64::from(exposed_weekly);
    (weekly > 0).then(|| u32::try_from(all.div_ceil(weekly)).unwrap_or(u32::MAX))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast ends at the range, and the number is positive"
)]
fn whole(people: f64) -> u32 {
    people.round() as u32
}
