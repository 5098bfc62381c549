//! The keys that a script has taken out of their shards: more and more of them, until it is over.

use std::sync::Arc;

use super::super::entry::Ms;
use super::super::keys::Keys;
use super::super::outcome::Outcome;
use super::super::view::{Locked, View};
use super::{Place, Store};

/// Keys that a script has; they go back whatever becomes of it. One at most is there at a time, for it waits for keys while it has others.
pub(crate) struct Held {
    store: Arc<Store>,
    /// By number of the shard.
    all: Vec<Option<Box<Keys>>>,
    is_busy: bool,
}

impl Held {
    /// None yet.
    pub(crate) fn new(store: Arc<Store>) -> Held {
        let all = (0..store.count()).map(|_| None).collect();
        Held { store, all, is_busy: false }
    }

    /// Takes the keys of these shards, too, and waits for them if it must.
    pub(crate) fn take(&mut self, numbers: &[usize]) {
        for number in numbers {
            while self.all[*number].is_none() {
                match self.store.try_take(*number) {
                    Some(keys) => self.all[*number] = Some(keys),
                    None => self.store.wait_for(*number),
                }
                if self.is_busy {
                    self.store.mark_busy(*number);
                }
            }
        }
    }

    /// From now on nobody is to wait for the keys; those who do hear it.
    pub(crate) fn be_busy(&mut self) {
        self.is_busy = true;
        let taken = self.all.iter().enumerate().filter(|(_, keys)| keys.is_some());
        taken.for_each(|(number, _)| self.store.mark_busy(number));
    }

    /// What a command sees of all that was taken.
    pub(crate) fn view<'v>(&'v mut self, now: Ms, outcome: &'v mut Outcome) -> View<'v> {
        outcome.logs = self.all.iter().flatten().any(|keys| keys.logs);
        View { locked: Locked::Taken(&mut self.all), hasher: &self.store.hasher, shift: self.store.shift, now, outcome }
    }

    /// The shards that owe something to clients that wait.
    pub(crate) fn owing(&self) -> Vec<usize> {
        let owing = self.all.iter().enumerate().filter(|(_, keys)| keys.as_ref().is_some_and(|keys| keys.owes()));
        owing.map(|(number, _)| number).collect()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        for (number, keys) in self.all.iter_mut().enumerate() {
            if let Some(keys) = keys.take() {
                self.store.put_back(number, keys);
            }
        }
    }
}

impl Store {
    fn mark_busy(&self, number: usize) {
        if let Place::Away { is_busy, .. } = &mut *self.place(number) {
            *is_busy = true;
            self.shards[number].back.notify_waiters();
        }
    }
}
