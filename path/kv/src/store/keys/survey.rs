//! What is counted of the keys' classes: uses by sample, and keys and bytes by a walk, some segments at a time.

use std::sync::Arc;

use super::super::census::{Name, TEXT, Tally, What};
use super::super::entry::{self, Kind, Ms};
use super::super::table::Place;
use super::{Keys, hash};

/// A key that is told of.
#[derive(Debug)]
pub(crate) struct Told {
    /// Its name, or the beginning of it, and how long it is, where that is known.
    pub(crate) name: Box<[u8]>,
    pub(crate) length: Option<usize>,
    pub(crate) class: Name,
    /// Uses in a second, at least; 0 when that is not asked for.
    pub(crate) pace: f64,
    /// What it holds, if it is there.
    pub(crate) there: Option<There>,
}

/// What a key is that is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct There {
    pub(crate) kind: Kind,
    /// Bytes that it and what it holds take.
    pub(crate) bytes: usize,
    pub(crate) expiry: Option<Ms>,
}

/// Bytes of a name that are told.
const NAME: usize = 256;

impl Keys {
    /// A command has asked for a key, and found it or not.
    #[inline]
    pub(in super::super) fn asked(&mut self, key: &[u8], hash: u64, is_there: bool) {
        *if is_there { &mut self.counts.hits } else { &mut self.counts.misses } += 1;
        if self.sampler.is_due() {
            self.note(key, hash, if is_there { What::Hits } else { What::Misses });
        }
    }

    /// A command has opened a key that it may change.
    #[inline]
    pub(in super::super) fn opened(&mut self, key: &[u8], hash: u64) {
        if self.sampler.is_due() {
            self.note(key, hash, What::Writes);
        }
    }

    #[cold]
    fn note(&mut self, key: &[u8], hash: u64, what: What) {
        let now = self.care.now;
        let weight = self.sampler.weight(now, &mut self.care.random);
        self.census.hot.add(hash, key, weight, now);
        self.count(key, what, weight);
    }

    /// A key has gone by itself.
    #[inline]
    pub(super) fn departed(&mut self, key: &[u8], what: What) {
        if self.census.departures.is_due() {
            let weight = self.census.departures.weight(self.care.now, &mut self.care.random);
            self.count(key, what, weight);
        }
    }

    fn count(&mut self, key: &[u8], what: What, weight: u64) {
        let place = self.class_place(&self.class_of(key));
        self.census.tally.add(place, what, weight);
    }

    fn class_of(&self, key: &[u8]) -> Name {
        Name::of(self.classes.as_deref().unwrap_or_default(), key)
    }

    fn class_place(&mut self, name: &Name) -> usize {
        self.census.place(hash(&self.hasher, name.bytes()), name)
    }

    /// Counts the keys in `most` segments from where it was; whether it has come to the end of them.
    pub(crate) fn survey(&mut self, most: usize, now: Ms) -> bool {
        let Keys { table, blocks, bigs, hasher, census, classes, .. } = self;
        let rules = classes.as_deref().unwrap_or_default();
        census.walk.from = table.visit(census.walk.from, most, |at| {
            let entry = blocks.bytes(at);
            let (key, bytes) = (entry::key(entry), entry::usage(entry, bigs));
            let name = Name::of(rules, key);
            let place = census.place(hash(hasher, name.bytes()), &name);
            census.found(place, bytes);
            if census.walk.biggest.takes(bytes) {
                census.walk.biggest.add(bytes, hash(hasher, key));
            }
        });
        let is_over = census.walk.from == 0;
        if is_over {
            census.end_walk(now);
        }
        is_over
    }

    /// What is counted of their classes.
    pub(in super::super) fn tally(&self) -> Arc<Tally> {
        self.census.tally.clone()
    }

    /// When the keys were counted last; 0: never.
    pub(crate) fn surveyed(&self) -> Ms {
        self.census.walked
    }

    /// The keys that were used most of late.
    pub(crate) fn hottest(&mut self, now: Ms) -> Vec<Told> {
        let hot: Vec<(u64, Box<[u8]>, f64)> =
            self.census.hot.keys(now).into_iter().map(|key| (key.hash, key.text.into(), key.pace)).collect();
        let told = |(hash, text, pace): (u64, Box<[u8]>, f64)| match self.hashed(hash, now) {
            Some(place) => Told { pace, ..self.told(place) },
            None => {
                let length = (text.len() < TEXT).then_some(text.len());
                Told { class: self.class_of(&text), name: text, length, pace, there: None }
            }
        };
        hot.into_iter().map(told).collect()
    }

    /// The biggest keys, of those that were counted last and are still there.
    pub(crate) fn biggest(&self, now: Ms) -> Vec<Told> {
        self.census.biggest.hashes().filter_map(|hash| Some(self.told(self.hashed(hash, now)?))).collect()
    }

    /// The place of a key that is there, whose name has this hash.
    fn hashed(&self, hash: u64, now: Ms) -> Option<Place> {
        let is = |at| super::hash(&self.hasher, entry::key(self.blocks.bytes(at))) == hash;
        let place = self.table.find_named(self.table.own(hash), is)?;
        entry::expiry(self.entry(place)).is_none_or(|expiry| expiry > now).then_some(place)
    }

    fn told(&self, place: Place) -> Told {
        let entry = self.entry(place);
        let key = entry::key(entry);
        let there = There { kind: entry::kind(entry), bytes: self.usage(place), expiry: entry::expiry(entry) };
        let name = key[..key.len().min(NAME)].into();
        Told { name, length: Some(key.len()), class: self.class_of(key), pace: 0.0, there: Some(there) }
    }
}
