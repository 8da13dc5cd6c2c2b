//! Finds the verified user of a call, and writes a remark on the token into the reject log.

use hilo_core::outcome::Rejection;

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
