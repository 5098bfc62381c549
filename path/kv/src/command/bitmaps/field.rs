//! `BITFIELD`: integers of any number of bits, at any bit of a string.

use super::{bit, grow, grow_cost, place, strings};
use crate::error::Fault;
use crate::frame::{Args, Reply, parse_int};
use crate::store::{Class, Kind, View};

/// Bytes that an integer of 64 bits lies in, at most.
const SPAN: usize = 9;

/// What an integer is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    is_signed: bool,
    bits: usize,
}

/// What becomes of an integer that is too large or too small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Overflow {
    Wrap,
    Saturate,
    Fail,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Get,
    Set(i64, Overflow),
    Add(i64, Overflow),
}

/// One of the operations of a command.
#[derive(Debug, Clone, Copy)]
struct Operation {
    shape: Shape,
    place: usize,
    change: Change,
}

impl Shape {
    fn read(word: &[u8]) -> Result<Shape, Fault> {
        const NO_TYPE: Fault =
            Fault::fixed("ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.");
        let (is_signed, most, bits) = match word {
            [b'i', bits @ ..] => (true, 64, bits),
            [b'u', bits @ ..] => (false, 63, bits),
            _ => return Err(NO_TYPE),
        };
        let bits = parse_int(bits).filter(|bits| (1..=most).contains(bits)).ok_or(NO_TYPE)?;
        Ok(Shape { is_signed, bits: bits as usize })
    }

    fn least(self) -> i128 {
        if self.is_signed { -(1 << (self.bits - 1)) } else { 0 }
    }

    fn most(self) -> i128 {
        (1 << (self.bits - usize::from(self.is_signed))) - 1
    }

    /// What the last bits of a number say.
    fn wrapped(self, number: i128) -> i64 {
        let rest = 128 - self.bits;
        let low = number << rest;
        if self.is_signed { (low >> rest) as i64 } else { (low as u128 >> rest) as i64 }
    }

    /// The number that is meant by one that is set.
    fn meant(self, number: i64, overflow: Overflow) -> i128 {
        let distance = self.most() - i128::from(number);
        match overflow {
            // An unsigned one is what the bits of the number say.
            _ if !self.is_signed => i128::from(number as u64),
            // Redis's own sum overflows for the smallest ones, which makes them too large.
            Overflow::Saturate if self.bits < 64 && distance > i128::from(i64::MAX) => self.most() + 1,
            _ => i128::from(number),
        }
    }

    /// What a number becomes when it must fit, if it may.
    fn fit(self, number: i128, overflow: Overflow) -> Option<i64> {
        if (self.least()..=self.most()).contains(&number) {
            return Some(number as i64);
        }
        match overflow {
            Overflow::Wrap => Some(self.wrapped(number)),
            Overflow::Saturate => Some(number.clamp(self.least(), self.most()) as i64),
            Overflow::Fail => None,
        }
    }
}

impl Overflow {
    fn read(args: Args<'_>, at: usize) -> Result<Overflow, Fault> {
        const NO_TYPE: Fault = Fault::fixed("ERR Invalid OVERFLOW type specified");
        let all = [("WRAP", Overflow::Wrap), ("SAT", Overflow::Saturate), ("FAIL", Overflow::Fail)];
        all.into_iter().find(|(name, _)| args.is(at, name)).map(|(_, overflow)| overflow).ok_or(NO_TYPE)
    }
}

/// The operations behind the key.
fn operations(args: Args<'_>) -> Result<Vec<Operation>, Fault> {
    let (mut all, mut overflow, mut at) = (Vec::new(), Overflow::Wrap, 2);
    while at < args.len() {
        let has = |words: usize| args.len() - at > words;
        if args.is(at, "OVERFLOW") && has(1) {
            overflow = Overflow::read(args, at + 1)?;
            at += 2;
        } else if args.is(at, "GET") && has(2) {
            all.push(operation(args, at, None)?);
            at += 3;
        } else if args.is(at, "SET") && has(3) {
            all.push(operation(args, at, Some((Change::Set, overflow)))?);
            at += 4;
        } else if args.is(at, "INCRBY") && has(3) {
            all.push(operation(args, at, Some((Change::Add, overflow)))?);
            at += 4;
        } else {
            return Err(Fault::SYNTAX);
        }
    }
    Ok(all)
}

type Make = fn(i64, Overflow) -> Change;

