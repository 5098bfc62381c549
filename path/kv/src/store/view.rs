//! What a command sees of the keys: those of the shards that are locked for it, at one moment.

use std::hash::RandomState;

use super::big::Big;
use super::entry::{self, Kind, Ms};
use super::keys::{Keys, hash};
use super::outcome::{Class, Outcome};
use super::random::Random;
use super::slot::Slot;
use super::table::Place;
use super::tag::Tag;
use crate::error::Fault;

/// Bits of a hash that a cursor has.
const CURSOR: u32 = 48;
const LOCKED: &str = "the shards of all keys are locked";

/// The shards that are locked.
pub(crate) enum Locked<'v> {
    /// The one that all keys of the command are in.
    One(&'v mut Keys),
    /// By number; those that are not locked are none.
    Many(Vec<Option<&'v mut Keys>>),
    /// By number, those that a script has taken.
    Taken(&'v mut [Option<Box<Keys>>]),
}

/// The keys, while a command runs. Time stands still; what is overdue is not there.
pub(crate) struct View<'v> {
    pub(super) locked: Locked<'v>,
    pub(super) hasher: &'v RandomState,
    /// How many bits of a hash do not say the shard.
    pub(super) shift: u32,
    pub(super) now: Ms,
    pub(crate) outcome: &'v mut Outcome,
}

/// What a key holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    /// A string, or a small collection as its type packs it.
    Bytes(&'a [u8]),
    Big(&'a Big),
}

impl<'a> Value<'a> {
    /// The bytes of a string.
    pub(crate) fn text(self) -> &'a [u8] {
        match self {
            Value::Bytes(bytes) => bytes,
            Value::Big(_) => unreachable!("no string is a big value"),
        }
    }
}

impl<'v> View<'v> {
    /// Milliseconds since 1970, the same for the whole command.
    pub(crate) fn now(&self) -> Ms {
        self.now
    }

    /// From now on it is `now`: of several commands that were done at different times.
    pub(crate) fn set_now(&mut self, now: Ms) {
        self.now = now;
    }

    /// Whether a save goes on, which may have to copy `key` before it is changed: how many bytes that are.
    pub(crate) fn unsaved(&self, key: &[u8]) -> usize {
        let keys = self.shard(hash(self.hasher, key));
        if keys.is_saving() { keys.unsaved(key) } else { 0 }
    }

    /// Whether a save goes on.
    #[inline]
    pub(crate) fn is_saving(&self) -> bool {
        match &self.locked {
            Locked::One(keys) => keys.is_saving(),
            Locked::Many(many) => many.iter().flatten().any(|keys| keys.is_saving()),
            Locked::Taken(taken) => taken.iter().flatten().any(|keys| keys.is_saving()),
        }
    }

    /// Chance, for what a command picks.
    pub(crate) fn random(&mut self) -> &mut Random {
        &mut self.outcome.random
    }

    /// What `key` holds, if it is of this kind; counts as a use of it.
    ///
    /// # Errors
    /// `WRONGTYPE` when it is of another.
    pub(crate) fn read(&mut self, key: &[u8], kind: Kind) -> Result<Option<Value<'_>>, Fault> {
        let Some((keys, place)) = self.used(key) else { return Ok(None) };
        value_of(keys, place, kind).map(Some)
    }

    /// As [`View::read`], beside others: nothing is counted, and nothing that is overdue goes.
    pub(crate) fn peek(&self, key: &[u8], kind: Kind) -> Result<Option<Value<'_>>, Fault> {
        let Some((keys, place)) = self.there(key) else { return Ok(None) };
        value_of(keys, place, kind).map(Some)
    }

    /// What `key` is, if it is there.
    pub(crate) fn kind(&self, key: &[u8]) -> Option<Kind> {
        self.there(key).map(|(keys, place)| entry::kind(keys.entry(place)))
    }

    /// The mark of `key`, which its kind gives a meaning.
    pub(crate) fn mark(&self, key: &[u8]) -> bool {
        self.there(key).is_some_and(|(keys, place)| entry::mark(keys.entry(place)))
    }

    /// The tag of `key`, if it is there and has one.
    pub(crate) fn tag(&self, key: &[u8]) -> Option<Tag> {
        self.there(key).and_then(|(keys, place)| entry::tag(keys.entry(place)))
    }

    /// When `key` is overdue, if it is there; the inner one is none when that is never.
    pub(crate) fn expiry(&self, key: &[u8]) -> Option<Option<Ms>> {
        self.there(key).map(|(keys, place)| entry::expiry(keys.entry(place)))
    }

    /// Milliseconds since it was used last, if it is there: coarse ones, and less than that after hours or days, as the policy of
    /// eviction has bits for it.
    pub(crate) fn idle(&self, key: &[u8]) -> Option<Ms> {
        let (keys, place) = self.there(key)?;
        Some(keys.eviction().policy.idle(entry::access(keys.entry(place)), self.now))
    }

    /// How often it is used, if it is there; the inner one is none where the policy of eviction does not count that.
    pub(crate) fn frequency(&self, key: &[u8]) -> Option<Option<u32>> {
        let (keys, place) = self.there(key)?;
        Some(keys.eviction().policy.frequency(entry::access(keys.entry(place)), self.now))
    }

    /// What `key` is, if it is there, and how many bytes its value holds.
    pub(crate) fn weight(&self, key: &[u8]) -> Option<(Kind, usize)> {
        let (keys, place) = self.there(key)?;
        let bytes = keys.entry(place);
        let held = if entry::is_big(bytes) { keys.big(place).held() } else { entry::value(bytes).len() };
        Some((entry::kind(bytes), held))
    }

    /// Counts a use of `key`; whether it is there. What is overdue goes.
    pub(crate) fn touch(&mut self, key: &[u8]) -> bool {
        self.used(key).is_some()
    }

    /// As [`View::touch`], but it is no use of it.
    pub(crate) fn look(&mut self, key: &[u8]) -> bool {
        if !self.is_there(key) {
            return self.used(key).is_some();
        }
        let hash = hash(self.hasher, key);
        keys_mut(&mut self.locked, self.shift, hash).asked(key, hash, true);
        true
    }

    /// Whether `key` is there, which is no use of it. What is overdue goes.
    pub(crate) fn is_there(&mut self, key: &[u8]) -> bool {
        match self.there(key) {
            Some((keys, place)) if keys.fields_due(place) > self.now => true,
            Some(_) => self.slot(key, Kind::Str).kind().is_some(),
            None => {
                self.slot(key, Kind::Str);
                false
            }
        }
    }

    /// `key` for a command that may change it.
    ///
    /// # Errors
    /// `WRONGTYPE` when it is of another kind.
    pub(crate) fn open<'s>(&'s mut self, key: &'s [u8], kind: Kind) -> Result<Slot<'s>, Fault> {
        let slot = self.open_any(key, kind);
        if slot.kind().is_some_and(|there| there != kind) { Err(Fault::WRONG_TYPE) } else { Ok(slot) }
    }

    /// As [`View::open`], whatever it is now; what is put there is of `kind`.
    pub(crate) fn open_any<'s>(&'s mut self, key: &'s [u8], kind: Kind) -> Slot<'s> {
        self.slot(key, kind).opened()
    }

    fn slot<'s>(&'s mut self, key: &'s [u8], kind: Kind) -> Slot<'s> {
        let hash = hash(self.hasher, key);
        let (now, outcome) = (self.now, &mut *self.outcome);
        let keys = keys_mut(&mut self.locked, self.shift, hash);
        let place = keys.live(key, hash, now, outcome);
        Slot::new(keys, outcome, key, hash, place, kind)
    }

    /// As [`View::open_any`], for a command that asks for what a key holds: it counts as found or not.
    pub(crate) fn find<'s>(&'s mut self, key: &'s [u8], kind: Kind) -> Slot<'s> {
        self.slot(key, kind).counted(kind)
    }

    /// Bits of an entry that say how it was used, if it is there: for who puts them back, as it was no use of it.
    pub(crate) fn access(&self, key: &[u8]) -> Option<u32> {
        self.there(key).map(|(keys, place)| entry::access(keys.entry(place)))
    }

    /// Takes `key` away; whether it was there. The event is of the command.
    pub(crate) fn delete(&mut self, key: &[u8], class: Class, event: &'static str) -> bool {
        let mut slot = self.open_any(key, Kind::Str);
        let was = slot.kind().is_some();
        if was {
            slot.remove();
            slot.changed(class, event);
        }
        was
    }

    /// How many keys there are in the shards that are locked, those that are overdue among them.
    pub(crate) fn count(&self) -> usize {
        self.all().map(Keys::len).sum()
    }

    /// All shards that are locked.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Keys> {
        let (one, many, taken) = match &self.locked {
            Locked::One(keys) => (Some(&**keys), &[][..], &[][..]),
            Locked::Many(many) => (None, &many[..], &[][..]),
            Locked::Taken(taken) => (None, &[][..], &**taken),
        };
        one.into_iter().chain(many.iter().flatten().map(|keys| &**keys)).chain(taken.iter().flatten().map(|keys| &**keys))
    }

    /// As [`View::all`], to be changed.
    pub(crate) fn all_mut(&mut self) -> (Vec<&mut Keys>, &mut Outcome) {
        let all = match &mut self.locked {
            Locked::One(keys) => vec![&mut **keys],
            Locked::Many(many) => many.iter_mut().flatten().map(|keys| &mut **keys).collect(),
            Locked::Taken(taken) => taken.iter_mut().flatten().map(|keys| &mut **keys).collect(),
        };
        (all, self.outcome)
    }

    /// The shard of `key`, which is locked, for those who watch it or wait for it.
    pub(crate) fn keys_of(&mut self, key: &[u8]) -> &mut Keys {
        keys_mut(&mut self.locked, self.shift, hash(self.hasher, key))
    }

    /// Whether all these shards are locked, of which one is.
    pub(crate) fn has_all(&self, shards: &[usize]) -> bool {
        match &self.locked {
            Locked::One(_) => shards.len() == 1,
            Locked::Many(many) => shards.iter().all(|number| many[*number].is_some()),
            Locked::Taken(taken) => shards.iter().all(|number| taken[*number].is_some()),
        }
    }

    /// Bytes that `key` and what it holds take, if it is there.
    pub(crate) fn usage(&self, key: &[u8]) -> Option<usize> {
        let (keys, place) = self.there(key)?;
        Some(keys.usage(place))
    }

    /// Whether `key` is there but overdue.
    pub(crate) fn is_overdue(&self, key: &[u8]) -> bool {
        let hash = hash(self.hasher, key);
        let keys = self.shard(hash);
        keys.find(key, hash).and_then(|place| entry::expiry(keys.entry(place))).is_some_and(|expiry| expiry <= self.now)
    }

    /// Keys from `cursor` on, about `most`, while all shards are locked; gives the next cursor, 0 at the end.
    ///
    /// The first bits of a cursor are the number of the shard, the others its cursor there: together the first 48 bits of a hash.
    pub(crate) fn scan(&self, cursor: u64, most: usize, mut each: impl FnMut(&[u8], Kind)) -> u64 {
        let bits = self.shift - (u64::BITS - CURSOR);
        let first = usize::try_from(cursor >> bits).unwrap_or(usize::MAX);
        let (mut from, mut given) = (cursor & ((1 << bits) - 1), 0);
        for (number, keys) in self.all().enumerate().skip(first) {
            let next = keys.scan(from, most - given, self.now, |key, kind| {
                each(key, kind);
                given += 1;
            });
            if next != 0 {
                return (number as u64) << bits | next;
            }
            if given >= most && number + 1 < self.all().count() {
                return (number as u64 + 1) << bits;
            }
            from = 0;
        }
        0
    }

    /// A key by chance, each as likely as another, while all shards are locked. It may be overdue.
    pub(crate) fn pick(&mut self) -> Option<Box<[u8]>> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let (mut number, seed) = (self.random().below(count), self.random().next());
        let keys = self.all().find(|keys| {
            let is_here = number < keys.len();
            number = number.saturating_sub(keys.len());
            is_here
        })?;
        keys.random(seed).map(Box::from)
    }

    /// The shard of a hash, which is locked.
    pub(crate) fn shard(&self, hash: u64) -> &Keys {
        match &self.locked {
            Locked::One(keys) => keys,
            Locked::Many(many) => many[number(hash, self.shift)].as_ref().expect(LOCKED),
            Locked::Taken(taken) => taken[number(hash, self.shift)].as_ref().expect(LOCKED),
        }
    }

    fn there(&self, key: &[u8]) -> Option<(&Keys, Place)> {
        let hash = hash(self.hasher, key);
        let keys = self.shard(hash);
        let place = keys.find(key, hash)?;
        let is_live = entry::expiry(keys.entry(place)).is_none_or(|expiry| expiry > self.now);
        is_live.then_some((keys, place))
    }

    fn used(&mut self, key: &[u8]) -> Option<(&mut Keys, Place)> {
        let hash = hash(self.hasher, key);
        let keys = keys_mut(&mut self.locked, self.shift, hash);
        let place = keys.live(key, hash, self.now, self.outcome);
        keys.asked(key, hash, place.is_some());
        if place.is_none() {
            self.outcome.happened(Class::MISS, "keymiss", key);
        }
        place.map(|place| (keys, place))
    }
}

/// The number of the shard that a hash belongs to.
pub(super) fn number(hash: u64, shift: u32) -> usize {
    // All 64 bits cannot be shifted away at once.
    (hash >> 1 >> (shift - 1)) as usize
}

fn keys_mut<'k>(locked: &'k mut Locked<'_>, shift: u32, hash: u64) -> &'k mut Keys {
    match locked {
        Locked::One(keys) => keys,
        Locked::Many(many) => many[number(hash, shift)].as_mut().expect(LOCKED),
        Locked::Taken(taken) => taken[number(hash, shift)].as_mut().expect(LOCKED),
    }
}

fn value_of(keys: &Keys, place: Place, kind: Kind) -> Result<Value<'_>, Fault> {
    let bytes = keys.entry(place);
    match (entry::kind(bytes) == kind, entry::is_big(bytes)) {
        (false, _) => Err(Fault::WRONG_TYPE),
        (true, false) => Ok(Value::Bytes(entry::value(bytes))),
        (true, true) => Ok(Value::Big(keys.big(place))),
    }
}
