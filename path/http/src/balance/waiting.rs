//! The bounded queue of requests for which no endpoint is free.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::Group;

/// How long a waiter sleeps at most before it looks again: what became possible by time alone wakes nobody.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What every peer of a group can reach.
#[derive(Debug)]
pub(super) struct Room {
    origin: Instant,
    pub group: Weak<Group>,
    waiting: AtomicUsize,
    wake: Notify,
}

impl Room {
    pub fn new(origin: Instant, group: Weak<Group>) -> Room {
        Room { origin, group, waiting: AtomicUsize::new(0), wake: Notify::new() }
    }

    pub fn nanos(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.origin).as_nanos() as u64
    }

    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    pub fn wake_one(&self) {
        if self.waiting() > 0 {
            self.wake.notify_one();
        }
    }

    pub fn wake_all(&self) {
        self.wake.notify_waiters();
    }

    pub fn enter(self: &Arc<Self>, bound: usize) -> Option<Waiting> {
        let place = |waiting| (waiting < bound).then_some(waiting + 1);
        self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, place).ok()?;
        Some(Waiting { room: self.clone() })
    }
}

/// A place in the queue, given up when dropped.
#[derive(Debug)]
pub struct Waiting {
    room: Arc<Room>,
}

impl Waiting {
    /// Returns when it is worth to choose again: an endpoint came up or has room, or 100 ms went by.
    pub async fn changed(&self) {
        // A timeout is no error here: look again.
        let _ = loops::time::timeout(LOOK_AGAIN, self.room.wake.notified()).await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.room.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
