use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::Top;
use super::slots::Slots;
use super::slow::{Slow, SlowLog};
use crate::parse::{Already, Recognised, Strings, normalised};
use crate::server::Key;

/// Longest text of a kind that is kept, bytes or so.
const LONGEST: usize = 400;

/// Places looked at for the least used one.
const LOOKED_AT: usize = 8;

/// One loop's end of the list, which alone writes its places.
///
/// Space-saving (Metwally 2005) with a sampled minimum: a kind without a place gets that of the least used of a few, and
/// starts from its calls when next compared, so that a new one is not the next to go.
#[derive(Debug)]
pub(crate) struct Measure {
    top: Arc<Top>,
    slots: Arc<Slots>,
    places: HashMap<u64, u32, BuildHasherDefault<Already>>,
    /// Calls that a place's kind was given when it came, beside its own.
    given: Vec<u64>,
    used: usize,
    hand: usize,
    slow: SlowLog,
}

/// A statement that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    fingerprint: u64,
    place: u32,
    began: Instant,
}

impl Mark {
    /// The same statement once more.
    pub(crate) fn again(self, began: Instant) -> Mark {
        Mark { began, ..self }
    }
}

impl Measure {
    /// Of loop `index`, once.
    pub(crate) fn new(top: Arc<Top>, index: usize) -> Measure {
        let slots = top.loops[index].clone();
        let given = vec![0; slots.count()];
        // place 0 counts what has no other
        Measure { top, slots, places: HashMap::default(), given, used: 1, hand: 1, slow: SlowLog::default() }
    }

    /// A statement came in at `began`; to be called while its text is at hand.
    pub(crate) fn begin(&mut self, recognised: &Recognised, text: &[u8], strings: Strings, began: Instant) -> Mark {
        let fingerprint = recognised.fingerprint;
        let place = match self.places.get(&fingerprint) {
            Some(place) => *place,
            None => self.place(fingerprint, text, strings),
        };
        Mark { fingerprint, place, began }
    }

    /// Its answer ended at `now`, with so many rows or with an error. Gives the nanoseconds that it took.
    pub(crate) fn done(&mut self, mark: Mark, now: Instant, rows: u64, failed: bool, whose: &Key) -> u64 {
        let elapsed = now.saturating_duration_since(mark.began);
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let slot = self.slots.slot(mark.place as usize);
        // its place may have gone to another kind meanwhile
        let slot = if slot.fingerprint() == mark.fingerprint { slot } else { self.slots.slot(0) };
        slot.record(nanos, rows, failed);
        if nanos >= self.top.slow.load(Ordering::Relaxed) {
            self.slow.tell(&self.top, now, &Slow { elapsed, rows, failed, whose, text: &slot.text() });
        }
        nanos
    }

    /// A place for a kind that has none.
    fn place(&mut self, fingerprint: u64, text: &[u8], strings: Strings) -> u32 {
        if fingerprint == 0 {
            return 0;
        }
        let place = if self.used < self.slots.count() { self.used } else { self.vacate() };
        self.used += usize::from(place == self.used);
        self.slots.slot(place).turn_over(fingerprint, normalised(text, strings, LONGEST).into());
        self.places.insert(fingerprint, place as u32);
        place as u32
    }

    /// The least used place of the next few, which is free now.
    fn vacate(&mut self) -> usize {
        let count = self.slots.count();
        let next = (0..LOOKED_AT).map(|more| 1 + (self.hand - 1 + more) % (count - 1));
        let weight = |place: &usize| self.given[*place] + self.slots.slot(*place).calls();
        let place = next.min_by_key(weight).expect("it looks at some");
        self.given[place] += self.slots.slot(place).calls();
        self.hand = 1 + (self.hand - 1 + LOOKED_AT) % (count - 1);
        self.places.remove(&self.slots.slot(place).fingerprint());
        place
    }
}
