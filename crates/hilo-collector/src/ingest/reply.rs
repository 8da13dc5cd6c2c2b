//! The answers of protocol.md: a batch with an outcome for each event, a refusal of the whole request, and our own
//! failure.

use hilo_core::outcome::{Code, Outcome, Rejection};
use serde::Serialize;

use super::welcome::Ridden;
use crate::platform::{Body, Reply};

/// The seconds until a client should try again after our own failure.
const RETRY_AFTER_S: &str = "2";

#[derive(Serialize)]
struct BatchAnswer<'a> {
    success: bool,
    accepted: usize,
    duplicate: usize,
    rejected: Vec<RejectedEvent<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notices: Vec<Notice<'a>>,
    #[serde(flatten)]
    hello: Option<Ridden<'a>>,
}

/// What was corrected or left out of events, with the first such event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice<'a> {
    /// The event's index in the envelope.
    pub index: usize,
    /// The event's id, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<&'a str>,
    /// How often the envelope has this fault.
    pub count: usize,
    /// The fault.
    #[serde(flatten)]
    pub why: &'a Rejection,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RejectedEvent<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<&'a str>,
    #[serde(flatten)]
    why: &'a Rejection,
}

/// Answers an envelope: `accepted + duplicate + rejected` is the number of its events. An event that our policy dropped
/// counts as rejected, because the sender has to do the same in both cases. `hello` answers a hello that rode on the envelope.
pub fn judged<'a>(
    items: impl Iterator<Item = (usize, Option<&'a str>, &'a Outcome)>,
    notices: Vec<Notice<'a>>,
    hello: Option<Ridden<'a>>,
) -> Reply {
    let (success, rejected) = (true, Vec::new());
    let mut answer = BatchAnswer { success, accepted: 0, duplicate: 0, rejected, notices, hello };
    for (index, message_id, outcome) in items {
        match outcome {
            Outcome::Accepted => answer.accepted += 1,
            Outcome::Duplicate => answer.duplicate += 1,
            Outcome::Rejected(why) | Outcome::Dropped(why) => {
                answer.rejected.push(RejectedEvent { index, message_id, why });
            }
        }
    }
    json(200, &answer)
}

/// Adds `ok` to an answer with outcomes, in the words of Jitsu's client.
pub fn in_jitsus_words(mut reply: Reply) -> Reply {
    if let Body::Text(body) = &mut reply.body
        && body.starts_with('{')
    {
        body.insert_str(1, "\"ok\":true,");
    }
    reply
}

/// Answers a request that was refused as a whole. The reason stands there twice: older Segment libraries read the top
/// level, and send again for ever without it. What our own side has to mend says when to try again.
pub fn refused(why: &Rejection) -> Reply {
    #[derive(Serialize)]
    struct Refused<'a> {
        #[serde(flatten)]
        why: &'a Rejection,
        error: &'a Rejection,
    }
    let mut reply = json(why.code.status(), &Refused { why, error: why });
    if why.code.is_ours() {
        reply.headers.push("retry-after", RETRY_AFTER_S);
    }
    reply
}

/// Acknowledges what nobody stores: a library's measurements of itself.
pub fn passed_over() -> Reply {
    #[derive(Serialize)]
    struct PassedOver {
        success: bool,
    }
    json(200, &PassedOver { success: true })
}

/// The answer when the events are not known to be durable. The reason goes into our log, not into the answer.
pub fn unavailable() -> Reply {
    let why = Rejection::new(Code::Unavailable, "not stored; send the same again later");
    refused(&why)
}

/// The answer to too much at once. 200 means durable, so the sender keeps what it has sent.
pub fn busy(after_s: u32) -> Reply {
    let message = "too much at once: send the same again after the seconds of Retry-After";
    let mut reply = refused(&Rejection::new(Code::RateLimited, message));
    reply.headers.push("retry-after", after_s.to_string());
    reply
}

/// Writes any shape as a JSON answer.
pub fn json<T: Serialize>(status: u16, body: &T) -> Reply {
    match serde_json::to_string(body) {
        Ok(text) => Reply::json(status, text),
        Err(_) => Reply::empty(500),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_duplicate_and_rejected_add_up_to_the_envelope() {
        let outcomes = [
            Outcome::Accepted,
            Outcome::Duplicate,
            Outcome::Rejected(Rejection::at(Code::WrongType, "event", "text is needed")),
        ];
        let items = outcomes.iter().enumerate().map(|(i, outcome)| (i, Some("m"), outcome));
        assert_eq!(
            judged(items, Vec::new(), None).body,
            Body::Text(
                r#"{"success":true,"accepted":1,"duplicate":1,"rejected":[{"index":2,"messageId":"m","code":"wrong_type","field":"event","message":"text is needed"}]}"#
                    .to_owned()
            )
        );
    }

    #[test]
    fn an_answer_lists_what_was_left_out() {
        let why = Rejection::at(Code::ReservedId, "userId", "leave it out");
        let notice = Notice { index: 0, message_id: Some("m"), count: 2, why: &why };
        let items = [(0, Some("m"), &Outcome::Accepted)].into_iter();
        assert_eq!(
            judged(items, vec![notice], None).body,
            Body::Text(
                r#"{"success":true,"accepted":1,"duplicate":0,"rejected":[],"notices":[{"index":0,"messageId":"m","count":2,"code":"reserved_id","field":"userId","message":"leave it out"}]}"#
                    .to_owned()
            )
        );
    }

    #[test]
    fn a_refusal_is_answered_with_its_own_status_and_says_why_twice() {
        let reply = refused(&Rejection::at(Code::WrongType, "batch", "a list"));
        assert_eq!(reply.status, 422);
        let why = r#""code":"wrong_type","field":"batch","message":"a list""#;
        assert_eq!(reply.body, Body::Text(format!(r#"{{{why},"error":{{{why}}}}}"#)));
    }
}
