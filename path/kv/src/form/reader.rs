//! What keys are to hold, of bytes that anybody may have made.

use std::collections::HashSet;

use super::streams;
use super::writer::KINDS;
use crate::command::LONGEST;
use crate::store::hash::HashEdit;
use crate::store::list::{End, ListEdit};
use crate::store::set::Loose;
use crate::store::sorted::SortedEdit;
use crate::store::stream::Stream;
use crate::store::{Big, Kind, Ms, Slot};

/// A value that was read.
pub(crate) enum Held<'b> {
    Str(&'b [u8]),
    Set(Loose),
    Hash(Vec<Field<'b>>),
    List(Vec<&'b [u8]>),
    Sorted(Vec<(&'b [u8], f64)>),
    Stream(Box<Stream>),
}

/// A field with its value, and when it is overdue.
type Field<'b> = (&'b [u8], &'b [u8], Option<Ms>);

/// Bytes that are read.
#[derive(Debug)]
pub(crate) struct Reader<'b>(&'b [u8]);

/// The value that these bytes say, if they say one.
pub(crate) fn read(body: &[u8]) -> Option<Held<'_>> {
    let (number, rest) = body.split_first()?;
    let (kind, _) = KINDS.iter().find(|(_, known)| known == number)?;
    let mut reader = Reader(rest);
    match kind {
        Kind::Str => Some(Held::Str(rest)).filter(|_| rest.len() <= LONGEST),
        Kind::Set => reader.set().map(Held::Set),
        Kind::Hash => reader.hash().map(Held::Hash),
        Kind::List => reader.list().map(Held::List),
        Kind::Sorted => reader.sorted().map(Held::Sorted),
        Kind::Stream => streams::read(&mut reader).map(|stream| Held::Stream(Box::new(stream))),
    }
}

/// Texts, one after the other.
pub(crate) fn texts(body: &[u8]) -> Option<Vec<&[u8]>> {
    let (mut reader, mut all) = (Reader(body), Vec::new());
    while !reader.is_empty() {
        all.push(reader.text()?);
    }
    Some(all)
}

impl<'b> Reader<'b> {
    fn set(&mut self) -> Option<Loose> {
        let mut all = Loose::new();
        while !self.0.is_empty() {
            if !all.add(self.text()?) {
                return None;
            }
        }
        (all.set().len() > 0).then_some(all)
    }

    fn hash(&mut self) -> Option<Vec<Field<'b>>> {
        let (mut all, mut names) = (Vec::new(), HashSet::new());
        while !self.0.is_empty() {
            let (field, value, expiry) = (self.text()?, self.text()?, self.number()?);
            if !names.insert(field) || expiry >> 48 != 0 {
                return None;
            }
            all.push((field, value, (expiry > 0).then_some(expiry)));
        }
        (!all.is_empty()).then_some(all)
    }

    fn list(&mut self) -> Option<Vec<&'b [u8]>> {
        let mut all = Vec::new();
        while !self.0.is_empty() {
            all.push(self.text()?);
        }
        (!all.is_empty()).then_some(all)
    }

    fn sorted(&mut self) -> Option<Vec<(&'b [u8], f64)>> {
        let (mut all, mut names) = (Vec::new(), HashSet::new());
        while !self.0.is_empty() {
            let member = self.text()?;
            let (score, rest) = self.0.split_first_chunk()?;
            self.0 = rest;
            let score = f64::from_le_bytes(*score);
            if score.is_nan() || !names.insert(member) {
                return None;
            }
            all.push((member, score));
        }
        (!all.is_empty()).then_some(all)
    }

    pub(crate) fn new(bytes: &'b [u8]) -> Reader<'b> {
        Reader(bytes)
    }

    /// Whether all was read.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn text(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.bytes(length)
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Option<&'b [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for place in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            if place == 63 && *byte > 1 {
                return None;
            }
            number |= u64::from(byte & 0x7f) << place;
            if *byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

impl Held<'_> {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Held::Str(_) => Kind::Str,
            Held::Set(_) => Kind::Set,
            Held::Hash(_) => Kind::Hash,
            Held::List(_) => Kind::List,
            Held::Sorted(_) => Kind::Sorted,
            Held::Stream(_) => Kind::Stream,
        }
    }

    /// Puts it in a slot that holds nothing.
    pub(crate) fn put(self, slot: &mut Slot<'_>) {
        match self {
            Held::Str(text) => slot.put(text),
            Held::Set(all) => all.put(slot),
            Held::List(all) => {
                let mut edit = ListEdit::open(slot);
                all.into_iter().for_each(|element| edit.push(End::Right, element));
                edit.close();
            }
            Held::Sorted(all) => {
                let mut edit = SortedEdit::open(slot);
                all.into_iter().for_each(|(member, score)| edit.set(member, score));
                edit.close();
            }
            Held::Stream(stream) => slot.put_big(Big::Stream(*stream)),
            Held::Hash(all) => {
                let mut edit = HashEdit::open(slot);
                all.iter().for_each(|(field, value, _)| {
                    edit.set(field, value);
                });
                all.iter().filter(|(_, _, until)| until.is_some()).for_each(|(field, _, until)| edit.set_expiry(field, *until));
                edit.close();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_twice_or_empty_is_no_value() {
        for body in [&b""[..], b"\x06", b"\x01", b"\x01\x01a\x01a", b"\x02\x01a\x01b", b"\x03\x05a", b"\x04\x01a\0\0\0\0\0\0\xf8\x7f"] {
            assert!(read(body).is_none(), "{}", body.escape_ascii());
        }
        assert!(matches!(read(b"\x03\x01a\x01a"), Some(Held::List(all)) if all.len() == 2));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(kind in 0u8..7, body in prop::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..60)) {
            let bytes = [&[kind][..], &body].concat();
            let value = read(&bytes);
            prop_assert!(value.is_none_or(|value| kind < 6 && (kind == 0 || !body.is_empty() && value.kind() != Kind::Str)));
        }
    }
}
