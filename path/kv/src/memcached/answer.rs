//! Answers the requests of a client one after the other, under the locks of their keys.

use std::sync::Arc;

use super::frame::{Step, Taken};
use super::request::{Mode, Request, Which};
use super::{Session, Tally, flush, item, login, metas, stats, text};
use crate::client::Client;
use crate::command::{Command, Held, after, find, hold, settle, writes};
use crate::door::{Door, Shared, now};
use crate::events::{CutOff, add};
use crate::frame::Args;
use crate::persist::BIG;
use crate::store::{Away, Ms, Outcome, View};
use crate::upkeep::make_room;
use crate::visit::{Desk, Visit};

/// Requests that are answered at once.
const MOST: usize = 256;
/// Bytes of answers that are written before more are made.
const FULL: usize = 256 << 10;

const DENIED: &str = "CLIENT_ERROR access denied";
const NO_ROOM: &str = "SERVER_ERROR out of memory storing object";

/// Why no more requests are answered at once.
pub(super) enum Stop {
    /// At least so many bytes are missing.
    Needs(usize),
    /// There is much to write.
    Full,
    /// A worker has the keys of the next.
    Away(Away),
    /// Clients are to wait.
    Paused,
    /// All keys are to go; what is said then.
    Clear(&'static str),
    /// A save is to have a key of this shard first, which takes long.
    Unsaved(usize, Box<[u8]>),
    /// The client leaves.
    Close,
}

/// Why a key cannot be had now.
pub(super) enum Wait {
    Away(Away),
    /// Others wait for what was done in this shard, and come first.
    Owes(usize),
    /// As [`Stop::Unsaved`].
    Unsaved(usize, Box<[u8]>),
    /// What was answered so far is to be written first.
    Full,
}

/// Requests that are answered at once.
pub(super) struct Batch<'s> {
    pub(super) common: &'s Arc<Shared>,
    pub(super) tally: &'s Tally,
    pub(super) now: Ms,
    pub(super) outcome: &'s mut Outcome,
    debts: &'s mut Vec<usize>,
    held: Option<Held<'s>>,
    /// All keys are to go; what is said then.
    clears: Option<&'static str>,
}

/// Answers what it can.
pub(super) fn answer(visit: &mut Visit<'_>) -> Stop {
    let door = visit.door.clone();
    let (events, client, now) = (door.events(), &mut *visit.client, now());
    let Desk { input, output, outcome, debts, .. } = &mut *visit.desk;
    outcome.wanted = door.common.config.wanted();
    let Some(input) = input else { return Stop::Needs(1) };
    let Some(mut session) = client.memcached.take() else { return Stop::Close };
    if !door.common.users.are_known_to(client) {
        door.common.users.show(client);
    }
    client.peer.seen.store(now, std::sync::atomic::Ordering::Relaxed);
    let mut batch = Batch { common: &door.common, tally: &events.memcached, now, outcome, debts, held: None, clears: None };
    let mut count = 0;
    let stop = loop {
        match batch.next(&door, client, &mut session, input.unread(), output) {
            Ok(length) => input.consume(length),
            Err(stop) => break stop,
        }
        count += 1;
        if let Some(said) = batch.clears {
            break Stop::Clear(said);
        }
        if count == MOST {
            break Stop::Full;
        }
    };
    add(&events.changes, std::mem::take(&mut batch.outcome.changes));
    client.memcached = Some(session);
    add(&events.commands, count as u64);
    stop
}

