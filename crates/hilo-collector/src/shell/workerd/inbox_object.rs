//! The shell of an object of the inbox: calls in, answers out, its alarm, and the work behind an answer.
//!
//! `store/inbox` keeps and decides, and `shell/inbox` has the code that both shells need.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::prelude::wasm_bindgen;
use worker::js_sys::Promise;
use worker::web_sys::Request;
use worker::worker_sys::DurableObjectState;
use worker::{Env, State};

use super::bindings::{self, Answering};
use super::edge::{Edge, now};
use super::object::{self, answering, at_rest};
use super::object_sql::ObjectSql;
use crate::platform::Failure;
use crate::shell::alarm::Alarm;
use crate::shell::inbox::{self, InboxHost};
use crate::shell::turns::Turns;
use crate::store::inbox::Volatile;

/// An object of the inbox. Its name is the source's with a number.
#[wasm_bindgen]
pub struct InboxObject {
    shell: Rc<InboxShell>,
    answer: Answering,
}

struct InboxShell {
    state: Rc<State>,
    env: Env,
    sql: ObjectSql,
    volatile: RefCell<Volatile>,
    alarm: Alarm,
    turns: Rc<Turns>,
}

#[wasm_bindgen]
impl InboxObject {
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, env: Env) -> InboxObject {
        let state = State::from(state);
        let (sql, id, state) = (ObjectSql::of(&state), state.id().to_string(), Rc::new(state));
        let edge = Edge::of_object(env.clone(), Rc::clone(&state));
        let sql = sql.sealing(at_rest(&edge, &id));
        let (volatile, alarm, turns) = Default::default();
        let shell = Rc::new(InboxShell { state, env, sql, volatile, alarm, turns });
        let asked = Rc::clone(&shell);
        let answer = answering(move |call, request| asked.answer(call, request));
        InboxObject { shell, answer }
    }

    pub fn fetch(&self, request: &Request) -> Promise {
        bindings::answered(request, &self.answer)
    }

    pub fn alarm(&self) -> Promise {
        let shell = Rc::clone(&self.shell);
        object::alarm(async move {
            let edge = Edge::of_object(shell.env.clone(), Rc::clone(&shell.state));
            inbox::on_alarm(&*shell, &edge).await;
        })
    }
}

impl InboxShell {
    fn answer(self: &Rc<Self>, call: &str, request: &str) -> Result<String, Failure> {
        let answered = inbox::answer(&**self, call, now())?;
        if answered.pump {
            let shell = Rc::clone(self);
            let edge = Edge::of_call(self.env.clone(), Rc::clone(&self.state), request);
            self.state.wait_until(async move {
                inbox::drive(&*shell, &edge).await;
            });
        }
        Ok(answered.reply)
    }
}

impl InboxHost for InboxShell {
    type Sql = ObjectSql;

    fn with<T>(&self, work: impl FnOnce(&ObjectSql, &mut Volatile) -> T) -> T {
        work(&self.sql, &mut self.volatile.borrow_mut())
    }

    fn turns(&self) -> Rc<Turns> {
        Rc::clone(&self.turns)
    }

    fn alarm(&self) -> &Alarm {
        &self.alarm
    }

    fn set_alarm(&self, at_ms: i64) -> Result<(), Failure> {
        self.sql.set_alarm(at_ms)
    }

    async fn delete(&self) -> Result<(), Failure> {
        object::delete_all(&self.state).await
    }
}
