//! The HTTP side of the cart's calls: bodies → calls of the object, the object's answers → replies.
//!
//! This file reads shapes and passes refusals on. The pipeline finds the cart's owner and handles a login.

use hilo_core::cart::wire::{Ops, Revision};
use hilo_core::cart::{Refusal, ReplicaId};
use hilo_core::outcome::{Code, Rejection};
use hilo_core::strict::read_bytes;
use hilo_core::validate;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::hello;
use crate::calls::cart::{CartAnswer, CartAsk, Command, Order, Person, Since};
use crate::calls::refused::{CartRefusal, RefusedCode};
use crate::platform::{Failure, Incoming, Reply};

/// The seconds until a client should repeat a call of a cart that is moving.
const MERGING_RETRY_S: &str = "1";
/// The length of a label in hex digits.
const LABEL_CHARS: usize = 32;

/// A body that is no call of the cart.
#[derive(Debug)]
pub enum Unread {
    /// The call is rejected.
    Rejected(Rejection),
    /// The delta is refused.
    Refused(CartRefusal),
}

impl From<Rejection> for Unread {
    fn from(why: Rejection) -> Unread {
        Unread::Rejected(why)
    }
}

impl From<Refusal> for Unread {
    fn from(refusal: Refusal) -> Unread {
        Unread::Refused(CartRefusal::from(&refusal))
    }
}

/// Reads `GET /v1/cart?epoch=&rev=&replica=`. A missing parameter means the beginning.
pub fn since(incoming: &Incoming, with_lines: bool) -> CartAsk {
    fn number<T: std::str::FromStr>(incoming: &Incoming, name: &str) -> Option<T> {
        incoming.query_value(name)?.parse().ok()
    }
    CartAsk::View(Since {
        epoch: number(incoming, "epoch").unwrap_or(0),
        rev: Revision(number(incoming, "rev").unwrap_or(0)),
        replica: number(incoming, "replica").map(ReplicaId),
        with_lines,
    })
}

#[derive(Deserialize)]
struct About {
    #[serde(default)]
    person: Option<Person>,
}

/// Reads a delta, and the person that its touchpoints are about.
///
/// # Errors
/// A refusal if the body is no delta or is too large.
pub fn ops(body: &[u8]) -> Result<CartAsk, Unread> {
    let ops = Box::new(Ops::read(body)?);
    let About { person } = read_bytes(body).ok_or(Refusal::Malformed)?;
    Ok(CartAsk::Ops { ops, person: checked(person)? })
}

/// Reads the beginning of a checkout.
///
/// # Errors
/// A rejection if the body is no object of that shape.
pub fn checkout(body: &[u8]) -> Result<CartAsk, Unread> {
    let About { person } = object(body)?;
    Ok(CartAsk::Checkout { person: checked(person)? })
}

/// Reads an order.
///
/// # Errors
/// A rejection if the body is no object of that shape.
pub fn ordered(body: &[u8]) -> Result<CartAsk, Unread> {
    let order: Order = object(body)?;
    let person = checked(order.person)?;
    Ok(CartAsk::Ordered(Order { person, is_foreign: false, ..order }))
}

/// Reads commands.
///
/// # Errors
/// A rejection if the body is no object of that shape.
pub fn commands(body: &[u8]) -> Result<CartAsk, Unread> {
    #[derive(Deserialize)]
    struct Body {
        commands: Vec<Command>,
    }
    let Body { commands } = object(body)?;
    Ok(CartAsk::Commands(commands))
}

fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, Rejection> {
    let empty: &[u8] = b"{}";
    hello::read(validate::read_object(if body.is_empty() { empty } else { body })?)
}

fn checked(person: Option<Person>) -> Result<Option<Person>, Rejection> {
    if let Some(person) = &person {
        hello::check_form(&person.anonymous_id)?;
    }
    Ok(person)
}

/// Reads the label from a socket's address.
///
/// # Errors
/// `wrong_type` for text that is no label, `malformed_body` for a request that opens no socket.
pub fn socket_label(incoming: &Incoming) -> Result<String, Rejection> {
    if incoming.headers.get("upgrade").is_none_or(|word| !word.eq_ignore_ascii_case("websocket")) {
        return Err(Rejection::new(Code::MalformedBody, "this path opens a WebSocket"));
    }
    let label = incoming.query_value("cart").unwrap_or_default();
    let is_hex = label.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if label.len() != LABEL_CHARS || !is_hex {
        return Err(Rejection::at(Code::WrongType, "cart", "the cart's label, as its view has it"));
    }
    Ok(label)
}

/// Reads the ticket from a socket's protocols. A page offers two, `hilo` and `ticket.<ticket>`, and the answer takes `hilo`.
pub fn socket_ticket(incoming: &Incoming) -> Option<&str> {
    let offered = incoming.headers.get("sec-websocket-protocol")?;
    offered.split(',').find_map(|protocol| protocol.trim().strip_prefix("ticket."))
}

/// Makes the reply from an object's answer, with the fields that the pipeline adds to a view.
pub fn reply(answer: &CartAnswer, extras: &[(&str, Value)]) -> Reply {
    let mut body = answer.body.get().to_owned();
    if answer.refused.is_none() {
        for (name, value) in extras {
            // A view is never an empty object.
            if body.pop() == Some('}') {
                body.push_str(&format!(",\"{name}\":{value}}}"));
            }
        }
    }
    let mut reply = Reply::json(answer.status(), body);
    if answer.refused == Some(RefusedCode::CartMerging) {
        reply.headers.push("retry-after", MERGING_RETRY_S);
    }
    reply
}

/// Makes the reply to a call that is refused before any object is called.
///
/// # Errors
/// `Fatal` if the refusal cannot be written as JSON, which is a bug.
pub fn refused(why: &CartRefusal) -> Result<Reply, Failure> {
    Ok(Reply::json(why.code.status(), why.to_body()?))
}

/// The view of a visitor who has no cart yet. No object is called.
pub fn empty_view() -> Reply {
    let body = r#"{"cart":null,"rev":"0","epoch":0,"acked":0,"full":{"vv":{},"put":[],"info":[]},"checkout_open":false}"#;
    Reply::json(200, body.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Body;

    #[test]
    fn fields_that_the_pipeline_adds_follow_the_fields_of_the_view() {
        let answer = CartAnswer::done(&serde_json::json!({"cart": "c"}), false).unwrap();
        let reply = reply(&answer, &[("live", "t".into())]);
        assert_eq!(reply.body, Body::Text(r#"{"cart":"c","live":"t"}"#.to_owned()));
    }
}
