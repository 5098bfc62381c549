//! `CONFIG` and `SLOWLOG`: what operators set, and what they look at.

use super::{Command, Flags, Group, Here, KeySpec, help};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::glob;
use crate::persist::Order;
use crate::slow::Slow;
use crate::store::View;
use crate::upkeep;

const ADMIN: Flags = Flags::ADMIN.and(Flags::NO_SCRIPT).and(Flags::LOADING).and(Flags::STALE);
const LOOKS: Flags = Flags::ADMIN.and(Flags::LOADING).and(Flags::STALE);
const HELPS: Flags = Flags::LOADING.and(Flags::STALE);
const S: Group = Group::Server;

pub(super) const COMMANDS: &[Command] = &[
    Command::container("config", S),
    Command::here("config|get", -3, ADMIN, S, get),
    Command::here("config|set", -4, ADMIN.and(Flags::SKIP_MONITOR), S, set),
    Command::both("config|resetstat", 2, ADMIN, S, KeySpec::All, reset_counts),
    Command::here("config|rewrite", 2, ADMIN, S, |_, _, _| Err(Fault::fixed("ERR The server is running without a config file"))),
    Command::here("config|help", 2, HELPS, S, |_, _, reply| {
        help(reply, "CONFIG", &["GET pattern [pattern ...]", "SET name value [name value ...]", "RESETSTAT", "REWRITE"])
    }),
    Command::container("slowlog", S),
    Command::here("slowlog|get", -2, LOOKS, S, slow_get),
    Command::here("slowlog|len", 2, LOOKS, S, |here, _, reply| {
        reply.int(here.common.slow.kept().all.len() as i64);
        Ok(())
    }),
    Command::here("slowlog|reset", 2, LOOKS, S, |here, _, reply| {
        here.common.slow.kept().all.clear();
        reply.ok();
        Ok(())
    }),
    Command::here("slowlog|help", 2, HELPS, S, |_, _, reply| help(reply, "SLOWLOG", &["GET [count]", "LEN", "RESET"])),
];

fn get(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let is_chosen = |name: &str| args.from(2).iter().any(|pattern| glob::matches(pattern, name.as_bytes(), true));
    let found = here.common.config.get(is_chosen);
    reply.map(found.len());
    for (name, value) in found {
        reply.bulk(name.as_bytes());
        reply.bulk(value.as_bytes());
    }
    Ok(())
}

fn set(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    if !args.len().is_multiple_of(2) {
        return Err(Fault::SYNTAX);
    }
    let text = |at: usize| String::from_utf8_lossy(args.at(at)).into_owned();
    let pairs: Vec<_> = (2..args.len()).step_by(2).map(|at| (text(at), text(at + 1))).collect();
    here.common.config.set(&pairs).map_err(|why| Fault::made(format!("ERR {why}")))?;
    if let Some((name, password)) = pairs.iter().find(|(name, _)| name.eq_ignore_ascii_case("requirepass")) {
        let failed = |why| Fault::made(format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {why}"));
        here.common.users.set_password(password).map_err(failed)?;
    }
    upkeep::follow(here.common);
    if pairs.iter().any(|(name, _)| FILES.iter().any(|known| name.eq_ignore_ascii_case(known))) {
        // None is there once the door is closed.
        let _ = here.common.persist.order(Order::Follow);
        here.common.look();
    }
    reply.ok();
    Ok(())
}

/// Parameters that the keeper of the files follows.
const FILES: [&str; 4] = ["save", "appendonly", "appendfsync", "stop-writes-on-bgsave-error"];

fn reset_counts(here: &mut Here<'_>, view: &mut View<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (all, _) = view.all_mut();
    all.into_iter().for_each(|keys| keys.counts = Default::default());
    here.common.events.reset();
    reply.ok();
    Ok(())
}

fn slow_get(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    const OUT_OF_RANGE: Fault = Fault::fixed("ERR count should be greater than or equal to -1");
    let most = match args.len() {
        2 => 10,
        3 => match args.int(2) {
            Ok(-1) => usize::MAX,
            Ok(count) => usize::try_from(count).map_err(|_| OUT_OF_RANGE)?,
            Err(_) => return Err(OUT_OF_RANGE),
        },
        _ => return Err(Fault::fixed("ERR wrong number of arguments for 'slowlog|get' command")),
    };
    let kept = here.common.slow.kept();
    reply.array(kept.all.len().min(most));
    kept.all.iter().take(most).for_each(|slow| say(slow, reply));
    Ok(())
}

fn say(slow: &Slow, reply: &mut Reply<'_>) {
    reply.array(6);
    reply.int(slow.id);
    reply.int(slow.at);
    reply.int(slow.took);
    reply.array(slow.words.len());
    slow.words.iter().for_each(|word| reply.bulk(word));
    reply.bulk(slow.address.as_bytes());
    reply.bulk(&slow.name);
}
