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
use crate::calls::cart::{Pass, Person, Since, Speaker};
use crate::calls::encode;
use crate::calls::refused::CartRefusal;
use crate::keyring::Keyring;
use crate::platform::{Failure, Sql};
use crate::ticket;

/// The most sockets of one cart that have sent their hello: a person's devices and tabs, or a shop that shows one cart on many
/// screens.
const SOCKETS_MAX: usize = 64;
/// The most sockets without a hello. One more takes the place of the oldest of them, so that nobody can fill a cart with silence.
const SILENT_MAX: usize = 16;
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
    /// The right that its ticket gave.
    pub pass: Pass,
    /// Whether the first frame has said where the page is. Before that the socket gets nothing.
    pub is_greeted: bool,
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

/// The place for one more socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// There is room.
    Free,
    /// There is room if the silent socket with this id is closed.
    InPlaceOf(u64),
    /// The cart has the most sockets.
    Full,
}

/// Finds the place for one more socket among those that are open. Silent sockets do not count against the others.
pub fn room<'s>(open: impl Iterator<Item = &'s Socket>) -> Room {
    let (greeted, silent): (Vec<_>, Vec<_>) = open.partition(|socket| socket.is_greeted);
    if greeted.len() >= SOCKETS_MAX {
        return Room::Full;
    }
    let oldest = silent.iter().min_by_key(|socket| socket.opened_ms);
    match oldest.filter(|_| silent.len() >= SILENT_MAX) {
        Some(socket) => Room::InPlaceOf(socket.id),
        None => Room::Free,
    }
}

impl Socket {
    /// Makes a socket; `None` without a valid ticket for the cart called `name`.
    pub fn open(id: u64, ticket: &str, secret: &Keyring, turn: Turn<'_>) -> Option<Socket> {
        let pass = ticket::read(ticket, turn.name, secret, turn.now.as_second())?;
        Some(Socket { id, opened_ms: turn.ms(), pass, is_greeted: false, replica: None })
    }

    /// The time at which the socket is closed if nothing happens: the end of its token, or the deadline of its hello.
    pub fn deadline_ms(&self) -> i64 {
        let hello_ms = if self.is_greeted { i64::MAX } else { self.opened_ms + HELLO_MS };
        hello_ms.min(self.ends_ms())
    }

    const fn ends_ms(&self) -> i64 {
        self.pass.ends_s.saturating_mul(1_000)
    }

    /// Returns the close code and its reason, if the socket is overdue at this time.
    pub fn overdue(&self, now_ms: i64) -> Option<(u16, &'static str)> {
        if now_ms >= self.ends_ms() {
            return Some((CLOSE_TICKET, "the token is over: fetch the cart with a new one"));
        }
        (now_ms >= self.deadline_ms()).then_some((CLOSE_SILENT, "no hello within 5 s"))
    }
}

/// The close code of a socket whose customer has logged out.
pub const LOGGED_OUT: (u16, &str) = (CLOSE_TICKET, "logged out");
/// The close code of a silent socket that gives its place to another one.
pub const CROWDED: (u16, &str) = (CLOSE_SILENT, "too many sockets without a hello");
/// The close code of a socket for which there is no room any more when it says hello.
pub const FULL: (u16, &str) = (CLOSE_RATE, "this cart has 64 sockets open");

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
    if let Some(why) = socket.overdue(turn.ms()) {
        return Ok(Frame { close: Some(why), ..Frame::default() });
    }
    let Ok(body) = serde_json::from_str::<FrameBody>(text) else {
        return if socket.is_greeted {
            refused(&CartRefusal::from(&Refusal::Malformed))
        } else {
            Ok(ended(CLOSE_PROTOCOL, "the first frame is a hello"))
        };
    };
    match (body.t.as_str(), socket.is_greeted) {
        ("hello", false) => hello(sql, volatile, socket, &body, turn),
        ("hello", true) => Ok(ended(CLOSE_PROTOCOL, "hello was said before")),
        (_, false) => Ok(ended(CLOSE_PROTOCOL, "the first frame is a hello")),
        ("ops", true) => ops(sql, volatile, socket, (text, body.person), turn),
        ("ticket", true) => Ok(prolong(socket, &body.ticket, secret, turn)),
        (_, true) => refused(&CartRefusal::from(&Refusal::Malformed)),
    }
}

/// Handles a hello: the socket gets the changes since the page's position, and all news from now on.
fn hello(
    sql: &impl Sql,
    volatile: &mut Volatile,
    socket: &mut Socket,
    body: &FrameBody,
    turn: Turn<'_>,
) -> Result<Frame, Failure> {
    socket.is_greeted = true;
    socket.replica = body.replica;
    let rev = body.rev.unwrap_or(Revision(0));
    let since = Since { epoch: body.epoch, rev, replica: body.replica, with_lines: false };
    welcome(sql, volatile, &since, &socket.pass.speaker, turn)
}

/// Handles a new ticket: the socket lives as long as the token behind it.
fn prolong(socket: &mut Socket, ticket: &str, secret: &Keyring, turn: Turn<'_>) -> Frame {
    match ticket::read(ticket, turn.name, secret, turn.now.as_second()) {
        Some(pass) => {
            socket.pass = pass;
            Frame::default()
        }
        None => ended(CLOSE_TICKET, "fetch the cart for a new ticket"),
    }
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
    if !volatile.updated.is_done() && !crate::store::schema::is_present(sql)? {
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
    turn: Turn<'_>,
) -> Result<Frame, Failure> {
    let speaker = &socket.pass.speaker;
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

/// Writes news as a frame for `socket`; `None` for a socket that has not sent a hello or whose time is over.
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
    if !socket.is_greeted || socket.overdue(turn.ms()).is_some() {
        return Ok(None);
    }
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
            let mut frame = welcome(sql, volatile, &since, &socket.pass.speaker, turn)?;
            frame.replies.pop().unwrap_or_default()
        }
        News::Checkout { open, changed } => {
            encode(&Checkout { t: "checkout", open: *open, changed: *changed })?
        }
        News::Merged => r#"{"t":"merged"}"#.to_owned(),
        // The shell closes the sockets of that login.
        News::LoggedOut(_) | News::Erased => return Ok(None),
    };
    Ok(Some(text))
}
