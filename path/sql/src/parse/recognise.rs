//! One pass over the tokens of a text: where its statements end, what each is, what they do.

use std::sync::Arc;

use super::calls;
use super::fingerprint::Fingerprint;
use super::hash;
use super::literals::dollar_body;
use super::lookup;
use super::recognised::{Effects, Recognised, Step, Steps};
use super::step::{self, Head};
use super::tokens::{Kind, Strings, Token, Tokens};
use super::touched::Touches;
use super::words::Word;

/// Tokens of a statement that are kept to tell what it is.
pub(super) const HEAD: usize = 12;

/// Most statements of one text that have a step; of the ones behind only the effects are known.
const MOST_STEPS: usize = 16_384;

/// Longest text that may have a lookup, bytes.
const LONGEST_LOOKUP: usize = 16 << 10;

/// Reads a text of any number of statements.
pub(crate) fn recognise(text: &[u8], strings: Strings) -> Recognised {
    let mut recognised = read(text, strings);
    if strings == Strings::Backslash {
        // in doubt more: what the text would do in the other reading counts too
        let other = read(text, Strings::Standard);
        recognised.effects = recognised.effects.and(other.effects);
        recognised.touches.join(&other.touches);
        recognised.lookup = None;
    }
    recognised
}

fn read(text: &[u8], strings: Strings) -> Recognised {
    let mut reader = Reader::new(text, strings);
    while let Some(token) = reader.tokens.next() {
        reader.take(token);
    }
    reader.end_statement();
    let one = reader.steps.len() == 1 && reader.parameters && text.len() <= LONGEST_LOOKUP;
    let lookup = if one { lookup::of(text).map(Arc::new) } else { None };
    Recognised {
        hash: hash_of(text, strings),
        effects: reader.effects,
        steps: Steps::from(reader.steps),
        touches: reader.touches,
        fingerprint: reader.fingerprint.end(),
        lookup,
    }
}

/// See [`Recognised::hash`].
pub(super) fn hash_of(text: &[u8], strings: Strings) -> u64 {
    hash::mix(hash::of(text), strings as u64)
}

/// Where each statement of a text stands, in the order of [`Recognised::steps`].
pub(crate) fn statements(text: &[u8], strings: Strings) -> Vec<std::ops::Range<usize>> {
    let mut reader = Reader::new(text, strings);
    let mut found = Vec::new();
    let mut range = 0..0;
    while let Some(token) = reader.tokens.next() {
        let before = reader.steps.len();
        reader.take(token);
        if reader.statement.is_empty() {
            let range = std::mem::take(&mut range);
            found.extend((reader.steps.len() > before).then_some(range));
        } else {
            range = if range.is_empty() { token.start..token.end } else { range.start..token.end };
        }
    }
    let before = reader.steps.len();
    reader.end_statement();
    found.extend((reader.steps.len() > before).then_some(range));
    found
}

struct Reader<'a> {
    tokens: Tokens<'a>,
    strings: Strings,
    statement: Statement,
    effects: Effects,
    touches: Touches,
    steps: Vec<Step>,
    fingerprint: Fingerprint<'a>,
    parameters: bool,
}

/// What is known of the statement that is being read.
#[derive(Default)]
struct Statement {
    head: [Token; HEAD],
    kept: usize,
    explain: Explain,
    previous: Token,
    depth: usize,
    /// Inside `BEGIN ATOMIC … END`.
    atomic: bool,
    /// `WITH HOLD` of a `DECLARE`.
    hold: bool,
    /// `FROM STDIN` or `TO STDOUT` of a `COPY`.
    copies: bool,
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
    fn is_empty(&self) -> bool {
        self.kept == 0 && self.explain == Explain::No
    }

    fn verb(&self) -> Word {
        self.head[0].word
    }

    /// `CREATE [OR REPLACE] FUNCTION | PROCEDURE`: its body may hold statements.
    fn makes_function(&self) -> bool {
        let at = if self.head[1].is(Word::Or) { 3 } else { 1 };
        self.verb() == Word::Create && matches!(self.head[at].word, Word::Function | Word::Procedure)
    }

