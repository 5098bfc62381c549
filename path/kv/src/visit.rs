//! A client that is busy: it has a desk with what it sent and what it is to be told.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use loops::{Alarm, BUFFER_BYTES, Buffer};
use tls::Stream;

use crate::client::accept::Present;
use crate::client::{Client, Ends};
use crate::command::silenced;
use crate::door::{Door, now};
use crate::events::{CutOff, add};
use crate::frame::{Cut, Reply, Requests, Rest};
use crate::memcached;
use crate::path::path;
use crate::store::Outcome;

/// Requests read at once; their answers are written together.
const MOST: usize = 256;
/// Capacity of answers that a desk keeps.
const KEPT: usize = 64 << 10;

/// Capacity of answers that a client keeps while it is busy.
const MUCH: usize = 1 << 20;

/// What happens to a client next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// It may send more.
    Again,
    /// It is closed.
    Close,
}

/// What a busy client needs beside itself.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    pub(crate) input: Option<Buffer>,
    pub(crate) requests: Requests,
    /// The next request to answer.
    pub(crate) next: usize,
    /// Answers that are not written yet.
    pub(crate) output: Vec<u8>,
    pub(crate) outcome: Outcome,
    /// Shards that owe something to clients that wait.
    pub(crate) debts: Vec<usize>,
    /// Bytes that are missing before another request can be whole.
    needs: usize,
    /// Why it is closed once what came before is answered.
    cut: Option<Cut>,
}

/// A client that is busy.
pub(crate) struct Visit<'c> {
    pub(crate) client: &'c mut Client,
    pub(crate) door: &'c Rc<Door>,
    pub(crate) desk: Box<Desk>,
    stream: &'c mut Stream,
    alarm: &'c Alarm,
}

/// Serves a client until one of both leaves.
pub(crate) async fn serve(door: &Rc<Door>, mut stream: Stream, mut present: Present<'_>) {
    serve_all(door, &mut stream, &mut present).await;
    if let Some(why) = present.client.peer.ends() {
        door.common.events.ended(&present.client.peer, why);
    }
}

async fn serve_all(door: &Rc<Door>, stream: &mut Stream, present: &mut Present<'_>) {
    let alarm = door.here.alarms.alarm();
    while speaks(door, &present.client, stream, &alarm).await {
        let mut visit = Visit { client: &mut present.client, door, desk: door.take_desk(), stream, alarm: &alarm };
        visit.desk.input = Some(door.here.buffers.take());
        let after = loop {
            let after = match visit.client.memcached {
                None => path(&mut visit).await,
                Some(_) => memcached::path(&mut visit).await,
            };
            if after == After::Close || visit.is_at_rest() {
                break after;
            }
        };
        if after == After::Close {
            return;
        }
        let Visit { desk, client, .. } = visit;
        door.give_back(desk);
        client.peer.has_sent(0);
        client.peer.holds(client.weight());
    }
}

/// Waits for its first byte, for what others say to it, for its end or the door's; whether it is worth a look.
async fn speaks(door: &Door, client: &Client, stream: &mut Stream, alarm: &Alarm) -> bool {
    poll_fn(|context| {
        // Woken by the drain.
        let _ = alarm.poll_rung(context);
        if door.is_draining() {
            return Poll::Ready(false);
        }
        if client.peer.ends().is_some() {
            return Poll::Ready(false);
        }
        if client.peer.mail.is_waiting() {
            return Poll::Ready(true);
        }
        stream.poll_readable(context).map(|ready| ready.is_ok())
    })
    .await
}

impl Desk {
    /// As new; keeps its memory, but not much of it.
    pub(crate) fn clear(&mut self) {
        self.input = None;
        self.requests.forget();
        (self.next, self.needs) = (0, 0);
        self.output.clear();
        self.output.shrink_to(KEPT);
        self.outcome.clear();
        self.outcome.logged = 0;
        self.debts.clear();
    }
}

