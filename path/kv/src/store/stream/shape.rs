//! What a stream would look like in Redis: how many bytes its listpacks have, and how many nodes the radix tree above them.
//!
//! The former decides which entries go together when a stream is trimmed, both are told by `XINFO`.

use super::id::Id;
use crate::frame::{Args, parse_int};

/// Bytes of a listpack with nothing in it.
const EMPTY: usize = 7;
/// Bytes of a key of the tree.
const KEY: usize = 16;

/// Bytes of what is in front of the entries.
pub(super) fn head(pairs: Args<'_>) -> usize {
    let numbers = integer(1) + integer(0) + integer((pairs.len() / 2) as i64) + integer(0);
    EMPTY + numbers + pairs.iter().step_by(2).map(text).sum::<usize>()
}

/// Bytes of an entry.
pub(super) fn entry(id: Id, first: Id, has_names: bool, pairs: Args<'_>) -> usize {
    let fields = pairs.len() / 2;
    let pieces = 3 + fields + if has_names { fields + 1 } else { 0 };
    let names = if has_names { integer(fields as i64) + pairs.iter().step_by(2).map(text).sum::<usize>() } else { 0 };
    let away = |to: u64, from: u64| integer(to.wrapping_sub(from) as i64);
    let numbers = integer(0) + away(id.ms, first.ms) + away(id.seq, first.seq) + integer(pieces as i64);
    numbers + names + pairs.iter().skip(1).step_by(2).map(text).sum::<usize>()
}

fn integer(number: i64) -> usize {
    let size = match number {
        0..=127 => 1,
        -4096..=4095 => 2,
        -32_768..=32_767 => 3,
        -8_388_608..=8_388_607 => 4,
        -2_147_483_648..=2_147_483_647 => 5,
        _ => 9,
    };
    // Its length follows.
    size + 1
}

fn text(text: &[u8]) -> usize {
    if let Some(number) = parse_int(text) {
        return integer(number);
    }
    let size = text.len()
        + match text.len() {
            ..64 => 1,
            64..4096 => 2,
            _ => 5,
        };
    let behind = match size {
        ..128 => 1,
        128..16_383 => 2,
        16_383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => 5,
    };
    size + behind
}

/// Nodes of a radix tree with these keys, which are in order.
pub(super) fn nodes(keys: impl Iterator<Item = Id>) -> usize {
    let keys: Vec<[u8; KEY]> = keys.map(|id| (u128::from(id.ms) << 64 | u128::from(id.seq)).to_be_bytes()).collect();
    below(&keys, 0)
}

/// Of the keys that are equal in their first `depth` bytes.
fn below(keys: &[[u8; KEY]], depth: usize) -> usize {
    let [first, .., last] = keys else { return 1 + usize::from(keys.len() == 1 && depth < KEY) };
    let shared = first.iter().zip(last).take_while(|(one, other)| one == other).count();
    let branches = keys.chunk_by(|one, other| one[shared] == other[shared]);
    1 + usize::from(shared > depth) + branches.map(|keys| below(keys, shared + 1)).sum::<usize>()
}
