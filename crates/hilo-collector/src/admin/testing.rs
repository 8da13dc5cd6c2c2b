//! The helper for tests of admin calls: it sends a call with the token to a deployment in memory.

use super::Known;
use super::door::TOKEN;
use crate::call::Call;
use crate::platform::Platform as _;
use crate::platform::{Body, Incoming};
use crate::shell::memory::{Memory, run};

/// Asserts that `method` on `path` below `/admin/` answers with this status and body.
#[track_caller]
pub(super) fn check(method: &str, path: &str, status: u16, body: &str) {
    let (found_status, found) = ask(method, path, "Bearer token");
    assert_eq!((found_status, found.as_str()), (status, body), "{method} {path}");
}

/// The answer's status and body.
pub(super) fn ask(method: &str, path: &str, authorization: &str) -> (u16, String) {
    let memory = Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), None).unwrap();
    memory.set_secret(TOKEN, "token");
    let mut incoming = Incoming { method: method.to_owned(), ..Incoming::default() };
    incoming.headers.push("authorization", authorization);
    let loaded = run(memory.config()).unwrap().unwrap();
    let call = Call { incoming: &incoming, loaded: &loaded, platform: &memory };
    let reply = run(super::serve(path, &Known { deleting: &[], described: &[] }, &call)).unwrap();
    let super::Served::Reply(reply) = reply else { panic!("{method} {path} is the pipeline's") };
    let Body::Text(text) = reply.body else { panic!("{method} {path} has no text: {reply:?}") };
    (reply.status, text)
}
