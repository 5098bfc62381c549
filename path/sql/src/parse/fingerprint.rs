//! A text without what differs from call to call: constants and parameters are one, lists of them of any length, rows behind
//! the first, spaces and comments are gone. As a hash for counting, as a text for people.

use super::hash;
use super::tokens::{Kind, Strings, Token, Tokens};
use super::words::Word;

/// What is left of a text, piece by piece.
#[derive(Debug, Clone, Copy)]
enum Piece {
    Token(Token),
    /// A constant or a parameter.
    Value,
    /// More constants follow in a list.
    More,
}

/// The hash, made while the tokens come by.
pub(super) struct Fingerprint<'a> {
    text: &'a [u8],
    shape: Shape,
    hash: u64,
}

impl<'a> Fingerprint<'a> {
    pub(super) fn new(text: &'a [u8]) -> Fingerprint<'a> {
        Fingerprint { text, shape: Shape::default(), hash: 0 }
    }

    pub(super) fn take(&mut self, token: Token) {
        let (text, hash) = (self.text, &mut self.hash);
        self.shape.take(text, token, &mut |piece| *hash = hash::mix(*hash, of_piece(text, &piece)));
    }

    pub(super) fn end(&self) -> u64 {
        self.hash
    }
}

fn of_piece(text: &[u8], piece: &Piece) -> u64 {
    match piece {
        Piece::Value => 1,
        Piece::More => 2,
        Piece::Token(token) => match token.kind {
            Kind::Word => token.hash,
            Kind::Quoted | Kind::UnicodeQuoted | Kind::Operator | Kind::Other => hash::of(token.of(text)),
            kind => 16 + kind as u64,
        },
    }
}

/// Tokens that are looked at for [`normalised`]: long lists and many rows leave few pieces.
const LOOKED_AT: usize = 4096;

/// The text for people, of at most `longest` bytes or so: nothing that was a constant is in it.
pub(crate) fn normalised(text: &[u8], strings: Strings, longest: usize) -> String {
    let (mut writer, mut shape) = (Writer::default(), Shape::default());
    for (count, token) in Tokens::new(text, strings).enumerate() {
        if count == LOOKED_AT {
            writer.out.push('…');
            break;
        }
        shape.take(text, token, &mut |piece| writer.piece(text, piece));
        if writer.out.len() > longest {
            let mut end = longest;
            while !writer.out.is_char_boundary(end) {
                end -= 1;
            }
            writer.out.truncate(end);
            writer.out.push('…');
            break;
        }
    }
    writer.out
}

/// What stands before may decide what a token is part of.
#[derive(Default)]
struct Shape {
    previous: Token,
    sign: Option<Token>,
    semicolon: Option<Token>,
    rows: Rows,
    list: List,
}

/// In `VALUES (…), (…)`.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Rows {
    #[default]
    No,
    Values,
    /// In the first row, so many parentheses deep.
    First(u32),
    Between,
    /// Behind a comma that stood there and waits.
    Comma(usize),
    /// In a further row, which is dropped.
    Further(u32),
}

/// In `IN (…)` or `ARRAY[…]`.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum List {
    #[default]
    No,
    Word,
    Open,
    /// Behind its first value.
    First,
    FirstCast,
    /// Behind a comma that stood there and waits.
    Comma(usize),
    /// Behind a further value, which was dropped.
    Further,
    FurtherCast,
}

impl Shape {
    fn take(&mut self, text: &[u8], token: Token, out: &mut impl FnMut(Piece)) {
        if token.kind == Kind::Semicolon {
            self.semicolon = (self.previous.end > 0).then_some(token);
            return;
        }
        if self.is_plain(&token) {
            self.previous = token;
            return self.piece(token, out);
        }
        if let Some(sign) = self.sign.take().filter(|_| token.kind != Kind::Number) {
            self.row(sign, out);
        }
        let signed = token.kind == Kind::Operator && matches!(token.of(text), b"-" | b"+") && self.begins_operand();
        self.previous = token;
        if signed { self.sign = Some(token) } else { self.row(token, out) }
    }

    /// Whether nothing before or in the token asks for more than passing it on.
    fn is_plain(&self, token: &Token) -> bool {
        let begins = matches!(token.word, Word::Values | Word::In | Word::Array) || token.kind == Kind::Operator;
        !begins && self.rows == Rows::No && self.list == List::No && self.sign.is_none()
    }

    /// Whether a sign that comes now belongs to what follows it.
    fn begins_operand(&self) -> bool {
        matches!(self.previous.kind, Kind::Operator | Kind::Open | Kind::OpenBracket | Kind::Comma)
            || matches!(self.previous.word, Word::Limit | Word::Offset | Word::And | Word::Or | Word::When | Word::Then | Word::Else)
    }

