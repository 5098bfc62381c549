//! A text that is read token by token for as long as it is what is asked for.

use super::super::names;
use super::super::tokens::{Kind, Strings, Token, Tokens};
use super::super::words::Word;

pub(super) struct Shape<'a> {
    tokens: Tokens<'a>,
    pub(super) text: &'a [u8],
    pub(super) next: Option<Token>,
}

impl<'a> Shape<'a> {
    pub(super) fn new(text: &'a [u8]) -> Shape<'a> {
        let mut tokens = Tokens::new(text, Strings::Standard);
        let next = tokens.next();
        Shape { tokens, text, next }
    }

    pub(super) fn bump(&mut self) -> Option<Token> {
        std::mem::replace(&mut self.next, self.tokens.next())
    }

    pub(super) fn peek(&self) -> Token {
        self.next.unwrap_or_default()
    }

    pub(super) fn eat(&mut self, word: Word) -> Option<()> {
        (self.peek().is(word) && self.peek().kind == Kind::Word).then(|| self.bump()).map(drop)
    }

    pub(super) fn eat_kind(&mut self, kind: Kind) -> Option<Token> {
        self.next.filter(|next| next.kind == kind).and_then(|_| self.bump())
    }

    pub(super) fn eat_operator(&mut self, operators: &[&str]) -> Option<()> {
        let next = self.next.filter(|next| next.kind == Kind::Operator)?;
        operators.iter().any(|operator| next.of(self.text) == operator.as_bytes()).then(|| self.bump()).map(drop)
    }

    /// A name that is no keyword here.
    pub(super) fn name(&mut self) -> Option<Box<str>> {
        let next = self.next.filter(|next| next.kind == Kind::Quoted || (next.kind == Kind::Word && may_be_name(next.word)))?;
        let name = names::name(self.text, &next)?;
        self.bump();
        Some(name)
    }

    /// `name.name…`, the last of at most three.
    pub(super) fn column(&mut self) -> Option<Box<str>> {
        let mut name = self.name()?;
        for _ in 0..2 {
            if self.eat_kind(Kind::Dot).is_none() {
                break;
            }
            name = self.name()?;
        }
        Some(name)
    }

    pub(super) fn table(&mut self) -> Option<Box<str>> {
        let first = self.name()?;
        let written = match self.eat_kind(Kind::Dot) {
            Some(_) => format!("\"{}\".\"{}\"", doubled(&first)?, doubled(&self.name()?)?),
            None => format!("\"{}\"", doubled(&first)?),
        };
        Some(written.into())
    }

    pub(super) fn alias(&mut self) -> Option<()> {
        match self.eat(Word::As) {
            Some(()) => self.name().map(drop),
            None => {
                self.name();
                Some(())
            }
        }
    }
}

/// Keywords that columns and tables are called by.
fn may_be_name(word: Word) -> bool {
    matches!(
        word,
        Word::Other
            | Word::First
            | Word::Key
            | Word::Load
            | Word::Locked
            | Word::Names
            | Word::Next
            | Word::Plans
            | Word::Release
            | Word::Replace
            | Word::Role
            | Word::Rows
            | Word::Schema
            | Word::Session
            | Word::Share
            | Word::Start
            | Word::Temp
            | Word::Time
            | Word::Work
            | Word::Zone
    )
}

/// A name that can be written into a question.
pub(super) fn plain(name: Box<str>) -> Option<Box<str>> {
    doubled(&name).map(|_| name)
}

/// A name as it stands between quotes; none for one with a character that quoting could not make harmless in any session.
fn doubled(name: &str) -> Option<String> {
    (!name.contains(['\\', '\0', char::REPLACEMENT_CHARACTER])).then(|| name.replace('"', "\"\""))
}
