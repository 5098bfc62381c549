use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

/// An answer whose head is written; what is left to send is the body.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status that the head says.
    pub status: u16,
    /// What follows the head. [`Body::Empty`] for HEAD, whatever `Content-Length` says.
    pub body: Body,
}

/// A body to send after the head.
#[derive(Debug, Clone)]
pub enum Body {
    /// Nothing (or what a small answer has already written behind its head).
    Empty,
    /// A part of bytes in memory: send with the head in one `writev`.
    Bytes(Arc<[u8]>, Range<usize>),
    /// A part of a file: send by `sendfile`, each piece after [`warm`](super::warm) said that it is in memory.
    File {
        /// The open file. It may shrink while it is sent: `sendfile` then returns 0 and the connection must close.
        file: Arc<File>,
        /// First byte.
        offset: u64,
        /// Bytes to send, at least 1.
        length: u64,
    },
}

impl Body {
    /// Bytes that are to be sent.
    pub fn len(&self) -> u64 {
        match self {
            Body::Empty => 0,
            Body::Bytes(_, range) => range.len() as u64,
            Body::File { length, .. } => *length,
        }
    }

    /// Whether nothing is to be sent.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
