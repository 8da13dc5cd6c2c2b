//! Finds the verified user of a call, and writes a remark on the token into the reject log.

use hilo_core::identity::token::Scope;
use hilo_core::outcome::{Code, Rejection};

use super::journal;
use crate::call::Call;
use crate::ingest::user::{self, VerifiedUser, Vouched};
use crate::platform::Platform;

/// Finds the person that the request's token vouches for. A refused token is noted with the refusal of the whole call.
pub(super) async fn verified_user<P: Platform>(
    call: &Call<'_, P>,
) -> Result<Option<VerifiedUser>, Rejection> {
    let Vouched { user, remark } = user::verified_user(call).await?;
    if let Some(why) = remark {
        journal::note_remark(&why, call);
    }
    Ok(user)
}

/// Finds the person whose token has ended. It counts beside the device's own proof only, and only for a choice that takes rights
/// away.
pub(super) async fn lapsed_user<P: Platform>(call: &Call<'_, P>) -> Option<VerifiedUser> {
    user::lapsed_user(call).await.filter(|user| user.require(Scope::Profile).is_ok())
}

/// Finds the person whose token the request carries beside a device's own choice or question. A token that is no longer valid must not
/// cost that, so it is noted and passed over.
///
/// # Errors
/// `unavailable`, where no token can be verified now.
pub(super) async fn accompanying_user<P: Platform>(
    call: &Call<'_, P>,
) -> Result<Option<VerifiedUser>, Rejection> {
    match verified_user(call).await {
        Ok(user) => Ok(user.filter(|user| user.require(Scope::Profile).is_ok())),
        Err(why) if why.code == Code::Unavailable => Err(why),
        Err(why) => {
            journal::note_remark(&why, call);
            Ok(None)
        }
    }
}
