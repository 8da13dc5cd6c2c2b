//! The shell of the journal's object: calls in, answers out, and the watchers of the live stream.
//!
//! `store/journal` stores and decides.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::mpsc::{UnboundedSender, unbounded};
use wasm_bindgen::prelude::wasm_bindgen;
use worker::js_sys::Promise;
use worker::web_sys::{self, Request};
use worker::worker_sys::DurableObjectState;
use worker::{Env, Response, Result, State};

use super::bindings::{self, Answering};
use super::edge::now;
use super::object::{answering, promise, refuse};
use super::object_sql::ObjectSql;
use crate::store::journal;

/// The most watchers of the live stream.
const WATCHERS_MAX: usize = 32;

/// The one object of rejects, the live stream, delivery counters and dead letters.
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
        // The first line is a comment: it shows the watcher that it is connected before any event comes.
        let hello = std::iter::once(": watching\n\n".to_owned());
        for text in hello.chain(lines.iter().map(|line| frame(line))) {
            // The receiver is in scope here, so sending cannot fail. A failure would be harmless.
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

/// Makes one server-sent event. JSON has no raw line breaks, so the line needs no splitting.
fn frame(line: &str) -> String {
    format!("data: {line}\n\n")
}
