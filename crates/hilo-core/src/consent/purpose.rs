//! The purposes a visitor can grant or deny, and small sets of them.
//! In: a wire name. Out: a `Purpose`. Knows no channels such as e-mail: `optin.rs` has them.

use serde::{Deserialize, Serialize};

/// A purpose for which data may be used. The names are those of the wire and of `hilo.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Cart sync, security and the consent record itself. Always on.
    Essential,
    /// Comfort: language, preferences.
    Functional,
    /// Measuring events on the site.
    Analytics,
    /// Content chosen for a person.
    Personalization,
    /// Advertising on this site or elsewhere.
    Advertising,
    /// Selling or sharing in the sense of US state laws.
    SaleShare,
}

impl Purpose {
    /// Every purpose, in the order the wire lists them.
    pub const ALL: [Purpose; 6] = [
        Purpose::Essential,
        Purpose::Functional,
        Purpose::Analytics,
        Purpose::Personalization,
        Purpose::Advertising,
        Purpose::SaleShare,
    ];

    /// The purposes a visitor is asked about: all but `Essential`.
    pub const ASKED: [Purpose; 5] = [
        Purpose::Functional,
        Purpose::Analytics,
        Purpose::Personalization,
        Purpose::Advertising,
        Purpose::SaleShare,
    ];

    /// Purposes that Global Privacy Control (`Sec-GPC: 1`) denies (<https://privacycg.github.io/gpc-spec/>).
    pub const GPC_DENIES: [Purpose; 2] = [Purpose::Advertising, Purpose::SaleShare];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Purpose::Essential => "essential",
            Purpose::Functional => "functional",
            Purpose::Analytics => "analytics",
            Purpose::Personalization => "personalization",
            Purpose::Advertising => "advertising",
            Purpose::SaleShare => "sale_share",
        }
    }

    /// Reads a wire name; `None` for anything else.
    pub fn from_name(name: &str) -> Option<Purpose> {
        Purpose::ALL.into_iter().find(|p| p.name() == name)
    }

    const fn bit(self) -> u8 {
        match self {
            Purpose::Essential => 1,
            Purpose::Functional => 1 << 1,
            Purpose::Analytics => 1 << 2,
            Purpose::Personalization => 1 << 3,
            Purpose::Advertising => 1 << 4,
            Purpose::SaleShare => 1 << 5,
        }
    }
}

/// A set of purposes in one byte, which wasm copies and compares cheaply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PurposeSet(u8);

impl PurposeSet {
    /// Whether `purpose` is in the set.
    pub(super) const fn contains(self, purpose: Purpose) -> bool {
        self.0 & purpose.bit() != 0
    }

    /// Adds `purpose`.
    pub(super) const fn insert(&mut self, purpose: Purpose) {
        self.0 |= purpose.bit();
    }

    /// Takes `purpose` out.
    pub(super) const fn remove(&mut self, purpose: Purpose) {
        self.0 &= !purpose.bit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_name_reads_back() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::from_name(purpose.name()), Some(purpose));
        }
        assert_eq!(Purpose::from_name("marketing"), None);
    }

    #[test]
    fn a_set_holds_the_purposes_that_were_inserted() {
        let mut set = PurposeSet::default();
        set.insert(Purpose::Analytics);
        set.insert(Purpose::SaleShare);
        assert!(set.contains(Purpose::Analytics) && !set.contains(Purpose::Functional));
        set.remove(Purpose::Analytics);
        assert!(set.contains(Purpose::SaleShare) && !set.contains(Purpose::Analytics));
    }
}
