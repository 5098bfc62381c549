//! The wire's frames: every message after startup is a tag, its length (itself included) and a body.
//!
//! Protocol 3: <https://www.postgresql.org/docs/current/protocol-message-formats.html>.

/// Bytes before a body: the tag and the length.
pub const HEADER: usize = 5;

/// Longest body, bytes: Postgres's own bound (`PQ_LARGE_MESSAGE_LIMIT`, 1 GiB less one).
pub const LONGEST: usize = 0x3fff_ffff;

/// The start of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What it is.
    pub tag: u8,
    /// Bytes of its body, without tag and length.
    pub body: usize,
}

/// A length that no message can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// The header at the start of `bytes`, once all five bytes are there.
///
/// # Errors
/// A length below 4 or above Postgres's bound: what follows cannot be found.
pub fn header(bytes: &[u8]) -> Result<Option<Header>, Malformed> {
    let [tag, a, b, c, d, ..] = *bytes else { return Ok(None) };
    match u32::from_be_bytes([a, b, c, d]).checked_sub(4) {
        Some(body) if body as usize <= LONGEST => Ok(Some(Header { tag, body: body as usize })),
        _ => Err(Malformed),
    }
}

/// Appends one message whose body `write` appends.
pub fn message(out: &mut Vec<u8>, tag: u8, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(tag);
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    let length = (out.len() - at) as u32;
    out[at..at + 4].copy_from_slice(&length.to_be_bytes());
}

/// Appends a text with its closing zero; a zero inside ends it there.
pub fn text(out: &mut Vec<u8>, text: &[u8]) {
    let end = memchr::memchr(0, text).unwrap_or(text.len());
    out.extend_from_slice(&text[..end]);
    out.push(0);
}

/// The text before the first zero, and what follows the zero.
#[inline]
pub fn split_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    // Most names are empty.
    if let Some((0, rest)) = bytes.split_first() {
        return Some((&[], rest));
    }
    let end = memchr::memchr(0, bytes)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_reads_as_it_was_written() {
        let mut out = Vec::new();
        message(&mut out, b'Q', |out| text(out, b"SELECT 1"));
        assert_eq!(header(&out), Ok(Some(Header { tag: b'Q', body: 9 })));
        assert_eq!(split_text(&out[HEADER..]), Some((&b"SELECT 1"[..], &b""[..])));
        assert_eq!(header(&out[..4]), Ok(None));
    }

    #[test]
    fn impossible_lengths_are_refused() {
        assert_eq!(header(&[b'Q', 0, 0, 0, 3]), Err(Malformed));
        assert_eq!(header(&[b'Q', 0xff, 0, 0, 0]), Err(Malformed));
    }
}
