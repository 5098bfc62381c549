//! The client's password: SCRAM-SHA-256, with channel binding under TLS, and nothing else.

use std::io;
use std::sync::Arc;

use super::Left;
use super::gate::Gate;
use super::scram::{self, Outcome};
use super::wire::Wire;
use crate::error::Fault;
use crate::frame;
use crate::scram::{PLAIN, PLUS, nonce};

/// Longest message of the client: Postgres's bound (`PG_MAX_SASL_MESSAGE_LENGTH`) and room for the mechanism's name.
const LONGEST: usize = 1024 + 64;

/// What the client chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    Plain,
    Plus,
}

/// Asks for the password of `user`; gives the name that all its connections share. `out` goes with the first question.
///
/// What the client is told at the end (that it is in) stays in `out`: it goes with what follows.
pub(super) async fn login(wire: &mut Wire, gate: &Gate, user: &str, out: &mut Vec<u8>) -> Result<Arc<str>, Left> {
    let binding = wire.is_tls().then(|| gate.tls.as_ref()?.binding.clone()).flatten();
    let (keys, name) = gate.keys(user);
    offer(out, binding.is_some());
    flush(wire, out).await?;
    let message = wire.message(b'p', LONGEST).await?;
    let (mechanism, first) = chosen(&message, binding.is_some())?;
    let (exchange, answer) = scram::begin(first, mechanism, keys, binding.as_deref(), &nonce())?;
    authentication(out, 11, answer.as_bytes());
    flush(wire, out).await?;
    let message = wire.message(b'p', LONGEST).await?;
    match (exchange.finish(utf8(&message)?)?, name) {
        (Outcome::Right(signature), Some(name)) => {
            authentication(out, 12, signature.as_bytes());
            authentication(out, 0, &[]);
            Ok(name)
        }
        _ => Err(Fault::wrong_password(user).into()),
    }
}

fn offer(out: &mut Vec<u8>, plus: bool) {
    frame::message(out, b'R', |out| {
        out.extend_from_slice(&10_u32.to_be_bytes());
        if plus {
            frame::text(out, PLUS.as_bytes());
        }
        frame::text(out, PLAIN.as_bytes());
        out.push(0);
    });
}

fn authentication(out: &mut Vec<u8>, kind: u32, data: &[u8]) {
    frame::message(out, b'R', |out| {
        out.extend_from_slice(&kind.to_be_bytes());
        out.extend_from_slice(data);
    });
}

async fn flush(wire: &mut Wire, out: &mut Vec<u8>) -> io::Result<()> {
    wire.write(out).await?;
    out.clear();
    Ok(())
}

/// `SASLInitialResponse`: a mechanism and the first message.
fn chosen(body: &[u8], plus: bool) -> Result<(Mechanism, &str), Fault> {
    let (name, rest) = frame::split_text(body).ok_or_else(truncated)?;
    let mechanism = match name {
        name if name == PLAIN.as_bytes() => Mechanism::Plain,
        name if name == PLUS.as_bytes() && plus => Mechanism::Plus,
        _ => return Err(Fault::protocol("client selected an invalid SASL authentication mechanism")),
    };
    let (length, first) = rest.split_first_chunk().ok_or_else(truncated)?;
    if u32::from_be_bytes(*length) as usize != first.len() {
        return Err(truncated());
    }
    Ok((mechanism, utf8(first)?))
}

fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|_| Fault::protocol("malformed SCRAM message").detail("It is not UTF-8."))
}

fn truncated() -> Fault {
    Fault::protocol("invalid SASL response: its lengths do not fit")
}
