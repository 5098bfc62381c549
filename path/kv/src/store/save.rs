//! What a thread that saves does with the shards: each for some moments, between the commands of the loops.

use std::sync::Arc;
use std::sync::mpsc;

use super::keys::Keys;
use super::shards::Store;

impl Store {
    /// Does something short to the keys of a shard, and waits for it: until a worker has put them back if it has them. `None`: it
    /// panicked.
    pub(crate) fn with<T: Send + 'static>(
        self: &Arc<Self>,
        number: usize,
        work: impl FnOnce(&mut Keys) -> T + Send + 'static,
    ) -> Option<T> {
        match self.lock(number) {
            Ok(mut keys) => Some(work(&mut keys)),
            Err(_) => self.with_away(vec![number], |all| work(&mut all[0].1)),
        }
    }

    /// Has a worker do something to the keys of these shards, at one moment or for long, and waits for it. `None`: it panicked.
    pub(crate) fn with_away<T: Send + 'static>(
        self: &Arc<Self>,
        numbers: Vec<usize>,
        work: impl FnOnce(&mut [(usize, Box<Keys>)]) -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, done) = mpsc::sync_channel(1);
        self.run_away(numbers, move |_, keys| {
            let _ = sender.send(work(keys));
        });
        let told = done.recv().ok();
        // The keys are put back after that, and before the next job.
        let (sender, back) = mpsc::sync_channel(1);
        self.run_away(Vec::new(), move |_, _| {
            let _ = sender.send(());
        });
        let _ = back.recv();
        told
    }
}
