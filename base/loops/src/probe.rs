//! One look at whether an app answers: no loop is needed for it, both who runs apps and who balances over them look so.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::time::timeout;

/// Bytes of an answer that are read to find its status line.
const HEAD: usize = 256;

/// Why an app is not well; displayed, it says so for a person.
#[derive(Debug)]
pub enum Unwell {
    /// No connection, be it for what this process lacks.
    NoConnection(io::Error),
    /// What was met instead of a good answer.
    Answer(String),
}

impl fmt::Display for Unwell {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unwell::NoConnection(error) if error.kind() == io::ErrorKind::ConnectionRefused => write!(out, "nothing listens there"),
            Unwell::NoConnection(error) => write!(out, "no connection: {error}"),
            Unwell::Answer(met) => write!(out, "{met}"),
        }
    }
}

/// Asks `path` of `address` (or only connects, without one) for at most `longest`: 2xx and 3xx are well.
///
/// Says for a person what was met. Any tokio runtime will do.
///
/// # Errors
/// No connection, no answer in time, one that is not HTTP/1, or another status.
pub async fn probe(address: SocketAddr, path: Option<&str>, longest: Duration) -> Result<String, Unwell> {
    let late = |_| Err(Unwell::Answer(format!("no answer within {} ms", longest.as_millis())));
    timeout(longest, ask(address, path)).await.unwrap_or_else(late)
}

async fn ask(address: SocketAddr, path: Option<&str>) -> Result<String, Unwell> {
    let mut stream = TcpStream::connect(address).await.map_err(Unwell::NoConnection)?;
    let Some(path) = path else { return Ok("the port accepts".into()) };
    match status_of(&mut stream, address, path).await.map_err(|error| Unwell::Answer(format!("{path} was not answered: {error}")))? {
        Some(code @ 200..=399) => Ok(format!("{path} answered {code}")),
        Some(code) => Err(Unwell::Answer(format!("{path} answered {code}"))),
        None => Err(Unwell::Answer(format!("{path} was not answered with HTTP/1"))),
    }
}

async fn status_of(stream: &mut TcpStream, address: SocketAddr, path: &str) -> io::Result<Option<u16>> {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: plimsoll-health\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::with_capacity(HEAD);
    while status(&head).is_none() && head.len() < HEAD {
        if stream.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    Ok(status(&head))
}

/// The code of a status line (RFC 9112 section 4) as soon as all its digits are there.
fn status(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/1.")?;
    let (code, after) = (rest.get(2..5)?, rest.get(5)?);
    let valid = rest[0].is_ascii_digit() && rest[1] == b' ' && code.iter().all(u8::is_ascii_digit) && matches!(after, b' ' | b'\r' | b'\n');
    valid.then(|| code.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(240);

    async fn answered(answer: &'static [u8]) -> Result<String, String> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 1024];
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(buffer[..count].starts_with(b"GET /up HTTP/1.1\r\nHost: 127.0.0.1:"));
            stream.write_all(answer).await.unwrap();
        };
        tokio::join!(probe(address, Some("/up"), LONGEST), serving).0.map_err(|unwell| unwell.to_string())
    }

    #[tokio::test]
    async fn success_and_redirects_are_well() {
        assert_eq!(answered(b"HTTP/1.1 204 No Content\r\n\r\n").await, Ok("/up answered 204".into()));
        assert_eq!(answered(b"HTTP/1.0 302 Found\r\n\r\n").await, Ok("/up answered 302".into()));
        assert_eq!(answered(b"HTTP/1.1 503 Busy\r\n\r\n").await, Err("/up answered 503".into()));
        assert!(answered(b"SSH-2.0\r\n").await.is_err());
        assert!(answered(b"").await.is_err());
    }

    #[tokio::test]
    async fn without_a_path_a_port_that_accepts_is_well() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert!(probe(address, None, LONGEST).await.is_ok());
        // It accepts, by its backlog, and never answers.
        let late = probe(address, Some("/up"), Duration::from_millis(20)).await.unwrap_err();
        assert_eq!(late.to_string(), "no answer within 20 ms");
        drop(listener);
        assert!(probe(address, None, LONGEST).await.is_err_and(|unwell| unwell.to_string().contains("nothing listens")));
    }

    #[test]
    fn only_whole_status_lines_of_http_1_count() {
        assert_eq!(status(b"HTTP/1.1 200 OK\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 404\r\n"), Some(404));
        for bad in [&b"HTTP/1.1 20"[..], b"HTTP/2 200 OK", b"HTTP/1.1 2000", b"SSH-2.0-OpenSSH", b""] {
            assert_eq!(status(bad), None);
        }
    }
}
