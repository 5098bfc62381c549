//! The shards that all loops share, and who holds them.
//!
//! A command holds the locks of its shards for as long as it runs, which is short. One that takes long is run by a
//! worker: it takes the keys out of their shards, and whoever comes meanwhile waits for them without a lock. A script, which
//! another worker runs, takes keys as it comes to them; so that both workers get on, only a script waits while it has some.

mod held;
mod room;

use std::collections::HashMap;
use std::hash::RandomState;
use std::ops::{Deref, DerefMut};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::{io, mem, thread};

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use super::access::Eviction;
use super::census::{Counted, Tally};
use super::class::TtlClass;
use super::entry::Ms;
use super::keys::{Keys, hash};
use super::memory::Memory;
use super::outcome::Outcome;
use super::shown::{Shown, Sum};
use super::view::{Locked, View, number};

pub(crate) use held::Held;

/// Bytes of `memory` for which there is a shard.
const FOR_A_SHARD: usize = 4 << 20;
const SHARDS_PER_LOOP: usize = 8;
const MOST_SHARDS: usize = 256;
/// Pages of the keyspace: of at most so many bytes, and so that there are no more than so many.
const PAGES: std::ops::RangeInclusive<usize> = 16 << 10..=256 << 10;
const MOST_PAGES: usize = 16_384;
/// Pages from this size on are given back to the system one by one: all but a small store has them.
const WHOLE_PAGE: usize = 64 << 10;
const SMALL: usize = 64 << 20;

/// The keys of a door.
#[derive(Debug)]
pub(crate) struct Store {
    shards: Box<[Shard]>,
    hasher: RandomState,
    shift: u32,
    worker: Sender<Job>,
    memory: Memory,
    /// The shard that loses keys next when memory is full.
    next: AtomicUsize,
    eviction: Mutex<Eviction>,
}

type Job = Box<dyn FnOnce() + Send>;

/// On cache lines of its own.
#[derive(Debug)]
#[repr(align(128))]
struct Shard {
    slot: Mutex<Place>,
    /// Tells the loops that the keys are back.
    back: Arc<Notify>,
    shown: Shown,
    tally: Arc<Tally>,
    /// Tells other workers.
    returned: Condvar,
}

#[derive(Debug)]
enum Place {
    Here(Box<Keys>),
    /// A worker has them.
    Away {
        /// It has had them for so long that nobody is to wait for them.
        is_busy: bool,
        /// Another worker waits for them.
        is_awaited: bool,
    },
}

/// The keys of a shard, for as long as this lives.
pub(crate) struct Guard<'s> {
    place: MutexGuard<'s, Place>,
    memory: &'s Memory,
    shown: &'s Shown,
}

/// A worker has the keys; ready when it has put them back.
pub(crate) struct Away {
    back: OwnedNotified,
    /// A script has them, for so long that clients are told so.
    pub(crate) is_busy: bool,
}

impl Store {
    /// An empty one, for `memory` bytes and so many loops.
    ///
    /// # Errors
    /// No thread could be started.
    pub(crate) fn new(memory: usize, loops: usize) -> io::Result<Store> {
        let most = (loops * SHARDS_PER_LOOP).next_power_of_two().min(MOST_SHARDS);
        let wanted = (memory / FOR_A_SHARD).max(1);
        // The greatest power of two that is not more.
        let count = most.min(1 << wanted.ilog2());
        let (hasher, page) = (RandomState::new(), page_size(memory));
        let keys = |number| Box::new(Keys::new(hasher.clone(), count.ilog2(), page).with_number(number));
        let shard = |keys: Box<Keys>| Shard {
            back: Arc::default(),
            shown: Shown::default(),
            tally: keys.tally(),
            returned: Condvar::new(),
            slot: Mutex::new(Place::Here(keys)),
        };
        let shards = (0..count).map(keys).map(shard).collect();
        let (worker, jobs) = mpsc::channel::<Job>();
        thread::Builder::new().name("kv-long".into()).spawn(move || jobs.into_iter().for_each(run))?;
        Ok(Store {
            shards,
            hasher,
            shift: u64::BITS - count.ilog2(),
            worker,
            memory: Memory::new(memory, count),
            next: AtomicUsize::new(0),
            eviction: Mutex::default(),
        })
    }

