//! Conditional and range requests, decided in the order of RFC 9110 13.2.2; pure.

use super::Asked;
use super::clock::parse_http_date;

/// What a GET or HEAD of a representation gets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// 200 with everything.
    Whole,
    /// 206 with `first..=last`.
    Part { first: u64, last: u64 },
    /// 304.
    NotModified,
    /// 412.
    Failed,
    /// 416.
    NoSuchPart,
}

/// Decides for a representation with the strong `etag`, changed at `modified` (seconds since 1970), of `length` bytes.
pub(super) fn judge(asked: &Asked<'_>, etag: &[u8], modified: u64, length: u64) -> Verdict {
    let date = |value: Option<&[u8]>| value.and_then(parse_http_date);
    match asked.if_match {
        Some(list) if !matches_any(list, etag, false) => return Verdict::Failed,
        None if date(asked.if_unmodified_since).is_some_and(|since| modified > since) => return Verdict::Failed,
        _ => {}
    }
    match asked.if_none_match {
        Some(list) if matches_any(list, etag, true) => return Verdict::NotModified,
        None if date(asked.if_modified_since).is_some_and(|since| modified <= since) => return Verdict::NotModified,
        _ => {}
    }
    match asked.range {
        // Ranges are defined for GET alone (RFC 9110 14.2).
        Some(range) if asked.method == b"GET" && asked.if_range.is_none_or(|value| unchanged(value, etag, modified)) => part(range, length),
        _ => Verdict::Whole,
    }
}

/// Whether `If-Range` still holds: the same strong tag, or exactly the date that was sent.
fn unchanged(value: &[u8], etag: &[u8], modified: u64) -> bool {
    value == etag || parse_http_date(value) == Some(modified)
}

/// Whether `*` or a tag of `list` matches; `weak` ignores `W/`, otherwise a weak tag never matches.
fn matches_any(list: &[u8], etag: &[u8], weak: bool) -> bool {
    let mut rest = list.trim_ascii();
    if rest == b"*" {
        return true;
    }
    loop {
        rest = skip(rest, |byte| matches!(byte, b' ' | b'\t' | b','));
        let is_weak = rest.starts_with(b"W/");
        let tag = if is_weak { &rest[2..] } else { rest };
        let Some(end) = tag.strip_prefix(b"\"").and_then(|inner| memchr::memchr(b'"', inner)) else { return false };
        if (weak || !is_weak) && &tag[..end + 2] == etag {
            return true;
        }
        rest = &tag[end + 2..];
    }
}

fn skip(text: &[u8], what: impl Fn(u8) -> bool) -> &[u8] {
    let start = text.iter().position(|byte| !what(*byte)).unwrap_or(text.len());
    &text[start..]
}

/// The part that a `Range` asks for. Several parts, another unit or nonsense: everything (RFC 9110 14.2 lets a server ignore them).
fn part(range: &[u8], length: u64) -> Verdict {
    let Some((unit, set)) = split(range, b'=') else { return Verdict::Whole };
    // An empty file has no part at all; clients that ask for one of everything still want an answer.
    if !unit.trim_ascii().eq_ignore_ascii_case(b"bytes") || memchr::memchr(b',', set).is_some() || length == 0 {
        return Verdict::Whole;
    }
    let Some((first, last)) = split(set.trim_ascii(), b'-') else { return Verdict::Whole };
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first > last => Verdict::Whole,
        (Some(first), _) if first >= length && (last.is_empty() || number(last).is_some()) => Verdict::NoSuchPart,
        (Some(first), Some(last)) => Verdict::Part { first, last: last.min(length - 1) },
        (Some(first), None) if last.is_empty() => Verdict::Part { first, last: length - 1 },
        (None, Some(0)) if first.is_empty() => Verdict::NoSuchPart,
        (None, Some(suffix)) if first.is_empty() => Verdict::Part { first: length.saturating_sub(suffix), last: length - 1 },
        _ => Verdict::Whole,
    }
}

fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let index = memchr::memchr(at, text)?;
    Some((&text[..index], &text[index + 1..]))
}

