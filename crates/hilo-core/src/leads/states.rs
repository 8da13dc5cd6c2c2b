//! The states of a person over time: what they did and what is known about them, and the time that passes.
//!
//! Deeds in any order and an instant → a [`Lead`]: the state, how it came about with the reasons, and the instant at which it may change
//! by itself. The deeds are gone through in the order of time, so a deed that comes late changes what follows from it.

use jiff::{SignedDuration, Timestamp};

use super::points::{Group, Points};
use super::rules::LeadRules;
use super::score::{Act, Score, left};
use super::state::{Fit, Known, LeadState};

/// The reasons that are given for a change.
const REASONS_MAX: usize = 3;

/// Something that bears on a person's state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deed {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// What bears on a person's state. Of what happens at one instant, the later one of this list counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A touchpoint that the person began, or one with points of [`Group::Minus`], whoever began it.
    Act {
        /// The event's name.
        kind: String,
        /// What it is worth, if anything ([`super::points`]).
        points: Option<Points>,
    },
    /// Others told of the person, who has not shown interest in the shop. It is declared and never guessed.
    Declared,
    /// The shop can reach or recognize the person from now on.
    Identified,
    /// The person may be written to or called by e-mail, SMS or telephone, or waits for an answer.
    Reachable,
    /// Neither is so any more.
    Unreachable,
    /// How well the person fits.
    Fits(Fit),
    /// The person wants to hear nothing: every channel is opted out of, or another system says so.
    Lost,
    /// An order that counts.
    Ordered,
}

/// A person as a lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    /// The state.
    pub state: LeadState,
    /// The score.
    pub score: Score,
    /// How the state came about, the first change first.
    pub changes: Vec<LeadChange>,
    /// The instant at which the state may change if nothing happens. It has to be found again then.
    pub next_look: Option<Timestamp>,
}

/// A change of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeadChange {
    /// When. What happens by itself happens at a whole minute.
    pub at: Timestamp,
    /// The state before.
    pub from: LeadState,
    /// The state from now on.
    pub to: LeadState,
    /// The score in millipoints.
    pub score: i64,
    /// How well the person fits.
    pub fit: Fit,
    /// What speaks for the person most, the strongest first.
    pub reasons: Vec<Reason>,
}

/// Why somebody is a lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The event's name.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// What it was worth then, in millipoints.
    pub millipoints: i64,
}

impl Lead {
    /// Goes through the deeds up to `now`, and no later ones.
    #[must_use]
    pub fn of(deeds: &[Deed], now: Timestamp, rules: &LeadRules) -> Lead {
        let mut sorted: Vec<&Deed> = deeds.iter().filter(|deed| deed.at <= now).collect();
        sorted.sort_unstable();
        let mut story = Story::new(rules);
        for deeds in sorted.chunk_by(|one, other| one.at == other.at) {
            let Some(at) = deeds.first().map(|deed| deed.at) else { continue };
            story.wait(|look| look < at);
            deeds.iter().for_each(|deed| story.take(deed));
            story.look(at);
        }
        story.wait(|look| look <= now);
        Lead {
            state: story.state,
            score: story.score,
            next_look: story.next_look(),
            changes: story.changes,
        }
    }
}

/// The deeds so far.
struct Story<'a> {
    rules: &'a LeadRules,
    /// The instant up to which everything is told.
    told: Option<Timestamp>,
    state: LeadState,
    score: Score,
    known: Known,
    acts: Vec<(&'a str, Act)>,
    changes: Vec<LeadChange>,
}

impl<'a> Story<'a> {
    fn new(rules: &'a LeadRules) -> Story<'a> {
        Story {
            rules,
            told: None,
            state: LeadState::None,
            score: Score::default(),
            known: Known::default(),
            acts: Vec::new(),
            changes: Vec::new(),
        }
    }

    fn take(&mut self, deed: &'a Deed) {
        let (at, known) = (deed.at, &mut self.known);
        match &deed.what {
            What::Act { kind, points } => {
                let group = points.map(|points| points.group);
                if let Some(points) = *points {
                    let act = Act { at, points };
                    self.score.add(&act, self.rules);
                    self.acts.push((kind, act));
                    known.has_interest |= points.is_interest;
                }
                if group != Some(Group::Minus) {
                    known.touched = Some(at);
                    known.has_acted |= known.is_declared;
                    known.is_lost = false;
                }
                if matches!(group, Some(Group::Ask | Group::Intent)) {
                    known.asked = Some(at);
                }
            }
            What::Declared => known.is_declared = true,
            What::Identified => known.is_identified = true,
            What::Reachable => known.is_reachable = true,
            What::Unreachable => known.is_reachable = false,
            What::Fits(fit) => known.fit = *fit,
            What::Lost => known.is_lost = true,
            What::Ordered => known.has_ordered = true,
        }
    }

    /// Lets the time pass, and looks wherever the state may change by itself.
    fn wait(&mut self, is_before: impl Fn(Timestamp) -> bool) {
        while let Some(look) = self.next_look().filter(|look| is_before(*look)) {
            self.look(look);
        }
    }

    /// Finds the state at an instant.
    fn look(&mut self, at: Timestamp) {
        let rules = self.rules;
        self.told = Some(at);
        self.known.score = self.score.at(at, rules);
        self.known.low_since =
            (self.known.score < rules.cold_below).then(|| self.known.low_since.unwrap_or(at));
        loop {
            let to = self.known.next(self.state, at, rules);
            if to == self.state {
                return;
            }
            if to == LeadState::Lead {
                // Nobody cools down because of the time before they were a lead.
                self.known.low_since = self.known.low_since.map(|_| at);
            }
            let change = LeadChange {
                at,
                from: self.state,
                to,
                score: self.known.score,
                fit: self.known.fit,
                reasons: self.reasons(at),
            };
            self.changes.push(change);
            self.state = to;
        }
    }

    /// The next instant at which the state may change by itself.
    fn next_look(&self) -> Option<Timestamp> {
        let (now, rules) = (self.told?, self.rules);
        let after = |at: Option<Timestamp>, days: u16| {
            at?.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok()
        };
        let timer = match self.state {
            LeadState::Lead => after(self.known.low_since, rules.cold_days),
            LeadState::Hot => after(self.known.touched, rules.hot_days),
            LeadState::Qualified | LeadState::Cold => None,
            LeadState::None | LeadState::Coregistration | LeadState::Lost | LeadState::Customer => {
                return None;
            }
        };
        let thresholds = [
            rules.cold_below,
            rules.qualified.leaves,
            rules.qualified.enters,
            rules.hot.leaves,
            rules.hot.enters,
        ];
        let passed = |score: i64| thresholds.map(|threshold| score >= threshold);
        let other = |score: i64| passed(score) != passed(self.known.score);
        let score = self.score.when(now, rules, other);
        timer.into_iter().chain(score).filter(|at| *at > now).min()
    }

    /// The acts of which most is left.
    fn reasons(&self, at: Timestamp) -> Vec<Reason> {
        let left = |act: &Act| {
            let half_life_days = self.rules.groups.of(act.points.group).half_life_days;
            left(act.points.millipoints, act.at, at, half_life_days)
        };
        let mut acts: Vec<_> =
            self.acts.iter().filter(|(_, act)| act.points.millipoints > 0).collect();
        acts.sort_by_key(|(kind, act)| std::cmp::Reverse((left(act), act.at, *kind)));
        let reason = |(kind, act): &(&str, Act)| Reason {
            kind: (*kind).to_owned(),
            at: act.at,
            millipoints: act.points.millipoints,
        };
        acts.into_iter().take(REASONS_MAX).map(reason).collect()
    }
}
