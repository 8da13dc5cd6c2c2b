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

    /// Purposes that Do Not Track denies where the site obeys it: all that need to know the visitor again, and what GPC denies.
    pub const DNT_DENIES: [Purpose; 4] =
        [Purpose::Advertising, Purpose::SaleShare, Purpose::Analytics, Purpose::Personalization];

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
        Purpose::ALL.iter().find(|p| p.name() == name).copied()
    }

    /// The first purpose of [`Purpose::ALL`] has the lowest bit.
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of purposes in one byte: wasm copies, compares and joins it by one instruction each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PurposeSet(u8);

impl PurposeSet {
    /// The set of these purposes.
    pub const fn of(mut purposes: &[Purpose]) -> PurposeSet {
        let mut bits = 0;
        while let [first, rest @ ..] = purposes {
            bits |= first.bit();
            purposes = rest;
        }
        PurposeSet(bits)
    }

    /// The set of this purpose.
    pub const fn one(purpose: Purpose) -> PurposeSet {
        PurposeSet(purpose.bit())
    }

    /// Whether no purpose is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `purpose` is in the set.
    pub const fn contains(self, purpose: Purpose) -> bool {
        self.0 & purpose.bit() != 0
    }

    /// The purposes that are in both sets.
    pub const fn and(self, other: PurposeSet) -> PurposeSet {
        PurposeSet(self.0 & other.0)
    }

    /// The purposes that are in this set or in the other.
    pub const fn or(self, other: PurposeSet) -> PurposeSet {
        PurposeSet(self.0 | other.0)
    }

    /// The purposes that are in this set and not in the other.
    pub const fn without(self, other: PurposeSet) -> PurposeSet {
        PurposeSet(self.0 & !other.0)
    }

    /// The sets in the lowest byte of `bits` and in the next one, see [`PurposeSet::bits`].
    pub const fn pair(bits: u32) -> [PurposeSet; 2] {
        [PurposeSet(bits as u8), PurposeSet((bits >> 8) as u8)]
    }

    /// A bit for each purpose in the set, `Essential` lowest.
    pub const fn bits(self) -> u8 {
        self.0
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
        let set = PurposeSet::of(&[Purpose::Analytics, Purpose::SaleShare]);
        assert!(set.contains(Purpose::Analytics) && !set.contains(Purpose::Functional));
        let rest = set.without(PurposeSet::of(&[Purpose::Analytics, Purpose::Functional]));
        assert_eq!(rest, PurposeSet::of(&[Purpose::SaleShare]));
        assert_eq!(rest.or(set), set);
        assert_eq!(set.and(rest), rest);
        assert!(rest.without(set).is_empty() && !rest.is_empty());
    }
}
