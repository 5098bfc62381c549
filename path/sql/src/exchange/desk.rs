use std::task::{Context, Poll};
use std::time::Instant;

use loops::{BUFFER_BYTES, Buffer, Buffers, now};

use super::answers::{Answers, Trial};
use super::flow::{Moved, Stopped};
use super::intake::{Intake, Planned};
use super::local::Local;
use super::memory::Memory;
use super::messages::Meaning;
use super::outgoing::Outgoing;
use super::records::Done;
use crate::open::Doing;
use crate::parse::Recognised;
use crate::session::Changes;
use tls::Stream;

/// `ReadyForQuery` without a transaction.
const READY: &[u8] = b"Z\0\0\0\x05I";

/// Reused memory of a busy client; kept by the loop between them, with its buffers.
#[derive(Debug)]
pub(crate) struct Desk {
    /// What the client sent and is not dealt with.
    pub(super) input: Option<Buffer>,
    /// What the server said and is not dealt with.
    pub(super) output: Option<Buffer>,
    pub(crate) intake: Intake,
    pub(super) answers: Answers,
    pub(super) up: Outgoing,
    pub(super) down: Outgoing,
    pub(super) changes: Changes,
    pub(crate) done: Done,
    /// How long the input must be before more of it can be framed.
    pub(super) least_input: usize,
    /// How long the output must be before more of it can be decided on.
    pub(super) least_output: usize,
    /// Why planning stopped the last time.
    pub(super) planned: Planned,
    /// Something has come that planning may go on with.
    pub(super) plan_due: bool,
    /// What had to be done before the messages at the front go was done.
    pub(super) is_prepared: bool,
    /// What is said to the client is said now; what of it is ours alone waits for what the server says.
    pub(super) tell_due: bool,
    /// Something was sent to the server since all was settled.
    pub(super) is_sent: bool,
    /// When the input's last bytes came.
    pub(crate) came: Instant,
    /// What belongs to a connection may not be as for a new one.
    is_used: bool,
    /// A read of the client was tried and will wake its task.
    pub(super) client_is_silent: bool,
    /// The same of the server.
    pub(super) server_is_silent: bool,
    /// The client was told its last.
    pub(super) is_over: bool,
    /// Nobody listens any more: what the server says is read and forgotten.
    pub(super) is_deaf: bool,
}

impl Default for Desk {
    fn default() -> Desk {
        Desk {
            input: None,
            output: None,
            intake: Intake::default(),
            answers: Answers::default(),
            up: Outgoing::default(),
            down: Outgoing::default(),
            changes: Changes::default(),
            done: Done::default(),
            least_input: 0,
            least_output: 0,
            planned: Planned::All,
            plan_due: false,
            is_prepared: false,
            tell_due: false,
            is_sent: false,
            came: now(),
            is_used: false,
            client_is_silent: false,
            server_is_silent: false,
            is_over: false,
            is_deaf: false,
        }
    }
}

impl Desk {
    /// For a client that sent this `early`.
    pub(crate) fn open(&mut self, buffers: &Buffers, early: &[u8]) {
        self.input.get_or_insert_with(|| buffers.take()).push(early);
        self.came = now();
    }

    /// As for a client that was silent; keeps its memory.
    pub(crate) fn clear(&mut self) {
        self.input.iter_mut().chain(&mut self.output).for_each(Buffer::clear);
        self.input.take_if(|buffer| buffer.capacity() > BUFFER_BYTES);
        self.output.take_if(|buffer| buffer.capacity() > BUFFER_BYTES);
        if self.is_used {
            self.end_lending();
        }
        self.intake.forget();
        self.down.clear();
        (self.least_input, self.is_deaf, self.is_over, self.tell_due) = (0, false, false, false);
    }

    /// Whether nothing of the client's waits, nor the rest of a message or a batch that goes nowhere is to come.
    pub(crate) fn is_empty(&self) -> bool {
        let is_silent = self.input.as_ref().is_none_or(Buffer::is_empty) && !self.tell_due;
        is_silent && self.intake.is_at_boundary() && !self.answers.is_skipping()
    }

