//! Integers in ascending order, all as wide as the widest needs: `[flag, width u15][i16, i32 or i64]…`
//!
//! The flag is that of a packed row: it tells one from the other.

use std::cmp::Ordering;

use super::super::packed::{Edit, Row};

/// Bytes of the width.
const HEAD: usize = 2;
const LEAST: usize = 2;

/// Integers that are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Integers<'a> {
    width: usize,
    bytes: &'a [u8],
}

impl<'a> Integers<'a> {
    /// Of the bytes of a small set, if they are such ones.
    #[inline]
    pub(super) fn of(bytes: &'a [u8]) -> Option<Integers<'a>> {
        let head = Row::of(bytes);
        head.flag().then(|| Integers { width: head.len(), bytes: &bytes[HEAD..] })
    }

    pub(super) fn len(self) -> usize {
        self.bytes.len() / self.width
    }

    /// The one at `index`.
    #[inline]
    pub(super) fn get(self, index: usize) -> i64 {
        let bytes = &self.bytes[index * self.width..][..self.width];
        match bytes {
            [a, b] => i16::from_le_bytes([*a, *b]).into(),
            [a, b, c, d] => i32::from_le_bytes([*a, *b, *c, *d]).into(),
            _ => i64::from_le_bytes(bytes.try_into().expect("there are three widths")),
        }
    }

    /// Where an integer is, or would be.
    pub(super) fn find(self, number: i64) -> Result<usize, usize> {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = from.midpoint(to);
            match self.get(middle).cmp(&number) {
                Ordering::Less => from = middle + 1,
                Ordering::Equal => return Ok(middle),
                Ordering::Greater => to = middle,
            }
        }
        Err(from)
    }

    pub(super) fn iter(self) -> impl ExactSizeIterator<Item = i64> {
        (0..self.len()).map(move |index| self.get(index))
    }
}

/// Makes empty bytes the form of no integers.
pub(super) fn start(bytes: &mut Vec<u8>) {
    head(bytes, LEAST);
}

fn head(bytes: &mut Vec<u8>, width: usize) {
    bytes.extend_from_slice(&(width as u16).to_le_bytes());
    Edit::<false>::of(bytes).set_flag(true);
}

/// Adds an integer; whether it is new.
pub(super) fn add(bytes: &mut Vec<u8>, number: i64) -> bool {
    let all = read(bytes);
    let Err(index) = all.find(number) else { return false };
    let needed = width(number);
    if needed > all.width {
        widen(bytes, needed);
    }
    let width = needed.max(read(bytes).width);
    let at = HEAD + index * width;
    bytes.splice(at..at, number.to_le_bytes()[..width].iter().copied());
    true
}

/// Takes an integer away; whether it was there. They stay as wide as they are.
pub(super) fn remove(bytes: &mut Vec<u8>, number: i64) -> bool {
    let all = read(bytes);
    let Ok(index) = all.find(number) else { return false };
    let at = HEAD + index * all.width;
    let behind = at + all.width;
    bytes.drain(at..behind);
    true
}

fn read(bytes: &[u8]) -> Integers<'_> {
    Integers::of(bytes).expect("they are integers")
}

/// Bytes that an integer needs.
fn width(number: i64) -> usize {
    match (i16::try_from(number), i32::try_from(number)) {
        (Ok(_), _) => 2,
        (_, Ok(_)) => 4,
        _ => 8,
    }
}

fn widen(bytes: &mut Vec<u8>, width: usize) {
    let mut wide = Vec::with_capacity(HEAD + (read(bytes).len() + 1) * width);
    head(&mut wide, width);
    read(bytes).iter().for_each(|number| wide.extend_from_slice(&number.to_le_bytes()[..width]));
    *bytes = wide;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn number() -> impl Strategy<Value = i64> {
        prop_oneof![-20i64..20, Just(i16::MAX.into()), Just(i64::from(i16::MIN) - 1), any::<i32>().prop_map(i64::from), any::<i64>()]
    }

    proptest! {
        #[test]
        fn integers_are_as_a_set(changes in prop::collection::vec((number(), prop::bool::weighted(0.7)), 0..200)) {
            let (mut bytes, mut model) = (Vec::new(), BTreeSet::new());
            start(&mut bytes);
            for (number, is_added) in changes {
                if is_added {
                    prop_assert_eq!(add(&mut bytes, number), model.insert(number));
                } else {
                    prop_assert_eq!(remove(&mut bytes, number), model.remove(&number));
                }
                prop_assert_eq!(read(&bytes).find(number).is_ok(), is_added);
            }
            prop_assert!(read(&bytes).iter().eq(model.iter().copied()));
        }
    }

    #[test]
    fn they_are_as_wide_as_they_must_be() {
        let mut bytes = Vec::new();
        start(&mut bytes);
        for (number, length) in [(1, 4), (-300, 6), (32_767, 8), (32_768, 18), (1 << 40, 42)] {
            assert!(add(&mut bytes, number));
            assert_eq!(bytes.len(), length, "{number}");
        }
    }
}