    /// How many shards there are.
    pub(crate) fn count(&self) -> usize {
        self.shards.len()
    }

    /// What all shards show, without waiting for any.
    pub(crate) fn sum(&self) -> Sum {
        self.shards.iter().fold(Sum::default(), |sum, shard| shard.shown.add_to(sum))
    }

    /// What is counted of each class of keys, by its name, and of those that have no place of their own; without waiting for any.
    pub(crate) fn classes(&self) -> (HashMap<Box<[u8]>, Counted>, Counted) {
        let (mut classes, mut others) = (HashMap::new(), Counted::default());
        self.shards.iter().for_each(|shard| shard.tally.add_to(&mut classes, &mut others));
        (classes, others)
    }

    /// The number of the shard that `key` belongs to.
    pub(crate) fn number_of(&self, key: &[u8]) -> usize {
        number(hash(&self.hasher, key), self.shift)
    }

    /// Locks one shard.
    ///
    /// # Errors
    /// A worker has its keys.
    pub(crate) fn lock(&self, number: usize) -> Result<Guard<'_>, Away> {
        let shard = &self.shards[number];
        let place = self.place(number);
        match &*place {
            Place::Here(_) => Ok(Guard { place, memory: &self.memory, shown: &shard.shown }),
            // Made under the lock: it hears the worker that puts them back.
            Place::Away { is_busy, .. } => Err(Away { back: shard.back.clone().notified_owned(), is_busy: *is_busy }),
        }
    }

    /// Locks several, given in ascending order.
    ///
    /// # Errors
    /// As [`Store::lock`]; none is locked then.
    pub(crate) fn lock_many(&self, numbers: impl Iterator<Item = usize>) -> Result<Vec<(usize, Guard<'_>)>, Away> {
        numbers.map(|number| Ok((number, self.lock(number)?))).collect()
    }

    /// What a command sees of one shard.
    pub(crate) fn view<'v>(&'v self, keys: &'v mut Keys, now: Ms, outcome: &'v mut Outcome) -> View<'v> {
        outcome.logs = keys.logs;
        View { locked: Locked::One(keys), hasher: &self.hasher, shift: self.shift, now, outcome }
    }

    /// What it sees of several.
    pub(crate) fn view_many<'v>(
        &'v self,
        keys: impl Iterator<Item = (usize, &'v mut Keys)>,
        now: Ms,
        outcome: &'v mut Outcome,
    ) -> View<'v> {
        let mut many: Vec<Option<&mut Keys>> = self.shards.iter().map(|_| None).collect();
        outcome.logs = false;
        for (number, keys) in keys {
            outcome.logs = keys.logs;
            many[number] = Some(keys);
        }
        View { locked: Locked::Many(many), hasher: &self.hasher, shift: self.shift, now, outcome }
    }

    /// Has a worker run `job` with the keys of these shards, in ascending order, after all that it was given before.
    pub(crate) fn run_away(self: &Arc<Self>, numbers: Vec<usize>, job: impl FnOnce(&Store, &mut [(usize, Box<Keys>)]) + Send + 'static) {
        let store = self.clone();
        let run = Box::new(move || {
            let mut taken = store.take_all(&numbers);
            job(&store, &mut taken.all);
        });
        self.worker.send(run).expect("the worker lives as long as a store");
    }

    /// Does something short to the keys of a shard: at once, or when a worker has put them back.
    pub(crate) fn later(self: &Arc<Self>, number: usize, work: impl FnOnce(&mut Keys) + Send + 'static) {
        match self.lock(number) {
            Ok(mut keys) => work(&mut keys),
            Err(_) => self.run_away(vec![number], move |_, keys| {
                let (_, keys) = keys.first_mut().expect("one was asked for");
                work(keys);
            }),
        }
    }

    /// Keys that are made without an expiry are there so long from now on.
    pub(crate) fn set_classes(self: &Arc<Self>, classes: &[TtlClass]) {
        let shared: Option<Arc<[TtlClass]>> = (!classes.is_empty()).then(|| classes.into());
        for number in 0..self.count() {
            let classes = shared.clone();
            self.later(number, move |keys| keys.set_classes(classes));
        }
    }

    /// Has a worker drop what takes long to be dropped.
    pub(crate) fn drop_away<T: Send + 'static>(&self, gone: T) {
        self.worker.send(Box::new(move || drop(gone))).expect("the worker lives as long as a store");
    }

    /// Takes the keys of these shards, all or none: whoever has some of them may wait for others.
    fn take_all(&self, numbers: &[usize]) -> Taken<'_> {
        let mut taken = Taken { all: Vec::with_capacity(numbers.len()), store: self };
        while let Some(number) = numbers.get(taken.all.len()) {
            match self.try_take(*number) {
                Some(keys) => taken.all.push((*number, keys)),
                None => {
                    taken.put_back();
                    self.wait_for(*number);
                }
            }
        }
        taken
    }

    fn try_take(&self, number: usize) -> Option<Box<Keys>> {
        let mut place = self.place(number);
        if matches!(*place, Place::Away { .. }) {
            return None;
        }
        match mem::replace(&mut *place, Place::Away { is_busy: false, is_awaited: false }) {
            Place::Here(keys) => Some(keys),
            Place::Away { .. } => unreachable!("it was here just now"),
        }
    }

    /// Waits, as a worker may, until the keys of a shard are there.
    fn wait_for(&self, number: usize) {
        let mut place = self.place(number);
        while let Place::Away { is_awaited, .. } = &mut *place {
            *is_awaited = true;
            place = self.shards[number].returned.wait(place).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn put_back(&self, number: usize, mut keys: Box<Keys>) {
        self.memory.hear(&mut keys, self.memory.step());
        let shard = &self.shards[number];
        shard.shown.show(&keys);
        let was = mem::replace(&mut *self.place(number), Place::Here(keys));
        if matches!(was, Place::Away { is_awaited: true, .. }) {
            shard.returned.notify_all();
        }
        shard.back.notify_waiters();
    }

    fn place(&self, number: usize) -> MutexGuard<'_, Place> {
        self.shards[number].slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A panic is its job's alone.
fn run(job: Job) {
    // It was printed by the panic hook, and whoever waits for the job sees its end.
    let _ = panic::catch_unwind(AssertUnwindSafe(job));
}

/// Keys that a worker has; they go back whatever becomes of its job.
struct Taken<'s> {
    all: Vec<(usize, Box<Keys>)>,
    store: &'s Store,
}

impl Taken<'_> {
    fn put_back(&mut self) {
        self.all.drain(..).for_each(|(number, keys)| self.store.put_back(number, keys));
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.put_back();
    }
}

/// Bytes of a page of the keyspace.
fn page_size(memory: usize) -> usize {
    let least = if memory < SMALL { *PAGES.start() } else { WHOLE_PAGE };
    (memory / MOST_PAGES).checked_next_power_of_two().unwrap_or(usize::MAX).clamp(least, *PAGES.end())
}

impl Deref for Guard<'_> {
    type Target = Keys;

    fn deref(&self) -> &Keys {
        match &*self.place {
            Place::Here(keys) => keys,
            Place::Away { .. } => unreachable!("it was here when it was locked"),
        }
    }
}

impl DerefMut for Guard<'_> {
    fn deref_mut(&mut self) -> &mut Keys {
        match &mut *self.place {
            Place::Here(keys) => keys,
            Place::Away { .. } => unreachable!("it was here when it was locked"),
        }
    }
}

impl Away {
    /// Waits until the keys are back.
    pub(crate) async fn back(self) {
        self.back.await;
    }
}
