//! What `Accept` and `Accept-Encoding` say (RFC 9110 12.4.2, 12.5.1, 12.5.3).

/// A quality value in thousandths; an unreadable one counts as 0 (not acceptable).
type Quality = u16;

/// Whether a client would rather have JSON than HTML: rates it higher, or names it and HTML only by a wildcard.
pub(super) fn prefers_json(accept: Option<&[u8]>) -> bool {
    let Some(accept) = accept else { return false };
    let json = quality(accept, |range| {
        if range.eq_ignore_ascii_case(b"application/json") || ends_with(range, b"+json") {
            return Some(2);
        }
        range.eq_ignore_ascii_case(b"application/*").then_some(1)
    });
    json > html_quality(accept) || (json > 0 && json == html_quality(accept) && !names_html(Some(accept)))
}

/// Whether HTML is acceptable and JSON not preferred.
pub(super) fn takes_html(accept: Option<&[u8]>) -> bool {
    accept.is_none_or(|accept| html_quality(accept) > 0 && !prefers_json(Some(accept)))
}

/// Whether `Accept` names HTML itself, not only by a wildcard.
pub(super) fn names_html(accept: Option<&[u8]>) -> bool {
    accept.is_some_and(|accept| quality(accept, |range| is_html(range).then_some(1)) > 0)
}

fn html_quality(accept: &[u8]) -> Quality {
    quality(accept, |range| {
        if is_html(range) {
            return Some(3);
        }
        if range.eq_ignore_ascii_case(b"text/*") {
            return Some(2);
        }
        (range == b"*/*").then_some(1)
    })
}

fn is_html(range: &[u8]) -> bool {
    range.eq_ignore_ascii_case(b"text/html") || range.eq_ignore_ascii_case(b"application/xhtml+xml")
}

/// The quality given to what `matches` names; the most specific match decides, `None` is no match.
fn quality(list: &[u8], matches: impl Fn(&[u8]) -> Option<u8>) -> Quality {
    let mut best = (0, 0);
    for (range, quality) in items(list) {
        if let Some(specific) = matches(range)
            && (specific > best.0 || (specific == best.0 && quality > best.1))
        {
            best = (specific, quality);
        }
    }
    best.1
}

/// The elements of a list with their `q`, parameters dropped.
fn items(list: &[u8]) -> impl Iterator<Item = (&[u8], Quality)> {
    list.split(|byte| *byte == b',').filter_map(|item| {
        let mut parts = item.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let name = parts.next()?;
        let q = parts.find(|part| part.len() >= 2 && part[..2].eq_ignore_ascii_case(b"q="));
        (!name.is_empty()).then(|| (name, q.map_or(1000, |q| thousandths(&q[2..]))))
    })
}

fn thousandths(text: &[u8]) -> Quality {
    let (whole, fraction) = text.split_at(text.len().min(1));
    let fraction = match fraction {
        [] => fraction,
        [b'.', rest @ ..] if rest.len() <= 3 && rest.iter().all(u8::is_ascii_digit) => rest,
        _ => return 0,
    };
    let fraction = (0..3).fold(0, |sum, at| sum * 10 + fraction.get(at).map_or(0, |digit| Quality::from(digit - b'0')));
    match whole {
        b"1" if fraction == 0 => 1000,
        b"0" => fraction,
        _ => 0,
    }
}

fn ends_with(range: &[u8], suffix: &[u8]) -> bool {
    range.len() >= suffix.len() && range[range.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
}

/// How a stored file is encoded, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Zstd,
    Gzip,
}

impl Encoding {
    pub(super) const ALL: [Encoding; 3] = [Encoding::Brotli, Encoding::Zstd, Encoding::Gzip];

