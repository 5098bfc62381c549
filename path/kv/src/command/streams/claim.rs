//! `XCLAIM` and `XAUTOCLAIM`: what is pending for one consumer becomes another's.

use super::range::entry;
use super::serve::{Claim, log_claims};
use super::{ids, log_group, look, no_group, noted, peek};
use crate::error::Fault;
use crate::frame::{Args, Reply, parse_int};
use crate::store::stream::{Group, Id, Log, Stream};
use crate::store::{Kind, Ms, Outcome, View};

/// How entries are claimed.
struct How<'a> {
    name: &'a [u8],
    /// Only those that were given so many milliseconds ago.
    idle: i64,
    now: Ms,
    /// When they are said to have been given.
    time: Ms,
    /// How often they are said to have been given.
    count: Option<u64>,
    /// Those that are not pending, too.
    force: bool,
    /// Entries are not told, and do not count as given once more.
    just_id: bool,
    last: Option<Id>,
}

/// What came of it.
#[derive(Default)]
struct Claimed {
    /// The consumer is new.
    is_new: bool,
    has_asked: bool,
    claims: Vec<Claim>,
    /// Pending entries that are not there any more.
    gone: Vec<Id>,
}

impl<'a> How<'a> {
    /// With options behind the IDs; how many IDs there are, too.
    fn read(args: Args<'a>, now: Ms) -> Result<(How<'a>, Vec<Id>), Fault> {
        const NO_IDLE: &str = "ERR Invalid min-idle-time argument for XCLAIM";
        let idle = parse_int(args.at(4)).ok_or(Fault::fixed(NO_IDLE))?;
        let mut how = How::new(args.at(3), idle, now);
        let ids: Vec<Id> = args.from(5).iter().map_while(|id| Id::parse(id, 0)).collect();
        let (mut at, mut time) = (5 + ids.len(), -1);
        while at < args.len() {
            let number = |option: &str| {
                let fault = || Fault::made(format!("ERR Invalid {option} option argument for XCLAIM"));
                parse_int(args.at(at + 1)).ok_or_else(fault)
            };
            let has_more = at + 1 < args.len();
            match () {
                () if args.is(at, "FORCE") => how.force = true,
                () if args.is(at, "JUSTID") => how.just_id = true,
                () if has_more && args.is(at, "IDLE") => time = (now as i64).wrapping_sub(number("IDLE")?),
                () if has_more && args.is(at, "TIME") => time = number("TIME")?,
                () if has_more && args.is(at, "RETRYCOUNT") => how.count = u64::try_from(number("RETRYCOUNT")?).ok(),
                () if has_more && args.is(at, "LASTID") => how.last = Some(ids::strict(args.at(at + 1))?),
                () => {
                    let option = String::from_utf8_lossy(args.at(at)).into_owned();
                    return Err(Fault::made(format!("ERR Unrecognized XCLAIM option '{option}'")));
                }
            }
            at += if args.is(at, "FORCE") || args.is(at, "JUSTID") { 1 } else { 2 };
        }
        // A time that makes no sense is no fault: clients reckon with clocks of their own.
        how.time = u64::try_from(time).ok().filter(|time| *time <= now).unwrap_or(now);
        Ok((how, ids))
    }

