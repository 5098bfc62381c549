//! survey: what is told of a store's keys: how each class of them is used and what it takes, which are used most, which are the
//! biggest.
//!
//! Each loop goes through the keys of its shards, some microseconds at a time, every now and then and when somebody asks.

mod text;

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use telemetry::Exposition;

use crate::door::{Shared, now};
use crate::store::{Away, Counted, Ms, Store, Told, What};
use text::{shown, shown_beginning};

/// From the end of one walk to the start of the next.
const EVERY: Duration = Duration::from_secs(30);
/// The longest that is walked at once, and the pause between two times: by itself, and when somebody waits.
const BY_ITSELF: (Duration, Duration) = (Duration::from_micros(50), Duration::from_millis(10));
const ASKED: (Duration, Duration) = (Duration::from_micros(100), Duration::from_millis(2));
/// Segments that are walked through under one lock.
const SEGMENTS: usize = 1;
/// How long somebody who asks waits for a walk; what the last one found is told then.
const PATIENCE: Duration = Duration::from_secs(3);
/// Classes that are told apart; those that matter least are together in one.
const TOLD: usize = 40;
/// What that one is called.
const OTHER: &str = "other";

/// What somebody wants to know of keys, besides their classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeysAsked {
    /// The keys that are used most.
    pub hot: bool,
    /// The biggest keys.
    pub big: bool,
    /// At most so many of each.
    pub most: usize,
}

/// What is known of the keys of a store.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KeysTold {
    /// The classes, those that matter most first; the last may be `other`, all that have no place of their own.
    pub classes: Vec<KeyClass>,
    /// The keys that were used most of late, the busiest first.
    pub hot: Vec<KeyTold>,
    /// The biggest keys, the biggest first.
    pub big: Vec<KeyTold>,
    /// How long ago the keys of classes and the biggest ones were counted, at most; `None`: some never were.
    pub counted: Option<Duration>,
}

/// How a class of keys is used and what it takes. Uses, evictions and expiries are since the start, and by sample when they are many.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyClass {
    /// A pattern of the file, or how the keys begin; safe to be printed.
    pub name: String,
    /// Keys when they were counted last.
    pub keys: u64,
    /// Bytes that these and what they hold took.
    pub memory: u64,
    /// Keys that were asked for and were there.
    pub hits: u64,
    /// Keys that were asked for and were not there.
    pub misses: u64,
    /// Keys that commands took in hand which may change them.
    pub writes: u64,
    /// Keys that went because memory was full.
    pub evicted: u64,
    /// Keys that went because they were overdue.
    pub expired: u64,
}

/// One key.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyTold {
    /// Its name, or the beginning of it with `…`; safe to be printed.
    pub name: String,
    /// The name of its class.
    pub class: String,
    /// As `TYPE` says it; `None`, as what follows: it is not there.
    pub kind: Option<&'static str>,
    /// Bytes that it and what it holds take.
    pub memory: Option<u64>,
    /// Milliseconds until it is overdue.
    pub ttl: Option<u64>,
    /// Reads and writes in a second, over the last minutes and at least; 0 when the busiest were not asked for.
    pub per_second: f64,
}

/// What one loop finds of the keys of its shards.
#[derive(Debug, Default)]
pub(crate) struct Found {
    hot: Vec<KeyTold>,
    big: Vec<KeyTold>,
    /// When they were counted, those whose turn is the longest ago; 0: some never were.
    counted: Option<Ms>,
}

/// Where a loop is in the walk through its shards.
struct Walk {
    shards: Vec<usize>,
    at: usize,
}

impl Walk {
    fn new(common: &Shared, index: usize) -> Walk {
        Walk { shards: (index..common.store.count()).step_by(common.events.loops.len()).collect(), at: 0 }
    }

    /// Walks for a moment.
    fn step(&mut self, common: &Shared, at_once: Duration) -> Step {
        let start = Instant::now();
        while let Some(number) = self.shards.get(self.at) {
            match common.store.lock(*number) {
                Ok(mut keys) => self.at += usize::from(keys.survey(SEGMENTS, now())),
                Err(away) => return Step::Away(away),
            }
            if start.elapsed() >= at_once {
                return Step::Breath;
            }
        }
        Step::Over
    }
}

/// Why a walk goes no further for now.
enum Step {
    Over,
    /// Others have their turn.
    Breath,
    /// A worker has the keys of the next shard.
    Away(Away),
}

/// Counts the keys of a loop's shards every now and then, until it is dropped.
pub(crate) async fn keep(common: Arc<Shared>, index: usize) {
    let (at_once, pause) = BY_ITSELF;
    loop {
        let mut walk = Walk::new(&common, index);
        loop {
            match walk.step(&common, at_once) {
                Step::Over => break,
                Step::Breath => loops::time::sleep(pause).await,
                // They are counted the next time.
                Step::Away(_) => walk.at += 1,
            }
        }
        loops::time::sleep(EVERY).await;
    }
}

/// Tells what is known of the keys of a loop's shards, once they have been counted anew.
pub(crate) async fn tell(common: Arc<Shared>, index: usize, asked: KeysAsked, answer: SyncSender<Found>) {
    let (mut walk, until, (at_once, pause)) = (Walk::new(&common, index), loops::now() + PATIENCE, ASKED);
    while loops::now() < until {
        match walk.step(&common, at_once) {
            Step::Over => break,
            Step::Breath => loops::time::sleep(pause).await,
            Step::Away(away) => drop(loops::time::timeout_at(until.into(), away.back()).await),
        }
    }
    let mut found = Found::default();
    for number in walk.shards {
        if let Err(away) = found.look(&common.store, number, asked) {
            // What does not come back in time is left out.
            let _ = loops::time::timeout_at(until.into(), away.back()).await;
            let _ = found.look(&common.store, number, asked);
        }
        // The other clients of the loop have their turn.
        tokio::task::yield_now().await;
    }
    // Who asked may have stopped waiting.
    let _ = answer.send(found);
}

