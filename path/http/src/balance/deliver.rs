//! Passes an app's answer on to the client, while the rest of the request may still go up.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use loops::Buffer;

use super::attempt::{HALF_CLOSED, Line, Lost, Upload};
use super::downward::{self, Also};
use super::forward::keep;
use super::pump::{Pump, PumpError, Waiting};
use super::{Exchange, Failure, Outcome, upgrade};
use crate::accept::Framing;
use crate::events::add;
use crate::plan::Timeout;
use crate::visit::{After, Client, Desk, Visit};

/// The longest pause an app may make inside an answer without a length: server-sent events, long polls.
const STREAM_PAUSE: Duration = Duration::from_secs(3600);

/// How passing on the answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    /// The app broke off.
    Broken,
    /// The client left or is too slow.
    Client,
}

/// Passes the answer on whose head lies in `desk.answer`.
pub(super) async fn deliver(visit: &mut Visit<'_>, mut exchange: Exchange, line: Line) -> After {
    let answered = Instant::now();
    exchange.answered(visit.desk.response.status, answered);
    if visit.view.shape.plan.log != crate::plan::AccessLog::Off {
        visit.desk.facts.endpoint = Some(exchange.peer().name().clone());
    }
    let stays = begin(visit);
    if visit.desk.response.switches {
        return upgrade::upgrade(visit, exchange, line).await;
    }
    let (end, waited) = pass_on(visit, &line).await;
    // An answer that went out at once took no time worth another look at the clock.
    let now = if waited { Instant::now() } else { answered };
    let (status, bytes) = (visit.desk.response.status, visit.desk.down.written);
    add(&visit.door.common.events.loops[visit.door.here.index].bytes_in, visit.desk.up.moved);
    visit.record(status, bytes, now);
    match end {
        End::Whole => {
            keep(visit, exchange.peer(), line, now);
            exchange.end(Outcome::Done, now);
            match (stays, visit.desk.up.is_done()) {
                (true, true) => After::Again,
                (false, true) => After::Close,
                (_, false) => After::Linger,
            }
        }
        End::Broken => {
            exchange.end(Outcome::Failed(Failure::Closed), now);
            cut(visit.client);
            After::Close
        }
        End::Client => {
            exchange.end(Outcome::ClientGone, now);
            add(&visit.door.common.events.loops[visit.door.here.index].clients_gone, 1);
            cut(visit.client);
            After::Close
        }
    }
}

/// Writes the head for the client; from here on `desk.answer` holds the body. Whether the connection stays.
fn begin(visit: &mut Visit<'_>) -> bool {
    let version = visit.desk.facts.version;
    let framing = visit.desk.response.framing;
    let chunked = downward::is_chunked(framing, version);
    let is_delimited = chunked || matches!(framing, Framing::None | Framing::Length(_));
    // A request that the app has not taken whole leaves the rest of it unread.
    let stays = visit.may_stay() && is_delimited && visit.desk.up.is_done();
    let also = Also { door: visit.door, connection: visit.connection(stays), chunked };
    let Desk { response, answer, down, facts, .. } = &mut *visit.desk;
    let Some(answer) = answer else { return false };
    down.out.clear();
    downward::write(&mut down.out, facts, response, answer.unread(), &also);
    answer.consume(response.len());
    down.begin(framing, chunked, u64::MAX, 0);
    stays
}

/// How it ended, and whether there was something to wait for.
async fn pass_on(visit: &mut Visit<'_>, line: &Line) -> (End, bool) {
    let (client, door, timeout) = (visit.client, visit.door, visit.view.shape.plan.timeout);
    let Desk { input, answer, up, down, .. } = &mut *visit.desk;
    let (Some(input), Some(answer)) = (input, answer) else { return (End::Broken, false) };
    let mut upload =
        Upload { client: &client.stream, upstream: &line.stream, input, up, pipes: &door.pipes, failed: false, client_ended: false };
    let mut is_first = true;
    poll_fn(|context| {
        let first = std::mem::replace(&mut is_first, false);
        poll_pass(context, &mut upload, down, answer, client, &timeout, first).map(|end| (end, !first))
    })
    .await
}

fn poll_pass(
    context: &mut Context<'_>,
    upload: &mut Upload<'_>,
    down: &mut Pump,
    answer: &mut Buffer,
    client: &Client,
    timeout: &Timeout,
    first: bool,
) -> Poll<End> {
    let before = (down.steps, upload.client_ended);
    match down.poll(context, upload.upstream, answer, upload.client, upload.pipes) {
        Poll::Ready(Ok(())) => return Poll::Ready(End::Whole),
        Poll::Ready(Err(PumpError::To)) => return Poll::Ready(End::Client),
        Poll::Ready(Err(_)) => return Poll::Ready(End::Broken),
        Poll::Pending => {}
    }
    match upload.poll(context) {
        Poll::Ready(Lost::Endpoint(_)) => return Poll::Ready(End::Broken),
        Poll::Ready(_) => return Poll::Ready(End::Client),
        Poll::Pending => {}
    }
    if first || before != (down.steps, upload.client_ended) {
        client.alarm.set(pause(down, upload.client_ended, timeout));
    }
    client.alarm.poll_rung(context).map(|()| match down.waiting {
        Waiting::From if !upload.client_ended => End::Broken,
        _ => End::Client,
    })
}

/// How long nothing may move.
fn pause(down: &Pump, client_ended: bool, timeout: &Timeout) -> Duration {
    match down.waiting {
        Waiting::To => timeout.body,
        Waiting::From if client_ended => HALF_CLOSED,
        Waiting::From if down.has_length() => timeout.first_byte,
        Waiting::From => STREAM_PAUSE,
    }
}

/// Lets the client see that the answer is not whole: a reset instead of an end.
fn cut(client: &Client) {
    // If it cannot be set the client sees an end too early, which chunks and lengths tell as well.
    let _ = rustix::net::sockopt::set_socket_linger(&client.stream, Some(Duration::ZERO));
}
