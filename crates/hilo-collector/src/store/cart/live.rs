//! A cart's sockets: which frames a socket may send, the effect of each frame, and the news for all sockets.
//!
//! A frame and its socket's attachment → replies, news, or the end of the socket. The shell keeps the sockets and their
//! attachments.

use std::collections::VecDeque;

use hilo_core::cart::wire::check_bytes;
use hilo_core::cart::wire::{Broadcast, Ops, Revision};
use hilo_core::cart::{Refusal, ReplicaId};
use serde::{Deserialize, Serialize};

use super::hub::{HubAnswer, News, Volatile, within};
use super::state::StoredCart;
use super::turn::Turn;
use super::view;
use crate::calls::cart::{Person, Since, Speaker};
use crate::calls::encode;
use crate::calls::refused::CartRefusal;
use crate::keyring::Keyring;
use crate::platform::{Failure, Sql};
use crate::ticket;

/// How long a socket may stay open without a hello.
const HELLO_MS: i64 = 5_000;
/// The most bytes of a frame.
const FRAME_BYTES_MAX: usize = 64 * 1024;
/// The most frames of one socket within [`RATE_MS`].
const RATE_FRAMES_MAX: usize = 20;
/// The length of the window in which frames are counted.
const RATE_MS: i64 = 1_000;

/// Close codes. The codes from 4400 to 4499 have the meaning of the HTTP status without the leading 4.
const CLOSE_TICKET: u16 = 4_401;
const CLOSE_SILENT: u16 = 4_408;
const CLOSE_LARGE: u16 = 1_009;
const CLOSE_RATE: u16 = 4_429;
const CLOSE_PROTOCOL: u16 = 4_400;

/// A socket's attachment, which survives hibernation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Socket {
    /// A number that distinguishes the sockets of a cart.
    pub id: u64,
    /// The time when the socket was opened.
    pub opened_ms: i64,
    /// The sender of its frames, once the first frame has shown a ticket.
    pub speaker: Option<Speaker>,
    /// The replica whose operations it has sent.
    pub replica: Option<ReplicaId>,
}

/// The effects of a frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// The frames for its sender, in order. They are sent before the news.
    pub replies: Vec<String>,
    /// The news for all sockets.
    pub news: Vec<News>,
    /// Whether the outbox has touchpoints to send.
    pub pump: bool,
    /// The close code and its reason, if the socket must be closed.
    pub close: Option<(u16, &'static str)>,
}

/// The fields of a frame beside its operations. `t` is not a serde tag, because serde would copy every frame to read the
/// tag.
#[derive(Deserialize)]
struct FrameBody {
    t: String,
    #[serde(default)]
    ticket: String,
    #[serde(default)]
    epoch: u32,
    #[serde(default)]
    rev: Option<Revision>,
    #[serde(default)]
    replica: Option<ReplicaId>,
    #[serde(default)]
    person: Option<Person>,
}

/// The time at which a socket without a hello is closed.
pub fn hello_deadline_ms(socket: &Socket) -> Option<i64> {
    socket.speaker.is_none().then_some(socket.opened_ms + HELLO_MS)
}

impl Socket {
    /// Returns the close code and its reason, if the socket is overdue at this time.
    pub fn overdue(&self, now_ms: i64) -> Option<(u16, &'static str)> {
        let deadline_ms = hello_deadline_ms(self)?;
        (now_ms >= deadline_ms).then_some((CLOSE_SILENT, "no hello within 5 s"))
    }
}

/// Notes the time of a frame. Returns whether the frame is one too many.
pub fn is_flood(times: &mut VecDeque<i64>, now_ms: i64) -> bool {
    times.retain(|at_ms| now_ms - at_ms < RATE_MS);
    times.push_back(now_ms);
    times.len() > RATE_FRAMES_MAX
}

/// The close code of a socket that sends too many frames.
pub const FLOOD: (u16, &str) = (CLOSE_RATE, "at most 20 frames a second");

/// Handles a frame of `socket`, and updates the attachment.
///
/// # Errors
/// `Retriable` when the storage refuses; nothing of the frame is stored then.
pub fn frame(
    sql: &impl Sql,
    volatile: &mut Volatile,
    socket: &mut Socket,
    text: &str,
    secret: &Keyring,
    turn: Turn<'_>,
) -> Result<Frame, Failure> {
    if text.len() > FRAME_BYTES_MAX {
        return Ok(ended(CLOSE_LARGE, "at most 64 KB a frame"));
    }
    let Ok(body) = serde_json::from_str::<FrameBody>(text) else {
        return match socket.speaker {
            Some(_) => refused(&CartRefusal::from(&Refusal::Malformed)),
            None => Ok(ended(CLOSE_PROTOCOL, "the first frame is a hello")),
        };
    };
    match (body.t.as_str(), socket.speaker.clone()) {
        ("hello", None) => hello(sql, volatile, socket, &body, secret, turn),
        ("hello", Some(_)) => Ok(ended(CLOSE_PROTOCOL, "hello was said before")),
        ("ops", Some(speaker)) => ops(sql, volatile, socket, (text, body.person), &speaker, turn),
        ("ops", None) => Ok(ended(CLOSE_TICKET, "say hello with a ticket first")),
        (_, Some(_)) => refused(&CartRefusal::from(&Refusal::Malformed)),
        (_, None) => Ok(ended(CLOSE_PROTOCOL, "the first frame is a hello")),
    }
}

