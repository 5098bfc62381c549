//! Statements whose plan cannot depend on their parameters' values once the columns they compare hold a unique key: strict
//! shapes only; whatever is not exactly one of them is none. In doubt none: the statement then works as ever, a little slower.

mod expression;
mod shape;

use expression::DEEPEST;
use shape::Shape;

use super::recognised::{Compared, Lookup, Operand};
use super::tokens::Kind;
use super::words::Word;

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

impl Shape<'_> {
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

#[cfg(test)]
mod tests;
