//! First stage: what comes in is read strictly. Codecs only, no sockets: a head (`head.rs`), a path (`target.rs`), a
//! chunked body (`chunk.rs`); field rules are shared with the answers that `balance` reads.

pub(crate) mod chunk;
pub(crate) mod connection;
pub(crate) mod field;
pub(crate) mod head;
pub(crate) mod head_end;
pub(crate) mod known;
pub(crate) mod line;
pub(crate) mod listening;
pub(crate) mod read;
pub(crate) mod refusal;
pub(crate) mod target;

pub(crate) use chunk::{BadChunk, ChunkScanner, Piece};
pub(crate) use field::Field;
pub(crate) use head::{Framing, HeadBounds, MOST_FIELDS, Progress, RequestHead};
pub(crate) use known::Known;
pub(crate) use line::{Method, Version};
pub(crate) use refusal::Refusal;
