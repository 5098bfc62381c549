//! One key and what it holds, as it lies in a block of the arena.
//!
//! `[kind and flags u8][access u24][length of the key, varint][expiry u48 if there is one][tag if there is one][key][value]`. A value
//! is the bytes of a string or of a small collection, or the number of a big one. What a tag is says [`tag`](super::tag).

use std::ops::Range;

use super::big::{Bigs, Number};
use super::tag::Tag;

/// Milliseconds since 1970.
pub(crate) type Ms = u64;

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Str,
    List,
    Set,
    Hash,
    Sorted,
    Stream,
}

/// What an entry is, without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    /// The value is a number of a big one.
    pub(super) is_big: bool,
    /// A bit that the kind gives a meaning; it goes when the value is put anew.
    pub(super) mark: bool,
    pub(super) expiry: Option<Ms>,
    /// What only clients of memcached give to a string.
    pub(super) tag: Option<Tag>,
    /// When or how often it was used, as the policy of eviction counts.
    pub(super) access: u32,
}

const ACCESS: Range<usize> = 1..4;
const EXPIRY: usize = 6;
const KIND: u8 = 0b0000_0111;
const BIG: u8 = 0b0000_1000;
const EXPIRES: u8 = 0b0001_0000;
const MARK: u8 = 0b0010_0000;
const TAGGED: u8 = 0b0100_0000;
const SAVED: u8 = 0b1000_0000;
const KINDS: [Kind; 6] = [Kind::Str, Kind::List, Kind::Set, Kind::Hash, Kind::Sorted, Kind::Stream];

impl Kind {
    /// As `TYPE` says it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Str => "string",
            Kind::List => "list",
            Kind::Set => "set",
            Kind::Hash => "hash",
            Kind::Sorted => "zset",
            Kind::Stream => "stream",
        }
    }
}

impl Head {
    /// Of a value that was just put.
    pub(super) fn new(kind: Kind) -> Head {
        Head { kind, is_big: false, mark: false, expiry: None, tag: None, access: 0 }
    }

    fn flags(&self) -> u8 {
        let bit = |is: bool, bit: u8| if is { bit } else { 0 };
        let rare = bit(self.mark, MARK) | bit(self.tag.is_some(), TAGGED);
        self.kind as u8 | bit(self.is_big, BIG) | bit(self.expiry.is_some(), EXPIRES) | rare
    }

    /// Bytes of an entry with this head.
    pub(super) fn length(&self, key: usize, value: usize) -> usize {
        let tag = self.tag.map_or(0, Tag::length);
        1 + ACCESS.len() + varint_length(key) + if self.expiry.is_some() { EXPIRY } else { 0 } + tag + key + value
    }

    /// Writes an entry all but its value, and gives the place of that.
    pub(super) fn write(&self, key: &[u8], entry: &mut [u8]) -> usize {
        entry[0] = self.flags();
        set_access(entry, self.access);
        let mut at = write_varint(key.len(), &mut entry[ACCESS.end..]) + ACCESS.end;
        if let Some(expiry) = self.expiry {
            entry[at..at + EXPIRY].copy_from_slice(&expiry.to_le_bytes()[..EXPIRY]);
            at += EXPIRY;
        }
        if let Some(tag) = self.tag {
            at += tag.write(&mut entry[at..]);
        }
        entry[at..at + key.len()].copy_from_slice(key);
        at + key.len()
    }

    /// Of an entry that lies in `entry`.
    pub(super) fn read(entry: &[u8]) -> Head {
        let access = u32::from_le_bytes([entry[1], entry[2], entry[3], 0]);
        let (kind, is_big, mark) = (kind(entry), is_big(entry), entry[0] & MARK != 0);
        Head { kind, is_big, mark, expiry: expiry(entry), tag: tag(entry), access }
    }
}

pub(super) fn kind(entry: &[u8]) -> Kind {
    KINDS[usize::from(entry[0] & KIND)]
}

pub(super) fn is_big(entry: &[u8]) -> bool {
    entry[0] & BIG != 0
}

pub(super) fn mark(entry: &[u8]) -> bool {
    entry[0] & MARK != 0
}

pub(super) fn set_mark(entry: &mut [u8], mark: bool) {
    entry[0] = entry[0] & !MARK | if mark { MARK } else { 0 };
}

/// A bit that says whether the last save has it; which way, the shard knows.
pub(super) fn saved(entry: &[u8]) -> bool {
    entry[0] & SAVED != 0
}

pub(super) fn set_saved(entry: &mut [u8], saved: bool) {
    entry[0] = entry[0] & !SAVED | if saved { SAVED } else { 0 };
}

pub(super) fn access(entry: &[u8]) -> u32 {
    u32::from_le_bytes([entry[1], entry[2], entry[3], 0])
}

/// The lower 24 bits count.
pub(super) fn set_access(entry: &mut [u8], access: u32) {
    entry[ACCESS].copy_from_slice(&access.to_le_bytes()[..3]);
}

