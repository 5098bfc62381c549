//! Ends of what may hold any characters: strings, names in quotes, dollar quotes, comments. Without an end: the text's.

use memchr::{memchr, memchr2, memmem};

/// What a backslash does in a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Backslash {
    /// Nothing.
    Plain,
    /// What follows it does not count.
    Escapes,
    /// The same, but behind a byte that is not ASCII it is the second half of a letter, as it can be in SJIS, BIG5 or GBK.
    EscapesOrHalf,
}

/// After the closing quote of a string whose content begins at `from`, and after all further pieces of it: a string goes
/// on where only space with a newline in it stands before the next quote.
pub(super) fn string_end(text: &[u8], from: usize, backslash: Backslash) -> usize {
    let mut at = from;
    loop {
        at = piece_end(text, at, backslash);
        match next_piece(text, at) {
            Some(from) => at = from,
            None => return at,
        }
    }
}

fn piece_end(text: &[u8], from: usize, backslash: Backslash) -> usize {
    let mut at = from;
    while let Some(rest) = text.get(at..) {
        let found = if backslash == Backslash::Plain { memchr(b'\'', rest) } else { memchr2(b'\'', b'\\', rest) };
        let Some(found) = found else { break };
        at += found;
        match (text[at], text.get(at + 1)) {
            (b'\\', _) if backslash == Backslash::EscapesOrHalf && text[at - 1] >= 0x80 => at += 1,
            (b'\\', _) | (_, Some(b'\'')) => at += 2,
            _ => return at + 1,
        }
    }
    text.len()
}

/// Where the content of a string's next piece begins, if it has one.
fn next_piece(text: &[u8], from: usize) -> Option<usize> {
    let (mut at, mut newline) = (from, false);
    loop {
        match text.get(at)? {
            b'\n' | b'\r' => newline = true,
            b' ' | b'\t' | 0x0b | 0x0c => {}
            b'-' if text.get(at + 1) == Some(&b'-') => at = line_end(text, at + 2) - 1,
            b'\'' if newline => return Some(at + 1),
            _ => return None,
        }
        at += 1;
    }
}

/// After the closing quote of a name.
pub(super) fn name_end(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(found) = text.get(at..).and_then(|rest| memchr(b'"', rest)) {
        at += found + 1;
        if text.get(at) != Some(&b'"') {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// After a dollar quote that begins at `at`; none if none begins there.
pub(super) fn dollar_end(text: &[u8], at: usize) -> Option<usize> {
    let tag = &text[at..=at + 1 + text[at + 1..].iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_' && *byte < 0x80)?];
    let is_tag = tag.ends_with(b"$") && !tag[1].is_ascii_digit();
    let body = at + tag.len();
    is_tag.then(|| memmem::find(&text[body..], tag).map_or(text.len(), |found| body + found + tag.len()))
}

/// What a dollar quote holds.
pub(super) fn dollar_body(quoted: &[u8]) -> &[u8] {
    let tag = memchr(b'$', &quoted[1..]).map_or(quoted.len(), |found| found + 2);
    let end = quoted.len().checked_sub(tag).filter(|end| *end >= tag && quoted[*end..] == quoted[..tag]);
    &quoted[tag..end.unwrap_or(quoted.len())]
}

/// The end of the line, before its newline.
pub(super) fn line_end(text: &[u8], from: usize) -> usize {
    memchr2(b'\n', b'\r', &text[from..]).map_or(text.len(), |found| from + found)
}

/// After a comment whose content begins at `from`; comments nest.
pub(super) fn comment_end(text: &[u8], from: usize) -> usize {
    let (mut at, mut depth) = (from, 1);
    while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'*', b'/', rest)) {
        at += found;
        match (text[at], text.get(at + 1)) {
            (b'/', Some(b'*')) => (depth, at) = (depth + 1, at + 2),
            (b'*', Some(b'/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_at_their_own_quote() {
        for (text, backslash, end) in [
            ("'a'b", false, 3),
            ("'a''b'c", false, 6),
            (r"'a\'b'c", false, 4),
            (r"'a\'b'c", true, 6),
            (r"'a\\'b", true, 5),
            ("'a' 'b'", false, 3),
            ("'a' \n 'b'c", false, 9),
            ("'a' -- 'x'\n 'b'c", false, 15),
            ("'a' -- 'x'", false, 3),
            ("'a' /* \n */ 'b'", false, 3),
            ("'a'\n'b\\'c'", true, 10),
            ("'a'\n'b\\'c'", false, 8),
            ("'a''", false, 4),
            ("'a\\", true, 3),
            ("'", false, 1),
        ] {
            let backslash = if backslash { Backslash::Escapes } else { Backslash::Plain };
            assert_eq!(string_end(text.as_bytes(), 1, backslash), end, "{text}");
        }
        assert_eq!(string_end(b"'\x95\\'a\\'b'", 1, Backslash::EscapesOrHalf), 4);
        assert_eq!(string_end(b"'\x95\\'a\\'b'", 1, Backslash::Escapes), 9);
        assert_eq!(string_end(b"'a\\'b'", 1, Backslash::EscapesOrHalf), 6);
    }

    #[test]
    fn dollar_quotes_end_at_their_own_tag() {
        for (text, end) in [
            ("$$a$$b", Some(5)),
            ("$t$ $$ $u$ $t$b", Some(14)),
            ("$t$ $t", Some(6)),
            ("$1$a$1$", None),
            ("$t a$t$", None),
            ("$", None),
            ("$$", Some(2)),
            ("$é_1$'$é_1$;", Some(13)),
        ] {
            assert_eq!(dollar_end(text.as_bytes(), 0), end, "{text}");
        }
        for (quoted, body) in [("$$a$$", "a"), ("$t$a$$b$t$", "a$$b"), ("$$a", "a"), ("$$", ""), ("$t$t$", "t$"), ("$$$", "$")] {
            assert_eq!(dollar_body(quoted.as_bytes()), body.as_bytes(), "{quoted}");
        }
    }

    #[test]
    fn names_and_comments_end() {
        for (text, end) in [("a\"b", 2), ("a\"\"b\"c", 5), ("a", 1), ("\"", 1), ("", 0)] {
            assert_eq!(name_end(text.as_bytes(), 0), end, "{text}");
        }
        for (text, end) in [("a*/b", 3), ("/*a*/b*/c", 8), ("**/a", 3), ("/*/*/", 5), ("/*/ */ */b", 9), ("a", 1), ("*", 1)] {
            assert_eq!(comment_end(text.as_bytes(), 0), end, "{text}");
        }
    }
}
