//! What a loop has of one key: idle connections and clients that wait, and the counts that it publishes of them.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::ledger::{Cell, Ledger, less, more};
use super::shared::Slot;
use super::wish::Wish;
use crate::server::Connection;

/// Idle connections that are looked at for one that needs no settling.
const LOOKED_AT: usize = 8;

/// A connection and its right to be.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) connection: Connection,
    pub(super) slot: Slot,
    /// It is replaced then; they were not all given the same time, so that they do not go together.
    pub(super) until: Instant,
}

/// One key's connections and clients on one loop.
#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) ledger: Arc<Ledger>,
    here: usize,
    /// The last given back is the first lent: the others become old enough to be closed.
    idle: VecDeque<Box<Kept>>,
    waiting: VecDeque<Rc<Wish>>,
    pub(super) busy: usize,
    pub(super) opening: usize,
    /// Other loops asked for an idle connection that have not answered.
    pub(super) asked: usize,
    /// Nothing was to be had for the last that came: the next need not look.
    pub(super) dry: bool,
}

impl Shelf {
    pub(super) fn new(ledger: Arc<Ledger>, here: usize) -> Shelf {
        Shelf { ledger, here, idle: VecDeque::new(), waiting: VecDeque::new(), busy: 0, opening: 0, asked: 0, dry: false }
    }

    fn cell(&self) -> &Cell {
        self.ledger.cell(self.here)
    }

    /// Connections of this loop, those that are being opened included.
    pub(super) fn owned(&self) -> usize {
        self.idle.len() + self.busy + self.opening
    }

    /// Whether more wait than connections are being opened.
    pub(super) fn lacks(&self) -> bool {
        self.waiting.len() > self.opening
    }

    pub(super) fn is_unused(&self) -> bool {
        self.owned() + self.waiting.len() + self.asked == 0
    }

    pub(super) fn idle(&self) -> usize {
        self.idle.len()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Since when the client waits that waits longest.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.waiting.front().map(|wish| wish.since)
    }

    /// When the idle connection that will be lent last was given back.
    pub(super) fn least_used(&self) -> Option<std::time::Instant> {
        self.idle.front().map(|kept| kept.connection.used)
    }

    /// One becomes busy: of those given back last one that `fits`, else the last.
    pub(super) fn lend(&mut self, fits: impl Fn(&Connection) -> bool) -> Option<Box<Kept>> {
        let last = self.idle.len().checked_sub(1)?;
        let looked_at = self.idle.iter().rev().take(LOOKED_AT);
        let behind = looked_at.enumerate().find(|(_, kept)| fits(&kept.connection)).map_or(0, |(behind, _)| behind);
        let kept = self.idle.remove(last - behind)?;
        self.took_idle();
        Some(kept)
    }

    /// The one given back first becomes busy.
    pub(super) fn lend_least_used(&mut self) -> Option<Box<Kept>> {
        let kept = self.idle.pop_front()?;
        self.took_idle();
        Some(kept)
    }

    /// The first idle one for which `is_due` says so becomes busy.
    pub(super) fn lend_first(&mut self, mut is_due: impl FnMut(&Kept) -> bool) -> Option<Box<Kept>> {
        let at = self.idle.iter().position(|kept| is_due(kept))?;
        let kept = self.idle.remove(at)?;
        self.took_idle();
        Some(kept)
    }

    fn took_idle(&mut self) {
        // Others may see one too many for a moment: they ask and are told.
        self.cell().idle.store(self.idle.len() as u32, Ordering::Relaxed);
        self.enter();
    }

    /// A busy one becomes idle, seen by all loops.
    pub(super) fn shelve(&mut self, kept: Box<Kept>) {
        self.leave();
        self.idle.push_back(kept);
        self.cell().idle.store(self.idle.len() as u32, Ordering::SeqCst);
    }

    /// A busy one is here that was not.
    pub(super) fn enter(&mut self) {
        self.busy += 1;
        more(&self.cell().busy);
    }

    /// A busy one is no more, or elsewhere.
    pub(super) fn leave(&mut self) {
        self.busy -= 1;
        less(&self.cell().busy);
    }

    pub(super) fn begin_opening(&mut self) {
        self.opening += 1;
        self.doubt();
        more(&self.cell().opening);
    }

    pub(super) fn end_opening(&mut self) {
        self.opening -= 1;
        less(&self.cell().opening);
    }

    /// Another client waits, seen by all loops.
    pub(super) fn push(&mut self, wish: Rc<Wish>) {
        self.waiting.push_back(wish);
        self.publish_waiting(Ordering::SeqCst);
    }

    /// The client that waits longest waits no more.
    pub(super) fn pop(&mut self) -> Option<Rc<Wish>> {
        let wish = self.waiting.pop_front()?;
        self.publish_waiting(Ordering::Release);
        Some(wish)
    }

    /// This client waits no more.
    pub(super) fn remove(&mut self, wish: &Rc<Wish>) {
        self.waiting.retain(|waiting| !Rc::ptr_eq(waiting, wish));
        self.publish_waiting(Ordering::Release);
    }

    /// As long as something is under way for everybody, what comes free may pass by: the next must look again.
    fn doubt(&mut self) {
        self.dry &= self.waiting.len() > self.opening + self.asked;
    }

    fn publish_waiting(&mut self, order: Ordering) {
        self.doubt();
        let (cell, oldest) = (self.ledger.cell(self.here), self.oldest().unwrap_or(0));
        cell.waiting.store(self.waiting.len() as u32, Ordering::Relaxed);
        if cell.oldest.load(Ordering::Relaxed) != oldest {
            cell.oldest.store(oldest, order);
        }
    }
}
