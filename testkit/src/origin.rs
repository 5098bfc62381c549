//! Fake apps: an HTTP/1.1 server of threads that records what it gets and answers as a test says.
//! It reads requests leniently on purpose: what a strict door should have stopped must show up here.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

mod exchange;

use exchange::read_request;

/// One request as the origin got it.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The request target as it came.
    pub target: String,
    /// Names in lower case, values trimmed, in order.
    pub headers: Vec<(String, String)>,
    /// The head as it came.
    pub head: String,
    /// The body, chunks joined.
    pub body: Vec<u8>,
    /// Which connection of the origin it came on, from 0.
    pub connection: usize,
}

impl Received {
    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What the origin does with a request.
pub enum Reply {
    /// Sends these bytes and keeps the connection.
    Bytes(Vec<u8>),
    /// Sends these bytes after a while and keeps the connection.
    Late(Duration, Vec<u8>),
    /// Sends these bytes, which may be none, and closes.
    Close(Vec<u8>),
    /// Sends these bytes and then nothing more, with the connection open.
    Hang(Vec<u8>),
    /// Sends these bytes, then every byte that comes back to where it came from.
    Echo(Vec<u8>),
}

impl Reply {
    /// An answer with a text body and its length.
    pub fn text(status: u16, body: &str) -> Reply {
        let length = body.len();
        Reply::Bytes(format!("HTTP/1.1 {status} Said\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes())
    }
}

type Handler = dyn Fn(&Received) -> Reply + Send + Sync;

/// A running fake app on a free port of 127.0.0.1; stops when dropped.
pub struct Origin {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    handler: Box<Handler>,
    /// `None`: requests are not kept.
    received: Option<Mutex<Vec<Received>>>,
    open: Mutex<HashMap<usize, TcpStream>>,
    accepted: AtomicUsize,
    stopped: AtomicBool,
}

impl Origin {
    /// Answers each request as `handler` says.
    pub fn with(handler: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Origin {
        Origin::on("127.0.0.1:0", true, handler)
    }

    /// The same on a given address; `record` false keeps nothing, for long runs.
    pub fn on(address: &str, record: bool, handler: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Origin {
        let listener = TcpListener::bind(address).unwrap_or_else(|error| panic!("{address}: {error}"));
        let address = listener.local_addr().expect("a bound listener has an address");
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            received: record.then(Mutex::default),
            open: Mutex::default(),
            accepted: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        });
        let accepting = shared.clone();
        thread::spawn(move || accepting.accept(&listener));
        Origin { address, shared }
    }

    /// Answers 200 with `body` to everything.
    pub fn answering(body: &str) -> Origin {
        let body = body.to_owned();
        Origin::with(move |_| Reply::text(200, &body))
    }

    /// Answers 200 with `body` to everything, `delay` after the request came.
    pub fn slow(delay: Duration, body: &str) -> Origin {
        let body = body.to_owned();
        Origin::with(move |_| match Reply::text(200, &body) {
            Reply::Bytes(bytes) => Reply::Late(delay, bytes),
            other => other,
        })
    }

    /// Takes requests and never answers.
    pub fn hanging() -> Origin {
        Origin::with(|_| Reply::Hang(Vec::new()))
    }

    /// Takes a request and closes without a byte.
    pub fn closing() -> Origin {
        Origin::with(|_| Reply::Close(Vec::new()))
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Every request so far.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.as_ref().map(|received| locked(received).clone()).unwrap_or_default()
    }

    /// How many connections were ever accepted.
    pub fn connections(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Cuts every connection that is open; new ones are still taken.
    pub fn cut(&self) {
        for stream in locked(&self.shared.open).values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // wakes the accepting thread, which then closes the listener
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        self.cut();
    }
}

impl Shared {
    fn accept(self: Arc<Shared>, listener: &TcpListener) {
        for stream in listener.incoming().flatten() {
            if self.stopped.load(Ordering::SeqCst) {
                return;
            }
            let number = self.accepted.fetch_add(1, Ordering::SeqCst);
            locked(&self.open).extend(stream.try_clone().map(|stream| (number, stream)));
            let shared = self.clone();
            thread::spawn(move || {
                // an error is the peer's doing and shows on its side
                let _ = shared.serve(stream, number);
                locked(&shared.open).remove(&number);
            });
        }
    }

    fn serve(&self, mut stream: TcpStream, number: usize) -> io::Result<()> {
        let mut rest = Vec::new();
        while let Some(mut received) = read_request(&mut stream, &mut rest)? {
            received.connection = number;
            if let Some(kept) = &self.received {
                locked(kept).push(received.clone());
            }
            match (self.handler)(&received) {
                Reply::Bytes(bytes) => stream.write_all(&bytes)?,
                Reply::Late(delay, bytes) => {
                    thread::sleep(delay);
                    stream.write_all(&bytes)?;
                }
                Reply::Close(bytes) => {
                    stream.write_all(&bytes)?;
                    return stream.shutdown(Shutdown::Both);
                }
                Reply::Hang(bytes) => {
                    stream.write_all(&bytes)?;
                    return io::copy(&mut stream, &mut io::sink()).map(drop);
                }
                Reply::Echo(bytes) => {
                    stream.write_all(&bytes)?;
                    stream.write_all(&rest)?;
                    let mut back = stream.try_clone()?;
                    return io::copy(&mut stream, &mut back).map(drop);
                }
            }
        }
        Ok(())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Client;

    #[test]
    fn requests_are_recorded_and_answered_on_one_connection() {
        let origin = Origin::answering("hello");
        let mut client = Client::connect(&origin.address()).unwrap();
        assert_eq!(client.get("/a").unwrap().text(), "hello");
        client.send("POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n").unwrap();
        assert_eq!(client.answer().unwrap().status, 200);
        let received = origin.received();
        assert_eq!((received[0].target.as_str(), received[1].body.as_slice()), ("/a", b"abc".as_slice()));
        assert_eq!((received[1].header("host"), received[1].connection, origin.connections()), (Some("x"), 0, 1));
    }

    #[test]
    fn a_closing_origin_closes_and_a_stopped_one_refuses() {
        let origin = Origin::closing();
        let address = origin.address();
        assert!(crate::get(&address, "/").is_err());
        drop(origin);
        crate::until("the port is closed", || TcpStream::connect(&address).is_err());
    }
}
