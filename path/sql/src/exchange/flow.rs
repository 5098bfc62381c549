//! flow: moves bytes both ways between a client and the connection lent to it, until something else must be done.
//!
//! Both directions are polled together and each waits only for its own sides, so that neither can stop the other. A side
//! is read only when what was read before is written: memory is bounded whatever the size of a message.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use loops::{BUFFER_BYTES, Buffer, now};

use super::answers::Trial;
use super::desk::Desk;
use super::intake::Planned;
use super::limits::Over;
use super::records::Records;
use super::turn::{Rules, Turn, Watch};
use crate::door::Door;
use crate::events::add;
use crate::parse::{Effects, Recognised};
use crate::server::{Connection, Key};
use crate::session::{Found, Names, Session};
use tls::Stream;

/// Bytes moved in one poll; then other tasks have their turn.
pub(super) const FAIR: usize = 256 << 10;

/// A buffer that has grown beyond this shrinks again once what is in it is short.
const GROWN: usize = 4 * BUFFER_BYTES;

/// Why the bytes stopped flowing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// Everything is answered and no transaction is open.
    Settled,
    /// The client said that it leaves, or sent what is no message, and nothing more can be answered.
    Leaves,
    /// The client is gone.
    Gone,
    /// The server is gone, or does not keep to the protocol.
    Lost,
    /// The server was gone before anything was sent to it.
    Unusable,
    /// A text is to be read in turns.
    Long,
    /// A statement needs something done on the connection before it goes there.
    Prepare,
    /// The transaction goes on, and something must be set again in it.
    Restore,
    /// The transaction took too long.
    Over(Over),
    /// The door is being closed, and the client is between two transactions.
    Drained,
}

/// One client and the connection lent to it.
pub(crate) struct Flow<'f> {
    pub(crate) desk: &'f mut Desk,
    pub(crate) client: &'f mut Stream,
    pub(crate) server: &'f mut Connection,
    pub(crate) session: &'f mut Session,
    pub(crate) names: &'f mut Names,
    pub(crate) key: &'f Arc<Key>,
    pub(crate) door: &'f Door,
    pub(crate) rules: Rules,
}

/// What one direction did.
pub(super) type Moved = Result<usize, Stopped>;

