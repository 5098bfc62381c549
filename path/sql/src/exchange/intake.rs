//! What of a client's messages goes to the server, and how: one after another, until one must wait for an answer.
//!
//! No IO: bytes in, decisions out. Names of statements are the affair of `prepared.rs`.

use std::sync::Arc;

use super::answers::{Answers, Gate};
use super::consequences::{changes_session, defines, disturbs, means};
use super::expected::{Expected, Kind};
use super::memory::Memory;
use super::messages::{Meaning, Message, Messages};
use super::outgoing::Outgoing;
use super::turn::{May, Turn};
use crate::frame;
use crate::parse::{Constants, Effects, Recognised, Step, Strings};
use crate::server::{Number, Place, Wanted};
use crate::top::Mark;

/// Answers that may be outstanding at once; more wait. The server gives some of so many without being asked to flush.
const OUTSTANDING: usize = 16 << 10;

/// `Flush`.
const FLUSH: &[u8] = b"H\0\0\0\x04";

/// How far a client's input is dealt with.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    pub(crate) messages: Messages,
    /// Bytes still to come of a message that goes on (or not) unread.
    left: usize,
    left_passes: bool,
    /// Counts batches: what ends with a `Sync` or a `Query`.
    pub(super) batch: u32,
    /// The statement that was parsed or bound last.
    pub(super) mark: Option<Mark>,
    /// Portals whose end means something, with what they execute.
    pub(super) portals: Vec<(Box<[u8]>, Arc<Recognised>)>,
    /// What was sent changes names: nothing goes before it is answered.
    barrier: bool,
    /// The batch executes `DISCARD ALL`: nothing goes behind it before it is answered.
    discards: bool,
    /// The `Query` at the front waits for what is lent to it in a batch that is open.
    pub(super) borrows: bool,
    /// What was sent may have changed what a text means, and for this transaction only: what is parsed now is private.
    is_disturbed: bool,
    /// What was sent may give names another meaning for everybody, once it is done.
    pub(crate) defines: bool,
    /// How much had been asked when the server was last asked to flush.
    flushed: u64,
    /// The statement that the unnamed one of this batch is kept as.
    pub(super) reused: Option<Number>,
    /// A statement of which the server must say whether it may be kept.
    pub(crate) unsure: Option<Wanted>,
    /// The batch in which something is tried.
    pub(super) trying: u32,
    /// A trial has failed: nothing is tried until all is settled.
    pub(crate) is_wary: bool,
}

/// Why nothing more is decided for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planned {
    /// All that has come is dealt with.
    All,
    /// An answer is needed.
    Stalled,
    /// The client leaves, or must: what follows is no message.
    Leaves,
}

impl Intake {
    /// As for a client that was silent; keeps its memory.
    pub(crate) fn clear(&mut self) {
        self.messages.clear();
        self.rewind();
    }

    /// As if nothing had come, where nothing was sent.
    pub(crate) fn forget(&mut self) {
        self.messages.clear();
        self.left = 0;
    }

    /// As before the first message was dealt with.
    pub(crate) fn rewind(&mut self) {
        self.portals.clear();
        (self.left, self.batch, self.barrier, self.borrows, self.flushed) = (0, 0, false, false, 0);
        self.discards = false;
        (self.reused, self.is_wary, self.unsure, self.is_disturbed) = (None, false, None, false);
    }

    /// Frames what of `input` is not framed; gives how long it must be before more can be.
    pub(crate) fn read(&mut self, input: &[u8], memory: &mut Memory, strings: Strings) -> usize {
        match input.get(self.left..) {
            Some(rest) => self.messages.read(rest, memory, strings) + self.left,
            None => input.len() + 1,
        }
    }

