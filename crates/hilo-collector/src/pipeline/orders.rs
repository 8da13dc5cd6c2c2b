//! Order webhooks in order: source → signature → order → the cart it was bought from.
//!
//! What is signed and says nothing that carts care about is answered with 200 all the same: vendors switch a webhook off
//! that hears anything else too often.

use serde_json::json;

use super::Trouble;
use crate::ingest::orders::{self, Order, Said};
use crate::ingest::{self, reply};
use crate::journal;
use crate::loaded::Loaded;
use crate::platform::{Failure, Incoming, Platform, Reply};

/// Takes what the webhook source called `name` says.
pub(super) async fn take<P: Platform>(
    name: &str,
    incoming: &Incoming,
    loaded: &Loaded,
    platform: &P,
) -> Result<Reply, Trouble> {
    let (_, webhook) = orders::source(&loaded.config, name)?;
    let secret = orders::secret(webhook, platform)?;
    match orders::read(incoming, ingest::raw(incoming)?, webhook.vendor, &secret) {
        Ok(Said::Order(order)) => hand_over(&order).await,
        Ok(Said::Nothing(why)) => Ok(reply::json(200, &json!({ "ignored": why }))),
        Err(why) => {
            journal::refused(&why, loaded, platform).await;
            Err(why.into())
        }
    }
}

async fn hand_over(_order: &Order) -> Result<Reply, Trouble> {
    Err(Trouble::Failed(Failure::Retriable("carts do not take orders yet".to_owned())))
}
