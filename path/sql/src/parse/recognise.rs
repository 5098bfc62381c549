//! Reading a text at once or in turns.

use super::hash;
use super::reader::Reader;
use super::recognised::Recognised;
use super::tokens::{Strings, Tokens};

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

/// Tokens of one turn: 50 µs or so.
const TURN: usize = 1024;

/// Bytes in which names are looked for in the time of a token, or so.
const TOKEN: usize = 8;

/// A text that is being read, as its session reads it. Then in doubt more: what it would do in another reading counts too,
/// with backslashes that do not escape, or that are half a letter.
struct Reading<'a> {
    reader: Reader<'a>,
    first: Option<Recognised>,
    others: Vec<Tokens<'a>>,
    /// All readings have ended: where names are still to be looked for.
    rest: Option<&'a [u8]>,
}

impl<'a> Reading<'a> {
    fn new(text: &'a [u8], strings: Strings) -> Reading<'a> {
        Reading { reader: Reader::new(Tokens::new(text, strings), strings), first: None, others: Vec::new(), rest: None }
    }

    /// Reads at most so many tokens on; what the text does, once all is read.
    fn go_on(&mut self, tokens: usize) -> Option<Recognised> {
        if let Some(rest) = self.rest {
            return self.look_for_names(rest, tokens.saturating_mul(TOKEN));
        }
        for _ in 0..tokens {
            if !self.reader.read() {
                self.end();
                return None;
            }
        }
        None
    }

    fn look_for_names(&mut self, text: &'a [u8], most: usize) -> Option<Recognised> {
        let rest = self.first.as_mut()?.touches.look_for(text, most);
        self.rest = Some(rest);
        if rest.is_empty() { self.first.take() } else { None }
    }

    /// A reading has ended.
    fn end(&mut self) {
        let (text, strings) = (self.reader.tokens.text, self.reader.strings);
        let read = self.reader.recognised();
        match &mut self.first {
            None => {
                self.others.extend((strings == Strings::Backslash).then(|| Tokens::new(text, Strings::Standard)));
                self.others.extend(self.reader.tokens.is_doubtful.then(|| Tokens::with_halves(text, strings)));
                self.first = Some(read);
            }
            Some(first) => {
                first.effects = first.effects.and(read.effects);
                first.touches.join(&read.touches);
                first.constants = first.constants.max(read.constants);
                first.lookup = None;
            }
        }
        match self.others.pop() {
            Some(tokens) => self.reader = Reader::new(tokens, strings),
            None => self.rest = Some(text),
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
    let mut reader = Reader::new(Tokens::new(text, strings), strings);
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
