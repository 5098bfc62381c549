//! Request and span ids: unlike each other, not secret.

use std::hash::{BuildHasher, RandomState};

/// One loop's source of ids (xoshiro-like; seeded from the system's randomness and `seed`).
#[derive(Debug)]
pub(crate) struct Ids {
    state: [u64; 2],
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Ids {
        // `RandomState` is keyed from the system's randomness.
        let random = RandomState::new();
        Ids { state: [random.hash_one(seed) | 1, random.hash_one(seed ^ u64::MAX)] }
    }

    /// Appends `digits` hexadecimal digits, 16 or 32, never all zero.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>, digits: usize) {
        let mut text = [0; 32];
        for group in text[..digits].chunks_exact_mut(16) {
            let mut number = self.next() | 1;
            for digit in group {
                *digit = b"0123456789abcdef"[(number >> 60) as usize];
                number <<= 4;
            }
        }
        out.extend_from_slice(&text[..digits]);
    }

    /// xorshift128+ (Vigna 2014).
    fn next(&mut self) -> u64 {
        let [mut first, second] = self.state;
        first ^= first << 23;
        let mixed = first ^ second ^ (first >> 18) ^ (second >> 5);
        self.state = [second, mixed];
        mixed.wrapping_add(second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_hexadecimal_and_differ() {
        let mut ids = Ids::new(0);
        let (mut one, mut two) = (Vec::new(), Vec::new());
        ids.write(&mut one, 32);
        ids.write(&mut two, 32);
        assert!(one.len() == 32 && one.iter().all(u8::is_ascii_hexdigit));
        assert_ne!(one, two);
    }
}
