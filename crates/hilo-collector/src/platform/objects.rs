//! The shells of the Durable Objects: text in and out, alarms, the queue. What they keep is `store`'s.
//!
//! An answer leaves only when what was written is durable: workerd's output gate holds it until then.

#![expect(
    missing_docs,
    reason = "the methods that #[durable_object] writes carry no documentation"
)]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::mpsc::{UnboundedSender, unbounded};
use wasm_bindgen::{JsCast, JsValue};
use worker::{DurableObject, Env, Method, Queue, Request, Response, Result, State, durable_object};

use super::bindings::{self, Storage};
use super::edge::{log, now};
use super::{Failure, Sql, SqlRow, SqlValue, log_line};
use crate::calls::{Delivery, encode};
use crate::store::{journal, profile};

/// Messages that one call may hand to a queue, and the bytes they may have together (Cloudflare Queues' limits are
/// 100 and 256 KB; the rest is left to the runtime's own wrapping).
const SEND_MESSAGES_MAX: usize = 100;
const SEND_BYTES_MAX: usize = 240 * 1024;
/// Watchers of the live stream.
const WATCHERS_MAX: usize = 32;

/// SQLite of a Durable Object.
pub(super) struct ObjectSql {
    sql: worker::SqlStorage,
    storage: Storage,
}

impl ObjectSql {
    pub(super) fn of(state: &State) -> ObjectSql {
        let storage = state.storage();
        let raw: &JsValue = storage.as_raw().as_ref();
        ObjectSql { sql: storage.sql(), storage: raw.clone().unchecked_into() }
    }
}

fn failed(error: &JsValue) -> Failure {
    let text = worker::js_sys::Error::from(error.clone()).message();
    Failure::Retriable(String::from(text))
}

impl Sql for ObjectSql {
    fn exec(
        &self,
        query: &str,
        bindings: &[SqlValue],
    ) -> std::result::Result<Vec<SqlRow>, Failure> {
        let bindings: Vec<JsValue> = bindings
            .iter()
            .map(|value| match value {
                SqlValue::Null => JsValue::NULL,
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "SqlValue::int keeps it within 2^53"
                )]
                SqlValue::Int(number) => JsValue::from_f64(*number as f64),
                SqlValue::Text(text) => JsValue::from_str(text),
            })
            .collect();
        let cursor = self
            .sql
            .exec_raw(query, bindings)
            .map_err(|error| Failure::Retriable(error.to_string()))?;
        let names = cursor.column_names();
        let mut rows = Vec::new();
        for row in cursor.raw() {
            let row = row.map_err(|error| Failure::Retriable(error.to_string()))?;
            rows.push(SqlRow(names.iter().cloned().zip(row.into_iter().map(value)).collect()));
        }
        Ok(rows)
    }

    fn transaction(
        &self,
        work: &mut dyn FnMut() -> std::result::Result<(), Failure>,
    ) -> std::result::Result<(), Failure> {
        let mut why = None;
        let done = bindings::transaction_sync(&self.storage, &mut || {
            work().map(|()| JsValue::UNDEFINED).map_err(|failure| {
                let text = JsValue::from_str(failure.message());
                why = Some(failure);
                text
            })
        });
        done.map_err(|error| why.take().unwrap_or_else(|| failed(&error)))
    }
}

fn value(value: worker::SqlStorageValue) -> SqlValue {
    match value {
        worker::SqlStorageValue::Integer(number) => SqlValue::Int(number),
        worker::SqlStorageValue::Boolean(flag) => SqlValue::Int(i64::from(flag)),
        worker::SqlStorageValue::String(text) => SqlValue::Text(text),
        // The schemas have no floats and no blobs.
        worker::SqlStorageValue::Null
        | worker::SqlStorageValue::Float(_)
        | worker::SqlStorageValue::Blob(_) => SqlValue::Null,
    }
}

/// An object's answer when it could not do what it was asked.
pub(super) fn refuse(failure: &Failure) -> Result<Response> {
    let status = match failure {
        Failure::Retriable(_) => 503,
        Failure::Fatal(_) => 500,
    };
    Response::error(failure.message(), status)
}

/// One person or device.
#[durable_object(alarm)]
pub struct ProfileObject {
    shell: Rc<ProfileShell>,
}

struct ProfileShell {
    state: State,
    env: Env,
    sql: ObjectSql,
    /// In memory on purpose: see `store/profile/outbox.rs`.
    volatile: RefCell<profile::Volatile>,
    /// The alarm that is set, as far as this life of the object knows.
    alarm_ms: Cell<Option<i64>>,
}

