//! Statements whose plan cannot depend on their parameters' values once the columns they compare hold a unique key: strict
//! shapes only; whatever is not exactly one of them is none. In doubt none: the statement then works as ever, a little slower.

use super::names;
use super::recognised::{Compared, Lookup, Operand};
use super::tokens::{Kind, Strings, Token, Tokens};
use super::words::Word;

/// How deep parentheses may nest.
const DEEPEST: u8 = 8;

/// The lookup that a text of one statement is; plain strings in it are read as the standard says.
pub(super) fn of(text: &[u8]) -> Option<Lookup> {
    let mut shape = Shape::new(text);
    let verb = shape.bump()?;
    let (table, compared) = match verb.word {
        Word::Select => shape.select()?,
        Word::Update => shape.update()?,
        Word::Delete => shape.delete()?,
        Word::Insert => (shape.insert()?, Vec::new()),
        _ => return None,
    };
    while shape.eat_kind(Kind::Semicolon).is_some() {}
    let by_parameter = verb.word == Word::Insert || compared.iter().any(|compared| compared.with != Operand::Constant);
    (shape.next.is_none() && by_parameter).then(|| Lookup { table, compared: compared.into() })
}

type Found = (Box<str>, Vec<Compared>);

struct Shape<'a> {
    tokens: Tokens<'a>,
    text: &'a [u8],
    next: Option<Token>,
}

