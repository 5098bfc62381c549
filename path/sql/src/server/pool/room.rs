//! All that one loop has of a pool, and what it sees of the others.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::choose::{self, Goes, Head, Need, Spare, Step};
use super::ledger::Ledger;
use super::shared::Pool;
use super::shelf::{Kept, Shelf};
use super::wish::Wish;
use crate::server::Key;

/// How long a loop serves its own clients before it looks whether one elsewhere waits much longer, nanoseconds.
const LOOK: u64 = 5_000_000;

/// One loop's connections and clients that wait, of all keys.
#[derive(Debug)]
pub(super) struct Room {
    here: usize,
    pub(super) shelves: Vec<Shelf>,
    ledgers: Arc<[Arc<Ledger>]>,
    version: u64,
    looked: u64,
}

impl Room {
    pub(super) fn new(here: usize) -> Room {
        Room { here, shelves: Vec::new(), ledgers: Arc::default(), version: 0, looked: 0 }
    }

    /// The shelf of a key, if there is one.
    pub(super) fn find(&mut self, key: &Arc<Key>) -> Option<&mut Shelf> {
        self.position(key).map(|at| &mut self.shelves[at])
    }

    /// The shelf of a key, made if there is none.
    pub(super) fn shelf(&mut self, pool: &Pool, key: &Arc<Key>) -> &mut Shelf {
        let at = self.position(key).unwrap_or_else(|| {
            self.shelves.push(Shelf::new(pool.ledger(&key.user, &key.database), self.here));
            self.shelves.len() - 1
        });
        &mut self.shelves[at]
    }

    fn position(&self, key: &Arc<Key>) -> Option<usize> {
        // Equal addresses are equal keys: names are compared only where keys differ.
        self.shelves.iter().position(|shelf| shelf.ledger.key == *key)
    }

    pub(super) fn waiting(&self) -> usize {
        self.shelves.iter().map(Shelf::waiting).sum()
    }

    /// Since when the client waits that waits longest.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.shelves.iter().filter_map(Shelf::oldest).min()
    }

    /// Tells the other loops whether somebody waits here.
    pub(super) fn tell(&self, pool: &Pool) {
        let waiting = self.waiting() > 0;
        pool.tell(self.here, waiting, waiting && self.shelves.iter().all(|shelf| shelf.owned() == 0));
    }

    /// Another client waits for a connection of `key`; whether more can be done for it than for those before it.
    pub(super) fn push(&mut self, pool: &Pool, key: &Arc<Key>, wish: Rc<Wish>) -> bool {
        let shelf = self.shelf(pool, key);
        shelf.push(wish);
        let is_dry = shelf.dry;
        self.tell(pool);
        !is_dry
    }

    /// What becomes of a connection that came free, when somebody waits somewhere.
    pub(super) fn goes(&mut self, pool: &Pool, key: &Arc<Key>, now: u64) -> Goes {
        let waits_here = self.find(key).is_some_and(|shelf| shelf.waiting() > 0);
        if waits_here && now.saturating_sub(self.looked) < LOOK && !pool.anybody_starves() {
            return Goes::Here;
        }
        self.looked = now;
        self.refresh(pool);
        let oldest = self.oldest();
        choose::goes(self.here, now, oldest, self.heads(pool, key))
    }

    /// Makes `kept` idle, unless somebody waits who came meanwhile: then it is still busy, and given back.
    pub(super) fn shelve(&mut self, pool: &Pool, kept: Box<Kept>) -> Option<Box<Kept>> {
        let at = self.position(&kept.connection.key).expect("a busy connection has a shelf");
        self.shelves[at].shelve(kept);
        if !pool.anybody_waits() {
            return None;
        }
        self.refresh(pool);
        let waits = self.heads(pool, &self.shelves[at].ledger.key).next().is_some();
        if waits { self.shelves[at].lend(|_| true) } else { None }
    }

    /// Everybody's client that waits longest, by loop and key. One of another key for which a connection is being opened
    /// does not need this one.
    fn heads<'a>(&'a self, pool: &'a Pool, key: &'a Arc<Key>) -> impl Iterator<Item = Head> + 'a {
        self.ledgers.iter().flat_map(move |ledger| {
            let same = ledger.key == *key;
            ledger.cells().iter().enumerate().filter_map(move |(at, cell)| {
                let since = cell.oldest.load(Ordering::SeqCst);
                let is_served = !same && cell.opening.load(Ordering::Relaxed) >= cell.waiting.load(Ordering::Relaxed);
                (since != 0 && !is_served).then(|| Head { at, same, since, starving: pool.starves(at) })
            })
        })
    }

    /// The next thing to do for somebody who waits here, those who wait longest first.
    pub(super) fn next_step(&mut self, pool: &Pool) -> Option<(Arc<Key>, Step)> {
        self.refresh(pool);
        let mut order: Vec<usize> = (0..self.shelves.len()).filter(|at| self.shelves[*at].waiting() > 0).collect();
        order.sort_by_key(|at| self.shelves[*at].oldest());
        for at in order {
            let shelf = &self.shelves[at];
            if shelf.dry {
                continue;
            }
            let (waiting, opening, asked) = (shelf.waiting(), shelf.opening, shelf.asked);
            let need = Need { here: self.here, waiting, opening, asked, free: pool.total.free() };
            let key = shelf.ledger.key.clone();
            match choose::step(&need, self.spares(&key)) {
                Step::Wait => {}
                Step::Dry => self.shelves[at].dry = true,
                step => return Some((key, step)),
            }
        }
        None
    }

    fn spares<'a>(&'a self, key: &'a Arc<Key>) -> impl Iterator<Item = Spare> + 'a {
        self.ledgers.iter().flat_map(move |ledger| {
            let same = ledger.key == *key;
            let counts = ledger.cells().iter().map(|cell| cell.idle.load(Ordering::SeqCst) as usize);
            counts.enumerate().map(move |(at, count)| Spare { at, same, count })
        })
    }

    /// Something has changed: everybody who waits may hope again.
    pub(super) fn hope(&mut self) {
        self.shelves.iter_mut().for_each(|shelf| shelf.dry = false);
    }

    /// The idle connection of another key that was not used for longest; it becomes busy.
    pub(super) fn lend_of_another(&mut self, key: &Key) -> Option<Box<Kept>> {
        let others = self.shelves.iter_mut().filter(|shelf| *shelf.ledger.key != *key && shelf.idle() > 0);
        others.min_by_key(|shelf| shelf.least_used())?.lend_least_used()
    }

    /// The key other than `key` whose client waits longest here.
    pub(super) fn longest_of_another(&self, key: &Key) -> Option<Arc<Key>> {
        let others = self.shelves.iter().filter(|shelf| *shelf.ledger.key != *key && shelf.lacks());
        others.min_by_key(|shelf| shelf.oldest()).map(|shelf| shelf.ledger.key.clone())
    }

    /// Looks whether there are other ledgers than before.
    pub(super) fn refresh(&mut self, pool: &Pool) {
        if let Some(ledgers) = pool.ledgers_since(&mut self.version) {
            self.ledgers = ledgers;
        }
    }

    /// Removes the shelves that hold nothing.
    pub(super) fn tidy(&mut self) {
        self.shelves.retain(|shelf| !shelf.is_unused());
    }
}