    /// Whether the client has all that it is to be told for now.
    pub(crate) fn has_told(&self) -> bool {
        !self.tell_due
    }

    /// Whether the connection that is held does nothing, in no transaction, and the client neither.
    pub(crate) fn is_between_transactions(&self) -> bool {
        let rests = !self.is_sent && self.answers.is_settled() && self.answers.status() == b'I';
        rests && self.has_told() && self.input.as_ref().is_none_or(Buffer::is_empty)
    }

    /// What the client does with the connection that it holds.
    pub(crate) fn doing(&self) -> Doing {
        let answers = &self.answers;
        Doing::of(answers.status(), answers.is_open() || answers.is_skipping(), answers.is_answered() && !answers.is_adrift())
    }

    /// Whether no message is in the middle, in either direction.
    pub(super) fn is_at_boundary(&self) -> bool {
        self.intake.is_at_boundary() && self.up.is_written()
    }

    /// Bytes from the client to the first that is not framed, more or less.
    pub(super) fn frame(&mut self, memory: &mut Memory) {
        let Some(input) = &self.input else { return };
        if input.len() >= self.least_input {
            let decided = self.up.decided();
            self.least_input = self.intake.read(&input.unread()[decided..], memory, self.done.strings) + decided;
            self.plan_due = true;
        }
    }

    /// The text that is to be read in turns before what follows can be framed.
    pub(super) fn long(&self) -> Option<&[u8]> {
        self.intake.long(self.input.as_ref()?.unread().get(self.up.decided()..)?)
    }

    /// Such a text was read.
    pub(super) fn add_long(&mut self, recognised: Recognised) {
        let Some(input) = &self.input else { return };
        self.intake.add_long(&input.unread()[self.up.decided()..], recognised);
        self.least_input = 0;
    }

    /// A connection was lent: what waits may go to it.
    pub(super) fn begin_lending(&mut self) {
        (self.plan_due, self.is_used) = (true, true);
        self.down.keep();
    }

    /// All is answered; the connection may stay all the same.
    pub(super) fn end_batch(&mut self) {
        self.is_sent = false;
        self.intake.settle();
        self.plan_due = true;
    }

    /// The connection goes.
    pub(super) fn end_lending(&mut self) {
        self.is_used = false;
        debug_assert!(self.up.decided() == 0 || !self.is_sent, "nothing goes twice");
        self.answers.clear();
        self.up.clear();
        self.changes.clear();
        self.done.clear();
        self.intake.rewind();
        (self.least_output, self.is_sent, self.planned) = (0, false, Planned::All);
        (self.plan_due, self.is_prepared) = (false, false);
    }

    /// Nothing of what was decided has gone to the server: it is decided again, for another connection.
    pub(super) fn begin_again(&mut self, memory: &mut Memory) {
        self.intake.clear();
        self.end_lending();
        self.down.go_back();
        self.least_input = 0;
        self.frame(memory);
    }

    /// What went to the server leaves the input, unless it may have to go once more. Gives how many bytes that is.
    pub(super) fn consume_sent(&mut self) -> usize {
        let Some(input) = &mut self.input else { return 0 };
        if !self.up.is_written() || self.answers.holds_back() {
            return 0;
        }
        let count = self.up.decided();
        input.consume(count);
        self.up.clear();
        self.least_input = self.least_input.saturating_sub(count);
        count
    }

    /// What was tried has failed: it is decided again, without a trial.
    pub(super) fn try_again(&mut self, memory: &mut Memory) {
        self.answers.trial = Trial::None;
        self.is_sent = false;
        self.up.clear();
        self.intake.begin_again();
        self.least_input = 0;
        self.frame(memory);
    }

    /// The client is told this before all else.
    pub(super) fn tell_first(&mut self, news: &[u8]) {
        self.say(|out| out.extend_from_slice(news));
        self.tell_due = false;
    }

    /// Writes to the client what was decided.
    #[inline]
    pub(crate) fn tell(&mut self, context: &mut Context<'_>, client: &mut Stream) -> Moved {
        if self.tell_due { self.tell_now(context, client) } else { Ok(0) }
    }

