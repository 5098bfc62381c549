//! What clients of memcached give to a string beside its value: flags, a number for each change, and how it is to be refreshed.
//!
//! `[marks u8][cas u64][flags u32 if they are not 0]`, in the entry. A string that Redis wrote has none, which takes no byte.

/// The tag of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tag {
    /// Another one after each change (`cas unique`).
    pub(crate) cas: u64,
    /// They mean something to the client alone.
    pub(crate) flags: u32,
    /// It was asked for since it was put.
    pub(crate) is_fetched: bool,
    /// It is to be put anew by whoever asks first.
    pub(crate) is_stale: bool,
    /// Somebody was told to put it anew.
    pub(crate) is_won: bool,
}

const FLAGS: u8 = 1;
const FETCHED: u8 = 1 << 1;
const STALE: u8 = 1 << 2;
const WON: u8 = 1 << 3;
/// Bytes without the flags.
const SHORT: usize = 9;
const LONG: usize = SHORT + 4;

impl Tag {
    /// As bytes, for who keeps it elsewhere.
    pub(crate) fn bytes(self) -> Vec<u8> {
        let mut bytes = vec![0; self.length()];
        self.write(&mut bytes);
        bytes
    }

    /// What [`Tag::bytes`] gave; none if it did not give these.
    pub(crate) fn of(bytes: &[u8]) -> Option<Tag> {
        let marks = *bytes.first()?;
        let is_whole = marks & !(FLAGS | FETCHED | STALE | WON) == 0 && bytes.len() == Tag::length_at(bytes);
        is_whole.then(|| Tag::read(bytes))
    }

    /// Bytes that it takes.
    pub(super) fn length(self) -> usize {
        if self.flags == 0 { SHORT } else { LONG }
    }

    /// As [`Tag::length`], of one that was written.
    pub(super) fn length_at(bytes: &[u8]) -> usize {
        if bytes[0] & FLAGS == 0 { SHORT } else { LONG }
    }

    /// Writes it, and says how many bytes that took.
    pub(super) fn write(self, bytes: &mut [u8]) -> usize {
        let bit = |is: bool, bit: u8| if is { bit } else { 0 };
        let rare = bit(self.is_stale, STALE) | bit(self.is_won, WON);
        bytes[0] = bit(self.flags != 0, FLAGS) | bit(self.is_fetched, FETCHED) | rare;
        bytes[1..SHORT].copy_from_slice(&self.cas.to_le_bytes());
        if self.flags != 0 {
            bytes[SHORT..LONG].copy_from_slice(&self.flags.to_le_bytes());
        }
        self.length()
    }

    pub(super) fn read(bytes: &[u8]) -> Tag {
        let (marks, mut cas, mut flags) = (bytes[0], [0; 8], [0; 4]);
        cas.copy_from_slice(&bytes[1..SHORT]);
        if marks & FLAGS != 0 {
            flags.copy_from_slice(&bytes[SHORT..LONG]);
        }
        Tag {
            cas: u64::from_le_bytes(cas),
            flags: u32::from_le_bytes(flags),
            is_fetched: marks & FETCHED != 0,
            is_stale: marks & STALE != 0,
            is_won: marks & WON != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (flags, length) in [(0, 9), (1, 13), (u32::MAX, 13)] {
            for marks in 0..8 {
                let (is_fetched, is_stale, is_won) = (marks & 1 != 0, marks & 2 != 0, marks & 4 != 0);
                let tag = Tag { cas: u64::MAX - marks, flags, is_fetched, is_stale, is_won };
                let mut bytes = [7; 16];
                assert_eq!((tag.write(&mut bytes), Tag::length_at(&bytes), Tag::read(&bytes)), (length, length, tag));
                let kept = tag.bytes();
                assert_eq!((Tag::of(&kept), Tag::of(&kept[1..]), Tag::of(&[&kept[..], b"x"].concat())), (Some(tag), None, None));
            }
        }
    }
}
