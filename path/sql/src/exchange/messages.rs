//! parse: the messages at the front of a client's input, framed, and what their texts do.

use std::collections::VecDeque;
use std::sync::Arc;

use loops::BUFFER_BYTES;

use super::memory::Memory;
use super::message::{self, Framed, Refused};
use crate::frame::HEADER;
use crate::parse::{Effects, Recognised, Strings};
use crate::session::Statement;

/// From so many bytes on a message's text is read in turns, so that others have theirs.
const LONG: usize = 32 << 10;

/// Messages for which there is room when the next ones come.
const KEPT: usize = 256;

/// Messages that have come and are not dealt with, in order.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    queue: VecDeque<Message>,
    /// Bytes of all of them; of the last one perhaps not all have come.
    framed: usize,
    refused: Option<Refused>,
    /// Messages after which something is answered whatever follows.
    ends: usize,
    effects: Effects,
    /// One follows whose text is to be read in turns.
    long: Option<Long>,
}

/// A message whose text takes too long to read at once.
#[derive(Debug, Clone, Copy)]
struct Long {
    tag: u8,
    length: usize,
}

/// One message.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) tag: u8,
    /// Bytes in all.
    pub(crate) length: usize,
    pub(crate) meaning: Meaning,
}

/// What the text of a message means.
#[derive(Debug, Default)]
pub(crate) enum Meaning {
    /// It has none.
    #[default]
    Nothing,
    /// Of a `Query`.
    Query(Arc<Recognised>),
    /// Of a `Parse`.
    Parse(Arc<Statement>),
    /// Of a `FunctionCall`: a text that does as much.
    Call(Arc<Recognised>),
}

impl Messages {
    /// Frames what lies in `source` behind what is framed; gives how long `source` must be before more can be.
    pub(crate) fn read(&mut self, source: &[u8], memory: &mut Memory, strings: Strings) -> usize {
        while self.refused.is_none() && self.long.is_none() {
            let Some(rest) = source.get(self.framed..) else { return source.len() + 1 };
            match message::frame(rest) {
                Ok(Framed::More(count)) => return self.framed + count,
                Ok(Framed::Message { tag: tag @ (b'Q' | b'P'), length }) if length > LONG => self.long = Some(Long { tag, length }),
                Ok(Framed::Message { tag, length }) => self.add(tag, length, meaning(tag, length, rest, memory, strings)),
                Err(refused) => self.refused = Some(refused),
            }
        }
        source.len() + 1
    }

    /// Whether a message follows whose text is to be read in turns.
    pub(crate) fn has_long(&self) -> bool {
        self.long.is_some()
    }

