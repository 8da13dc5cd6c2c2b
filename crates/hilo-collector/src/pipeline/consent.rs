//! `/v1/consent`: a change → the profile's record → the receipt. A GET answers the person's copy of the record.

use crate::call::{Call, Trouble, secret};
use crate::calls::{ConsentCopy, ProfileCall, ask_profile};
use crate::ingest::{self, consent, cookie, hello};
use crate::platform::{Platform, Reply};
use crate::signature::object_name;

/// Records a change.
pub(super) async fn change<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    ingest::require_header(call.incoming)?;
    let (body, source) = ingest::open_object(call)?;
    let secret = secret(call.platform)?;
    let accepted = consent::accept(hello::read(body)?, &secret, call)?;
    let name = object_name(&secret, &accepted.key);
    let change = ProfileCall::Consent(accepted.change.clone());
    let recorded = ask_profile(call.platform, name, &change).await?;
    Ok(cookie::keep_from_apps(consent::receipt(&accepted, &recorded, &secret, call), source))
}

/// Answers the person's copy.
pub(super) async fn copy<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let secret = secret(call.platform)?;
    let name = object_name(&secret, &consent::whose(&secret, call)?);
    let copy: ConsentCopy = ask_profile(call.platform, name, &ProfileCall::ConsentCopy).await?;
    Ok(consent::copy(&copy))
}
