//! What stands in messages of a server's.

use std::hash::{DefaultHasher, Hasher};

use crate::error::{Fault, Severity, fields};
use crate::frame;

/// Whether the body of an `ErrorResponse` says that the connection ends.
pub(super) fn is_fatal(body: &[u8]) -> bool {
    fields(body).any(|(name, value)| matches!(name, b'V' | b'S') && matches!(value, b"FATAL" | b"PANIC"))
}

/// The SQLSTATE in the body of an `ErrorResponse`, empty if there is none.
pub(super) fn code(body: &[u8]) -> &[u8] {
    fields(body).find(|field| field.0 == b'C').map_or(b"", |field| field.1)
}

/// The message in the body of an `ErrorResponse`, empty if there is none.
pub(super) fn message(body: &[u8]) -> &[u8] {
    fields(body).find(|field| field.0 == b'M').map_or(b"", |field| field.1)
}

/// Whether the body of an `ErrorResponse` says that somebody had the statement cancelled; in any language.
pub(super) fn is_cancel(body: &[u8]) -> bool {
    code(body) == b"57014" && fields(body).any(|field| field == (b'R', b"ProcessInterrupts"))
}

/// An `ErrorResponse` with this body.
pub(super) fn whole(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::message(&mut bytes, b'E', |out| out.extend_from_slice(body));
    bytes
}

/// An `ErrorResponse` with the fields of this body, but for its message and its hint.
pub(super) fn reworded(body: &[u8], message: &[u8], hint: Option<&str>) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::message(&mut bytes, b'E', |out| {
        for (name, value) in fields(body) {
            out.push(name);
            frame::text(out, if name == b'M' { message } else { value });
        }
        if let Some(hint) = hint {
            out.push(b'H');
            frame::text(out, hint.as_bytes());
        }
        out.push(0);
    });
    bytes
}

/// Hash of the columns that a `RowDescription` tells: what Postgres compares when it looks whether a plan's result changed.
/// Of `NoData`: that there are none.
pub(super) fn shape(tag: u8, body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u8(tag);
    let mut rest = body.get(2..).unwrap_or_default();
    while let Some((name, after)) = frame::split_text(rest) {
        let Some((column, after)) = after.split_first_chunk::<18>() else { break };
        hasher.write(name);
        // Type, its length and its modifier; not the table, whose columns may be the same after it was made anew.
        hasher.write(&column[6..16]);
        rest = after;
    }
    hasher.finish()
}

/// Rows that the tag in the body of a `CommandComplete` counts.
pub(super) fn rows(body: &[u8]) -> u64 {
    let tag = body.strip_suffix(b"\0").unwrap_or(body);
    let digits = tag.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
    digits.iter().try_fold(0_u64, |rows, byte| rows.checked_mul(10)?.checked_add(digit(byte)?)).unwrap_or(0)
}

/// A fault as an `ErrorResponse`.
pub(super) fn error(fault: &Fault) -> Vec<u8> {
    let mut bytes = Vec::new();
    fault.write(&mut bytes, Severity::Error);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, table: u8, kind: u8) -> Vec<u8> {
        let mut bytes = name.as_bytes().to_vec();
        bytes.extend_from_slice(&[0, 0, 0, 0, table, 0, 1, 0, 0, 0, kind, 0, 4, 0xff, 0xff, 0xff, 0xff, 0, 0]);
        bytes
    }

    fn columns(columns: &[Vec<u8>]) -> u64 {
        shape(b'T', &[&[0, columns.len() as u8][..], &columns.concat()].concat())
    }

    #[test]
    fn columns_are_told_apart_by_name_and_type() {
        let one = columns(&[column("a", 1, 23)]);
        assert_eq!(one, columns(&[column("a", 2, 23)]));
        for other in [vec![column("b", 1, 23)], vec![column("a", 1, 25)], vec![column("a", 1, 23), column("b", 1, 23)], vec![]] {
            assert_ne!(one, columns(&other));
        }
        assert_ne!(columns(&[]), shape(b'n', b""));
    }

    #[test]
    fn an_error_is_read() {
        let error = b"SFEHLER\0VERROR\0C0A000\0Mcached plan must not change result type\0\0";
        assert_eq!((code(error), is_fatal(error)), (&b"0A000"[..], false));
        assert!(is_fatal(b"SFATAL\0C57P01\0\0") && is_fatal(b"SX\0VPANIC\0\0"));
        assert_eq!(code(b""), b"");
    }
}
