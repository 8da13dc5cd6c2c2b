//! The shell of a cart's object: calls and sockets in, news out, one alarm.
//!
//! `store/cart` stores and decides, and `shell/cart` has the code that both shells need. An answer or a frame leaves
//! only when all writes are durable: workerd's output gate holds it until then.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use jiff::Timestamp;
use worker::{
    DurableObject, Env, Error, Request, Response, Result, State, WebSocket,
    WebSocketIncomingMessage, WebSocketPair, durable_object,
};

use super::bindings;
use super::edge::{Edge, log, now};
use super::object::{self, refuse, request_of, worker_error};
use super::object_sql::ObjectSql;
use crate::call::secret;
use crate::calls::encode;
use crate::calls::refused::{CartRefusal, RefusedCode};
use crate::platform::{Failure, log_line};
use crate::shell::alarm::Alarm;
use crate::shell::cart::{self, CartHost};
use crate::store::cart::{self as store, News, Room, Socket, Turn, Volatile};

/// The close code of a socket whose frame could not be stored. The page connects again and gets the stored cart.
const CLOSE_FAILED: (u16, &str) = (1_011, "not stored; connect again");
/// The close code of a socket that sends bytes.
const CLOSE_BINARY: (u16, &str) = (1_003, "frames are text");
/// The close code of a socket whose cart was deleted.
const CLOSE_GONE: (u16, &str) = (1_000, "the cart is gone");

/// The object of one cart.
#[durable_object]
pub struct CartObject {
    shell: Rc<CartShell>,
}

struct CartShell {
    state: Rc<State>,
    env: Env,
    sql: ObjectSql,
    volatile: RefCell<Volatile>,
    alarm: Alarm,
    /// The sockets by their ids. After hibernation they are read again from the runtime.
    sockets: RefCell<Option<BTreeMap<u64, Connected>>>,
}

/// A socket, its attachment, and the times of its last frames.
struct Connected {
    end: WebSocket,
    socket: Socket,
    times: VecDeque<i64>,
}

impl DurableObject for CartObject {
    fn new(state: State, env: Env) -> Self {
        let sql = ObjectSql::of(&state);
        // The runtime answers a ping without waking the object.
        if let Ok(pair) = worker::worker_sys::WebSocketRequestResponsePair::new("ping", "pong") {
            state.set_websocket_auto_response(&pair);
        }
        let shell = CartShell {
            state: Rc::new(state),
            env,
            sql,
            volatile: RefCell::default(),
            alarm: Alarm::default(),
            sockets: RefCell::default(),
        };
        CartObject { shell: Rc::new(shell) }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        if request.headers().get("upgrade")?.is_some() {
            let ticket = request.headers().get(bindings::TICKET)?.unwrap_or_default();
            return self.shell.open(&ticket);
        }
        let call = request.text().await?;
        let answered = match cart::answer(&*self.shell, &call) {
            Ok(answered) => answered,
            Err(failure) => return refuse(&failure),
        };
        if answered.pump {
            self.shell.drive_later(request_of(&request.path()));
        }
        Response::ok(answered.reply)
    }

    async fn websocket_message(
        &self,
        end: WebSocket,
        message: WebSocketIncomingMessage,
    ) -> Result<()> {
        self.shell.take_frame(&end, message).await
    }

    async fn websocket_close(
        &self,
        end: WebSocket,
        _code: usize,
        _reason: String,
        _was_clean: bool,
    ) -> Result<()> {
        self.shell.forget(&end);
        // This is the other half of the closing handshake. Without it the browser waits for its own time-out.
        let _ = end.close::<String>(None, None);
        Ok(())
    }

    async fn websocket_error(&self, end: WebSocket, _error: Error) -> Result<()> {
        self.shell.forget(&end);
        Ok(())
    }

    async fn alarm(&self) -> Result<Response> {
        self.shell.end_overdue_sockets();
        cart::on_alarm(&*self.shell, &self.shell.edge()).await;
        Response::empty()
    }
}

impl CartShell {
    /// Returns the values of a turn. This is a function of its own, because `with` is compiled for each of its callers.
    fn turn(&self) -> (String, Timestamp, [u8; 16]) {
        let mut random = [0; 16];
        bindings::fill_random(&mut random);
        (self.state.id().name().unwrap_or_default(), now(), random)
    }

