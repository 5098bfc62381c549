//! Which of 64 tags are equal to one: a search looks at them all at once.

/// The places of equal bytes, in no order.
pub(super) struct Equals(u64);

/// The places of `byte` in `bytes`.
///
/// Four times sixteen bytes are compared, a bit for each four; compilers make vectors of that on every machine, where a bit for each
/// place in order would need an instruction that not all have.
#[inline]
pub(super) fn equals(bytes: &[u8; 64], byte: u8) -> Equals {
    let mut found = [0_u8; 16];
    for (four, sixteen) in bytes.as_chunks::<16>().0.iter().enumerate() {
        for (found, other) in found.iter_mut().zip(sixteen) {
            *found |= u8::from(*other == byte) << four;
        }
    }
    let found = u128::from_le_bytes(found);
    Equals(found as u64 | ((found >> 64) as u64) << 4)
}

impl Iterator for Equals {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros();
        self.0 &= self.0 - 1;
        // bits of a byte: two for the sixteen, one for its half
        Some((bit & 3) * 16 + (bit >> 2 & 1) * 8 + (bit >> 3))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn equal_bytes_are_found_where_they_are(bytes: [[u8; 32]; 2], byte: u8, places: u64) {
            let mut bytes: [u8; 64] = std::array::from_fn(|index| bytes[index / 32][index % 32]);
            (0..64).filter(|place| places >> place & 1 == 1).for_each(|place| bytes[place] = byte);
            let wanted: BTreeSet<u32> = (0..64).filter(|place| bytes[*place as usize] == byte).collect();
            let found: Vec<u32> = equals(&bytes, byte).collect();
            prop_assert_eq!(found.len(), wanted.len());
            prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), wanted);
        }
    }
}
