//! `FUNCTION` and `FCALL`.

use std::sync::atomic::Ordering;

use super::keyspace::dump;
use super::scripting::{KEYS, RUNS};
use super::{Command, Flags, GROWS, Group, Here, KeySpec, WRITES, help};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::glob;
use crate::script::{Engine, Restore};

const ASKS: Flags = Flags::NO_SCRIPT;
const BUSY: Flags = ASKS.and(Flags::ALLOW_BUSY);
const G: Group = Group::Scripting;
const NO: KeySpec = KeySpec::None;

pub(super) const COMMANDS: &[Command] = &[
    Command::script("fcall", -3, RUNS, KEYS, |engine, args, reply| engine.functions()?.call(args, false, reply)),
    Command::script("fcall_ro", -3, RUNS.and(Flags::READ), KEYS, |engine, args, reply| engine.functions()?.call(args, true, reply)),
    Command::container("function", G),
    Command::script("function|load", -3, GROWS.and(ASKS), NO, load),
    Command::script("function|delete", 3, WRITES.and(ASKS), NO, delete),
    Command::script("function|flush", -2, WRITES.and(ASKS), NO, flush),
    Command::script("function|list", -2, ASKS, NO, list),
    Command::script("function|dump", 2, ASKS, NO, dump_all),
    Command::script("function|restore", -3, GROWS.and(ASKS), NO, restore),
    Command::here("function|stats", 2, BUSY, G, stats),
    Command::here("function|kill", 2, BUSY, G, kill),
    Command::here("function|help", 2, Flags::LOADING.and(Flags::STALE), G, |_, _, reply| {
        let lines = [
            "LOAD [REPLACE] <FUNCTION CODE>",
            "DELETE <LIBRARY NAME>",
            "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
            "STATS",
            "KILL",
            "FLUSH [ASYNC|SYNC]",
            "DUMP",
            "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
        ];
        help(reply, "FUNCTION", &lines)
    }),
];

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn load(engine: &mut Engine, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let last = args.len() - 1;
    if let Some(other) = (2..last).find(|at| !args.is(*at, "REPLACE")) {
        return Err(Fault::made(format!("ERR Unknown option given: {}", text(args.at(other)))));
    }
    let name = engine.functions()?.load(args.at(last), last > 2)?;
    reply.bulk(name.as_bytes());
    Ok(())
}

fn delete(engine: &mut Engine, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    if !engine.functions()?.delete(args.at(2)) {
        return Err(Fault::fixed("ERR Library not found"));
    }
    reply.ok();
    Ok(())
}

fn wrong_use(args: Args<'_>) -> Fault {
    Fault::made(format!("ERR unknown subcommand or wrong number of arguments for '{}'. Try FUNCTION HELP.", text(args.at(1))))
}

fn flush(engine: &mut Engine, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    match args.len() {
        2 => {}
        3 if args.is(2, "SYNC") || args.is(2, "ASYNC") => {}
        3 => return Err(Fault::fixed("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")),
        _ => return Err(wrong_use(args)),
    }
    engine.flush_functions();
    reply.ok();
    Ok(())
}

fn list(engine: &mut Engine, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (mut pattern, mut with_code, mut at) = (None, false, 2);
    while at < args.len() {
        if !with_code && args.is(at, "WITHCODE") {
            with_code = true;
        } else if pattern.is_none() && args.is(at, "LIBRARYNAME") {
            at += 1;
            pattern = Some(args.get(at).ok_or(Fault::fixed("ERR library name argument was not given"))?);
        } else {
            return Err(Fault::made(format!("ERR Unknown argument {}", text(args.at(at)))));
        }
        at += 1;
    }
    let is_chosen = |name: &str| pattern.is_none_or(|pattern| glob::matches(pattern, name.as_bytes(), true));
    let chosen: Vec<_> = engine.functions()?.libraries().iter().filter(|(name, _)| is_chosen(name)).collect();
    reply.array(chosen.len());
    for (name, library) in chosen {
        reply.map(if with_code { 4 } else { 3 });
        reply.bulk(b"library_name");
        reply.bulk(name.as_bytes());
        reply.bulk(b"engine");
        reply.bulk(b"LUA");
        reply.bulk(b"functions");
        reply.array(library.functions.len());
        for (name, function) in &library.functions {
            reply.map(3);
            reply.bulk(b"name");
            reply.bulk(name.as_bytes());
            reply.bulk(b"description");
            match &function.description {
                Some(words) => reply.bulk(words),
                None => reply.null(),
            }
            reply.bulk(b"flags");
            let flags: Vec<_> = function.marks.names().collect();
            reply.set(flags.len());
            flags.into_iter().for_each(|flag| reply.simple(flag));
        }
        if with_code {
            reply.bulk(b"library_code");
            reply.bulk(&library.code);
        }
    }
    Ok(())
}

fn dump_all(engine: &mut Engine, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let libraries = engine.functions()?.libraries();
    reply.bulk(&dump::of_texts(libraries.values().map(|library| &*library.code)));
    Ok(())
}

fn restore(engine: &mut Engine, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let how = match args.len() {
        3 => Restore::Append,
        4 if args.is(3, "APPEND") => Restore::Append,
        4 if args.is(3, "REPLACE") => Restore::Replace,
        4 if args.is(3, "FLUSH") => Restore::Flush,
        4 => return Err(Fault::fixed("ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.")),
        _ => return Err(wrong_use(args)),
    };
    let codes = dump::texts(args.at(2))?.ok_or(Fault::fixed("ERR failed loading the given functions payload"))?;
    engine.functions()?.restore(&codes, how)?;
    reply.ok();
    Ok(())
}

fn stats(here: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let scripts = &here.common.scripts;
    let running = scripts.running();
    if running.as_ref().is_some_and(|running| running.is_eval && running.is_late())
        && let Some(fault) = scripts.busy()
    {
        return Err(fault);
    }
    reply.map(2);
    reply.bulk(b"running_script");
    match running.filter(|running| !running.is_eval) {
        Some(running) => {
            reply.map(3);
            reply.bulk(b"name");
            reply.bulk(running.name.as_bytes());
            reply.bulk(b"command");
            let words = running.words.args();
            reply.array(words.len());
            words.iter().for_each(|word| reply.bulk(word));
            reply.bulk(b"duration_ms");
            reply.int(running.began.elapsed().as_millis() as i64);
        }
        None => reply.null(),
    }
    reply.bulk(b"engines");
    reply.map(1);
    reply.bulk(b"LUA");
    reply.map(2);
    for (name, count) in [("libraries_count", &scripts.counts.libraries), ("functions_count", &scripts.counts.functions)] {
        reply.bulk(name.as_bytes());
        reply.int(count.load(Ordering::Relaxed) as i64);
    }
    Ok(())
}

fn kill(here: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    here.common.scripts.kill(false)?;
    reply.ok();
    Ok(())
}
