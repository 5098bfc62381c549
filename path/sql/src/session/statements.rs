//! What a client calls its prepared statements: names count once the server (or the door) has said that they do.
//!
//! Between a message and its answer a change is pending; an error in between lets it vanish, as it does in Postgres.

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use super::resting::{LONG, Rest, Resting};
use crate::parse::{Effects, Recognised};
use crate::server::Origin;

/// Bytes of a name that count (`NAMEDATALEN` less one).
const NAME_BYTES: usize = 63;

/// Bytes of one client's named statements.
const MOST: usize = 64 << 20;

/// What a name costs beside its statement's bytes.
const OVERHEAD: usize = 256;

/// Changes of names that may wait for their answers: one turn of a loop deals with no more of them.
const PENDING: usize = 128;

/// Bytes of the statements in them, after which no more are dealt with before answers come.
const PENDING_BYTES: usize = 1 << 20;

/// A text with its parameter types, as a `Parse` gave it. Two of them are equal when a server would parse the same.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) text: Box<[u8]>,
    /// Count and OIDs, as in the message.
    pub(crate) types: Box<[u8]>,
    pub(crate) recognised: Arc<Recognised>,
}

/// What a name stands for. Clones share what the client was told.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) statement: Arc<Statement>,
    pub(crate) origin: Origin,
    /// Hash of the columns that the client was told when it described the statement; not kept for the unnamed one.
    pub(crate) shape: Option<Rc<Cell<Option<u64>>>>,
}

/// One client's names.
#[derive(Debug, Default)]
pub(crate) struct Names {
    named: HashMap<Rc<[u8]>, Named>,
    unnamed: Option<Named>,
    /// Since it was parsed, a `Bind` of it was sent.
    is_used: bool,
    /// It is long, and its client rests.
    rest: Option<Rest>,
    /// Bytes of the named ones, more or less.
    bytes: usize,
    /// Made by SQL's own `PREPARE`: they are the server's.
    of_sql: Vec<Box<[u8]>>,
    /// All that those ever known may do.
    effects: Effects,
    /// Counts each `Parse` of a name, from 1.
    parses: u32,
}

/// Changes that wait for their answers, in the order of their messages.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    queue: VecDeque<Change>,
    /// How many were before the oldest.
    before: u64,
    /// Of the statements in them, more or less.
    bytes: usize,
    /// The newest of each name, counted from the first that ever was.
    named: HashMap<Rc<[u8]>, u64>,
    unnamed: Option<u64>,
}

/// A name gets a meaning, or loses it.
#[derive(Debug)]
struct Change {
    /// None: the unnamed statement.
    name: Option<Rc<[u8]>>,
    to: Option<Named>,
    batch: u32,
}

/// What a name stands for when a message of a batch uses it.
#[derive(Debug)]
pub(crate) enum Found {
    /// This.
    Here(Named),
    /// Nothing that the door knows of.
    Nowhere,
    /// Known only once the answers to an earlier batch are there.
    Later,
}

impl PartialEq for Statement {
    fn eq(&self, other: &Statement) -> bool {
        self.recognised.hash == other.recognised.hash && self.text == other.text && self.types == other.types
    }
}

impl Eq for Statement {}

impl Statement {
    /// Bytes of its text and types.
    pub(crate) fn size(&self) -> usize {
        self.text.len() + self.types.len()
    }

    /// The types of the parameters: object identifiers, 0 where the server shall tell.
    pub(crate) fn types(&self) -> Vec<u32> {
        let oids = self.types.get(2..).unwrap_or_default();
        oids.as_chunks().0.iter().map(|oid| u32::from_be_bytes(*oid)).collect()
    }
}

impl Named {
    /// A statement with a name of its own.
    pub(crate) fn new(statement: Arc<Statement>, origin: Origin) -> Named {
        Named { statement, origin, shape: Some(Rc::default()) }
    }

    /// The unnamed statement.
    pub(crate) fn unnamed(statement: Arc<Statement>, origin: Origin) -> Named {
        Named { statement, origin, shape: None }
    }
}

impl Names {
    /// What `name` stands for in `batch`.
    pub(crate) fn find(&self, changes: &Changes, name: &[u8], batch: u32) -> Found {
        let name = key(name);
        if let Some(change) = changes.newest(name) {
            return match &change.to {
                _ if change.batch != batch => Found::Later,
                Some(named) => Found::Here(named.clone()),
                None => Found::Nowhere,
            };
        }
        let named = if name.is_empty() { self.unnamed.as_ref() } else { self.named.get(name) };
        named.map_or(Found::Nowhere, |named| Found::Here(named.clone()))
    }

    /// What a statement may do that has a name here.
    pub(crate) fn effects(&self) -> Effects {
        self.effects
    }

    /// A number for the next `Parse`.
    pub(crate) fn number_parse(&mut self) -> u32 {
        self.parses = self.parses.wrapping_add(1).max(1);
        self.parses
    }

    /// Whether there is an unnamed statement, or may be one.
    pub(crate) fn has_unnamed(&self, changes: &Changes) -> bool {
        self.unnamed.is_some() || changes.unnamed.is_some()
    }