/// Digits only; a number too large counts as the largest.
fn number(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    digits.then(|| text.iter().fold(0u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Failed, NoSuchPart, NotModified, Part, Whole};

    const ETAG: &[u8] = b"\"5-a\"";
    const SAME: &[u8] = b"Sun, 06 Nov 1994 08:49:37 GMT";
    const EARLIER: &[u8] = b"Sun, 06 Nov 1994 08:49:36 GMT";
    const LATER: &[u8] = b"Sun, 06 Nov 1994 08:49:38 GMT";

    fn get(asked: Asked<'_>) -> Verdict {
        judge(&Asked { method: if asked.method.is_empty() { b"GET" } else { asked.method }, ..asked }, ETAG, 784_111_777, 10)
    }

    #[test]
    fn one_range_is_cut_to_the_file_and_more_are_the_whole() {
        for (range, verdict) in [
            ("bytes=0-4", Part { first: 0, last: 4 }),
            ("Bytes = 2-", Part { first: 2, last: 9 }),
            ("bytes=5-99", Part { first: 5, last: 9 }),
            ("bytes=-3", Part { first: 7, last: 9 }),
            ("bytes=-99", Part { first: 0, last: 9 }),
            ("bytes=9-9", Part { first: 9, last: 9 }),
            ("bytes=10-", NoSuchPart),
            ("bytes=10-12", NoSuchPart),
            ("bytes=99999999999999999999999-", NoSuchPart),
            ("bytes=-0", NoSuchPart),
            ("bytes=5-4", Whole),
            ("bytes=a-4", Whole),
            ("bytes=1-b", Whole),
            ("bytes=-", Whole),
            ("bytes=", Whole),
            ("bytes", Whole),
            ("lines=0-4", Whole),
            ("bytes=0-1,3-4", Whole),
        ] {
            assert_eq!(get(Asked { range: Some(range.as_bytes()), ..Asked::default() }), verdict, "{range}");
        }
        let range = Some(b"bytes=0-".as_slice());
        assert_eq!(judge(&Asked { method: b"GET", range, ..Asked::default() }, ETAG, 0, 0), Whole);
        assert_eq!(get(Asked { method: b"HEAD", range, ..Asked::default() }), Whole);
    }

    #[test]
    fn if_range_needs_the_very_same() {
        let range = Some(b"bytes=0-0".as_slice());
        for (if_range, verdict) in [
            (ETAG, Part { first: 0, last: 0 }),
            (b"\"other\"".as_slice(), Whole),
            (b"W/\"5-a\"", Whole),
            (SAME, Part { first: 0, last: 0 }),
            (LATER, Whole),
        ] {
            assert_eq!(get(Asked { range, if_range: Some(if_range), ..Asked::default() }), verdict, "{if_range:?}");
        }
    }

    #[test]
    fn preconditions_in_their_order() {
        let none = Asked::default();
        for (asked, verdict) in [
            (Asked { if_match: Some(b"*"), ..none }, Whole),
            (Asked { if_match: Some(b"\"x\", \"5-a\""), ..none }, Whole),
            (Asked { if_match: Some(b"W/\"5-a\""), ..none }, Failed),
            (Asked { if_match: Some(b"\"x\""), if_none_match: Some(ETAG), ..none }, Failed),
            (Asked { if_unmodified_since: Some(EARLIER), ..none }, Failed),
            (Asked { if_unmodified_since: Some(SAME), ..none }, Whole),
            (Asked { if_unmodified_since: Some(b"soon"), ..none }, Whole),
            (Asked { if_match: Some(ETAG), if_unmodified_since: Some(EARLIER), ..none }, Whole),
            (Asked { if_none_match: Some(b"*"), ..none }, NotModified),
            (Asked { if_none_match: Some(b"\"a,b\" , W/\"5-a\""), ..none }, NotModified),
            (Asked { if_none_match: Some(b"\"x\""), if_modified_since: Some(LATER), ..none }, Whole),
            (Asked { if_none_match: Some(b"5-a"), ..none }, Whole),
            (Asked { if_none_match: Some(b"\"5-a"), ..none }, Whole),
            (Asked { if_modified_since: Some(SAME), ..none }, NotModified),
            (Asked { if_modified_since: Some(EARLIER), ..none }, Whole),
            (Asked { if_modified_since: Some(LATER), range: Some(b"bytes=0-1"), ..none }, NotModified),
            (Asked { if_none_match: Some(ETAG), range: Some(b"bytes=99-"), ..none }, NotModified),
        ] {
            assert_eq!(get(asked), verdict, "{asked:?}");
        }
    }
}
