//! The watchers of the live stream: each is a response that streams what its channel has.
//!
//! `store/journal/live` has the lines and bounds the channels. This file wakes the streams.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use futures_util::Stream;
use jiff::Timestamp;
use worker::Result;

use crate::platform::Failure;
use crate::store::journal::live::{Channel, Ring};

/// The most watchers of the live stream.
const WATCHERS_MAX: usize = 32;
/// The first line of a stream is a comment: it shows the watcher that it is connected before any event comes.
const HELLO: &str = ": watching\n\n";

/// The live object's memory and its watchers.
#[derive(Default)]
pub(super) struct Watchers {
    ring: RefCell<Ring>,
    /// A watcher that has gone drops its end of the stream.
    ends: RefCell<Vec<Weak<End>>>,
}

/// What the object and one stream share.
#[derive(Default)]
struct End {
    channel: RefCell<Channel>,
    waker: RefCell<Option<Waker>>,
}

/// The body of a watcher's response.
pub(super) struct Watching {
    end: Rc<End>,
    hello: Option<&'static str>,
}

impl Watchers {
    /// Answers a call, and passes its lines on.
    pub(super) fn answer(
        &self,
        call: &str,
        now: Timestamp,
    ) -> std::result::Result<String, Failure> {
        let ends = self.living();
        let (reply, news) = self.ring.borrow_mut().answer(call, !ends.is_empty(), now)?;
        for end in ends {
            end.channel.borrow_mut().add(&news);
            if let Some(waker) = end.waker.take() {
                waker.wake();
            }
        }
        Ok(reply)
    }

    /// Opens a stream for a watcher who has all lines up to number `after`; `None` if there are too many watchers.
    pub(super) fn open(&self, after: i64) -> Option<Watching> {
        if self.living().len() >= WATCHERS_MAX {
            return None;
        }
        let channel = RefCell::new(self.ring.borrow().open(after));
        let end = Rc::new(End { channel, waker: RefCell::default() });
        self.ends.borrow_mut().push(Rc::downgrade(&end));
        Some(Watching { end, hello: Some(HELLO) })
    }

    fn living(&self) -> Vec<Rc<End>> {
        let mut ends = self.ends.borrow_mut();
        ends.retain(|end| end.strong_count() > 0);
        ends.iter().filter_map(Weak::upgrade).collect()
    }
}

impl Stream for Watching {
    type Item = Result<Vec<u8>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(hello) = self.hello.take() {
            return Poll::Ready(Some(Ok(hello.as_bytes().to_vec())));
        }
        match self.end.channel.borrow_mut().take() {
            Some(text) => Poll::Ready(Some(Ok(text.into_bytes()))),
            None => {
                self.end.waker.replace(Some(context.waker().clone()));
                Poll::Pending
            }
        }
    }
}