impl Found {
    /// Adds what is known of a shard's keys.
    ///
    /// # Errors
    /// A worker has them.
    fn look(&mut self, store: &Store, number: usize, asked: KeysAsked) -> Result<(), Away> {
        let mut keys = store.lock(number)?;
        let (now, counted) = (now(), keys.surveyed());
        self.counted = Some(self.counted.map_or(counted, |before| before.min(counted)));
        let hot = if asked.hot { keys.hottest(now) } else { Vec::new() };
        let big = if asked.big { keys.biggest(now) } else { Vec::new() };
        drop(keys);
        self.hot.extend(hot.into_iter().map(|key| KeyTold::of(key, now)));
        self.big.extend(big.into_iter().map(|key| KeyTold::of(key, now)));
        Ok(())
    }
}

impl KeysTold {
    /// What all loops have found together.
    pub(crate) fn of(store: &Store, found: Vec<Found>, asked: KeysAsked) -> KeysTold {
        let counted = found.iter().filter_map(|found| found.counted).min().filter(|counted| *counted > 0);
        let mut told = KeysTold {
            classes: classes(store),
            counted: counted.map(|counted| Duration::from_millis(now().saturating_sub(counted))),
            ..KeysTold::default()
        };
        for Found { hot, big, .. } in found {
            told.hot.extend(hot);
            told.big.extend(big);
        }
        told.hot.sort_by(|one, other| other.per_second.total_cmp(&one.per_second));
        told.big.sort_by_key(|key| Reverse(key.memory));
        told.hot.truncate(asked.most);
        told.big.truncate(asked.most);
        told
    }
}

impl KeyTold {
    fn of(key: Told, now: Ms) -> KeyTold {
        let Told { name, length, class, pace, there } = key;
        let is_whole = length.is_some_and(|length| length == name.len());
        KeyTold {
            name: if is_whole { shown(&name) } else { shown_beginning(&name) },
            class: shown(class.bytes()),
            kind: there.map(|there| there.kind.name()),
            memory: there.map(|there| there.bytes as u64),
            ttl: there.and_then(|there| there.expiry).map(|expiry| expiry.saturating_sub(now)),
            per_second: pace,
        }
    }
}

impl KeyClass {
    fn of(name: String, counted: &Counted) -> KeyClass {
        KeyClass {
            name,
            keys: counted.of(What::Keys),
            memory: counted.of(What::Bytes),
            hits: counted.of(What::Hits),
            misses: counted.of(What::Misses),
            writes: counted.of(What::Writes),
            evicted: counted.of(What::Evicted),
            expired: counted.of(What::Expired),
        }
    }

    fn uses(&self) -> u64 {
        self.hits + self.misses + self.writes
    }
}

/// The classes of a store, those first that have most of its memory and its uses; `other` is the last one, if there are more.
pub(crate) fn classes(store: &Store) -> Vec<KeyClass> {
    let (all, mut others) = store.classes();
    others.add(&all.get(OTHER.as_bytes()).copied().unwrap_or_default());
    let named = all.iter().filter(|(name, _)| ***name != *OTHER.as_bytes());
    let mut classes: Vec<(KeyClass, &Counted)> = named.map(|(name, counted)| (KeyClass::of(shown(name), counted), counted)).collect();
    let sum = |of: fn(&KeyClass) -> u64| classes.iter().map(|(class, _)| of(class)).sum::<u64>().max(1) as f64;
    let (memory, uses) = (sum(|class| class.memory), sum(KeyClass::uses));
    let weight = |class: &KeyClass| class.memory as f64 / memory + class.uses() as f64 / uses;
    classes.sort_by(|(one, _), (other, _)| weight(other).total_cmp(&weight(one)).then_with(|| one.name.cmp(&other.name)));
    classes.drain(TOLD.min(classes.len())..).for_each(|(_, counted)| others.add(counted));
    let others = (others != Counted::default()).then(|| KeyClass::of(OTHER.into(), &others));
    classes.into_iter().map(|(class, _)| class).chain(others).collect()
}

/// Metrics of the classes of a store.
pub(crate) fn collect(store: &Store, name: &str, out: &mut Exposition) {
    for class in classes(store) {
        let labels = [("store", name), ("class", &*class.name)];
        out.gauge("kv_class_keys", "Keys of a class, when they were counted last.", &labels, class.keys as f64);
        out.gauge("kv_class_memory_bytes", "Bytes that these and what they hold took.", &labels, class.memory as f64);
        let counters = [
            ("kv_class_hits_total", "Keys of a class that were asked for and were there, by sample.", class.hits),
            ("kv_class_misses_total", "Keys of a class that were asked for and were not there, by sample.", class.misses),
            ("kv_class_writes_total", "Keys of a class that commands took in hand to change them, by sample.", class.writes),
            ("kv_class_expirations_total", "Keys of a class that went because they were overdue, by sample.", class.expired),
            ("kv_class_evictions_total", "Keys of a class that went because memory was full, by sample.", class.evicted),
        ];
        for (name, help, count) in counters {
            out.counter(name, help, &labels, count);
        }
    }
}
