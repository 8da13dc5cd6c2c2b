//! SumUp: checkouts of which a call told, each read by its id (REST API 0.1).
//!
//! A checkout → the reports that the rules of the preset `sumup` make of it: a payment, or an order. A call has ids only and no signature,
//! so nothing counts before SumUp itself has told it under the company's own key. Nothing is read of which no call told.

use hilo_core::config::{Problem, ProblemCode, Settings, preset_rules_for};
use hilo_core::mapping::inbound::{Call, Rules, map};
use serde::Deserialize;
use serde_json::Value;

use super::shape::{Called, Kind, Page, Proof, Reader, Refusal, Turn};
use super::words::{body, by_status, code, get, id, opened, text};
use crate::access::{MissingSecret, SecretName};
use crate::platform::{Outgoing, Response};

/// The row of the catalogue. SumUp names no number of calls a day.
pub(super) const KIND: Kind =
    Kind { name: "sumup", title: "SumUp", load, every_minutes: Some(60), daily_calls: 5_000 };

const URL: &str = "https://api.sumup.com/v0.1/checkouts";
/// The longest id of a checkout. SumUp's are UUIDs.
const ID_BYTES_MAX: usize = 64;

/// SumUp's settings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// The key of the company's account.
    api_key: SecretName,
    /// What stands behind `?key=` in the address that SumUp calls.
    webhook_key: SecretName,
    /// What the checkouts count for: `primary`, `confirm` or `ignore`.
    #[serde(default = "confirm")]
    orders: String,
}

fn confirm() -> String {
    "confirm".to_owned()
}

/// A configured account.
struct SumUp {
    api_key: SecretName,
    webhook_key: SecretName,
    rules: Rules,
}

fn load(settings: &Settings) -> Result<Box<dyn Reader>, Problem> {
    let Written { api_key, webhook_key, orders } = settings.read()?;
    let Some(rules) = preset_rules_for("sumup", &orders) else {
        let why = "write primary where the checkouts are the sales, confirm where another source has the sales, or ignore";
        return Err(settings.problem("orders", ProblemCode::BadValue, why));
    };
    Ok(Box::new(SumUp { api_key, webhook_key, rules }))
}

impl Reader for SumUp {
    fn request(&self, turn: &Turn<'_>) -> Result<Option<Outgoing>, MissingSecret> {
        let Some(told) = turn.told.first() else { return Ok(None) };
        let key = turn.access.secret(&self.api_key)?;
        Ok(Some(get(format!("{URL}/{told}"), &key)))
    }

    fn read(&self, turn: &Turn<'_>, response: &Response) -> Result<Page, Refusal> {
        let Some(told) = turn.told.first() else {
            return Ok(Page { is_done: true, ..Page::default() });
        };
        let is_done = turn.told.len() == 1;
        let mut page = Page { read: vec![told.clone()], is_done, ..Page::default() };
        // A checkout that is not there was forged, or is another company's. It must not hold back the others.
        if response.status == 404 {
            page.odd = 1;
            return Ok(page);
        }
        if !(200..300).contains(&response.status) {
            return Err(by_status(response, &code(&body(response), "error_code"), turn.now));
        }
        let checkout = opened(response, turn.now)?;
        if id(&checkout, "id").as_ref() != Some(told) {
            page.odd = 1;
            return Ok(page);
        }
        for made in map(&self.rules, Call { body: &checkout, headers: &Value::Null }) {
            match made {
                Ok(report) => page.reports.push(report),
                Err(_) => page.odd += 1,
            }
        }
        Ok(page)
    }

    fn proof(&self) -> Option<Proof<'_>> {
        Some(Proof::Query(&self.webhook_key))
    }

    /// A call tells that a checkout has another status. The older form has its id beside the type, the newer one in a part of its own.
    fn called(&self, body: &Value) -> Called {
        let path = match text(body, "event_type").as_deref() {
            Some("CHECKOUT_STATUS_CHANGED") => "id",
            Some("checkout.status.updated") => "payload.checkout_id",
            _ => return Called { odd: 1, ..Called::default() },
        };
        let ids: Vec<String> = id(body, path).filter(|id| is_id(id)).into_iter().collect();
        Called { odd: u32::from(ids.is_empty()), ids, ..Called::default() }
    }
}

/// Whether a text may stand in the path as it is.
fn is_id(id: &str) -> bool {
    id.len() <= ID_BYTES_MAX && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
