//! The prepared statements that one server connection holds, under names of the door's; the least recently used goes first.

mod ages;
mod doomed;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::ops::{Deref, Range};
use std::sync::{Arc, Weak};

use ages::Ages;
use doomed::Doomed;
pub(crate) use doomed::Loan;

use crate::parse::Already;
use crate::session::Statement;

/// How the names begin that statements have at the server.
const PREFIX: &[u8] = b"plimsoll_";

/// Bytes of the longest: a number has ten digits at most.
const LONGEST_NAME: usize = PREFIX.len() + 10;

/// Numbers up to this one are left out where a client gives such a name to a statement of its own; a connection does not
/// live to see the others.
const LEFT_OUT: Number = Number::MAX / 2;

/// Statements whose `Parse` may be unanswered at once: one turn of a loop deals with no more of them.
const PENDING: usize = 128;

/// Bytes of them, after which no more are dealt with before answers come.
const PENDING_BYTES: usize = 1 << 20;

/// Bytes of the statements that are kept; the one prepared last is, whatever it takes.
const MOST_BYTES: usize = 8 << 20;

/// What was prepared, and where it would be parsed the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) statement: Arc<Statement>,
    pub(crate) place: Place,
}

/// Where a statement was parsed, as far as that matters to what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In sessions whose parameters have this hash.
    Sessions(u64),
    /// In the midst of what one client has changed, by its `Parse` of this number: nobody else may have it, and nobody
    /// once the client is done. 0: for names that were there before.
    Private(u32),
    /// At a moment that counts: only the client whose `Parse` of this number it is may have it.
    Moment { client: u64, parse: u32 },
}

impl Place {
    /// The client's number of the `Parse`, where that matters.
    pub(crate) fn parse(self) -> u32 {
        match self {
            Place::Sessions(_) => 0,
            Place::Private(parse) | Place::Moment { parse, .. } => parse,
        }
    }

    fn is_private(self) -> bool {
        matches!(self, Place::Private(_))
    }
}

/// Where and when a client had a statement parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) place: Place,
    /// Counts what may give names in a text another meaning; a copy of a later one is as good.
    pub(crate) generation: u64,
}

/// The number in the name of a statement at the server; never used twice on a connection.
pub(crate) type Number = u32;

/// What one connection holds.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    kept: HashMap<Wanted, Kept, BuildHasherDefault<Already>>,
    numbers: HashMap<Number, Wanted, BuildHasherDefault<Already>>,
    /// Bytes of all of them.
    bytes: usize,
    /// How many of them have a `Parse` that is not answered, and their bytes.
    pending: (usize, usize),
    unnamed: Option<Unnamed>,
    ages: Ages,
    doomed: Doomed,
    last: Number,
    uses: u64,
    /// How many of them are private, at most.
    private: usize,
}

/// What the unnamed statement is.
#[derive(Debug)]
struct Unnamed {
    client: u64,
    /// Not its text: that is the client's to keep.
    statement: Weak<Statement>,
    /// The batch that its `Parse` went out in.
    batch: u32,
}

#[derive(Debug)]
struct Kept {
    number: Number,
    /// Of its `Parse`.
    generation: u64,
    used: u64,
    /// The batch that its `Parse` is in, until that is answered.
    pending: Option<u32>,
    /// Hash of the columns that the server described.
    shape: Option<u64>,
    /// The server was asked for the columns, for whoever is told them.
    asked: bool,
}

/// Whether a connection holds a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// Under this number; with the hash of its columns if somebody has asked for them.
    Here(Number, Option<u64>),
    /// No.
    Nowhere,
    /// Known only once the answers to an earlier batch are there.
    Later,
}

impl Hash for Wanted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let place = match self.place {
            Place::Sessions(hash) => hash,
            Place::Private(parse) => !u64::from(parse),
            Place::Moment { client, parse } => client << 32 ^ u64::from(parse),
        };
        state.write_u64(self.statement.recognised.hash ^ place);
    }
}

impl Prepared {
    /// Whether it holds `wanted` for a message of `batch`, parsed in `generation` or later; that is a use of it.
    pub(crate) fn find(&mut self, wanted: &Wanted, batch: u32, generation: u64) -> Held {
        self.uses += 1;
        let Some(kept) = self.kept.get_mut(wanted).filter(|kept| kept.generation >= generation) else { return Held::Nowhere };
        if kept.pending.is_some_and(|pending| pending != batch) {
            return Held::Later;
        }
        kept.used = self.uses;
        Held::Here(kept.number, kept.shape)
    }

