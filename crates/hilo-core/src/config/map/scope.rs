//! What the rules of a source or a destination may be about. Shape only.

use crate::money::Currency;
use crate::phone::Market;
use crate::zone::Zone;

/// Who the rules are for, and what their source says once for all of them.
#[derive(Debug, Default)]
pub(in crate::config) struct Scope {
    /// Whether the rules are about calls of other systems.
    pub(in crate::config) is_call: bool,
    /// Where times without an offset are from.
    pub(in crate::config) zone: Option<Zone>,
    /// Where national telephone numbers are from.
    pub(in crate::config) market: Option<&'static Market>,
    /// The currency of amounts that name none.
    pub(in crate::config) currency: Option<Currency>,
    /// What the orders of the source count for, if it says so.
    pub(in crate::config) orders: Option<Orders>,
}

/// What the orders of a source count for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::config) enum Orders {
    /// They are the sales.
    #[default]
    Primary,
    /// Another source has the sales; these are its payments.
    Confirm,
    /// Nothing.
    Ignore,
}

impl Orders {
    /// The words of `hilo.toml`.
    pub(in crate::config) const WORDS: [&'static str; 3] = ["primary", "confirm", "ignore"];

    /// The word.
    pub(in crate::config) const fn word(self) -> &'static str {
        match self {
            Orders::Primary => "primary",
            Orders::Confirm => "confirm",
            Orders::Ignore => "ignore",
        }
    }

    /// What a word means.
    pub(in crate::config) fn of(word: &str) -> Orders {
        match word {
            "confirm" => Orders::Confirm,
            "ignore" => Orders::Ignore,
            _ => Orders::Primary,
        }
    }
}
