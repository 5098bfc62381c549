//! An upgraded connection (WebSocket): bytes both ways until both sides have ended. While nothing moves it holds no buffer.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use loops::{Buffer, Buffers};
use rustix::net::{Shutdown, shutdown, sockopt};
use tokio::net::TcpStream;

use super::Exchange;
use super::attempt::Line;
use super::pipe::Pipes;
use super::pump::Pump;
use crate::accept::Framing;
use crate::visit::{After, Desk, Visit};

/// How long the other side may go on when one has ended.
const ONE_SIDED: Duration = Duration::from_secs(30);

/// After so long without a word the kernel asks whether the other side is still there.
const QUIET: Duration = Duration::from_secs(60);

/// After so long without an answer to that it is gone; after both together without one to bytes sent.
const VANISHED: Duration = Duration::from_secs(60);

/// One direction.
struct Way<'a> {
    from: &'a TcpStream,
    to: &'a TcpStream,
    buffer: &'a mut Option<Buffer>,
    pump: &'a mut Pump,
    ended: bool,
    /// Since when the side it goes to takes nothing, and how many steps were made by then.
    stuck: Option<(u64, Instant)>,
}

/// Copies both ways; the head of the 101 is in `desk.down.out`.
pub(super) async fn upgrade(visit: &mut Visit<'_>, exchange: Exchange, line: Line) -> After {
    let _upgraded = exchange.upgrade();
    visit.record(101, visit.desk.down.out.len() as u64, Instant::now());
    // It may last for days: reloads must not leave an old site's files open as long.
    visit.view = visit.view.without_site();
    let (client, door) = (visit.client, visit.door);
    let patience = visit.view.shape.plan.timeout.body;
    find_vanished(&client.stream);
    find_vanished(&line.stream);
    client.alarm.off();
    let Desk { input, answer, up, down, .. } = &mut *visit.desk;
    up.clear();
    up.begin(Framing::Close, false, u64::MAX, 0);
    down.begin(Framing::Close, false, u64::MAX, 0);
    let mut upward = Way { from: &client.stream, to: &line.stream, buffer: input, pump: up, ended: false, stuck: None };
    let mut downward = Way { from: &line.stream, to: &client.stream, buffer: answer, pump: down, ended: false, stuck: None };
    let (mut one_sided_until, mut due) = (None, None);
    poll_fn(|context| {
        let broken = upward.poll(context, &door.here.buffers, &door.pipes).is_err()
            || downward.poll(context, &door.here.buffers, &door.pipes).is_err();
        if broken || (upward.ended && downward.ended) {
            return Poll::Ready(());
        }
        if upward.ended || downward.ended {
            one_sided_until.get_or_insert_with(|| Instant::now() + ONE_SIDED);
        }
        let stuck = [&mut upward, &mut downward].map(|way| way.stuck_since().map(|since| since + patience));
        let first = stuck.into_iter().chain([one_sided_until]).flatten().min();
        if std::mem::replace(&mut due, first) != first {
            match first {
                Some(due) => client.alarm.set(due.saturating_duration_since(Instant::now())),
                None => client.alarm.off(),
            }
        }
        client.alarm.poll_rung(context)
    })
    .await;
    After::Close
}

/// Lets the kernel find out when the other side has vanished without a word.
fn find_vanished(stream: &TcpStream) {
    const ASK_EVERY: Duration = Duration::from_secs(10);
    // A kernel that knows one of these not keeps its own, longer times.
    let _ = sockopt::set_socket_keepalive(stream, true);
    let _ = sockopt::set_tcp_keepidle(stream, QUIET);
    let _ = sockopt::set_tcp_keepintvl(stream, ASK_EVERY);
    let _ = sockopt::set_tcp_keepcnt(stream, (VANISHED.as_secs() / ASK_EVERY.as_secs()) as u32);
    let _ = sockopt::set_tcp_user_timeout(stream, (QUIET + VANISHED).as_millis() as u32);
}

/// A side failed.
struct Broken;

impl Way<'_> {
    /// Since when bytes wait that the other side does not take.
    fn stuck_since(&mut self) -> Option<Instant> {
        let waits = !self.pump.has_written() || self.buffer.as_ref().is_some_and(|buffer| !buffer.is_empty());
        let steps = self.pump.steps;
        self.stuck = waits.then(|| self.stuck.filter(|(before, _)| *before == steps).unwrap_or_else(|| (steps, Instant::now())));
        self.stuck.map(|(_, since)| since)
    }

    fn poll(&mut self, context: &mut Context<'_>, buffers: &Buffers, pipes: &Pipes) -> Result<(), Broken> {
        while !self.ended {
            let is_idle = self.pump.has_written() && self.buffer.as_ref().is_none_or(|buffer| buffer.is_empty());
            if is_idle && self.from.poll_read_ready(context).is_pending() {
                *self.buffer = None;
                return Ok(());
            }
            let buffer = self.buffer.get_or_insert_with(|| buffers.take());
            match self.pump.poll(context, self.from, buffer, self.to, pipes) {
                Poll::Pending if self.pump.has_written() && buffer.is_empty() => {
                    *self.buffer = None;
                    return Ok(());
                }
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(())) => {
                    self.ended = true;
                    // It fails when that side is gone, which its own direction finds out.
                    let _ = shutdown(self.to, Shutdown::Write);
                }
                Poll::Ready(Err(_)) => return Err(Broken),
            }
        }
        Ok(())
    }
}
