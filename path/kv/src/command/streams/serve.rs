//! What readers of streams are given.

use super::range::{entries, entry};
use super::read::Ask;
use super::{log_group, look, noted};
use crate::error::Fault;
use crate::frame::{Hole, Protocol, Reply};
use crate::store::stream::{Group, Id, Log, Stream};
use crate::store::{Kind, Ms, Outcome, View};

/// An answer of keys with entries, begun when there is the first.
pub(super) struct Answer {
    hole: Option<Hole>,
    keys: usize,
}

impl Answer {
    pub(super) fn new() -> Answer {
        Answer { hole: None, keys: 0 }
    }

    fn begin(&mut self, key: &[u8], reply: &mut Reply<'_>) {
        self.hole.get_or_insert_with(|| reply.later(1));
        self.keys += 1;
        if reply.protocol() == Protocol::Resp2 {
            reply.array(2);
        }
        reply.bulk(key);
    }

    /// Whether there is an answer.
    pub(super) fn end(self, reply: &mut Reply<'_>) -> bool {
        let Some(hole) = self.hole else { return false };
        match reply.protocol() {
            Protocol::Resp2 => reply.fill(hole, self.keys),
            Protocol::Resp3 => reply.fill_map(hole, self.keys),
        }
        true
    }
}

/// Entries behind an ID.
pub(super) fn tell(
    view: &mut View<'_>,
    ask: &Ask<'_>,
    key: &[u8],
    mark: Id,
    answer: &mut Answer,
    reply: &mut Reply<'_>,
) -> Result<(), Fault> {
    let Some(Stream { log, .. }) = look(view, key)? else { return Ok(()) };
    if let Some(from) = mark.next().filter(|_| log.has_behind(mark)) {
        answer.begin(key, reply);
        entries(log.range(from, Id::MAX).take(ask.count.unwrap_or(usize::MAX)), reply);
    }
    Ok(())
}

/// An entry is pending for a consumer.
pub(super) struct Claim {
    pub(super) id: Id,
    pub(super) time: Ms,
    pub(super) count: u64,
}

/// What a consumer was given, for the log.
struct Given {
    is_new: bool,
    claims: Vec<Claim>,
    last: Id,
    read: i64,
    /// The group has read on.
    is_on: bool,
}

/// Entries for a consumer of a group: what the group was not given yet, or what is pending for the consumer behind an ID.
pub(super) fn deliver(
    view: &mut View<'_>,
    ask: &Ask<'_>,
    (group_name, name): (&[u8], &[u8]),
    key: &[u8],
    mark: Id,
    answer: &mut Answer,
    reply: &mut Reply<'_>,
) -> Result<(), Fault> {
    let now = view.now();
    let mut slot = view.open(key, Kind::Stream)?;
    let Some(Stream { log, groups }) = Stream::in_slot(&mut slot) else { return Ok(()) };
    let Some(last) = groups.get(group_name).map(|group| group.last) else { return Ok(()) };
    if mark == Id::MAX && !log.has_behind(last) {
        return Ok(());
    }
    answer.begin(key, reply);
    let given = groups.change(group_name, |group| {
        let is_new = group.sees(name, now);
        let claims = match mark.next() {
            None => news(log, group, name, ask, now, reply),
            Some(from) => history(log, group, name, from, ask, now, reply),
        };
        Given { is_new, claims, last: group.last, read: group.read, is_on: group.last != last }
    });
    if let Some(given) = given {
        given.record(slot.outcome(), key, group_name, name);
    }
    Ok(())
}

impl Given {
    fn record(&self, outcome: &mut Outcome, key: &[u8], group: &[u8], name: &[u8]) {
        if self.is_new {
            noted(outcome, key, "xgroup-createconsumer");
            outcome.effect(&[b"XGROUP", b"CREATECONSUMER", key, group, name]);
        }
        outcome.changes += u64::from(self.is_on || !self.claims.is_empty());
        log_claims(outcome, key, group, name, self.last, &self.claims);
        if self.is_on {
            log_group(outcome, key, group, self.last, self.read);
        }
    }
}

/// Has the log say what is pending for a consumer.
pub(super) fn log_claims(outcome: &mut Outcome, key: &[u8], group: &[u8], name: &[u8], last: Id, claims: &[Claim]) {
    if !outcome.logs {
        return;
    }
    for claim in claims {
        let (id, time, count, last) = (claim.id.text(), claim.time.to_string(), claim.count.to_string(), last.text());
        let what: [&[u8]; 6] = [b"XCLAIM", key, group, name, b"0", &id];
        let how: [&[u8]; 8] = [b"TIME", time.as_bytes(), b"RETRYCOUNT", count.as_bytes(), b"FORCE", b"JUSTID", b"LASTID", &last];
        outcome.effect(&[&what[..], &how[..]].concat());
    }
}

/// What the group was not given yet.
fn news(log: &Log, group: &mut Group, name: &[u8], ask: &Ask<'_>, now: Ms, reply: &mut Reply<'_>) -> Vec<Claim> {
    let (mut claims, mut count, hole) = (Vec::new(), 0, reply.later(1));
    let from = group.last.next().expect("there is an entry behind it");
    for each in log.range(from, Id::MAX).take(ask.count.unwrap_or(usize::MAX)) {
        if group.read != Group::UNKNOWN && !log.has_gap_behind(each.id) {
            group.read = group.read.wrapping_add(1);
        } else if log.added() > 0 {
            group.read = log.estimate(each.id).unwrap_or(Group::UNKNOWN);
        }
        group.last = each.id;
        entry(&each, reply);
        count += 1;
        if !ask.acknowledged {
            group.give(name, each.id, now, 1);
            claims.push(Claim { id: each.id, time: now, count: 1 });
        }
    }
    reply.fill(hole, count);
    claims
}

/// What is pending for the consumer.
fn history(log: &Log, group: &mut Group, name: &[u8], from: Id, ask: &Ask<'_>, now: Ms, reply: &mut Reply<'_>) -> Vec<Claim> {
    let pending = group.consumer(name).map(|consumer| consumer.pending_between(from, Id::MAX));
    let ids: Vec<Id> = pending.into_iter().flatten().take(ask.count.unwrap_or(usize::MAX)).collect();
    let mut claims = Vec::new();
    reply.array(ids.len());
    for id in ids {
        let count = group.pending(id).map_or(0, |pending| pending.count).wrapping_add(1);
        if let Some(there) = log.get(id) {
            entry(&there, reply);
            group.give(name, id, now, count);
            claims.push(Claim { id, time: now, count });
        } else {
            reply.array(2);
            reply.bulk(&id.text());
            reply.null_array();
        }
    }
    claims
}
