//! What a command did to the keys, beside its answer: what others must be told.

use super::big::Big;
use super::entry::Ms;
use super::random::Random;
use crate::form;

/// Kinds of keyspace events, as `notify-keyspace-events` chooses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Class(u16);

/// What happened to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Happened {
    pub(crate) class: Class,
    pub(crate) name: &'static str,
    pub(crate) key: Box<[u8]>,
}

/// Collected while a command runs under the locks of its shards.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Changes so far, as `rdb_changes_since_last_save` counts them.
    pub(crate) changes: u64,
    /// Events that somebody wants, in order.
    pub(crate) events: Vec<Happened>,
    /// Keys that somebody waits for and that have changed, in order.
    pub(crate) ready: Vec<Box<[u8]>>,
    /// What the log is to say instead of the command's own text: commands with all their arguments.
    pub(crate) effects: Vec<Vec<Box<[u8]>>>,
    /// Keys that were made without an expiry, with that of their class, which the log says after what made them: the file may give
    /// them another one when it is read.
    pub(crate) given: Vec<(Box<[u8]>, Ms)>,
    /// What it is to say besides: of keys and fields that went without a command that says so.
    pub(crate) gone: Vec<Vec<Box<[u8]>>>,
    /// What it is to say, of all commands that were done under these locks: it is all kept, or nothing of it.
    pub(crate) said: Vec<u8>,
    /// Up to where the log must be on the disk before the answers of this client are sent.
    pub(crate) logged: u64,
    /// Which events somebody wants.
    pub(crate) wanted: Class,
    /// Whether there is a log.
    pub(crate) logs: bool,
    /// Values that are not there any more, to be dropped where it may take long.
    pub(crate) dropped: Vec<Big>,
    /// What is picked by chance is picked so.
    pub(crate) random: Random,
}

impl Class {
    /// Events are published to `__keyspace@0__:KEY`.
    pub(crate) const KEYSPACE: Class = Class(1);
    /// Events are published to `__keyevent@0__:EVENT`.
    pub(crate) const KEYEVENT: Class = Class(1 << 1);
    pub(crate) const GENERIC: Class = Class(1 << 2);
    pub(crate) const STRING: Class = Class(1 << 3);
    pub(crate) const LIST: Class = Class(1 << 4);
    pub(crate) const SET: Class = Class(1 << 5);
    pub(crate) const HASH: Class = Class(1 << 6);
    pub(crate) const SORTED: Class = Class(1 << 7);
    pub(crate) const EXPIRED: Class = Class(1 << 8);
    pub(crate) const EVICTED: Class = Class(1 << 9);
    pub(crate) const STREAM: Class = Class(1 << 10);
    /// A key was asked for that is not there.
    pub(crate) const MISS: Class = Class(1 << 11);
    pub(crate) const NEW: Class = Class(1 << 13);

    const LETTERS: [(u8, Class); 13] = [
        (b'K', Class::KEYSPACE),
        (b'E', Class::KEYEVENT),
        (b'g', Class::GENERIC),
        (b'$', Class::STRING),
        (b'l', Class::LIST),
        (b's', Class::SET),
        (b'h', Class::HASH),
        (b'z', Class::SORTED),
        (b'x', Class::EXPIRED),
        (b'e', Class::EVICTED),
        (b't', Class::STREAM),
        (b'm', Class::MISS),
        (b'n', Class::NEW),
    ];
    /// `A` stands for all but misses and new keys.
    const ALL: &[u8] = b"g$lshzxet";

    /// Reads letters as Redis's configuration has them.
    pub(crate) fn parse(letters: &[u8]) -> Option<Class> {
        let mut all = Class::default();
        for letter in letters {
            let these = if *letter == b'A' { Class::ALL } else { std::slice::from_ref(letter) };
            for letter in these {
                all.0 |= Class::LETTERS.iter().find(|(known, _)| known == letter)?.1.0;
            }
        }
        Some(all)
    }

    /// The letters, with `A` where it says the same.
    pub(crate) fn letters(self) -> String {
        let all = Class::parse(Class::ALL).expect("the letters are known");
        let mut said = String::new();
        if self.has_all(all) {
            said.push('A');
        }
        let rest = if self.has_all(all) { Class(self.0 & !all.0) } else { self };
        // Redis says the kinds first and where they are published after them.
        let of = |where_to: bool| {
            let letters = Class::LETTERS.iter().filter(move |(_, class)| (class.0 <= Class::KEYEVENT.0) == where_to);
            letters.filter(|(_, class)| rest.has(*class)).map(|(letter, _)| char::from(*letter)).collect::<String>()
        };
        said + &of(false) + &of(true)
    }

    /// As a number, for a place that all loops look at.
    pub(crate) fn bits(self) -> u16 {
        self.0
    }

    /// What [`Class::bits`] gave.
    pub(crate) fn of_bits(bits: u16) -> Class {
        Class(bits)
    }

    /// Whether one of `other` is in it.
    pub(crate) fn has(self, other: Class) -> bool {
        self.0 & other.0 != 0
    }

