//! Tokens of a text as the server's scanner finds them: <https://www.postgresql.org/docs/current/sql-syntax-lexical.html>,
//! in detail `src/backend/parser/scan.l`. Any bytes give tokens, in linear time; what the server would refuse is cut somehow.

use super::hash::of_word;
use super::literals::{self, Backslash};
use super::words::Word;

/// How plain quoted strings are read: the session's `standard_conforming_strings`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Strings {
    /// On: a backslash is a character.
    #[default]
    Standard,
    /// Off: a backslash escapes.
    Backslash,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    /// A keyword or an identifier without quotes.
    Word,
    /// `"identifier"`.
    Quoted,
    /// `U&"identifier"`.
    UnicodeQuoted,
    /// `'…'`, `N'…'`.
    Text,
    /// `E'…'`, `U&'…'`, or any string where backslashes escape.
    Escaped,
    /// `$tag$…$tag$`.
    Dollar,
    /// `B'…'`, `X'…'`.
    Bits,
    Number,
    /// `$1`.
    Parameter,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    Comma,
    Semicolon,
    Dot,
    Colon,
    /// `::`.
    Cast,
    /// A run of operator characters.
    Operator,
    /// A character that begins nothing.
    #[default]
    Other,
}

/// One token and where it stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Of a word; of a name in quotes only if it is a function's.
    pub(super) word: Word,
    /// Of a word.
    pub(super) hash: u64,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Token {
    pub(super) fn of<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        &text[self.start..self.end]
    }

    pub(super) fn is(&self, word: Word) -> bool {
        self.word == word
    }

    /// Whether it is a constant or a parameter.
    pub(super) fn is_value(&self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Escaped | Kind::Dollar | Kind::Bits | Kind::Number | Kind::Parameter)
    }
}

/// The tokens of a text, from where it stands.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'a> {
    pub(super) text: &'a [u8],
    at: usize,
    strings: Strings,
    escape: Backslash,
    /// There was a backslash that may be half a letter: the client's encoding is not UTF-8.
    pub(super) is_doubtful: bool,
}

/// What a byte can begin or be part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Space,
    Letter,
    Digit,
    Quote,
    DoubleQuote,
    Dollar,
    Operator,
    Punctuation(Kind),
    Dot,
    Colon,
    Other,
}

static CLASSES: [Class; 256] = {
    let (mut classes, mut byte) = ([Class::Other; 256], 0);
    while byte < 256 {
        classes[byte] = class(byte as u8);
        byte += 1;
    }
    classes
};

const fn class(byte: u8) -> Class {
    match byte {
        b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => Class::Space,
        b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => Class::Letter,
        b'0'..=b'9' => Class::Digit,
        b'\'' => Class::Quote,
        b'"' => Class::DoubleQuote,
        b'$' => Class::Dollar,
        b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'+' | b'-' | b'*' | b'/' | b'%' | b'<' | b'>' | b'=' => {
            Class::Operator
        }
        b'(' => Class::Punctuation(Kind::Open),
        b')' => Class::Punctuation(Kind::Close),
        b'[' => Class::Punctuation(Kind::OpenBracket),
        b']' => Class::Punctuation(Kind::CloseBracket),
        b',' => Class::Punctuation(Kind::Comma),
        b';' => Class::Punctuation(Kind::Semicolon),
        b'.' => Class::Dot,
        b':' => Class::Colon,
        _ => Class::Other,
    }
}

fn class_of(byte: u8) -> Class {
    CLASSES[usize::from(byte)]
}

static CONTINUES: [bool; 256] = {
    let (mut continues, mut byte) = ([false; 256], 0);
    while byte < 256 {
        continues[byte] = matches!(class(byte as u8), Class::Letter | Class::Digit | Class::Dollar);
        byte += 1;
    }
    continues
};

/// Whether a word goes on with `byte`.
fn continues_word(byte: u8) -> bool {
    CONTINUES[usize::from(byte)]
}

