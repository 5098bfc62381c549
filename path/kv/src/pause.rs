//! `CLIENT PAUSE`: clients wait with all commands, or with those that change something.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::client::Client;
use crate::command::Command;
use crate::door::now;
use crate::frame::Args;
use crate::store::Ms;

/// The pause that holds now, if one does.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    until: AtomicU64,
    only_writes: AtomicBool,
    ends: Notify,
}

impl Pause {
    /// Clients wait until then; a pause that holds already becomes no shorter and no weaker.
    pub(crate) fn begin(&self, until: Ms, only_writes: bool) {
        let holds = self.is_on(now());
        self.only_writes.store(only_writes && (!holds || self.only_writes.load(Ordering::Relaxed)), Ordering::Relaxed);
        let before = if holds { self.until.load(Ordering::Relaxed) } else { 0 };
        self.until.store(until.max(before), Ordering::Release);
    }

    pub(crate) fn end(&self) {
        self.until.store(0, Ordering::Release);
        self.ends.notify_waiters();
    }

    pub(crate) fn is_on(&self, now: Ms) -> bool {
        self.until.load(Ordering::Acquire) > now
    }

    /// Whether it is for this command, or for what EXEC will do.
    pub(crate) fn holds(&self, client: &Client, command: &Command, args: Args<'_>, writes: impl Fn(&Command, Args<'_>) -> bool) -> bool {
        let mut queued = client.transaction.iter().flat_map(|transaction| &transaction.queued);
        !self.only_writes.load(Ordering::Relaxed)
            || writes(command, args)
            || command.name == "exec" && queued.any(|queued| writes(queued.command, queued.args.args()))
    }

    /// Waits until it is over.
    pub(crate) async fn over(&self) {
        let ended = self.ends.notified();
        let left = self.until.load(Ordering::Acquire).saturating_sub(now());
        if left > 0 {
            // Which of both it was does not matter.
            let _ = loops::time::timeout(Duration::from_millis(left), ended).await;
        }
    }
}
