//! Where a text is seen: MurmurHash64A, as Redis has it.

use super::REGISTERS;

const SEED: u64 = 0xadc8_3b19;
const MULTIPLIER: u64 = 0xc6a4_a793_5bd1_e995;
const SHIFT: u32 = 47;
/// Bits of a hash that do not say the register.
const COUNTED: u32 = 64 - REGISTERS.ilog2();

/// The register of a text, and the count for it: zeros at the end of the rest of the hash, and one.
pub(super) fn place(text: &[u8]) -> (usize, u8) {
    let hash = murmur(text);
    let zeros = (hash >> REGISTERS.ilog2() | 1 << COUNTED).trailing_zeros();
    (hash as usize % REGISTERS, zeros as u8 + 1)
}

fn murmur(text: &[u8]) -> u64 {
    let (words, rest) = text.as_chunks::<8>();
    // The length is an `int` there, which counts only for texts longer than any.
    let mut hash = SEED ^ (text.len() as u64).wrapping_mul(MULTIPLIER);
    for word in words {
        let mut word = u64::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        word ^= word >> SHIFT;
        hash = (hash ^ word.wrapping_mul(MULTIPLIER)).wrapping_mul(MULTIPLIER);
    }
    if !rest.is_empty() {
        let rest = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        hash = (hash ^ rest).wrapping_mul(MULTIPLIER);
    }
    hash = (hash ^ hash >> SHIFT).wrapping_mul(MULTIPLIER);
    hash ^ hash >> SHIFT
}
