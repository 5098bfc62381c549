//! `PFDEBUG` and `PFSELFTEST`: what a HyperLogLog looks like, and whether it counts well.

use super::{Encoding, HEAD, REGISTERS, dense, encoding, estimate, make_dense, new, see, sparse};
use crate::command::strings::held;
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::{Class, Kind, Slot, View};

/// Texts that a test sees.
const SEEN: u64 = 1_000_000;

/// A subcommand on one that is there.
type Ask = fn(&mut Slot<'_>, Encoding, &mut Reply<'_>) -> Result<(), Fault>;

pub(super) fn debug(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    const NO_KEY: Fault = Fault::fixed("ERR The specified key does not exist");
    let mut slot = view.open_any(args.at(2), Kind::Str);
    match slot.kind() {
        None => return Err(NO_KEY),
        Some(Kind::Str) => {}
        Some(_) => return Err(Fault::WRONG_TYPE),
    }
    let kept = encoding(held(&slot))?;
    let all: [(&str, Ask); 4] = [("GETREG", registers), ("DECODE", decode), ("ENCODING", tell_encoding), ("TODENSE", to_dense)];
    match all.iter().find(|(known, _)| args.is(1, known)) {
        Some((_, run)) => run(&mut slot, kept, reply),
        None => Err(Fault::made(format!("ERR Unknown PFDEBUG subcommand '{}'", String::from_utf8_lossy(args.at(1))))),
    }
}

/// Makes the one in a slot dense; whether it was not.
fn make_dense_in(slot: &mut Slot<'_>) -> Result<bool, Fault> {
    let mut bytes = held(slot).to_vec();
    let was_sparse = make_dense(&mut bytes)?;
    if was_sparse {
        slot.put(&bytes);
        slot.set_mark(true);
        slot.changed(Class::default(), "");
    }
    Ok(was_sparse)
}

fn registers(slot: &mut Slot<'_>, _: Encoding, reply: &mut Reply<'_>) -> Result<(), Fault> {
    make_dense_in(slot)?;
    reply.array(REGISTERS);
    dense::each(&held(slot)[HEAD..]).for_each(|count| reply.int(i64::from(count)));
    Ok(())
}

fn decode(slot: &mut Slot<'_>, kept: Encoding, reply: &mut Reply<'_>) -> Result<(), Fault> {
    if kept == Encoding::Dense {
        return Err(Fault::fixed("ERR HLL encoding is not sparse"));
    }
    let runs = sparse::runs(held(slot)).map(|run| match (run.count, run.size) {
        (0, 1) => format!("z:{}", run.length),
        (0, _) => format!("Z:{}", run.length),
        (count, _) => format!("v:{count},{}", run.length),
    });
    reply.bulk(runs.collect::<Vec<_>>().join(" ").as_bytes());
    Ok(())
}

fn tell_encoding(_: &mut Slot<'_>, kept: Encoding, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.simple(if kept == Encoding::Dense { "dense" } else { "sparse" });
    Ok(())
}

fn to_dense(slot: &mut Slot<'_>, _: Encoding, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let was_sparse = make_dense_in(slot)?;
    reply.int(i64::from(was_sparse));
    Ok(())
}

pub(super) fn cost(_: &View<'_>, _: Args<'_>) -> usize {
    // All registers are told, one by one.
    REGISTERS
}

/// `PFSELFTEST`: both forms see the same texts and count them within six times the error that is to be expected.
pub(super) fn test(view: &mut View<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let seed = view.random().next();
    let (mut one, mut other) = (new(), new());
    make_dense(&mut other)?;
    let mut stop = 1;
    for number in 1..=SEEN {
        let text = (number ^ seed).to_le_bytes();
        see(&mut one, &text)?;
        see(&mut other, &text)?;
        if number == stop {
            check(number, &one, &other)?;
            stop *= 10;
        }
    }
    reply.ok();
    Ok(())
}

fn check(seen: u64, one: &[u8], other: &[u8]) -> Result<(), Fault> {
    let count = estimate::of_bytes(one)?;
    let most = (1.04 / (REGISTERS as f64).sqrt() * 6.0 * seen as f64).ceil() as u64;
    if count != estimate::of_bytes(other)? {
        return Err(Fault::fixed("ERR TESTFAILED dense/sparse disagree"));
    }
    if count.abs_diff(seen) > most {
        return Err(Fault::made(format!("ERR TESTFAILED Too big error. card:{seen} abserr:{}", count.abs_diff(seen))));
    }
    Ok(())
}

pub(super) fn test_cost(_: &View<'_>, _: Args<'_>) -> usize {
    SEEN as usize
}
