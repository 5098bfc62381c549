//! What a range is between: scores, or texts.

use std::ops::Range;

use crate::error::Fault;
use crate::frame::{Args, parse_double};
use crate::store::sorted::Sorted;

/// An end of a range of scores.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Score {
    at: f64,
    /// What is just there is not in the range.
    is_open: bool,
}

/// From one score to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scores {
    least: Score,
    most: Score,
}

/// An end of a range of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text<'a> {
    /// `-`: in front of all.
    First,
    /// `+`: behind all.
    Last,
    At {
        text: &'a [u8],
        is_open: bool,
    },
}

/// From one text to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Texts<'a> {
    least: Text<'a>,
    most: Text<'a>,
}

impl Scores {
    /// The words at two places.
    pub(super) fn read(args: Args<'_>, least: usize, most: usize) -> Result<Scores, Fault> {
        const NO_FLOAT: Fault = Fault::fixed("ERR min or max is not a float");
        let read = |at: usize| Score::parse(args.at(at)).ok_or(NO_FLOAT);
        Ok(Scores { least: read(least)?, most: read(most)? })
    }

    /// The ranks of the members in it.
    pub(super) fn within(&self, sorted: Sorted<'_>) -> Range<usize> {
        let Scores { least, most } = *self;
        let from = sorted.count_before(|score, _| score < least.at || (least.is_open && score == least.at));
        let to = sorted.count_before(|score, _| score < most.at || (!most.is_open && score == most.at));
        from..to.max(from)
    }
}

impl Score {
    fn parse(word: &[u8]) -> Option<Score> {
        let (word, is_open) = word.strip_prefix(b"(").map_or((word, false), |rest| (rest, true));
        Some(Score { at: number(word)?, is_open })
    }
}

/// A number as C's `strtod` reads it: nothing is 0, what is too large is infinite, and what is behind a zero byte is not seen.
fn number(word: &[u8]) -> Option<f64> {
    let word = word.split(|byte| *byte == 0).next().unwrap_or_default();
    let blanks = word.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0b).count();
    match &word[blanks..] {
        [] => (blanks == 0).then_some(0.0),
        word => parse_double(word).or_else(|| too_far(word)),
    }
}

/// A decimal number beyond all others, or next to zero.
fn too_far(word: &[u8]) -> Option<f64> {
    let digits = word.strip_prefix(b"-").or_else(|| word.strip_prefix(b"+")).unwrap_or(word);
    let is_decimal = matches!(digits, [b'0'..=b'9' | b'.', ..]);
    if is_decimal { str::from_utf8(word).ok()?.parse().ok() } else { None }
}

impl<'a> Texts<'a> {
    /// The words at two places.
    pub(super) fn read(args: Args<'a>, least: usize, most: usize) -> Result<Texts<'a>, Fault> {
        const INVALID: Fault = Fault::fixed("ERR min or max not valid string range item");
        let read = |at: usize| Text::parse(args.at(at)).ok_or(INVALID);
        Ok(Texts { least: read(least)?, most: read(most)? })
    }

    /// The ranks of the members in it, if all have the same score.
    pub(super) fn within(&self, sorted: Sorted<'_>) -> Range<usize> {
        let from = match self.least {
            Text::First => 0,
            Text::Last => sorted.len(),
            Text::At { text, is_open } => sorted.count_before(|_, member| member < text || (is_open && member == text)),
        };
        let to = match self.most {
            Text::First => 0,
            Text::Last => sorted.len(),
            Text::At { text, is_open } => sorted.count_before(|_, member| member < text || (!is_open && member == text)),
        };
        from..to.max(from)
    }
}

impl<'a> Text<'a> {
    fn parse(word: &'a [u8]) -> Option<Text<'a>> {
        match word {
            [b'-'] | [b'-', 0, ..] => Some(Text::First),
            [b'+'] | [b'+', 0, ..] => Some(Text::Last),
            [b'(', text @ ..] => Some(Text::At { text, is_open: true }),
            [b'[', text @ ..] => Some(Text::At { text, is_open: false }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_read_as_strtod_reads_them() {
        let good: [(&[u8], f64, bool); 12] = [
            (b"", 0.0, false),
            (b"(", 0.0, true),
            (b" \t5", 5.0, false),
            (b"(-1.5", -1.5, true),
            (b"+inf", f64::INFINITY, false),
            (b"(-Infinity", f64::NEG_INFINITY, true),
            (b"1e400", f64::INFINITY, false),
            (b"-1e400", f64::NEG_INFINITY, false),
            (b"1e-400", 0.0, false),
            (b"0x10", 16.0, false),
            (b"1.\0x", 1.0, false),
            (b".5", 0.5, false),
        ];
        for (word, at, is_open) in good {
            assert_eq!(Score::parse(word), Some(Score { at, is_open }), "{}", word.escape_ascii());
        }
        for word in [&b"nan"[..], b"5 ", b" ", b"x", b"((1", b"1e", b".", b"--1", b"0x", b"-", b"1x"] {
            assert_eq!(Score::parse(word), None, "{}", word.escape_ascii());
        }
    }
}
