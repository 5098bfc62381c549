//! How many HRANDFIELD, SRANDMEMBER and ZRANDMEMBER are to pick by chance.

use crate::error::Fault;
use crate::frame::{Args, Reply};

/// Bytes of an answer in which the same ones may come again and again.
const MOST_BYTES: usize = 64 << 20;

const OUT_OF_RANGE: Fault = Fault::fixed("ERR value is out of range");
const NOT_BETWEEN: Fault = Fault::fixed("ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807");

/// A count that a client gave.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chance(i64);

impl Chance {
    /// Reads the count at a place: a negative one lets the same be picked again.
    pub(super) fn read(args: Args<'_>, at: usize) -> Result<Chance, Fault> {
        let count = args.int(at)?;
        if count == i64::MIN { Err(NOT_BETWEEN) } else { Ok(Chance(count)) }
    }

    /// So many could be twice as many words.
    pub(super) fn in_pairs(self) -> Result<Chance, Fault> {
        if self.count() > (i64::MAX / 2) as usize { Err(OUT_OF_RANGE) } else { Ok(self) }
    }

    pub(super) fn count(self) -> usize {
        self.0.unsigned_abs() as usize
    }

    /// The same may be picked again.
    pub(super) fn repeats(self) -> bool {
        self.0 < 0
    }

    /// About how many elements must be touched, of `there`.
    pub(super) fn cost(self, there: usize) -> usize {
        if self.repeats() || self.count().saturating_mul(3) < there { self.count() } else { there }
    }

    /// Has `each` answer as often as it is said.
    ///
    /// # Errors
    /// The answer is longer than any should be.
    pub(super) fn repeat(self, reply: &mut Reply<'_>, mut each: impl FnMut(&mut Reply<'_>)) -> Result<(), Fault> {
        let before = reply.written();
        for _ in 0..self.count() {
            if reply.written() - before > MOST_BYTES {
                return Err(OUT_OF_RANGE);
            }
            each(reply);
        }
        Ok(())
    }
}
