use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Instant;

use super::{Client, Exchange, Step};

/// One keep-alive connection and the exchange it is in.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// The intended start of the exchange at hand.
    busy: Option<Instant>,
    request: Arc<[u8]>,
    expected: Arc<[u8]>,
    sent: usize,
    head: Vec<u8>,
    /// Bytes of the body so far and in all, once the head is read.
    body: Option<(usize, usize)>,
    count: u64,
    closes: bool,
}

/// Bodies compared byte by byte: one of so many; lengths always.
const SAMPLE: u64 = 8;

impl Client for Connection {
    type Exchange = Exchange;
    const GROWTH: usize = 64;

    fn open(address: SocketAddr, exchange: &Exchange, _number: usize) -> std::io::Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(Connection {
            stream,
            busy: None,
            request: exchange.request.clone(),
            expected: exchange.body.clone(),
            sent: 0,
            head: Vec::new(),
            body: None,
            count: 0,
            closes: false,
        })
    }

    fn stream(&self) -> &TcpStream {
        &self.stream
    }

    fn requests(&self) -> u64 {
        1
    }

    fn begin(&mut self, intended: Instant) -> Step {
        self.busy = Some(intended);
        self.sent = 0;
        self.body = None;
        self.head.clear();
        self.write()
    }

    fn write(&mut self) -> Step {
        while self.sent < self.request.len() {
            match self.stream.write(&self.request[self.sent..]) {
                Ok(sent) => self.sent += sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Step::Blocked,
                Err(error) => return Step::Failed(format!("write: {}", error.kind())),
            }
        }
        Step::Waiting
    }

    fn read(&mut self, space: &mut [u8]) -> Step {
        loop {
            let read = match self.stream.read(space) {
                Ok(0) => return Step::Failed(if self.busy.is_some() { "closed within an exchange" } else { "closed" }.into()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Step::Waiting,
                Err(error) => return Step::Failed(format!("read: {}", error.kind())),
            };
            match self.take(&space[..read]) {
                Step::Waiting if read == space.len() => {}
                step => return step,
            }
        }
    }

    fn end(&mut self) -> Option<Instant> {
        self.busy.take()
    }
}

impl Connection {
    fn take(&mut self, bytes: &[u8]) -> Step {
        if self.busy.is_none() {
            return Step::Failed("bytes that nobody asked for".into());
        }
        if self.body.is_some() {
            return self.take_body(bytes);
        }
        self.head.extend_from_slice(bytes);
        let Some(end) = memchr::memmem::find(&self.head, b"\r\n\r\n") else { return Step::Waiting };
        let head = std::mem::take(&mut self.head);
        let step = match self.read_head(&head[..end + 2]) {
            Ok(length) => {
                self.body = Some((0, length));
                self.take_body(&head[end + 4..])
            }
            Err(wrong) => Step::Failed(wrong),
        };
        self.head = head;
        step
    }

    fn read_head(&mut self, head: &[u8]) -> Result<usize, String> {
        let text = std::str::from_utf8(head).map_err(|_| "a head that is no text".to_string())?;
        let status = text.get(9..12).unwrap_or_default();
        if status != "200" {
            return Err(format!("status {status}"));
        }
        let field = |name: &str| {
            text.lines().skip(1).find_map(|line| {
                let (known, value) = line.split_once(':')?;
                known.eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        self.closes = field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let length = field("content-length").and_then(|value| value.parse().ok());
        match length {
            Some(length) if length == self.expected.len() => Ok(length),
            other => Err(format!("length {other:?} instead of {}", self.expected.len())),
        }
    }

    fn take_body(&mut self, bytes: &[u8]) -> Step {
        let Some((done, length)) = self.body else { return Step::Waiting };
        let now = done + bytes.len();
        if now > length {
            return Step::Failed("more bytes than announced".into());
        }
        if self.count.is_multiple_of(SAMPLE) && self.expected[done..now] != *bytes {
            return Step::Failed("a wrong body".into());
        }
        self.body = Some((now, length));
        if now < length {
            return Step::Waiting;
        }
        self.count += 1;
        Step::Done { closes: self.closes }
    }
}
