//! A command's arguments: places in bytes that lie elsewhere, or owned.

use super::number::{parse_double, parse_int};
use crate::error::Fault;

/// Where an argument begins and ends.
pub(crate) type Span = (u32, u32);

/// The arguments of one command, its name first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Args<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Args<'a> {
    /// Those at `spans` of `bytes`.
    pub(crate) fn new(bytes: &'a [u8], spans: &'a [Span]) -> Args<'a> {
        Args { bytes, spans }
    }

    /// How many there are.
    pub(crate) fn len(self) -> usize {
        self.spans.len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(self) -> bool {
        self.spans.is_empty()
    }

    /// The one at `index`, which must be there.
    #[inline]
    pub(crate) fn at(self, index: usize) -> &'a [u8] {
        let (start, end) = self.spans[index];
        &self.bytes[start as usize..end as usize]
    }

    /// The one at `index`, if there are so many.
    pub(crate) fn get(self, index: usize) -> Option<&'a [u8]> {
        (index < self.len()).then(|| self.at(index))
    }

    /// The one at `index` as an integer.
    pub(crate) fn int(self, index: usize) -> Result<i64, Fault> {
        parse_int(self.at(index)).ok_or(Fault::NOT_INTEGER)
    }

    /// The one at `index` as a number, which may be infinite.
    pub(crate) fn float(self, index: usize) -> Result<f64, Fault> {
        parse_double(self.at(index)).ok_or(Fault::NOT_FLOAT)
    }

    /// Whether the one at `index` is there and is `word`, in capitals or not.
    #[inline]
    pub(crate) fn is(self, index: usize, word: &str) -> bool {
        self.get(index).is_some_and(|argument| argument.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// Those from `index` on; none if there are fewer.
    pub(crate) fn from(self, index: usize) -> Args<'a> {
        Args { bytes: self.bytes, spans: self.spans.get(index..).unwrap_or_default() }
    }

    /// Those before `index`; all if there are fewer.
    pub(crate) fn before(self, index: usize) -> Args<'a> {
        Args { bytes: self.bytes, spans: &self.spans[..index.min(self.len())] }
    }

    /// One after the other.
    pub(crate) fn iter(self) -> impl ExactSizeIterator<Item = &'a [u8]> + DoubleEndedIterator + Clone {
        self.spans.iter().map(move |&(start, end)| &self.bytes[start as usize..end as usize])
    }

    /// A copy that outlives the bytes.
    pub(crate) fn owned(self) -> Owned {
        Owned::copied(self.iter(), self.iter().map(<[u8]>::len).sum())
    }
}

/// Arguments that are kept: queued by MULTI, waiting in a blocked client, or on their way to another thread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Owned {
    bytes: Vec<u8>,
    spans: Box<[Span]>,
}

impl Owned {
    /// Those at `spans` of bytes that are given away.
    pub(super) fn taken(bytes: Vec<u8>, spans: &[Span]) -> Owned {
        Owned { bytes, spans: spans.into() }
    }

    /// The arguments.
    pub(crate) fn args(&self) -> Args<'_> {
        Args { bytes: &self.bytes, spans: &self.spans }
    }

    /// The bytes of memory that they take.
    pub(crate) fn size(&self) -> usize {
        self.bytes.capacity() + size_of_val(&*self.spans)
    }

    /// Arguments of about `length` bytes in all, and of no more than 4 GB, which is more than a request can have.
    fn copied<'a>(arguments: impl Iterator<Item = &'a [u8]>, length: usize) -> Owned {
        let (mut bytes, mut spans) = (Vec::with_capacity(length), Vec::with_capacity(arguments.size_hint().0));
        for argument in arguments {
            let start = bytes.len() as u32;
            bytes.extend_from_slice(argument);
            spans.push((start, u32::try_from(bytes.len()).expect("arguments are shorter than 4 GB")));
        }
        Owned { bytes, spans: spans.into() }
    }
}

impl<'a> FromIterator<&'a [u8]> for Owned {
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(arguments: I) -> Owned {
        Owned::copied(arguments.into_iter(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(words: &[&str]) -> Owned {
        words.iter().map(|word| word.as_bytes()).collect()
    }

    #[test]
    fn arguments_are_found_by_their_place() {
        let args = Args::new(b"SET key 12", &[(0, 3), (4, 7), (8, 10)]);
        assert_eq!((args.len(), args.at(1), args.get(3)), (3, &b"key"[..], None));
        assert!(args.is(0, "set") && !args.is(0, "sets") && !args.is(3, "set"));
        assert_eq!(args.int(2), Ok(12));
        assert_eq!(args.int(1), Err(Fault::NOT_INTEGER));
        assert_eq!(args.float(1), Err(Fault::NOT_FLOAT));
        assert!(args.from(1).iter().eq([&b"key"[..], b"12"]));
        assert!(args.before(1).iter().eq([b"SET"]));
        assert!(args.from(4).is_empty() && args.before(9).len() == 3);
    }

    #[test]
    fn a_copy_says_the_same_and_holds_only_its_arguments() {
        let all = owned(&["EVAL", "", "a much longer one", "x"]);
        assert!(all.args().iter().eq([&b"EVAL"[..], b"", b"a much longer one", b"x"]));
        let tail = all.args().from(2).owned();
        assert_eq!(tail, owned(&["a much longer one", "x"]));
    }
}
