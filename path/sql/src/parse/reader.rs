//! One pass over the tokens of a text: where its statements end, what each is, what they do.

use std::sync::Arc;

use super::calls;
use super::constants::{self, Constants};
use super::fingerprint::Fingerprint;
use super::literals::dollar_body;
use super::lookup;
use super::names;
use super::recognise::hash_of;
use super::recognised::{Effects, Recognised, Step, Steps};
use super::statement::Statement;
use super::step::{self, Head};
use super::tokens::{Kind, Strings, Token, Tokens};
use super::touched::Touches;
use super::words::Word;

/// Most statements of one text that have a step; of the ones behind only the effects are known.
const MOST_STEPS: usize = 16_384;

/// Longest text that may have a lookup, bytes.
const LONGEST_LOOKUP: usize = 16 << 10;

/// A text that is being read.
pub(super) struct Reader<'a> {
    pub(super) tokens: Tokens<'a>,
    pub(super) strings: Strings,
    pub(super) statement: Statement,
    effects: Effects,
    touches: Touches,
    pub(super) steps: Steps,
    fingerprint: Fingerprint<'a>,
    parameters: bool,
    constants: Constants,
    /// The body of a `DO` that is being read.
    body: Option<Tokens<'a>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(tokens: Tokens<'a>, strings: Strings) -> Reader<'a> {
        let text = tokens.text;
        Reader {
            tokens,
            strings,
            statement: Statement::default(),
            effects: Effects::NONE,
            touches: Touches::none(),
            steps: Steps::default(),
            fingerprint: Fingerprint::new(text),
            parameters: false,
            constants: Constants::None,
            body: None,
        }
    }

    /// Reads one token more; `false`: there is none.
    pub(super) fn read(&mut self) -> bool {
        if self.body.is_some() {
            self.read_body();
            return true;
        }
        let token = self.tokens.next();
        token.into_iter().for_each(|token| self.take(token));
        token.is_some()
    }

    fn read_body(&mut self) {
        let Some(token) = self.body.as_mut().and_then(Iterator::next) else {
            self.body = None;
            return;
        };
        self.effects = self.effects.and(calls::in_body(&token, &mut self.touches));
    }

    pub(super) fn take(&mut self, token: Token) {
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
            Kind::Quoted if matches!(token.word, Word::PgTemp | Word::PgSettings) => self.keyword(&token),
            Kind::UnicodeQuoted => self.effects = self.effects.and(calls::unknown(&mut self.touches)).and(Effects::NAMELESS),
            Kind::Text | Kind::Escaped | Kind::Dollar => self.string(&token),
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
            (_, Word::PgSettings) => calls::settings(verb, &mut self.touches),
            (Word::Create | Word::Replace | Word::Local | Word::Global | Word::Into, Word::Temp | Word::Temporary) => {
                Effects::TEMPORARY.and(Effects::DEFINES)
            }
            (Word::Insert | Word::Merge, Word::Into) | (Word::Delete, Word::From) => Effects::SEQUENCES_USED,
            (Word::As, Word::Execute) if verb == Word::Create => {
                let next = self.tokens.clone().next().unwrap_or_default();
                statement.executes = names::name(self.tokens.text, &next);
                step::EXECUTES
            }
            // of a SELECT: a table is made
            (_, Word::Into) => Effects::DEFINES,
            (Word::For | Word::Key, Word::Update) => Effects::NONE,
            // triggers may use one
            (_, Word::Update) => Effects::SEQUENCES_USED,
            (_, Word::From) if verb == Word::Copy && outermost => Effects::SEQUENCES_USED,
            (Word::From | Word::To, Word::Stdin | Word::Stdout) if verb == Word::Copy && outermost => {
                statement.copies = true;
                if statement.previous.is(Word::From) { Effects::TAKES_DATA } else { Effects::NONE }
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
            Word::SetConfig => calls::set_config(self.tokens.clone(), self.statement.verb(), &mut self.touches),
            function => calls::effects(function),
        };
        self.effects = self.effects.and(did);
    }

    fn string(&mut self, token: &Token) {
        if self.statement.verb() == Word::Do {
            self.body(token);
        }
        if self.constants != Constants::Moment {
            self.constants = self.constants.max(constants::of(token, self.tokens.text));
        }
    }

    /// The body of a `DO`, which is read next; one that must be unescaped first is not read.
    fn body(&mut self, token: &Token) {
        match token.kind {
            Kind::Dollar => self.body = Some(Tokens::new(dollar_body(token.of(self.tokens.text)), self.strings)),
            _ => self.effects = self.effects.and(calls::unknown(&mut self.touches)),
        }
    }

    /// What the text does, all of it having been read.
    pub(super) fn recognised(&mut self) -> Recognised {
        self.end_statement();
        let text = self.tokens.text;
        let one = self.steps.len() == 1 && self.parameters && text.len() <= LONGEST_LOOKUP;
        Recognised {
            hash: hash_of(text, self.strings),
            effects: self.effects,
            steps: std::mem::take(&mut self.steps),
            touches: std::mem::replace(&mut self.touches, Touches::none()),
            fingerprint: self.fingerprint.end(),
            constants: self.constants,
            lookup: if one { lookup::of(text).map(Arc::new) } else { None },
        }
    }

    pub(super) fn end_statement(&mut self) {
        if !self.statement.is_empty() {
            self.add_step();
            self.statement.begin_anew();
        }
    }

    fn add_step(&mut self) {
        let statement = &mut self.statement;
        let head = Head { text: self.tokens.text, tokens: statement.head() };
        let (step, did) = step::of(head, &mut self.touches);
        self.effects = self.effects.and(did);
        if self.steps.len() == MOST_STEPS {
            self.effects = self.effects.and(Effects::OPAQUE);
            return;
        }
        self.steps.push(match step {
            Step::Other if statement.hold && !statement.is_explained() => Step::DeclareHold,
            Step::Other if statement.copies => Step::Copy,
            Step::Other if statement.executes.is_some() => Step::Execute(statement.executes.take().unwrap_or_default()),
            step if !statement.is_explained() || matches!(step, Step::Execute(_)) => step,
            _ => Step::Other,
        });
    }
}
