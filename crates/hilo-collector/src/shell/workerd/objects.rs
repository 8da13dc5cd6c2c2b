//! The shells of the Durable Objects: text in and out, alarms, the queue. What they keep is `store`'s.
//!
//! An answer leaves only when what was written is durable: workerd's output gate holds it until then.

#![expect(
    missing_docs,
    reason = "the methods that #[durable_object] writes carry no documentation"
)]

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures_channel::mpsc::{UnboundedSender, unbounded};
use jiff::Timestamp;
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use wasm_bindgen::{JsCast, JsValue};
use worker::js_sys::futures::{JsFuture, future_to_promise};
use worker::js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use worker::web_sys::{self, Request};
use worker::worker_sys::DurableObjectState;
use worker::{Delay, Env, Error, Response, Result, State};

use super::bindings::{self, Answering, Messages, word};
use super::edge::{log, now};
use super::object_sql::ObjectSql;
use crate::calls::{Delivery, messages, read_message};
use crate::platform::{Failure, log_line};
use crate::store::{journal, profile};

/// Messages that one call may hand to a queue, and the bytes they may have together (Cloudflare Queues' limits are
/// 100 and 256 KB; the rest is left to the runtime's own wrapping).
const SEND_MESSAGES_MAX: usize = 100;
const SEND_BYTES_MAX: usize = 240 * 1024;
/// How long deliveries wait for others: what a visit sends within this shares a message, a call of the consumer and a
/// confirmation, and each of them costs.
const PUMP_AFTER: Duration = Duration::from_secs(1);
/// How late an alarm may be before it counts as lost: under load it waits its turn, and setting it anew would put it off.
const ALARM_LATE_MS: i64 = 10_000;
/// Watchers of the live stream.
const WATCHERS_MAX: usize = 32;

/// An object's answer when it could not do what it was asked.
pub(super) fn refuse(failure: &Failure) -> Result<Response> {
    let status = match failure {
        Failure::Retriable(_) => 503,
        Failure::Fatal(_) => 500,
    };
    Response::error(failure.message(), status)
}

/// Hands `work`'s answer to the runtime. The classes below are written out, without `#[durable_object]`: that wraps request
/// and answer in types of its own, which costs a dozen looks into JavaScript for each event batch.
fn promise(work: impl Future<Output = Result<web_sys::Response>> + 'static) -> Promise {
    future_to_promise(std::panic::AssertUnwindSafe(async {
        work.await.map(JsValue::from).map_err(JsValue::from)
    }))
}

/// What `fetch` of an object gives a call's bytes to. As bytes: JavaScript would make a string of them, and hand it over
/// character by character. `answer` waits for nothing, so all that it writes is written in one turn.
fn answering(answer: impl Fn(&str) -> Result<web_sys::Response> + 'static) -> Answering {
    Closure::new(move |call: Vec<u8>| {
        let call = String::from_utf8(call);
        let call = call.map_err(|error| Error::RustError(error.to_string()));
        call.and_then(|call| answer(&call)).map_err(JsValue::from)
    })
}

/// One person or device.
#[wasm_bindgen]
pub struct ProfileObject {
    shell: Rc<ProfileShell>,
    answer: Answering,
}

struct ProfileShell {
    state: State,
    env: Env,
    sql: ObjectSql,
    name: String,
    /// In memory on purpose: see `store/profile/outbox.rs`.
    volatile: RefCell<profile::Volatile>,
    /// The alarm that is set, as far as this life of the object knows.
    alarm_ms: Cell<Option<i64>>,
    /// Whether what is due is about to be sent.
    is_waiting: Cell<bool>,
}

