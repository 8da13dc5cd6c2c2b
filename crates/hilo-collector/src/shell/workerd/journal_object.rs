//! The shell of the journal's objects: calls in, answers out, alarms, and the watchers of the live stream.
//!
//! `store/journal` stores and decides, and `shell/journal` has the code that both shells need.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::prelude::wasm_bindgen;
use worker::js_sys::Promise;
use worker::web_sys::{self, Request};
use worker::worker_sys::DurableObjectState;
use worker::{Env, Response, Result, State};

use super::bindings::{self, Answering};
use super::edge::{Edge, now};
use super::object::{self, answering, at_rest, promise};
use super::object_sql::ObjectSql;
use super::watchers::Watchers;
use crate::platform::Failure;
use crate::shell::alarm::Alarm;
use crate::shell::journal::{self, JournalHost};
use crate::store::journal::{Part, Volatile};

/// An object of the journal: the head, a shard, or the live object. Its name tells which.
#[wasm_bindgen]
pub struct JournalObject {
    shell: Rc<JournalShell>,
    answer: Answering,
}

struct JournalShell {
    state: Rc<State>,
    env: Env,
    /// The object's part; `None` for the live object.
    part: Option<Part>,
    sql: ObjectSql,
    volatile: RefCell<Volatile>,
    alarm: Alarm,
    watchers: Watchers,
}

#[wasm_bindgen]
impl JournalObject {
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, env: Env) -> JournalObject {
        let state = State::from(state);
        let part = match state.id().name().as_deref() {
            Some(bindings::JOURNAL_LIVE) => None,
            Some(bindings::JOURNAL_HEAD) => Some(Part::Head),
            Some(_) | None => Some(Part::Shard),
        };
        let (sql, id, state) = (ObjectSql::of(&state), state.id().to_string(), Rc::new(state));
        let edge = Edge::of_object(env.clone(), Rc::clone(&state));
        let sql = sql.sealing(at_rest(&edge, &id));
        let (volatile, alarm, watchers) = Default::default();
        let shell = JournalShell { state, env, part, sql, volatile, alarm, watchers };
        let shell = Rc::new(shell);
        let asked = Rc::clone(&shell);
        let answer = answering(move |call, _| asked.answer(call));
        JournalObject { shell, answer }
    }

    pub fn fetch(&self, request: &Request) -> Promise {
        if request.method() != "GET" {
            return bindings::answered(request, &self.answer);
        }
        let shell = Rc::clone(&self.shell);
        let after = request.url().rsplit('/').next().and_then(|after| after.parse().ok());
        promise(async move { shell.watch(after.unwrap_or(0)).map(web_sys::Response::from) })
    }

    pub fn alarm(&self) -> Promise {
        let shell = Rc::clone(&self.shell);
        object::alarm(async move {
            let edge = Edge::of_object(shell.env.clone(), Rc::clone(&shell.state));
            journal::on_alarm(&*shell, &edge).await;
        })
    }
}

impl JournalShell {
    fn answer(&self, call: &str) -> std::result::Result<String, Failure> {
        match self.part {
            Some(_) => journal::answer(self, call, now()),
            None => self.watchers.answer(call, now()),
        }
    }

    fn watch(&self, after: i64) -> Result<Response> {
        match self.watchers.open(after) {
            Some(stream) => Response::from_stream(stream),
            None => Response::error("too many watchers", 503),
        }
    }
}

impl JournalHost for JournalShell {
    type Sql = ObjectSql;

    fn with<T>(&self, work: impl FnOnce(&ObjectSql, &mut Volatile) -> T) -> T {
        work(&self.sql, &mut self.volatile.borrow_mut())
    }

    fn part(&self) -> Part {
        // The live object has no alarm and passes no call on, so nothing asks for its part.
        self.part.unwrap_or(Part::Shard)
    }

    fn alarm(&self) -> &Alarm {
        &self.alarm
    }

    fn set_alarm(&self, at_ms: i64) -> std::result::Result<(), Failure> {
        self.sql.set_alarm(at_ms)
    }

    async fn delete(&self) -> std::result::Result<(), Failure> {
        object::delete_all(&self.state).await
    }
}
