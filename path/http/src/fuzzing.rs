//! Entrances for `fuzz/` and the measurements beside it: each takes any bytes and panics when a promise of a codec is
//! broken. Not part of the crate's interface.

use crate::accept::{ChunkScanner, HeadBounds, RequestHead};
use crate::balance::response::{Asked, ResponseHead};

/// A request head.
pub fn head(bytes: &[u8]) {
    let mut head = RequestHead::default();
    let _ = head.parse(bytes, &HeadBounds::new(32 << 10, 100));
}

/// A chunked body.
pub fn chunk(bytes: &[u8]) {
    let _ = ChunkScanner::default().scan(bytes);
}

/// An answer's head.
pub fn response(bytes: &[u8]) {
    let mut head = ResponseHead::default();
    let _ = head.parse(bytes, &HeadBounds::new(32 << 10, 100), Asked::default());
}
