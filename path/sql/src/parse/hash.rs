//! A hash of texts and words: eight bytes a step, the same in every process. Not keyed: whoever finds by it compares the text too.

/// Digits of pi's fraction, as good as any.
const KEY: u64 = 0x243f_6a88_85a3_08d3;
const START: u64 = 0x1319_8a2e_0370_7344;
const HIGH: u64 = 0x8080_8080_8080_8080;
const LOWER: u64 = 0x2020_2020_2020_2020;

/// `hash` with `more` mixed into it.
#[inline]
pub(super) const fn mix(hash: u64, more: u64) -> u64 {
    let product = ((hash ^ more) as u128).wrapping_mul(KEY as u128);
    (product as u64) ^ (product >> 64) as u64 ^ START
}

/// The hash of these bytes.
pub(super) const fn of(bytes: &[u8]) -> u64 {
    all::<false>(bytes)
}

/// The hash of a word, the same however ASCII letters in it are written.
#[inline]
pub(super) const fn of_word(bytes: &[u8]) -> u64 {
    all::<true>(bytes)
}

#[inline]
const fn all<const FOLD: bool>(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let hash = mix(START, length as u64);
    match length {
        0 => hash,
        1..4 => {
            let (first, middle, last) = (bytes[0] as u64, bytes[length / 2] as u64, bytes[length - 1] as u64);
            mix(hash, fold::<FOLD>(first | middle << 8 | last << 16))
        }
        4..8 => mix(hash, fold::<FOLD>(four(bytes, 0) | four(bytes, length - 4) << 32)),
        _ => {
            let (mut hash, mut at) = (hash, 0);
            while at + 8 < length {
                hash = mix(hash, fold::<FOLD>(eight(bytes, at)));
                at += 8;
            }
            mix(hash, fold::<FOLD>(eight(bytes, length - 8)))
        }
    }
}

/// One bit makes letters of both cases equal; no two other bytes that a word can hold become equal by it.
#[inline]
const fn fold<const FOLD: bool>(chunk: u64) -> u64 {
    if !FOLD {
        return chunk;
    }
    if chunk & HIGH == 0 {
        return chunk | LOWER;
    }
    let mut bytes = chunk.to_le_bytes();
    bytes.make_ascii_lowercase();
    u64::from_le_bytes(bytes)
}

#[inline]
const fn four(bytes: &[u8], at: usize) -> u64 {
    let (_, rest) = bytes.split_at(at);
    u32::from_le_bytes(*rest.first_chunk().expect("four bytes are there")) as u64
}

#[inline]
const fn eight(bytes: &[u8], at: usize) -> u64 {
    let (_, rest) = bytes.split_at(at);
    u64::from_le_bytes(*rest.first_chunk().expect("eight bytes are there"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_length_and_place_counts() {
        let text: Vec<u8> = (0..200u8).collect();
        let mut seen = HashSet::new();
        for start in 0..40 {
            for end in start..=text.len() {
                assert!(start == end || seen.insert(of(&text[start..end])), "{start}..{end}");
            }
        }
        let mut changed = text.clone();
        for at in 0..text.len() {
            changed[at] ^= 1;
            assert_ne!(of(&changed), of(&text), "byte {at}");
            changed[at] ^= 1;
        }
    }

    #[test]
    fn a_word_is_the_same_in_any_case_and_only_then() {
        for word in ["a", "As", "set", "FROM", "selecT", "Set_Config", "pg_advisory_LOCK_shared", "größe_X"] {
            assert_eq!(of_word(word.as_bytes()), of_word(word.to_ascii_lowercase().as_bytes()), "{word}");
        }
        for (one, other) in [("ÄX", "äX"), ("set", "sat"), ("a_b", "a$b"), ("ab", "aab"), ("aba", "abb")] {
            assert_ne!(of_word(one.as_bytes()), of_word(other.as_bytes()), "{one} {other}");
        }
    }
}