    /// The text in `input` that is to be read in turns.
    pub(crate) fn long<'i>(&self, input: &'i [u8]) -> Option<&'i [u8]> {
        self.messages.long(input.get(self.left..)?)
    }

    /// Such a text was read.
    pub(crate) fn add_long(&mut self, input: &[u8], recognised: Recognised) {
        self.messages.add_long(input.get(self.left..).unwrap_or_default(), recognised);
    }

    /// Whether what has come is the beginning of a message that must come whole.
    pub(crate) fn lacks_rest(&self) -> bool {
        self.left == 0 && self.messages.front().is_none()
    }

    /// Whether the last message has gone whole.
    pub(crate) fn is_at_boundary(&self) -> bool {
        self.left == 0
    }

    /// What was decided has failed and is decided again, without trying anything.
    pub(crate) fn begin_again(&mut self) {
        self.clear();
        self.is_wary = true;
    }

    /// Where the first message begins that is not dealt with, behind the rest of the one before.
    pub(super) fn behind_rest<'i>(&self, input: &'i [u8]) -> &'i [u8] {
        input.get(self.left..).unwrap_or_default()
    }

    /// Nothing that is executed goes before what was sent is answered.
    pub(super) fn hold_texts(&mut self) {
        self.barrier = true;
    }

    /// All is answered.
    pub(super) fn settle(&mut self) {
        self.portals.clear();
        (self.is_wary, self.is_disturbed) = (false, false);
    }

    /// What has come of the first message, or of the rest of the one before, goes nowhere. Gives how many bytes of `input`
    /// that is.
    pub(super) fn drop_front(&mut self, input: &[u8]) -> usize {
        if self.left == 0
            && let Some(message) = self.messages.pop()
        {
            self.left = message.length;
            self.messages.settle();
        }
        let count = self.left.min(input.len());
        (self.left, self.left_passes) = (self.left - count, false);
        count
    }

    /// Decides on as many messages as can be.
    pub(crate) fn plan(&mut self, turn: &mut Turn<'_>) -> Planned {
        loop {
            if turn.answers.is_adrift() {
                self.drift(turn);
                return Planned::All;
            }
            if self.left > 0 {
                self.go_on(turn);
                if self.left > 0 {
                    return Planned::All;
                }
            }
            let Some(message) = self.messages.pop() else {
                self.messages.settle();
                return if self.messages.refused().is_some() { Planned::Leaves } else { Planned::All };
            };
            if message.tag == b'X' {
                self.messages.put_back(message);
                return Planned::Leaves;
            }
            if self.decide(&message, turn) == May::Wait {
                self.messages.put_back(message);
                self.ask_to_flush(turn);
                return Planned::Stalled;
            }
        }
    }

    /// All that has come goes, whatever it is.
    fn drift(&mut self, turn: &mut Turn<'_>) {
        let count = turn.rest().len();
        turn.up.pass(turn.input, count);
        self.messages.clear();
        self.left = 0;
    }

    /// What is waited for comes only when the server sends what it holds.
    fn ask_to_flush(&mut self, turn: &mut Turn<'_>) {
        self.have_answered(turn.answers, turn.input, turn.up);
    }

    /// The server shall say what it has to say, in a batch that is open.
    pub(super) fn have_answered(&mut self, answers: &Answers, input: &[u8], up: &mut Outgoing) {
        if answers.is_open() && self.flushed != answers.asked() {
            self.flushed = answers.asked();
            up.write(input, |own| own.extend_from_slice(FLUSH));
        }
    }

    fn decide(&mut self, message: &Message, turn: &mut Turn<'_>) -> May {
        let Message { tag, length, .. } = *message;
        match tag {
            b'd' | b'c' | b'f' => {
                let passes = turn.answers.may_copy();
                if passes {
                    turn.answers.data(tag != b'd');
                }
                self.send(length, passes, turn);
                May::Go
            }
            b'H' => {
                self.send(length, !turn.answers.is_skipping(), turn);
                May::Go
            }
            b'Q' if turn.answers.is_skipping() && self.borrows => {
                self.query_fails(length, turn);
                May::Go
            }
            _ if turn.answers.is_skipping() && tag != b'S' => {
                self.send(length, false, turn);
                May::Go
            }
            _ => match turn.answers.gate(tag) {
                Gate::Open if self.must_wait(tag, turn) => May::Wait,
                Gate::Open => self.ask(message, turn),
                Gate::Shut => May::Wait,
                Gate::Ignored => {
                    self.send(length, false, turn);
                    May::Go
                }
                Gate::Astray => {
                    turn.answers.lose_count();
                    May::Go
                }
            },
        }
    }

    fn must_wait(&mut self, tag: u8, turn: &Turn<'_>) -> bool {
        let is_tried = turn.answers.holds_back() && self.batch != self.trying;
        let is_crowded = turn.records.changes.is_crowded() || turn.records.prepared.is_crowded();
        is_tried || self.must_settle(tag, turn) || is_crowded && tag != b'S' || turn.answers.outstanding() >= OUTSTANDING
    }

    /// Whether all answers must be there first: they may change names or parameters.
    fn must_settle(&mut self, tag: u8, turn: &Turn<'_>) -> bool {
        self.barrier &= turn.answers.outstanding() > 0;
        self.barrier && !matches!(tag, b'E' | b'S' | b'F')
    }

    /// A message that is answered.
    fn ask(&mut self, message: &Message, turn: &mut Turn<'_>) -> May {
        // What was lent to a text that changes names may be the text's own by now.
        if !turn.answers.is_open() && !turn.answers.is_skipping() && !self.barrier {
            turn.close_doomed();
        }
        let length = message.length;
        match (message.tag, &message.meaning) {
            (b'Q', Meaning::Query(text)) => return self.query(length, text, turn),
            (b'P', Meaning::Parse(statement)) => return self.parse(length, statement, turn),
            (b'P', _) => self.forward(length, Kind::Parse(None), turn),
            (b'B', _) => return self.bind(length, turn),
            (b'D', _) => return self.describe(length, turn),
            (b'C', _) => return self.close(length, turn),
            (b'E', _) => self.execute(length, turn),
            (b'S', _) => self.end_batch(length, Kind::Sync, turn),
            (_, Meaning::Call(text)) => {
                self.note(text, turn);
                self.call(length, means(text).then(|| text.clone()), turn);
            }
            _ => self.call(length, None, turn),
        }
        May::Go
    }

    fn call(&mut self, length: usize, text: Option<Arc<Recognised>>, turn: &mut Turn<'_>) {
        self.barrier |= turn.answers.has_begun();
        self.end_batch(length, Kind::Function(text), turn);
    }

    fn query(&mut self, length: usize, text: &Arc<Recognised>, turn: &mut Turn<'_>) -> May {
        if self.show(text, true, turn) == May::Wait {
            return May::Wait;
        }
        let drops_unnamed = self.drop_unnamed(turn);
        self.note(text, turn);
        // Behind an error in a batch that is open the server skips it, and what follows.
        self.barrier |= changes_session(text) || turn.answers.has_begun();
        let body = turn.body(length);
        let mark = turn.begins(text, body.strip_suffix(b"\0").unwrap_or(body));
        self.send(length, true, turn);
        let expected = Expected::client(Kind::Query(means(text).then(|| text.clone()))).measured(Some(mark));
        turn.expect(Expected { names: drops_unnamed, ..expected });
        self.begin_batch();
        May::Go
    }

    /// Postgres forgets the unnamed statement with every `Query`. Whether there may be one.
    pub(super) fn drop_unnamed(&mut self, turn: &mut Turn<'_>) -> bool {
        let is_there = turn.records.names.has_unnamed(turn.records.changes);
        if is_there {
            turn.records.changes.push(b"", None, self.batch);
        }
        turn.records.prepared.forget_unnamed();
        is_there
    }

    /// A text goes that does this.
    pub(super) fn note(&mut self, text: &Arc<Recognised>, turn: &mut Turn<'_>) {
        if text.effects != Effects::NONE {
            turn.records.done.sent.push(text.clone());
            if text.effects.has(Effects::STRINGS) {
                // What was framed behind it is framed anew, and read in both ways until the server says how it reads.
                turn.records.done.strings = Strings::Backslash;
                self.messages.clear();
            }
        }
        self.is_disturbed |= disturbs(text);
        self.defines |= defines(text);
    }

    /// Where a text that goes now is parsed, for the name that the client's `Parse` of this number gave it.
    pub(super) fn place(&self, text: &Recognised, parse: u32, turn: &Turn<'_>) -> Place {
        match (self.is_disturbed || turn.rules.is_private, text.constants) {
            (true, _) => Place::Private(parse),
            (false, Constants::Moment) => Place::Moment { client: turn.rules.client, parse },
            (false, Constants::None | Constants::Settings) => Place::Sessions(turn.rules.environment),
        }
    }

    fn execute(&mut self, length: usize, turn: &mut Turn<'_>) {
        let portal = frame::split_text(turn.body(length)).map_or(&b""[..], |split| split.0);
        let text: Option<Arc<Recognised>> = self.portals.iter().find(|(name, _)| **name == *portal).map(|(_, text)| text.clone());
        self.barrier |= text.as_ref().is_some_and(|text| changes_session(text));
        self.discards |= text.as_ref().is_some_and(|text| text.steps.contains(&Step::DiscardAll));
        self.send(length, true, turn);
        let mark = self.mark.map(|mark| mark.again(turn.watch.came));
        turn.expect(Expected::client(Kind::Execute(text)).measured(mark));
    }

    fn end_batch(&mut self, length: usize, kind: Kind, turn: &mut Turn<'_>) {
        self.forward(length, kind, turn);
        self.barrier |= std::mem::take(&mut self.discards);
        self.begin_batch();
    }

    pub(super) fn begin_batch(&mut self) {
        self.batch += 1;
        self.reused = None;
    }

    /// The message at the front goes as it is, and will be answered.
    pub(super) fn forward(&mut self, length: usize, kind: Kind, turn: &mut Turn<'_>) {
        self.send(length, true, turn);
        turn.expect(Expected::client(kind));
    }

    /// What has come of the next `length` bytes goes on or nowhere, and so will the rest of them.
    pub(super) fn send(&mut self, length: usize, passes: bool, turn: &mut Turn<'_>) {
        (self.left, self.left_passes) = (length, passes);
        self.go_on(turn);
    }

    fn go_on(&mut self, turn: &mut Turn<'_>) {
        let count = self.left.min(turn.rest().len());
        if self.left_passes {
            turn.up.pass(turn.input, count);
        } else {
            turn.up.drop(count);
        }
        self.left -= count;
    }
}
