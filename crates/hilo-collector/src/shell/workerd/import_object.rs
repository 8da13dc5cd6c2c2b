//! The shell of the object that knows what was imported: calls in, answers out. `store/imports` keeps and decides.

use std::cell::RefCell;

use wasm_bindgen::prelude::wasm_bindgen;
use worker::js_sys::Promise;
use worker::web_sys::Request;
use worker::worker_sys::DurableObjectState;
use worker::{Env, State};

use super::bindings::{self, Answering};
use super::edge::now;
use super::object::answering;
use super::object_sql::ObjectSql;
use crate::store::imports::{Volatile, answer};

/// The one object of a deployment that knows what was imported.
#[wasm_bindgen]
pub struct ImportObject {
    answer: Answering,
}

#[wasm_bindgen]
impl ImportObject {
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, _: Env) -> ImportObject {
        let sql = ObjectSql::of(&State::from(state));
        let volatile = RefCell::new(Volatile::default());
        let answer =
            answering(move |call, _| answer(&sql, &mut volatile.borrow_mut(), call, now()));
        ImportObject { answer }
    }

    pub fn fetch(&self, request: &Request) -> Promise {
        bindings::answered(request, &self.answer)
    }
}
