use std::sync::Arc;

use super::shapes::Shapes;
use super::worth::Worth;
use crate::parse::{Recognised, Strings, Texts};
use crate::session::Statement;

/// Statements that a loop remembers; a power of two.
const STATEMENTS: usize = 4096;

/// Longest text with its types that is remembered, bytes.
const LONGEST: usize = 16 << 10;

/// Bytes of all that is remembered.
const BYTES: usize = 8 << 20;

/// Texts that a loop remembers, and their bytes.
const TEXTS: (usize, usize) = (8192, 8 << 20);

/// What one loop remembers of texts and of statements, so that those that come again cost no memory of their own.
#[derive(Debug)]
pub(crate) struct Memory {
    texts: Texts,
    shapes: Shapes,
    /// By hash; a newer one takes the place of an older one.
    statements: Box<[Option<Arc<Statement>>]>,
    bytes: usize,
    /// Which statements are worth keeping.
    pub(crate) worth: Worth,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory {
            texts: Texts::new(TEXTS.0, TEXTS.1),
            shapes: Shapes::default(),
            statements: vec![None; STATEMENTS].into(),
            bytes: 0,
            worth: Worth::default(),
        }
    }
}

impl Memory {
    /// What the text of a simple query does, as a session reads it whose strings are these. Its hash may be that of another.
    pub(crate) fn text(&mut self, text: &[u8], strings: Strings) -> Arc<Recognised> {
        let Memory { shapes, texts, .. } = self;
        shapes.recognise(text, strings, || texts.recognise(text, strings))
    }

    /// A text with the types of its parameters.
    pub(crate) fn statement(&mut self, text: &[u8], types: &[u8], strings: Strings) -> Arc<Statement> {
        let recognised = self.texts.recognise(text, strings);
        let place = (recognised.hash ^ sum(types)) as usize % STATEMENTS;
        if let Some(known) = &self.statements[place]
            && known.recognised.hash == recognised.hash
            && *known.text == *text
            && *known.types == *types
        {
            return known.clone();
        }
        let statement = Arc::new(Statement { text: text.into(), types: types.into(), recognised });
        // A text that the loop does not remember may never come again.
        if Arc::strong_count(&statement.recognised) > 1 && types.len() <= LONGEST {
            self.keep(place, statement.clone());
        }
        statement
    }

    fn keep(&mut self, place: usize, statement: Arc<Statement>) {
        self.bytes += size(&statement);
        if let Some(older) = self.statements[place].replace(statement) {
            self.bytes -= size(&older);
        }
        if self.bytes > BYTES {
            self.statements.fill(None);
            self.bytes = 0;
        }
    }
}

fn size(statement: &Statement) -> usize {
    statement.text.len() + statement.types.len()
}

fn sum(types: &[u8]) -> u64 {
    types.iter().fold(0, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_is_the_same() {
        let mut memory = Memory::default();
        memory.statement(b"SELECT $1", b"\0\0", Strings::Standard);
        let one = memory.statement(b"SELECT $1", b"\0\0", Strings::Standard);
        assert!(Arc::ptr_eq(&one, &memory.statement(b"SELECT $1", b"\0\0", Strings::Standard)));
        let other = memory.statement(b"SELECT $1", b"\0\x01\0\0\0\x17", Strings::Standard);
        assert!(one != other && one.text == other.text);
    }

    #[test]
    fn bytes_are_bounded() {
        let mut memory = Memory::default();
        for number in 0..2000 {
            let text = format!("SELECT {number:>10000}");
            for _ in 0..2 {
                assert_eq!(*memory.statement(text.as_bytes(), b"\0\0", Strings::Standard).text, *text.as_bytes());
            }
            assert!(memory.bytes <= BYTES);
        }
    }
}
