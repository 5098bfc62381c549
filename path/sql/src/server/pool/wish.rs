//! A client that waits for a connection. What is handed to one that has left goes back to the pool.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::lent::{Lent, Refused};
use super::shelf::Kept;
use super::side::Side;
use crate::server::Key;

/// A client's place in the queue.
#[derive(Debug)]
pub(super) struct Wish {
    /// Nanoseconds on the pool's clock, never 0.
    pub(super) since: u64,
    outcome: RefCell<Option<Result<Box<Kept>, Refused>>>,
    waker: RefCell<Option<Waker>>,
}

/// Waits for its turn.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    side: Rc<Side>,
    key: &'a Arc<Key>,
    wish: Rc<Wish>,
    has_ended: bool,
}

impl Wish {
    pub(super) fn new(since: u64) -> Rc<Wish> {
        Rc::new(Wish { since, outcome: RefCell::new(None), waker: RefCell::new(None) })
    }

    /// It waits no more. It has been taken from its queue.
    pub(super) fn end(&self, outcome: Result<Box<Kept>, Refused>) {
        self.outcome.replace(Some(outcome));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl<'a> Waiting<'a> {
    pub(super) fn new(side: Rc<Side>, key: &'a Arc<Key>, wish: Rc<Wish>) -> Waiting<'a> {
        Waiting { side, key, wish, has_ended: false }
    }
}

impl Future for Waiting<'_> {
    type Output = Result<Lent, Refused>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = self.wish.outcome.take();
        match outcome {
            Some(outcome) => {
                self.has_ended = true;
                self.side.waited(self.wish.since);
                Poll::Ready(outcome.map(|kept| Lent::new(kept, self.side.clone())))
            }
            None => {
                let mut waker = self.wish.waker.borrow_mut();
                match &mut *waker {
                    Some(waker) => waker.clone_from(context.waker()),
                    empty => *empty = Some(context.waker().clone()),
                }
                Poll::Pending
            }
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let outcome = self.wish.outcome.take();
        match outcome {
            Some(Ok(kept)) => self.side.free(kept),
            Some(Err(_)) => {}
            None => self.side.leave(self.key, &self.wish),
        }
    }
}
