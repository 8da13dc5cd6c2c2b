//! One at a time: the first caller works, and the others wait for its end.
//!
//! Whoever waited gets no turn, but looks again: mostly the work is done. A turn ends when it is dropped, also by a caller who stops in
//! the middle.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// The turns of one object. They are in its memory only.
#[derive(Debug, Default)]
pub struct Turns {
    is_taken: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

/// A turn.
#[derive(Debug)]
pub struct Turn<'t>(&'t Turns);

impl Turns {
    /// Takes the turn, or waits until whoever has it is done. `None` after a wait: look again.
    pub async fn take(&self) -> Option<Turn<'_>> {
        if !self.is_taken.replace(true) {
            return Some(Turn(self));
        }
        poll_fn(|context| {
            if !self.is_taken.get() {
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await;
        None
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.is_taken.set(false);
        for waker in self.0.waiting.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::memory::run;

    #[test]
    fn the_first_caller_gets_the_turn_and_the_others_wait_for_its_end() {
        let turns = Turns::default();
        let done = Cell::new(0);
        let first = async {
            let turn = turns.take().await;
            futures_util::future::ready(()).await;
            assert!(turn.is_some());
            done.set(done.get() + 1);
        };
        let other = async { turns.take().await.is_none() };
        let turn = run(turns.take()).unwrap();
        assert!(turn.is_some() && run(other).is_err(), "a taken turn is waited for");
        drop(turn);
        run(first).unwrap();
        assert_eq!(done.get(), 1);
        assert!(run(turns.take()).unwrap().is_some(), "a turn ends when it is dropped");
    }
}
