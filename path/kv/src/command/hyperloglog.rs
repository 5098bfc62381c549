//! HyperLogLogs: strings that count how many different texts they have seen, within about a percent.
//!
//! The bytes are those of Redis: `HYLL`, the encoding, three zeros, the count that was estimated last (its top bit says that it does
//! not hold any more), then 16,384 registers, dense or sparse.

mod change;
mod debug;
mod dense;
mod estimate;
mod hash;
mod sparse;

use super::strings::{peek, read};
use super::{Command, Flags, GROWS, GROWS_FAST, Group, KeySpec, OnKeys, READS};
use crate::error::Fault;

pub(super) const COMMANDS: &[Command] = &[
    log("pfadd", -2, GROWS_FAST, KeySpec::ONE, change::add).costs(change::add_cost),
    log("pfcount", -2, READS, KeySpec::REST, change::count).costs(change::count_cost),
    log("pfmerge", -2, GROWS, KeySpec::REST, change::merge).costs(change::merge_cost),
    log("pfdebug", 3, GROWS.and(Flags::ADMIN), KeySpec::Range { first: 2, last: 2, step: 1 }, debug::debug).costs(debug::cost),
    log("pfselftest", 1, Flags::ADMIN, KeySpec::None, debug::test).costs(debug::test_cost),
];

/// Bytes in front of the registers.
const HEAD: usize = 16;
const REGISTERS: usize = 1 << 14;
/// Bytes of a dense one.
const DENSE: usize = HEAD + REGISTERS * 6 / 8;
/// The byte that says the encoding.
const ENCODING: usize = 4;
/// The bit that says that the count does not hold.
const STALE: (usize, u8) = (15, 0x80);

const CORRUPTED: Fault = Fault::fixed("INVALIDOBJ Corrupted HLL object detected");

const fn log(name: &'static str, arity: i32, flags: Flags, keys: KeySpec, run: OnKeys) -> Command {
    Command::on_keys(name, arity, flags, Group::HyperLogLog, keys, run)
}

/// How registers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Dense,
    Sparse,
}

/// How a string that is one is kept.
///
/// # Errors
/// It is none.
fn encoding(bytes: &[u8]) -> Result<Encoding, Fault> {
    const NONE: Fault = Fault::fixed("WRONGTYPE Key is not a valid HyperLogLog string value.");
    match bytes {
        [b'H', b'Y', b'L', b'L', 0, ..] if bytes.len() == DENSE => Ok(Encoding::Dense),
        [b'H', b'Y', b'L', b'L', 1, ..] if bytes.len() >= HEAD => Ok(Encoding::Sparse),
        _ => Err(NONE),
    }
}

/// One that has seen nothing.
fn new() -> Vec<u8> {
    let mut bytes = b"HYLL\x01".to_vec();
    bytes.resize(HEAD, 0);
    sparse::push_zeros(REGISTERS, &mut bytes);
    bytes
}

/// Sees `text`; whether a register is another then.
fn see(bytes: &mut Vec<u8>, text: &[u8]) -> Result<bool, Fault> {
    let (register, count) = hash::place(text);
    raise(bytes, register, count)
}

/// Makes a register at least `count`; whether it was less.
fn raise(bytes: &mut Vec<u8>, register: usize, count: u8) -> Result<bool, Fault> {
    match encoding(bytes)? {
        Encoding::Dense => Ok(dense::raise(&mut bytes[HEAD..], register, count)),
        Encoding::Sparse => sparse::raise(bytes, register, count),
    }
}

/// Makes registers at least those of a string that is one.
fn merge(all: &mut [u8], bytes: &[u8]) -> Result<(), Fault> {
    match encoding(bytes)? {
        Encoding::Dense => {
            dense::each(&bytes[HEAD..]).zip(all).for_each(|(count, register)| *register = count.max(*register));
            Ok(())
        }
        Encoding::Sparse => sparse::merge(all, bytes),
    }
}

/// Makes it a dense one; whether it was none.
fn make_dense(bytes: &mut Vec<u8>) -> Result<bool, Fault> {
    if encoding(bytes)? == Encoding::Dense {
        return Ok(false);
    }
    let mut all = vec![0; REGISTERS];
    sparse::merge(&mut all, bytes)?;
    bytes.truncate(HEAD);
    bytes.resize(DENSE, 0);
    bytes[ENCODING] = 0;
    all.iter().enumerate().for_each(|(register, count)| {
        dense::raise(&mut bytes[HEAD..], register, *count);
    });
    Ok(true)
}

/// The count that was estimated last does not hold any more.
fn make_stale(bytes: &mut [u8]) {
    bytes[STALE.0] |= STALE.1;
}

#[cfg(test)]
mod tests;
