//! The shell of a shard of the index: calls in, answers out.
//!
//! `store/index` keeps and decides. The object has no alarm.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::prelude::wasm_bindgen;
use worker::js_sys::Promise;
use worker::web_sys::Request;
use worker::worker_sys::DurableObjectState;
use worker::{Env, State};

use super::bindings::{self, Answering};
use super::edge::Edge;
use super::object::{answering, at_rest};
use super::object_sql::ObjectSql;
use crate::store::index::{self, Volatile};

/// A shard of the index. Its name is the beginning of the keys that it has.
#[wasm_bindgen]
pub struct IndexObject {
    answer: Answering,
}

#[wasm_bindgen]
impl IndexObject {
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, env: Env) -> IndexObject {
        let state = State::from(state);
        let (sql, id, state) = (ObjectSql::of(&state), state.id().to_string(), Rc::new(state));
        let edge = Edge::of_object(env, state);
        let sql = sql.sealing(at_rest(&edge, &id));
        let volatile = RefCell::new(Volatile::default());
        let answer =
            answering(move |call, _| index::answer(&sql, &mut volatile.borrow_mut(), call));
        IndexObject { answer }
    }

    pub fn fetch(&self, request: &Request) -> Promise {
        bindings::answered(request, &self.answer)
    }
}
