//! What a server answers, held against what it was asked: which bytes go on, what they change, when all is answered.
//!
//! No IO: bytes in, decisions out. Errors in the extended protocol let the server skip everything up to the next `Sync`,
//! and so what is expected up to there never comes (Postgres, 55.2.3 and 55.2.4).

mod meet;
mod reword;
mod trial;

use std::collections::VecDeque;

use super::expected::{Expected, Kind, Whose};
use super::limits::Over;
use super::outgoing::Outgoing;
use super::records::Records;
use crate::frame::{self, HEADER};

use reword::NotLent;
pub(crate) use trial::Trial;
use trial::telling;

/// Longest message that is looked into, bytes; a longer one goes on unread.
const LONGEST_READ: usize = 1 << 20;

/// Answers for which there is room when the next ones are expected.
const KEPT: usize = 256;

/// The server's answer cannot be an answer to what it was asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Breach;

/// What becomes of a message while data for a COPY may be asked for: the server takes it for its own, answers it later or
/// refuses it, depending on how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// It may go.
    Open,
    /// It must wait until it is known.
    Shut,
    /// The server would take no notice of it.
    Ignored,
    /// The client does not keep to the protocol; only the server can say what that means.
    Astray,
}

/// How far a COPY from the client is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum CopyIn {
    /// There is none.
    #[default]
    None,
    /// The server takes data.
    Open,
    /// The client has ended it.
    Ended,
}

/// The answers that are outstanding on one server connection, and how far the present one is.
#[derive(Debug)]
pub(crate) struct Answers {
    expected: VecDeque<Expected>,
    /// How many there were so far.
    asked: u64,
    /// How many of them are the door's to give.
    ours: usize,
    /// Bytes still to come of a message that goes on (or not) unread.
    left: usize,
    left_passes: bool,
    /// `Sync` is awaited by the server: it skips everything else.
    skipping: bool,
    /// Messages of the extended protocol were sent since the last `Sync`.
    open: bool,
    /// Some of them are the client's.
    begun: bool,
    /// Of the last `ReadyForQuery`: `I`, `T` or `E`.
    status: u8,
    copy: CopyIn,
    /// Statements outstanding that may ask the client for data.
    copies: usize,
    /// Ends of data that were sent before the server asked for any.
    early_ends: usize,
    /// Data was sent since the server asked for it.
    has_data: bool,
    /// Nobody can say any more what the server will answer: all goes on unread, and the connection to nobody else.
    adrift: bool,
    /// Statements of the present `Query` that have ended.
    step: usize,
    /// Rows of the present answer so far.
    rows: u64,
    pub(crate) trial: Trial,
    /// The server said that it ends the connection.
    is_ending: bool,
    /// That, when nothing was asked: an affair of the client's only if it keeps the connection.
    farewell: Option<Box<[u8]>>,
    /// `ReadyForQuery` came without a transaction since this was asked last.
    has_committed: bool,
    /// The door has cancelled what runs: this limit was reached.
    cut: Option<Over>,
    /// Statements that could not be lent to the present `Query`.
    not_lent: Vec<NotLent>,
    /// Answers that ended: statements, and of them errors.
    pub(crate) statements: u64,
    pub(crate) errors: u64,
}

/// What becomes of a message of the server's.
enum Fate {
    Pass,
    Swallow,
    /// This is told instead.
    Instead(Vec<u8>),
}

impl Default for Answers {
    fn default() -> Answers {
        Answers {
            expected: VecDeque::new(),
            asked: 0,
            ours: 0,
            left: 0,
            left_passes: true,
            skipping: false,
            open: false,
            begun: false,
            status: b'I',
            copy: CopyIn::None,
            copies: 0,
            early_ends: 0,
            has_data: false,
            adrift: false,
            step: 0,
            rows: 0,
            trial: Trial::None,
            is_ending: false,
            farewell: None,
            has_committed: false,
            cut: None,
            not_lent: Vec::new(),
            statements: 0,
            errors: 0,
        }
    }
}

