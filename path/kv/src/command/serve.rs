//! What follows a command while its keys are still locked: events are published, and those who waited are served.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::door::Shared;
use crate::frame::Reply;
use crate::pubsub::To;
use crate::store::{Away, Class, Kind, Ms, Outcome, Turn, View, Waiter, Went};

/// Bytes that may be dropped where the command was done.
const DROPPED: usize = 64 << 10;

/// After a command, or a whole transaction, that was done on the keys of `view`.
pub(crate) fn after(view: &mut View<'_>, common: &Shared) {
    publish(view.outcome, common);
    // What is done for those who waited may make others ready: they come in the next round.
    while !view.outcome.ready.is_empty() {
        for key in std::mem::take(&mut view.outcome.ready) {
            serve(view, common, &key);
        }
    }
    log(view, common);
    let dropped = std::mem::take(&mut view.outcome.dropped);
    if dropped.iter().map(|big| big.held()).sum::<usize>() > DROPPED {
        common.store.drop_away(dropped);
    }
    view.outcome.clear();
}

/// Tells the log what was done, while nobody else can do more to the same keys.
fn log(view: &mut View<'_>, common: &Shared) {
    view.outcome.tell_gone();
    if !view.outcome.said.is_empty() {
        view.outcome.logged = common.persist.log.append(view.now(), &view.outcome.said);
    }
}

/// Tells those who want it what happened to keys.
pub(super) fn publish(outcome: &mut Outcome, common: &Shared) {
    if outcome.events.is_empty() {
        return;
    }
    let wanted = common.config.wanted();
    for event in outcome.events.drain(..) {
        if wanted.has(Class::KEYSPACE) {
            common.channels.publish(To::Channel, &[b"__keyspace@0__:", &*event.key].concat(), event.name.as_bytes());
        }
        if wanted.has(Class::KEYEVENT) {
            common.channels.publish(To::Channel, &[b"__keyevent@0__:", event.name.as_bytes()].concat(), &event.key);
        }
    }
}

/// Serves those who wait for `key`, in the order in which they came, as long as there is something for them.
fn serve(view: &mut View<'_>, common: &Shared, key: &[u8]) {
    let mut queue = view.keys_of(key).take_queue(key);
    let mut rest = VecDeque::new();
    while let Some(waiter) = queue.pop_front() {
        if waiter.is_over() {
            continue;
        }
        if !concerns(view, key, &waiter) {
            rest.push_back(waiter);
        } else if !view.has_all(&waiter.shards) {
            view.keys_of(key).owe(key);
            rest.push_back(waiter);
            break;
        } else if waiter.claim() && !is_served(view, key, &waiter) {
            rest.push_back(waiter);
        }
        publish(view.outcome, common);
    }
    rest.append(&mut queue);
    view.keys_of(key).put_queue(key, rest);
}

/// Whether the key may have something for it. What reads streams wants to know of their end, too.
fn concerns(view: &View<'_>, key: &[u8], waiter: &Waiter) -> bool {
    waiter.wait.kind == Kind::Stream || view.kind(key) == Some(waiter.wait.kind)
}

/// Tries a command that waits, which is claimed.
fn is_served(view: &mut View<'_>, key: &[u8], waiter: &Arc<Waiter>) -> bool {
    let mut out = Vec::new();
    let mut reply = Reply::new(&mut out, waiter.protocol);
    let changes = view.outcome.changes;
    let went = (waiter.run)(view, waiter.args.args(), &mut reply, Turn::Ready(key));
    view.outcome.tell(waiter.args.args().iter(), changes);
    match went {
        Ok(Went::Wait(_)) => {
            waiter.waits_on();
            return false;
        }
        Ok(Went::Done) => {}
        Err(fault) => {
            reply.undo(0);
            reply.error(&fault);
        }
    }
    waiter.serve(out);
    true
}

/// Serves those for whom keys of these shards are ready, but whose other shards were not locked then.
///
/// # Errors
/// A worker has keys that are needed; `numbers` are what is left.
pub(crate) fn settle(common: &Shared, numbers: &mut Vec<usize>, now: Ms, outcome: &mut Outcome) -> Result<(), Away> {
    let store = &common.store;
    while let Some(&number) = numbers.last() {
        let mut needed = {
            let mut keys = store.lock(number)?;
            let needed = keys.owed_shards();
            if needed.is_empty() {
                // Nobody waits any more, or somebody else has served them.
                keys.take_owed();
            }
            needed
        };
        if needed.is_empty() {
            numbers.pop();
            continue;
        }
        needed.push(number);
        needed.sort_unstable();
        needed.dedup();
        let mut guards = store.lock_many(needed.into_iter())?;
        let owed: Vec<_> = guards.iter_mut().flat_map(|(_, keys)| keys.take_owed()).collect();
        let mut view = store.view_many(guards.iter_mut().map(|(number, keys)| (*number, &mut **keys)), now, outcome);
        view.outcome.ready.extend(owed);
        after(&mut view, common);
        numbers.extend(guards.iter().filter(|(_, keys)| keys.owes()).map(|(number, _)| *number));
    }
    Ok(())
}
