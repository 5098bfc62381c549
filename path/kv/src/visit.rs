//! A client that is busy: it has a desk with what it sent and what it is to be told.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use loops::{Alarm, Buffer, socket};
use tokio::net::TcpStream;

use crate::client::Client;
use crate::door::Door;
use crate::events::add;
use crate::frame::{Cut, Reply, Requests, Rest};
use crate::path::path;
use crate::store::Outcome;

/// Requests read at once; their answers are written together.
const MOST: usize = 256;
/// Capacity of answers that a desk keeps.
const KEPT: usize = 64 << 10;

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
    stream: &'c TcpStream,
}

/// Serves a client until one of both leaves.
pub(crate) async fn serve(door: &Rc<Door>, stream: TcpStream, mut client: Client) {
    let alarm = door.here.alarms.alarm();
    while speaks(door, &stream, &alarm).await {
        let mut visit = Visit { client: &mut client, door, desk: door.take_desk(), stream: &stream };
        visit.desk.input = Some(door.here.buffers.take());
        let after = loop {
            let after = path(&mut visit).await;
            if after == After::Close || visit.is_at_rest() {
                break after;
            }
        };
        if after == After::Close {
            return;
        }
        let Visit { desk, .. } = visit;
        door.give_back(desk);
    }
}

/// Waits for its first byte, its end or the door's; whether it is worth a look.
async fn speaks(door: &Door, stream: &TcpStream, alarm: &Alarm) -> bool {
    poll_fn(|context| {
        // Woken by the drain.
        let _ = alarm.poll_rung(context);
        if door.is_draining() {
            return Poll::Ready(false);
        }
        stream.poll_read_ready(context).map(|ready| ready.is_ok())
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
    }
}

impl Visit<'_> {
    /// Reads until there is a whole request.
    pub(crate) async fn receive(&mut self) -> After {
        loop {
            self.frame();
            if self.desk.requests.len() > 0 || self.desk.cut.is_some() {
                return After::Again;
            }
            let Desk { input, needs, .. } = &mut *self.desk;
            let input = input.get_or_insert_with(|| self.door.here.buffers.take());
            input.compact();
            input.reserve((*needs).max(1));
            match poll_fn(|context| socket::poll_read(self.stream, context, input.space())).await {
                Ok(0) | Err(_) => return After::Close,
                Ok(count) => {
                    input.filled(count);
                    add(&self.door.events().bytes_in, count as u64);
                }
            }
        }
    }

    /// Finds whole requests in what came, once those before are answered.
    fn frame(&mut self) {
        let Desk { input: Some(input), requests, next, needs, cut, .. } = &mut *self.desk else { return };
        input.consume(requests.consumed());
        *next = 0;
        *needs = match requests.read(input.unread(), MOST, &self.client.limits) {
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
        let output = &mut self.desk.output;
        if !output.is_empty() {
            let sent = socket::write_all(self.stream, output).await;
            add(&self.door.events().bytes_out, output.len() as u64);
            output.clear();
            if sent.is_err() {
                return After::Close;
            }
        }
        if self.client.leaves || is_end { After::Close } else { After::Again }
    }

    /// Says why the client is closed, to whom it may be said.
    fn say_cut(&mut self) {
        let (events, address) = (&self.door.common.events, self.client.address);
        match self.desk.cut.take() {
            Some(Cut::Broken(fault)) => Reply::new(&mut self.desk.output, self.client.protocol).error(&fault),
            Some(Cut::CrossProtocol) => events.cut(&format!(
                "{address} sent an HTTP request to this port and was cut off: a page that a browser shows may try to speak to it"
            )),
            Some(Cut::TooLong) => events.cut(&format!("{address} sent a request longer than a client may send, and was cut off")),
            None => {}
        }
    }

    /// Whether nothing is left to do: the client may be silent for long.
    fn is_at_rest(&self) -> bool {
        let Desk { input, requests, next, .. } = &*self.desk;
        *next >= requests.len() && input.as_ref().is_none_or(|input| input.len() == requests.consumed())
    }
}
