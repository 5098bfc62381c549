//! The frames of what a client sends: how much of each message must be there before it is acted on.
//!
//! Bounds are Postgres's own (`SocketBackend` in its `tcop/postgres.c`), but for texts, which are read whole here.

use crate::error::Fault;
use crate::frame::{self, HEADER};

/// The longest text of one `Query` or `Parse`, bytes: it is in memory while it is recognised.
pub(crate) const LONGEST_TEXT: usize = 64 << 20;

/// The longest body of messages that carry no data (`PQ_SMALL_MESSAGE_LIMIT`).
const LONGEST_SMALL: usize = 10_000;

/// The longest names of portal and statement in a `Bind`, together.
const LONGEST_NAMES: usize = 8 << 10;

/// Bytes of the function's identifier in a `FunctionCall`.
const OID: usize = 4;

/// What a `FunctionCall` of an unknown function may do, as SQL.
const ANYTHING: &[u8] = b"CALL anything(lastval(), pg_advisory_lock(1))";

/// `setseed`, and what it does.
const SET_SEED: (u32, &[u8]) = (1599, b"SELECT setseed(0)");

/// The same of `pg_backup_start`, which was called `pg_start_backup`.
const START_BACKUP: (u32, &[u8]) = (2172, b"SELECT pg_backup_start('')");

/// Functions of large objects, which libpq calls so; they do nothing to a session.
const LARGE_OBJECTS: [u32; 20] =
    [715, 764, 765, 767, 952, 953, 954, 955, 956, 957, 958, 964, 1004, 3170, 3171, 3172, 3457, 3458, 3459, 3460];

/// What the bytes at hand begin with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Framed {
    /// Too little yet: so many bytes are needed in all.
    More(usize),
    /// A message of `length` bytes in all, tag included; of those that carry data perhaps only the beginning is there.
    Message { tag: u8, length: usize },
}

/// What a client sent can be no message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// No message has this type.
    Unknown(u8),
    /// A length that this type cannot have.
    Length,
    /// A text longer than [`LONGEST_TEXT`].
    TooLong(usize),
}

impl Refused {
    /// What the client is told before its connection ends.
    pub(crate) fn fault(&self) -> Fault {
        match self {
            Refused::Unknown(tag) => Fault::protocol(format!("invalid frontend message type {tag}")),
            Refused::Length => Fault::protocol("invalid message length"),
            Refused::TooLong(length) => Fault::new(
                crate::error::code::PROGRAM_LIMIT_EXCEEDED,
                format!("a statement of {length} bytes is longer than the {LONGEST_TEXT} that the pool reads"),
            )
            .hint("Send large values as parameters or with COPY: those may have any length."),
        }
    }
}

/// Finds the first message of `bytes`.
///
/// # Errors
/// Nothing after these bytes can be understood.
pub(crate) fn frame(bytes: &[u8]) -> Result<Framed, Refused> {
    let Some(&tag) = bytes.first() else { return Ok(Framed::More(HEADER)) };
    let most = most(tag).ok_or(Refused::Unknown(tag))?;
    let Some(header) = frame::header(bytes).map_err(|_| Refused::Length)? else { return Ok(Framed::More(HEADER)) };
    if header.body > most {
        return Err(if most == LONGEST_TEXT { Refused::TooLong(header.body) } else { Refused::Length });
    }
    let length = HEADER + header.body;
    Ok(match tag {
        b'd' => Framed::Message { tag, length },
        b'F' if bytes.len() < length.min(HEADER + OID) => Framed::More(length.min(HEADER + OID)),
        b'F' => Framed::Message { tag, length },
        b'B' if bytes.len() < length && !has_names(&bytes[HEADER..]) => Framed::More(length.min(HEADER + LONGEST_NAMES)),
        b'B' => Framed::Message { tag, length },
        _ if bytes.len() < length => Framed::More(length),
        _ => Framed::Message { tag, length },
    })
}

/// The longest body of a message of this type; `None`: there is no such type.
fn most(tag: u8) -> Option<usize> {
    match tag {
        b'Q' | b'P' => Some(LONGEST_TEXT),
        b'B' | b'F' | b'd' => Some(frame::LONGEST),
        b'C' | b'D' | b'E' | b'H' | b'S' | b'X' | b'c' | b'f' => Some(LONGEST_SMALL),
        _ => None,
    }
}

/// Whether both names of a `Bind` are there, or they are longer than names are taken.
fn has_names(body: &[u8]) -> bool {
    body.len() >= LONGEST_NAMES || bind(body).is_some()
}

/// Portal and statement of the body of a `Bind`.
pub(crate) fn bind(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (portal, rest) = frame::split_text(body)?;
    Some((portal, frame::split_text(rest)?.0))
}