    /// Runs `work` on the sockets.
    fn with_sockets<T>(&self, work: impl FnOnce(&mut BTreeMap<u64, Connected>) -> T) -> T {
        let mut sockets = self.sockets.borrow_mut();
        work(sockets.get_or_insert_with(|| self.connected()))
    }

    /// Reads the sockets from the runtime. This is a function of its own, because [`CartShell::with_sockets`] is
    /// compiled for each of its callers.
    fn connected(&self) -> BTreeMap<u64, Connected> {
        let ends = self.state.get_websockets().into_iter();
        let connected = ends.filter_map(|end| {
            let socket = attachment(&end)?;
            Some((socket.id, Connected { end, socket, times: VecDeque::new() }))
        });
        connected.collect()
    }

    /// Opens a socket. The socket gets nothing before its first frame.
    fn open(&self, ticket: &str) -> Result<Response> {
        let mut id = [0; 8];
        bindings::fill_random(&mut id);
        let id = u64::from_be_bytes(id);
        let secret = match secret(&self.edge()) {
            Ok(secret) => secret,
            Err(failure) => return refuse(&failure),
        };
        let opened = self.with(|_, _, turn| Socket::open(id, ticket, &secret, turn));
        let Some(socket) = opened else { return Response::error("no valid ticket", 401) };
        match self.with_sockets(|sockets| store::room(sockets.values().map(|one| &one.socket))) {
            Room::Free => {}
            Room::InPlaceOf(oldest) => self.end(oldest, store::CROWDED),
            Room::Full => {
                let why = CartRefusal::from(RefusedCode::TooManySockets);
                let body = why.to_body().map_err(|failure| worker_error(&failure))?;
                let refused = Response::builder().with_status(why.code.status());
                return Ok(refused.fixed(body.into_bytes()));
            }
        }
        let pair = WebSocketPair::new()?;
        self.state.accept_web_socket(&pair.server);
        attach(&pair.server, &socket)?;
        let connected = Connected { end: pair.server, socket, times: VecDeque::new() };
        self.with_sockets(|sockets| sockets.insert(id, connected));
        if let Err(failure) = cart::arm(self) {
            return refuse(&failure);
        }
        let mut response = Response::from_websocket(pair.client)?;
        response.headers_mut().set("sec-websocket-protocol", bindings::SOCKET_PROTOCOL)?;
        Ok(response)
    }

    async fn take_frame(&self, end: &WebSocket, message: WebSocketIncomingMessage) -> Result<()> {
        let Some(mut socket) = attachment(end) else { return close(end, CLOSE_FAILED) };
        let WebSocketIncomingMessage::String(text) = message else {
            return close(end, CLOSE_BINARY);
        };
        let now_ms = now().as_millisecond();
        let is_flood = self.with_sockets(|sockets| {
            let known = sockets.get_mut(&socket.id);
            known.is_some_and(|known| store::is_flood(&mut known.times, now_ms))
        });
        if is_flood {
            return close(end, store::FLOOD);
        }
        let is_full = || {
            self.with_sockets(|sockets| store::room(sockets.values().map(|one| &one.socket)))
                == Room::Full
        };
        if !socket.is_greeted && is_full() {
            self.forget(end);
            return close(end, store::FULL);
        }
        let before = socket.clone();
        let frame = secret(&self.edge()).and_then(|secret| {
            self.with(|sql, volatile, turn| {
                store::frame(sql, volatile, &mut socket, &text, &secret, turn)
            })
        });
        let frame = match frame {
            Ok(frame) => frame,
            Err(failure) => {
                log(&log_line("error", "frame", &[("why", failure.message())]));
                return close(end, CLOSE_FAILED);
            }
        };
        if socket != before {
            attach(end, &socket)?;
            self.with_sockets(|sockets| {
                if let Some(known) = sockets.get_mut(&socket.id) {
                    known.socket = socket;
                }
            });
        }
        for reply in &frame.replies {
            end.send_with_str(reply)?;
        }
        self.tell(&frame.news);
        if let Some(why) = frame.close {
            self.forget(end);
            close(end, why)?;
        }
        // The alarm is set before anything is awaited: if the object dies meanwhile, its alarm continues the work.
        if let Err(failure) = cart::arm(self) {
            log(&log_line("error", "alarm", &[("why", failure.message())]));
        }
        if frame.pump {
            cart::drive_cart(self, &self.edge()).await;
        }
        Ok(())
    }

