//! Whose `lastval` and `currval` a connection has, and where a client's are.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Session;
use crate::parse::{Effects, Recognised};
use crate::pins::Pin;
use crate::server::{Connection, Key};

/// Whose use of sequences a connection may remember.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Traces {
    /// Nobody's.
    #[default]
    None,
    /// This client's only.
    Of(u64),
    /// Those of several: what is read there may be anybody's.
    Mixed,
}

/// Users and databases of which a client was seen reading its sequences' state, whichever loop it belongs to.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    known: Mutex<HashSet<Arc<Key>>>,
    /// How many they are, for those who only look.
    count: AtomicUsize,
}

/// One loop's copy of them.
#[derive(Debug)]
pub(super) struct ReadersHere {
    all: Arc<Readers>,
    copy: RefCell<HashSet<Arc<Key>>>,
}

/// Where a client's `lastval` is.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    /// The connection on which it last may have used a sequence.
    on: Option<u64>,
    /// It was seen reading: from then on it stays where it leaves something.
    reads: bool,
}

impl ReadersHere {
    pub(super) fn new(all: Arc<Readers>) -> ReadersHere {
        ReadersHere { all, copy: RefCell::default() }
    }

    /// A client of `key` reads.
    fn note(&self, key: &Arc<Key>) {
        let mut known = self.all.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(key.clone());
        self.all.count.store(known.len(), Ordering::Release);
    }

    fn has(&self, key: &Arc<Key>) -> bool {
        let count = self.all.count.load(Ordering::Acquire);
        if count != self.copy.borrow().len() {
            *self.copy.borrow_mut() = self.all.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        }
        count > 0 && self.copy.borrow().contains(key)
    }
}

impl Traces {
    /// A client may use a sequence.
    fn add(&mut self, client: u64) {
        *self = match *self {
            Traces::None => Traces::Of(client),
            Traces::Of(other) if other != client => Traces::Mixed,
            same => same,
        };
    }

    /// Whether there is something that is not this client's.
    fn is_of_others(self, client: u64) -> bool {
        self != Traces::None && self != Traces::Of(client)
    }
}

impl Session {
    /// A text with these effects goes to the connection.
    pub(super) fn follow_sequences(&mut self, connection: &mut Connection, effects: Effects) {
        if effects.has(Effects::SEQUENCES_USED.and(Effects::OPAQUE)) {
            connection.traces.add(self.client.number);
            self.sequences.on = Some(connection.id);
        }
        // What only may be read inside a body makes no reader.
        if effects.has(Effects::SEQUENCES_READ) && !effects.has(Effects::OPAQUE) && !self.sequences.reads {
            self.sequences.reads = true;
            self.here.readers.note(&self.client.key);
        }
        if self.sequences.reads && connection.traces == Traces::Of(self.client.number) {
            // It would look for it here.
            self.pin(Pin::Sequence);
        }
    }

    /// Whether others' traces must go first: the text reads them, or leaves its own where somebody may read them.
    pub(super) fn must_discard(&self, connection: &Connection, text: &Recognised) -> bool {
        connection.traces.is_of_others(self.client.number)
            && (text.effects.has(Effects::SEQUENCES_READ) || text.effects.has(Effects::SEQUENCES_USED) && self.may_read())
    }

    /// Effects of texts that [`super::prepare`] may be due for.
    pub(crate) fn prepared_for(&self) -> Effects {
        let always = Effects::SEQUENCES_READ.and(Effects::LISTENING);
        if self.may_read() { always.and(Effects::SEQUENCES_USED) } else { always }
    }

    /// Whether the client reads what it leaves, or others of its kind do.
    fn may_read(&self) -> bool {
        self.sequences.reads || self.here.readers.has(&self.client.key)
    }

    /// The connection on which a client that reads its sequences' state finds it, if nobody used it since.
    pub(crate) fn home(&self, effects: Effects) -> Option<u64> {
        self.sequences.on.filter(|_| effects.has(Effects::SEQUENCES_READ))
    }

    /// What was left anywhere is not this client's any more.
    pub(super) fn forget_sequences(&mut self) {
        self.sequences.on = None;
        self.unpin(Pin::Sequence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_reads_on_one_loop_is_known_on_all() {
        let key = |user: &str| Arc::new(Key { user: user.into(), database: "d".into() });
        let all = Arc::new(Readers::default());
        let (one, other) = (ReadersHere::new(all.clone()), ReadersHere::new(all));
        assert!(!one.has(&key("u")));
        other.note(&key("u"));
        assert!(one.has(&key("u")) && other.has(&key("u")) && !one.has(&key("v")));
        one.note(&key("v"));
        assert!(other.has(&key("v")));
    }

    #[test]
    fn what_two_have_used_is_nobodys() {
        let mut traces = Traces::None;
        assert!(!traces.is_of_others(1));
        traces.add(1);
        assert!(!traces.is_of_others(1) && traces.is_of_others(2));
        traces.add(1);
        assert_eq!(traces, Traces::Of(1));
        traces.add(2);
        assert!(traces.is_of_others(1) && traces.is_of_others(2));
    }
}
