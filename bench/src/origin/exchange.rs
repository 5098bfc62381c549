use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use super::Place;

/// 1 KiB, what most rows ask for.
pub static SMALL: LazyLock<Arc<[u8]>> = LazyLock::new(|| pattern(1 << 10));
/// 10 MB.
pub static LARGE: LazyLock<Arc<[u8]>> = LazyLock::new(|| pattern(10 << 20));

/// Bytes that show a part that is lost, doubled or moved.
pub fn pattern(length: usize) -> Arc<[u8]> {
    (0..length).map(|index| (index ^ (index >> 8) ^ (index >> 16)) as u8).collect()
}

static SMALL_ANSWER: LazyLock<Arc<[u8]>> = LazyLock::new(|| whole(&SMALL));
static LARGE_ANSWER: LazyLock<Arc<[u8]>> = LazyLock::new(|| whole(&LARGE));

fn whole(body: &[u8]) -> Arc<[u8]> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat().into()
}

/// One connection from a proxy.
#[derive(Debug)]
pub struct Talk {
    pub place: Arc<Place>,
    /// Unique for the origin's life.
    pub number: u64,
    stream: TcpStream,
    head: Vec<u8>,
    /// Bytes of the request's body still to come.
    body: usize,
    path: What,
    answer: Option<(Arc<[u8]>, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Small,
    Large,
    Health,
}

/// What a step of a connection led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Go on.
    Nothing,
    /// A whole request, body included.
    Request,
    /// Wait for the socket.
    Wait,
    /// The connection ends.
    End,
}

impl Talk {
    pub fn new(stream: TcpStream, place: Arc<Place>) -> Talk {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Talk { place, number, stream, head: Vec::new(), body: 0, path: What::Small, answer: None }
    }

    /// Whether the request at hand is no health check.
    pub fn is_counted(&self) -> bool {
        self.path != What::Health
    }

    /// Reads once.
    pub fn read(&mut self, space: &mut [u8]) -> Heard {
        if self.answer.is_some() {
            return Heard::Wait;
        }
        match self.stream.read(space) {
            Ok(0) => Heard::End,
            Ok(read) => self.take(&space[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Heard::Wait,
            Err(_) => Heard::End,
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Heard {
        if self.body > 0 {
            return self.take_body(bytes.len());
        }
        self.head.extend_from_slice(bytes);
        let Some(end) = memchr::memmem::find(&self.head, b"\r\n\r\n") else { return Heard::Nothing };
        let head = std::mem::take(&mut self.head);
        self.path = match () {
            () if head.windows(5).take(16).any(|part| part == b"/heal") => What::Health,
            () if head.starts_with(b"GET /large") => What::Large,
            () => What::Small,
        };
        self.body = content_length(&head[..end]);
        if self.is_counted() {
            self.place.count();
        }
        let beyond = head.len() - end - 4;
        self.head = head;
        self.head.clear();
        self.take_body(beyond)
    }

    fn take_body(&mut self, bytes: usize) -> Heard {
        // A proxy never pipelines, so more than announced is a fault that the generator shall see.
        let Some(left) = self.body.checked_sub(bytes) else { return Heard::End };
        self.body = left;
        if left == 0 { Heard::Request } else { Heard::Nothing }
    }

    /// Answers the request at hand.
    pub fn answer(&mut self) -> Heard {
        let answer = if self.path == What::Large { LARGE_ANSWER.clone() } else { SMALL_ANSWER.clone() };
        self.answer = Some((answer, 0));
        self.write()
    }

    /// Sends what is left of an answer.
    pub fn write(&mut self) -> Heard {
        while let Some((answer, sent)) = &mut self.answer {
            match self.stream.write(&answer[*sent..]) {
                Ok(more) => *sent += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Heard::Wait,
                Err(_) => return Heard::End,
            }
            if *sent == answer.len() {
                self.answer = None;
            }
        }
        Heard::Nothing
    }
}

fn content_length(head: &[u8]) -> usize {
    let text = String::from_utf8_lossy(head);
    if text.starts_with("GET") {
        return 0;
    }
    let field = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    field.unwrap_or(0)
}
