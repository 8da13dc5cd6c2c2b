//! A change of the ledger of opt-ins that destinations must learn of.
//!
//! The entry before, the new entry → the change, if it is one. `optin_event.rs` makes its event.

use hilo_core::consent::OptInState;

use crate::calls::optin::OptIn;

/// A change that destinations must learn of.
pub(super) struct Change {
    /// The new entry.
    pub(super) entry: OptIn,
    /// The number of its row.
    pub(super) seq: i64,
    /// The address that the change is about, as far as it is proven.
    pub(super) address: Option<String>,
}

impl Change {
    /// The change from the entry `before` to `entry`, whose row has the number `seq`. `None` where the new one only repeats what
    /// destinations know, and for a request: it is no subscription yet.
    pub(super) fn of(
        before: Option<&OptIn>,
        entry: &OptIn,
        seq: i64,
        is_server: bool,
    ) -> Option<Change> {
        let is_known = before.is_some_and(|before| {
            let names_another =
                entry.address_hash.is_some() && before.address_hash != entry.address_hash;
            before.state == entry.state && !names_another
        });
        let address = match entry.state {
            OptInState::Pending => return None,
            OptInState::Subscribed => entry.address.clone(),
            OptInState::Unsubscribed => withdrawn_address(before, entry, is_server),
        };
        (!is_known).then(|| Change { entry: entry.clone(), seq, address })
    }
}

/// The address that an opt-out is about. Anybody can type a stranger's address into a page, so a page's word counts only about the
/// address that was subscribed here. A link was read at its address, and a server speaks for the company.
fn withdrawn_address(before: Option<&OptIn>, entry: &OptIn, is_server: bool) -> Option<String> {
    let subscribed = before.filter(|before| before.state == OptInState::Subscribed);
    let is_proven = entry.by_link
        || is_server
        || subscribed.is_some_and(|before| before.shares_address(entry.address_hash.as_deref()));
    match &entry.address {
        Some(address) => is_proven.then(|| address.clone()),
        None => subscribed.and_then(|before| before.address.clone()),
    }
}
