//! The promises of what reads clients and servers, as functions of any bytes that panic when one is broken. For `fuzz/` and
//! the property tests; not part of the crate's interface.

use crate::parse::{Strings, normalised, recognise, statements};
use crate::{client, exchange, server};

/// What clients send: a first packet, a text, and messages of two clients that share two server connections. However their
/// bytes are cut, each is told what a server of its own would tell it.
pub fn client(bytes: &[u8]) {
    match bytes.split_first() {
        Some((0, bytes)) => client::fuzzing::first(bytes),
        Some((1, bytes)) => text(bytes),
        Some((2, bytes)) => exchange::fuzzing::shared(bytes, false),
        Some((3, bytes)) => exchange::fuzzing::shared(bytes, true),
        _ => {}
    }
}

/// What a server says: while it is logged in to, and in answer to messages of a client's. However its bytes are cut, the
/// client is told the same.
pub fn server(bytes: &[u8]) {
    match bytes.split_first() {
        Some((0, bytes)) => server::fuzzing::login_to(bytes),
        Some((1, bytes)) => exchange::fuzzing::said(bytes),
        _ => {}
    }
}

/// A text: what is found in it lies in it, and what is shown of it is bounded.
fn text(bytes: &[u8]) {
    for strings in [Strings::Standard, Strings::Backslash] {
        let recognised = recognise(bytes, strings);
        let ranges = statements(bytes, strings);
        assert_eq!(ranges.len(), recognised.steps.len());
        assert!(ranges.iter().all(|range| !range.is_empty() && range.end <= bytes.len()));
        assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start));
        let shown = normalised(bytes, strings, 200);
        assert!(shown.len() <= 200 + '…'.len_utf8());
    }
}