#[wasm_bindgen]
impl ProfileObject {
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, env: Env) -> ProfileObject {
        let state = State::from(state);
        let (sql, name) = (ObjectSql::of(&state), state.id().name().unwrap_or_default());
        let (volatile, alarm_ms, is_waiting) = Default::default();
        let shell = ProfileShell { state, env, sql, name, volatile, alarm_ms, is_waiting };
        let shell = Rc::new(shell);
        let asked = Rc::clone(&shell);
        let answer = answering(move |call| match asked.answer(call) {
            Ok(reply) if reply.is_empty() => Ok(bindings::nothing()),
            Ok(reply) => Ok(web_sys::Response::new_with_opt_str(Some(&reply))?),
            Err(failure) => refuse(&failure).map(web_sys::Response::from),
        });
        ProfileObject { shell, answer }
    }

    pub fn fetch(&self, request: &Request) -> Promise {
        bindings::answered(request, &self.answer)
    }

    pub fn alarm(&self) -> Promise {
        let shell = Rc::clone(&self.shell);
        promise(async move {
            shell.alarm_ms.set(None);
            let due = profile::due(&shell.sql, &mut shell.volatile.borrow_mut(), now());
            shell.pump(due).await;
            // Re-armed whatever happened: workerd gives up an alarm that failed too often.
            let next = profile::next_alarm(&shell.sql, now());
            if let Err(failure) = next.and_then(|at| shell.arm(at)) {
                log(&log_line("error", "alarm", &[("why", failure.message())]));
            }
            Ok(web_sys::Response::new()?)
        })
    }
}

impl ProfileShell {
    /// Synchronous from the first row to the alarm, so that all is written or nothing.
    fn answer(self: &Rc<Self>, call: &str) -> std::result::Result<String, Failure> {
        let mut volatile = self.volatile.borrow_mut();
        let answered = profile::answer(&self.sql, &mut volatile, &self.name, call, now())?;
        self.arm(answered.alarm)?;
        if answered.pump && !self.is_waiting.replace(true) {
            let shell = Rc::clone(self);
            self.state.wait_until(async move {
                Delay::from(PUMP_AFTER).await;
                shell.is_waiting.set(false);
                let due = profile::ready(&shell.sql, &mut shell.volatile.borrow_mut(), now());
                shell.pump(due).await;
            });
        }
        Ok(answered.reply)
    }

    /// Hands what is due to the queue. What it does not take is due again.
    async fn pump(&self, due: std::result::Result<Vec<Delivery>, Failure>) {
        let deliveries = match due {
            Ok(deliveries) => deliveries,
            Err(failure) => {
                log(&log_line("error", "outbox", &[("why", failure.message())]));
                return;
            }
        };
        if let Err(error) = self.send(&deliveries).await {
            log(&log_line("warn", "queue", &[("why", &error.to_string())]));
            profile::release(&mut self.volatile.borrow_mut(), &deliveries);
        }
    }

    /// Sets the alarm for `at`, unless one is set that comes no later.
    fn arm(&self, at: Option<Timestamp>) -> std::result::Result<(), Failure> {
        let Some(at_ms) = at.map(Timestamp::as_millisecond) else { return Ok(()) };
        let now_ms = now().as_millisecond();
        if self.alarm_ms.get().is_some_and(|set| set <= at_ms && now_ms - set < ALARM_LATE_MS) {
            return Ok(());
        }
        self.sql.set_alarm(at_ms)?;
        self.alarm_ms.set(Some(at_ms));
        Ok(())
    }

    /// Many deliveries share a message, and many messages a call: each costs a round trip, and money.
    async fn send(&self, deliveries: &[Delivery]) -> Result<()> {
        let queue: Messages =
            Reflect::get(&self.env, &word(bindings::DELIVERIES))?.unchecked_into();
        let (batch, mut bytes) = (Array::new(), 0);
        let texts = messages(deliveries);
        for text in texts.map_err(|failure| Error::RustError(failure.message().to_owned()))? {
            let is_full = usize::try_from(batch.length()).unwrap_or(usize::MAX)
                >= SEND_MESSAGES_MAX
                || bytes + text.len() > SEND_BYTES_MAX;
            if is_full {
                JsFuture::from(queue.send_batch(&batch)?).await?;
                batch.set_length(0);
                bytes = 0;
            }
            bytes += text.len();
            batch.push(&message(&text)?);
        }
        if batch.length() > 0 {
            JsFuture::from(queue.send_batch(&batch)?).await?;
        }
        Ok(())
    }
}