    /// Its token in `Content-Encoding`.
    pub(super) fn token(self) -> &'static [u8] {
        match self {
            Encoding::Brotli => b"br",
            Encoding::Zstd => b"zstd",
            Encoding::Gzip => b"gzip",
        }
    }

    /// What its file's name ends in.
    pub(super) fn suffix(self) -> &'static [u8] {
        match self {
            Encoding::Brotli => b".br",
            Encoding::Zstd => b".zst",
            Encoding::Gzip => b".gz",
        }
    }
}

/// The encoding to send among those that `exist` (in the order of [`Encoding::ALL`]); `None` is the plain file.
///
/// The highest `q` wins, [`Encoding::ALL`]'s order among equals; the plain file only when it is rated higher, or when nothing
/// else is acceptable (RFC 9110 lets a server ignore `identity;q=0`).
pub(super) fn choose_encoding(accept_encoding: Option<&[u8]>, exist: [bool; 3]) -> Option<Encoding> {
    let list = accept_encoding?;
    if exist == [false; 3] {
        return None;
    }
    let of = |token: &[u8], alias: &[u8]| {
        quality(list, |item| {
            if item.eq_ignore_ascii_case(token) || item.eq_ignore_ascii_case(alias) {
                return Some(2);
            }
            (item == b"*").then_some(1)
        })
    };
    let identity = quality(list, |item| item.eq_ignore_ascii_case(b"identity").then_some(1));
    let mut best = None;
    let mut best_quality = identity.max(1) - 1;
    for (index, encoding) in Encoding::ALL.into_iter().enumerate() {
        let alias: &[u8] = if encoding == Encoding::Gzip { b"x-gzip" } else { encoding.token() };
        let quality = of(encoding.token(), alias);
        if exist[index] && quality > best_quality {
            (best, best_quality) = (Some(encoding), quality);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_only_when_it_is_preferred() {
        for (accept, json) in [
            (None, false),
            (Some("*/*"), false),
            (Some("application/json"), true),
            (Some("application/problem+json"), true),
            (Some("application/json, text/plain, */*"), true),
            (Some("application/json, text/plain, */*;q=0.5"), true),
            (Some("text/html, application/json"), false),
            (Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), false),
            (Some("text/html;q=0.5, application/json"), true),
            (Some("application/json;q=0, text/html"), false),
            (Some("APPLICATION/JSON ; q=0.3"), true),
        ] {
            assert_eq!(prefers_json(accept.map(str::as_bytes)), json, "{accept:?}");
        }
    }

    #[test]
    fn encodings_by_quality_then_by_our_order() {
        use Encoding::{Brotli, Gzip, Zstd};
        let all = [true; 3];
        for (accept, exist, chosen) in [
            ("gzip, deflate, br, zstd", all, Some(Brotli)),
            ("gzip, zstd", all, Some(Zstd)),
            ("gzip", [true, true, false], None),
            ("gzip;q=1, br;q=0.5", all, Some(Gzip)),
            ("br;q=0, *", all, Some(Zstd)),
            ("*;q=0", all, None),
            ("identity, gzip;q=0.5", all, None),
            ("identity;q=0.5, gzip;q=0.5", all, Some(Gzip)),
            ("identity;q=0", [false; 3], None),
            ("x-gzip", all, Some(Gzip)),
            ("br;q=1.5", all, None),
            ("br;q=0.0001", all, None),
            ("", all, None),
        ] {
            assert_eq!(choose_encoding(Some(accept.as_bytes()), exist), chosen, "{accept}");
        }
        assert_eq!(choose_encoding(None, all), None);
    }

    #[test]
    fn html_by_name_or_wildcard() {
        for (accept, takes, names) in [
            (None, true, false),
            (Some("*/*"), true, false),
            (Some("text/html"), true, true),
            (Some("text/html;q=0"), false, false),
            (Some("image/avif,image/webp"), false, false),
            (Some("application/json"), false, false),
        ] {
            assert_eq!((takes_html(accept.map(str::as_bytes)), names_html(accept.map(str::as_bytes))), (takes, names), "{accept:?}");
        }
    }
}