impl<'a> Shape<'a> {
    fn new(text: &'a [u8]) -> Shape<'a> {
        let mut tokens = Tokens::new(text, Strings::Standard);
        let next = tokens.next();
        Shape { tokens, text, next }
    }

    fn bump(&mut self) -> Option<Token> {
        std::mem::replace(&mut self.next, self.tokens.next())
    }

    fn peek(&self) -> Token {
        self.next.unwrap_or_default()
    }

    fn eat(&mut self, word: Word) -> Option<()> {
        (self.peek().is(word) && self.peek().kind == Kind::Word).then(|| self.bump()).map(drop)
    }

    fn eat_kind(&mut self, kind: Kind) -> Option<Token> {
        self.next.filter(|next| next.kind == kind).and_then(|_| self.bump())
    }

    fn eat_operator(&mut self, operators: &[&str]) -> Option<()> {
        let next = self.next.filter(|next| next.kind == Kind::Operator)?;
        operators.iter().any(|operator| next.of(self.text) == operator.as_bytes()).then(|| self.bump()).map(drop)
    }

    /// A name that is no keyword here.
    fn name(&mut self) -> Option<Box<str>> {
        let next = self.next.filter(|next| next.kind == Kind::Quoted || (next.kind == Kind::Word && may_be_name(next.word)))?;
        let name = names::name(self.text, &next)?;
        self.bump();
        Some(name)
    }

    /// `name.name…`, the last of at most three.
    fn column(&mut self) -> Option<Box<str>> {
        let mut name = self.name()?;
        for _ in 0..2 {
            if self.eat_kind(Kind::Dot).is_none() {
                break;
            }
            name = self.name()?;
        }
        Some(name)
    }

    fn table(&mut self) -> Option<Box<str>> {
        let first = self.name()?;
        let written = match self.eat_kind(Kind::Dot) {
            Some(_) => format!("\"{}\".\"{}\"", doubled(&first)?, doubled(&self.name()?)?),
            None => format!("\"{}\"", doubled(&first)?),
        };
        Some(written.into())
    }

    fn alias(&mut self) -> Option<()> {
        match self.eat(Word::As) {
            Some(()) => self.name().map(drop),
            None => {
                self.name();
                Some(())
            }
        }
    }

    fn select(&mut self) -> Option<Found> {
        self.items()?;
        self.eat(Word::From)?;
        let table = self.table()?;
        self.alias()?;
        self.eat(Word::Where)?;
        let compared = self.conditions(DEEPEST)?;
        self.bounds()?;
        while self.eat(Word::For).is_some() {
            self.locking()?;
        }
        Some((table, compared))
    }

    fn update(&mut self) -> Option<Found> {
        let table = self.table()?;
        self.alias()?;
        self.eat(Word::Set)?;
        self.assignments()?;
        self.eat(Word::Where)?;
        let compared = self.conditions(DEEPEST)?;
        self.returning()?;
        Some((table, compared))
    }

    fn delete(&mut self) -> Option<Found> {
        self.eat(Word::From)?;
        let table = self.table()?;
        self.alias()?;
        self.eat(Word::Where)?;
        let compared = self.conditions(DEEPEST)?;
        self.returning()?;
        Some((table, compared))
    }

    fn insert(&mut self) -> Option<Box<str>> {
        self.eat(Word::Into)?;
        let table = self.table()?;
        if self.eat(Word::As).is_some() {
            self.name()?;
        }
        self.columns()?;
        self.eat(Word::Values)?;
        loop {
            self.eat_kind(Kind::Open)?;
            self.expressions()?;
            self.eat_kind(Kind::Close)?;
            if self.eat_kind(Kind::Comma).is_none() {
                break;
            }
        }
        if self.eat(Word::On).is_some() {
            self.conflict()?;
        }
        self.returning()?;
        Some(table)
    }

    /// `(column, …)`, or nothing.
    fn columns(&mut self) -> Option<()> {
        if self.eat_kind(Kind::Open).is_none() {
            return Some(());
        }
        self.name()?;
        while self.eat_kind(Kind::Comma).is_some() {
            self.name()?;
        }
        self.eat_kind(Kind::Close).map(drop)
    }

    fn conflict(&mut self) -> Option<()> {
        self.eat(Word::Conflict)?;
        if self.eat(Word::On).is_some() {
            self.eat(Word::Constraint)?;
            self.name()?;
        } else {
            self.columns()?;
        }
        self.eat(Word::Do)?;
        match self.bump()?.word {
            Word::Nothing => Some(()),
            Word::Update => {
                self.eat(Word::Set)?;
                self.assignments()
            }
            _ => None,
        }
    }

    fn assignments(&mut self) -> Option<()> {
        loop {
            self.column()?;
            self.eat_operator(&["="])?;
            self.expression(DEEPEST)?;
            if self.eat_kind(Kind::Comma).is_none() {
                return Some(());
            }
        }
    }

    fn returning(&mut self) -> Option<()> {
        if self.eat(Word::Returning).is_some() { self.items() } else { Some(()) }
    }

    /// What a statement gives: columns and simple expressions, with labels.
    fn items(&mut self) -> Option<()> {
        loop {
            if self.eat_operator(&["*"]).is_none() && !self.expression(DEEPEST)? {
                if self.eat(Word::As).is_some() {
                    self.name()?;
                } else {
                    self.name();
                }
            }
            if self.eat_kind(Kind::Comma).is_none() {
                return Some(());
            }
        }
    }

    fn expressions(&mut self) -> Option<()> {
        self.expression(DEEPEST)?;
        while self.eat_kind(Kind::Comma).is_some() {
            self.expression(DEEPEST)?;
        }
        Some(())
    }

    /// Operands and arithmetic, no call, nothing that holds a query; whether it was `table.*`.
    fn expression(&mut self, deeper: u8) -> Option<bool> {
        loop {
            let _ = self.eat_operator(&["-", "+"]);
            if self.operand(deeper)? {
                return Some(true);
            }
            while self.eat_kind(Kind::Cast).is_some() {
                self.type_name()?;
            }
            if self.eat_operator(&["+", "-", "*", "/", "%", "||"]).is_none() {
                return Some(false);
            }
        }
    }

    /// One operand; whether it was `table.*`.
    fn operand(&mut self, deeper: u8) -> Option<bool> {
        let next = self.next?;
        if next.is_value() || matches!(next.word, Word::True | Word::False | Word::Null | Word::Default) {
            self.bump();
            return Some(false);
        }
        if next.kind == Kind::Open {
            self.bump();
            self.expression(deeper.checked_sub(1)?)?;
            return self.eat_kind(Kind::Close).map(|_| false);
        }
        self.name()?;
        for _ in 0..2 {
            if self.eat_kind(Kind::Dot).is_none() {
                break;
            }
            if self.eat_operator(&["*"]).is_some() {
                return Some(true);
            }
            self.name()?;
        }
        Some(false)
    }

    /// A type of one word, its length or precision left out.
    fn type_name(&mut self) -> Option<Box<str>> {
        self.next.filter(|next| next.kind == Kind::Word)?;
        let name = self.name().and_then(plain)?;
        if self.eat_kind(Kind::Open).is_some() {
            self.eat_kind(Kind::Number)?;
            self.eat_kind(Kind::Close)?;
        }
        Some(name)
    }

    /// `column = value AND …`, in any parentheses; `1 = 1` says nothing.
    fn conditions(&mut self, deeper: u8) -> Option<Vec<Compared>> {
        let mut found = Vec::new();
        loop {
            if self.eat_kind(Kind::Open).is_some() {
                found.extend(self.conditions(deeper.checked_sub(1)?)?);
                self.eat_kind(Kind::Close)?;
            } else if self.eat_kind(Kind::Number).is_some() {
                self.eat_operator(&["="])?;
                self.eat_kind(Kind::Number)?;
            } else {
                let column = self.column()?;
                self.eat_operator(&["="])?;
                found.push(Compared { column: plain(column)?, with: self.compared()? });
            }
            if self.eat(Word::And).is_none() {
                return Some(found);
            }
        }
    }

    fn compared(&mut self) -> Option<Operand> {
        let next = self.bump()?;
        match next.kind {
            Kind::Parameter => {
                if self.eat_kind(Kind::Cast).is_some() {
                    return self.type_name().map(Operand::Cast);
                }
                let number = std::str::from_utf8(&next.of(self.text)[1..]).ok()?;
                Some(Operand::Parameter(number.parse().ok().filter(|number| *number > 0)?))
            }
            Kind::Text => Some(Operand::Constant),
            // an integer; a decimal would make the column a numeric
            Kind::Number if next.of(self.text).iter().all(u8::is_ascii_digit) && next.end - next.start <= 18 => Some(Operand::Constant),
            Kind::Word if matches!(next.word, Word::True | Word::False) => Some(Operand::Constant),
            _ => None,
        }
    }

    /// `LIMIT n OFFSET n`, `FETCH FIRST n ROWS ONLY`, any of them or none.
    fn bounds(&mut self) -> Option<()> {
        loop {
            if self.eat(Word::Limit).or_else(|| self.eat(Word::Offset)).is_some() {
                self.count()?;
            } else if self.eat(Word::Fetch).is_some() {
                self.eat(Word::First).or_else(|| self.eat(Word::Next))?;
                self.count()?;
                self.eat(Word::Row).or_else(|| self.eat(Word::Rows))?;
                self.eat(Word::Only)?;
            } else {
                return Some(());
            }
        }
    }

    fn count(&mut self) -> Option<()> {
        self.eat_kind(Kind::Number).or_else(|| self.eat_kind(Kind::Parameter)).map(drop)
    }

    /// What follows the `FOR` of a lock.
    fn locking(&mut self) -> Option<()> {
        if self.eat(Word::No).is_some() {
            self.eat(Word::Key)?;
            self.eat(Word::Update)?;
        } else if self.eat(Word::Key).is_some() {
            self.eat(Word::Share)?;
        } else {
            self.eat(Word::Update).or_else(|| self.eat(Word::Share))?;
        }
        if self.eat(Word::Of).is_some() {
            self.name()?;
        }
        if self.eat(Word::Skip).is_some() {
            return self.eat(Word::Locked);
        }
        self.eat(Word::Nowait);
        Some(())
    }
}

/// Keywords that columns and tables are called by.
fn may_be_name(word: Word) -> bool {
    matches!(
        word,
        Word::Other
            | Word::Key
            | Word::Names
            | Word::Role
            | Word::Schema
            | Word::Session
            | Word::Start
            | Word::Time
            | Word::Work
            | Word::Zone
    )
}

/// A name that can be written into a question.
fn plain(name: Box<str>) -> Option<Box<str>> {
    doubled(&name).map(|_| name)
}

/// A name as it stands between quotes; none for one with a character that quoting could not make harmless in any session.
fn doubled(name: &str) -> Option<String> {
    (!name.contains(['\\', '\0', char::REPLACEMENT_CHARACTER])).then(|| name.replace('"', "\"\""))
}
