//! The shell of a profile's object: calls in, answers out, its alarm, the queue.
//!
//! `store/profile` stores and decides, and `shell/profile` has the code that both shells need.

#![expect(
    missing_docs,
    reason = "the methods that a Durable Object's class needs carry no documentation"
)]

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use worker::js_sys::futures::JsFuture;
use worker::js_sys::{Array, Promise, Reflect, Uint8Array};
use worker::web_sys::Request;
use worker::worker_sys::DurableObjectState;
use worker::{Delay, Env, Result, State};

use super::bindings::{self, Answering, Messages, word};
use super::edge::{Edge, log, now};
use super::object::{self, answering, at_rest, worker_error};
use super::object_sql::ObjectSql;
use super::side::message;
use crate::calls::{Delivery, Packed, messages, read_message, read_probe};
use crate::platform::{Failure, log_line};
use crate::shell::alarm::Alarm;
use crate::shell::profile::{self, ProfileHost, Unsent};
use crate::store::profile::{Attempts, Volatile};

/// The most messages of one call to the queue, and the most bytes of all of them together (Cloudflare Queues allows 100
/// and 256 KB; the difference is for the runtime's own wrapping).
const SEND_MESSAGES_MAX: usize = 100;
const SEND_BYTES_MAX: usize = 240 * 1024;
/// How long deliveries wait for others. All events that a visit sends within this time share one message, one call of
/// the consumer and one confirmation, and each of these costs money.
const PUMP_AFTER: Duration = Duration::from_secs(1);

thread_local! {
    /// The attempts in progress of this isolate's objects: an object that slept must not send again what waits in the queue.
    static ATTEMPTS: RefCell<Attempts> = RefCell::default();
}

/// The object of one person or device.
#[wasm_bindgen]
pub struct ProfileObject {
    shell: Rc<ProfileShell>,
    answer: Answering,
}

struct ProfileShell {
    state: Rc<State>,
    env: Env,
    sql: ObjectSql,
    name: String,
    /// These values are only in memory on purpose: see `store/profile/outbox.rs`.
    volatile: RefCell<Volatile>,
    alarm: Alarm,
    /// Whether a send of the due deliveries is scheduled already.
    is_waiting: Cell<bool>,
}

#[wasm_bindgen]
impl ProfileObject {
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, env: Env) -> ProfileObject {
        let state = Rc::new(State::from(state));
        let name = state.id().name().unwrap_or_default();
        // An alarm brings no name, so the id names the object.
        let id = state.id().to_string();
        let edge = Edge::of_object(env.clone(), Rc::clone(&state));
        let sql = ObjectSql::of(&state).sealing(at_rest(&edge, &id));
        let volatile = ATTEMPTS.with_borrow_mut(|attempts| Volatile::of(id, attempts, now()));
        let (volatile, alarm, is_waiting) =
            (RefCell::new(volatile), Alarm::default(), Cell::default());
        let shell = ProfileShell { state, env, sql, name, volatile, alarm, is_waiting };
        let shell = Rc::new(shell);
        let asked = Rc::clone(&shell);
        let answer = answering(move |call, request| asked.answer(call, request));
        ProfileObject { shell, answer }
    }

    pub fn fetch(&self, request: &Request) -> Promise {
        bindings::answered(request, &self.answer)
    }

    pub fn alarm(&self) -> Promise {
        let shell = Rc::clone(&self.shell);
        object::alarm(async move {
            let edge = Edge::of_object(shell.env.clone(), Rc::clone(&shell.state));
            profile::on_alarm(&*shell, &edge).await;
        })
    }
}

impl ProfileShell {
    fn answer(self: &Rc<Self>, call: &str, request: &str) -> std::result::Result<String, Failure> {
        let answered = profile::answer(&**self, &self.name, call)?;
        if answered.pump && !self.is_waiting.replace(true) {
            let shell = Rc::clone(self);
            // What others send meanwhile goes along. The lines have the id of the first.
            let edge = Edge::of_call(self.env.clone(), Rc::clone(&self.state), request);
            self.state.wait_until(async move {
                Delay::from(PUMP_AFTER).await;
                shell.is_waiting.set(false);
                profile::feed_queue(&*shell, &edge).await;
            });
        }
        Ok(answered.reply)
    }

    /// Sends deliveries, and counts in `accepted` those that the queue has. Many deliveries share a message, and many
    /// messages share a call, because each call costs a round trip and money.
    async fn send_all(&self, deliveries: &[Delivery], accepted: &mut usize) -> Result<()> {
        let queue: Messages =
            Reflect::get(&self.env, &word(bindings::DELIVERIES))?.unchecked_into();
        let (batch, mut bytes, mut count) = (Array::new(), 0, 0);
        let packed = messages(deliveries);
        for Packed { text, count: more } in packed.map_err(|failure| worker_error(&failure))? {
            let is_full = usize::try_from(batch.length()).unwrap_or(usize::MAX)
                >= SEND_MESSAGES_MAX
                || bytes + text.len() > SEND_BYTES_MAX;
            if is_full {
                JsFuture::from(queue.send_batch(&batch)?).await?;
                *accepted += std::mem::take(&mut count);
                batch.set_length(0);
                bytes = 0;
            }
            bytes += text.len();
            count += more;
            batch.push(&message(&text)?);
        }
        if batch.length() > 0 {
            JsFuture::from(queue.send_batch(&batch)?).await?;
            *accepted += count;
        }
        Ok(())
    }
}

impl ProfileHost for ProfileShell {
    type Sql = ObjectSql;

    fn with<T>(&self, work: impl FnOnce(&ObjectSql, &mut Volatile) -> T) -> T {
        work(&self.sql, &mut self.volatile.borrow_mut())
    }

    fn now(&self) -> Timestamp {
        now()
    }

    fn alarm(&self) -> &Alarm {
        &self.alarm
    }

    fn set_alarm(&self, at_ms: i64) -> std::result::Result<(), Failure> {
        self.sql.set_alarm(at_ms)
    }

    async fn send(&self, deliveries: &[Delivery]) -> std::result::Result<(), Unsent> {
        let mut accepted = 0;
        let sent = self.send_all(deliveries, &mut accepted).await;
        sent.map_err(|error| Unsent { accepted, why: Failure::Retriable(error.to_string()) })
    }

    async fn delete(&self) -> std::result::Result<(), Failure> {
        // The memory is cleared before anything is awaited: a call that arrives meanwhile must not find the old values.
        self.volatile.borrow_mut().forget();
        object::delete_all(&self.state).await
    }
}

/// Reads the deliveries of a queue batch, and the time of the newest probe among its messages. A message that cannot be read comes
/// from another version and is dropped: the outbox sends its deliveries again.
pub fn deliveries(messages: &worker::MessageBatch<JsValue>) -> (Vec<Delivery>, Option<i64>) {
    let (mut deliveries, mut probed) = (Vec::new(), None);
    for message in messages.raw_iter() {
        let bytes = Uint8Array::new(&message.body()).to_vec();
        let text = String::from_utf8_lossy(&bytes);
        if let Some(sent_ms) = read_probe(&text) {
            probed = probed.max(Some(sent_ms));
            continue;
        }
        match read_message(&text) {
            Ok(list) => deliveries.extend(list),
            Err(why) => log(&log_line("warn", "queue message", &[("why", why.message())])),
        }
    }
    (deliveries, probed)
}
