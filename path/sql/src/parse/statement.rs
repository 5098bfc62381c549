//! What is known of the statement that is being read, token by token.

use super::tokens::{Kind, Token};
use super::words::Word;

/// Tokens of a statement that are kept to tell what it is.
pub(super) const HEAD: usize = 12;

/// What is known of the statement that is being read.
#[derive(Default)]
pub(super) struct Statement {
    head: [Token; HEAD],
    kept: usize,
    explain: Explain,
    pub(super) previous: Token,
    pub(super) depth: usize,
    /// Inside `BEGIN ATOMIC … END`.
    atomic: bool,
    /// `WITH HOLD` of a `DECLARE`.
    pub(super) hold: bool,
    /// `FROM STDIN` or `TO STDOUT` of a `COPY`.
    pub(super) copies: bool,
    /// `AS EXECUTE name` of a `CREATE TABLE`.
    pub(super) executes: Option<Box<str>>,
}

/// How far an `EXPLAIN` before the statement was read.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Explain {
    #[default]
    No,
    Word,
    /// In its options, in parentheses.
    Options,
    Done,
}

impl Statement {
    /// For the next statement; what is left of the head behind its beginning is not looked at.
    pub(super) fn begin_anew(&mut self) {
        let Statement { head, kept, explain, previous, depth, atomic, hold, copies, executes } = self;
        (head[0], *previous, *explain) = Default::default();
        (*kept, *depth) = (0, 0);
        (*atomic, *hold, *copies, *executes) = (false, false, false, None);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept == 0 && self.explain == Explain::No
    }

    pub(super) fn verb(&self) -> Word {
        self.head[0].word
    }

    /// `CREATE [OR REPLACE] FUNCTION | PROCEDURE`: its body may hold statements.
    fn makes_function(&self) -> bool {
        let at = if self.head[1].is(Word::Or) { 3 } else { 1 };
        self.verb() == Word::Create && matches!(self.head[at].word, Word::Function | Word::Procedure)
    }

    /// Whether `token` ends the statement.
    pub(super) fn ends_at(&self, token: &Token) -> bool {
        token.kind == Kind::Semicolon && self.depth == 0 && !self.atomic
    }

    /// Whether `token` belongs to the `EXPLAIN` before the statement.
    fn explains(&mut self, token: &Token) -> bool {
        self.explain = match (self.explain, token.kind, token.word) {
            (Explain::No, _, Word::Explain) if self.kept == 0 => Explain::Word,
            (Explain::Word, Kind::Open, _) if self.previous.is(Word::Explain) => Explain::Options,
            (Explain::Word, _, Word::Analyze | Word::Analyse | Word::Verbose) => Explain::Word,
            (Explain::Word, _, _) => Explain::Done,
            (Explain::Options, Kind::Close, _) if self.depth == 1 => {
                // the verb follows
                self.explain = Explain::Done;
                return true;
            }
            (same, _, _) => same,
        };
        matches!(self.explain, Explain::Word | Explain::Options)
    }

    fn nest(&mut self, token: &Token) {
        let after = (self.previous.kind, self.previous.word);
        match (token.kind, token.word) {
            (Kind::Open, _) => self.depth += 1,
            (Kind::Close, _) => self.depth = self.depth.saturating_sub(1),
            (_, Word::Atomic) if after.1 == Word::Begin && self.depth == 0 && self.makes_function() => self.atomic = true,
            // only after a semicolon or at once: elsewhere it ends a CASE or is a label
            (_, Word::End) if self.depth == 0 && (after.0 == Kind::Semicolon || after.1 == Word::Atomic) => self.atomic = false,
            _ => {}
        }
    }

    pub(super) fn take(&mut self, token: &Token) {
        let begun = self.kept > 0;
        if self.kept < HEAD && (begun || !self.explains(token)) {
            self.head[self.kept] = *token;
            self.kept += 1;
        }
        self.nest(token);
    }

    /// Its first tokens.
    pub(super) fn head(&self) -> &[Token] {
        &self.head[..self.kept]
    }

    /// Whether an `EXPLAIN` stands before it.
    pub(super) fn is_explained(&self) -> bool {
        self.explain != Explain::No
    }
}
