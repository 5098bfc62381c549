//! The connection itself: who is there, and how it speaks.

use super::permit::context;
use super::transactions::forget;
use super::{Command, Flags, Group, Here};
use crate::client::Wants;
use crate::error::Fault;
use crate::frame::{Args, Protocol, Reply};
use crate::users::{DEFAULT, Reason};

const ALWAYS: Flags = Flags::FAST.and(Flags::LOADING).and(Flags::STALE);
const ANYBODY: Flags = ALWAYS.and(Flags::NO_AUTH).and(Flags::ALLOW_BUSY).and(Flags::NO_SCRIPT);
const SECRET: Flags = ANYBODY.and(Flags::SKIP_SLOWLOG).and(Flags::SKIP_MONITOR);

pub(super) const COMMANDS: &[Command] = &[
    Command::here("ping", -1, Flags::FAST, Group::Connection, ping),
    Command::here("echo", 2, ALWAYS, Group::Connection, echo),
    Command::here("quit", -1, ANYBODY, Group::Connection, quit),
    Command::here("select", 2, ALWAYS, Group::Connection, select),
    Command::here("hello", -1, SECRET, Group::Connection, hello),
    Command::here("auth", -2, SECRET, Group::Connection, auth),
    Command::here("reset", 1, ANYBODY, Group::Connection, reset),
];

/// The version of Redis whose behaviour this is.
pub(crate) const VERSION: &str = "7.0.15";

const WRONG_PASSWORD: Fault = Fault::fixed("WRONGPASS invalid username-password pair or user is disabled.");
const NO_PASSWORD: Fault = Fault::fixed(
    "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
);
const STRANGER: Fault = Fault::fixed(
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used \
     to authenticate the client and select the RESP protocol version at the same time",
);

fn ping(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    if args.len() > 2 {
        return Err(Fault::fixed("ERR wrong number of arguments for 'ping' command"));
    }
    let is_subscriber = reply.protocol() == Protocol::Resp2 && !here.client.subscriptions.is_empty();
    match args.get(1) {
        given if is_subscriber => {
            reply.array(2);
            reply.bulk(b"pong");
            reply.bulk(given.unwrap_or_default());
        }
        Some(given) => reply.bulk(given),
        None => reply.simple("PONG"),
    }
    Ok(())
}

fn echo(_: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.bulk(args.at(1));
    Ok(())
}

fn quit(here: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    here.client.leaves = true;
    reply.ok();
    Ok(())
}

/// There is one database.
fn select(_: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    match args.int(1)? {
        0 => reply.ok(),
        _ => return Err(Fault::fixed("ERR DB index is out of range")),
    }
    Ok(())
}

/// Logs a client in, if that is the user's password.
fn log_in(here: &mut Here<'_>, args: Args<'_>, name: &[u8], password: &[u8]) -> Result<(), Fault> {
    match here.common.users.log_in(name, password) {
        Some(user) => here.client.becomes(user),
        None => {
            here.common.denied(&here.client.peer, name, (Reason::Login, args.at(0)), context(here));
            return Err(WRONG_PASSWORD);
        }
    }
    Ok(())
}

/// `AUTH [user] password`.
fn auth(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let needs_none = || here.common.users.get(DEFAULT).is_some_and(|user| user.needs_none());
    match args.len() {
        2 if needs_none() => return Err(NO_PASSWORD),
        2 => log_in(here, args, DEFAULT, args.at(1))?,
        3 => log_in(here, args, args.at(1), args.at(2))?,
        _ => return Err(Fault::SYNTAX),
    }
    reply.ok();
    Ok(())
}

/// `HELLO [2|3 [AUTH user password] [SETNAME name]]`.
fn hello(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let protocol = match args.len() {
        1 => here.client.protocol,
        _ => match args.int(1) {
            Ok(2) => Protocol::Resp2,
            Ok(3) => Protocol::Resp3,
            Ok(_) => return Err(Fault::fixed("NOPROTO unsupported protocol version")),
            Err(_) => return Err(Fault::fixed("ERR Protocol version is not an integer or out of range")),
        },
    };
    let (mut at, mut login, mut name) = (2, None, None);
    while at < args.len() {
        let more = args.len() - 1 - at;
        if args.is(at, "AUTH") && more >= 2 {
            login = Some((args.at(at + 1), args.at(at + 2)));
            at += 3;
        } else if args.is(at, "SETNAME") && more >= 1 {
            check_name(args.at(at + 1))?;
            name = Some(args.at(at + 1));
            at += 2;
        } else {
            let option = String::from_utf8_lossy(args.at(at));
            return Err(Fault::made(format!("ERR Syntax error in HELLO option '{option}'")));
        }
    }
    if let Some((user, password)) = login {
        log_in(here, args, user, password)?;
    }
    if !here.client.limits.known {
        return Err(STRANGER);
    }
    if let Some(name) = name {
        here.client.peer.set_name(name);
    }
    here.client.protocol = protocol;
    here.client.look();
    reply.set_protocol(protocol);
    greet(here.client.id(), protocol, reply);
    Ok(())
}

fn greet(id: u64, protocol: Protocol, reply: &mut Reply<'_>) {
    reply.map(7);
    reply.bulk(b"server");
    reply.bulk(b"redis");
    reply.bulk(b"version");
    reply.bulk(VERSION.as_bytes());
    reply.bulk(b"proto");
    reply.int(if protocol == Protocol::Resp3 { 3 } else { 2 });
    reply.bulk(b"id");
    reply.int(id as i64);
    reply.bulk(b"mode");
    reply.bulk(b"standalone");
    reply.bulk(b"role");
    reply.bulk(b"master");
    reply.bulk(b"modules");
    reply.array(0);
}

/// Names are shown in lists of words.
pub(super) fn check_name(name: &[u8]) -> Result<(), Fault> {
    let is_good = name.iter().all(|byte| (b'!'..=b'~').contains(byte));
    if is_good { Ok(()) } else { Err(Fault::fixed("ERR Client names cannot contain spaces, newlines or special characters.")) }
}

/// The client is as it came.
fn reset(here: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let Here { client, common, .. } = here;
    forget(client, &common.store);
    common.channels.leave(client.peer.id, &mut client.subscriptions);
    if client.is_monitor {
        client.is_monitor = false;
        common.roster.remove_monitor(client.id());
        common.look();
    }
    client.peer.set_name(b"");
    client.peer.set_no_evict(false);
    client.wants = Wants::All;
    client.protocol = Protocol::Resp2;
    let (user, seen) = common.users.default();
    client.users_seen = seen;
    client.becomes(user);
    client.limits.known = !common.users.needs_login();
    client.look();
    reply.set_protocol(Protocol::Resp2);
    reply.simple("RESET");
    Ok(())
}