/// Handles a hello: a socket with a valid ticket for this cart may send from now on.
fn hello(
    sql: &impl Sql,
    volatile: &mut Volatile,
    socket: &mut Socket,
    body: &FrameBody,
    secret: &Keyring,
    turn: Turn<'_>,
) -> Result<Frame, Failure> {
    let now_s = turn.now.as_second();
    let Some(speaker) = ticket::read(&body.ticket, turn.name, secret, now_s) else {
        return Ok(ended(CLOSE_TICKET, "fetch the cart for a new ticket"));
    };
    socket.speaker = Some(speaker.clone());
    socket.replica = body.replica;
    let rev = body.rev.unwrap_or(Revision(0));
    let since = Since { epoch: body.epoch, rev, replica: body.replica, with_lines: false };
    welcome(sql, volatile, &since, &speaker, turn)
}

fn ended(code: u16, reason: &'static str) -> Frame {
    Frame { close: Some((code, reason)), ..Frame::default() }
}

fn refused(why: &CartRefusal) -> Result<Frame, Failure> {
    #[derive(Serialize)]
    struct RefusedFrame<'a> {
        t: &'a str,
        error: &'a CartRefusal,
    }
    let reply = encode(&RefusedFrame { t: "refused", error: why })?;
    Ok(Frame { replies: vec![reply], ..Frame::default() })
}

#[derive(Serialize)]
struct Tagged<'a, T> {
    t: &'a str,
    #[serde(flatten)]
    body: &'a T,
}

/// Answers a hello with the view.
fn welcome(
    sql: &impl Sql,
    volatile: &mut Volatile,
    since: &Since,
    speaker: &Speaker,
    turn: Turn<'_>,
) -> Result<Frame, Failure> {
    if !volatile.is_current && !crate::store::schema::is_present(sql)? {
        let stored = StoredCart::fresh(speaker, ReplicaId(0), 0);
        let reply = encode(&Tagged { t: "view", body: &view::new(&stored, turn.name, since) })?;
        return Ok(Frame { replies: vec![reply], ..Frame::default() });
    }
    let answered = within(sql, volatile, speaker, turn, |hub| {
        let view = hub.seen(since, None)?;
        encode(&Tagged { t: "view", body: &view })
    })?;
    Ok(Frame { replies: vec![answered.reply], ..Frame::default() })
}

fn ops(
    sql: &impl Sql,
    volatile: &mut Volatile,
    socket: &mut Socket,
    (text, person): (&str, Option<Person>),
    speaker: &Speaker,
    turn: Turn<'_>,
) -> Result<Frame, Failure> {
    let read = check_bytes(text.as_bytes()).and_then(|()| Ops::read(text.as_bytes()));
    let ops = match read {
        Ok(ops) => ops,
        Err(refusal) => return refused(&CartRefusal::from(&refusal)),
    };
    let mut refusal = None;
    let HubAnswer { reply, news, pump } =
        within(sql, volatile, speaker, turn, |hub| match hub.apply(&ops, person, speaker)? {
            Ok(true) => Ok(String::new()),
            Ok(false) => acknowledge(hub.stored.state.rev, hub.stored.cart.ctx.prefix(ops.replica)),
            Err(why) => {
                refusal = Some(why);
                Ok(String::new())
            }
        })?;
    if let Some(why) = refusal {
        return refused(&why);
    }
    socket.replica = Some(ops.replica);
    let replies = if reply.is_empty() { Vec::new() } else { vec![reply] };
    Ok(Frame { replies, news, pump, close: None })
}

fn acknowledge(rev: Revision, acked: u32) -> Result<String, Failure> {
    #[derive(Serialize)]
    struct Ack {
        t: &'static str,
        rev: Revision,
        acked: u32,
    }
    encode(&Ack { t: "ack", rev, acked })
}

/// Writes news as a frame for `socket`; `None` for a socket that has not sent a hello.
///
/// # Errors
/// `Fatal` if the news cannot be written as JSON, which is a bug.
pub fn text_of(
    sql: &impl Sql,
    volatile: &mut Volatile,
    socket: &Socket,
    news: &News,
    turn: Turn<'_>,
) -> Result<Option<String>, Failure> {
    #[derive(Serialize)]
    struct Checkout {
        t: &'static str,
        open: bool,
        changed: bool,
    }
    let Some(speaker) = &socket.speaker else { return Ok(None) };
    let prefix = |replica| {
        let stored = volatile.stored.as_ref();
        stored.map_or(0, |stored| stored.cart.ctx.prefix(replica))
    };
    let text = match news {
        News::Delta(broadcast) => {
            let acked = socket.replica.map_or(0, prefix);
            encode(&Tagged { t: "delta", body: &Broadcast { acked, ..broadcast.clone() } })?
        }
        News::Anew => {
            let none = Revision(0);
            let since = Since { epoch: 0, rev: none, replica: socket.replica, with_lines: false };
            let mut frame = welcome(sql, volatile, &since, speaker, turn)?;
            frame.replies.pop().unwrap_or_default()
        }
        News::Checkout { open, changed } => {
            encode(&Checkout { t: "checkout", open: *open, changed: *changed })?
        }
        News::Merged => r#"{"t":"merged"}"#.to_owned(),
    };
    Ok(Some(text))
}
