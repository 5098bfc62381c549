//! Sparse registers: runs of equal ones.
//!
//! `00nnnnnn`: n + 1 zeros. `01nnnnnn nnnnnnnn`: n + 1 zeros. `1vvvvvnn`: n + 1 registers that are v + 1.

use super::{CORRUPTED, HEAD, REGISTERS, dense, make_dense, make_stale};
use crate::error::Fault;

/// Largest register.
const MOST: u8 = 32;
/// Longest run of one that is not zero.
const LONGEST: usize = 4;
/// Longest run of zeros in one byte.
const SHORT_ZEROS: usize = 64;
/// A longer one is dense (`hll-sparse-max-bytes`).
const MOST_BYTES: usize = 3000;
/// Runs looked at for neighbours that are one, after a change.
const LOOKED_AT: usize = 5;

/// Registers that are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) count: u8,
    pub(super) length: usize,
    /// Bytes of it.
    pub(super) size: usize,
}

impl Run {
    /// The one at a place.
    pub(super) fn at(bytes: &[u8], at: usize) -> Run {
        let byte = bytes[at];
        let (low, more) = (usize::from(byte & 0x3f), usize::from(bytes.get(at + 1).copied().unwrap_or(0)));
        match byte >> 6 {
            0 => Run { count: 0, length: low + 1, size: 1 },
            1 => Run { count: 0, length: (low << 8 | more) + 1, size: 2 },
            _ => Run { count: (byte >> 2 & 0x1f) + 1, length: usize::from(byte & 3) + 1, size: 1 },
        }
    }
}

/// All runs.
pub(super) fn runs(bytes: &[u8]) -> impl Iterator<Item = Run> + '_ {
    let mut at = HEAD;
    std::iter::from_fn(move || {
        let run = (at < bytes.len()).then(|| Run::at(bytes, at))?;
        at += run.size;
        Some(run)
    })
}

/// Appends so many registers that are zero, if any.
pub(super) fn push_zeros(length: usize, to: &mut Vec<u8>) {
    match length {
        0 => {}
        1..=SHORT_ZEROS => to.push(length as u8 - 1),
        _ => to.extend_from_slice(&((length - 1) as u16 | 0x4000).to_be_bytes()),
    }
}

/// Appends so many registers that are not zero, if any.
fn push(count: u8, length: usize, to: &mut Vec<u8>) {
    if length > 0 {
        to.push(byte(count, length));
    }
}

fn byte(count: u8, length: usize) -> u8 {
    0x80 | (count - 1) << 2 | (length as u8 - 1)
}

/// Makes registers at least these.
pub(super) fn merge(all: &mut [u8], bytes: &[u8]) -> Result<(), Fault> {
    let mut first = 0;
    for run in runs(bytes) {
        if run.count > 0 {
            let registers = all.get_mut(first..first + run.length).ok_or(CORRUPTED)?;
            registers.iter_mut().for_each(|register| *register = run.count.max(*register));
        }
        first += run.length;
    }
    if first == REGISTERS { Ok(()) } else { Err(CORRUPTED) }
}

/// Where the run of a register is: its place, its first register, and the place of the run before it.
fn find(bytes: &[u8], register: usize) -> Option<(usize, usize, usize)> {
    let (mut at, mut first, mut before) = (HEAD, 0, HEAD);
    while at < bytes.len() {
        let run = Run::at(bytes, at);
        if register < first + run.length {
            return Some((at, first, before));
        }
        (before, at, first) = (at, at + run.size, first + run.length);
    }
    None
}

/// Makes a register at least `count`, and all of them dense if it must be; whether it was less.
pub(super) fn raise(bytes: &mut Vec<u8>, register: usize, count: u8) -> Result<bool, Fault> {
    if count > MOST {
        return raise_dense(bytes, register, count);
    }
    let (at, first, before) = find(bytes, register).ok_or(CORRUPTED)?;
    let run = Run::at(bytes, at);
    if run.count >= count {
        return Ok(false);
    }
    let split = split(run, register - first, count);
    if split.len() > run.size && bytes.len() + split.len() - run.size > MOST_BYTES {
        return raise_dense(bytes, register, count);
    }
    bytes.splice(at..(at + run.size).min(bytes.len()), split);
    join(bytes, before);
    make_stale(bytes);
    Ok(true)
}

/// A run whose register number `index` becomes another.
fn split(run: Run, index: usize, count: u8) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(5);
    let push_old = |length, bytes: &mut Vec<u8>| if run.count == 0 { push_zeros(length, bytes) } else { push(run.count, length, bytes) };
    push_old(index, &mut bytes);
    push(count, 1, &mut bytes);
    push_old(run.length - index - 1, &mut bytes);
    bytes
}

/// Makes one of two neighbours that are equal, among a few from a place on.
fn join(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..LOOKED_AT {
        let (Some(_), next) = (bytes.get(at), bytes.get(at + 1)) else { return };
        let run = Run::at(bytes, at);
        let next = next.map(|_| Run::at(bytes, at + 1)).filter(|next| run.count > 0 && next.count == run.count);
        match next {
            Some(next) if run.length + next.length <= LONGEST => {
                bytes[at] = byte(run.count, run.length + next.length);
                bytes.remove(at + 1);
            }
            _ => at += run.size,
        }
    }
}

fn raise_dense(bytes: &mut Vec<u8>, register: usize, count: u8) -> Result<bool, Fault> {
    make_dense(bytes)?;
    Ok(dense::raise(&mut bytes[HEAD..], register, count))
}
