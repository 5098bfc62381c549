//! Names as the server reads them: folded to lower case without quotes, cut to 63 bytes.

use super::tokens::{Kind, Token};

/// Longest name, bytes (`NAMEDATALEN` less one); the server cuts longer ones.
const LONGEST: usize = 63;

/// The name that a token is, if it is one that can be read here: one with Unicode escapes is not.
pub(super) fn name(text: &[u8], token: &Token) -> Option<Box<str>> {
    let written = token.of(text);
    match token.kind {
        Kind::Word => Some(cut(&String::from_utf8_lossy(&written.to_ascii_lowercase()))),
        Kind::Quoted => Some(cut(&unquoted(written, b'"'))),
        _ => None,
    }
}

/// What a plain string says, if it is one of a single piece in which nothing is escaped.
pub(super) fn string(text: &[u8], token: &Token) -> Option<String> {
    let written = match token.kind {
        Kind::Text => token.of(text),
        Kind::Escaped => token.of(text).strip_prefix(b"E").or(token.of(text).strip_prefix(b"e")).unwrap_or(token.of(text)),
        _ => return None,
    };
    let whole = written.len() >= 2 && written.starts_with(b"'") && written.ends_with(b"'") && !written.contains(&b'\\');
    let inner = &written[whole.then_some(1)?..written.len() - 1];
    (!inner.contains(&b'\'')).then(|| String::from_utf8_lossy(inner).into_owned())
}

/// A configuration parameter's name as the server knows it: case never counts, and two have older names.
pub(super) fn parameter(name: &str) -> Box<str> {
    match &*name.to_ascii_lowercase() {
        "sort_mem" => "work_mem".into(),
        "vacuum_mem" => "maintenance_work_mem".into(),
        lower => lower.into(),
    }
}

fn unquoted(written: &[u8], quote: u8) -> String {
    let inner = written.strip_prefix(&[quote]).unwrap_or(written);
    let inner = inner.strip_suffix(&[quote]).unwrap_or(inner);
    String::from_utf8_lossy(inner).replace("\"\"", "\"")
}

fn cut(name: &str) -> Box<str> {
    let mut end = name.len().min(LONGEST);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].into()
}

#[cfg(test)]
mod tests {
    use super::super::tokens::{Strings, Tokens};
    use super::*;

    fn read(text: &str) -> Option<Box<str>> {
        let token = Tokens::new(text.as_bytes(), Strings::Standard).next().expect("one token");
        name(text.as_bytes(), &token)
    }

    #[test]
    fn names_read_as_the_server_reads_them() {
        let long = "x".repeat(70);
        for (text, expected) in [
            ("TimeZone", Some("timezone")),
            ("\"TimeZone\"", Some("TimeZone")),
            ("\"a\"\"b\"", Some("a\"b")),
            ("Größe", Some("größe")),
            ("\"open", Some("open")),
            ("U&\"a\"", None),
            ("'a'", None),
            (long.as_str(), Some(&long[..63])),
        ] {
            assert_eq!(read(text).as_deref(), expected, "{text}");
        }
        let wide = format!("{}é", "x".repeat(62));
        assert_eq!(read(&wide).as_deref(), Some(&wide[..62]));
    }
}
