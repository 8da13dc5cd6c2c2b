//! The shape of an order's path: its channels → how long it is, and how often the channel changes.

use std::collections::BTreeSet;

use super::share::count;

/// How long a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathFigures {
    /// The touches.
    pub touches: u32,
    /// The different channels.
    pub channels: u32,
    /// How often a touch has another channel than the touch before.
    pub hops: u32,
}

impl PathFigures {
    /// Counts a path.
    pub fn of<C: Ord>(channels: &[C]) -> PathFigures {
        let distinct: BTreeSet<&C> = channels.iter().collect();
        let hops = channels.iter().zip(channels.iter().skip(1)).filter(|(one, next)| one != next);
        PathFigures {
            touches: count(channels),
            channels: u32::try_from(distinct.len()).unwrap_or(u32::MAX),
            hops: u32::try_from(hops.count()).unwrap_or(u32::MAX),
        }
    }
}

/// The last `steps` channels of a path, with `None` in front of a shorter path, so that all paths end together.
pub fn last_steps<C: Clone>(channels: &[C], steps: usize) -> Vec<Option<C>> {
    let missing = steps.saturating_sub(channels.len());
    let surplus = channels.len().saturating_sub(steps);
    let last = channels.iter().skip(surplus).cloned().map(Some);
    std::iter::repeat_n(None, missing).chain(last).collect()
}
