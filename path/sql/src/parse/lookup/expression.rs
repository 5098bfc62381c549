//! What may stand in a list of results, values or assignments, and what may be compared.

use super::super::recognised::{Compared, Operand};
use super::super::tokens::Kind;
use super::super::words::Word;
use super::shape::{Shape, plain};

/// How deep parentheses may nest.
pub(super) const DEEPEST: u8 = 8;

impl Shape<'_> {
    /// What a statement gives: columns and simple expressions, with labels.
    pub(super) fn items(&mut self) -> Option<()> {
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

    pub(super) fn expressions(&mut self) -> Option<()> {
        self.expression(DEEPEST)?;
        while self.eat_kind(Kind::Comma).is_some() {
            self.expression(DEEPEST)?;
        }
        Some(())
    }

    /// Operands and arithmetic, no call, nothing that holds a query; whether it was `table.*`.
    pub(super) fn expression(&mut self, deeper: u8) -> Option<bool> {
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
    pub(super) fn operand(&mut self, deeper: u8) -> Option<bool> {
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
    pub(super) fn type_name(&mut self) -> Option<Box<str>> {
        self.next.filter(|next| next.kind == Kind::Word)?;
        let name = self.name().and_then(plain)?;
        if self.eat_kind(Kind::Open).is_some() {
            self.eat_kind(Kind::Number)?;
            self.eat_kind(Kind::Close)?;
        }
        Some(name)
    }

    /// `column = value AND …`, in any parentheses; `1 = 1` says nothing.
    pub(super) fn conditions(&mut self, deeper: u8) -> Option<Vec<Compared>> {
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

    pub(super) fn compared(&mut self) -> Option<Operand> {
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
}
