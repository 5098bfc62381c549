//! What a client sends before it is in.

use super::login::Mechanism;
use super::{options, scram, startup};
use crate::scram::Keys;

/// A first packet without its length, and texts that come in packets.
pub(crate) fn first(bytes: &[u8]) {
    if let Ok(startup::Packet::Startup(startup)) = startup::packet(bytes) {
        startup.negotiate(&mut Vec::new());
        assert!(!startup.user.is_empty());
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // No text may be an error of the door's own making.
    let _ = options::read(text);
    let (first, last) = text.split_once('\n').unwrap_or((text, ""));
    let keys = Keys { salt: [1; 16], stored: [2; 32], server: [3; 32] };
    if let Ok((exchange, _)) = scram::begin(first, Mechanism::Plain, keys, None, "nonce") {
        assert!(!matches!(exchange.finish(last), Ok(scram::Outcome::Right(_))), "a proof was found");
    }
}
