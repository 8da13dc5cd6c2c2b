//! `POST /v1/hello`: body → the id of the signed cookie, and the cookie that consent demands. This call needs no object.

use crate::call::{Call, Trouble, secret};
use crate::ingest::{self, cookie, hello};
use crate::platform::{Platform, Reply};

/// Answers a new page.
pub(super) fn take<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    ingest::require_header(call.incoming)?;
    let (body, source) = ingest::open_object(call)?;
    let reply = hello::welcome(&hello::read(body)?, &secret(call.platform)?, call)?;
    Ok(cookie::keep_from_apps(reply, source))
}
