//! A client that waits for what others do to its keys.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use loops::time::sleep_until;
use tokio::time::Instant;

use super::{Command, find};
use crate::error::Fault;
use crate::frame::Reply;
use crate::store::{View, Waiter};
use crate::visit::{After, Visit};

/// The command of a client that waits.
#[derive(Debug)]
pub(crate) struct Blocked {
    waiter: Arc<Waiter>,
    deadline: Option<Instant>,
}

/// Why it waits no longer.
enum Why {
    Served,
    TimedOut,
    /// Somebody has something to say to it.
    Mail,
    Gone,
}

impl Drop for Blocked {
    /// Whatever becomes of the client: nothing is taken for it any more. Who finds it in a queue takes it out.
    fn drop(&mut self) {
        self.waiter.leave();
    }
}

impl Blocked {
    /// `waiter` stands in the queues of its keys, whose shards are locked.
    pub(super) fn new(view: &mut View<'_>, waiter: Waiter) -> Blocked {
        let waiter = Arc::new(waiter);
        waiter.keys().for_each(|key| view.keys_of(key).enqueue(key, &waiter));
        let timeout = Some(waiter.wait.timeout).filter(|timeout| *timeout > 0);
        // A time that cannot be told is as good as never.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(Duration::from_millis(timeout)));
        Blocked { waiter, deadline }
    }

    /// Waits until it is served, or is not to be.
    pub(crate) async fn over(self, visit: &mut Visit<'_>) -> After {
        visit.client.peer.waits_for(Some(self.waiter.clone()));
        let why = loop {
            match self.change(visit).await {
                Why::Mail => match visit.flush().await {
                    After::Again => {}
                    After::Close => break Why::Gone,
                },
                why => break why,
            }
        };
        let answer = self.answer().await;
        visit.client.peer.waits_for(None);
        if let Some(answer) = &answer
            && let Some(command) = find(self.waiter.args.args().at(0))
        {
            self.counts(visit, command, answer);
        }
        self.leave(visit);
        match (answer, why) {
            (Some(answer), _) => {
                // Who served it has told the log.
                visit.desk.outcome.logged = visit.door.common.persist.log.end();
                visit.says(&answer);
            }
            (None, Why::Gone) => return After::Close,
            (None, _) => {
                let mut out = Vec::new();
                Reply::new(&mut out, self.waiter.protocol).null_array();
                visit.says(&out);
            }
        }
        After::Again
    }

    /// That it waited does not make it slow.
    fn counts(&self, visit: &Visit<'_>, command: &Command, answer: &[u8]) {
        let (common, calls) = (&visit.door.common, &visit.door.events().calls);
        common.took(&visit.client.peer, command, self.waiter.args.args(), Duration::ZERO);
        if common.config.tracks_latency() {
            calls.took(command, Duration::ZERO);
        }
        if let Some(error) = answer.strip_prefix(b"-") {
            calls.failed(command);
            calls.error(&Fault::made(String::from_utf8_lossy(error).into_owned()));
        }
    }

    /// Waits for something to happen; what the client sends meanwhile is for later.
    async fn change(&self, visit: &mut Visit<'_>) -> Why {
        let mut sleep = pin!(self.deadline.map(sleep_until));
        poll_fn(|context| {
            if self.waiter.is_over() {
                return Poll::Ready(Why::Served);
            }
            if visit.hears() {
                return Poll::Ready(Why::Mail);
            }
            if visit.poll_gone(context).is_ready() {
                return Poll::Ready(Why::Gone);
            }
            match sleep.as_mut().as_pin_mut() {
                Some(sleep) => sleep.poll(context).map(|()| Why::TimedOut),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// What it was served with, if it was; otherwise nobody will serve it any more.
    async fn answer(&self) -> Option<Vec<u8>> {
        while !self.waiter.leave() {
            if let Some(answer) = self.waiter.served() {
                return Some(answer);
            }
            // Somebody has it in hand, for some microseconds.
            tokio::task::yield_now().await;
        }
        None
    }

    /// Goes out of the queues.
    fn leave(&self, visit: &Visit<'_>) {
        let store = &visit.door.common.store;
        for key in self.waiter.keys() {
            let (waiter, key) = (self.waiter.clone(), Box::<[u8]>::from(key));
            store.later(store.number_of(&key), move |keys| keys.dequeue(&key, &waiter));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::frame::{Owned, Protocol};
    use crate::store::{Kind, Wait, Went};

    #[test]
    fn for_a_client_that_is_gone_before_it_waits_nothing_is_taken() {
        let args: Owned = [&b"blpop"[..], b"a", b"0"].into_iter().collect();
        let wait = Wait { keys: 1..2, kind: Kind::List, timeout: 0, instead: None };
        let waiter = Waiter::new(args, |_, _, _, _| Ok(Went::Done), wait, [0].into(), Protocol::Resp2, Waker::noop().clone());
        let waiter = Arc::new(waiter);
        drop(Blocked { waiter: waiter.clone(), deadline: None });
        assert!(!waiter.claim() && waiter.is_over());
    }
}
