use std::io;

use crate::frame::{self, HEADER};
use tls::Stream;

/// Bytes read at a time.
const SPACE: usize = 4096;

/// Reads a server's messages one by one, for the door's own conversations with it: login and questions.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    bytes: Vec<u8>,
    /// Bytes at the front that were given out.
    done: usize,
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Message<'r> {
    pub(crate) tag: u8,
    pub(crate) body: &'r [u8],
    /// Tag, length and body.
    pub(crate) whole: &'r [u8],
}

impl Reader {
    /// The next message, of at most `longest` bytes.
    ///
    /// # Errors
    /// The stream's, its end too; one that is too long or no message.
    pub(crate) async fn next(&mut self, stream: &mut Stream, longest: usize) -> io::Result<Message<'_>> {
        self.bytes.drain(..std::mem::take(&mut self.done));
        self.until(stream, HEADER).await?;
        let header = frame::header(&self.bytes).ok().flatten().filter(|header| header.body <= longest);
        let header = header.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the server sent no message of the protocol"))?;
        self.done = HEADER + header.body;
        self.until(stream, self.done).await?;
        let whole = &self.bytes[..self.done];
        Ok(Message { tag: header.tag, body: &whole[HEADER..], whole })
    }

    /// Whether something came behind the last message.
    pub(crate) fn has_more(&self) -> bool {
        self.bytes.len() > self.done
    }

    async fn until(&mut self, stream: &mut Stream, count: usize) -> io::Result<()> {
        while self.bytes.len() < count {
            let start = self.bytes.len();
            self.bytes.resize(start + SPACE.max(count - start), 0);
            let read = stream.read(&mut self.bytes[start..]).await;
            self.bytes.truncate(start + read.as_ref().map_or(0, |count| *count));
            if read? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }
}