    fn row(&mut self, token: Token, out: &mut impl FnMut(Piece)) {
        self.rows = match (self.rows, token.kind) {
            (Rows::Values, Kind::Open) => Rows::First(1),
            (Rows::First(1), Kind::Close) => Rows::Between,
            (Rows::First(depth), Kind::Open) => Rows::First(depth + 1),
            (Rows::First(depth), Kind::Close) => Rows::First(depth - 1),
            (Rows::First(depth), _) => Rows::First(depth),
            (Rows::Between, Kind::Comma) => {
                self.rows = Rows::Comma(token.start);
                return;
            }
            (Rows::Comma(_), Kind::Open) => {
                self.rows = Rows::Further(1);
                return;
            }
            (Rows::Further(1), Kind::Close) => {
                self.rows = Rows::Between;
                return;
            }
            (Rows::Further(depth), kind) => {
                self.rows = Rows::Further(depth + u32::from(kind == Kind::Open) - u32::from(kind == Kind::Close));
                return;
            }
            (Rows::Comma(at), _) => {
                self.item(comma(at), out);
                Rows::No
            }
            _ if token.word == Word::Values => Rows::Values,
            _ => Rows::No,
        };
        self.item(token, out);
    }

    fn item(&mut self, token: Token, out: &mut impl FnMut(Piece)) {
        let closes = matches!(token.kind, Kind::Close | Kind::CloseBracket);
        let (next, drop) = match (self.list, token.kind) {
            (List::Word, Kind::Open | Kind::OpenBracket) => (List::Open, false),
            (List::Open, _) if token.is_value() => (List::First, false),
            (List::First, Kind::Cast) => (List::FirstCast, false),
            (List::FirstCast, Kind::Word) => (List::First, false),
            (List::First | List::Further, Kind::Comma) => (List::Comma(token.start), true),
            (List::Comma(_), _) if token.is_value() => (List::Further, true),
            (List::Further, Kind::Cast) => (List::FurtherCast, true),
            (List::FurtherCast, Kind::Word) => (List::Further, true),
            (List::First | List::Further, _) if closes => {
                out(Piece::More);
                (List::No, false)
            }
            (List::Comma(at), _) => {
                self.piece(comma(at), out);
                (List::No, false)
            }
            _ => (if matches!(token.word, Word::In | Word::Array) { List::Word } else { List::No }, false),
        };
        self.list = next;
        if !drop {
            self.piece(token, out);
        }
    }

    fn piece(&mut self, token: Token, out: &mut impl FnMut(Piece)) {
        if let Some(semicolon) = self.semicolon.take() {
            out(Piece::Token(semicolon));
        }
        out(if token.is_value() { Piece::Value } else { Piece::Token(token) });
    }
}

fn comma(at: usize) -> Token {
    Token { kind: Kind::Comma, start: at, end: at + 1, ..Token::default() }
}

/// Pieces as one line.
#[derive(Default)]
struct Writer {
    out: String,
    values: usize,
    previous: Option<Token>,
}

impl Writer {
    fn piece(&mut self, text: &[u8], piece: Piece) {
        let token = match piece {
            Piece::Token(token) => token,
            Piece::Value => Token { kind: Kind::Parameter, ..Token::default() },
            Piece::More => return self.out.push_str(", …"),
        };
        if self.previous.is_some_and(|previous| is_apart(&previous, &token)) {
            self.out.push(' ');
        }
        match (piece, token.kind) {
            (Piece::Value, _) => {
                self.values += 1;
                self.out.push_str(&format!("${}", self.values));
            }
            (_, Kind::Word) => self.out.push_str(&String::from_utf8_lossy(&token.of(text).to_ascii_lowercase())),
            _ => self.out.push_str(&String::from_utf8_lossy(token.of(text))),
        }
        self.previous = Some(token);
    }
}

/// Whether a space stands between two tokens.
fn is_apart(before: &Token, token: &Token) -> bool {
    use Kind::{Cast, Close, CloseBracket, Comma, Dot, Open, OpenBracket, Semicolon};
    match (before.kind, token.kind) {
        (Open | OpenBracket | Dot | Cast, _) | (_, Comma | Close | CloseBracket | OpenBracket | Dot | Cast | Semicolon) => false,
        (Kind::Quoted | Kind::UnicodeQuoted, Open) => false,
        (Kind::Word, Open) => before.word != Word::Other && !is_function(before.word),
        _ => true,
    }
}

fn is_function(word: Word) -> bool {
    word as u8 >= Word::AdvisoryLock as u8
}

#[cfg(test)]
mod tests;
