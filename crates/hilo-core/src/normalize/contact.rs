//! Contact details among traits: e-mail addresses and telephone numbers in one way of writing.
//!
//! `(event, rules) → event`: `email` in lower case without blanks, `phone` as E.164. A number without a country is read as one of
//! `normalize.country`. What has no reading stays as it came, and a number is flagged then. Proves no address.

use serde_json::Value;

use crate::config::NormalizeRules;
use crate::event::{Event, EventKind, Properties};
use crate::outcome::{Code, Rejection};
use crate::phone::{Market, e164};

/// Bytes of an e-mail address (RFC 5321, 4.5.3.1.3, without the brackets).
const EMAIL_BYTES_MAX: usize = 254;
/// Bytes of a number with all its marks. A longer text is no number.
const PHONE_BYTES_MAX: usize = 64;

/// Writes the details anew. Returns a remark where a number cannot be read.
pub fn apply(event: &mut Event, rules: &NormalizeRules) -> Option<Rejection> {
    let market = rules.country.as_deref().and_then(Market::of);
    let mut is_read = each(&mut event.context.traits, market);
    match &mut event.kind {
        EventKind::Identify { traits } | EventKind::Group { traits, .. } => {
            is_read &= each(traits, market);
        }
        EventKind::Track { .. }
        | EventKind::Page { .. }
        | EventKind::Screen { .. }
        | EventKind::Alias { .. } => {}
    }
    if is_read {
        return None;
    }
    event.context.hilo.flag(Code::PhoneUnparsed);
    let message = "this is no number of the shop's country: send it with `+` and the country's code, or set `country` in [normalize] of hilo.toml";
    Some(Rejection::at(Code::PhoneUnparsed, "traits.phone", message))
}

/// Whether the number, if there is one, could be read.
fn each(traits: &mut Properties, market: Option<&Market>) -> bool {
    if let Some(Value::String(text)) = traits.get_mut("email")
        && let Some(email) = email(text)
    {
        *text = email;
    }
    let Some(phone) = traits.get_mut("phone") else { return true };
    let text = match &*phone {
        Value::String(text) => text.clone(),
        // Some senders write a number as a number, which has lost its plus.
        Value::Number(number) if number.is_u64() => number.to_string(),
        Value::Number(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            return true;
        }
    };
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return true;
    }
    match number(&text, market) {
        Some(number) => {
            *phone = Value::String(number);
            true
        }
        None => false,
    }
}

fn number(text: &str, market: Option<&Market>) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("tel:").unwrap_or(text);
    if text.len() > PHONE_BYTES_MAX { None } else { e164(text, market) }
}

/// An address in lower case. Providers take the part before the `@` in any letters, and so do the services that hash it.
fn email(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let (user, host) = text.split_once('@')?;
    let is_address = !user.is_empty()
        && host.contains('.')
        && !host.contains('@')
        && !text.contains(char::is_whitespace)
        && text.len() <= EMAIL_BYTES_MAX;
    is_address.then(|| text.to_lowercase())
}