impl DurableObject for ProfileObject {
    fn new(state: State, env: Env) -> Self {
        let sql = ObjectSql::of(&state);
        let (volatile, alarm_ms) = Default::default();
        ProfileObject { shell: Rc::new(ProfileShell { state, env, sql, volatile, alarm_ms }) }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let call = request.text().await?;
        let answered = match self.shell.answer(&call) {
            Ok(answered) => answered,
            Err(failure) => return refuse(&failure),
        };
        if answered.pump {
            // In the same turn as the rows, so that both are written or neither: an outbox that nobody looks at again
            // would be a loss.
            if let Err(failure) = self.shell.arm(false).await {
                return refuse(&failure);
            }
            let shell = Rc::clone(&self.shell);
            self.shell.state.wait_until(async move { shell.pump().await });
        }
        Response::ok(answered.reply)
    }

    async fn alarm(&self) -> Result<Response> {
        self.shell.alarm_ms.set(None);
        self.shell.pump().await;
        // Re-armed whatever happened: workerd gives up an alarm that failed too often.
        if let Err(failure) = self.shell.arm(true).await {
            log(&log_line("error", "alarm", &[("why", failure.message())]));
        }
        Response::empty()
    }
}

impl ProfileShell {
    fn answer(&self, call: &str) -> std::result::Result<profile::Answered, Failure> {
        let name = self.state.id().name().unwrap_or_default();
        profile::answer(&self.sql, &mut self.volatile.borrow_mut(), &name, call, now())
    }

    /// Hands what is due to the queue.
    async fn pump(&self) {
        let due = profile::due(&self.sql, &mut self.volatile.borrow_mut(), now());
        let deliveries = match due {
            Ok(deliveries) => deliveries,
            Err(failure) => {
                log(&log_line("error", "outbox", &[("why", failure.message())]));
                return;
            }
        };
        if deliveries.is_empty() {
            return;
        }
        if let Err(error) = self.enqueue(&deliveries).await {
            log(&log_line("warn", "queue", &[("why", &error.to_string())]));
            profile::release(&mut self.volatile.borrow_mut(), &deliveries);
        }
    }

    async fn enqueue(&self, deliveries: &[Delivery]) -> Result<()> {
        let queue: Queue = self.env.queue(bindings::DELIVERIES)?;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for delivery in deliveries {
            let message = encode(delivery)
                .map_err(|failure| worker::Error::RustError(failure.message().to_owned()))?;
            if batch.len() >= SEND_MESSAGES_MAX || bytes + message.len() > SEND_BYTES_MAX {
                queue.send_batch(std::mem::take(&mut batch)).await?;
                bytes = 0;
            }
            bytes += message.len();
            batch.push(message);
        }
        if batch.is_empty() { Ok(()) } else { queue.send_batch(batch).await }
    }

    /// Sets the alarm for the earliest pending delivery, unless one is set that comes no later.
    async fn arm(&self, is_fresh: bool) -> std::result::Result<(), Failure> {
        let Some(at) = profile::next_alarm(&self.sql, now())? else { return Ok(()) };
        let at_ms = at.as_millisecond();
        let is_set =
            self.alarm_ms.get().is_some_and(|set| set <= at_ms && set > now().as_millisecond());
        if is_set && !is_fresh {
            return Ok(());
        }
        self.alarm_ms.set(Some(at_ms));
        let offset = u64::try_from(at_ms - now().as_millisecond()).unwrap_or(0);
        self.state
            .storage()
            .set_alarm(std::time::Duration::from_millis(offset))
            .await
            .map_err(|error| Failure::Retriable(error.to_string()))
    }
}

/// Rejects, the live stream, delivery counters, dead letters: one object for all.
#[durable_object(fetch)]
pub struct JournalObject {
    sql: ObjectSql,
    watchers: RefCell<Vec<UnboundedSender<Result<Vec<u8>>>>>,
}

impl DurableObject for JournalObject {
    fn new(state: State, _env: Env) -> Self {
        JournalObject { sql: ObjectSql::of(&state), watchers: RefCell::default() }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        if request.method() == Method::Get {
            let path = request.path();
            let after = path.rsplit('/').next().and_then(|after| after.parse().ok()).unwrap_or(0);
            return self.watch(after);
        }
        let call = request.text().await?;
        match journal::answer(&self.sql, &call, now()) {
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
}

impl JournalObject {
    fn watch(&self, after: i64) -> Result<Response> {
        let mut watchers = self.watchers.borrow_mut();
        watchers.retain(|watcher| !watcher.is_closed());
        if watchers.len() >= WATCHERS_MAX {
            return Response::error("too many watchers", 503);
        }
        let lines = match journal::ring(&self.sql, after) {
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
pub fn deliveries(messages: &worker::MessageBatch<String>) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    for message in messages.iter() {
        let delivery = message
            .map_err(|error| error.to_string())
            .and_then(|message| serde_json::from_str(message.body()).map_err(|e| e.to_string()));
        match delivery {
            Ok(delivery) => deliveries.push(delivery),
            Err(why) => log(&log_line("warn", "queue message", &[("why", &why)])),
        }
    }
    deliveries
}
