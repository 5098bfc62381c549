//! The server as a whole: what it is, what time it is, and what only makes sense where there are several.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Command, Flags, Group, Here, KeySpec, READS, WRITES_FAST, help};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::View;

const ALWAYS: Flags = Flags::LOADING.and(Flags::STALE);
const ADMIN: Flags = ALWAYS.and(Flags::ADMIN).and(Flags::NO_SCRIPT);
const S: Group = Group::Server;

pub(super) const COMMANDS: &[Command] = &[
    Command::here("time", 1, ALWAYS.and(Flags::FAST), S, time),
    Command::here("lastsave", 1, ALWAYS.and(Flags::FAST), S, last_save),
    Command::here("role", 1, ALWAYS.and(Flags::FAST).and(Flags::NO_SCRIPT), S, role),
    Command::here("wait", 3, Flags::NO_SCRIPT, Group::Keyspace, wait),
    Command::here("swapdb", 3, WRITES_FAST, S, swap),
    Command::here("lolwut", -1, Flags::READ.and(Flags::FAST), S, lolwut),
    Command::here("monitor", 1, ADMIN, S, monitor),
    Command::container("memory", S),
    Command::on_keys("memory|usage", -3, READS, S, KeySpec::Range { first: 2, last: 2, step: 1 }, usage),
    Command::both("memory|stats", 2, Flags::NONE, S, KeySpec::All, stats),
    Command::here("memory|doctor", 2, Flags::NONE, S, |_, _, reply| {
        reply.verbatim("txt", b"Memory is what `memory` in the file says: see `INFO memory` for what is used of it.\n");
        Ok(())
    }),
    Command::here("memory|purge", 2, Flags::NONE, S, |_, _, reply| {
        reply.ok();
        Ok(())
    }),
    Command::here("memory|malloc-stats", 2, Flags::NONE, S, |_, _, reply| {
        reply.bulk(b"Stats not supported for the current allocator");
        Ok(())
    }),
    Command::here("memory|help", 2, ALWAYS, S, |_, _, reply| {
        help(reply, "MEMORY", &["DOCTOR", "MALLOC-STATS", "PURGE", "STATS", "USAGE key [SAMPLES count]"])
    }),
    Command::container("debug", S),
    Command::on_keys("debug|sleep", 3, ADMIN, S, KeySpec::All, sleep).costs(|_, _| usize::MAX),
    Command::here("debug|set-active-expire", 3, ADMIN, S, active_expire),
    Command::here("debug|quicklist-packed-threshold", 3, ADMIN, S, fine),
    Command::here("debug|replybuffer", -3, ADMIN, S, fine),
    Command::here("debug|set-disable-deny-scripts", 3, ADMIN, S, fine),
    Command::here("debug|stringmatch-len", 4, ADMIN, S, fine),
    Command::here("debug|help", 2, ADMIN, S, |_, _, reply| help(reply, "DEBUG", &["SLEEP seconds", "SET-ACTIVE-EXPIRE 0|1"])),
];

/// What would change how Redis keeps its values means nothing here.
fn fine(_: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.ok();
    Ok(())
}

fn time(_: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    reply.array(2);
    reply.bulk_int(now.as_secs() as i64);
    reply.bulk_int(i64::from(now.subsec_micros()));
    Ok(())
}

fn last_save(here: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.int((here.common.started / 1000) as i64);
    Ok(())
}

fn role(_: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.array(3);
    reply.bulk(b"master");
    reply.int(0);
    reply.array(0);
    Ok(())
}

/// There are no replicas.
fn wait(_: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    args.int(1)?;
    match args.int(2) {
        Err(_) => return Err(Fault::fixed("ERR timeout is not an integer or out of range")),
        Ok(..0) => return Err(Fault::fixed("ERR timeout is negative")),
        Ok(_) => reply.int(0),
    }
    Ok(())
}

fn swap(_: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let first = args.int(1).map_err(|_| Fault::fixed("ERR invalid first DB index"))?;
    let second = args.int(2).map_err(|_| Fault::fixed("ERR invalid second DB index"))?;
    if (first, second) != (0, 0) {
        return Err(Fault::fixed("ERR DB index is out of range"));
    }
    reply.ok();
    Ok(())
}

fn lolwut(_: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.verbatim("txt", b"  o--o\n /    \\   the load line\n|--()--|\n \\    /\n  o--o\n\nRedis ver. 7.0.15\n");
    Ok(())
}

fn monitor(here: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let Here { client, common, .. } = here;
    if !client.is_monitor {
        client.is_monitor = true;
        common.roster.add_monitor(&client.peer);
        common.look();
        client.look();
    }
    reply.ok();
    Ok(())
}

fn usage(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    match args.len() {
        3 => {}
        5 if args.is(3, "SAMPLES") && args.int(4)? >= 0 => {}
        _ => return Err(Fault::SYNTAX),
    }
    match view.usage(args.at(2)) {
        Some(bytes) => reply.int(bytes as i64),
        None => reply.null(),
    }
    Ok(())
}

fn stats(here: &mut Here<'_>, view: &mut View<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (held, count): (usize, usize) = (view.all().map(|keys| keys.held()).sum(), view.count());
    let numbers = [
        ("peak.allocated", held),
        ("total.allocated", held),
        ("startup.allocated", 0),
        ("clients.normal", here.common.roster.all().len() * 1928),
        ("keys.count", count),
        ("keys.bytes-per-key", held.checked_div(count).unwrap_or(0)),
        ("dataset.bytes", held),
    ];
    reply.map(numbers.len());
    for (name, number) in numbers {
        reply.bulk(name.as_bytes());
        reply.int(number as i64);
    }
    Ok(())
}

/// By a worker, which has all keys: nothing else is done meanwhile.
fn sleep(_: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    const LONGEST: f64 = 60.0;
    std::thread::sleep(Duration::from_secs_f64(args.float(2)?.clamp(0.0, LONGEST)));
    reply.ok();
    Ok(())
}

fn active_expire(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    here.common.set_active_expire(args.int(2)? != 0);
    reply.ok();
    Ok(())
}
