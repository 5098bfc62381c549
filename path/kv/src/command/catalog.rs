//! `COMMAND`: what can be asked for, as clients want to know it.

use super::admit::admitted;
use super::{Categories, Command, Flags, Group, Here, KeySpec, Run, called, find, help, named};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::glob;

const ALWAYS: Flags = Flags::LOADING.and(Flags::STALE);
const S: Group = Group::Server;

pub(super) const COMMANDS: &[Command] = &[
    Command { arity: -1, ..Command::container("command", S) },
    Command::here("command|count", 2, ALWAYS, S, |_, _, reply| {
        reply.int(top().count() as i64);
        Ok(())
    }),
    Command::here("command|info", -2, ALWAYS, S, info),
    Command::here("command|docs", -2, ALWAYS, S, docs),
    Command::here("command|list", -2, ALWAYS, S, list),
    Command::here("command|getkeys", -4, ALWAYS, S, get_keys),
    Command::here("command|help", 2, ALWAYS, S, |_, _, reply| {
        help(
            reply,
            "COMMAND",
            &["(no subcommand)", "COUNT", "DOCS [name ...]", "GETKEYS command", "INFO [name ...]", "LIST [FILTERBY ...]"],
        )
    }),
];

/// Those that are no part of another.
fn top() -> impl Iterator<Item = &'static Command> {
    named().filter(|command| !command.name.contains('|'))
}

/// Those that are part of `container`.
pub(super) fn parts(container: &Command) -> Vec<&'static Command> {
    let is_part = |command: &&Command| command.name.strip_prefix(container.name).is_some_and(|rest| rest.starts_with('|'));
    if matches!(container.run, Run::Container) { named().filter(is_part).collect() } else { Vec::new() }
}

/// `COMMAND` without more: all of them.
pub(super) fn all(reply: &mut Reply<'_>) {
    reply.array(top().count());
    top().for_each(|command| describe(command, reply));
}

fn info(_: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    if args.len() == 2 {
        all(reply);
        return Ok(());
    }
    reply.array(args.len() - 2);
    for name in args.from(2).iter() {
        match find(name) {
            Some(command) => describe(command, reply),
            None => reply.null_array(),
        }
    }
    Ok(())
}

fn describe(command: &Command, reply: &mut Reply<'_>) {
    reply.array(10);
    reply.bulk(command.name.as_bytes());
    reply.int(i64::from(command.arity));
    let flags = flags(command);
    reply.set(flags.len());
    flags.into_iter().for_each(|flag| reply.simple(flag));
    places(command).into_iter().for_each(|place| reply.int(place));
    let categories: Vec<_> = command.categories().names().collect();
    reply.set(categories.len());
    categories.iter().for_each(|category| reply.simple(&format!("@{category}")));
    reply.array(0);
    reply.array(0);
    let parts = parts(command);
    reply.array(parts.len());
    parts.into_iter().for_each(|part| describe(part, reply));
}

fn flags(command: &Command) -> Vec<&'static str> {
    let names = [
        (Flags::WRITE, "write"),
        (Flags::READ, "readonly"),
        (Flags::DENY_OOM, "denyoom"),
        (Flags::ADMIN, "admin"),
        (Flags::PUBSUB, "pubsub"),
        (Flags::NO_SCRIPT, "noscript"),
        (Flags::BLOCKING, "blocking"),
        (Flags::LOADING, "loading"),
        (Flags::STALE, "stale"),
        (Flags::SKIP_MONITOR, "skip_monitor"),
        (Flags::SKIP_SLOWLOG, "skip_slowlog"),
        (Flags::FAST, "fast"),
        (Flags::NO_AUTH, "no_auth"),
        (Flags::NO_MULTI, "no_multi"),
        (Flags::MOVABLE_KEYS, "movablekeys"),
        (Flags::ALLOW_BUSY, "allow_busy"),
    ];
    let is_movable = matches!(command.keys, KeySpec::Counted { .. } | KeySpec::Found(_) | KeySpec::Reaching { .. });
    let has = |flag: Flags| command.flags.has(flag) || flag == Flags::MOVABLE_KEYS && is_movable;
    names.into_iter().filter(|(flag, _)| has(*flag)).map(|(_, name)| name).collect()
}