    /// The text of the message that is to be read in turns; then [`Messages::add_long`].
    pub(crate) fn long<'m>(&self, source: &'m [u8]) -> Option<&'m [u8]> {
        let Long { tag, length } = self.long?;
        let body = source.get(self.framed + HEADER..self.framed + length)?;
        Some(if tag == b'P' { message::parse(body).map_or(&b""[..], |parse| parse.1) } else { text(body) })
    }

    /// Such a text was read; what follows can be framed.
    pub(crate) fn add_long(&mut self, source: &[u8], recognised: Recognised) {
        let Some(Long { tag, length }) = self.long.take() else { return };
        let (body, recognised) = (&source[self.framed + HEADER..self.framed + length], Arc::new(recognised));
        let parsed = |(_, text, types): (_, &[u8], &[u8])| {
            Meaning::Parse(Arc::new(Statement { text: text.into(), types: types.into(), recognised: recognised.clone() }))
        };
        let meaning = if tag == b'P' { message::parse(body).map_or(Meaning::Nothing, parsed) } else { Meaning::Query(recognised) };
        self.add(tag, length, meaning);
    }

    fn add(&mut self, tag: u8, length: usize, meaning: Meaning) {
        match &meaning {
            Meaning::Nothing => {}
            Meaning::Query(text) | Meaning::Call(text) => self.effects = self.effects.and(text.effects),
            Meaning::Parse(statement) => self.effects = self.effects.and(statement.recognised.effects),
        }
        self.ends += usize::from(is_end(tag));
        self.framed += length;
        self.queue.push_back(Message { tag, length, meaning });
    }

    /// The first one.
    pub(crate) fn front(&self) -> Option<&Message> {
        self.queue.front()
    }

    /// How many bytes may lie there: the first one, and some of what follows it.
    pub(crate) fn room(&self) -> usize {
        self.front().map_or(0, |first| first.length) + BUFFER_BYTES
    }

    /// Takes the first one.
    pub(crate) fn pop(&mut self) -> Option<Message> {
        let message = self.queue.pop_front()?;
        self.framed -= message.length;
        self.ends -= usize::from(is_end(message.tag));
        Some(message)
    }

    /// The one taken last is not dealt with yet.
    pub(crate) fn put_back(&mut self, message: Message) {
        self.framed += message.length;
        self.ends += usize::from(is_end(message.tag));
        self.queue.push_front(message);
    }

    /// Forgets what the texts may do that were taken, if those were all.
    pub(crate) fn settle(&mut self) {
        if self.queue.is_empty() {
            self.effects = Effects::NONE;
        }
    }

    /// The texts of all of them, those of statements that `named` knows by name too; `source` begins with the first.
    pub(crate) fn texts<'m>(
        &'m self,
        source: &'m [u8],
        named: impl Fn(&[u8]) -> Option<Arc<Recognised>> + 'm,
    ) -> impl Iterator<Item = Arc<Recognised>> + 'm {
        let mut at = 0;
        self.queue.iter().filter_map(move |message| {
            let body = source.get(at + HEADER..).unwrap_or_default();
            at += message.length;
            match &message.meaning {
                Meaning::Query(text) | Meaning::Call(text) => Some(text.clone()),
                Meaning::Parse(statement) => Some(statement.recognised.clone()),
                Meaning::Nothing if message.tag == b'B' => named(message::bind(body)?.1),
                Meaning::Nothing => None,
            }
        })
    }

    /// What follows the last one and is no message.
    pub(crate) fn refused(&self) -> Option<&Refused> {
        self.refused.as_ref()
    }

    /// Whether nothing that follows matters: the client said that it leaves, or sent what is no message.
    pub(crate) fn is_end(&self) -> bool {
        self.refused.is_some() || self.queue.back().is_some_and(|last| last.tag == b'X')
    }

    /// Whether something is there that a server should have without waiting for more.
    pub(crate) fn is_due(&self) -> bool {
        self.ends > 0 || self.refused.is_some()
    }

    /// Whether the last of them is the only one that ends something: what is left of a single batch, whole. `source` begins
    /// with the first.
    pub(crate) fn are_one_batch(&self, source: &[u8]) -> bool {
        self.ends == 1 && self.framed == source.len() && self.queue.back().is_some_and(|last| last.tag == b'S')
    }

    /// Whether they begin with a `Bind` of the unnamed statement, with nothing before it but questions about it; `source`
    /// begins with the first.
    pub(crate) fn bind_unnamed(&self, source: &[u8]) -> bool {
        let mut at = 0;
        for message in &self.queue {
            let body = source.get(at + HEADER..).unwrap_or_default();
            at += message.length;
            match message.tag {
                b'D' if body.starts_with(b"S\0") => {}
                tag => return tag == b'B' && message::bind(body).is_some_and(|bind| bind.1.is_empty()),
            }
        }
        false
    }

    /// Whether columns are asked for in what has come.
    pub(crate) fn has_describe(&self) -> bool {
        self.queue.iter().any(|message| message.tag == b'D')
    }

    /// What the texts among them may do.
    pub(crate) fn effects(&self) -> Effects {
        self.effects
    }

    /// Forgets them: they are framed again.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        if self.queue.capacity() > KEPT {
            self.queue = VecDeque::new();
        }
        (self.framed, self.ends, self.refused, self.effects, self.long) = (0, 0, None, Effects::NONE, None);
    }
}

fn is_end(tag: u8) -> bool {
    matches!(tag, b'S' | b'Q' | b'F' | b'H' | b'X')
}

fn meaning(tag: u8, length: usize, rest: &[u8], memory: &mut Memory, strings: Strings) -> Meaning {
    match tag {
        b'Q' => {
            let body = &rest[HEADER..length];
            Meaning::Query(memory.text(text(body), strings))
        }
        b'P' => message::parse(&rest[HEADER..length])
            .map_or(Meaning::Nothing, |(_, text, types)| Meaning::Parse(memory.statement(text, types, strings))),
        b'F' => {
            message::call(&rest[HEADER..length.min(rest.len())]).map_or(Meaning::Nothing, |text| Meaning::Call(memory.text(text, strings)))
        }
        _ => Meaning::Nothing,
    }
}

/// The text in the body of a `Query`.
fn text(body: &[u8]) -> &[u8] {
    body.strip_suffix(b"\0").unwrap_or(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_for_many_is_given_back() {
        let mut messages = Messages::default();
        messages.read(&b"H\0\0\0\x04".repeat(3000), &mut Memory::default(), Strings::Standard);
        assert_eq!(messages.queue.len(), 3000);
        messages.clear();
        assert!(messages.queue.capacity() <= KEPT);
    }
}