    fn new(name: &'a [u8], idle: i64, now: Ms) -> How<'a> {
        How { name, idle: idle.max(0), now, time: now, count: None, force: false, just_id: false, last: None }
    }

    /// Claims one entry, and tells it if it can be.
    fn claim(&self, id: Id, log: &Log, group: &mut Group, claimed: &mut Claimed, reply: &mut Reply<'_>) {
        let pending = group.pending(id);
        let Some(there) = log.get(id) else {
            if group.acknowledge(id) {
                claimed.gone.push(id);
            }
            return;
        };
        let is_idle = pending.map_or(self.force, |pending| self.idle == 0 || self.now as i64 - pending.time as i64 >= self.idle);
        if !is_idle {
            return;
        }
        if !claimed.has_asked {
            claimed.has_asked = true;
            claimed.is_new = group.sees(self.name, self.now);
        }
        let before = pending.map_or(1, |pending| pending.count);
        let count = self.count.unwrap_or(before.wrapping_add(u64::from(!self.just_id)));
        group.give(self.name, id, self.time, count);
        claimed.claims.push(Claim { id, time: self.time, count });
        if self.just_id {
            reply.bulk(&id.text());
        } else {
            entry(&there, reply);
        }
    }
}

impl Claimed {
    fn record(&self, outcome: &mut Outcome, key: &[u8], group: &[u8], name: &[u8], last: Id) {
        if self.is_new {
            noted(outcome, key, "xgroup-createconsumer");
            outcome.effect(&[b"XGROUP", b"CREATECONSUMER", key, group, name]);
        }
        outcome.changes += (self.claims.len() + self.gone.len()) as u64;
        for id in &self.gone {
            outcome.effect(&[b"XACK", key, group, &id.text()]);
        }
        log_claims(outcome, key, group, name, last, &self.claims);
    }
}

/// The key and the group must be there.
fn need_group(view: &mut View<'_>, args: Args<'_>) -> Result<(), Fault> {
    let group = look(view, args.at(1))?.and_then(|stream| stream.groups.get(args.at(2)));
    group.map(|_| ()).ok_or_else(|| no_group(args.at(1), args.at(2), ""))
}

pub(super) fn claim(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    need_group(view, args)?;
    let (key, group_name) = (args.at(1), args.at(2));
    let (how, ids) = How::read(args, view.now())?;
    let mut slot = view.open(key, Kind::Stream)?;
    let Some(Stream { log, groups }) = Stream::in_slot(&mut slot) else { return Ok(()) };
    let hole = reply.later(1);
    let mut claimed = Claimed::default();
    let after = groups.change(group_name, |group| {
        let is_on = how.last.is_some_and(|last| last > group.last);
        group.last = how.last.map_or(group.last, |last| last.max(group.last));
        ids.into_iter().for_each(|id| how.claim(id, log, group, &mut claimed, reply));
        (group.last, group.read, is_on)
    });
    let (last, read, is_on) = after.unwrap_or_default();
    reply.fill(hole, claimed.claims.len());
    let outcome = slot.outcome();
    claimed.record(outcome, key, group_name, how.name, last);
    if is_on && claimed.claims.is_empty() {
        outcome.changes += 1;
        log_group(outcome, key, group_name, last, read);
    }
    Ok(())
}

/// What `XAUTOCLAIM` is asked.
struct Ask<'a> {
    how: How<'a>,
    from: Id,
    count: usize,
}

/// So many pending entries are looked at for one that is claimed.
const LOOKS: usize = 10;

impl<'a> Ask<'a> {
    fn read(args: Args<'a>, now: Ms) -> Result<Ask<'a>, Fault> {
        const NO_IDLE: &str = "ERR Invalid min-idle-time argument for XAUTOCLAIM";
        const MOST: i64 = i64::MAX / 16;
        let idle = parse_int(args.at(4)).ok_or(Fault::fixed(NO_IDLE))?;
        let mut ask = Ask { how: How::new(args.at(3), idle, now), from: ids::start(args.at(5))?, count: 100 };
        let mut at = 6;
        while at < args.len() {
            if args.is(at, "COUNT") && at + 1 < args.len() {
                let count = parse_int(args.at(at + 1)).filter(|count| (1..=MOST).contains(count));
                ask.count = count.ok_or(Fault::fixed("ERR COUNT must be > 0"))? as usize;
                at += 1;
            } else if args.is(at, "JUSTID") {
                ask.how.just_id = true;
            } else {
                return Err(Fault::SYNTAX);
            }
            at += 1;
        }
        Ok(ask)
    }

    fn looks(&self) -> usize {
        self.count.saturating_mul(LOOKS)
    }
}

pub(super) fn claim_idle(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (key, group_name) = (args.at(1), args.at(2));
    let ask = Ask::read(args, view.now());
    // Its key is asked for first.
    let there = need_group(view, args);
    let ask = ask?;
    there?;
    let mut slot = view.open(key, Kind::Stream)?;
    let Some(Stream { log, groups }) = Stream::in_slot(&mut slot) else { return Ok(()) };
    let (mut claimed, mut told) = (Claimed::default(), Vec::new());
    let mut rest = Reply::new(&mut told, reply.protocol());
    let after = groups.change(group_name, |group| {
        let ids: Vec<Id> = group.pending_between(ask.from, Id::MAX).map(|(id, _)| id).take(ask.looks().saturating_add(1)).collect();
        let mut ids = ids.into_iter();
        for id in ids.by_ref().take(ask.looks()) {
            ask.how.claim(id, log, group, &mut claimed, &mut rest);
            if claimed.claims.len() + claimed.gone.len() == ask.count {
                break;
            }
        }
        (ids.next().unwrap_or_default(), group.last)
    });
    let (next, last) = after.unwrap_or_default();
    reply.array(3);
    reply.bulk(&next.text());
    reply.array(claimed.claims.len());
    reply.raw(&told);
    reply.array(claimed.gone.len());
    claimed.gone.iter().for_each(|id| reply.bulk(&id.text()));
    claimed.record(slot.outcome(), key, group_name, ask.how.name, last);
    Ok(())
}

pub(super) fn idle_cost(view: &View<'_>, args: Args<'_>) -> usize {
    let group = peek(view, args.at(1)).and_then(|stream| stream.groups.get(args.at(2)));
    let ask = Ask::read(args, view.now()).ok();
    ask.zip(group).map_or(0, |(ask, group)| ask.looks().min(group.pending_count()))
}