impl Visit<'_> {
    /// Reads until there is a whole request.
    pub(crate) async fn receive(&mut self) -> After {
        loop {
            self.frame();
            if self.desk.input.as_ref().is_some_and(|input| input.len() > BUFFER_BYTES) {
                // It may be too much before anything is done.
                self.holds();
                if self.client.peer.ends().is_some() {
                    return After::Close;
                }
            }
            if self.desk.requests.len() > 0 || self.desk.cut.is_some() || self.hears() {
                return After::Again;
            }
            match self.read(self.desk.needs).await {
                After::Again => {}
                After::Close => return After::Close,
            }
        }
    }

    /// Reads until `more` bytes have come.
    pub(crate) async fn more(&mut self, more: usize) -> After {
        let length = |visit: &Self| visit.desk.input.as_ref().map_or(0, |input| input.len());
        let wanted = length(self) + more;
        while length(self) < wanted {
            match self.read(wanted - length(self)).await {
                After::Again => {}
                After::Close => return After::Close,
            }
        }
        After::Again
    }

    /// Reads once, with room for `more` bytes or as many as there are already, unless others have something to say: what is only
    /// announced takes no memory.
    async fn read(&mut self, more: usize) -> After {
        let input = self.desk.input.get_or_insert_with(|| self.door.here.buffers.take());
        input.compact();
        input.reserve(more.clamp(1, input.len().max(BUFFER_BYTES)));
        self.holds();
        let input = self.desk.input.as_mut().expect("it was just taken");
        let (peer, stream) = (&self.client.peer, &mut *self.stream);
        let read = poll_fn(|context| match peer.mail.is_waiting() || peer.ends().is_some() {
            true => Poll::Ready(None),
            false => stream.poll_read(context, input.space()).map(Some),
        });
        match read.await {
            None if peer.ends().is_some() => After::Close,
            None => After::Again,
            Some(Ok(0) | Err(_)) => After::Close,
            Some(Ok(count)) => {
                input.filled(count);
                add(&self.door.events().bytes_in, count as u64);
                After::Again
            }
        }
    }

    /// Finds whole requests in what came, once those before are answered.
    fn frame(&mut self) {
        let Desk { input: Some(input), requests, next, needs, cut, .. } = &mut *self.desk else { return };
        input.consume(requests.consumed());
        *next = 0;
        self.client.keep_within(self.door.common.config.max());
        // A stranger's first request may be its login, which changes how the next is read.
        let most = if self.client.limits.known { MOST } else { 1 };
        *needs = match requests.read(input.unread(), most, &self.client.limits) {
            Rest::More => 1,
            Rest::Needs(more) => more,
            Rest::Cut(why) => {
                *cut = Some(why);
                0
            }
        };
    }

    /// Writes the answers.
    pub(crate) async fn send(&mut self) -> After {
        let is_end = self.desk.next >= self.desk.requests.len() && self.desk.cut.is_some();
        if is_end {
            self.say_cut();
        }
        match self.flush().await {
            After::Again if self.client.leaves || is_end => After::Close,
            other => other,
        }
    }

    /// Writes what there is of answers, once the log has what they tell of. A client whose writes it could not keep is closed: nobody
    /// can say what becomes of them.
    pub(crate) async fn flush(&mut self) -> After {
        if !self.desk.output.is_empty() && !self.door.common.persist.log.holds(self.desk.outcome.logged).await {
            return After::Close;
        }
        let output = &mut self.desk.output;
        if !output.is_empty() {
            let (peer, stream, mut done) = (&self.client.peer, &mut *self.stream, 0);
            if peer.bound().forbids(output.len()) {
                peer.end(Ends::TooSlow);
            }
            let sent = poll_fn(|context| match peer.ends() {
                // Whoever reads slowly must not keep us here.
                Some(_) => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
                None => {
                    let sent = stream.poll_write_all(context, output, &mut done);
                    if sent.is_pending() {
                        peer.has_unsent(output.len() - done);
                        peer.holds(output.len() - done);
                    }
                    sent
                }
            });
            let sent = sent.await;
            peer.has_unsent(0);
            add(&self.door.events().bytes_out, output.len() as u64);
            output.clear();
            output.shrink_to(MUCH);
            if sent.is_err() {
                return After::Close;
            }
        }
        After::Again
    }

    /// Counts what it holds while it is waited for.
    fn holds(&self) {
        let (peer, sent) = (&self.client.peer, self.desk.input.as_ref().map_or(0, Buffer::len));
        if sent > 0 {
            // Part of a request: it is not idle.
            peer.seen.store(now(), Ordering::Relaxed);
        }
        peer.has_sent(sent);
        let held = if sent > BUFFER_BYTES { sent } else { 0 };
        peer.holds(held + self.desk.output.capacity().saturating_sub(KEPT) + self.client.weight());
    }

    /// Whether others said something to it; it will be sent with the next answers.
    pub(crate) fn hears(&mut self) -> bool {
        let hears = self.client.peer.mail.is_waiting();
        if hears {
            self.client.hear(&mut Reply::new(&mut self.desk.output, self.client.protocol));
        }
        hears
    }

    /// An answer that came later.
    pub(crate) fn says(&mut self, answer: &[u8]) {
        let mut reply = Reply::new(&mut self.desk.output, self.client.protocol);
        let before = reply.written();
        reply.raw(answer);
        if self.client.is_special {
            silenced(self.client, None, &mut reply, before);
            self.client.hear(&mut reply);
        }
    }

    /// Ready when the client is gone, or is to go; what it sends meanwhile is for later.
    pub(crate) fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<()> {
        // Woken by the drain.
        let _ = self.alarm.poll_rung(context);
        if self.door.is_draining() || self.client.peer.ends().is_some() {
            return Poll::Ready(());
        }
        let weight = self.client.weight();
        let input = self.desk.input.get_or_insert_with(|| self.door.here.buffers.take());
        while input.len() <= self.client.limits.request {
            input.reserve(1);
            match ready!(self.stream.poll_read(context, input.space())) {
                Ok(count) if count > 0 => input.filled(count),
                _ => return Poll::Ready(()),
            }
            self.client.peer.holds(weight + input.len().saturating_sub(BUFFER_BYTES));
        }
        Poll::Ready(())
    }

    /// Says why the client is closed, to whom it may be said.
    fn say_cut(&mut self) {
        let why = match self.desk.cut.take() {
            Some(Cut::Broken(fault)) => {
                Reply::new(&mut self.desk.output, self.client.protocol).error(&fault);
                CutOff::Protocol
            }
            Some(Cut::CrossProtocol) => CutOff::CrossProtocol,
            Some(Cut::TooLong) => CutOff::QueryBuffer,
            None => return,
        };
        self.door.common.events.cut(&self.client.peer, why);
    }

    /// Whether nothing is left to do: the client may be silent for long.
    pub(crate) fn is_at_rest(&self) -> bool {
        let Desk { input, requests, next, .. } = &*self.desk;
        *next >= requests.len() && self.desk.debts.is_empty() && input.as_ref().is_none_or(|input| input.len() == requests.consumed())
    }
}
