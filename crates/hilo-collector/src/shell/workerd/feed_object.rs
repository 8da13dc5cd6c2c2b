//! The shell of a feed's object: calls in, answers out. It has no alarm, because the scheduled trigger begins runs.
//!
//! `store/feed` keeps and decides.

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
use crate::store::feed::{self, Volatile};

/// The object of one feed. Its name is the source's.
#[wasm_bindgen]
pub struct FeedObject {
    answer: Answering,
}

#[wasm_bindgen]
impl FeedObject {
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, _env: Env) -> FeedObject {
        let sql = ObjectSql::of(&State::from(state));
        let volatile = RefCell::new(Volatile::default());
        let answer =
            answering(move |call, _| feed::answer(&sql, &mut volatile.borrow_mut(), call, now()));
        FeedObject { answer }
    }

    pub fn fetch(&self, request: &Request) -> Promise {
        bindings::answered(request, &self.answer)
    }
}
