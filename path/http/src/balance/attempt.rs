//! One attempt at one endpoint: a connection, the request up, the head of the answer down.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use loops::{Buffer, Expired};
use tokio::net::TcpStream;

use super::pipe::Pipes;
use super::pump::{Pump, PumpError, Waiting};
use super::response::Asked;
use super::{Exchange, Failure, downward};
use crate::accept::{Progress, Version};
use crate::events::add;
use crate::plan::Timeout;
use crate::visit::{Client, Desk, Visit};
use loops::socket::{Seen, is_of_this_side, look, poll_fill, write_all};

/// How long an answer is still waited for when the client has closed its side: it may have closed both.
pub(super) const HALF_CLOSED: Duration = Duration::from_secs(3);

/// How often a request that waits for its answer looks whether its endpoint is still up.
const LOOK: Duration = Duration::from_secs(1);

/// Why an attempt has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// The endpoint's fault.
    Endpoint(Failure),
    /// The client left.
    Client,
    /// The client's body is at fault: answer with this status.
    Refused(u16),
}

/// A connection to an endpoint.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) stream: TcpStream,
    /// It has served another request before.
    pub(super) reused: bool,
}

/// The request on its way up, and afterwards an eye on the client.
pub(super) struct Upload<'a> {
    pub(super) client: &'a TcpStream,
    pub(super) upstream: &'a TcpStream,
    pub(super) input: &'a mut Buffer,
    pub(super) up: &'a mut Pump,
    pub(super) pipes: &'a Pipes,
    /// The app takes no more of the body; it may have answered already.
    pub(super) failed: bool,
    /// The client has closed its side.
    pub(super) client_ended: bool,
}

impl Upload<'_> {
    /// Moves on; ready only when the exchange cannot go on.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Lost> {
        if !self.up.is_done() && !self.failed {
            match self.up.poll(context, self.client, self.input, self.upstream, self.pipes) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(PumpError::To)) => self.failed = true,
                Poll::Ready(Err(PumpError::From)) => return Poll::Ready(Lost::Client),
                Poll::Ready(Err(PumpError::Bad)) => return Poll::Ready(Lost::Refused(400)),
                Poll::Ready(Err(PumpError::TooLong)) => return Poll::Ready(Lost::Refused(413)),
            }
        }
        while !self.client_ended && self.input.len() < self.input.capacity() {
            match poll_fill(self.client, context, self.input) {
                Poll::Ready(Ok(0)) => self.client_ended = true,
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(Lost::Client),
                Poll::Pending => break,
            }
        }
        Poll::Pending
    }
}

/// A connection to the exchange's endpoint: an idle one, or a fresh one.
pub(super) async fn connect(visit: &Visit<'_>, exchange: &Exchange, fresh: bool, now: Instant) -> Result<Line, Lost> {
    let (client, timeout) = (visit.client, &visit.view.shape.plan.timeout);
    if !fresh && let Some(line) = idle(visit, exchange, now) {
        return Ok(line);
    }
    client.alarm.set(timeout.connect);
    let mut connecting = pin!(TcpStream::connect(exchange.peer().address()));
    let connected = client.alarm.limit(poll_fn(|context| match connecting.as_mut().poll(context) {
        Poll::Ready(connected) => Poll::Ready(Some(connected)),
        // One that only has closed its side may still wait for an answer.
        Poll::Pending if client.stream.poll_read_ready(context).is_ready() && look(&client.stream) == Seen::Failed => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    }));
    let stream = match connected.await {
        Ok(Some(Ok(stream))) => stream,
        Ok(Some(Err(error))) if is_of_this_side(&error) => {
            return idle(visit, exchange, now).ok_or(Lost::Endpoint(Failure::Local));
        }
        Ok(Some(Err(_))) | Err(Expired) => return Err(Lost::Endpoint(Failure::Connect)),
        Ok(None) => return Err(Lost::Client),
    };
    // Without it the last piece of a request may wait for an acknowledgement.
    stream.set_nodelay(true).map_err(|_| Lost::Endpoint(Failure::Connect))?;
    add(&visit.door.common.events.loops[visit.door.here.index].upstream_opened, 1);
    Ok(Line { stream, reused: false })
}

/// An idle connection to the exchange's endpoint.
fn idle(visit: &Visit<'_>, exchange: &Exchange, now: Instant) -> Option<Line> {
    let (door, most) = (visit.door, visit.view.shape.plan.timeout.upstream_idle);
    let stream = door.pool.take(exchange.peer(), now, most, !visit.desk.facts.is_safe())?;
    add(&door.common.events.loops[door.here.index].upstream_reused, 1);
    Some(Line { stream, reused: true })
}