impl Answers {
    /// As for a connection just lent; keeps its memory.
    pub(crate) fn clear(&mut self) {
        let Answers { expected, ours, left, left_passes, skipping, open, status, copy, copies, early_ends, has_data, .. } = self;
        expected.clear();
        if expected.capacity() > KEPT {
            *expected = VecDeque::new();
        }
        *ours = 0;
        (*left, *left_passes, *skipping, *open, *status) = (0, true, false, false, b'I');
        (*copy, *copies, *early_ends, *has_data) = (CopyIn::None, 0, 0, false);
        (self.begun, self.has_committed) = (false, false);
        let Answers { adrift, step, rows, trial, is_ending, cut, not_lent, .. } = self;
        (*adrift, *step, *rows, *trial, *is_ending, *cut) = (false, 0, 0, Trial::None, false, None);
        not_lent.clear();
        self.farewell = None;
    }

    /// Whether nothing is outstanding: no answer, no rest of a message, no `Sync` that the server waits for.
    pub(crate) fn is_settled(&self) -> bool {
        self.expected.is_empty() && !self.open && !self.skipping && self.left == 0 && !self.adrift
    }

    /// Whether all that was asked is answered; a batch may be open.
    pub(crate) fn is_answered(&self) -> bool {
        self.expected.is_empty() && self.left == 0
    }

    /// Whether the end of a message that has begun is to come.
    pub(crate) fn is_amid(&self) -> bool {
        self.left > 0
    }

    /// How many answers are outstanding.
    pub(crate) fn outstanding(&self) -> usize {
        self.expected.len()
    }

    /// Of the last `ReadyForQuery`: `I`, `T` or `E`.
    pub(crate) fn status(&self) -> u8 {
        self.status
    }

    /// Whether the server skips all but `Sync`.
    pub(crate) fn is_skipping(&self) -> bool {
        self.skipping
    }

    /// The door refused a message of the extended protocol: everything up to the next `Sync` is skipped.
    pub(crate) fn skip_to_sync(&mut self) {
        self.skipping = true;
    }

    /// Whether a batch of the extended protocol is open: its `Sync` was not sent.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// What runs is cancelled by the door, which has reached this limit.
    pub(crate) fn cut(&mut self, over: Over) {
        self.cut = Some(over);
    }

    /// How many answers have been asked for, since ever.
    pub(crate) fn asked(&self) -> u64 {
        self.asked
    }

    /// Whether that batch holds messages of the client's: a `Sync` would be the end of what they do.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether a transaction has ended since this was asked last.
    pub(crate) fn take_committed(&mut self) -> bool {
        std::mem::take(&mut self.has_committed)
    }

    /// Whether the server said that it ends the connection.
    pub(crate) fn is_ending(&self) -> bool {
        self.is_ending
    }

    /// What the server said when it ended the connection, if nothing had been asked.
    pub(crate) fn take_farewell(&mut self) -> Option<Box<[u8]>> {
        self.farewell.take()
    }

    /// Whether a statement is outstanding that may ask the client for data, or has asked for it.
    pub(crate) fn may_copy(&self) -> bool {
        self.copies > 0
    }

    /// Whether the client has not ended the data of every statement that may ask for some.
    pub(crate) fn lacks_data(&self) -> bool {
        self.copies > self.early_ends + usize::from(self.copy == CopyIn::Ended)
    }

    /// Whether the server has asked the client for data, and not got all.
    pub(crate) fn awaits_data(&self) -> bool {
        self.copy == CopyIn::Open
    }

    /// What a message must do that is neither data nor its end.
    pub(crate) fn gate(&self, tag: u8) -> Gate {
        match (self.copies, self.copy, self.expected.front().map(|front| &front.kind)) {
            (0, ..) | (1, CopyIn::Ended, Some(Kind::Execute(_))) => Gate::Open,
            (_, CopyIn::Open, _) if tag == b'S' && !self.has_data => Gate::Ignored,
            (_, CopyIn::Open, _) => Gate::Astray,
            _ => Gate::Shut,
        }
    }

    /// The client sent data, and with `end` it was the last.
    pub(crate) fn data(&mut self, end: bool) {
        self.has_data = true;
        match self.copy {
            CopyIn::Open if end => self.copy = CopyIn::Ended,
            CopyIn::None | CopyIn::Ended if end => self.early_ends += 1,
            _ => {}
        }
    }

    /// From now on nobody can say what the server will answer.
    pub(crate) fn lose_count(&mut self) {
        self.adrift = true;
    }

    /// Whether nobody can say any more what the server will answer.
    pub(crate) fn is_adrift(&self) -> bool {
        self.adrift
    }

