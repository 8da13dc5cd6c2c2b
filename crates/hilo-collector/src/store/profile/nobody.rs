//! Calls about a person of whom nothing is stored: which of them make an object's storage, and the answers to the others.

use hilo_core::profile::ArchiveKey;

use super::pages;
use crate::calls::erasure::ErasureStanding;
use crate::calls::link::{Earlier, Taken};
use crate::calls::optin::LinkStanding;
use crate::calls::unlearn::Unlearned;
use crate::calls::{Claimed, ConsentCopy, ConsentStanding, OwnPart, Page, ProfileCall, encode};
use crate::platform::Failure;

/// Whether the call writes, so that an object without a storage has to make one.
pub(super) const fn makes_storage(call: &ProfileCall) -> bool {
    match call {
        ProfileCall::Record { .. }
        | ProfileCall::Consent(_)
        | ProfileCall::ConsentReports(_)
        | ProfileCall::Adopt(_)
        | ProfileCall::Know { .. }
        | ProfileCall::OptIn(_) => true,
        ProfileCall::Claim(proof) => proof.fresh.is_some(),
        ProfileCall::Take(take) => take.to.is_some(),
        // The event of a contact may come after somebody has proved its address, and has to follow.
        ProfileCall::Link(to) => matches!(to.earlier, Earlier::Contact),
        ProfileCall::Repoint { .. }
        | ProfileCall::Leave { .. }
        | ProfileCall::ArchiveKey
        | ProfileCall::ConsentStanding
        | ProfileCall::Confirm { .. }
        | ProfileCall::Replay { .. }
        | ProfileCall::Wanted(_)
        | ProfileCall::Sending(_)
        | ProfileCall::Erase(_)
        | ProfileCall::Unlearn(_)
        | ProfileCall::Erasure
        | ProfileCall::Own { .. }
        | ProfileCall::OptInLink { .. }
        | ProfileCall::ConsentCopy { .. }
        | ProfileCall::Summary
        | ProfileCall::Events { .. }
        | ProfileCall::Receipts { .. }
        | ProfileCall::OptIns { .. }
        | ProfileCall::Deliveries { .. } => false,
    }
}

/// Answers a call about a person without stored data.
pub(super) fn answer(call: &ProfileCall) -> Result<String, Failure> {
    match call {
        ProfileCall::Claim(_) => encode(&Claimed::default()),
        ProfileCall::Link(_) => encode(&false),
        ProfileCall::Take(_) => encode(&Taken::default()),
        ProfileCall::ArchiveKey => encode(&None::<ArchiveKey>),
        ProfileCall::ConsentStanding => encode(&ConsentStanding::default()),
        ProfileCall::ConsentCopy { .. } => encode(&ConsentCopy::default()),
        ProfileCall::Summary => encode(&pages::summary_of_nobody()),
        ProfileCall::Unlearn(_) => encode(&Unlearned::default()),
        ProfileCall::Events { .. }
        | ProfileCall::Receipts { .. }
        | ProfileCall::OptIns { .. }
        | ProfileCall::Deliveries { .. } => encode(&Page::default()),
        ProfileCall::Replay { .. } => encode(&0),
        ProfileCall::Wanted(asked) => encode(&vec![false; asked.len()]),
        ProfileCall::Sending(asked) => encode(&vec![None::<i64>; asked.len()]),
        ProfileCall::Own { part: OwnPart::Profile, .. } => encode(&pages::summary_of_nobody()),
        ProfileCall::Own { .. } => encode(&Page::default()),
        ProfileCall::Erasure => encode(&None::<ErasureStanding>),
        ProfileCall::OptInLink { .. } => encode(&LinkStanding::default()),
        ProfileCall::Record { .. }
        | ProfileCall::Consent(_)
        | ProfileCall::ConsentReports(_)
        | ProfileCall::Adopt(_)
        | ProfileCall::Know { .. }
        | ProfileCall::OptIn(_)
        | ProfileCall::Repoint { .. }
        | ProfileCall::Leave { .. }
        | ProfileCall::Erase(_)
        | ProfileCall::Confirm { .. } => encode(&()),
    }
}