/// Sends the request and reads until the head of the final answer is whole: it lies at the front of `desk.answer`.
pub(super) async fn ask(visit: &mut Visit<'_>, exchange: &mut Exchange, line: &Line) -> Result<(), Lost> {
    invite_body(visit).await?;
    let (client, door) = (visit.client, visit.door);
    let shape = &visit.view.shape;
    let Desk { input, answer, up, down, response, facts, tried, .. } = &mut *visit.desk;
    let input = input.get_or_insert_with(|| door.here.buffers.take());
    let answer = answer.get_or_insert_with(|| door.here.buffers.take());
    answer.clear();
    response.clear();
    let asked = Asked { head: facts.is_head(), websocket: facts.websocket };
    let mut upload =
        Upload { client: &client.stream, upstream: &line.stream, input, up, pipes: &door.pipes, failed: false, client_ended: false };
    client.alarm.set(shape.plan.timeout.body);
    let mut wait = Wait { may_move: facts.is_safe() && tried.is_empty(), ..Wait::default() };
    loop {
        poll_fn(|context| wait.poll(context, &mut upload, answer, exchange, visit.client, &shape.plan.timeout)).await?;
        loop {
            match response.parse(answer.unread(), &shape.bounds, asked) {
                Err(_) => return Err(Lost::Endpoint(Failure::Invalid)),
                Ok(Progress::Partial) => break answer.reserve(loops::BUFFER_BYTES / 2),
                Ok(Progress::Whole(_)) if !response.is_interim() => return Ok(()),
                Ok(Progress::Whole(length)) => {
                    // The 100 that the app may send was given to the client already.
                    if response.status != 100 && facts.version == Version::Http11 {
                        down.out.clear();
                        downward::write_interim(&mut down.out, response, answer.unread());
                        write_first(client, shape.plan.timeout.body, &down.out).await?;
                        client.alarm.set(wait.most(&shape.plan.timeout));
                    }
                    answer.consume(length);
                    response.clear();
                }
            }
        }
    }
}

/// Tells a client that waits for it to send its body.
async fn invite_body(visit: &mut Visit<'_>) -> Result<(), Lost> {
    let facts = &mut visit.desk.facts;
    let has_come = visit.desk.input.as_ref().is_some_and(|input| !input.is_empty());
    if !std::mem::take(&mut facts.expects_continue) || has_come {
        return Ok(());
    }
    write_first(visit.client, visit.view.shape.plan.timeout.body, b"HTTP/1.1 100 Continue\r\n\r\n").await
}

/// Writes what comes before the answer; a client that takes nothing of it is gone.
async fn write_first(client: &Client, most: Duration, bytes: &[u8]) -> Result<(), Lost> {
    client.alarm.set(most);
    match client.alarm.limit(write_all(&client.stream, bytes)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(Expired) => Err(Lost::Client),
    }
}

/// Waiting for bytes of the answer.
#[derive(Debug, Default)]
struct Wait {
    /// The request is sent; the app's time runs.
    is_sent: bool,
    is_slow: bool,
    has_ended: bool,
    /// Executing the request twice does no harm, and it was not yet.
    may_move: bool,
    /// About since when the app's time runs, once it was looked at.
    since: Option<Instant>,
}

impl Wait {
    /// Ready when bytes of the answer have come.
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        upload: &mut Upload<'_>,
        answer: &mut Buffer,
        exchange: &mut Exchange,
        client: &Client,
        timeout: &Timeout,
    ) -> Poll<Result<(), Lost>> {
        let before = upload.up.steps;
        if let Poll::Ready(lost) = upload.poll(context) {
            return Poll::Ready(Err(lost));
        }
        if !self.is_sent && (upload.up.is_done() || upload.failed) {
            self.is_sent = true;
            if self.is_slow {
                exchange.sent(Instant::now());
            }
            client.alarm.set(self.most(timeout));
        } else if !self.is_sent {
            if !std::mem::replace(&mut self.is_slow, true) {
                exchange.sending();
            }
            if upload.up.steps != before {
                client.alarm.set(timeout.body);
            }
        }
        if upload.client_ended && !std::mem::replace(&mut self.has_ended, true) {
            client.alarm.set(self.most(timeout));
        }
        match poll_fill(upload.upstream, context, answer) {
            Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(Lost::Endpoint(Failure::Closed))),
            Poll::Ready(Ok(_)) => return Poll::Ready(Ok(())),
            Poll::Pending => {}
        }
        ready!(client.alarm.poll_rung(context));
        let is_lost = self.may_move && self.is_sent && answer.is_empty() && exchange.is_lost(Instant::now());
        let Some(more) = self.more(timeout).filter(|_| !is_lost) else { return Poll::Ready(Err(self.late(upload))) };
        client.alarm.set(more);
        client.alarm.poll_rung(context).map(|()| Err(self.late(upload)))
    }

    /// How long the app still has after another look at it.
    fn more(&mut self, timeout: &Timeout) -> Option<Duration> {
        if !self.is_sent || self.has_ended {
            return None;
        }
        let (now, first) = (Instant::now(), LOOK.min(timeout.first_byte));
        let since = *self.since.get_or_insert_with(|| now.checked_sub(first).unwrap_or(now));
        let left = timeout.first_byte.saturating_sub(now.saturating_duration_since(since));
        (!left.is_zero()).then(|| left.min(LOOK))
    }

    /// How long nothing may move from now on, until it is looked at.
    fn most(&mut self, timeout: &Timeout) -> Duration {
        self.since = None;
        match (self.has_ended, self.is_sent) {
            (true, _) => HALF_CLOSED.min(timeout.first_byte),
            (false, true) => LOOK.min(timeout.first_byte),
            (false, false) => timeout.body,
        }
    }

    fn late(&self, upload: &Upload<'_>) -> Lost {
        match upload.up.waiting {
            _ if self.has_ended => Lost::Client,
            Waiting::From if !self.is_sent => Lost::Refused(408),
            _ => Lost::Endpoint(Failure::FirstByte),
        }
    }
}