fn operation(args: Args<'_>, at: usize, make: Option<(Make, Overflow)>) -> Result<Operation, Fault> {
    let shape = Shape::read(args.at(at + 1))?;
    let place = place(args.at(at + 2), Some(shape.bits))?;
    let change = match make {
        Some((make, overflow)) => make(args.int(at + 3)?, overflow),
        None => Change::Get,
    };
    Ok(Operation { shape, place, change })
}

impl Operation {
    fn writes(&self) -> bool {
        self.change != Change::Get
    }

    /// Bytes of a string in which it lies.
    fn length(&self) -> usize {
        bit(self.place + self.shape.bits - 1).0 + 1
    }

    /// How far its last bit is from the end of the bytes that it is read from.
    fn behind(&self) -> usize {
        SPAN * 8 - self.place % 8 - self.shape.bits
    }

    /// The integer that is there; behind the end there are zeros.
    fn get(&self, text: &[u8]) -> i64 {
        let from = (self.place / 8).min(text.len());
        let there = &text[from..text.len().min(from + SPAN)];
        let mut bytes = [0; 16];
        bytes[16 - SPAN..16 - SPAN + there.len()].copy_from_slice(there);
        self.shape.wrapped((u128::from_be_bytes(bytes) >> self.behind()) as i128)
    }

    /// Writes an integer where there is room for it.
    fn put(&self, text: &mut [u8], number: i64) {
        let (from, to) = (self.place / 8, self.length());
        let mask = (u128::MAX >> (128 - self.shape.bits)) << self.behind();
        let new = ((number as u128) << self.behind()) & mask;
        let (mask, new) = (mask.to_be_bytes(), new.to_be_bytes());
        let bits = mask[16 - SPAN..].iter().zip(&new[16 - SPAN..]);
        text[from..to].iter_mut().zip(bits).for_each(|(byte, (mask, new))| *byte = *byte & !mask | new);
    }

    /// Does it; whether another integer is there then.
    fn run(&self, text: &mut [u8], reply: &mut Reply<'_>) -> Option<bool> {
        let old = self.get(text);
        let (new, told) = match self.change {
            Change::Get => {
                reply.int(old);
                return None;
            }
            Change::Set(number, overflow) => (self.shape.fit(self.shape.meant(number, overflow), overflow), Some(old)),
            Change::Add(number, overflow) => (self.shape.fit(i128::from(old) + i128::from(number), overflow), None),
        };
        let Some(new) = new else {
            reply.null();
            return None;
        };
        reply.int(told.unwrap_or(new));
        self.put(text, new);
        Some(new != old)
    }
}

pub(super) fn any(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let all = operations(args)?;
    if all.iter().any(Operation::writes) { change(view, args.at(1), &all, reply) } else { get(view, args.at(1), &all, reply) }
}

pub(super) fn read_only(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    const WRITES: Fault = Fault::fixed("ERR BITFIELD_RO only supports the GET subcommand");
    let all = operations(args)?;
    if all.iter().any(Operation::writes) { Err(WRITES) } else { get(view, args.at(1), &all, reply) }
}

fn get(view: &mut View<'_>, key: &[u8], all: &[Operation], reply: &mut Reply<'_>) -> Result<(), Fault> {
    let text = strings::read(view, key)?.unwrap_or_default();
    reply.array(all.len());
    all.iter().for_each(|operation| reply.int(operation.get(text)));
    Ok(())
}

fn change(view: &mut View<'_>, key: &[u8], all: &[Operation], reply: &mut Reply<'_>) -> Result<(), Fault> {
    let mut slot = view.open(key, Kind::Str)?;
    let is_longer = grow(&mut slot, needed(all));
    let text = slot.bytes_mut().expect("a string is there");
    reply.array(all.len());
    let mut changes = 0;
    for operation in all {
        let done = operation.run(text, reply);
        changes += usize::from(done.is_some_and(|is_new| is_new || is_longer));
    }
    if changes > 0 {
        slot.changed(Class::STRING, "setbit");
    }
    Ok(())
}

/// Bytes that a string must have for those that write.
fn needed(all: &[Operation]) -> usize {
    all.iter().filter(|operation| operation.writes()).map(Operation::length).max().unwrap_or(0)
}

pub(super) fn cost(view: &View<'_>, args: Args<'_>) -> usize {
    let length = operations(args).map_or(0, |all| needed(&all));
    args.len() / 4 + grow_cost(view, args.at(1), length)
}