    /// Gives `wanted` a new number; its `Parse` goes out in `batch`, in `generation`. An older copy of it, and the least
    /// recently used one when there are more than `most`, are doomed.
    pub(crate) fn insert(&mut self, wanted: Wanted, batch: u32, generation: u64, most: usize) -> Number {
        self.last += 1;
        self.uses += 1;
        let size = wanted.statement.size();
        (self.bytes, self.pending) = (self.bytes + size, (self.pending.0 + 1, self.pending.1 + size));
        self.private += usize::from(wanted.place.is_private());
        let kept = Kept { number: self.last, generation, used: self.uses, pending: Some(batch), shape: None, asked: false };
        if let Some(older) = self.kept.get(&wanted).map(|older| older.number) {
            self.retire(older);
        }
        self.numbers.insert(self.last, wanted.clone());
        self.kept.insert(wanted, kept);
        // Two, because there may be more than `most` after a batch with many.
        for _ in 0..2 {
            if self.kept.len() > most {
                self.evict();
            }
        }
        while self.bytes > MOST_BYTES && self.evict() {}
        self.last
    }

    /// Dooms the one that was used longest ago. Whether there was one.
    fn evict(&mut self) -> bool {
        let Prepared { ages, kept, numbers, .. } = self;
        let used = |number| numbers.get(&number).and_then(|wanted| kept.get(wanted)).map(|kept| kept.used);
        let oldest = ages.take_oldest(used);
        oldest.into_iter().for_each(|oldest| self.retire(oldest));
        oldest.is_some()
    }

    /// Whether so many wait to be confirmed that more would make each of them slow.
    pub(crate) fn is_crowded(&self) -> bool {
        self.pending.0 >= PENDING || self.pending.1 >= PENDING_BYTES
    }

    /// The server has it.
    pub(crate) fn confirm(&mut self, number: Number) {
        let Some(wanted) = self.numbers.get(&number) else { return };
        let size = wanted.statement.size();
        let Some(kept) = self.kept.get_mut(wanted) else { return };
        let (used, was_pending) = (kept.used, kept.pending.take().is_some());
        if was_pending {
            self.pending = (self.pending.0 - 1, self.pending.1 - size);
            self.ages.add(used, number);
            self.ages.tidy(self.kept.len(), |number| self.numbers.contains_key(&number));
        }
    }

    /// The server described it.
    pub(crate) fn describe(&mut self, number: Number, shape: u64) {
        if let Some(kept) = self.numbered(number) {
            kept.shape = Some(shape);
        }
    }

    /// Whether the columns of it must be asked for; from now on they are asked for.
    pub(crate) fn must_ask(&mut self, number: Number) -> bool {
        self.numbered(number).is_some_and(|kept| !std::mem::replace(&mut kept.asked, true))
    }

    /// The server did not answer what its columns are.
    pub(crate) fn not_described(&mut self, number: Number) {
        if let Some(kept) = self.numbered(number) {
            kept.asked = false;
        }
    }

    fn numbered(&mut self, number: Number) -> Option<&mut Kept> {
        self.kept.get_mut(self.numbers.get(&number)?)
    }

    /// The server does not have it.
    pub(crate) fn forget(&mut self, number: Number) {
        let Some((wanted, kept)) = self.numbers.remove(&number).and_then(|wanted| self.kept.remove_entry(&wanted)) else { return };
        let size = wanted.statement.size();
        self.bytes -= size;
        if kept.pending.is_some() {
            self.pending = (self.pending.0 - 1, self.pending.1 - size);
        }
    }

    /// A client is done: what it has prepared in private is nobody's.
    pub(crate) fn end_privacy(&mut self) {
        if std::mem::take(&mut self.private) == 0 {
            return;
        }
        let private: Vec<Number> = self.kept.iter().filter(|(wanted, _)| wanted.place.is_private()).map(|(_, kept)| kept.number).collect();
        private.into_iter().for_each(|number| self.retire(number));
    }

    /// Not to be used by anybody any more, although the server may have it.
    pub(crate) fn retire(&mut self, number: Number) {
        let before = self.kept.len();
        self.forget(number);
        if self.kept.len() < before {
            self.doomed.add_number(number);
        }
    }

    /// A client has closed its name for this: what nobody else may have goes.
    pub(crate) fn end(&mut self, closed: &Wanted) {
        if !matches!(closed.place, Place::Sessions(_))
            && let Some(number) = self.kept.get(closed).map(|kept| kept.number)
        {
            self.retire(number);
        }
    }

    /// A client means something of its own by `name`, or nothing: what the door has here under it goes, and nothing will get
    /// it. Whether there was something, or with `is_unsure` may be, which is to be closed before anything else of the
    /// client's goes.
    pub(crate) fn yield_name(&mut self, name: &[u8], is_unsure: bool) -> bool {
        let (before, number) = (self.kept.len(), number_of(name));
        if let Some(number) = number {
            self.last = self.last.max(if number <= LEFT_OUT { number } else { 0 });
            self.forget(number);
        }
        self.doomed.remove(name) || self.kept.len() < before || is_unsure && number.is_some()
    }

