//! What keys hold, as bytes.

use super::streams;
use crate::store::hash::Hash;
use crate::store::list::{End, List};
use crate::store::set::Set;
use crate::store::sorted::{Sorted, Way};
use crate::store::stream::Stream;
use crate::store::{Kind, Ms, Value};

/// The number of a kind.
pub(super) const KINDS: [(Kind, u8); 6] =
    [(Kind::Str, 0), (Kind::Set, 1), (Kind::Hash, 2), (Kind::List, 3), (Kind::Sorted, 4), (Kind::Stream, 5)];

/// The kind of a value, and the value.
pub(crate) fn write(kind: Kind, value: Value<'_>, to: &mut Vec<u8>) {
    let (_, number) = KINDS.iter().find(|(known, _)| *known == kind).expect("each kind has a number");
    to.push(*number);
    match kind {
        Kind::Set => Set::of(value).iter().for_each(|member| put(&member, to)),
        Kind::List => List::of(value).iter(End::Left, 0).for_each(|element| put(element, to)),
        Kind::Sorted => Sorted::of(value).iter(Way::Up, 0).for_each(|(member, score)| {
            put(member, to);
            to.extend_from_slice(&score.to_le_bytes());
        }),
        Kind::Hash => write_hash(Hash::of(value), to),
        Kind::Stream => streams::write(Stream::of(value), to),
        Kind::Str => to.extend_from_slice(value.text()),
    }
}

fn write_hash(hash: Hash<'_>, to: &mut Vec<u8>) {
    let expires = hash.soonest() < Ms::MAX;
    hash.each(|field, value| {
        put(field, to);
        put(value, to);
        let expiry = if expires { hash.expiry(field).flatten() } else { None };
        number(expiry.unwrap_or(0), to);
    });
}

pub(crate) fn put(text: &[u8], to: &mut Vec<u8>) {
    number(text.len() as u64, to);
    to.extend_from_slice(text);
}

pub(crate) fn number(mut number: u64, to: &mut Vec<u8>) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}