/// One message to be sent.
fn message(text: &str) -> Result<JsValue> {
    let message = Object::new();
    Reflect::set(&message, &word("body"), &Uint8Array::from(text.as_bytes()))?;
    Reflect::set(&message, &word("contentType"), &word("bytes"))?;
    Ok(message.into())
}

/// Rejects, the live stream, delivery counters, dead letters: one object for all.
#[wasm_bindgen]
pub struct JournalObject {
    shell: Rc<JournalShell>,
    answer: Answering,
}

struct JournalShell {
    sql: ObjectSql,
    volatile: RefCell<journal::Volatile>,
    watchers: RefCell<Vec<UnboundedSender<Result<Vec<u8>>>>>,
}

#[wasm_bindgen]
impl JournalObject {
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, _env: Env) -> JournalObject {
        let sql = ObjectSql::of(&State::from(state));
        let (volatile, watchers) = Default::default();
        let shell = Rc::new(JournalShell { sql, volatile, watchers });
        let asked = Rc::clone(&shell);
        let answer = answering(move |call| asked.answer(call).map(web_sys::Response::from));
        JournalObject { shell, answer }
    }

    pub fn fetch(&self, request: Request) -> Promise {
        if request.method() != "GET" {
            return bindings::answered(&request, &self.answer);
        }
        let shell = Rc::clone(&self.shell);
        promise(async move {
            let url = request.url();
            let after = url.rsplit('/').next().and_then(|after| after.parse().ok());
            shell.watch(after.unwrap_or(0)).map(web_sys::Response::from)
        })
    }
}

impl JournalShell {
    fn answer(&self, call: &str) -> Result<Response> {
        match journal::answer(&self.sql, &mut self.volatile.borrow_mut(), call, now()) {
            Ok(answered) => {
                self.tell(&answered.live);
                let mut response = Response::ok(answered.reply)?;
                let watched = if self.watchers.borrow().is_empty() { "0" } else { "1" };
                response.headers_mut().set(bindings::WATCHED, watched)?;
                Ok(response)
            }
            Err(failure) => refuse(&failure),
        }
    }

    fn watch(&self, after: i64) -> Result<Response> {
        let mut watchers = self.watchers.borrow_mut();
        watchers.retain(|watcher| !watcher.is_closed());
        if watchers.len() >= WATCHERS_MAX {
            return Response::error("too many watchers", 503);
        }
        let lines = match journal::ring(&self.sql, &mut self.volatile.borrow_mut(), after) {
            Ok(lines) => lines,
            Err(failure) => return refuse(&failure),
        };
        let (sender, receiver) = unbounded();
        // A comment first: the watcher learns that it is connected before anything happens.
        let hello = std::iter::once(": watching\n\n".to_owned());
        for text in hello.chain(lines.iter().map(|line| frame(line))) {
            // The receiver is right here; a failure is impossible and harmless.
            let _ = sender.unbounded_send(Ok(text.into_bytes()));
        }
        watchers.push(sender);
        Response::from_stream(receiver)
    }

    fn tell(&self, lines: &[String]) {
        let text: String = lines.iter().map(|line| frame(line)).collect();
        let send = |watcher: &UnboundedSender<Result<Vec<u8>>>| {
            !watcher.is_closed()
                && (text.is_empty()
                    || watcher.unbounded_send(Ok(text.clone().into_bytes())).is_ok())
        };
        self.watchers.borrow_mut().retain(send);
    }
}

/// One server-sent event. JSON has no raw line breaks, so a line is a line.
fn frame(line: &str) -> String {
    format!("data: {line}\n\n")
}

/// Reads the deliveries of a queue batch; what cannot be read is a message of another version and is dropped, because the
/// outbox sends it again.
pub fn deliveries(messages: &worker::MessageBatch<JsValue>) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    for message in messages.raw_iter() {
        let bytes = Uint8Array::new(&message.body()).to_vec();
        match read_message(&String::from_utf8_lossy(&bytes)) {
            Ok(list) => deliveries.extend(list),
            Err(why) => log(&log_line("warn", "queue message", &[("why", why.message())])),
        }
    }
    deliveries
}
