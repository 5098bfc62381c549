use std::future::poll_fn;
use std::io;
use std::sync::Arc;

use rustls::ServerConfig;

use super::Left;
use super::startup;
use crate::error::Fault;
use crate::frame::{self, HEADER};
use tls::Stream;

/// Bytes read at a time.
const SPACE: usize = 512;

/// A connection until its login is over: the stream, and what was read of it too early.
#[derive(Debug)]
pub(super) struct Wire {
    /// `None` when a TLS handshake has failed.
    stream: Option<Stream>,
    unread: Vec<u8>,
}

impl Wire {
    pub(super) fn new(stream: Stream) -> Wire {
        Wire { stream: Some(stream), unread: Vec::new() }
    }

    /// The stream, and what came of it beyond the login.
    pub(super) fn into_parts(self) -> Option<(Stream, Box<[u8]>)> {
        Some((self.stream?, self.unread.into()))
    }

    pub(super) fn is_tls(&self) -> bool {
        matches!(self.stream, Some(Stream::Tls(_)))
    }

    /// The protocol that TLS agreed on.
    pub(super) fn agreed(&self) -> Option<&[u8]> {
        if let Some(Stream::Tls(tls)) = &self.stream { tls.agreed() } else { None }
    }

    pub(super) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream()?.write_all(bytes).await
    }

    /// The first byte, which stays unread.
    pub(super) async fn first(&mut self) -> io::Result<u8> {
        self.until(1).await?;
        Ok(self.unread[0])
    }

    /// A packet without a tag: its body.
    pub(super) async fn packet(&mut self) -> Result<Vec<u8>, Left> {
        self.until(4).await?;
        let length = self.unread.first_chunk().map_or(0, |length| u32::from_be_bytes(*length)) as usize;
        let body = length.checked_sub(4).filter(|body| (4..=startup::LONGEST).contains(body)).ok_or(Left::Gone)?;
        self.until(4 + body).await?;
        Ok(self.take(4, body))
    }

    /// The body of a message that must be a `tag` of at most `longest` bytes.
    pub(super) async fn message(&mut self, tag: u8, longest: usize) -> Result<Vec<u8>, Left> {
        self.until(HEADER).await?;
        let header = frame::header(&self.unread).ok().flatten().ok_or(Left::Gone)?;
        if header.tag == b'X' {
            return Err(Left::Gone);
        }
        if header.tag != tag {
            return Err(Fault::protocol(format!("expected SASL response, got message type {}", header.tag)).into());
        }
        if header.body > longest {
            return Err(Fault::protocol("SASL response is too long").into());
        }
        self.until(HEADER + header.body).await?;
        Ok(self.take(HEADER, header.body))
    }

    /// Shakes hands as the server of TLS; what is unread is the beginning of it.
    pub(super) async fn secure(&mut self, config: Arc<ServerConfig>) -> Result<(), Left> {
        let Some(Stream::Tcp(socket)) = self.stream.take() else { return Err(Left::Gone) };
        let already = std::mem::take(&mut self.unread);
        self.stream = Some(Stream::Tls(tls::accept(socket, config, &already).await?));
        Ok(())
    }

    async fn until(&mut self, count: usize) -> io::Result<()> {
        while self.unread.len() < count {
            self.more().await?;
        }
        Ok(())
    }

    async fn more(&mut self) -> io::Result<()> {
        let mut space = [0; SPACE];
        let stream = self.stream()?;
        let count = poll_fn(|context| stream.poll_read(context, &mut space)).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.unread.extend_from_slice(&space[..count]);
        Ok(())
    }

    fn take(&mut self, skipped: usize, count: usize) -> Vec<u8> {
        let taken = self.unread[skipped..skipped + count].to_vec();
        self.unread.drain(..skipped + count);
        taken
    }

    fn stream(&mut self) -> io::Result<&mut Stream> {
        self.stream.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}