impl Batch<'_> {
    /// Answers the next request; gives the bytes that are done with.
    fn next(&mut self, door: &Door, client: &mut Client, session: &mut Session, bytes: &[u8], out: &mut Vec<u8>) -> Result<usize, Stop> {
        self.settle()?;
        if client.leaves {
            return Err(Stop::Close);
        }
        if out.len() > FULL {
            return Err(Stop::Full);
        }
        let (request, taken) = match session.frames.next(bytes) {
            Step::Request(request, taken) => (request, taken),
            Step::Skip(count) => return Ok(count),
            Step::Needs(count) => return Err(Stop::Needs(count)),
            Step::Cut => {
                door.common.events.cut(&client.peer, CutOff::Protocol);
                return Err(Stop::Close);
            }
        };
        if self.common.is_watched() && self.common.must_wait(client, like(&request), Args::new(&[], &[]), self.now) {
            return Err(Stop::Paused);
        }
        let before = out.len();
        let done = match client.limits.known {
            true if !login::permitted(self, client, &request) => {
                say(out, DENIED);
                Ok(())
            }
            true => match self.refused(client, &request) {
                None => self.one(door, client, session, &request, out),
                Some(why) => {
                    say(out, &why);
                    Ok(())
                }
            },
            false => login::answer(self, client, &request, out),
        };
        match done {
            Ok(()) => {}
            Err(Wait::Full) => return Err(Stop::Full),
            Err(why) => {
                // The keys of `get` that were answered stay so.
                if !matches!(request, Request::Get { .. }) {
                    out.truncate(before);
                }
                return match why {
                    Wait::Away(away) => Err(Stop::Away(away)),
                    Wait::Unsaved(number, key) => Err(Stop::Unsaved(number, key)),
                    Wait::Owes(number) => {
                        self.debts.push(number);
                        Ok(0)
                    }
                    Wait::Full => Err(Stop::Full),
                };
            }
        }
        session.done = 0;
        session.frames.took(taken);
        let Taken { length, .. } = taken;
        Ok(length)
    }

    /// Why a request is refused that writes: what it does might not be kept.
    fn refused(&self, client: &Client, request: &Request<'_>) -> Option<String> {
        if !self.common.is_watched() || !writes(client, like(request)) {
            return None;
        }
        let fault = self.common.persist.refuses(&self.common.config)?;
        Some(format!("SERVER_ERROR {}", fault.0))
    }

    fn one(
        &mut self,
        door: &Door,
        client: &mut Client,
        session: &mut Session,
        request: &Request<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Wait> {
        match request {
            Request::Get { keys, gives_cas, exptime } => text::get(self, keys, *gives_cas, *exptime, &mut session.done, out),
            Request::Store(store) => text::store(self, store, out),
            Request::Change { key, by, is_up, is_quiet } => text::change(self, key, *by, *is_up, *is_quiet, out),
            Request::Touch { key, exptime, is_quiet } => text::touch(self, key, *exptime, *is_quiet, out),
            Request::Delete { key, is_quiet } => text::delete(self, key, *is_quiet, out),
            Request::Meta(meta) => metas::answer(self, meta, out),
            Request::Debug { key, is_binary } => metas::debug(self, key, *is_binary, out),
            Request::Flush { exptime, is_quiet } => {
                let said = if *is_quiet { "" } else { "OK" };
                if flush::flush(self, *exptime) {
                    self.clears = Some(said);
                } else {
                    say(out, said);
                }
                Ok(())
            }
            Request::Stats { what } => {
                self.held = None;
                stats::answer(door, what, out);
                Ok(())
            }
            Request::Says(text) => {
                say(out, text);
                Ok(())
            }
            Request::TooLarge { key, is_quiet } => {
                self.count(|tally| &tally.store_too_large);
                if let Some(key) = key {
                    // What was to be replaced is old.
                    self.on_key(key, |view| item::open(view, key).map(|slot| slot.map(|slot| item::remove(slot, key))))?.ok();
                }
                say(out, if *is_quiet { "" } else { super::request::TOO_LARGE });
                Ok(())
            }
            Request::Quit => {
                client.leaves = true;
                Ok(())
            }
        }
    }

    /// Serves those who wait for what was done, before anything else is.
    fn settle(&mut self) -> Result<(), Stop> {
        if self.debts.is_empty() {
            return Ok(());
        }
        self.held = None;
        settle(self.common, self.debts, self.now, self.outcome).map_err(Stop::Away)
    }

    /// Does something to a key under the lock of its shard, and then what follows from it.
    pub(super) fn on_key<R>(&mut self, key: &[u8], run: impl FnOnce(&mut View<'_>) -> R) -> Result<R, Wait> {
        let store = &*self.common.store;
        let number = store.number_of(key);
        let held = hold(store, number, &mut self.held).map_err(Wait::Away)?;
        if held.guard.owes() {
            return Err(Wait::Owes(number));
        }
        if held.guard.is_saving() && held.guard.unsaved(key) > BIG {
            return Err(Wait::Unsaved(number, key.into()));
        }
        let mut view = store.view(&mut held.guard, self.now, self.outcome);
        let changes = view.outcome.changes;
        let done = run(&mut view);
        item::tell(&mut view, key, changes);
        if !view.outcome.is_quiet() {
            after(&mut view, self.common);
            self.debts.extend(held.guard.owes().then_some(number));
        }
        Ok(done)
    }

    /// Makes room for what a request stores, if memory is full.
    ///
    /// # Errors
    /// What its client is told: nothing may go.
    pub(super) fn room(&mut self) -> Result<(), &'static str> {
        if !self.common.store.is_full() {
            return Ok(());
        }
        self.held = None;
        make_room(self.common, self.now, self.outcome).map_err(|_| {
            self.count(|tally| &tally.store_no_memory);
            NO_ROOM
        })
    }

    /// Counts one more.
    pub(super) fn count(&self, counter: impl FnOnce(&Tally) -> &std::sync::atomic::AtomicU64) {
        add(counter(self.tally), 1);
    }
}

/// Whether so much is to be written that it is time to.
pub(super) fn is_full(out: &[u8]) -> bool {
    out.len() > FULL
}

/// Writes a line, if there is something to say.
pub(super) fn say(out: &mut Vec<u8>, line: &str) {
    if !line.is_empty() {
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

/// The command of Redis that does about the same.
pub(super) fn like(request: &Request<'_>) -> &'static Command {
    let name = match request {
        Request::Get { exptime: None, .. } | Request::Debug { .. } => "get",
        Request::Get { .. } => "getex",
        Request::Store(store) if matches!(store.mode, Mode::Append | Mode::Prepend) => "append",
        Request::Store(_) => "set",
        Request::Change { .. } => "incrby",
        Request::Touch { .. } => "expire",
        Request::TooLarge { key: None, .. } => "ping",
        Request::Delete { .. } | Request::TooLarge { .. } => "del",
        Request::Flush { .. } => "flushall",
        Request::Meta(meta) => match meta.which {
            Which::Get if meta.changes() => "getex",
            Which::Get => "get",
            Which::Set(_) => "set",
            Which::Delete => "del",
            Which::Change { .. } => "incrby",
        },
        Request::Stats { .. } | Request::Says(_) | Request::Quit => "ping",
    };
    find(name.as_bytes()).expect("these are commands")
}
