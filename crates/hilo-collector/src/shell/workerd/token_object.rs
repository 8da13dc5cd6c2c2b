//! The shell of the object that keeps a destination's access tokens: calls in, answers out.
//!
//! `store/tokens` keeps and decides, and `shell/tokens` has the code that both shells need. The object has no alarm: the first delivery
//! after a token is due renews it.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::prelude::wasm_bindgen;
use worker::js_sys::Promise;
use worker::js_sys::futures::JsFuture;
use worker::web_sys::Request;
use worker::worker_sys::DurableObjectState;
use worker::{Env, State};

use super::edge::Edge;
use super::object::{promise, reply, request_of};
use super::object_sql::ObjectSql;
use crate::platform::Failure;
use crate::shell::tokens::{self, TokensHost};
use crate::shell::turns::Turns;
use crate::store::tokens::Volatile;

/// The object of one destination. Its name is the destination's.
#[wasm_bindgen]
pub struct TokensObject {
    shell: Rc<TokensShell>,
}

struct TokensShell {
    state: Rc<State>,
    env: Env,
    sql: ObjectSql,
    volatile: RefCell<Volatile>,
    turns: Rc<Turns>,
}

#[wasm_bindgen]
impl TokensObject {
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, env: Env) -> TokensObject {
        let state = State::from(state);
        let (sql, state) = (ObjectSql::of(&state), Rc::new(state));
        let (volatile, turns) = Default::default();
        TokensObject { shell: Rc::new(TokensShell { state, env, sql, volatile, turns }) }
    }

    pub fn fetch(&self, request: &Request) -> Promise {
        let (shell, body, url) = (Rc::clone(&self.shell), request.text(), request.url());
        promise(async move {
            let call = JsFuture::from(body?).await?.as_string().unwrap_or_default();
            reply(shell.answer(&call, request_of(&url)).await)
        })
    }
}

impl TokensShell {
    async fn answer(&self, call: &str, request: &str) -> Result<String, Failure> {
        let edge = Edge::of_call(self.env.clone(), Rc::clone(&self.state), request);
        let name = self.state.id().name().unwrap_or_default();
        tokens::answer(self, &name, call, &edge).await
    }
}

impl TokensHost for TokensShell {
    type Sql = ObjectSql;

    fn with<T>(&self, work: impl FnOnce(&ObjectSql, &mut Volatile) -> T) -> T {
        work(&self.sql, &mut self.volatile.borrow_mut())
    }

    fn turns(&self) -> Rc<Turns> {
        Rc::clone(&self.turns)
    }
}
