//! One look at whether an instance answers.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest that one look may take.
const LONGEST: Duration = Duration::from_secs(5);
/// The longest status line read.
const STATUS_LINE: usize = 256;

/// Asks `health` (or only connects, without one): 2xx and 3xx are well. The error says what was met, for a person.
pub(crate) async fn probe(address: SocketAddr, health: Option<&str>) -> Result<(), String> {
    let what = health.map_or_else(|| format!("port {}", address.port()), |path| format!("GET {path}"));
    match tokio::time::timeout(LONGEST, ask(address, health)).await {
        Ok(Ok(200..=399)) => Ok(()),
        Ok(Ok(0)) => Err(format!("{what} was answered by something that is not HTTP/1")),
        Ok(Ok(status)) => Err(format!("{what} was answered with {status}")),
        Ok(Err(error)) => Err(format!("{what}: {}", in_words(&error))),
        Err(_) => Err(format!("{what} was not answered within {} s", LONGEST.as_secs())),
    }
}

/// The status, or 0 for one that is none; 200 for a port that accepts.
async fn ask(address: SocketAddr, health: Option<&str>) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect(address).await?;
    let Some(path) = health else { return Ok(200) };
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: plimsoll-health\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut line = Vec::new();
    while !line.contains(&b'\n') && line.len() < STATUS_LINE {
        if stream.read_buf(&mut line).await? == 0 {
            break;
        }
    }
    Ok(status(&line).unwrap_or(0))
}

fn status(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(b"HTTP/1.1 ").or_else(|| line.strip_prefix(b"HTTP/1.0 "))?;
    std::str::from_utf8(rest.get(..3)?).ok()?.parse().ok()
}

fn in_words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "nothing listens there".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answered(answer: &'static [u8]) -> Result<(), String> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 1024];
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(buffer[..count].starts_with(b"GET /up HTTP/1.1\r\nHost: 127.0.0.1:"));
            stream.write_all(answer).await.unwrap();
        };
        tokio::join!(probe(address, Some("/up")), serving).0
    }

    #[tokio::test]
    async fn success_and_redirects_are_well() {
        assert_eq!(answered(b"HTTP/1.1 204 No Content\r\n\r\n").await, Ok(()));
        assert_eq!(answered(b"HTTP/1.0 302 Found\r\n\r\n").await, Ok(()));
        assert_eq!(answered(b"HTTP/1.1 503 Busy\r\n\r\n").await, Err("GET /up was answered with 503".into()));
        assert!(answered(b"SSH-2.0\r\n").await.is_err());
        assert!(answered(b"").await.is_err());
    }

    #[tokio::test]
    async fn without_a_path_a_port_that_accepts_is_well() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(probe(address, None).await, Ok(()));
        drop(listener);
        assert!(probe(address, None).await.unwrap_err().contains("nothing listens"));
    }
}