/// Longest run of operator characters looked at: a longer operator is an error at the server, and a run of signs that is
/// many operators must not be looked at from each of them to its end.
const LONGEST_OPERATOR: usize = 66;

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a [u8], strings: Strings) -> Tokens<'a> {
        Tokens { text, at: 0, strings, escape: Backslash::Escapes, is_doubtful: false }
    }

    /// The same where every doubtful backslash is half a letter.
    pub(super) fn with_halves(text: &'a [u8], strings: Strings) -> Tokens<'a> {
        Tokens { escape: Backslash::EscapesOrHalf, ..Tokens::new(text, strings) }
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    fn skip_space(&mut self) {
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b'-' if self.byte(self.at + 1) == b'-' => self.at = literals::line_end(self.text, self.at + 2),
                b'/' if self.byte(self.at + 1) == b'*' => self.at = literals::comment_end(self.text, self.at + 2),
                _ if class_of(byte) == Class::Space => self.at += 1,
                _ => return,
            }
        }
    }

    fn string(&self, opened: usize, kind: Kind) -> (Kind, usize) {
        let backslash = if kind == Kind::Escaped { self.escape } else { Backslash::Plain };
        (kind, literals::string_end(self.text, opened, backslash))
    }

    fn plain_string(&self, opened: usize) -> (Kind, usize) {
        self.string(opened, if self.strings == Strings::Standard { Kind::Text } else { Kind::Escaped })
    }

    /// A letter at `at`: a word, or what makes a string or a name of the quotes that follow.
    fn lettered(&self, at: usize) -> (Kind, usize) {
        match (self.text[at], self.byte(at + 1), self.byte(at + 2)) {
            (b'e' | b'E', b'\'', _) => self.string(at + 2, Kind::Escaped),
            (b'n' | b'N', b'\'', _) => self.plain_string(at + 2),
            (b'b' | b'B' | b'x' | b'X', b'\'', _) => self.string(at + 2, Kind::Bits),
            // escapes there never escape the quote
            (b'u' | b'U', b'&', b'\'') => (Kind::Escaped, literals::string_end(self.text, at + 3, Backslash::Plain)),
            (b'u' | b'U', b'&', b'"') => (Kind::UnicodeQuoted, literals::name_end(self.text, at + 3)),
            _ => (Kind::Word, self.run(at + 1, continues_word)),
        }
    }

    fn run(&self, from: usize, goes_on: impl Fn(u8) -> bool) -> usize {
        let rest = self.text.get(from..).unwrap_or_default();
        from + rest.iter().position(|&byte| !goes_on(byte)).unwrap_or(rest.len())
    }

    fn digits(&self, from: usize) -> usize {
        self.run(from, |byte| byte.is_ascii_digit() || byte == b'_')
    }

    fn number(&self, at: usize) -> usize {
        if self.text[at] == b'0' && matches!(self.byte(at + 1) | 0x20, b'x' | b'o' | b'b') {
            return self.run(at + 2, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
        }
        let mut end = self.digits(at);
        if self.byte(end) == b'.' && self.byte(end + 1) != b'.' {
            end = self.digits(end + 1);
        }
        if self.byte(end) | 0x20 == b'e' {
            let sign = usize::from(matches!(self.byte(end + 1), b'+' | b'-'));
            if self.byte(end + 1 + sign).is_ascii_digit() {
                end = self.digits(end + 1 + sign);
            }
        }
        end
    }

    fn dollar(&self, at: usize) -> (Kind, usize) {
        match self.byte(at + 1) {
            b'0'..=b'9' => (Kind::Parameter, self.run(at + 1, |byte| byte.is_ascii_digit())),
            _ => literals::dollar_end(self.text, at).map_or((Kind::Other, at + 1), |end| (Kind::Dollar, end)),
        }
    }

    /// An operator ends before a comment, and before signs at its end unless it holds a character that permits them.
    fn operator(&self, at: usize) -> usize {
        let (mut end, mut signs, mut permitted) = (at, 0, false);
        while end < at + LONGEST_OPERATOR && class_of(self.byte(end)) == Class::Operator {
            match (self.byte(end), self.byte(end + 1)) {
                (b'-', b'-') | (b'/', b'*') => break,
                (b'+' | b'-', _) => signs += 1,
                (byte, _) => {
                    signs = 0;
                    permitted |= !matches!(byte, b'*' | b'/' | b'<' | b'>' | b'=');
                }
            }
            end += 1;
        }
        if permitted { end } else { (end - signs).max(at + 1) }
    }
}

/// Whether a backslash stands behind a byte that is not ASCII in what is no UTF-8.
fn may_have_halves(string: &[u8]) -> bool {
    string.windows(2).any(|pair| pair[0] >= 0x80 && pair[1] == b'\\') && std::str::from_utf8(string).is_err()
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.skip_space();
        let start = self.at;
        let byte = *self.text.get(start)?;
        let (kind, end) = match class_of(byte) {
            Class::Letter => self.lettered(start),
            Class::Digit => (Kind::Number, self.number(start)),
            Class::Quote => self.plain_string(start + 1),
            Class::DoubleQuote => (Kind::Quoted, literals::name_end(self.text, start + 1)),
            Class::Dollar => self.dollar(start),
            Class::Operator => (Kind::Operator, self.operator(start)),
            Class::Punctuation(kind) => (kind, start + 1),
            Class::Dot if self.byte(start + 1).is_ascii_digit() => (Kind::Number, self.number(start)),
            Class::Dot => (Kind::Dot, start + 1),
            Class::Colon if self.byte(start + 1) == b':' => (Kind::Cast, start + 2),
            Class::Colon if self.byte(start + 1) == b'=' => (Kind::Operator, start + 2),
            Class::Colon => (Kind::Colon, start + 1),
            Class::Space | Class::Other => (Kind::Other, start + 1),
        };
        self.at = end;
        let mut token = Token { kind, start, end, ..Token::default() };
        if kind == Kind::Word {
            token.hash = of_word(token.of(self.text));
            token.word = Word::find(token.of(self.text), token.hash);
        } else if kind == Kind::Escaped {
            self.is_doubtful |= may_have_halves(token.of(self.text));
        } else if kind == Kind::Quoted && end - start > 2 {
            token.word = Word::quoted(&self.text[start + 1..end - 1]);
        }
        Some(token)
    }
}
