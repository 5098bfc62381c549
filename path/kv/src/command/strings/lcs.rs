//! The longest common subsequence of two strings.

use super::{LONGEST, peek};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::{Kind, View};

/// Cells of the table that take as long as an element.
const CELLS: usize = 32;

/// How it is told.
#[derive(Debug, Default)]
struct Options {
    length: bool,
    /// Where it lies in both.
    places: bool,
    /// Pieces that are shorter are left out.
    least: usize,
    with_lengths: bool,
}

/// The length of the longest common subsequence of the first bytes of one and of the other, for all numbers of bytes.
struct Table<'a> {
    one: &'a [u8],
    other: &'a [u8],
    cells: Vec<u32>,
}

/// A piece that is in both: where it begins, and its length.
#[derive(Debug, Clone, Copy)]
struct Piece {
    one: usize,
    other: usize,
    length: usize,
}

impl Options {
    fn read(args: Args<'_>) -> Result<Options, Fault> {
        const BOTH: Fault = Fault::fixed("ERR If you want both the length and indexes, please just use IDX.");
        let mut options = Options::default();
        let mut at = 0;
        while at < args.len() {
            if args.is(at, "IDX") {
                options.places = true;
            } else if args.is(at, "LEN") {
                options.length = true;
            } else if args.is(at, "WITHMATCHLEN") {
                options.with_lengths = true;
            } else if args.is(at, "MINMATCHLEN") && at + 1 < args.len() {
                at += 1;
                options.least = usize::try_from(args.int(at)?).unwrap_or(0);
            } else {
                return Err(Fault::SYNTAX);
            }
            at += 1;
        }
        if options.length && options.places { Err(BOTH) } else { Ok(options) }
    }
}

impl<'a> Table<'a> {
    fn new(one: &'a [u8], other: &'a [u8]) -> Result<Table<'a>, Fault> {
        const TOO_LARGE: Fault = Fault::fixed("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
        let width = other.len() + 1;
        if (one.len() + 1).saturating_mul(width).saturating_mul(size_of::<u32>()) > LONGEST {
            return Err(TOO_LARGE);
        }
        let mut cells = vec![0; (one.len() + 1) * width];
        for (row, byte) in one.iter().enumerate() {
            let (before, below) = cells.split_at_mut((row + 1) * width);
            let above = &before[row * width..];
            for (column, other) in other.iter().enumerate() {
                below[column + 1] = if byte == other { above[column] + 1 } else { above[column + 1].max(below[column]) };
            }
        }
        Ok(Table { one, other, cells })
    }

    fn at(&self, one: usize, other: usize) -> usize {
        self.cells[one * (self.other.len() + 1) + other] as usize
    }

    fn length(&self) -> usize {
        self.at(self.one.len(), self.other.len())
    }

    /// The pieces that it consists of, the last first. As Redis finds them: where two bytes are equal they belong to it, and else the
    /// shorter one goes on that leaves more, or the second.
    fn pieces(&self, mut each: impl FnMut(Piece)) {
        let (mut one, mut other, mut piece) = (self.one.len(), self.other.len(), None::<Piece>);
        while one > 0 && other > 0 {
            if self.one[one - 1] == self.other[other - 1] {
                (one, other) = (one - 1, other - 1);
                let length = piece.map_or(0, |piece| piece.length) + 1;
                piece = Some(Piece { one, other, length });
            } else {
                piece.take().into_iter().for_each(&mut each);
                if self.at(one - 1, other) > self.at(one, other - 1) { one -= 1 } else { other -= 1 }
            }
        }
        piece.into_iter().for_each(each);
    }

    /// The subsequence itself.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.length());
        self.pieces(|piece| bytes.extend(self.one[piece.one..piece.one + piece.length].iter().rev()));
        bytes.reverse();
        bytes
    }
}

pub(super) fn lcs(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    const NO_STRINGS: Fault = Fault::fixed("ERR The specified keys must contain string values");
    let keys = [args.at(1), args.at(2)];
    keys.iter().for_each(|key| {
        view.touch(key);
    });
    if keys.iter().any(|key| view.peek(key, Kind::Str).is_err()) {
        return Err(NO_STRINGS);
    }
    let options = Options::read(args.from(3))?;
    let view = &*view;
    let [one, other] = keys.map(|key| peek(view, key).unwrap_or_default());
    let table = Table::new(one, other)?;
    if options.places {
        tell_places(&table, &options, reply);
    } else if options.length {
        reply.int(table.length() as i64);
    } else {
        reply.bulk(&table.bytes());
    }
    Ok(())
}

fn tell_places(table: &Table<'_>, options: &Options, reply: &mut Reply<'_>) {
    reply.map(2);
    reply.bulk(b"matches");
    let (hole, mut count) = (reply.later(0), 0);
    table.pieces(|piece| {
        if piece.length >= options.least {
            count += 1;
            tell(piece, options.with_lengths, reply);
        }
    });
    reply.fill(hole, count);
    reply.bulk(b"len");
    reply.int(table.length() as i64);
}

fn tell(piece: Piece, with_length: bool, reply: &mut Reply<'_>) {
    reply.array(if with_length { 3 } else { 2 });
    for start in [piece.one, piece.other] {
        reply.array(2);
        reply.int(start as i64);
        reply.int((start + piece.length - 1) as i64);
    }
    if with_length {
        reply.int(piece.length as i64);
    }
}

pub(super) fn cost(view: &View<'_>, args: Args<'_>) -> usize {
    let length = |key| peek(view, key).map_or(0, <[u8]>::len);
    length(args.at(1)).saturating_mul(length(args.at(2))) / CELLS
}
