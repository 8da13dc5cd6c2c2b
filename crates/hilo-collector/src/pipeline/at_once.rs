//! Calls of many objects, a few at a time and within the time of a request.
//!
//! Futures → their results, in any order. A backend's envelope may be about 2,500 persons, and each has an object.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use hilo_core::event::{Facts, Trust};
use jiff::{SignedDuration, Timestamp};

use crate::platform::{Failure, Platform};

/// The most objects that a request calls at once: Cloudflare lets one request wait for six answers
/// (<https://developers.cloudflare.com/workers/platform/limits/>).
const OBJECTS_AT_ONCE: usize = 6;
/// The time after which a request calls no further object. Segment's clients give up after ten seconds, and then nobody learns what
/// was stored.
const REQUEST_TIME: SignedDuration = SignedDuration::from_secs(8);
/// The seconds until the same envelope may be sent again. What is stored already is then recognized quickly.
const RETRY_S: u32 = 1;

/// Whether a request that calls so many objects may need several attempts. Only a backend's envelope may be about so many persons.
pub(super) fn is_large(objects: usize, facts: &Facts) -> bool {
    objects > OBJECTS_AT_ONCE && facts.trust == Trust::Server
}

/// Runs `calls` of a request that came at `received_at`.
///
/// # Errors
/// The first failure of a call. `Busy` where the time of the request is over: the same envelope may be sent again, and what is stored
/// counts as duplicate.
pub(super) async fn all<P: Platform, T, F: Future<Output = Result<T, Failure>>>(
    calls: impl ExactSizeIterator<Item = F>,
    received_at: Timestamp,
    platform: &P,
) -> Result<Vec<T>, Failure> {
    let mut calls = calls.map(|call| async move {
        if platform.now().duration_since(received_at) >= REQUEST_TIME {
            return Err(Failure::Busy { after_s: RETRY_S });
        }
        call.await
    });
    // Most requests are about one person. Several are polled by way of a queue, and each turn of it costs the runtime a microtask.
    match (calls.len(), calls.next()) {
        (1, Some(call)) => Ok(vec![call.await?]),
        (_, first) => {
            let calls = stream::iter(first.into_iter().chain(calls));
            calls.buffer_unordered(OBJECTS_AT_ONCE).try_collect().await
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::task::Poll;

    use super::*;
    use crate::shell::memory::{Memory, run};

    fn memory() -> Memory {
        Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), None).unwrap()
    }

    #[test]
    fn a_request_calls_six_objects_at_once_and_no_more() {
        let (memory, open, most) = (memory(), Cell::new(0), Cell::new(0));
        let call = |n: u32| {
            let (open, most, mut is_open) = (&open, &most, false);
            std::future::poll_fn(move |context| {
                if is_open {
                    open.set(open.get() - 1);
                    return Poll::Ready(Ok(n));
                }
                is_open = true;
                open.set(open.get() + 1);
                most.set(most.get().max(open.get()));
                context.waker().wake_by_ref();
                Poll::Pending
            })
        };
        let mut found = run(all((0..100).map(call), memory.now(), &memory)).unwrap().unwrap();
        found.sort_unstable();
        assert_eq!(found, (0..100).collect::<Vec<_>>());
        assert_eq!(most.get(), OBJECTS_AT_ONCE);
    }

    #[test]
    fn a_request_whose_time_is_over_calls_no_further_object() {
        let (memory, called) = (memory(), Cell::new(0));
        let began = memory.now();
        let (memory_of_calls, called_by) = (&memory, &called);
        let call = |_| async move {
            called_by.set(called_by.get() + 1);
            memory_of_calls.advance(SignedDuration::from_millis(100));
            Ok(())
        };
        let found = run(all((0..2_500).map(call), began, &memory)).unwrap();
        assert_eq!(found, Err(Failure::Busy { after_s: 1 }));
        assert_eq!(called.get(), 80);
    }
}
