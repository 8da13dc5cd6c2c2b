//! The models that look at one path: its touches → the weight of each, which add up to 1.

/// The days after which a touch weighs half as much by [`Rule::TimeDecay`].
pub const HALF_LIFE_DAYS: f64 = 7.0;
/// What the first touch gets by [`Rule::Position`], and the last one as well.
const END_SHARE: f64 = 0.4;

/// A model that looks at one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The first touch gets all: how people found the shop.
    First,
    /// The last touch gets all.
    Last,
    /// The last touch that is not direct gets all, as in GA4 and Matomo.
    LastNonDirect,
    /// Every touch gets the same.
    Linear,
    /// The first and the last touch get 40 % each.
    Position,
    /// A touch weighs half as much for each week that it is older.
    TimeDecay,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Rule; 6] = [
        Rule::First,
        Rule::Last,
        Rule::LastNonDirect,
        Rule::Linear,
        Rule::Position,
        Rule::TimeDecay,
    ];

    /// The name, as settings and reports have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Rule::First => "first",
            Rule::Last => "last",
            Rule::LastNonDirect => "last_non_direct",
            Rule::Linear => "linear",
            Rule::Position => "position",
            Rule::TimeDecay => "time_decay",
        }
    }
}

/// A touch as the rules see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The days before the order, with their fraction.
    pub age_days: f64,
    /// Whether nobody knows what brought the person.
    pub is_direct: bool,
}

/// Returns the weight of each touch. They add up to 1, unless there is no touch.
#[must_use]
pub fn weights(rule: Rule, steps: &[Step]) -> Vec<f64> {
    let last = steps.len().saturating_sub(1);
    let all_to = |chosen: usize| weigh(steps, |at, _| if at == chosen { 1.0 } else { 0.0 });
    match rule {
        Rule::First => all_to(0),
        Rule::Last => all_to(last),
        Rule::LastNonDirect => all_to(steps.iter().rposition(|one| !one.is_direct).unwrap_or(last)),
        Rule::Linear => weigh(steps, |_, _| 1.0),
        Rule::Position => weigh(steps, |at, _| match steps.len() {
            ..=2 => 1.0,
            _ if at == 0 || at == last => END_SHARE,
            touches => (1.0 - 2.0 * END_SHARE) / number(touches - 2),
        }),
        Rule::TimeDecay => {
            // By the newest touch, so that a path of old ones does not become 0.
            let newest = steps.iter().map(|one| one.age_days).fold(f64::INFINITY, f64::min);
            weigh(steps, |_, one| ((newest - one.age_days) / HALF_LIFE_DAYS).exp2())
        }
    }
}

fn weigh(steps: &[Step], weight: impl Fn(usize, &Step) -> f64) -> Vec<f64> {
    let weights: Vec<f64> = steps.iter().enumerate().map(|(at, one)| weight(at, one)).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|one| one / sum).collect()
}

/// A count as a number that can be divided.
pub(super) fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
