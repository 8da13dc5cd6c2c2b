//! The active customers by what they spend: the top, the large, the medium and the small ones.
//!
//! The net revenue of each customer in the window, in one currency → three cuts; cuts and a revenue → a [`Group`]. The cuts are computed once a
//! month and stored, so that nobody changes groups every day because of others.

/// A group of customers, the one with the least revenue first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The other 80 %.
    Small,
    /// The next 15 %.
    Medium,
    /// The next 4 %.
    Large,
    /// The 1 % with the most revenue.
    Top,
}

impl Group {
    /// The word, as reports have it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Group::Small => "pequenos",
            Group::Medium => "medianos",
            Group::Large => "grandes",
            Group::Top => "top",
        }
    }
}

/// The least revenue of each group, in minor units of one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupCuts {
    /// Of the top customers.
    pub top: i64,
    /// Of the large ones.
    pub large: i64,
    /// Of the medium ones.
    pub medium: i64,
}

impl GroupCuts {
    /// Cuts the customers at 1 %, 5 % and 20 % of their number (Curry's usual 1, 4, 15 and 80 %). Parts of people are rounded up. Equal
    /// revenues stay together, in the higher group. `None` without customers.
    #[must_use]
    pub fn of(revenues: &[i64]) -> Option<GroupCuts> {
        let mut sorted = revenues.to_vec();
        sorted.sort_unstable_by(|one, other| other.cmp(one));
        let least = |percent: usize| {
            let people = sorted.len().saturating_mul(percent).div_ceil(100);
            sorted.get(people.checked_sub(1)?).copied()
        };
        Some(GroupCuts { top: least(1)?, large: least(5)?, medium: least(20)? })
    }

    /// The group of a customer with this revenue.
    #[must_use]
    pub const fn group(&self, revenue: i64) -> Group {
        if revenue >= self.top {
            Group::Top
        } else if revenue >= self.large {
            Group::Large
        } else if revenue >= self.medium {
            Group::Medium
        } else {
            Group::Small
        }
    }
}
