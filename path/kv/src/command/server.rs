//! The server as a whole: what it is, what time it is, and what only makes sense where there are several.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::keyspace::object;
use super::{Command, Flags, Group, Here, KeySpec, READS, Run, WRITES_FAST, find, help};
use crate::error::Fault;
use crate::frame::{Args, Owned, Protocol, Reply};
use crate::store::{Kind, View};

const ALWAYS: Flags = Flags::LOADING.and(Flags::STALE);
const ADMIN: Flags = ALWAYS.and(Flags::ADMIN).and(Flags::NO_SCRIPT);
const S: Group = Group::Server;

pub(super) const COMMANDS: &[Command] = &[
    Command::here("time", 1, ALWAYS.and(Flags::FAST), S, time),
    Command::here("role", 1, ALWAYS.and(Flags::FAST).and(Flags::NO_SCRIPT).and(Flags::DANGEROUS), S, role),
    Command::here("wait", 3, Flags::NO_SCRIPT, Group::Keyspace, wait),
    Command::here("swapdb", 3, WRITES_FAST.and(Flags::DANGEROUS), S, swap),
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
    Command { flags: ADMIN, ..Command::container("debug", S) },
    Command::on_keys("debug|sleep", 3, ADMIN, S, KeySpec::All, sleep).costs(|_, _| usize::MAX),
    Command::here("debug|set-active-expire", 3, ADMIN, S, active_expire),
    Command::here("debug|quicklist-packed-threshold", 3, ADMIN, S, fine),
    Command::here("debug|replybuffer", -3, ADMIN, S, fine),
    Command::here("debug|set-disable-deny-scripts", 3, ADMIN, S, |here, args, reply| {
        here.common.set_tests_in_scripts(args.int(2)? != 0);
        reply.ok();
        Ok(())
    }),
    Command::here("debug|stringmatch-len", 4, ADMIN, S, fine),
    Command::on_keys("debug|digest-value", -2, ADMIN, S, KeySpec::Range { first: 2, last: -1, step: 1 }, digests),
    Command::on_keys("debug|object", 3, ADMIN, S, KeySpec::Range { first: 2, last: 2, step: 1 }, object::debug).costs(object::debug_cost),
    Command::here("debug|protocol", 3, ADMIN, S, protocol),
    Command::here("debug|help", 2, ADMIN, S, |_, _, reply| {
        let forms = ["DIGEST-VALUE [key ...]", "OBJECT key", "PROTOCOL type", "RELOAD", "SLEEP seconds", "SET-ACTIVE-EXPIRE 0|1"];
        help(reply, "DEBUG", &forms)
    }),
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
        ("peak.allocated", here.common.store.peak().max(held)),
        ("total.allocated", held),
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

/// Of what each key holds: two that hold the same have the same.
fn digests(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let Some(Run::Keys(dump)) = find(b"dump").map(|command| command.run) else { unreachable!("it is one that works on keys") };
    reply.array(args.len() - 2);
    for key in args.from(2).iter() {
        let (words, mut out): (Owned, _) = ([&b"dump"[..], key].into_iter().collect(), Vec::new());
        dump(view, words.args(), &mut Reply::new(&mut out, Protocol::Resp2))?;
        let kind = view.kind(key);
        if matches!(kind, Some(Kind::Hash | Kind::Set)) {
            // Their order says nothing; nor does the checksum at the end, which hangs on it.
            out.truncate(out.len().saturating_sub(CHECKED));
            out.sort_unstable();
        }
        let hash = if kind.is_some() { out.iter().fold(1, |hash: u128, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME)) } else { 0 };
        reply.simple(&format!("{hash:040x}"));
    }
    Ok(())
}

/// Bytes at the end of what DUMP says: a checksum and a line's end.
const CHECKED: usize = 8 + 2;
/// Of FNV-1a with 128 bits.
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// An answer of each type that the protocol has, for tests of clients.
fn protocol(_: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let is_3 = reply.protocol() == Protocol::Resp3;
    let numbers = |reply: &mut Reply<'_>| (0..3).for_each(|number| reply.int(number));
    match &*args.at(2).to_ascii_lowercase() {
        b"string" => reply.bulk(b"Hello World"),
        b"integer" => reply.int(12_345),
        // As a fraction: it is not meant to be pi.
        b"double" => reply.double(3141.0 / 1000.0),
        b"bignum" => reply.big_number(b"1234567999999999999999999999999999999"),
        b"null" => reply.null(),
        b"true" => reply.bool(true),
        b"false" => reply.bool(false),
        b"verbatim" => reply.verbatim("txt", b"This is a verbatim\nstring"),
        b"array" => {
            reply.array(3);
            numbers(reply);
        }
        b"set" => {
            reply.set(3);
            numbers(reply);
        }
        b"map" => {
            reply.map(3);
            (0..3).for_each(|number| {
                reply.int(number);
                reply.bool(number == 1);
            });
        }
        b"attrib" => {
            if is_3 {
                reply.attribute(1);
                reply.bulk(b"key-popularity");
                reply.array(2);
                reply.bulk(b"key:123");
                reply.int(90);
            }
            reply.bulk(b"Some real reply following the attribute");
        }
        b"push" if is_3 => {
            reply.push(2);
            reply.bulk(b"server-cpu-usage");
            reply.int(42);
            reply.bulk(b"Some real reply following the push reply");
        }
        b"push" => return Err(Fault::fixed("ERR RESP2 is not supported by this command")),
        _ => return Err(Fault::SYNTAX),
    }
    Ok(())
}
