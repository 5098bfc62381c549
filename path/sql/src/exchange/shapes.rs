use std::sync::Arc;

use crate::parse::{Effects, Recognised, Step, Strings};

/// Texts that are remembered by their shape; a power of two.
const SHAPES: usize = 1024;

/// Longest such text, bytes.
const LONGEST: usize = 2048;

/// Effects that do not depend on what numbers a text has.
const NUMBERLESS: Effects = Effects::SEQUENCES_USED;

/// Texts of simple queries that differ only in their numbers: what one does the other does, but for its hash.
#[derive(Debug)]
pub(super) struct Shapes {
    known: Box<[Option<Shape>]>,
    /// The shape of the last text.
    shape: Vec<u8>,
}

#[derive(Debug)]
struct Shape {
    shape: Box<[u8]>,
    strings: Strings,
    recognised: Arc<Recognised>,
}

impl Default for Shapes {
    fn default() -> Shapes {
        Shapes { known: (0..SHAPES).map(|_| None).collect(), shape: Vec::new() }
    }
}

impl Shapes {
    /// What a text does: what one of its shape did, else what `recognise` says.
    pub(super) fn recognise(&mut self, text: &[u8], strings: Strings, recognise: impl FnOnce() -> Arc<Recognised>) -> Arc<Recognised> {
        if text.len() > LONGEST || memchr::memchr2(b'"', b'$', text).is_some() {
            return recognise();
        }
        let place = self.place(text);
        if let Some(known) = &self.known[place]
            && *known.shape == *self.shape
            && known.strings == strings
        {
            return known.recognised.clone();
        }
        let recognised = recognise();
        if is_numberless(&recognised) {
            let (shape, recognised) = (self.shape.as_slice().into(), recognised.clone());
            self.known[place] = Some(Shape { shape, strings, recognised });
        }
        recognised
    }

    /// Makes the shape of a text, in which a number that is no part of a name is one digit; gives its place.
    fn place(&mut self, text: &[u8]) -> usize {
        self.shape.clear();
        let (mut copied, mut at) = (0, 0);
        while let Some(digit) = digit_from(text, at) {
            let end = digit + text[digit..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let is_in_name = digit > 0 && is_of_name(text[digit - 1]);
            if !is_in_name {
                self.shape.extend_from_slice(&text[copied..digit]);
                self.shape.push(b'0');
                copied = end;
            }
            at = end;
        }
        self.shape.extend_from_slice(&text[copied..]);
        hash(&self.shape) as usize % SHAPES
    }
}

/// Where the first digit at or behind `at` is. Eight bytes at a time: most have none.
fn digit_from(text: &[u8], mut at: usize) -> Option<usize> {
    while let Some(word) = text.get(at..at + 8).and_then(|bytes| bytes.first_chunk()) {
        if may_have_digit(u64::from_ne_bytes(*word)) {
            break;
        }
        at += 8;
    }
    let rest = text.get(at..)?;
    Some(at + rest.iter().position(u8::is_ascii_digit)?)
}

/// Whether one of eight bytes may be a digit: its upper half is that of digits.
fn may_have_digit(word: u64) -> bool {
    const LOW: u64 = 0x0101_0101_0101_0101;
    // Zero where the upper half is 3.
    let halves = (word & (LOW * 0xf0)) ^ (LOW * 0x30);
    halves.wrapping_sub(LOW) & !halves & (LOW * 0x80) != 0
}

/// Good enough for a place: who is there is looked at.
fn hash(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, rest) = bytes.as_chunks::<8>();
    let start = rest.iter().fold(bytes.len() as u64, |hash, byte| hash << 8 ^ u64::from(*byte));
    let mixed = words.iter().fold(start, |hash, word| (hash ^ u64::from_ne_bytes(*word)).wrapping_mul(FACTOR).rotate_left(29));
    mixed.wrapping_mul(FACTOR) >> 32
}

/// Whether a digit behind this byte is part of a name, in which digits may stand before it.
fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Whether what a text does cannot depend on its numbers.
fn is_numberless(recognised: &Recognised) -> bool {
    recognised.effects.and(NUMBERLESS) == NUMBERLESS && recognised.steps.iter().all(|step| *step == Step::Other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::recognise;

    /// Whether the second text is known by the first.
    fn is_found(kept: &str, text: &str) -> bool {
        let (mut shapes, mut is_found) = (Shapes::default(), true);
        for text in [kept, text] {
            shapes.recognise(text.as_bytes(), Strings::Standard, || {
                is_found = text == kept && is_found;
                Arc::new(recognise(text.as_bytes(), Strings::Standard))
            });
        }
        is_found
    }

    #[test]
    fn only_numbers_may_differ() {
        assert!(is_found("SELECT a FROM t WHERE id = 1", "SELECT a FROM t WHERE id = 4711"));
        assert!(is_found("UPDATE t1 SET a = a + -15 WHERE b = '2026-01-01'", "UPDATE t1 SET a = a + -3 WHERE b = '1999-12-31'"));
        for other in ["SELECT a FROM t2 WHERE id = 1", "SELECT a FROM t1 WHERE id = x1", "SELECT a FROM t1 WHERE id = 1x"] {
            assert!(!is_found("SELECT a FROM t1 WHERE id = 1", other), "{other}");
        }
    }

    #[test]
    fn where_numbers_may_mean_something_they_do() {
        let mut shapes = Shapes::default();
        for text in
            ["SELECT $1", "SELECT \"a 1\"", "LISTEN a1", "SET work_mem = 1", "BEGIN", "SELECT pg_advisory_lock(1)", "SELECT 1; SET a = 1"]
        {
            let mut reads = 0;
            for _ in 0..2 {
                shapes.recognise(text.as_bytes(), Strings::Standard, || {
                    reads += 1;
                    Arc::new(recognise(text.as_bytes(), Strings::Standard))
                });
            }
            assert_eq!(reads, 2, "{text}");
        }
    }

    const PIECES: [&str; 22] = [
        "SELECT ",
        "a# ",
        "#",
        "#.#",
        "1e# ",
        "0x# ",
        "'#' ",
        "'a#''b' ",
        "E'\\#' ",
        "-- # \n",
        "/* # */",
        ", ",
        "(",
        ")",
        "; ",
        " = ",
        "FROM t# ",
        "WHERE ",
        "UPDATE t SET a = ",
        "set_config(",
        "LISTEN c#",
        "x'#'",
    ];

    proptest::proptest! {
        #[test]
        fn texts_of_one_shape_do_the_same(picks in proptest::collection::vec(0..PIECES.len(), 0..12), numbers in proptest::collection::vec(0_u32..3000, 24)) {
            let text = |numbers: &[u32]| {
                let (template, mut next) = (picks.iter().map(|pick| PIECES[*pick]).collect::<String>(), numbers.iter());
                template.split('#').map(|part| format!("{part}{}", next.next().unwrap_or(&0))).collect::<String>()
            };
            let (one, other) = (text(&numbers[..12]), text(&numbers[12..]));
            let (mut shapes, mut reads) = (Shapes::default(), 0);
            for text in [&one, &other] {
                let known = shapes.recognise(text.as_bytes(), Strings::Standard, || {
                    reads += 1;
                    Arc::new(recognise(text.as_bytes(), Strings::Standard))
                });
                let read = recognise(text.as_bytes(), Strings::Standard);
                proptest::prop_assert_eq!((known.effects, &known.steps, known.fingerprint), (read.effects, &read.steps, read.fingerprint), "{:?} {:?}", one, other);
            }
        }
    }
}
