//! The lenses: where a touchpoint stands for a marketer. It is looked up when a touchpoint is read, so a changed rule holds at once, and
//! for what was stored before.
//!
//! `(touchpoint, rules) → placement`. The deployer's rules come before the usual ones; the first that fits counts. A kind without a rule
//! is *unplaced*.

mod words;

pub use words::{Cycle, Experience, Goal, Initiator, Owner, Role, Stage};

use serde::Serialize;

use super::{Channel, State, Touchpoint};

/// The usual rules, in the form of `hilo.toml`: the deployer copies one and changes it.
pub const USUAL: &str = include_str!("usual.toml");

/// A rule: which touchpoints, and where they stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LensRule {
    /// The kinds, exactly, or with `*` at the end. All kinds where there is none.
    #[serde(rename = "kind", skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// The channels. All, and none, where there is none.
    #[serde(rename = "channel", skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
    /// The states of the person. All where there is none.
    #[serde(rename = "state", skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<State>,
    /// What it is about. Anything where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<String>,
    /// The stage by the state of the person.
    pub stage: ByState<Stage>,
    /// The cycle by the state of the person.
    pub cycle: ByState<Cycle>,
    /// What the person does. Invisible touchpoints may have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experience: Option<Experience>,
    /// The aim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// Whether the person perceives it.
    #[serde(rename = "visible", skip_serializing_if = "Option::is_none")]
    pub is_visible: Option<bool>,
    /// Who controls it. The channel says so where the rule does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// Who began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiator: Option<Initiator>,
    /// What it may earn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// A value for each state, in the order of [`State::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByState<T>(pub [Option<T>; 5]);

impl<T: Copy> Default for ByState<T> {
    fn default() -> ByState<T> {
        ByState([None; 5])
    }
}

impl<T: Copy> ByState<T> {
    fn of(&self, state: State) -> Option<T> {
        let place = State::ALL.iter().position(|one| *one == state)?;
        self.0.get(place).copied().flatten()
    }
}

impl<T: Copy + Serialize> Serialize for ByState<T> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(State::ALL.iter().map(|state| (state.name(), self.of(*state))))
    }
}

impl LensRule {
    fn fits(&self, one: &Touchpoint) -> bool {
        let has_kind = |kind: &String| match kind.strip_suffix('*') {
            Some(beginning) => one.kind.starts_with(beginning),
            None => *kind == one.kind,
        };
        let is_about = |about: &String| one.about.as_ref() == Some(about);
        let is_by = |channel: &Channel| one.channel == Some(*channel);
        (self.kinds.is_empty() || self.kinds.iter().any(has_kind))
            && (self.channels.is_empty() || self.channels.iter().any(is_by))
            && (self.states.is_empty() || self.states.contains(&one.state))
            && (self.about.is_empty() || self.about.iter().any(is_about))
    }
}

/// Where a touchpoint stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Placement {
    /// Its position inside a purchase.
    #[serde(serialize_with = "or_unplaced")]
    pub stage: Option<Stage>,
    /// Its position in the relation.
    #[serde(serialize_with = "or_unplaced")]
    pub cycle: Option<Cycle>,
    /// What the person does.
    pub experience: Option<Experience>,
    /// The aim.
    pub goal: Option<Goal>,
    /// Whether the person perceives it; null where nobody knows.
    #[serde(rename = "visible")]
    pub is_visible: Option<bool>,
    /// Who controls it; null where nobody knows.
    pub owner: Option<Owner>,
    /// Whether it happened at a place, on paper or by telephone.
    #[serde(rename = "offline")]
    pub is_offline: bool,
    /// Who began; null where nobody knows.
    pub initiator: Option<Initiator>,
    /// What it may earn.
    pub role: Role,
}

fn or_unplaced<T: Serialize, S: serde::Serializer>(
    value: &Option<T>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => value.serialize(to),
        None => to.serialize_str("unplaced"),
    }
}

/// Places a touchpoint by the first of `rules` that fits.
pub fn place<'r>(one: &Touchpoint, rules: impl IntoIterator<Item = &'r LensRule>) -> Placement {
    let unplaced = LensRule::default();
    let rule = rules.into_iter().find(|rule| rule.fits(one)).unwrap_or(&unplaced);
    Placement {
        stage: rule.stage.of(one.state),
        cycle: rule.cycle.of(one.state),
        experience: rule.experience,
        goal: rule.goal,
        is_visible: rule.is_visible,
        owner: rule.owner.or_else(|| one.channel.and_then(owner)),
        is_offline: one.channel.is_some_and(is_offline),
        initiator: rule.initiator,
        role: rule.role.unwrap_or(Role::None),
    }
}

/// Who controls a channel, unless a rule says otherwise.
const fn owner(channel: Channel) -> Option<Owner> {
    Some(match channel {
        Channel::CrossNetwork
        | Channel::PaidShopping
        | Channel::PaidSearch
        | Channel::PaidSocial
        | Channel::PaidVideo
        | Channel::Display
        | Channel::PaidOther
        | Channel::Audio => Owner::Paid,
        Channel::Affiliates | Channel::Partner | Channel::OrganicShopping => Owner::Partner,
        Channel::OrganicSearch
        | Channel::OrganicSocial
        | Channel::OrganicVideo
        | Channel::AiAssistant
        | Channel::Referral => Owner::Earned,
        Channel::Direct
        | Channel::Email
        | Channel::Sms
        | Channel::MobilePush
        | Channel::Store
        | Channel::Phone
        | Channel::Chat
        | Channel::Post
        | Channel::Event
        | Channel::SocialContact => Owner::Owned,
        Channel::Unassigned => return None,
    })
}

const fn is_offline(channel: Channel) -> bool {
    matches!(channel, Channel::Store | Channel::Phone | Channel::Post | Channel::Event)
}
