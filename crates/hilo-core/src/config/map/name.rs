//! The names that rules may give to what they write. In: a name. Out: why it must not be given.

use crate::strict::is_unsafe_key;

/// Names that no field may have, without `_` and in small letters. A rule writes no ids, times, consent, nor what services know people by.
const RESERVED: [&str; 21] = [
    "anonymousid",
    "claimedid",
    "clientid",
    "consent",
    "context",
    "deviceid",
    "distinctid",
    "email",
    "eventtime",
    "externalid",
    "id",
    "integrations",
    "ip",
    "messageid",
    "phone",
    "receivedat",
    "sentat",
    "time",
    "timestamp",
    "token",
    "userid",
];
/// Bytes of a field's name.
const NAME_BYTES_MAX: usize = 128;

/// Why a field must not have this name. `allowed` are names that it may have all the same.
pub(super) fn name_fault(name: &str, allowed: &[&str]) -> Option<&'static str> {
    let plain: String =
        name.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect();
    if name.is_empty() || name.len() > NAME_BYTES_MAX || is_unsafe_key(name) {
        return Some("cannot be the name of a field");
    }
    if name.starts_with('$') {
        return Some("begins like a service's own fields, which rules do not write");
    }
    let is_reserved = RESERVED.contains(&plain.as_str()) && !allowed.contains(&name);
    is_reserved.then_some("is hilo's to write: a rule writes no ids, times or consent, nor what services know people by")
}