    /// The statement under this number.
    pub(crate) fn statement(&self, number: Number) -> Option<&Arc<Statement>> {
        self.numbers.get(&number).map(|wanted| &wanted.statement)
    }

    /// Whether it holds any.
    pub(crate) fn has_any(&self) -> bool {
        !self.kept.is_empty()
    }

    /// The server has dropped all of them.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
        self.numbers.clear();
        self.ages.clear();
        (self.bytes, self.pending) = (0, (0, 0));
        self.doomed.clear();
        self.unnamed = None;
    }

    /// `client` has this as its unnamed statement there, from `batch` on.
    pub(crate) fn set_unnamed(&mut self, client: u64, statement: &Arc<Statement>, batch: u32) {
        self.unnamed = Some(Unnamed { client, statement: Arc::downgrade(statement), batch });
    }

    /// Nobody knows what the unnamed statement there is.
    pub(crate) fn forget_unnamed(&mut self) {
        self.unnamed = None;
    }

    /// The batch that the `Parse` of the unnamed statement went out in, if it is the one that `client` means.
    pub(crate) fn unnamed(&self, client: u64, statement: &Arc<Statement>) -> Option<u32> {
        let is_meant = |held: &&Unnamed| held.client == client && held.statement.as_ptr() == Arc::as_ptr(statement);
        self.unnamed.as_ref().filter(is_meant).map(|held| held.batch)
    }

    /// A statement is there under a client's own name, and closed before the next batch.
    pub(crate) fn doom(&mut self, name: &[u8]) -> Loan {
        self.doomed.add(name)
    }

    /// The server does not have what was to be lent.
    pub(crate) fn not_lent(&mut self, loan: Loan) {
        self.doomed.end(loan);
    }

    /// The server did not close what it was to close.
    pub(crate) fn not_closed(&mut self, name: &[u8]) {
        self.doomed.put_back(name);
    }

    /// Whether a statement is there under a client's own name.
    pub(crate) fn is_doomed(&self, name: &[u8]) -> bool {
        self.doomed.has(name)
    }

    /// Somebody gives this name a meaning again, or has closed it.
    pub(crate) fn spare(&mut self, name: &[u8]) {
        self.doomed.remove(name);
    }

    /// The next name of a client's to be closed.
    pub(crate) fn next_doomed(&mut self) -> Option<Box<[u8]>> {
        self.doomed.next_name()
    }

    /// The door's own ones to be closed before a batch: not so many that they would be waited for.
    pub(crate) fn next_doomed_numbers(&mut self) -> impl DoubleEndedIterator<Item = ServerName> {
        self.doomed.next_numbers()
    }

    /// The next of them, if there are so many that some must be closed in the midst of a batch.
    pub(crate) fn next_doomed_of_many(&mut self) -> Option<ServerName> {
        self.doomed.next_of_many()
    }
}

/// The name that a statement has at the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServerName {
    bytes: [u8; LONGEST_NAME],
    length: usize,
}

impl Deref for ServerName {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The name that statement `number` has at the server.
pub(crate) fn name_of(number: Number) -> ServerName {
    let mut bytes = [0; LONGEST_NAME];
    bytes[..PREFIX.len()].copy_from_slice(PREFIX);
    let length = PREFIX.len() + number.checked_ilog10().map_or(1, |digits| digits as usize + 1);
    let mut rest = number;
    for digit in bytes[PREFIX.len()..length].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    ServerName { bytes, length }
}

/// The number of the statement that would have this name.
fn number_of(name: &[u8]) -> Option<Number> {
    let number = std::str::from_utf8(name.strip_prefix(PREFIX)?).ok()?.parse().ok()?;
    (*name_of(number) == *name).then_some(number)
}

/// Where such a name stands in a text, as far as there is one.
pub(crate) fn find_name(text: &[u8]) -> Option<(Range<usize>, Number)> {
    let start = text.windows(PREFIX.len()).position(|window| window == PREFIX)?;
    let digits = text[start + PREFIX.len()..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let range = start..start + PREFIX.len() + digits;
    Some((range.clone(), number_of(&text[range])?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_as_it_reads() {
        for number in [0, 1, 9, 10, 99, 100, 4_294_967_295] {
            assert_eq!(*name_of(number), *format!("plimsoll_{number}").as_bytes());
        }
    }

    #[test]
    fn the_text_of_an_unnamed_statement_is_its_clients() {
        let mut prepared = Prepared::default();
        let recognised = crate::parse::recognise(b"SELECT 1", crate::parse::Strings::Standard).into();
        let statement = Arc::new(Statement { text: b"SELECT 1"[..].into(), types: b"\0\0"[..].into(), recognised });
        prepared.set_unnamed(1, &statement, 7);
        assert_eq!((prepared.unnamed(1, &statement), prepared.unnamed(2, &statement)), (Some(7), None));
        assert_eq!(Arc::strong_count(&statement), 1);
    }
}
