//! One client connection while it has something to say: what its requests share, and what the present one is.

use std::rc::Rc;
use std::time::Instant;

use loops::{Alarm, Buffer};
use tokio::net::TcpStream;

use crate::accept::{Framing, Method, RequestHead, Version};
use crate::access::Told;
use crate::balance::pump::Pump;
use crate::balance::response::ResponseHead;
use crate::door::Door;
use crate::events::add;
use crate::plan::AccessLog;
use crate::view::View;

/// A client connection, idle or not. Small: there may be many.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    pub(crate) address: std::net::SocketAddr,
    pub(crate) alarm: Alarm,
}

/// What happens to the connection after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// The next request may come.
    Again,
    /// It is closed.
    Close,
    /// It is closed once the client has had time to read the answer: part of its request was left unread.
    Linger,
}

/// Reused memory of requests; kept by the loop between them.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    pub(crate) request: RequestHead,
    pub(crate) response: ResponseHead,
    pub(crate) input: Option<Buffer>,
    pub(crate) answer: Option<Buffer>,
    pub(crate) up: Pump,
    pub(crate) down: Pump,
    /// Space for making a path plain.
    pub(crate) plain_path: Vec<u8>,
    /// The plain path, when there is a site.
    pub(crate) site_path: Vec<u8>,
    /// Space for the lists of entity tags that came in several fields.
    pub(crate) tags: [Vec<u8>; 2],
    pub(crate) tried: Vec<u64>,
    pub(crate) facts: Facts,
}

/// What is still needed of a request when its head has left the buffer.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) method: Method,
    pub(crate) version: Version,
    pub(crate) framing: Framing,
    pub(crate) keep_alive: bool,
    pub(crate) websocket: bool,
    pub(crate) expects_continue: bool,
    /// The peer's forwarding fields are believed.
    pub(crate) trusted: bool,
    /// The peer is trusted and told a trace, which goes on as it is.
    pub(crate) is_traced: bool,
    /// The peer's address; the same for all requests of a visit.
    pub(crate) peer: Vec<u8>,
    /// The client's address as the access log tells it and the app gets it.
    pub(crate) client: Vec<u8>,
    pub(crate) accept: Vec<u8>,
    pub(crate) request_id: Vec<u8>,
    pub(crate) trace: Vec<u8>,
    /// The path that the app gets when that is not the one that was sent: see `target::normal`.
    pub(crate) normal_path: Vec<u8>,
    /// The address that the client connected to, when it named no host.
    pub(crate) local: Vec<u8>,
    /// Only with an access log.
    pub(crate) method_text: Vec<u8>,
    pub(crate) host: Vec<u8>,
    pub(crate) path: Vec<u8>,
    pub(crate) endpoint: Option<std::sync::Arc<str>>,
}

/// A busy connection.
pub(crate) struct Visit<'c> {
    pub(crate) client: &'c Client,
    pub(crate) door: &'c Rc<Door>,
    /// The plan as it was when the request came.
    pub(crate) view: Rc<View>,
    pub(crate) desk: Box<Desk>,
    /// Bytes at the front of the input that are the present request's head.
    pub(crate) head: usize,
    /// When the request's head was complete; until then, and when it is refused, when its first bytes came.
    pub(crate) since: Instant,
    /// Index of the route that counts the request.
    pub(crate) route: Option<usize>,
    /// The site answers, whatever route there is.
    pub(crate) answered_by_site: bool,
}

impl Facts {
    pub(crate) fn clear(&mut self) {
        let vectors = [
            &mut self.client,
            &mut self.accept,
            &mut self.request_id,
            &mut self.trace,
            &mut self.normal_path,
            &mut self.local,
            &mut self.method_text,
            &mut self.host,
            &mut self.path,
        ];
        vectors.into_iter().for_each(Vec::clear);
        self.endpoint = None;
        (self.method, self.version, self.framing) = (Method::default(), Version::default(), Framing::None);
        (self.keep_alive, self.websocket, self.expects_continue, self.trusted, self.is_traced) = (false, false, false, false, false);
    }

    /// Host and port that the client asks for; the address it connected to when it named none, as HTTP/1.0 may.
    pub(crate) fn authority<'a>(&'a self, head: &RequestHead, buffer: &'a [u8]) -> &'a [u8] {
        if head.host.is_empty() { &self.local } else { head.host.of_buffer(buffer) }
    }

    /// Whether the answer has no body whatever its head says.
    pub(crate) fn is_head(&self) -> bool {
        self.method == Method::Head
    }

    /// Whether executing it twice does no harm (RFC 9110 9.2.1).
    pub(crate) fn is_safe(&self) -> bool {
        self.method.is_safe() && !self.has_body()
    }

    /// Whether a body follows the head.
    pub(crate) fn has_body(&self) -> bool {
        !matches!(self.framing, Framing::None | Framing::Length(0))
    }
}

impl<'c> Visit<'c> {
    pub(crate) fn new(client: &'c Client, door: &'c Rc<Door>) -> Visit<'c> {
        let (view, mut desk) = (door.view(), door.take_desk());
        desk.facts.peer.clear();
        Visit { client, door, view, desk, head: 0, since: Instant::now(), route: None, answered_by_site: false }
    }

    /// Forgets the last request.
    pub(crate) fn next(&mut self) {
        let desk = &mut *self.desk;
        desk.request.clear();
        desk.up.clear();
        desk.down.clear();
        desk.tried.clear();
        desk.facts.clear();
        desk.answer = None;
        self.head = 0;
        (self.route, self.answered_by_site) = (None, false);
        self.door.refresh(&mut self.view);
    }

    /// The head is done with: what follows it in the input is its body or the next head.
    pub(crate) fn consume_head(&mut self) {
        let head = std::mem::take(&mut self.head);
        if let Some(input) = &mut self.desk.input {
            input.consume(head);
        }
    }

    /// The value of `Connection` for an answer, given whether the connection stays.
    pub(crate) fn connection(&self, stays: bool) -> &'static [u8] {
        match (stays, self.desk.facts.version) {
            (false, _) => b"close",
            (true, Version::Http10) => b"keep-alive",
            (true, Version::Http11) => b"",
        }
    }

    /// Whether the client may have another request after this one, as things stand.
    pub(crate) fn may_stay(&self) -> bool {
        self.desk.facts.keep_alive && !self.door.is_draining()
    }
}

impl Visit<'_> {
    /// Counts the request as answered with `status` by `bytes`, and notes it in the access log.
    pub(crate) fn record(&self, status: u16, bytes: u64, now: Instant) {
        let shape = &self.view.shape;
        let index = self.door.here.index;
        let took = now.saturating_duration_since(self.since);
        let counts = match self.route {
            Some(route) => &shape.routes[route].counts,
            None if self.answered_by_site => &shape.site,
            None => &shape.nowhere,
        };
        counts.record(index, self.desk.facts.method, status, took.as_nanos() as u64);
        add(&self.door.common.events.loops[index].bytes_out, bytes);
        if shape.plan.log != AccessLog::Off {
            self.door.access.note(shape.plan.log, &self.desk.facts, &Told { status, bytes, took, app: &counts.app });
        }
    }
}
