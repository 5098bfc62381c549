//! An upgraded connection (WebSocket): bytes both ways until both sides have ended. While nothing moves it holds no buffer.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use loops::{Buffer, Buffers};
use rustix::net::{Shutdown, shutdown};
use tokio::net::TcpStream;

use super::Exchange;
use super::attempt::Line;
use super::pipe::Pipes;
use super::pump::{Pump, Source};
use crate::visit::{After, Desk, Visit};

/// How long the other side may go on when one has ended.
const ONE_SIDED: Duration = Duration::from_secs(30);

/// One direction.
struct Way<'a> {
    from: &'a TcpStream,
    to: &'a TcpStream,
    buffer: &'a mut Option<Buffer>,
    pump: &'a mut Pump,
    ended: bool,
}

/// Copies both ways; the head of the 101 is in `desk.down.out`.
pub(super) async fn upgrade(visit: &mut Visit<'_>, exchange: Exchange, line: Line) -> After {
    let _upgraded = exchange.upgrade();
    visit.record(101, visit.desk.down.out.len() as u64, Instant::now());
    // It may last for days: reloads must not leave an old site's files open as long.
    visit.view = visit.view.without_site();
    let (client, door) = (visit.client, visit.door);
    // A peer that vanished without a word is found by the kernel.
    let _ = rustix::net::sockopt::set_socket_keepalive(&client.stream, true);
    client.alarm.off();
    let Desk { input, answer, up, down, .. } = &mut *visit.desk;
    up.clear();
    up.begin(Source::Close, false, u64::MAX, 0);
    down.begin(Source::Close, false, u64::MAX, 0);
    let mut upward = Way { from: &client.stream, to: &line.stream, buffer: input, pump: up, ended: false };
    let mut downward = Way { from: &line.stream, to: &client.stream, buffer: answer, pump: down, ended: false };
    let mut is_one_sided = false;
    poll_fn(|context| {
        let broken = upward.poll(context, &door.here.buffers, &door.pipes).is_err()
            || downward.poll(context, &door.here.buffers, &door.pipes).is_err();
        if broken || (upward.ended && downward.ended) {
            return Poll::Ready(());
        }
        if (upward.ended || downward.ended) && !std::mem::replace(&mut is_one_sided, true) {
            client.alarm.set(ONE_SIDED);
        }
        client.alarm.poll_rung(context)
    })
    .await;
    After::Close
}

/// A side failed.
struct Broken;

impl Way<'_> {
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
