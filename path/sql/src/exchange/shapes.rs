use std::hash::Hasher;
use std::sync::Arc;

use crate::parse::{Already, Effects, Recognised, Step, Strings};

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
        let mut before = Class::Other;
        for &byte in text {
            let class = CLASSES[usize::from(byte)];
            before = match (class, before) {
                (Class::Number, Class::Number) => continue,
                (Class::Number, Class::Other) => {
                    self.shape.push(b'0');
                    Class::Number
                }
                (Class::Number, Class::Name) | (Class::Name, _) => {
                    self.shape.push(byte);
                    Class::Name
                }
                (Class::Other, _) => {
                    self.shape.push(byte);
                    Class::Other
                }
            };
        }
        let mut hasher = Already::default();
        hasher.write(&self.shape);
        hasher.finish() as usize % SHAPES
    }
}

/// Whether what a text does cannot depend on its numbers.
fn is_numberless(recognised: &Recognised) -> bool {
    recognised.effects.and(NUMBERLESS) == NUMBERLESS && recognised.steps.iter().all(|step| *step == Step::Other)
}

/// What a byte can be part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Name,
    /// Or of a name that began before it.
    Number,
    Other,
}

static CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut classes = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'0'..=b'9' => Class::Number,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => Class::Name,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
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
