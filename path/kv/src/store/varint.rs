//! Lengths in as few bytes as they need, seven bits each, the lowest first.

/// Most bytes of one.
pub(super) const LONGEST: usize = 10;

/// The number that begins at a place, and how many bytes it takes.
#[inline]
pub(super) fn read(bytes: &[u8], at: usize) -> (usize, usize) {
    let first = bytes[at];
    if first < 0x80 { (usize::from(first), 1) } else { read_long(bytes[at..].iter()) }
}

/// The number that ends before a place, and was written from there backwards.
#[inline]
pub(super) fn read_back(bytes: &[u8], at: usize) -> (usize, usize) {
    let last = bytes[at - 1];
    if last < 0x80 { (usize::from(last), 1) } else { read_long(bytes[..at].iter().rev()) }
}

fn read_long<'b>(bytes: impl Iterator<Item = &'b u8>) -> (usize, usize) {
    let (mut number, mut size) = (0, 0);
    for byte in bytes {
        number |= usize::from(byte & 0x7f) << (7 * size);
        size += 1;
        if *byte < 0x80 {
            break;
        }
    }
    (number, size)
}

/// The bytes of a number, in a buffer.
#[inline]
pub(super) fn write(mut number: usize, bytes: &mut [u8; LONGEST]) -> &[u8] {
    let mut at = 0;
    while number >= 0x80 {
        bytes[at] = number as u8 | 0x80;
        number >>= 7;
        at += 1;
    }
    bytes[at] = number as u8;
    &bytes[..=at]
}
