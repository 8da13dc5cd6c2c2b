//! The path of an order: the touches of its person before it.
//!
//! Touches, orders and the moment of one order → the touches that share its amount. An order is never shared out anew because of a
//! later touch.

use jiff::{SignedDuration, Timestamp};

use super::rules::Step;

/// How many days before an order a touch may lie.
pub const LOOKBACK_DAYS: u16 = 90;
/// The most touches of a path: the first one, and the last ones.
pub const TOUCHES_MAX: usize = 50;
const DAY_S: f64 = 86_400.0;

/// Which touches share an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathRules {
    /// The days before the order in which a touch counts.
    pub lookback_days: u16,
    /// Whether a path begins after the order before. Where nothing lies between two orders, the later one has the whole lookback.
    pub since_previous_order: bool,
}

impl Default for PathRules {
    fn default() -> PathRules {
        PathRules { lookback_days: LOOKBACK_DAYS, since_previous_order: true }
    }
}

/// A touch of a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Met<T> {
    /// When.
    pub at: Timestamp,
    /// Whether nobody knows what brought the person.
    pub is_direct: bool,
    /// The touch.
    pub touch: T,
}

/// The path of one order.
#[derive(Clone, Debug, PartialEq)]
pub struct Path<T> {
    /// The touches, the oldest first.
    pub touches: Vec<T>,
    /// The same touches as the rules see them.
    pub steps: Vec<Step>,
    /// Whether nothing lies between this order and the one before, so that its touches led to that one as well.
    pub is_repeat_without_touch: bool,
    /// Whether touches behind the first are left out, because there were too many.
    pub is_truncated: bool,
}

impl<T: Clone> Path<T> {
    /// Finds the path of the order at `ordered_at`. `touches` are in the order of time, and of their arrival where times are equal;
    /// `previous` is the counted order before.
    pub fn of(
        touches: &[Met<T>],
        ordered_at: Timestamp,
        previous: Option<Timestamp>,
        rules: PathRules,
    ) -> Path<T> {
        let lookback = SignedDuration::from_hours(24 * i64::from(rules.lookback_days));
        let is_inside =
            |at: &Timestamp| *at <= ordered_at && ordered_at.duration_since(*at) < lookback;
        let inside: Vec<_> = touches.iter().filter(|one| is_inside(&one.at)).collect();
        let begin = previous.filter(|_| rules.since_previous_order);
        let is_own = |one: &&Met<T>| begin.is_none_or(|begin| one.at > begin);
        let own: Vec<_> = inside.iter().copied().filter(is_own).collect();
        let is_repeat_without_touch = own.is_empty() && !inside.is_empty();
        let mut own = if is_repeat_without_touch { inside } else { own };
        let surplus = own.len().saturating_sub(TOUCHES_MAX);
        if surplus > 0 {
            own.drain(1..=surplus);
        }
        let step = |one: &Met<T>| Step {
            age_days: ordered_at.duration_since(one.at).as_secs_f64() / DAY_S,
            is_direct: one.is_direct,
        };
        Path {
            steps: own.iter().copied().map(step).collect(),
            touches: own.into_iter().map(|one| one.touch.clone()).collect(),
            is_repeat_without_touch,
            is_truncated: surplus > 0,
        }
    }
}