pub(super) fn expiry(entry: &[u8]) -> Option<Ms> {
    if entry[0] & EXPIRES == 0 {
        return None;
    }
    let at = ACCESS.end + varint_length_at(&entry[ACCESS.end..]);
    let mut bytes = [0; 8];
    bytes[..EXPIRY].copy_from_slice(&entry[at..at + EXPIRY]);
    Some(Ms::from_le_bytes(bytes))
}

/// Writes another expiry where one stands already.
pub(super) fn set_expiry(entry: &mut [u8], expiry: Ms) {
    debug_assert!(entry[0] & EXPIRES != 0, "there is room only where one stands");
    let at = ACCESS.end + varint_length_at(&entry[ACCESS.end..]);
    entry[at..at + EXPIRY].copy_from_slice(&expiry.to_le_bytes()[..EXPIRY]);
}

/// Where the tag of an entry lies that has one.
fn tag_at(entry: &[u8]) -> usize {
    ACCESS.end + varint_length_at(&entry[ACCESS.end..]) + if entry[0] & EXPIRES == 0 { 0 } else { EXPIRY }
}

#[inline]
pub(super) fn is_tagged(entry: &[u8]) -> bool {
    entry[0] & TAGGED != 0
}

pub(super) fn tag(entry: &[u8]) -> Option<Tag> {
    is_tagged(entry).then(|| Tag::read(&entry[tag_at(entry)..]))
}

/// Writes another tag where one stands that is as long.
pub(super) fn set_tag(entry: &mut [u8], tag: Tag) {
    debug_assert!(self::tag(entry).is_some_and(|old| old.length() == tag.length()), "there is room only where one stands");
    let at = tag_at(entry);
    tag.write(&mut entry[at..]);
}

/// Where the key lies; the value is all behind it.
pub(super) fn key_range(entry: &[u8]) -> Range<usize> {
    let (length, size) = read_varint(&entry[ACCESS.end..]);
    let at = ACCESS.end + size + if entry[0] & EXPIRES == 0 { 0 } else { EXPIRY };
    let at = at + if is_tagged(entry) { Tag::length_at(&entry[at..]) } else { 0 };
    at..at + length
}

pub(super) fn key(entry: &[u8]) -> &[u8] {
    &entry[key_range(entry)]
}

pub(super) fn value(entry: &[u8]) -> &[u8] {
    &entry[key_range(entry).end..]
}

pub(super) fn value_mut(entry: &mut [u8]) -> &mut [u8] {
    let at = key_range(entry).end;
    &mut entry[at..]
}

/// Bytes that a key and what it holds take, with its place in the table.
pub(super) fn usage(entry: &[u8], bigs: &Bigs) -> usize {
    let big = if is_big(entry) { bigs.get(Number::of(value(entry))).held() } else { 0 };
    entry.len() + big + 8
}

fn varint_length(mut number: usize) -> usize {
    let mut length = 1;
    while number >= 0x80 {
        number >>= 7;
        length += 1;
    }
    length
}

fn varint_length_at(bytes: &[u8]) -> usize {
    1 + bytes.iter().take_while(|byte| **byte >= 0x80).count()
}

fn write_varint(mut number: usize, bytes: &mut [u8]) -> usize {
    let mut at = 0;
    while number >= 0x80 {
        bytes[at] = number as u8 | 0x80;
        number >>= 7;
        at += 1;
    }
    bytes[at] = number as u8;
    at + 1
}

/// The number, and how many bytes it takes.
fn read_varint(bytes: &[u8]) -> (usize, usize) {
    let first = usize::from(bytes[0]);
    if first < 0x80 {
        return (first, 1);
    }
    let length = varint_length_at(bytes);
    let number = bytes[..length].iter().rev().fold(0, |number, byte| number << 7 | usize::from(byte & 0x7f));
    (number, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (length, expiry) in [(0, None), (1, Some(0)), (127, Some(1)), (128, None), (300, Some((1 << 48) - 1)), (70_000, Some(7))] {
            let (key_bytes, text) = (vec![b'k'; length], b"value");
            let tag = Some(Tag { cas: 9, flags: length as u32, ..Tag::default() }).filter(|_| length != 128);
            let head = Head { kind: Kind::Stream, is_big: true, mark: true, expiry, tag, access: 0xab_cdef };
            let mut entry = vec![0; head.length(length, text.len())];
            let at = head.write(&key_bytes, &mut entry);
            entry[at..].copy_from_slice(text);
            assert_eq!((Head::read(&entry), key(&entry), value(&entry)), (head, &key_bytes[..], &text[..]));
            value_mut(&mut entry)[0] = b'V';
            set_access(&mut entry, 3);
            set_mark(&mut entry, false);
            if expiry.is_some() {
                set_expiry(&mut entry, 99);
            }
            let other = tag.map(|tag| Tag { cas: u64::MAX, is_stale: true, ..tag });
            if let Some(tag) = other {
                set_tag(&mut entry, tag);
            }
            let changed = Head { mark: false, access: 3, expiry: expiry.map(|_| 99), tag: other, ..head };
            assert_eq!((Head::read(&entry), key(&entry), value(&entry)), (changed, &key_bytes[..], &b"Value"[..]));
        }
    }
}
