//! Futures of a deployment in memory: nothing there waits for the outside world, so polling is enough.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use crate::platform::Failure;

/// The most polls of one future: a bug that lets it wait for ever must not hang a test.
const POLLS_MAX: usize = 1_000;

/// Waits for so many polls.
pub(super) async fn polls(mut left: u32) {
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Runs a future of this deployment to its end. Nothing in memory waits for the outside world, so one thread is enough.
///
/// # Errors
/// `Fatal` if the future waits all the same.
pub fn run<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..POLLS_MAX {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Ok(value);
        }
    }
    Err(Failure::Fatal("a future in memory waits for something outside".to_owned()))
}
