//! `CLIENT`: who is connected, and what one of them may do to the others.

use std::sync::Arc;

use super::connection::check_name;
use super::{Command, Flags, Group, Here, help};
use crate::client::{Peer, Wants};
use crate::door::now;
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::users::{User, Users};

const SELF: Flags = Flags::NO_SCRIPT.and(Flags::LOADING).and(Flags::STALE);
const ADMIN: Flags = SELF.and(Flags::ADMIN);
const C: Group = Group::Connection;

pub(super) const COMMANDS: &[Command] = &[
    Command::container("client", C),
    Command::here("client|id", 2, SELF, C, |here, _, reply| {
        reply.int(here.client.id() as i64);
        Ok(())
    }),
    Command::here("client|getname", 2, SELF, C, get_name),
    Command::here("client|setname", 3, SELF, C, set_name),
    Command::here("client|info", 2, SELF, C, |here, _, reply| {
        reply.verbatim("txt", &[&*here.client.peer.line(now()), b"\n"].concat());
        Ok(())
    }),
    Command::here("client|list", -2, ADMIN, C, list),
    Command::here("client|kill", -3, ADMIN, C, kill),
    Command::here("client|unblock", -3, ADMIN, C, unblock),
    Command::here("client|pause", -3, ADMIN, C, pause),
    Command::here("client|unpause", 2, ADMIN, C, |here, _, reply| {
        here.common.pause.end();
        here.common.look();
        reply.ok();
        Ok(())
    }),
    Command::here("client|reply", 3, SELF, C, wants),
    Command::here("client|no-evict", 3, ADMIN, C, no_evict),
    Command::here("client|getredir", 2, SELF, C, |_, _, reply| {
        reply.int(-1);
        Ok(())
    }),
    Command::here("client|trackinginfo", 2, SELF, C, tracking_info),
    Command::here("client|help", 2, Flags::LOADING.and(Flags::STALE), C, |_, _, reply| help(reply, "CLIENT", HELP)),
];

const HELP: &[&str] = &[
    "GETNAME",
    "GETREDIR",
    "ID",
    "INFO",
    "KILL ip:port | KILL option value [option value ...]",
    "LIST [TYPE normal|master|replica|pubsub] [ID id ...]",
    "NO-EVICT ON|OFF",
    "PAUSE milliseconds [WRITE|ALL]",
    "REPLY ON|OFF|SKIP",
    "SETNAME name",
    "TRACKINGINFO",
    "UNBLOCK id [TIMEOUT|ERROR]",
    "UNPAUSE",
];

fn get_name(here: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let name = here.client.peer.name();
    if name.is_empty() {
        reply.null()
    } else {
        reply.bulk(&name)
    }
    Ok(())
}

fn set_name(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    check_name(args.at(2))?;
    here.client.peer.set_name(args.at(2));
    reply.ok();
    Ok(())
}

/// Which sort of clients a word means; none is a master or a replica here.
fn kind(word: &[u8]) -> Result<&'static str, Fault> {
    let kinds = [("normal", "normal"), ("pubsub", "pubsub"), ("master", "master"), ("slave", "replica"), ("replica", "replica")];
    let found = kinds.into_iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(word));
    let unknown = || Fault::made(format!("ERR Unknown client type '{}'", String::from_utf8_lossy(word)));
    found.map(|(_, kind)| kind).ok_or_else(unknown)
}

fn list(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let roster = &here.common.roster;
    let peers: Vec<Arc<Peer>> = match args.len() {
        2 => roster.all(),
        4 if args.is(2, "TYPE") => {
            let kind = kind(args.at(3))?;
            roster.all().into_iter().filter(|peer| peer.kind() == kind).collect()
        }
        4.. if args.is(2, "ID") => {
            let ids: Result<Vec<i64>, Fault> = (3..args.len()).map(|at| args.int(at)).collect();
            let ids = ids.map_err(|_| Fault::fixed("ERR Invalid client ID"))?;
            ids.into_iter().filter_map(|id| roster.get(u64::try_from(id).ok()?)).collect()
        }
        _ => return Err(Fault::SYNTAX),
    };
    let mut text = Vec::new();
    // Who was ended may be there for a moment, but is gone for all others.
    for peer in peers.into_iter().filter(|peer| peer.ends().is_none()) {
        text.extend_from_slice(&peer.line(now()));
        text.push(b'\n');
    }
    reply.verbatim("txt", &text);
    Ok(())
}

/// Which clients are to be killed.
#[derive(Default)]
struct Victims<'a> {
    id: Option<u64>,
    kind: Option<&'static str>,
    address: Option<&'a [u8]>,
    local: Option<&'a [u8]>,
    user: Option<Arc<User>>,
    with_me: bool,
}

