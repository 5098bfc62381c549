//! A memory of keys that went, of 16 bits for each: a set whose buckets each forget their oldest.

/// Prints of a bucket; what notes the place of the next one is behind them.
const PRINTS: usize = 15;

/// Prints, 0 for none.
type Bucket = [u16; PRINTS + 1];

#[derive(Debug, Default)]
pub(super) struct Ghost {
    buckets: Vec<Bucket>,
}

impl Ghost {
    /// Whether a key of this hash went lately; it is forgotten then.
    pub(super) fn recalls(&mut self, hash: u64) -> bool {
        if self.buckets.is_empty() {
            return false;
        }
        let (bucket, print) = self.bucket(hash);
        let there = bucket[..PRINTS].iter_mut().find(|there| **there == print);
        there.map(|there| *there = 0).is_some()
    }

    /// A key goes. About `keys` are remembered.
    pub(super) fn remember(&mut self, hash: u64, keys: usize) {
        let has = self.buckets.len() * PRINTS;
        // One that has become far too small or too large begins anew.
        if has < keys * 3 / 4 || has > keys * 2 + PRINTS {
            self.buckets = vec![[0; PRINTS + 1]; keys.div_ceil(PRINTS).max(1)];
        }
        let (bucket, print) = self.bucket(hash);
        let at = usize::from(bucket[PRINTS]) % PRINTS;
        bucket[at] = print;
        bucket[PRINTS] = at as u16 + 1;
    }

    /// Of a hash without the bits that are equal for the whole shard.
    fn bucket(&mut self, hash: u64) -> (&mut Bucket, u16) {
        let count = self.buckets.len();
        let index = ((u128::from(hash) * count as u128) >> 64) as usize;
        let print = (hash >> 8) as u16;
        (&mut self.buckets[index], if print == 0 { 1 } else { print })
    }

    pub(super) fn held(&self) -> usize {
        self.buckets.capacity() * size_of::<Bucket>()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::random::Random;
    use super::*;

    #[test]
    fn the_last_ones_are_remembered_and_older_ones_forgotten() {
        let mut random = Random::seeded(1);
        let hashes: Vec<u64> = (0..4000).map(|_| random.next()).collect();
        let mut ghost = Ghost::default();
        hashes.iter().for_each(|hash| ghost.remember(*hash, 1000));
        assert!(ghost.held() < 3000);
        let recalled = |ghost: &mut Ghost, hashes: &[u64]| hashes.iter().filter(|hash| ghost.recalls(**hash)).count();
        assert!(recalled(&mut ghost, &hashes[..2000]) < 100);
        let last = &hashes[3500..];
        assert!(recalled(&mut ghost, last) > 450);
        assert!(recalled(&mut ghost, last) < 10, "each is forgotten when it was recalled");
    }
}
