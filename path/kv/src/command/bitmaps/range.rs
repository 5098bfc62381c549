//! Which bits of a string `BITCOUNT` and `BITPOS` look at.

use crate::error::Fault;
use crate::frame::Args;

/// What the ends of a range count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Bytes,
    Bits,
}

/// Bits from the first on, up to the one behind the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bits {
    pub(super) from: usize,
    pub(super) to: usize,
}

impl Unit {
    /// The unit at a place, if there is one.
    pub(super) fn read(args: Args<'_>, at: usize) -> Result<Unit, Fault> {
        match args.get(at) {
            None => Ok(Unit::Bytes),
            Some(_) if args.is(at, "BYTE") => Ok(Unit::Bytes),
            Some(_) if args.is(at, "BIT") => Ok(Unit::Bits),
            Some(_) => Err(Fault::SYNTAX),
        }
    }
}

impl Bits {
    /// From one end to another, which count from behind when they are negative, of a string of `length` bytes. None: there are none.
    pub(super) fn between(start: i64, end: i64, unit: Unit, length: usize) -> Option<Bits> {
        let scale = if unit == Unit::Bits { 1 } else { 8 };
        let count = (length * 8 / scale) as i64;
        let place = |place: i64| if place < 0 { (count + place).max(0) } else { place };
        let (start, end) = (place(start), place(end).min(count - 1));
        (start <= end).then(|| Bits { from: start as usize * scale, to: (end as usize + 1) * scale })
    }

    /// All of a string.
    pub(super) fn of(bytes: &[u8]) -> Option<Bits> {
        (!bytes.is_empty()).then_some(Bits { from: 0, to: bytes.len() * 8 })
    }

    /// How many of them are ones.
    pub(super) fn ones(self, bytes: &[u8]) -> usize {
        let bytes = &bytes[self.from / 8..self.to.div_ceil(8)];
        let (first, last) = (bytes[0] & !(0xff >> (self.from % 8)), bytes[bytes.len() - 1] & self.behind());
        ones(bytes) - (first.count_ones() + last.count_ones()) as usize
    }

    /// The bits of the last byte that are behind the range.
    fn behind(self) -> u8 {
        match self.to % 8 {
            0 => 0,
            within => 0xff >> within,
        }
    }

    /// The first of them that is a one, or a zero.
    pub(super) fn first(self, bytes: &[u8], is_one: bool) -> Option<usize> {
        let skipped = if is_one { 0 } else { 0xff };
        // What is looked for is a one by now.
        let byte = |at: usize| bytes[at] ^ skipped;
        let start = self.from / 8;
        let first = byte(start) & (0xff >> (self.from % 8));
        let found = if first != 0 {
            Some((start, first))
        } else {
            let rest = &bytes[start + 1..self.to.div_ceil(8)];
            let at = start + 1 + equal(rest, skipped);
            (at < start + 1 + rest.len()).then(|| (at, byte(at)))
        };
        let place = found.map(|(at, byte)| at * 8 + byte.leading_zeros() as usize);
        place.filter(|place| *place < self.to)
    }
}

/// How many bits are ones.
fn ones(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    let in_words: usize = words.iter().map(|word| u64::from_ne_bytes(*word).count_ones() as usize).sum();
    in_words + rest.iter().map(|byte| byte.count_ones() as usize).sum::<usize>()
}

/// How many bytes at the start are all `byte`.
fn equal(bytes: &[u8], byte: u8) -> usize {
    let (words, _) = bytes.as_chunks::<32>();
    let words = words.iter().take_while(|word| **word == [byte; 32]).count() * 32;
    words + bytes[words..].iter().take_while(|other| **other == byte).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_are_counted_and_found_as_one_by_one(text in prop::collection::vec(prop_oneof![Just(0u8), Just(255), any::<u8>()], 0..90), start in -99i64..99, end in -99i64..99, in_bits: bool, is_one: bool) {
            let unit = if in_bits { Unit::Bits } else { Unit::Bytes };
            let Some(bits) = Bits::between(start, end, unit, text.len()) else { return Ok(()) };
            prop_assert!(bits.from < bits.to && bits.to <= text.len() * 8);
            let one = |place: &usize| text[place / 8] & (0x80 >> (place % 8)) != 0;
            prop_assert_eq!(bits.ones(&text), (bits.from..bits.to).filter(one).count());
            prop_assert_eq!(bits.first(&text, is_one), (bits.from..bits.to).find(|place| one(place) == is_one));
        }
    }

    #[test]
    fn ends_count_from_behind() {
        assert_eq!(Bits::between(-1, -1, Unit::Bytes, 3), Some(Bits { from: 16, to: 24 }));
        assert_eq!(Bits::between(-9, -2, Unit::Bits, 2), Some(Bits { from: 7, to: 15 }));
        assert_eq!(Bits::between(0, 99, Unit::Bits, 1), Some(Bits { from: 0, to: 8 }));
        assert_eq!(Bits::between(3, 2, Unit::Bytes, 9), None);
        assert_eq!(Bits::between(0, -1, Unit::Bytes, 0), None);
    }
}
