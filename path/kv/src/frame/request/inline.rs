//! A line taken apart into words, as people type them: `SET "a key" 'it\'s' "\x00\n"`.

use crate::frame::args::Span;

/// A quote that does not close, or closes inside a word.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unbalanced;

/// Appends the line's words, without their quotes, to `words` and where they lie there to `spans`.
pub(super) fn split(line: &[u8], words: &mut Vec<u8>, spans: &mut Vec<Span>) -> Result<(), Unbalanced> {
    let mut rest = line;
    while let Some(start) = rest.iter().position(|byte| !blank(*byte)) {
        let from = words.len() as u32;
        rest = word(&rest[start..], words)?;
        spans.push((from, words.len() as u32));
    }
    Ok(())
}

/// The words of a line as text, if its quotes are right.
pub(crate) fn words(line: &[u8]) -> Option<Vec<String>> {
    let (mut bytes, mut spans) = (Vec::new(), Vec::new());
    split(line, &mut bytes, &mut spans).ok()?;
    let word = |(from, to): Span| String::from_utf8_lossy(&bytes[from as usize..to as usize]).into_owned();
    Some(spans.into_iter().map(word).collect())
}

/// C's isspace.
fn blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Appends one word; says what is behind it. Vertical tabs and form feeds part words only where one could begin.
fn word<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    while let Some((byte, after)) = rest.split_first() {
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' => return Ok(rest),
            b'"' => return double_quoted(after, out),
            b'\'' => return single_quoted(after, out),
            other => out.push(*other),
        }
        rest = after;
    }
    Ok(rest)
}

/// What is behind an opening `"`.
fn double_quoted<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        rest = match rest {
            [b'"', after @ ..] => return closed(after),
            [b'\\', b'x', high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(hex_digit(*high) << 4 | hex_digit(*low));
                after
            }
            [b'\\', escaped, after @ ..] => {
                out.push(control(*escaped));
                after
            }
            [other, after @ ..] => {
                out.push(*other);
                after
            }
            [] => return Err(Unbalanced),
        };
    }
}

/// What is behind an opening `'`.
fn single_quoted<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        rest = match rest {
            [b'\'', after @ ..] => return closed(after),
            [b'\\', b'\'', after @ ..] => {
                out.push(b'\'');
                after
            }
            [other, after @ ..] => {
                out.push(*other);
                after
            }
            [] => return Err(Unbalanced),
        };
    }
}

/// A closing quote ends its word.
fn closed(rest: &[u8]) -> Result<&[u8], Unbalanced> {
    if rest.first().is_none_or(|byte| blank(*byte)) { Ok(rest) } else { Err(Unbalanced) }
}

/// What a letter behind a backslash stands for.
fn control(letter: u8) -> u8 {
    match letter {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Args;

    fn words(line: &str) -> Result<Vec<Vec<u8>>, Unbalanced> {
        let (mut words, mut spans) = (Vec::new(), Vec::new());
        split(line.as_bytes(), &mut words, &mut spans)?;
        Ok(Args::new(&words, &spans).iter().map(<[u8]>::to_vec).collect())
    }

    #[test]
    fn words_are_parted_at_blanks() {
        assert_eq!(words(" SET  a\tb \r").unwrap(), [&b"SET"[..], b"a", b"b"]);
        assert_eq!(words("\x0ba\x0bb\x0b").unwrap(), [b"a\x0bb\x0b"]);
        assert!(words("").unwrap().is_empty() && words(" \t").unwrap().is_empty());
    }

    #[test]
    fn quotes_keep_what_is_in_them() {
        assert_eq!(words(r#""a b" '' "" 'c"d' "it's""#).unwrap(), [&b"a b"[..], b"", b"", b"c\"d", b"it's"]);
        assert_eq!(words(r#"a"b c" x'y'"#).unwrap(), [&b"ab c"[..], b"xy"]);
        assert_eq!(words(r#""\x00\xfF\n\r\t\b\a\"\\\q\xg0""#).unwrap(), [b"\x00\xff\n\r\t\x08\x07\"\\qxg0"]);
        assert_eq!(words(r"'\'\n\\ '").unwrap(), [br"'\n\\ "]);
    }

    #[test]
    fn quotes_must_close_at_a_words_end() {
        for line in ["\"", "'", "\"a\"b", "'a'b", "a \"b", "\"\\", "'a\\'", "\"\"\"a\"\"\""] {
            assert_eq!(words(line), Err(Unbalanced), "{line}");
        }
    }
}
