//! The bytes of a set that is not big: integers in order, or a packed row.

use super::super::packed::{Edit, MOST_BYTES, Row, is_small};
use super::{Integers, Set, integers};
use crate::frame::parse_int;

/// Most integers that are kept in order, as in Redis (`set-max-intset-entries`).
const MOST_INTEGERS: usize = 512;

/// Makes empty bytes those of an empty set.
pub(super) fn start(bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        integers::start(bytes);
    }
}

/// Whether a set with this member, among others, may be small.
pub(super) fn takes(member: &[u8]) -> bool {
    member.len() <= MOST_BYTES
}

/// Whether they are not too many.
pub(super) fn fits(bytes: &[u8]) -> bool {
    match Integers::of(bytes) {
        Some(all) => all.len() <= MOST_INTEGERS,
        None => is_small(Row::of(bytes).len(), bytes.len()),
    }
}

/// Adds a member; whether it is new.
pub(super) fn add(bytes: &mut Vec<u8>, member: &[u8]) -> bool {
    if Integers::of(bytes).is_some() {
        if let Some(number) = parse_int(member) {
            return integers::add(bytes, number);
        }
        *bytes = packed(bytes);
    }
    let mut edit = Edit::<false>::of(bytes);
    let is_new = edit.packed().find(member, 1).is_none();
    if is_new {
        edit.push(member);
    }
    is_new
}

/// Takes a member away; whether it was there.
pub(super) fn remove(bytes: &mut Vec<u8>, member: &[u8]) -> bool {
    if Integers::of(bytes).is_some() {
        return parse_int(member).is_some_and(|number| integers::remove(bytes, number));
    }
    let mut edit = Edit::<false>::of(bytes);
    let at = edit.packed().find(member, 1);
    if let Some(at) = at {
        edit.remove(at, 1);
    }
    at.is_some()
}

/// The members of `set` as integers in order, if they are no others and not too many.
pub(super) fn in_order(set: Set<'_>) -> Option<Vec<u8>> {
    if set.len() > MOST_INTEGERS {
        return None;
    }
    let mut bytes = Vec::new();
    start(&mut bytes);
    set.iter().try_for_each(|member| parse_int(&member).map(|number| _ = integers::add(&mut bytes, number)))?;
    Some(bytes)
}

/// The integers as a row of texts.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(bytes.len() * 2);
    let mut edit = Edit::<false>::of(&mut row);
    Set::small(bytes).iter().for_each(|member| edit.push(&member));
    row
}
