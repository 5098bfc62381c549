//! Values in statements of our own: they mean the same whatever `client_encoding`, `standard_conforming_strings` and
//! `search_path` are where they are read, so what is written is ASCII without a backslash.

/// Appends `value`, bytes in the database's encoding, as an expression that gives this text.
pub(crate) fn literal(out: &mut String, value: &[u8]) {
    match std::str::from_utf8(value) {
        Ok(text) if text.bytes().all(is_plain) => plain(out, text),
        _ => {
            out.push_str("pg_catalog.convert_from(pg_catalog.decode('");
            hex(out, value);
            out.push_str("','hex'),pg_catalog.getdatabaseencoding())");
        }
    }
}

/// Appends an array of texts, an expression of type `text[]`.
pub(crate) fn array<'v>(out: &mut String, values: impl Iterator<Item = &'v [u8]>) {
    out.push_str("ARRAY[");
    for (at, value) in values.enumerate() {
        out.push_str(if at == 0 { "" } else { "," });
        literal(out, value);
    }
    out.push_str("]::pg_catalog.text[]");
}

/// Appends a name in quotes, when that can be done in ASCII.
pub(crate) fn name(out: &mut String, name: &[u8]) -> Option<()> {
    let text = std::str::from_utf8(name).ok().filter(|text| text.bytes().all(is_plain))?;
    out.push('"');
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
    Some(())
}

/// An expression of type text that gives the bytes of `text`, which may be null, as [`bytes`] reads them.
pub(crate) fn spelled(text: &str) -> String {
    format!("pg_catalog.encode(pg_catalog.convert_to({text},pg_catalog.getdatabaseencoding()),'hex')")
}

/// The bytes that [`spelled`] gave.
pub(crate) fn bytes(spelled: &[u8]) -> Option<Box<[u8]>> {
    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    spelled.chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?)).collect()
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'\\'
}

fn plain(out: &mut String, text: &str) {
    out.push('\'');
    out.push_str(&text.replace('\'', "''"));
    out.push('\'');
}

/// Appends the bytes as [`bytes`] reads them.
pub(crate) fn hex(out: &mut String, value: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in value {
        out.extend([byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)])));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_are_quoted_and_all_others_spelled() {
        let written = |value: &str| {
            let mut out = String::new();
            literal(&mut out, value.as_bytes());
            out
        };
        assert_eq!(written("it's"), "'it''s'");
        assert_eq!(written(""), "''");
        for odd in ["a\\b", "é", "a\nb"] {
            assert!(written(odd).starts_with("pg_catalog.convert_from("), "{odd}");
            assert!(written(odd).bytes().all(is_plain));
        }
    }

    #[test]
    fn bytes_come_back_as_they_were_spelled() {
        let (value, mut spelled) = (b"a\0\xff\\'".as_slice(), String::new());
        hex(&mut spelled, value);
        assert_eq!(bytes(spelled.as_bytes()).as_deref(), Some(value));
        assert_eq!(bytes(b""), Some(Box::default()));
        assert_eq!((bytes(b"0"), bytes(b"0g")), (None, None));
    }
}