    /// The oldest pending change holds: its answer came.
    pub(crate) fn confirm(&mut self, changes: &mut Changes) {
        let Some(Change { name, to, .. }) = changes.pop() else { return };
        if let Some(named) = &to {
            self.effects = self.effects.and(named.statement.recognised.effects);
        }
        let Some(name) = name else {
            (self.unnamed, self.rest) = (to, None);
            return;
        };
        self.of_sql.retain(|known| **known != *name);
        self.bytes += to.as_ref().map_or(0, bytes);
        let before = match to {
            Some(to) => self.named.insert(name, to),
            None => self.named.remove(&*name),
        };
        self.bytes -= before.as_ref().map_or(0, bytes);
    }

    /// Whether there is no room for one more name.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= MOST
    }

    /// A `Parse` without a name has failed.
    pub(crate) fn drop_unnamed(&mut self) {
        (self.unnamed, self.rest) = (None, None);
    }

    /// A `Bind` of the unnamed statement is sent, or else a `Parse`.
    pub(crate) fn use_unnamed(&mut self, is_bind: bool) {
        self.is_used = is_bind;
    }

    /// The client rests. A long text may be given up that was used: hardly anybody binds it later without another `Parse`.
    pub(crate) fn rest(&mut self, resting: &Resting) {
        let Some(unnamed) = self.unnamed.as_ref().filter(|unnamed| unnamed.statement.size() > LONG) else { return };
        if self.is_used && self.rest.is_none() {
            self.rest = resting.add(bytes(unnamed));
            self.unnamed.take_if(|_| self.rest.is_none());
        }
    }

    /// SQL's `PREPARE name` has succeeded.
    pub(crate) fn add_of_sql(&mut self, name: &[u8]) {
        self.of_sql.push(key(name).into());
    }

    /// Whether `name` was made by SQL's `PREPARE`.
    pub(crate) fn is_of_sql(&self, changes: &Changes, name: &[u8]) -> bool {
        let name = key(name);
        self.of_sql.iter().any(|known| **known == *name) && changes.newest(name).is_none()
    }

    /// Whether that is so until answers come that are outstanding.
    pub(crate) fn is_yet_of_sql(&self, changes: &Changes, name: &[u8]) -> bool {
        let name = key(name);
        self.of_sql.iter().any(|known| **known == *name) && changes.newest(name).is_some()
    }

    /// SQL's `DEALLOCATE name` has succeeded.
    pub(crate) fn remove(&mut self, name: &[u8]) {
        self.bytes -= self.named.remove(key(name)).as_ref().map_or(0, bytes);
        self.of_sql.retain(|known| **known != *key(name));
    }

    /// `DEALLOCATE ALL` or `DISCARD ALL` has succeeded: the unnamed statement stays.
    pub(crate) fn clear(&mut self) {
        self.named.clear();
        self.bytes = 0;
        self.of_sql.clear();
    }

    /// A name under which `statement` is known here.
    pub(crate) fn name_of(&self, statement: &Arc<Statement>) -> Option<&[u8]> {
        let is_it = |named: &Named| named.statement == *statement;
        let known = self.named.iter().find(|(_, named)| is_it(named)).map(|(name, _)| &**name);
        known.or_else(|| self.unnamed.as_ref().is_some_and(is_it).then_some(&b""[..]))
    }
}

impl Changes {
    /// `name` will stand for `to` when the answer says so.
    pub(crate) fn push(&mut self, name: &[u8], to: Option<Named>, batch: u32) {
        let count = self.before + self.queue.len() as u64;
        let name: Option<Rc<[u8]>> = (!name.is_empty()).then(|| key(name).into());
        match &name {
            Some(name) => drop(self.named.insert(name.clone(), count)),
            None => self.unnamed = Some(count),
        }
        self.bytes += to.as_ref().map_or(0, bytes);
        self.queue.push_back(Change { name, to, batch });
    }

    /// The newest of `name`, as far as names count.
    fn newest(&self, name: &[u8]) -> Option<&Change> {
        if self.queue.is_empty() {
            return None;
        }
        let count = if name.is_empty() { self.unnamed } else { self.named.get(name).copied() };
        self.queue.get((count? - self.before) as usize)
    }

    fn pop(&mut self) -> Option<Change> {
        let change = self.queue.pop_front()?;
        let count = self.before;
        self.before += 1;
        self.bytes -= change.to.as_ref().map_or(0, bytes);
        match &change.name {
            Some(name) if self.named.get(name) == Some(&count) => drop(self.named.remove(name)),
            Some(_) => {}
            None => drop(self.unnamed.take_if(|newest| *newest == count)),
        }
        Some(change)
    }

    /// Whether the oldest one is of the unnamed statement.
    pub(crate) fn begins_unnamed(&self) -> bool {
        self.queue.front().is_some_and(|change| change.name.is_none())
    }

    /// Whether enough wait for their answers.
    pub(crate) fn is_crowded(&self) -> bool {
        self.queue.len() >= PENDING || self.bytes >= PENDING_BYTES
    }

    /// The oldest one will not come: its message failed or was skipped.
    pub(crate) fn discard(&mut self) {
        self.pop();
    }

    /// Forgets all of them.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        self.named.clear();
        (self.unnamed, self.bytes) = (None, 0);
    }
}

fn bytes(named: &Named) -> usize {
    OVERHEAD + named.statement.size()
}

/// The part of `name` that counts.
fn key(name: &[u8]) -> &[u8] {
    &name[..name.len().min(NAME_BYTES)]
}