    /// Whether `token` ends the statement.
    fn ends_at(&self, token: &Token) -> bool {
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

    fn take(&mut self, token: &Token) {
        if !self.explains(token) && self.kept < HEAD {
            self.head[self.kept] = *token;
            self.kept += 1;
        }
        self.nest(token);
    }
}

impl<'a> Reader<'a> {
    fn new(text: &'a [u8], strings: Strings) -> Reader<'a> {
        Reader {
            tokens: Tokens::new(text, strings),
            strings,
            statement: Statement::default(),
            effects: Effects::NONE,
            touches: Touches::none(),
            steps: Vec::new(),
            fingerprint: Fingerprint::new(text),
            parameters: false,
        }
    }

    fn take(&mut self, token: Token) {
        self.fingerprint.take(token);
        if self.statement.ends_at(&token) {
            return self.end_statement();
        }
        self.statement.take(&token);
        match token.kind {
            Kind::Word if token.word == Word::Other => self.named(&token),
            Kind::Word => self.keyword(&token),
            Kind::Open => self.call(),
            Kind::Parameter => self.parameters = true,
            Kind::Quoted if token.word == Word::PgTemp => self.effects = self.effects.and(Effects::TEMPORARY),
            Kind::UnicodeQuoted => self.effects = self.effects.and(calls::unknown(&mut self.touches)),
            Kind::Text | Kind::Escaped | Kind::Dollar if self.statement.verb() == Word::Do => self.body(&token),
            _ => {}
        }
        self.statement.previous = token;
    }

    /// A word that is none of ours may still be the name of a temporary schema.
    fn named(&mut self, token: &Token) {
        let name = token.of(self.tokens.text);
        if name.len() > 8 && name[..8].eq_ignore_ascii_case(b"pg_temp_") {
            self.effects = self.effects.and(Effects::TEMPORARY);
        }
    }

    fn keyword(&mut self, token: &Token) {
        let statement = &mut self.statement;
        let (verb, outermost) = (statement.verb(), statement.depth == 0);
        let did = match (statement.previous.word, token.word) {
            (_, Word::PgTemp) => Effects::TEMPORARY,
            (Word::Create | Word::Replace | Word::Local | Word::Global | Word::Into, Word::Temp | Word::Temporary) => {
                Effects::TEMPORARY.and(Effects::DEFINES)
            }
            (Word::Insert | Word::Merge, Word::Into) | (Word::Delete, Word::From) => Effects::SEQUENCES_USED,
            // of a SELECT: a table is made
            (_, Word::Into) => Effects::DEFINES,
            (Word::For | Word::Key, Word::Update) => Effects::NONE,
            // triggers may use one
            (_, Word::Update) => Effects::SEQUENCES_USED,
            (_, Word::From) if verb == Word::Copy && outermost => Effects::SEQUENCES_USED,
            (Word::From | Word::To, Word::Stdin | Word::Stdout) if verb == Word::Copy && outermost => {
                statement.copies = true;
                Effects::NONE
            }
            (Word::With, Word::Hold) if verb == Word::Declare && outermost => {
                statement.hold = true;
                Effects::CURSORS
            }
            _ => Effects::NONE,
        };
        self.effects = self.effects.and(did);
    }

    /// An opening parenthesis: what stands before it may be a function.
    fn call(&mut self) {
        let did = match self.statement.previous.word {
            Word::SetConfig => calls::set_config(self.tokens.clone(), &mut self.touches),
            function => calls::effects(function),
        };
        self.effects = self.effects.and(did);
    }

    /// The body of a `DO`; one that must be unescaped first is not read.
    fn body(&mut self, token: &Token) {
        let written = token.of(self.tokens.text);
        let did = match token.kind {
            Kind::Dollar => calls::of_body(Tokens::new(dollar_body(written), self.strings), &mut self.touches),
            _ => calls::unknown(&mut self.touches),
        };
        self.effects = self.effects.and(did);
    }

    fn end_statement(&mut self) {
        let statement = std::mem::take(&mut self.statement);
        if statement.is_empty() {
            return;
        }
        let head = Head { text: self.tokens.text, tokens: &statement.head[..statement.kept] };
        let (step, did) = step::of(head, &mut self.touches);
        self.effects = self.effects.and(did);
        if self.steps.len() == MOST_STEPS {
            self.effects = self.effects.and(Effects::OPAQUE);
            return;
        }
        self.steps.push(match step {
            Step::Other if statement.hold && statement.explain == Explain::No => Step::DeclareHold,
            Step::Other if statement.copies => Step::Copy,
            step if statement.explain == Explain::No || matches!(step, Step::Execute(_)) => step,
            _ => Step::Other,
        });
    }
}