impl<'a> Victims<'a> {
    fn read(args: Args<'a>, users: &Users) -> Result<Victims<'a>, Fault> {
        let mut victims = Victims::default();
        if !args.len().is_multiple_of(2) {
            return Err(Fault::SYNTAX);
        }
        for at in (0..args.len()).step_by(2) {
            let value = args.at(at + 1);
            if args.is(at, "ID") {
                let id = args.int(at + 1).ok().filter(|id| *id > 0);
                victims.id = Some(id.ok_or(Fault::fixed("ERR client-id should be greater than 0"))? as u64);
            } else if args.is(at, "TYPE") {
                victims.kind = Some(kind(value)?);
            } else if args.is(at, "ADDR") {
                victims.address = Some(value);
            } else if args.is(at, "LADDR") {
                victims.local = Some(value);
            } else if args.is(at, "USER") {
                victims.user = Some(users.get(value).ok_or_else(|| unknown_user(value))?);
            } else if args.is(at, "SKIPME") {
                victims.with_me = match value {
                    yes if yes.eq_ignore_ascii_case(b"yes") => false,
                    no if no.eq_ignore_ascii_case(b"no") => true,
                    _ => return Err(Fault::SYNTAX),
                };
            } else {
                return Err(Fault::SYNTAX);
            }
        }
        Ok(victims)
    }

    fn has(&self, peer: &Peer, me: u64) -> bool {
        self.id.is_none_or(|id| peer.id == id)
            && self.kind.is_none_or(|kind| peer.kind() == kind)
            && self.address.is_none_or(|address| peer.address.to_string().as_bytes() == address)
            && self.local.is_none_or(|local| peer.local.to_string().as_bytes() == local)
            && self.user.as_ref().is_none_or(|user| peer.user() == user.name)
            && (self.with_me || peer.id != me)
    }
}

fn unknown_user(name: &[u8]) -> Fault {
    Fault::made(format!("ERR No such user '{}'", String::from_utf8_lossy(name)))
}

fn kill(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let is_old = args.len() == 3;
    let victims = match is_old {
        true => Victims { address: args.get(2), with_me: true, ..Victims::default() },
        false => Victims::read(args.from(2), &here.common.users)?,
    };
    let me = here.client.id();
    let peers: Vec<_> = here.common.roster.all().into_iter().filter(|peer| victims.has(peer, me)).collect();
    peers.iter().for_each(|peer| here.end(peer));
    match (is_old, peers.is_empty()) {
        (true, true) => return Err(Fault::fixed("ERR No such client")),
        (true, false) => reply.ok(),
        (false, _) => reply.int(peers.len() as i64),
    }
    Ok(())
}

fn unblock(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let with_error = match args.len() {
        3 => false,
        4 if args.is(3, "TIMEOUT") => false,
        4 if args.is(3, "ERROR") => true,
        4 => return Err(Fault::fixed("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")),
        _ => return Err(Fault::SYNTAX),
    };
    let peer = u64::try_from(args.int(2)?).ok().and_then(|id| here.common.roster.get(id));
    let Some(waiter) = peer.and_then(|peer| peer.blocked()).filter(|waiter| waiter.claim()) else {
        reply.int(0);
        return Ok(());
    };
    let mut out = Vec::new();
    let mut answer = Reply::new(&mut out, waiter.protocol);
    match with_error {
        true => answer.error(&Fault::fixed("UNBLOCKED client unblocked via CLIENT UNBLOCK")),
        false => answer.null_array(),
    }
    waiter.serve(out);
    reply.int(1);
    Ok(())
}

fn pause(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let only_writes = match args.len() {
        3 => false,
        4 if args.is(3, "WRITE") => true,
        4 if args.is(3, "ALL") => false,
        _ => return Err(Fault::fixed("ERR CLIENT PAUSE mode must be WRITE or ALL")),
    };
    let time = args.int(2).map_err(|_| Fault::fixed("ERR timeout is not an integer or out of range"))?;
    let time = u64::try_from(time).map_err(|_| Fault::fixed("ERR timeout is negative"))?;
    here.common.pause.begin(now().saturating_add(time), only_writes);
    here.common.look();
    reply.ok();
    Ok(())
}

fn wants(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let wants = &mut here.client.wants;
    if args.is(2, "ON") {
        *wants = Wants::All;
        reply.ok();
    } else if args.is(2, "OFF") {
        *wants = Wants::None;
    } else if args.is(2, "SKIP") {
        if *wants == Wants::All {
            *wants = Wants::NotNext;
        }
    } else {
        return Err(Fault::SYNTAX);
    }
    here.client.look();
    Ok(())
}

fn no_evict(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    match (args.is(2, "ON"), args.is(2, "OFF")) {
        (true, _) => here.client.peer.set_no_evict(true),
        (_, true) => here.client.peer.set_no_evict(false),
        _ => return Err(Fault::SYNTAX),
    }
    reply.ok();
    Ok(())
}

/// Nobody is told which keys have changed.
fn tracking_info(_: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.map(3);
    reply.bulk(b"flags");
    reply.set(1);
    reply.bulk(b"off");
    reply.bulk(b"redirect");
    reply.int(-1);
    reply.bulk(b"prefixes");
    reply.array(0);
    Ok(())
}
