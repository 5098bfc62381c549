//! What holds for any text: space, comments and case change nothing, what is quoted does nothing, and any bytes are read.

use proptest::prelude::*;

use super::super::fingerprint::normalised;
use super::super::recognise::{recognise, statements};
use super::super::recognised::{Effects, Recognised};
use super::super::tokens::{Strings, Tokens};

/// Tokens that make statements which mean something, and ones that do not.
const TOKENS: &[&str] = &[
    "SET",
    "LOCAL",
    "SESSION",
    "x",
    "=",
    "TO",
    "'a;b'",
    "1",
    ";",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SELECT",
    "set_config",
    "(",
    ")",
    ",",
    "nextval",
    "FROM",
    "WHERE",
    "id",
    "$1",
    "$$;$$",
    "\"q;r\"",
    "CREATE",
    "TEMP",
    "TABLE",
    "INSERT",
    "INTO",
    "VALUES",
    "COPY",
    "STDIN",
    "LISTEN",
    "DECLARE",
    "CURSOR",
    "WITH",
    "HOLD",
    "FOR",
    "EXPLAIN",
    "ANALYZE",
    "PREPARE",
    "EXECUTE",
    "DEALLOCATE",
    "ALL",
    "DISCARD",
    "pg_temp",
    ".",
    "*",
    "IN",
    "AND",
    "LIMIT",
    "UPDATE",
    "DELETE",
    "RESET",
    "DO",
    "FUNCTION",
    "ATOMIC",
    "END",
    "E'a\\';b'",
    "::",
    "[",
    "]",
];

/// What may stand between two tokens.
const SPACES: &[&str] = &[" ", "\n", "\t\r\n", " /* ; ' */ ", " /* /* \" */ $$ */ ", " -- SET x = 1; '\n", "\x0b\x0c "];

fn spelled(tokens: &[(usize, usize, bool)], plain: bool) -> String {
    let mut text = String::new();
    for (token, space, lower) in tokens {
        let token = TOKENS[*token];
        let quoted = token.contains(['\'', '"', '$']);
        text += &if *lower && !plain && !quoted { token.to_lowercase() } else { token.to_owned() };
        // a newline between two strings would make them one
        let space = if token.ends_with('\'') && SPACES[*space].contains(['\n', '\r']) { 0 } else { *space };
        text += SPACES[if plain { 0 } else { space }];
    }
    text
}

fn without_hash(text: &str) -> Recognised {
    Recognised { hash: 0, ..recognise(text.as_bytes(), Strings::Standard) }
}

fn tokens() -> impl Strategy<Value = Vec<(usize, usize, bool)>> {
    prop::collection::vec((0..TOKENS.len(), 0..SPACES.len(), any::<bool>()), 0..40)
}

/// What looks like much and is quoted.
fn content() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "SET x = 1;",
        "set_config(",
        "nextval('a')",
        "'",
        "\"",
        "\\",
        "$$",
        "$a$",
        "--",
        "/*",
        "*/",
        "\n",
        " ",
        "é",
    ]);
    prop::collection::vec(words, 0..12).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn space_comments_and_case_change_nothing(tokens in tokens()) {
        let (plain, spaced) = (spelled(&tokens, true), spelled(&tokens, false));
        prop_assert_eq!(without_hash(&plain), without_hash(&spaced), "{}\n{}", plain, spaced);
        let shown = |text: &str| normalised(text.as_bytes(), Strings::Standard, 1000);
        prop_assert_eq!(shown(&plain), shown(&spaced));
    }

    #[test]
    fn what_is_quoted_does_nothing(content in content()) {
        let quote = content.replace('\'', "''");
        let tag = "$tag$";
        let comment = content.replace("/*", "").replace("*/", "");
        for text in [
            format!("SELECT '{quote}'"),
            format!("SELECT N'{quote}'"),
            format!("SELECT E'{}'", quote.replace('\\', "\\\\")),
            format!("SELECT E'{}'", content.replace('\\', "\\\\").replace('\'', "\\'")),
            format!("SELECT {tag}{content}{tag}"),
            format!("SELECT \"{}\"", content.replace('"', "\"\"")),
            format!("SELECT 1 /* {comment} */"),
            format!("SELECT 1 -- {}", content.replace('\n', "")),
        ] {
            let recognised = recognise(text.as_bytes(), Strings::Standard);
            prop_assert_eq!((recognised.effects, recognised.steps.len()), (Effects::NONE, 1), "{}", text);
        }
        let masked = normalised(format!("SELECT '{quote}', {tag}{content}{tag}, 1").as_bytes(), Strings::Standard, 1000);
        prop_assert_eq!(masked, "select $1, $2, $3");
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"'\"$;()/*-\\eEuU&xX \n.a1:".to_vec())], 0..200)) {
        for strings in [Strings::Standard, Strings::Backslash] {
            let mut end = 0;
            for token in Tokens::new(&bytes, strings) {
                prop_assert!(end <= token.start && token.start < token.end && token.end <= bytes.len());
                end = token.end;
            }
            let recognised = recognise(&bytes, strings);
            let ranges = statements(&bytes, strings);
            prop_assert_eq!(ranges.len(), recognised.steps.len());
            prop_assert!(ranges.iter().zip(ranges.iter().skip(1)).all(|(one, next)| one.end <= next.start));
            prop_assert!(normalised(&bytes, strings, 50).len() <= 50 + '…'.len_utf8());
        }
    }
}

#[test]
fn hostile_texts_take_linear_time() {
    for piece in [
        "'",
        "\"",
        "$a",
        "$a$",
        "$a$b",
        "/*",
        "/**/",
        "/*/",
        "*/",
        "-",
        "+-",
        "--\n",
        "E'\\",
        "'' ",
        "'a' \n",
        "'a' --\n",
        "(",
        ")",
        ";",
        "set_config(",
        "set_config('a',",
        "set_config('a','",
        "IN (1,",
        "VALUES (1),",
        "DO $$",
        "BEGIN ATOMIC ",
        "a.",
        "1.",
        "1e",
        "U&\"",
        "::",
        "\u{e9}",
        ".1.",
        "EXPLAIN (",
        "SELECT a FROM t WHERE (",
    ] {
        let text = piece.repeat((1 << 16) / piece.len());
        for strings in [Strings::Standard, Strings::Backslash] {
            recognise(text.as_bytes(), strings);
            normalised(text.as_bytes(), strings, usize::MAX);
        }
    }
}
