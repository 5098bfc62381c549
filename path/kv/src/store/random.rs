//! Chance, for what a command picks: fast, not secret, and the same for the same seed.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// Random numbers (SplitMix64), each state a seed.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Those that follow from `seed`, as a test wants them.
    #[cfg(test)]
    pub(crate) fn seeded(seed: u64) -> Random {
        Random(seed)
    }

    /// Others, for who cannot hold on to these.
    pub(crate) fn split(&mut self) -> Random {
        Random(self.next())
    }

    /// The next one.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// One below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // The high half of a product: as even as 64 bits allow.
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }

    /// `count` of the numbers below `limit`, ascending, each choice as likely as another.
    pub(crate) fn choose(&mut self, count: usize, limit: usize) -> impl Iterator<Item = usize> {
        let mut wanted = count.min(limit);
        (0..limit).filter(move |number| {
            let is_chosen = self.below(limit - number) < wanted;
            wanted -= usize::from(is_chosen);
            is_chosen
        })
    }
}

impl Default for Random {
    /// Nobody can foresee it.
    fn default() -> Random {
        Random(RandomState::new().build_hasher().finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_all_that_follows() {
        let (mut one, mut other) = (Random::seeded(7), Random::seeded(7));
        assert!((0..100).all(|_| one.next() == other.next()));
        assert_ne!(Random::default().next(), Random::default().next());
    }

    #[test]
    fn numbers_are_even() {
        let mut random = Random::seeded(1);
        let mut counts = [0; 10];
        (0..10_000).for_each(|_| counts[random.below(10)] += 1);
        assert!(counts.iter().all(|count| (880..1120).contains(count)), "{counts:?}");
    }

    #[test]
    fn choices_are_even_and_have_their_count() {
        let mut random = Random::seeded(2);
        let mut counts = [0; 10];
        for _ in 0..10_000 {
            let chosen: Vec<usize> = random.choose(3, 10).collect();
            assert!(chosen.len() == 3 && chosen.is_sorted());
            chosen.into_iter().for_each(|number| counts[number] += 1);
        }
        assert!(counts.iter().all(|count| (2800..3200).contains(count)), "{counts:?}");
        assert_eq!(random.choose(5, 3).collect::<Vec<_>>(), [0, 1, 2]);
    }
}