    fn tell_now(&mut self, context: &mut Context<'_>, client: &mut Stream) -> Moved {
        if self.answers.holds_back() && !self.down.is_written() {
            return Ok(0);
        }
        let output = self.output.as_ref().map_or(&[][..], Buffer::unread);
        if !self.down.is_written() && !self.is_deaf {
            match self.down.poll_write(context, client, output) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Err(Stopped::Gone),
                Poll::Pending => return Ok(0),
            }
        }
        let count = self.down.decided();
        if let Some(output) = &mut self.output {
            output.consume(count);
        }
        self.down.clear();
        self.least_output = self.least_output.saturating_sub(count);
        self.tell_due = false;
        Ok(count)
    }

    /// Bytes that the client was told since this was asked last.
    pub(crate) fn count_told(&mut self) -> u64 {
        self.down.count()
    }

    /// Appends to what the client is told.
    pub(super) fn say(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let output = self.output.as_ref().map_or(&[][..], Buffer::unread);
        self.down.write(output, write);
        self.tell_due = true;
    }
}

/// What is told beside the server's answers.
impl Desk {
    /// The client is told this before the `ReadyForQuery` that it waits for.
    pub(super) fn tell_before_ready(&mut self, heard: &[u8]) {
        if !heard.is_empty() {
            let output = self.output.as_ref().map_or(&[][..], Buffer::unread);
            self.down.write_before(output, b'Z', READY.len(), heard);
            self.tell_due = true;
        }
    }
}

/// What the door answers without a server.
impl Desk {
    /// Data of a COPY that has failed goes nowhere, as in Postgres.
    #[inline]
    pub(super) fn drop_idle_data(&mut self) {
        while self.front().is_some_and(|tag| matches!(tag, b'd' | b'c' | b'f')) || !self.intake.is_at_boundary() {
            if !self.drop_front() {
                return;
            }
        }
    }

    /// The batch at the front fails with this error.
    pub(super) fn fail(&mut self, error: &[u8]) {
        self.say(|out| out.extend_from_slice(error));
        if matches!(self.front(), Some(b'Q' | b'F')) {
            self.drop_front();
            self.say(|out| out.extend_from_slice(READY));
        } else {
            self.is_used = true;
            self.answers.skip_to_sync();
            self.skip_to_sync();
        }
    }

    /// So does all that has come, and not one after another: what follows was sent by who hoped that this would succeed.
    pub(super) fn fail_all(&mut self, error: &[u8]) {
        while let Some(tag) = self.front().filter(|tag| *tag != b'X') {
            match tag {
                b'd' | b'c' | b'f' => self.drop_idle_data(),
                b'S' | b'H' => self.answer_end(tag),
                _ => self.fail(error),
            }
        }
    }

    /// A `Sync`, or a `Flush`, is at the front, and nothing before it.
    pub(super) fn answer_end(&mut self, tag: u8) {
        self.drop_front();
        if tag == b'S' {
            self.say(|out| out.extend_from_slice(READY));
        }
    }

    /// After such an error everything up to the next `Sync` goes nowhere.
    pub(super) fn skip_to_sync(&mut self) {
        while let Some(tag) = self.front().filter(|tag| *tag != b'X') {
            self.drop_front();
            if tag == b'S' {
                self.answers.clear();
                return self.say(|out| out.extend_from_slice(READY));
            }
        }
    }

    /// What is at the front, if it may be answered without a server.
    pub(super) fn local(&self) -> Option<Local> {
        let first = self.intake.messages.front()?;
        match &first.meaning {
            Meaning::Query(text) => Some(Local::Query(text.clone())),
            Meaning::Nothing if matches!(first.tag, b'S' | b'H') => Some(Local::End(first.tag)),
            Meaning::Parse(_) | Meaning::Call(_) | Meaning::Nothing => None,
        }
    }

    fn front(&self) -> Option<u8> {
        self.intake.messages.front().map(|message| message.tag)
    }

    /// The first message goes nowhere. Whether any byte of it was there.
    pub(super) fn drop_front(&mut self) -> bool {
        let Some(input) = &mut self.input else { return false };
        let count = self.intake.drop_front(input.unread());
        input.consume(count);
        self.least_input = self.least_input.saturating_sub(count);
        count > 0
    }
}
