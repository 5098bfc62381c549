//! `LPOS`: where elements are.

use super::{peek, read};
use crate::command::ranks::count;
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::View;
use crate::store::list::{End, List};

/// The options of `LPOS`.
struct Seek {
    /// Which match is the first that counts.
    rank: usize,
    from: End,
    /// How many are told: one, not in a list, if it is not said; 0: all.
    count: Option<usize>,
    /// How many elements are looked at; 0: all.
    most: usize,
}

impl Seek {
    fn read(args: Args<'_>) -> Result<Seek, Fault> {
        const ZERO: Fault = Fault::fixed(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
        );
        let mut seek = Seek { rank: 1, from: End::Left, count: None, most: 0 };
        for at in (0..args.len()).step_by(2) {
            if at + 1 == args.len() {
                return Err(Fault::SYNTAX);
            } else if args.is(at, "RANK") {
                let rank = args.int(at + 1)?;
                seek.rank = rank.unsigned_abs() as usize;
                seek.from = if rank < 0 { End::Right } else { End::Left };
                if rank == 0 {
                    return Err(ZERO);
                }
            } else if args.is(at, "COUNT") {
                seek.count = Some(count(args, at + 1, 0, Fault::fixed("ERR COUNT can't be negative"))?);
            } else if args.is(at, "MAXLEN") {
                seek.most = count(args, at + 1, 0, Fault::fixed("ERR MAXLEN can't be negative"))?;
            } else {
                return Err(Fault::SYNTAX);
            }
        }
        Ok(seek)
    }

    /// How many elements of `len` are looked at.
    fn reach(&self, len: usize) -> usize {
        if self.most == 0 { len } else { self.most.min(len) }
    }

    /// The places of those that are equal to `element` and count.
    fn places(&self, list: List<'_>, element: &[u8]) -> impl Iterator<Item = usize> {
        let (len, from) = (list.len(), self.from);
        let looked_at = list.iter(from, 0).take(self.reach(len)).enumerate();
        let equal = looked_at.filter(move |(_, other)| *other == element).map(|(place, _)| place);
        equal.skip(self.rank - 1).map(move |place| if from == End::Left { place } else { len - 1 - place })
    }
}

pub(super) fn positions(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let seek = Seek::read(args.from(3))?;
    let list = read(view, args)?;
    match (list, seek.count) {
        (None, None) => reply.null(),
        (None, Some(_)) => reply.array(0),
        (Some(list), None) => match seek.places(list, args.at(2)).next() {
            Some(place) => reply.int(place as i64),
            None => reply.null(),
        },
        (Some(list), Some(count)) => {
            let (hole, mut told) = (reply.later(0), 0);
            for place in seek.places(list, args.at(2)).take(if count == 0 { usize::MAX } else { count }) {
                reply.int(place as i64);
                told += 1;
            }
            reply.fill(hole, told);
        }
    }
    Ok(())
}

pub(super) fn cost(view: &View<'_>, args: Args<'_>) -> usize {
    let (Some(list), Ok(seek)) = (peek(view, args.at(1)), Seek::read(args.from(3))) else { return 0 };
    list.weight(seek.reach(list.len()))
}