/// The first and the last word that is a key, and the step between them.
fn places(command: &Command) -> [i64; 3] {
    match command.keys {
        KeySpec::Range { first, last, step } => [first, last, step].map(i64::from),
        KeySpec::Counted { target: Some(target), .. } => [target as i64, target as i64, 1],
        KeySpec::Reaching { .. } => [1, 1, 1],
        _ => [0, 0, 0],
    }
}

/// As the documentation names it.
fn group(group: Group) -> &'static str {
    match group {
        Group::Keyspace => "generic",
        Group::String => "string",
        Group::Bitmap => "bitmap",
        Group::List => "list",
        Group::Set => "set",
        Group::Sorted => "sorted-set",
        Group::Hash => "hash",
        Group::Stream => "stream",
        Group::HyperLogLog => "hyperloglog",
        Group::Geo => "geo",
        Group::PubSub => "pubsub",
        Group::Transaction => "transactions",
        Group::Scripting => "scripting",
        Group::Connection => "connection",
        Group::Server => "server",
    }
}

fn docs(_: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let wanted: Vec<&Command> = match args.len() {
        2 => top().collect(),
        _ => args.from(2).iter().filter_map(find).collect(),
    };
    reply.map(wanted.len());
    wanted.into_iter().for_each(|command| document(command, reply));
    Ok(())
}

fn document(command: &Command, reply: &mut Reply<'_>) {
    reply.bulk(command.name.as_bytes());
    let parts = parts(command);
    reply.map(2 + usize::from(!parts.is_empty()));
    reply.bulk(b"group");
    reply.bulk(group(command.group).as_bytes());
    reply.bulk(b"arity");
    reply.int(i64::from(command.arity));
    if !parts.is_empty() {
        reply.bulk(b"subcommands");
        reply.map(parts.len());
        parts.into_iter().for_each(|part| document(part, reply));
    }
}

fn list(_: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let is_chosen = |command: &&Command| match args.get(4) {
        None => true,
        Some(pattern) if args.is(3, "PATTERN") => glob::matches(pattern, command.name.as_bytes(), true),
        Some(category) if args.is(3, "ACLCAT") => Categories::named(category).is_some_and(|category| command.categories().has(category)),
        Some(_) => false,
    };
    let is_filtered = args.len() == 5 && args.is(2, "FILTERBY");
    if args.len() != 2 && !(is_filtered && ["PATTERN", "ACLCAT", "MODULE"].iter().any(|by| args.is(3, by))) {
        return Err(Fault::SYNTAX);
    }
    let chosen: Vec<_> = named().filter(is_chosen).collect();
    reply.array(chosen.len());
    chosen.into_iter().for_each(|command| reply.bulk(command.name.as_bytes()));
    Ok(())
}

fn get_keys(_: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let args = args.from(2);
    let command = match admitted(args) {
        Ok(command) => command,
        Err(_) if called(args.at(0)).is_some() => return Err(Fault::fixed("ERR Invalid number of arguments specified for command")),
        Err(_) => return Err(Fault::fixed("ERR Invalid command specified")),
    };
    if matches!(command.keys, KeySpec::None | KeySpec::All) {
        return Err(Fault::fixed("ERR The command has no key arguments"));
    }
    let mut places = Vec::new();
    command.keys.places(args, |place| places.push(place));
    if places.is_empty() && command.group != Group::Scripting {
        return Err(Fault::fixed("ERR Invalid arguments specified for command"));
    }
    reply.array(places.len());
    places.into_iter().for_each(|place| reply.bulk(args.at(place)));
    Ok(())
}
