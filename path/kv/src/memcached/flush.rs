//! `flush_all`: all keys go, at once or later.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::oneshot;

use super::answer::Batch;
use super::item::Until;
use crate::command::{after, clear};
use crate::door::{Shared, now};
use crate::store::{Ms, Outcome};

/// Which `flush_all` was the last one.
#[derive(Debug, Default)]
pub(crate) struct Flushes(AtomicU64);

impl Flushes {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn is_last(&self, turn: u64) -> bool {
        self.0.load(Ordering::Relaxed) == turn
    }
}

/// All keys go after that many seconds, or then; what was said to go later goes no more. Whether they are to go at once.
pub(super) fn flush(batch: &Batch<'_>, exptime: i32) -> bool {
    batch.count(|tally| &tally.cmd_flush);
    let turn = batch.common.flushes.next();
    match Until::new(exptime, batch.now) {
        Until::At(moment) => {
            tokio::task::spawn_local(clear_at(Arc::downgrade(batch.common), moment, turn));
            false
        }
        Until::Never | Until::Past => true,
    }
}

/// All keys are gone.
pub(super) struct Cleared {
    /// Shards that owe something to those who wait.
    pub(super) debts: Vec<usize>,
    /// Up to where the log must be on the disk.
    pub(super) logged: u64,
}

/// Has a worker take all keys away.
pub(super) fn clear_all(common: &Arc<Shared>) -> oneshot::Receiver<Cleared> {
    let (sender, done) = oneshot::channel();
    let shared = common.clone();
    common.store.run_away((0..common.store.count()).collect(), move |store, keys| {
        let mut outcome = Outcome { wanted: shared.config.wanted(), ..Outcome::default() };
        let mut view = store.view_many(keys.iter_mut().map(|(number, keys)| (*number, &mut **keys)), now(), &mut outcome);
        clear(&mut view);
        view.outcome.tell(std::iter::once(&b"FLUSHALL"[..]), 0);
        after(&mut view, &shared);
        shared.count_changes(view.outcome);
        let debts = keys.iter().filter(|(_, keys)| keys.owes()).map(|(number, _)| *number).collect();
        // Who asked may be gone.
        let _ = sender.send(Cleared { debts, logged: outcome.logged });
    });
    done
}

/// Waits until then; does nothing if there was another one meanwhile, or if the door is gone.
async fn clear_at(common: Weak<Shared>, moment: Ms, turn: u64) {
    loops::time::sleep(Duration::from_millis(moment.saturating_sub(now()))).await;
    if let Some(common) = common.upgrade().filter(|common| common.flushes.is_last(turn)) {
        // Those who wait for a key find out when somebody writes it.
        drop(clear_all(&common));
    }
}
