//! A raw, blocking HTTP/1.1 client: what a test writes is what goes out, what came in is what it sees.

use std::io::{self, Error, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};

use crate::DEADLINE;

/// One client connection; kept alive as long as the peer wants.
pub struct Client {
    stream: TcpStream,
    /// Bytes that arrived after the last answer.
    rest: Vec<u8>,
}

/// One answer, its body decoded from its framing.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The status line and the headers as they came, with the empty line.
    pub head: String,
    /// Names in lower case, values trimmed, in order.
    pub headers: Vec<(String, String)>,
    /// The body, chunks joined.
    pub body: Vec<u8>,
}

/// One GET on a connection of its own. `address` is `host:port`, with or without `http://` before it.
pub fn get(address: &str, path: &str) -> io::Result<Answer> {
    request(address, "GET", path, &[], b"")
}

/// One request on a connection of its own, which is closed afterwards.
pub fn request(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
    Client::connect(address)?.request(method, path, headers, body)
}

impl Client {
    /// Connects; reads and writes fail after [`DEADLINE`] without progress.
    pub fn connect(address: &str) -> io::Result<Client> {
        let address = address.trim_start_matches("http://").trim_end_matches('/');
        let target = address.to_socket_addrs()?.next().ok_or(ErrorKind::NotFound)?;
        let stream = TcpStream::connect_timeout(&target, DEADLINE)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        stream.set_nodelay(true)?;
        Ok(Client { stream, rest: Vec::new() })
    }

    /// The socket, to set its timeouts or to split it.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Writes bytes as they are.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Ends our direction; answers can still be read.
    pub fn finish(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    /// Sends a request and reads its answer. `Host: localhost` is written unless `headers` holds a host; a length
    /// is written when there is a body or the method carries one.
    pub fn request(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head.push_str("Host: localhost\r\n");
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || ["POST", "PUT", "PATCH"].contains(&method) {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        self.send(bytes)?;
        self.answer_to(method)
    }

    /// GET on this connection.
    pub fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.request("GET", path, &[], b"")
    }

    /// Reads the next answer to a request that was not a HEAD; interim answers (1xx but 101) are skipped.
    pub fn answer(&mut self) -> io::Result<Answer> {
        self.answer_to("GET")
    }

    /// Reads the next answer to a request with `method`.
    pub fn answer_to(&mut self, method: &str) -> io::Result<Answer> {
        loop {
            let mut answer = self.head()?;
            if (100..200).contains(&answer.status) && answer.status != 101 {
                continue;
            }
            if method != "HEAD" && !matches!(answer.status, 101 | 204 | 304) {
                answer.body = self.body(&answer)?;
            }
            return Ok(answer);
        }
    }

    /// Reads the next head, interim ones too, and leaves its body unread.
    pub fn head(&mut self) -> io::Result<Answer> {
        let end = loop {
            match self.rest.windows(4).position(|window| window == b"\r\n\r\n") {
                Some(at) => break at + 4,
                None => self.more()?,
            }
        };
        let head = String::from_utf8_lossy(&self.take(end)).into_owned();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| Error::new(ErrorKind::InvalidData, format!("no status in {head:?}")))?;
        let lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        let headers = lines.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
        Ok(Answer { status, head, headers, body: Vec::new() })
    }

    /// Reads exactly `length` bytes.
    pub fn read_exact(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.rest.len() < length {
            self.more()?;
        }
        Ok(self.take(length))
    }

    /// Reads up to and with `end`.
    pub fn read_until(&mut self, end: &[u8]) -> io::Result<Vec<u8>> {
        loop {
            match self.rest.windows(end.len()).position(|window| window == end) {
                Some(at) => return Ok(self.take(at + end.len())),
                None => self.more()?,
            }
        }
    }

    /// Everything until the peer closes.
    pub fn read_to_end(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = std::mem::take(&mut self.rest);
        self.stream.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn body(&mut self, answer: &Answer) -> io::Result<Vec<u8>> {
        if answer.header("transfer-encoding").is_some() {
            return self.chunks();
        }
        match answer.header("content-length") {
            Some(length) => self.read_exact(length.parse().map_err(|_| ErrorKind::InvalidData)?),
            None => self.read_to_end(),
        }
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.read_until(b"\r\n")?;
            let line = String::from_utf8_lossy(&line);
            let size = line.trim_end().split(';').next().unwrap_or_default();
            let size = usize::from_str_radix(size, 16).map_err(|_| Error::new(ErrorKind::InvalidData, format!("chunk size {size:?}")))?;
            if size == 0 {
                while self.read_until(b"\r\n")? != b"\r\n" {}
                return Ok(body);
            }
            body.extend(self.read_exact(size)?);
            self.read_exact(2)?;
        }
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let after = self.rest.split_off(length);
        std::mem::replace(&mut self.rest, after)
    }

    fn more(&mut self) -> io::Result<()> {
        let mut bytes = [0; 64 * 1024];
        let count = self.stream.read(&mut bytes)?;
        if count == 0 {
            return Err(Error::new(ErrorKind::UnexpectedEof, "the peer closed"));
        }
        self.rest.extend_from_slice(&bytes[..count]);
        Ok(())
    }
}

impl Answer {
    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; panics with the body when it is not.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.text()))
    }
}
