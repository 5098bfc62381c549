//! The promises of what reads clients, as functions of any bytes that panic when one is broken. For `fuzz/` and the property
//! tests; not part of the crate's interface.

use crate::{frame, memcached};

/// What clients send: requests in pieces, and texts of numbers.
pub fn frame(bytes: &[u8]) {
    match bytes.split_first() {
        Some((0, bytes)) => frame::fuzzing::requests(bytes),
        Some((1, bytes)) => frame::fuzzing::numbers(bytes),
        _ => {}
    }
}

/// What clients of memcached send, in pieces.
pub fn memcached(bytes: &[u8]) {
    memcached::fuzzing::requests(bytes);
}
