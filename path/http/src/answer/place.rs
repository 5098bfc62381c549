//! From a request's path to a path inside the folder, and back to a `Location`.

use super::asked::field;

/// Writes the path of the file that `path` (encoded, beginning with `/`) asks for into `out`; `index.html` for a folder.
///
/// `false`: no such path is ever served (dotfiles but for `.well-known`, empty or dot segments, encoded slashes,
/// backslashes, control bytes, broken escapes).
pub(super) fn resolve(path: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    let Some(encoded) = path.strip_prefix(b"/") else { return false };
    if !decode(encoded, out) {
        return false;
    }
    if out.is_empty() || out.ends_with(b"/") {
        out.extend_from_slice(b"index.html");
    }
    // The one dotfile that is meant to be public, at the root alone (RFC 8615).
    let known = b".well-known/";
    let checked = if out.starts_with(known) { &out[known.len()..] } else { out };
    checked.split(|byte| *byte == b'/').all(|segment| !segment.is_empty() && segment[0] != b'.')
}

fn decode(encoded: &[u8], out: &mut Vec<u8>) -> bool {
    let mut rest = encoded;
    while let Some((byte, after)) = rest.split_first() {
        let (byte, after) = match byte {
            b'%' => match after {
                [high, low, after @ ..] => match (hex(*high), hex(*low)) {
                    (Some(high), Some(low)) if high * 16 + low != b'/' => (high * 16 + low, after),
                    _ => return false,
                },
                _ => return false,
            },
            byte => (*byte, after),
        };
        if byte < b' ' || byte == 0x7f || byte == b'\\' {
            return false;
        }
        out.push(byte);
        rest = after;
    }
    true
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|value| value as u8)
}

/// A redirect to a path's slash form.
#[derive(Debug)]
pub(super) struct Location<'a> {
    /// As it was asked for, without the slash at its end.
    pub(super) path: &'a [u8],
    pub(super) query: Option<&'a [u8]>,
}

impl Location<'_> {
    /// Writes the field; whatever is not plainly allowed in a target is escaped.
    pub(super) fn write(&self, head: &mut Vec<u8>) {
        head.extend_from_slice(b"Location: ");
        escape(self.path, head);
        head.push(b'/');
        if let Some(query) = self.query {
            head.push(b'?');
            escape(query, head);
        }
        field(head, b"", b"");
    }
}

fn escape(text: &[u8], head: &mut Vec<u8>) {
    for byte in text {
        if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}') {
            head.push(*byte);
        } else {
            head.push(b'%');
            head.extend([byte >> 4, byte & 15].map(|digit| b"0123456789ABCDEF"[usize::from(digit)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_are_served() {
        for (path, inside) in [
            ("/", "index.html"),
            ("/docs/", "docs/index.html"),
            ("/a%20b.txt", "a b.txt"),
            ("/%C3%BC.html", "ü.html"),
            ("/.well-known/acme-challenge/x", ".well-known/acme-challenge/x"),
            ("/.well-known/", ".well-known/index.html"),
            ("/a+b", "a+b"),
        ] {
            let mut out = b"old".to_vec();
            assert!(resolve(path.as_bytes(), &mut out), "{path}");
            assert_eq!(out, inside.as_bytes());
        }
    }

    #[test]
    fn paths_that_never_are() {
        for path in [
            "",
            "*",
            "index.html",
            "//",
            "//evil.example",
            "/a//b",
            "/.env",
            "/a/.git/config",
            "/%2eenv",
            "/..",
            "/a/../b",
            "/%2e%2e/x",
            "/a%2fb",
            "/a%5cb",
            "/a\\b",
            "/a%00",
            "/a%0d%0a",
            "/a%",
            "/a%2",
            "/a%zz",
            "/.well-known/.env",
            "/a/.well-known/x",
            "/.well-known",
            "/.well-knownx",
        ] {
            assert!(!resolve(path.as_bytes(), &mut Vec::new()), "{path}");
        }
    }

    #[test]
    fn a_location_stays_one_line_and_here() {
        let mut head = Vec::new();
        Location { path: b"/a b<%20\r\n", query: Some(b"x=\"1\"&y=2") }.write(&mut head);
        assert_eq!(head, b"Location: /a%20b%3C%20%0D%0A/?x=%221%22&y=2\r\n");
    }
}
