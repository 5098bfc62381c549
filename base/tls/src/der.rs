//! Elements of DER (X.690), as certificates are written in it.

/// The tag of a sequence.
pub const SEQUENCE: u8 = 0x30;
/// The tag of an object identifier.
pub const OBJECT_IDENTIFIER: u8 = 6;

/// The element at the start: its tag, its content, and what follows it.
pub fn any(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, length], mut rest) = der.split_first_chunk()?;
    let mut length = usize::from(length);
    if length >= 0x80 {
        let (bytes, after) = rest.split_at_checked(length & 0x7f).filter(|split| split.0.len() <= 4)?;
        length = bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        rest = after;
    }
    let (content, after) = rest.split_at_checked(length)?;
    Some((tag, content, after))
}

/// The content of the element at the start, which has this tag, and what follows it.
pub fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    any(der).filter(|(found, ..)| *found == tag).map(|(_, content, after)| (content, after))
}
