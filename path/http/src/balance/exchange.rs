//! One attempt at an endpoint, from the choice to its end.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::member::{Peer, State};
use super::retry::Failure;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The answer was passed on whole; its status was given to [`Exchange::answered`].
    Done,
    /// It failed.
    Failed(Failure),
    /// The idle connection it was to go on had been closed: says nothing of the endpoint.
    Stale,
    /// The client went away first.
    ClientGone,
}

/// An attempt under way: counted as in flight from [`Exchange::begin`] until it is ended or dropped.
#[derive(Debug)]
pub struct Exchange {
    peer: Arc<Peer>,
    /// Since when it waits for an answer, `None` while it does not.
    waiting_since: Option<u64>,
    status: u16,
    open: bool,
}

impl Exchange {
    /// An attempt begins: a connection will be taken or made, and the request sent.
    pub fn begin(peer: Arc<Peer>, now: Instant) -> Exchange {
        let now = peer.room.nanos(now);
        peer.member.endpoint.in_flight.begin(peer.loop_index);
        peer.count_request();
        peer.wait(now);
        Exchange { peer, waiting_since: Some(now), status: 0, open: true }
    }

    /// The endpoint.
    pub fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// Whether its endpoint was found down meanwhile, and another one could take the request.
    pub(super) fn is_lost(&self, now: Instant) -> bool {
        let (peer, group) = (&self.peer, self.peer.room.group.upgrade());
        peer.state(now) == State::Down && group.is_some_and(|group| group.has_better(peer.loop_index, now))
    }

    /// A body follows the head: until [`Exchange::sent`] the endpoint is not expected to answer, so that a slow upload
    /// does not make it look slow. Not needed when the whole request goes out at once.
    pub fn sending(&mut self) {
        if self.waiting_since.take().is_some() {
            self.peer.wait_no_more(None);
        }
    }

    /// The body's last byte is sent: now the answer is waited for.
    pub fn sent(&mut self, now: Instant) {
        if self.waiting_since.is_none() && self.status == 0 {
            let now = self.peer.room.nanos(now);
            self.peer.wait(now);
            self.waiting_since = Some(now);
        }
    }

    /// The head of the final answer (not 1xx) came. Its latency counts unless it is a fast failure.
    pub fn answered(&mut self, status: u16, now: Instant) {
        let now = self.peer.room.nanos(now);
        self.status = status;
        let Some(since) = self.waiting_since.take() else { return };
        self.peer.wait_no_more(Some(now));
        let took = now.saturating_sub(since);
        if status < 500 || took > self.peer.latency().faded(now) {
            self.peer.observe(took, now);
        }
    }

    /// The attempt ends; the endpoint is judged by it.
    pub fn end(mut self, outcome: Outcome, now: Instant) {
        let now = self.peer.room.nanos(now);
        let waited = self.waiting_since.map(|since| now.saturating_sub(since));
        self.close();
        // Who gave up has waited at least that long.
        let gave_up = matches!(outcome, Outcome::ClientGone | Outcome::Failed(Failure::FirstByte));
        if let Some(waited) = waited.filter(|waited| gave_up && *waited > self.peer.latency().faded(now)) {
            self.peer.observe(waited, now);
        }
        self.judge(outcome, now);
    }

    fn judge(&self, outcome: Outcome, now: u64) {
        let member = &self.peer.member;
        match outcome {
            // Nothing was asked of the endpoint.
            Outcome::Failed(Failure::Local) | Outcome::Stale | Outcome::ClientGone => {}
            Outcome::Done if self.status < 500 => {
                // Read first: the line is shared by all loops.
                if member.failures.load(Relaxed) > 0 {
                    member.failures.store(0, Relaxed);
                }
            }
            Outcome::Done | Outcome::Failed(_) => {
                self.peer.count_failure();
                if let Some(group) = self.peer.room.group.upgrade() {
                    let failure = if let Outcome::Failed(failure) = outcome { Some(failure) } else { None };
                    group.failed(member, failure, now);
                }
            }
        }
    }

    /// The answer was 101: the connection is counted as upgraded from now on, no longer as a request.
    pub fn upgrade(mut self) -> Upgraded {
        self.open = false;
        self.peer.member.endpoint.in_flight.upgrade(self.peer.loop_index);
        self.stop_waiting();
        self.peer.room.wake_one();
        Upgraded { peer: self.peer.clone() }
    }

    fn stop_waiting(&mut self) {
        if self.waiting_since.take().is_some() {
            self.peer.wait_no_more(None);
        }
    }

    fn close(&mut self) {
        self.stop_waiting();
        if std::mem::take(&mut self.open) {
            self.peer.member.endpoint.in_flight.end(self.peer.loop_index);
            self.peer.room.wake_one();
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.close();
    }
}

/// An upgraded connection to an endpoint, counted until dropped.
#[derive(Debug)]
pub struct Upgraded {
    peer: Arc<Peer>,
}

impl Upgraded {
    /// The endpoint.
    pub fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }
}

impl Drop for Upgraded {
    fn drop(&mut self) {
        self.peer.member.endpoint.in_flight.end_upgraded(self.peer.loop_index);
    }
}
