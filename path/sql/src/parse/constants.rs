//! String constants: what their types read when a statement is parsed may depend on settings, or on the moment.
//!
//! Dates know `now`, `today`, `tomorrow` and `yesterday` (`datetktbl` in `src/backend/utils/adt/datetime.c`): words of letters
//! in any case, between anything else, in arrays, ranges and records too. In doubt a constant is of the moment.

use memchr::memchr3;

use super::tokens::{Kind, Token};

/// What the string constants of a text are, all of them together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Constants {
    /// There are none.
    #[default]
    None,
    /// The settings of its session may decide what they are.
    Settings,
    /// So may the moment at which they are read.
    Moment,
}

/// Bytes of a constant that are looked at; a longer one is in doubt.
const LONGEST: usize = 1024;

const WORDS: [&[u8]; 4] = [b"now", b"today", b"tomorrow", b"yesterday"];

/// What `token` is as a string constant.
pub(super) fn of(token: &Token, text: &[u8]) -> Constants {
    match token.kind {
        Kind::Text | Kind::Escaped | Kind::Dollar if is_of_moment(token.of(text), token.kind == Kind::Escaped) => Constants::Moment,
        Kind::Text | Kind::Escaped | Kind::Dollar => Constants::Settings,
        _ => Constants::None,
    }
}

fn is_of_moment(written: &[u8], escapes: bool) -> bool {
    // In `U&'…'` letters may be written as numbers behind any character.
    let has_numbers = escapes && (matches!(written[0], b'u' | b'U') || spells_letters(written));
    has_numbers || written.len() > LONGEST || has_word(&written[usize::from(written[0].is_ascii_alphabetic())..])
}

/// Whether letters are written as numbers: `\x6e`, `\156`, `\u006e`.
fn spells_letters(body: &[u8]) -> bool {
    body.windows(2).any(|pair| pair[0] == b'\\' && matches!(pair[1], b'0'..=b'7' | b'x' | b'u' | b'U'))
}

fn has_word(body: &[u8]) -> bool {
    let inner = body.get(1..body.len().saturating_sub(1)).unwrap_or_default();
    match memchr3(b'"', b'\\', b'\'', inner) {
        None => inner.split(|byte| !byte.is_ascii_alphabetic()).any(|word| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))),
        // What is quoted, escaped or continued may be part of a word.
        Some(_) => is_pieced(inner) || letters_hold_word(inner),
    }
}

/// Whether a comment stands between pieces of a string.
fn is_pieced(inner: &[u8]) -> bool {
    inner.contains(&b'\'') && inner.windows(2).any(|pair| pair == b"--")
}

/// Whether a word can be made of the letters, all else left out.
fn letters_hold_word(inner: &[u8]) -> bool {
    let letters: Vec<u8> = inner.iter().filter(|byte| byte.is_ascii_alphabetic()).map(u8::to_ascii_lowercase).collect();
    WORDS.iter().any(|known| letters.windows(known.len()).any(|window| window == *known))
}

#[cfg(test)]
mod tests {
    use super::super::recognise::recognise;
    use super::super::recognised::Effects;
    use super::super::tokens::{Strings, Tokens};
    use super::*;

    fn of_text(text: &str, strings: Strings) -> Constants {
        Tokens::new(text.as_bytes(), strings).map(|token| of(&token, text.as_bytes())).max().unwrap_or_default()
    }

    #[test]
    fn what_dates_read_as_the_moment() {
        for text in [
            "'now'",
            "'NOW'",
            "' Today '",
            "'tomorrow 10:00'",
            "'10:00today'",
            "'today10:00'",
            "'yesterday,allballs'",
            "n'now'",
            "E'now'",
            r"e'\tnow'",
            r"E'\x6eow'",
            r"E'n\157w'",
            r"E'\u006eow'",
            r"E'n\ow'",
            "U&'n!006fw' UESCAPE '!'",
            "u&'now'",
            "$$now$$",
            "$a$ tomorrow $a$",
            "'{now,2020-01-01}'",
            "'[today,tomorrow)'",
            r#"'("n"ow,1)'"#,
            r"'{n\ow}'",
            "'no'\n'w'",
            "'no' -- a\n 'w'",
            "'it''s now'",
            "1, 'a', 'now'",
        ] {
            assert_eq!(of_text(text, Strings::Standard), Constants::Moment, "{text}");
        }
        assert_eq!(of_text(r"'\x6eow'", Strings::Backslash), Constants::Moment);
        assert_eq!(of_text(r"'\now'", Strings::Backslash), Constants::Moment);
        assert_eq!(of_text(&format!("'{}'", "x".repeat(LONGEST)), Strings::Standard), Constants::Moment, "in doubt");
    }

    #[test]
    fn what_only_looks_so() {
        for text in
            ["'unknown'", "'knowledge'", "'snow'", "'nowhere'", "'todays'", "'2020-01-01 10:00'", "''", "$$ $$", r"E'^\\d+$'", "'it''s'"]
        {
            assert_eq!(of_text(text, Strings::Standard), Constants::Settings, "{text}");
        }
        for text in ["now()", "\"now\"", "current_date + 1", "b'1'", "x'0f'", "$1", "today"] {
            assert_eq!(of_text(text, Strings::Standard), Constants::None, "{text}");
        }
    }

    #[test]
    fn no_session_is_changed_by_them() {
        let recognised = recognise(br"SELECT 'now', E'\n'", Strings::Standard);
        assert_eq!((recognised.effects, recognised.constants), (Effects::NONE, Constants::Moment));
    }
}