    /// One more answer will come, after `out`.
    pub(crate) fn expect(&mut self, next: Expected, source: &[u8], out: &mut Outgoing, records: &mut Records<'_>) {
        match next.kind {
            Kind::Sync => (self.open, self.begun, self.skipping) = (false, false, false),
            Kind::Query(_) | Kind::Function(_) => (self.open, self.begun) = (false, false),
            Kind::Ours(_) => {}
            _ => (self.open, self.begun) = (true, self.begun || next.whose == Whose::Client),
        }
        self.copies += usize::from(next.may_copy());
        self.ours += usize::from(matches!(next.kind, Kind::Ours(_)));
        self.asked += 1;
        self.expected.push_back(next);
        self.tell_ours(source, out, records);
    }

    /// Tells what is due of ours, not in the middle of a message.
    #[inline]
    fn tell_ours(&mut self, source: &[u8], out: &mut Outgoing, records: &mut Records<'_>) {
        if self.ours > 0 && self.left == 0 && self.trial == Trial::None {
            self.tell_front(source, out, records);
        }
    }

    fn tell_front(&mut self, source: &[u8], out: &mut Outgoing, records: &mut Records<'_>) {
        while let Some(Expected { kind: Kind::Ours(bytes), .. }) = self.expected.front() {
            out.write(source, |own| own.extend_from_slice(bytes));
            self.pop(records);
        }
    }

    /// Decides on what lies in `source` behind what `out` has decided; gives how many bytes must lie there before more can be.
    ///
    /// # Errors
    /// The server does not keep to the protocol: nothing after this can be understood.
    pub(crate) fn scan(&mut self, source: &[u8], out: &mut Outgoing, records: &mut Records<'_>) -> Result<usize, Breach> {
        let mut at = out.decided();
        let least = self.look(source, &mut at, out, records);
        pass_to(at, source, out);
        least
    }

    /// As [`Answers::scan`]; what lies before `at` and is not decided passes.
    fn look(&mut self, source: &[u8], at: &mut usize, out: &mut Outgoing, records: &mut Records<'_>) -> Result<usize, Breach> {
        loop {
            let rest = &source[*at..];
            if self.adrift {
                *at = source.len();
                return Ok(1);
            }
            if self.left > 0 {
                self.go_on(source, rest.len(), out);
                if self.left > 0 {
                    return Ok(1);
                }
                self.tell_ours(source, out, records);
                *at = out.decided();
                continue;
            }
            let Some(header) = frame::header(rest).map_err(|_| Breach)? else { return Ok(HEADER) };
            let length = HEADER + header.body;
            let body = rest.get(HEADER..length);
            if body.is_none() && length <= LONGEST_READ && self.reads(header.tag) {
                return Ok(length);
            }
            if self.trial != Trial::None {
                pass_to(*at, source, out);
                match telling(rest) {
                    Ok((tag, body)) => self.judge(tag, body, source, out, records),
                    Err(least) => return Ok(least),
                }
            }
            let fate = self.meet(header.tag, body, records)?;
            if self.ours == 0 && self.trial == Trial::None && body.is_some() && matches!(fate, Fate::Pass) {
                // Most of what comes.
                *at += length;
                continue;
            }
            pass_to(*at, source, out);
            self.left = length;
            self.follow(fate, source, rest.len(), out);
            self.tell_ours(source, out, records);
            *at = out.decided();
        }
    }

    fn follow(&mut self, fate: Fate, source: &[u8], there: usize, out: &mut Outgoing) {
        self.left_passes = matches!(fate, Fate::Pass) && self.trial != Trial::Failing;
        if let Fate::Instead(bytes) = fate {
            out.write(source, |own| own.extend_from_slice(&bytes));
        }
        self.go_on(source, there, out);
    }

    fn go_on(&mut self, source: &[u8], there: usize, out: &mut Outgoing) {
        let count = self.left.min(there);
        if self.left_passes {
            out.pass(source, count);
        } else {
            out.drop(count);
        }
        self.left -= count;
    }

    /// Whether what is in a message of this type matters.
    fn reads(&self, tag: u8) -> bool {
        match tag {
            b'Z' | b'E' | b'S' | b'C' | b'A' => true,
            b'T' | b'n' => matches!(self.expected.front(), Some(Expected { kind: Kind::Describe(Some(_)), .. })),
            _ => false,
        }
    }
}

/// What lies before `at` goes on as it is.
fn pass_to(at: usize, source: &[u8], out: &mut Outgoing) {
    let count = at.saturating_sub(out.decided());
    if count > 0 {
        out.pass(source, count);
    }
}