    fn forget(&self, end: &WebSocket) {
        if let Some(socket) = attachment(end) {
            self.with_sockets(|sockets| sockets.remove(&socket.id));
        }
    }

    fn end_all(&self) {
        let ended = self.with_sockets(std::mem::take);
        for Connected { end, .. } in ended.values() {
            drop(close(end, CLOSE_GONE));
        }
    }

    /// Closes the socket with this id.
    fn end(&self, id: u64, why: (u16, &str)) {
        if let Some(Connected { end, .. }) = self.with_sockets(|sockets| sockets.remove(&id)) {
            drop(close(&end, why));
        }
    }

    fn end_overdue_sockets(&self) {
        let now_ms = now().as_millisecond();
        self.end_where(|socket| socket.overdue(now_ms));
    }

    /// Closes the sockets for which `why` returns a reason.
    fn end_where(&self, why: impl Fn(&Socket) -> Option<(u16, &'static str)>) {
        self.with_sockets(|sockets| {
            sockets.retain(|_, Connected { end, socket, .. }| match why(socket) {
                Some(why) => {
                    drop(close(end, why));
                    false
                }
                None => true,
            });
        });
    }

    /// Makes the platform for the object's own calls.
    fn edge(&self) -> Edge {
        Edge::of_object(self.env.clone(), Rc::clone(&self.state))
    }

    /// Runs the tasks that are due, after the answer to a call that was made for this request.
    fn drive_later(self: &Rc<Self>, request: &str) {
        let shell = Rc::clone(self);
        let edge = Edge::of_call(self.env.clone(), Rc::clone(&self.state), request);
        self.state.wait_until(async move {
            cart::drive_cart(&*shell, &edge).await;
        });
    }
}

impl CartHost for CartShell {
    type Sql = ObjectSql;

    fn with<T>(&self, work: impl FnOnce(&ObjectSql, &mut Volatile, Turn<'_>) -> T) -> T {
        let (name, now, random) = self.turn();
        let turn = Turn { name: &name, now, random };
        work(&self.sql, &mut self.volatile.borrow_mut(), turn)
    }

    fn tell(&self, news: &[News]) {
        if news.is_empty() {
            return;
        }
        self.with_sockets(|sockets| {
            for news in news {
                for Connected { end, socket, .. } in sockets.values() {
                    let text = self.with(|sql, volatile, turn| {
                        store::text_of(sql, volatile, socket, news, turn)
                    });
                    match text {
                        // A socket that is about to close refuses the frame. The runtime calls `websocket_close` for it.
                        Ok(Some(text)) => drop(end.send_with_str(text)),
                        Ok(None) => {}
                        Err(failure) => {
                            log(&log_line("error", "news", &[("why", failure.message())]));
                        }
                    }
                }
            }
        });
        for news in news {
            if let News::LoggedOut(login) = news {
                self.end_where(|socket| (socket.pass.login == *login).then_some(store::LOGGED_OUT));
            }
        }
        if news.contains(&News::Merged) || news.contains(&News::Erased) {
            self.end_all();
        }
    }

    fn socket_deadline_ms(&self) -> Option<i64> {
        self.with_sockets(|sockets| sockets.values().map(|one| one.socket.deadline_ms()).min())
    }

    fn alarm(&self) -> &Alarm {
        &self.alarm
    }

    fn set_alarm(&self, at_ms: i64) -> std::result::Result<(), Failure> {
        self.sql.set_alarm(at_ms)
    }

    async fn delete(&self) -> std::result::Result<(), Failure> {
        self.end_all();
        // The memory is cleared before anything is awaited: a call that arrives meanwhile must not find the old cart in
        // memory.
        self.volatile.replace(Volatile::default());
        object::delete_all(&self.state).await
    }
}

/// Reads a socket's attachment. It is text, because one value costs less to copy from JavaScript than one for each
/// field.
fn attachment(end: &WebSocket) -> Option<Socket> {
    let text: String = end.deserialize_attachment().ok()??;
    serde_json::from_str(&text).ok()
}

fn attach(end: &WebSocket, socket: &Socket) -> Result<()> {
    let text = encode(socket).map_err(|failure| worker_error(&failure))?;
    end.serialize_attachment(text)
}

fn close(end: &WebSocket, (code, reason): (u16, &str)) -> Result<()> {
    end.close(Some(code), Some(reason))
}
