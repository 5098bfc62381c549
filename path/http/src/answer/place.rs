//! From a request's path to a path inside the folder, and back to a `Location`.

use super::asked::field;

/// Writes the path of the file that the plain `path` asks for into `out`; `index.html` for a folder.
///
/// `false`: no such path is ever served (dotfiles but for `.well-known`, empty or dot segments, encoded slashes,
/// backslashes, control bytes). It trusts nobody to have checked that before.
pub(super) fn resolve(path: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    let Some(inside) = path.strip_prefix(b"/") else { return false };
    if inside.iter().any(|byte| *byte < b' ' || matches!(byte, 0x7f | b'\\')) || memchr::memmem::find(inside, b"%2F").is_some() {
        return false;
    }
    out.extend_from_slice(inside);
    if out.is_empty() || out.ends_with(b"/") {
        out.extend_from_slice(b"index.html");
    }
    !out.starts_with(b"/") && memchr::memmem::find(out, b"//").is_none() && !hides(out)
}

/// The one dotfile that is meant to be public, at the root alone (RFC 8615).
const WELL_KNOWN: &[u8] = b".well-known/";

/// Whether a path inside the folder leads through a dotfile.
pub(super) fn hides(inside: &[u8]) -> bool {
    let checked = inside.strip_prefix(WELL_KNOWN).unwrap_or(inside);
    checked.split(|byte| *byte == b'/').any(|segment| segment.starts_with(b"."))
}

/// Whether a path inside the folder is one that clients look up by its name, so that no page may stand in for it.
pub(super) fn is_well_known(inside: &[u8]) -> bool {
    inside.starts_with(WELL_KNOWN)
}

/// A redirect to a path's slash form.
#[derive(Debug)]
pub(super) struct Location<'a> {
    /// Plain (decoded), without a slash at its end.
    pub(super) path: &'a [u8],
    /// As it was sent.
    pub(super) query: Option<&'a [u8]>,
}

impl Location<'_> {
    /// Writes the field; whatever could mean something else in a target is escaped.
    pub(super) fn write(&self, head: &mut Vec<u8>) {
        head.extend_from_slice(b"Location: ");
        escape(self.path, b"%?#", head);
        head.push(b'/');
        if let Some(query) = self.query {
            head.push(b'?');
            escape(query, b"#", head);
        }
        field(head, b"", b"");
    }
}

fn escape(text: &[u8], special: &[u8], head: &mut Vec<u8>) {
    for byte in text {
        if byte.is_ascii_graphic()
            && !special.contains(byte)
            && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
        {
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
            ("/a b.txt", "a b.txt"),
            ("/ü.html", "ü.html"),
            ("/.well-known/acme-challenge/x", ".well-known/acme-challenge/x"),
            ("/.well-known/", ".well-known/index.html"),
            ("/a+b", "a+b"),
            ("/100%.txt", "100%.txt"),
            ("/%2eenv", "%2eenv"),
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
            "/..",
            "/a/../b",
            "/a%2Fb",
            "/a\\b",
            "/a\0",
            "/a\r\n",
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
        Location { path: "/a b<%20?#ü\r\n".as_bytes(), query: Some(b"x=\"1\"&y=%202") }.write(&mut head);
        assert_eq!(head, b"Location: /a%20b%3C%2520%3F%23%C3%BC%0D%0A/?x=%221%22&y=%202\r\n");
    }
}