impl Flow<'_> {
    /// Moves on; ready when something else is to be done.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Stopped> {
        self.desk.input.get_or_insert_with(|| self.door.here.buffers.take());
        self.desk.output.get_or_insert_with(|| self.door.here.buffers.take());
        (self.desk.client_is_silent, self.desk.server_is_silent) = (false, false);
        // What is waited for comes first: it may be all.
        let mut moved = match self.down_if_due(context) {
            Ok(moved) => moved,
            Err(stopped) => return Poll::Ready(stopped),
        };
        while moved < FAIR {
            let before = moved;
            match self.turn(context) {
                Ok(more) => moved += more,
                Err(stopped) => return Poll::Ready(stopped),
            }
            if self.is_settled() {
                return Poll::Ready(Stopped::Settled);
            }
            if self.desk.planned == Planned::Leaves && self.cannot_settle() {
                return Poll::Ready(Stopped::Leaves);
            }
            if moved == before || self.is_silent() {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Whether nothing is left to do before either side moves, and both will wake the task.
    fn is_silent(&self) -> bool {
        let Desk { client_is_silent, server_is_silent, plan_due, tell_due, up, .. } = &*self.desk;
        *client_is_silent && *server_is_silent && !plan_due && !tell_due && up.is_written()
    }

    fn turn(&mut self, context: &mut Context<'_>) -> Moved {
        let moved = self.up(context)? + self.down(context)?;
        // What TLS took and the kernel did not; a fault is met again by whoever reads or writes.
        let _ = (self.client.poll_flush(context), self.server.stream.poll_flush(context));
        Ok(moved)
    }

    fn down_if_due(&mut self, context: &mut Context<'_>) -> Moved {
        if self.desk.answers.outstanding() > 0 && self.desk.is_sent { self.down(context) } else { Ok(0) }
    }

    fn is_settled(&self) -> bool {
        let Desk { answers, intake, up, .. } = &*self.desk;
        self.desk.is_sent
            && up.decided() == 0
            && answers.is_settled()
            && answers.status() == b'I'
            && intake.is_at_boundary()
            && up.is_written()
    }

    /// Whether the answers that are outstanding will never come, or are none.
    fn cannot_settle(&self) -> bool {
        let Desk { answers, intake, up, .. } = &*self.desk;
        up.is_written()
            && (answers.is_settled() || answers.is_open() || answers.is_skipping() || answers.lacks_data() || !intake.is_at_boundary())
    }

    /// From the client to the server.
    fn up(&mut self, context: &mut Context<'_>) -> Moved {
        let moved = self.send(context)? + self.read_client(context)?;
        if self.desk.intake.messages.has_long() {
            return Err(Stopped::Long);
        }
        if !self.desk.plan_due || !self.desk.up.is_written() || self.desk.up.decided() > 0 {
            return Ok(moved);
        }
        if !self.desk.is_prepared && !self.to_prepare().is_empty() && !self.await_answers()? {
            return Ok(moved + self.send(context)?);
        }
        self.plan();
        Ok(moved + self.send(context)?)
    }

    /// All that was sent is answered before anything is prepared. Whether what comes next may go before that.
    fn await_answers(&mut self) -> Result<bool, Stopped> {
        let Desk { answers, intake, up, input, .. } = &mut *self.desk;
        if answers.may_copy() || !intake.is_at_boundary() {
            // The answer may wait for data, or for the rest of a message.
            intake.hold_texts();
            return Ok(true);
        }
        if answers.is_skipping() || answers.is_adrift() {
            return Ok(true);
        }
        if answers.is_answered() {
            return Err(Stopped::Prepare);
        }
        if let Some(input) = input {
            intake.have_answered(answers, input.unread(), up);
        }
        Ok(false)
    }

    /// Writes to the server what was decided.
    fn send(&mut self, context: &mut Context<'_>) -> Moved {
        let desk = &mut *self.desk;
        let Some(input) = &desk.input else { return Ok(0) };
        if !desk.up.is_written() {
            match desk.up.poll_write(context, &mut self.server.stream, input.unread()) {
                Poll::Ready(Ok(())) => desk.is_sent = true,
                Poll::Ready(Err(_)) if !desk.is_sent && desk.up.is_untouched() => return Err(Stopped::Unusable),
                Poll::Ready(Err(_)) => return self.last_words(context),
                Poll::Pending => return Ok(0),
            }
        }
        Ok(desk.consume_sent())
    }

    /// A server that takes nothing more may have said why.
    fn last_words(&mut self, context: &mut Context<'_>) -> Moved {
        while self.down(context)? > 0 {}
        Err(Stopped::Lost)
    }

    fn read_client(&mut self, context: &mut Context<'_>) -> Moved {
        let desk = &mut *self.desk;
        let Some(input) = &mut desk.input else { return Ok(0) };
        if desk.client_is_silent || desk.planned == Planned::Leaves || desk.intake.messages.is_end() {
            return Ok(0);
        }
        let least = if desk.up.decided() == 0 && desk.intake.lacks_rest() { desk.least_input } else { 0 };
        let most = least.max(desk.up.decided() + desk.intake.messages.room());
        let count = match read(context, self.client, input, least, most) {
            Poll::Ready(Some(0) | None) => return Err(Stopped::Gone),
            Poll::Ready(Some(count)) => count,
            Poll::Pending => {
                desk.client_is_silent = room(input, most) > 0;
                return Ok(0);
            }
        };
        add(&self.door.events().bytes_in, count as u64);
        desk.came = now();
        desk.frame(&mut self.door.memory.borrow_mut());
        Ok(count)
    }

    /// Texts at the front for which something must be done before they go.
    pub(crate) fn to_prepare(&self) -> Vec<Arc<Recognised>> {
        let Desk { answers, intake, input, .. } = &*self.desk;
        let effects = intake.messages.effects().and(self.names.effects());
        let Some(input) = input.as_ref().filter(|_| effects.has(self.session.prepared_for()) && answers.status() != b'E') else {
            return Vec::new();
        };
        let named = |name: &[u8]| match self.names.find(&self.desk.changes, name, intake.batch) {
            Found::Here(named) => Some(named.statement.recognised.clone()),
            Found::Nowhere | Found::Later => None,
        };
        let texts = intake.messages.texts(intake.behind_rest(input.unread()), named);
        let is_open = answers.is_open();
        texts.filter(|text| self.session.must_prepare(self.server, text, is_open)).collect()
    }

    /// Decides on what the client sent.
    pub(crate) fn plan(&mut self) {
        let desk = &mut *self.desk;
        let (Some(input), Some(output)) = (&desk.input, &desk.output) else { return };
        let strings = desk.done.strings;
        let records = Records {
            names: self.names,
            changes: &mut desk.changes,
            prepared: &mut self.server.prepared,
            done: &mut desk.done,
            hears: None,
            elsewhere: None,
        };
        let memory = self.door.memory.borrow();
        desk.planned = desk.intake.plan(&mut Turn {
            input: input.unread(),
            up: &mut desk.up,
            output: output.unread(),
            down: &mut desk.down,
            answers: &mut desk.answers,
            records,
            rules: self.rules,
            generation: self.door.common.generation(),
            key: self.key,
            worth: &memory.worth,
            watch: Watch { measure: &mut self.door.measure.borrow_mut(), came: desk.came, strings },
        });
        (desk.plan_due, desk.is_prepared) = (false, false);
        desk.tell_due |= desk.answers.outstanding() == 0;
        drop(memory);
        if !desk.done.sent.is_empty() {
            self.follow_sent();
        }
    }

    /// Tells the session what was sent, and reads what follows it anew where it may mean something else now.
    fn follow_sent(&mut self) {
        let (desk, mut effects) = (&mut *self.desk, Effects::NONE);
        for text in desk.done.sent.drain(..) {
            self.session.sends(self.server, &text);
            effects = effects.and(text.effects);
        }
        for (text, bind) in desk.done.values.drain(..) {
            self.session.sends_values(&text, &bind);
        }
        if effects.has(Effects::DATABASES) {
            self.door.side.vacate();
            self.door.common.listeners.vacate();
        }
        if effects.has(Effects::STRINGS) {
            desk.least_input = 0;
            desk.frame(&mut self.door.memory.borrow_mut());
        }
    }

    /// From the server to the client.
    fn down(&mut self, context: &mut Context<'_>) -> Moved {
        let told = self.desk.tell(context, self.client)?;
        if self.desk.tell_due && !self.desk.down.is_written() {
            return Ok(told);
        }
        let read = self.read_server(context)?;
        if read > 0 && self.is_settled() {
            // What is told last may have to wait.
            return Err(Stopped::Settled);
        }
        if read > 0 && self.must_restore() {
            return Err(Stopped::Restore);
        }
        Ok(told + read + self.desk.tell(context, self.client)?)
    }

    fn read_server(&mut self, context: &mut Context<'_>) -> Moved {
        let desk = &mut *self.desk;
        let Some(output) = desk.output.as_mut().filter(|_| !desk.server_is_silent) else { return Ok(0) };
        let least = if desk.down.decided() == 0 { desk.least_output } else { 0 };
        let most = least.max(desk.down.decided() + BUFFER_BYTES);
        let count = match read(context, &mut self.server.stream, output, least, most) {
            Poll::Ready(Some(0) | None) => return Err(Stopped::Lost),
            Poll::Ready(Some(count)) => count,
            Poll::Pending => {
                desk.server_is_silent = room(output, most) > 0;
                return Ok(0);
            }
        };
        if output.len() >= desk.least_output {
            self.hear()?;
        }
        Ok(count)
    }

    /// Decides on what the server said.
    fn hear(&mut self) -> Result<(), Stopped> {
        let desk = &mut *self.desk;
        let Some(output) = &desk.output else { return Ok(()) };
        let process = self.server.process();
        let mut records = Records {
            names: self.names,
            changes: &mut desk.changes,
            prepared: &mut self.server.prepared,
            done: &mut desk.done,
            hears: self.session.hears().then_some((process, self.rules.process)),
            elsewhere: self.session.elsewhere(),
        };
        let least = desk.answers.scan(output.unread(), &mut desk.down, &mut records).map_err(|_| Stopped::Lost)?;
        desk.least_output = desk.down.decided() + least;
        desk.tell_due |= desk.down.decided() > 0;
        desk.plan_due |= desk.planned == Planned::Stalled;
        self.door.measured(desk.done.measured.drain(..), self.key);
        if desk.answers.take_committed() && desk.intake.defines {
            // Before anybody is told.
            self.door.common.begin_generation();
            desk.intake.defines = !desk.answers.is_settled() || desk.answers.status() != b'I';
        }
        // What was kept for a trial has gone for good.
        desk.consume_sent();
        if desk.answers.trial == Trial::Failed {
            desk.try_again(&mut self.door.memory.borrow_mut());
        }
        for (text, step) in desk.done.steps.drain(..) {
            self.session.note(&text, step);
        }
        Ok(())
    }

    fn must_restore(&self) -> bool {
        self.desk.answers.is_settled() && self.desk.answers.status() == b'T' && self.session.must_restore()
    }
}

/// Reads once behind what `buffer` holds, which gets room for `least` bytes in all, but not more than makes `most` of them.
/// `None`: the stream failed. Pending too when there is no room. The caller bounds what it reads in one turn: [`FAIR`].
pub(super) fn read(context: &mut Context<'_>, from: &mut Stream, buffer: &mut Buffer, least: usize, most: usize) -> Poll<Option<usize>> {
    if buffer.len() < least {
        buffer.reserve(least - buffer.len());
    } else if buffer.capacity() > GROWN {
        buffer.shrink();
    }
    buffer.compact();
    let room = room(buffer, most);
    if room == 0 {
        return Poll::Pending;
    }
    from.poll_read_bounded(context, &mut buffer.space()[..room]).map(|read: io::Result<usize>| {
        let count = read.ok()?;
        buffer.filled(count);
        Some(count)
    })
}

/// How many bytes may be read into `buffer` that shall not hold more than `most`.
fn room(buffer: &mut Buffer, most: usize) -> usize {
    most.saturating_sub(buffer.len()).min(buffer.space().len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use loops::Buffers;
    use std::future::poll_fn;
    use tokio::io::AsyncWriteExt;
    use tokio::net::UnixStream;

    #[tokio::test]
    async fn what_has_grown_is_read_into_as_far_as_is_asked_for_and_shrinks() {
        let (mut far, near) = UnixStream::pair().unwrap();
        let (mut stream, mut buffer) = (Stream::Unix(near), Buffers::default().take());
        let sent = tokio::spawn(async move { far.write_all(&[1; 300_000]).await.map(|()| far) });
        while buffer.len() < 100_000 {
            poll_fn(|context| read(context, &mut stream, &mut buffer, 100_000, 100_000)).await.unwrap();
        }
        assert_eq!((buffer.len(), buffer.capacity()), (100_000, 131_072));
        // It has room, but more is not wanted yet.
        let more = poll_fn(|context| Poll::Ready(read(context, &mut stream, &mut buffer, 0, BUFFER_BYTES))).await;
        assert!(more.is_pending());
        buffer.consume(99_000);
        poll_fn(|context| read(context, &mut stream, &mut buffer, 0, BUFFER_BYTES)).await.unwrap();
        assert!(buffer.len() <= BUFFER_BYTES && buffer.capacity() == BUFFER_BYTES);
        while buffer.len() < 201_000 {
            poll_fn(|context| read(context, &mut stream, &mut buffer, 201_000, 201_000)).await.unwrap();
        }
        assert!(buffer.unread().iter().all(|byte| *byte == 1));
        drop(sent.await);
    }
}