/// Name, text and parameter types of the body of a `Parse`; `None`: Postgres will refuse it.
pub(crate) fn parse(body: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (name, rest) = frame::split_text(body)?;
    let (text, types) = frame::split_text(rest)?;
    let [a, b, oids @ ..] = types else { return None };
    (oids.len() == 4 * usize::from(u16::from_be_bytes([*a, *b]))).then_some((name, text, types))
}

/// What a `FunctionCall` with this body may do to a session, as SQL.
pub(crate) fn call(body: &[u8]) -> Option<&'static [u8]> {
    let function = body.first_chunk().map(|oid| u32::from_be_bytes(*oid));
    if function.is_some_and(|function| LARGE_OBJECTS.contains(&function)) {
        return None;
    }
    let known = [SET_SEED, START_BACKUP].into_iter().find(|(known, _)| Some(*known) == function);
    Some(known.map_or(ANYTHING, |(_, text)| text))
}

/// Kind (`S` or `P`) and name of the body of a `Describe` or `Close`.
pub(crate) fn target(body: &[u8]) -> Option<(u8, &[u8])> {
    let (&kind, rest) = body.split_first()?;
    let (name, rest) = frame::split_text(rest)?;
    (rest.is_empty()).then_some((kind, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(tag: u8, body: usize, there: usize) -> Result<Framed, Refused> {
        let mut bytes = vec![tag];
        bytes.extend_from_slice(&(body as u32 + 4).to_be_bytes());
        bytes.resize(HEADER + body.min(there), b'x');
        frame(&bytes)
    }

    #[test]
    fn texts_are_awaited_whole_data_is_not() {
        assert_eq!(framed(b'Q', 100, 99), Ok(Framed::More(105)));
        assert_eq!(framed(b'Q', 100, 100), Ok(Framed::Message { tag: b'Q', length: 105 }));
        assert_eq!(framed(b'd', 1 << 29, 0), Ok(Framed::Message { tag: b'd', length: (1 << 29) + 5 }));
        assert_eq!(framed(b'F', 100, 3), Ok(Framed::More(9)));
        assert_eq!(framed(b'F', 100, 4), Ok(Framed::Message { tag: b'F', length: 105 }));
        assert_eq!(framed(b'F', 2, 2), Ok(Framed::Message { tag: b'F', length: 7 }));
        assert_eq!(frame(b"Q\0"), Ok(Framed::More(5)));
        assert_eq!(frame(b""), Ok(Framed::More(5)));
    }

    #[test]
    fn of_a_bind_only_the_names_are_awaited() {
        assert_eq!(frame(b"B\x20\0\0\0p\0s"), Ok(Framed::More(HEADER + LONGEST_NAMES)));
        assert_eq!(frame(b"B\x20\0\0\0p\0s\0"), Ok(Framed::Message { tag: b'B', length: 0x2000_0001 }));
        assert_eq!(framed(b'B', 1 << 20, LONGEST_NAMES), Ok(Framed::Message { tag: b'B', length: (1 << 20) + 5 }));
        assert_eq!(framed(b'B', 3, 3), Ok(Framed::Message { tag: b'B', length: 8 }), "no zero: the server will refuse it");
    }

    #[test]
    fn what_is_no_message_is_refused_at_once() {
        assert_eq!(frame(b"z"), Err(Refused::Unknown(b'z')));
        assert_eq!(frame(b"Q\0\0\0\x01"), Err(Refused::Length));
        assert_eq!(framed(b'S', LONGEST_SMALL + 1, 0), Err(Refused::Length));
        assert_eq!(framed(b'Q', LONGEST_TEXT + 1, 0), Err(Refused::TooLong(LONGEST_TEXT + 1)));
        assert_eq!(Refused::Unknown(b'z').fault().message, "invalid frontend message type 122");
    }

    #[test]
    fn bodies_are_taken_apart() {
        assert_eq!(bind(b"p\0s\0rest"), Some((&b"p"[..], &b"s"[..])));
        assert_eq!(parse(b"s\0SELECT $1\0\0\x01\0\0\0\x17"), Some((&b"s"[..], &b"SELECT $1"[..], &b"\0\x01\0\0\0\x17"[..])));
        assert_eq!(parse(b"s\0SELECT $1\0\0\x02\0\0\0\x17"), None);
        assert_eq!(target(b"Sname\0"), Some((b'S', &b"name"[..])));
        assert_eq!(target(b"S"), None);
        assert_eq!((call(b"\0\0\x03\xb8\0\0"), call(b"\0\0\x08\x1e\0\0"), call(b"\0")), (None, Some(ANYTHING), Some(ANYTHING)));
        assert_eq!(call(b"\0\0\x06\x3f\0\0"), Some(SET_SEED.1));
    }
}
