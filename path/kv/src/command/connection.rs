//! The connection itself: who is there, and how it speaks.

use super::{Command, Flags, Group, Here};
use crate::error::Fault;
use crate::frame::{Args, Protocol, Reply};

const ALWAYS: Flags = Flags::FAST.and(Flags::LOADING).and(Flags::STALE);

pub(super) const COMMANDS: &[Command] = &[
    Command::here("ping", -1, Flags::FAST, Group::Connection, ping),
    Command::here("echo", 2, ALWAYS, Group::Connection, echo),
    Command::here("quit", -1, ALWAYS.and(Flags::NO_AUTH).and(Flags::ALLOW_BUSY).and(Flags::NO_SCRIPT), Group::Connection, quit),
    Command::here("select", 2, ALWAYS, Group::Connection, select),
    Command::here("hello", -1, ALWAYS.and(Flags::NO_AUTH).and(Flags::ALLOW_BUSY).and(Flags::NO_SCRIPT), Group::Connection, hello),
];

/// The version of Redis whose behaviour this is.
pub(crate) const VERSION: &str = "7.0.15";

fn ping(_: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    match args.len() {
        1 => reply.simple("PONG"),
        2 => reply.bulk(args.at(1)),
        _ => return Err(Fault::fixed("ERR wrong number of arguments for 'ping' command")),
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

/// `HELLO [2|3 [AUTH user password] [SETNAME name]]`.
fn hello(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    if args.len() > 1 {
        here.client.protocol = match args.int(1) {
            Ok(2) => Protocol::Resp2,
            Ok(3) => Protocol::Resp3,
            Ok(_) => return Err(Fault::fixed("NOPROTO unsupported protocol version")),
            Err(_) => return Err(Fault::fixed("ERR Protocol version is not an integer or out of range")),
        };
        reply.set_protocol(here.client.protocol);
    }
    reply.map(7);
    reply.bulk(b"server");
    reply.bulk(b"redis");
    reply.bulk(b"version");
    reply.bulk(VERSION.as_bytes());
    reply.bulk(b"proto");
    reply.int(if here.client.protocol == Protocol::Resp3 { 3 } else { 2 });
    reply.bulk(b"id");
    reply.int(here.client.id as i64);
    reply.bulk(b"mode");
    reply.bulk(b"standalone");
    reply.bulk(b"role");
    reply.bulk(b"master");
    reply.bulk(b"modules");
    reply.array(0);
    Ok(())
}
