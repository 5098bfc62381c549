//! Reading a text at once or in turns.

use super::hash;
use super::reader::Reader;
use super::recognised::Recognised;
use super::tokens::Strings;

/// Reads a text of any number of statements: 12 ns a byte or so.
pub(crate) fn recognise(text: &[u8], strings: Strings) -> Recognised {
    let mut reading = Reading::new(text, strings);
    loop {
        if let Some(recognised) = reading.go_on(usize::MAX) {
            return recognised;
        }
    }
}

/// The same for a long text: other tasks of the loop get their turn meanwhile.
pub(crate) async fn recognise_in_turns(text: &[u8], strings: Strings) -> Recognised {
    let mut reading = Reading::new(text, strings);
    loop {
        if let Some(recognised) = reading.go_on(TURN) {
            return recognised;
        }
        tokio::task::yield_now().await;
    }
}

/// Tokens of one turn: 100 µs or so.
const TURN: usize = 4096;

/// A text that is being read. Where backslashes escape, once more as the standard says: in doubt, what the text would do in
/// either reading counts.
struct Reading<'a> {
    reader: Reader<'a>,
    first: Option<Recognised>,
}

impl<'a> Reading<'a> {
    fn new(text: &'a [u8], strings: Strings) -> Reading<'a> {
        Reading { reader: Reader::new(text, strings), first: None }
    }

    /// Reads at most so many tokens on; what the text does, once all is read.
    fn go_on(&mut self, tokens: usize) -> Option<Recognised> {
        for _ in 0..tokens {
            let Some(token) = self.reader.tokens.next() else { return self.end() };
            self.reader.take(token);
        }
        None
    }

    fn end(&mut self) -> Option<Recognised> {
        let text = self.reader.tokens.text;
        match (self.first.take(), self.reader.strings) {
            (None, Strings::Standard) => Some(self.reader.recognised()),
            (None, Strings::Backslash) => {
                self.first = Some(self.reader.recognised());
                self.reader = Reader::new(text, Strings::Standard);
                None
            }
            (Some(mut first), _) => {
                let other = self.reader.recognised();
                first.effects = first.effects.and(other.effects);
                first.touches.join(&other.touches);
                first.lookup = None;
                Some(first)
            }
        }
    }
}

/// See [`Recognised::hash`]: of a long text its beginning and its length.
pub(super) fn hash_of(text: &[u8], strings: Strings) -> u64 {
    let beginning = &text[..text.len().min(HASHED)];
    hash::mix(hash::of(beginning), (text.len() as u64) << 1 | strings as u64)
}

/// Bytes of a text that its hash is made of.
const HASHED: usize = 64 << 10;

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
