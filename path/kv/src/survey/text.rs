/// A name as it can be printed, in a table or a label: what is no text, or would do something to a terminal, is written as Rust
/// writes it (`\x00`, `\n`, `\u{202e}`), and a backslash twice, so that different names look different.
pub(super) fn shown(name: &[u8]) -> String {
    if name.is_empty() {
        return "\"\"".into();
    }
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '"' | '\'' => text.push(letter),
                _ => text.extend(letter.escape_debug()),
            }
        }
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    text
}

/// As [`shown`], of a name that goes on.
pub(super) fn shown_beginning(name: &[u8]) -> String {
    // A character that was cut belongs to what is left out.
    let last = name.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
    let is_begun = std::str::from_utf8(last).is_err_and(|error| error.error_len().is_none());
    let end = name.len() - if is_begun { last.len() } else { 0 };
    format!("{}…", shown(&name[..end]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_safe_to_print() {
        for (name, text) in [
            (&b"user:1"[..], "user:1"),
            ("größe \"x\"".as_bytes(), "größe \"x\""),
            (b"", "\"\""),
            (b"a\x1b[2J\n\0", "a\\u{1b}[2J\\n\\0"),
            ("\u{202e}evil".as_bytes(), "\\u{202e}evil"),
            (b"\xff\xfe", "\\xff\\xfe"),
            (b"c:\\x", "c:\\\\x"),
        ] {
            assert_eq!(shown(name), text);
        }
        assert_eq!(shown_beginning(&"grö".as_bytes()[..3]), "gr…");
        assert_eq!(shown_beginning(b"gr"), "gr…");
        assert_eq!(shown_beginning(b"gr\xff"), "gr\\xff…");
    }

    proptest! {
        #[test]
        fn nothing_that_is_printed_moves_the_cursor(name in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(!shown(&name).chars().any(char::is_control));
        }

        #[test]
        fn different_names_look_different(one in proptest::collection::vec(any::<u8>(), 1..4), other in proptest::collection::vec(any::<u8>(), 1..4)) {
            prop_assert_eq!(one == other, shown(&one) == shown(&other));
        }
    }
}
