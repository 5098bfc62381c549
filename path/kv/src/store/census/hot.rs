//! The keys of a shard that are asked for and written most of late: Space-Saving (Metwally, Agrawal, El Abbadi 2005) over what is
//! sampled. A key without a place gets that of the least used one, and is told with what came since then, so that nothing is
//! told too high; one that has more than its share of a full list (one part of [`KEPT`]) is always in it.

use super::super::entry::Ms;

/// Keys that are kept.
pub(crate) const KEPT: usize = 64;
/// Bytes of a name that are kept, for keys that are not there.
pub(crate) const TEXT: usize = 64;
/// After so long all counts are halved.
const HALF: Ms = 60_000;

/// The busiest keys.
#[derive(Debug)]
pub(crate) struct Hot {
    /// Of the names of keys.
    hashes: [u64; KEPT],
    counts: [u64; KEPT],
    /// What each was given when it came.
    given: [u64; KEPT],
    texts: [Text; KEPT],
    used: usize,
    /// When counts were halved last, and the time before that they stand for by now.
    halved: Ms,
    before: Ms,
}

/// The beginning of a name.
#[derive(Debug, Clone, Copy)]
struct Text {
    bytes: [u8; TEXT],
    length: u8,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct HotKey<'h> {
    pub(crate) hash: u64,
    /// Its name, or the beginning of it.
    pub(crate) text: &'h [u8],
    /// Uses in a second, at least.
    pub(crate) pace: f64,
}

impl Hot {
    pub(crate) fn new(now: Ms) -> Hot {
        let none = Text { bytes: [0; TEXT], length: 0 };
        Hot { hashes: [0; KEPT], counts: [0; KEPT], given: [0; KEPT], texts: [none; KEPT], used: 0, halved: now, before: 0 }
    }

    /// `key` is used `weight` times.
    pub(crate) fn add(&mut self, hash: u64, key: &[u8], weight: u64, now: Ms) {
        self.age(now);
        if let Some(place) = self.hashes[..self.used].iter().position(|known| *known == hash) {
            self.counts[place] += weight;
            return;
        }
        let place = self.free();
        let least = self.counts[place];
        let length = key.len().min(TEXT);
        self.texts[place].bytes[..length].copy_from_slice(&key[..length]);
        self.texts[place].length = length as u8;
        (self.hashes[place], self.counts[place], self.given[place]) = (hash, least + weight, least);
    }

    /// A place that nobody has, or that of the least used.
    fn free(&mut self) -> usize {
        if self.used < KEPT {
            self.used += 1;
            self.counts[self.used - 1] = 0;
            return self.used - 1;
        }
        (0..KEPT).min_by_key(|place| self.counts[*place]).expect("there are some")
    }

    /// What was long ago counts less.
    fn age(&mut self, now: Ms) {
        let halves = now.saturating_sub(self.halved) / HALF;
        if halves > 0 {
            let shift = u32::try_from(halves).unwrap_or(u32::MAX).min(63);
            let [counts, given] = [&mut self.counts, &mut self.given];
            counts.iter_mut().chain(given).for_each(|count| *count >>= shift);
            // A minute that has passed since counts for a half, the one before it for a quarter.
            self.before = (self.before >> shift) + (HALF - (HALF >> shift));
            self.halved += halves * HALF;
        }
    }

    /// The busiest first, as far as they were seen since they came.
    pub(crate) fn keys(&mut self, now: Ms) -> Vec<HotKey<'_>> {
        self.age(now);
        let seconds = (self.before + now.saturating_sub(self.halved)).max(1000) as f64 / 1000.0;
        let key = |place: usize| HotKey {
            hash: self.hashes[place],
            text: &self.texts[place].bytes[..usize::from(self.texts[place].length)],
            pace: (self.counts[place] - self.given[place]) as f64 / seconds,
        };
        let mut keys: Vec<HotKey<'_>> = (0..self.used).map(key).filter(|key| key.pace > 0.0).collect();
        keys.sort_by(|one, other| other.pace.total_cmp(&one.pace));
        keys
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::super::super::random::Random;
    use super::*;

    fn add(hot: &mut Hot, key: u64, weight: u64, now: Ms) {
        hot.add(key, format!("key:{key}").as_bytes(), weight, now);
    }

    #[test]
    fn the_busiest_are_found_in_a_crowd() {
        let (mut hot, mut random) = (Hot::new(0), Random::seeded(5));
        for turn in 0..100_000_u64 {
            // Every tenth use is of key 1, every twentieth of key 2, the others of 10,000 keys.
            let key = match turn % 20 {
                0 | 10 => 1,
                5 => 2,
                _ => 100 + random.below(10_000) as u64,
            };
            add(&mut hot, key, 1, turn / 2);
        }
        let keys = hot.keys(50_000);
        assert_eq!((keys[0].text, keys[1].text), (&b"key:1"[..], &b"key:2"[..]));
        // 100,000 uses in 50 s.
        assert!((150.0..=200.0).contains(&keys[0].pace) && (60.0..=100.0).contains(&keys[1].pace), "{:?}", &keys[..2]);
    }

    #[test]
    fn what_was_busy_once_gives_way() {
        let mut hot = Hot::new(0);
        (0..1000).for_each(|turn| add(&mut hot, 1, 1, turn));
        (60_000..61_000).for_each(|turn| add(&mut hot, 2, 1, turn));
        let order = |hot: &mut Hot, now| hot.keys(now).iter().map(|key| key.hash).collect::<Vec<_>>();
        assert_eq!(order(&mut hot, 61_000), [2, 1]);
        assert_eq!(order(&mut hot, 61_000 + 60 * HALF), Vec::<u64>::new());
    }

    #[test]
    fn a_steady_pace_is_told_as_it_is() {
        for minutes in [1, 2, 3, 10, 60] {
            let mut hot = Hot::new(0);
            let end = minutes * 60_000 - 7_000;
            (0..end / 100).for_each(|tenth| add(&mut hot, 1, 5, tenth * 100));
            let pace = hot.keys(end)[0].pace;
            assert!((49.0..=51.0).contains(&pace), "{minutes} min: {pace}");
        }
    }

    #[test]
    fn a_long_name_is_cut() {
        let mut hot = Hot::new(0);
        hot.add(1, &[b'a'; 500], 3, 0);
        assert_eq!(hot.keys(0)[0], HotKey { hash: 1, text: &[b'a'; TEXT], pace: 3.0 });
    }

    proptest! {
        /// Nothing is told too high, and who has more than one part of `KEPT` of all is there.
        #[test]
        fn the_bounds_of_space_saving_hold(keys in proptest::collection::vec((0_u64..300, 1_u64..50), 1..2000)) {
            let (mut hot, mut real) = (Hot::new(0), HashMap::<u64, u64>::new());
            for (key, weight) in &keys {
                // Skewed: small numbers come more often.
                let key = key * key / 300;
                add(&mut hot, key, *weight, 500);
                *real.entry(key).or_default() += weight;
            }
            let all: u64 = real.values().sum();
            let told: HashMap<u64, f64> = hot.keys(500).iter().map(|key| (key.hash, key.pace)).collect();
            prop_assert!(told.len() <= KEPT);
            for (key, count) in &real {
                prop_assert!(told.get(key).is_none_or(|pace| *pace <= *count as f64 + 1e-6));
                prop_assert!(*count <= all / KEPT as u64 || told.contains_key(key), "{count} of {all}");
            }
        }
    }
}
