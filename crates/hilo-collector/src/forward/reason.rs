//! Why an event did not reach a destination: a stable code, a colon, and a sentence for people.
//!
//! Dead letters are listed and replayed by the code, so a code keeps its meaning for ever.

/// The service has nothing by which it knows the person: `what` it needs, such as "an e-mail address".
pub fn missing_identifier(what: &str) -> String {
    format!("missing_identifier: the service knows people by {what}, and none is known")
}

/// The event is older than the service allows.
pub fn too_old(kind: &str, age_s_max: u32) -> String {
    format!("too_old: {kind} takes no event older than {age_s_max} s")
}

/// The event is too large for the service.
pub fn too_large(kind: &str, bytes_max: usize) -> String {
    format!("too_large: {kind} takes at most {bytes_max} bytes of one event")
}

/// The event lacks what the service asks for, or has it in a form that the service refuses.
pub fn invalid(why: &str) -> String {
    format!("invalid: {why}")
}

/// A rule of the deployer drops the event: the rule with this number, from 1.
pub fn dropped(number: usize) -> String {
    format!("dropped: rule {number} of [[destination.map]] drops it")
}

/// No rule of `hilo.toml` asks for what the service would do with the event.
pub fn unasked(what: &str) -> String {
    format!("unasked: no rule asks for {what}")
}

/// The service refused the event for good. `why` is its own answer.
pub fn refused(why: &str) -> String {
    format!("refused: {why}")
}

/// The service does not let us in: the deployer has to mend the secret, or the rights of its owner. `why` is its own answer.
pub fn unauthorized(why: &str) -> String {
    format!("{UNAUTHORIZED}: {why}")
}

/// The service sends the request to another address. `host` is the one that it names. No redirect is followed: the request has the
/// deployer's secrets and people's data.
pub fn redirected(status: u16, host: Option<&str>) -> String {
    let host = host.unwrap_or("an address that cannot be read");
    format!(
        "redirected: status {status} leads to {host}, and no redirect is followed: write the service's new address into hilo.toml, or wait where it has none"
    )
}

/// The code of [`unauthorized`].
pub const UNAUTHORIZED: &str = "unauthorized";

/// No answer came, and the event counts as sent. `why` says what came instead.
pub fn assumed_sent(why: &str) -> String {
    format!("assumed_sent: {why}, and a repeat would count twice")
}

/// The last attempt failed, or the event has waited for too long. `why` is the last reason.
pub fn given_up(why: &str) -> String {
    format!("given_up: {why}")
}

/// The code of a reason; `other` for a text without one.
pub fn code(reason: &str) -> &str {
    let is_word = |code: &&str| {
        !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    reason.split(':').next().filter(is_word).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_begins_with_its_code() {
        assert_eq!(code(&missing_identifier("an e-mail address")), "missing_identifier");
        assert_eq!(code(&too_old("ga4", 1)), "too_old");
        assert_eq!(code(&dropped(2)), "dropped");
        assert_eq!(code(&redirected(301, None)), "redirected");
        assert_eq!(code("consent_denied"), "consent_denied");
        assert_eq!(code("status 500: no"), "other");
        assert_eq!(code(""), "other");
    }
}
