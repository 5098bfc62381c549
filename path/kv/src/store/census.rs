//! What is known of the keys of a shard beside themselves: how each class of them is used and what it takes, which keys are used
//! most, which are the biggest.
//!
//! Uses are sampled (`sampler`); keys and bytes are counted by a walk through the shard, a little at a time (`keys/survey.rs`).
//! Nothing here grows: classes and keys have places, and the least used give way.

mod hot;
mod most;
mod name;
mod sampler;
mod tally;

use std::sync::Arc;

pub(crate) use hot::{Hot, TEXT};
pub(crate) use most::Most;
pub(crate) use name::Name;
pub(crate) use sampler::Sampler;
pub(crate) use tally::{Counted, Tally, What};

use super::entry::Ms;
use tally::OTHER;

/// Classes of a shard that are told apart.
pub(crate) const CLASSES: usize = 64;

#[derive(Debug)]
pub(crate) struct Census {
    pub(crate) tally: Arc<Tally>,
    classes: Classes,
    pub(crate) hot: Hot,
    /// Of keys that go by themselves.
    pub(crate) departures: Sampler,
    /// Where the walk is, and what it has found.
    pub(crate) walk: Walk,
    /// The biggest keys of the last walk that came to its end, and when that was; 0: none has.
    pub(crate) biggest: Most,
    pub(crate) walked: Ms,
}

/// A walk that is under way.
#[derive(Debug)]
pub(crate) struct Walk {
    /// The next segment.
    pub(crate) from: u32,
    pub(crate) biggest: Most,
    /// Keys and bytes by the place of their class.
    found: [(u64, u64); CLASSES + 1],
}

/// Which class has which place.
#[derive(Debug)]
struct Classes {
    /// Hashes of their names.
    hashes: [u64; CLASSES + 1],
    /// Keys and uses that were seen of each, of late; who comes has those of who went, so that it is not the next to go.
    weights: [u64; CLASSES + 1],
    used: usize,
}

impl Walk {
    fn new() -> Walk {
        Walk { from: 0, biggest: Most::NONE, found: [(0, 0); CLASSES + 1] }
    }
}

impl Census {
    pub(crate) fn new(tally: Arc<Tally>, now: Ms) -> Census {
        Census {
            tally,
            classes: Classes { hashes: [0; CLASSES + 1], weights: [0; CLASSES + 1], used: OTHER + 1 },
            hot: Hot::new(now),
            departures: Sampler::new(),
            walk: Walk::new(),
            biggest: Most::NONE,
            walked: 0,
        }
    }

    /// The place of a class, whose name has this hash: its own, or that of the class that was seen least.
    pub(crate) fn place(&mut self, hash: u64, name: &Name) -> usize {
        let Classes { hashes, weights, used } = &mut self.classes;
        if let Some(place) = (OTHER + 1..*used).find(|place| hashes[*place] == hash) {
            weights[place] += 1;
            return place;
        }
        let place = if *used <= CLASSES {
            *used += 1;
            *used - 1
        } else {
            (OTHER + 1..=CLASSES).min_by_key(|place| weights[*place]).expect("there are some")
        };
        hashes[place] = hash;
        weights[place] += 1;
        let (keys, bytes) = std::mem::take(&mut self.walk.found[place]);
        self.walk.found[OTHER].0 += keys;
        self.walk.found[OTHER].1 += bytes;
        self.tally.turn_over(place, *name);
        place
    }

    /// The walk has found a key of a class, of so many bytes.
    pub(crate) fn found(&mut self, place: usize, bytes: usize) {
        let (keys, sum) = &mut self.walk.found[place];
        *keys += 1;
        *sum += bytes as u64;
    }

    /// No key is there any more.
    pub(crate) fn clear(&mut self) {
        self.walk = Walk::new();
        self.end_walk(self.walked);
    }

    /// The walk is at its end: what it found holds until the next one is.
    pub(crate) fn end_walk(&mut self, now: Ms) {
        for (place, (keys, bytes)) in self.walk.found.iter_mut().enumerate() {
            self.tally.set(place, What::Keys, std::mem::take(keys));
            self.tally.set(place, What::Bytes, std::mem::take(bytes));
        }
        self.classes.weights.iter_mut().for_each(|weight| *weight /= 2);
        self.biggest = std::mem::replace(&mut self.walk.biggest, Most::NONE);
        (self.walk.from, self.walked) = (0, now);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn census() -> Census {
        Census::new(Arc::new(Tally::new(CLASSES)), 0)
    }

    fn place(census: &mut Census, class: u64) -> usize {
        let letters: Vec<u8> = class.to_le_bytes().iter().flat_map(|byte| [b'a' + byte / 16, b'a' + byte % 16]).collect();
        let name = Name::of(&[], &letters);
        census.place(class, &name)
    }

    /// All that was counted, and the most that any class has.
    fn sum(census: &Census, what: What) -> (u64, u64) {
        let (mut classes, mut others) = (HashMap::new(), Counted::default());
        census.tally.add_to(&mut classes, &mut others);
        let most = classes.values().map(|counted| counted.of(what)).max().unwrap_or(0);
        (classes.values().fold(others.of(what), |sum, counted| sum + counted.of(what)), most)
    }

    #[test]
    fn a_class_that_is_seen_often_keeps_its_place_among_many() {
        let mut census = census();
        for turn in 0..10_000 {
            let often = place(&mut census, 7);
            census.tally.add(often, What::Hits, 1);
            let rare = place(&mut census, 1000 + turn);
            census.tally.add(rare, What::Hits, 1);
        }
        assert_eq!(sum(&census, What::Hits), (20_000, 10_000));
    }

    #[test]
    fn what_a_walk_finds_holds_until_the_next_is_over() {
        let mut census = census();
        let keys = |census: &Census| (sum(census, What::Keys).0, sum(census, What::Bytes).0);
        let found = |census: &mut Census, bytes| {
            let place = place(census, 1);
            census.found(place, bytes);
        };
        found(&mut census, 10);
        assert_eq!(keys(&census), (0, 0));
        census.end_walk(5);
        assert_eq!((keys(&census), census.walked), ((1, 10), 5));
        found(&mut census, 20);
        found(&mut census, 30);
        assert_eq!(keys(&census), (1, 10));
        census.end_walk(6);
        assert_eq!(keys(&census), (2, 50));
        census.clear();
        assert_eq!(keys(&census), (0, 0));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_whoever_gives_way(classes in proptest::collection::vec(0_u64..200, 0..2000)) {
            let mut census = census();
            for class in &classes {
                let at = place(&mut census, *class);
                census.tally.add(at, What::Writes, 3);
                census.found(at, 2);
            }
            census.end_walk(1);
            prop_assert_eq!(sum(&census, What::Writes).0, 3 * classes.len() as u64);
            prop_assert_eq!(sum(&census, What::Keys).0, classes.len() as u64);
            prop_assert_eq!(sum(&census, What::Bytes).0, 2 * classes.len() as u64);
        }
    }
}