    fn has_all(self, other: Class) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Outcome {
    /// Something happened to `key`.
    pub(crate) fn happened(&mut self, class: Class, name: &'static str, key: &[u8]) {
        if self.wanted.has(class) {
            self.events.push(Happened { class, name, key: key.into() });
        }
    }

    /// Whether nobody must be told anything.
    pub(crate) fn is_quiet(&self) -> bool {
        self.events.is_empty()
            && self.ready.is_empty()
            && self.effects.is_empty()
            && self.gone.is_empty()
            && self.said.is_empty()
            && self.dropped.is_empty()
    }

    /// For the next command.
    pub(crate) fn clear(&mut self) {
        self.events.clear();
        self.ready.clear();
        self.effects.clear();
        self.gone.clear();
        self.given.clear();
        self.said.clear();
        self.dropped.clear();
    }

    /// A key went without a command that says so.
    pub(super) fn gone(&mut self, key: &[u8]) {
        self.gone.push(vec![b"DEL"[..].into(), key.into()]);
    }

    /// Fields of a hash went without a command that says so.
    pub(super) fn gone_fields(&mut self, key: &[u8], fields: &[Box<[u8]>]) {
        let head = [&b"HDEL"[..], key].into_iter().map(Box::from);
        self.gone.push(head.chain(fields.iter().cloned()).collect());
    }

    /// A command with these words was done, before which there were `before` changes: the log is to say what it did.
    pub(crate) fn tell<'w>(&mut self, words: impl ExactSizeIterator<Item = &'w [u8]>, before: u64) {
        if !self.logs {
            return;
        }
        let has_effects = !self.effects.is_empty();
        self.tell_effects();
        if !has_effects && self.changes > before {
            self.say(words);
        }
        for (key, expiry) in std::mem::take(&mut self.given) {
            self.say([&b"PEXPIREAT"[..], &key, expiry.to_string().as_bytes()].into_iter());
        }
    }

    /// A key is overdue at `expiry` by its class.
    #[cold]
    pub(super) fn gives(&mut self, key: &[u8], expiry: Ms) {
        if self.logs {
            self.given.push((key.into(), expiry));
        }
    }

    /// A command says when a key is overdue, after [`Outcome::gives`].
    #[inline]
    pub(super) fn gives_not(&mut self, key: &[u8]) {
        if !self.given.is_empty() {
            self.given.retain(|(given, _)| **given != *key);
        }
    }

    /// The log is to say the effects, which say when keys are overdue, and before them what went without a command.
    pub(crate) fn tell_all(&mut self) {
        self.given.clear();
        self.tell_effects();
    }

    fn tell_effects(&mut self) {
        self.tell_gone();
        for words in std::mem::take(&mut self.effects) {
            self.say(words.iter().map(|word| &**word));
        }
    }

    /// The log is to say what went without a command.
    pub(crate) fn tell_gone(&mut self) {
        for words in std::mem::take(&mut self.gone) {
            self.say(words.iter().map(|word| &**word));
        }
    }

    /// As a count of words, and the words.
    fn say<'w>(&mut self, words: impl ExactSizeIterator<Item = &'w [u8]>) {
        form::number(words.len() as u64, &mut self.said);
        words.for_each(|word| form::put(word, &mut self.said));
    }

    /// Dropped later, if there is something.
    pub(super) fn drops(&mut self, big: Option<Box<Big>>) {
        self.dropped.extend(big.map(|big| *big));
    }

    /// The log is to say this, among others, instead of the command's own text.
    pub(crate) fn effect(&mut self, words: &[&[u8]]) {
        if self.logs {
            self.effects.push(words.iter().map(|word| (*word).into()).collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_read_and_said() {
        for (given, said) in [("KEA", "AKE"), ("", ""), ("Kg$", "g$K"), ("g$lshzxet", "A"), ("AKEmn", "AmnKE")] {
            assert_eq!(Class::parse(given.as_bytes()).map(Class::letters).as_deref(), Some(said));
        }
        assert_eq!(Class::parse(b"q"), None);
    }

    #[test]
    fn only_what_is_wanted_is_kept() {
        let mut outcome = Outcome { wanted: Class::STRING, ..Outcome::default() };
        outcome.happened(Class::STRING, "set", b"a");
        outcome.happened(Class::LIST, "lpush", b"b");
        outcome.effect(&[b"SET", b"a"]);
        outcome.tell([&b"lpush"[..]].into_iter(), 0);
        assert_eq!((outcome.events.len(), outcome.effects.len(), outcome.said.len()), (1, 0, 0));
    }

    #[test]
    fn the_log_says_what_went_and_then_effects_or_else_the_command() {
        let mut outcome = Outcome { logs: true, changes: 1, ..Outcome::default() };
        outcome.gone(b"a");
        outcome.tell([&b"get"[..], b"a"].into_iter(), 1);
        outcome.tell([&b"set"[..], b"b"].into_iter(), 0);
        outcome.effect(&[b"SREM", b"c"]);
        outcome.tell([&b"spop"[..], b"c"].into_iter(), 0);
        assert_eq!(outcome.said, b"\x02\x03DEL\x01a\x02\x03set\x01b\x02\x04SREM\x01c");
    }
}
