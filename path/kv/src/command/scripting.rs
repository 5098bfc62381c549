//! `EVAL` and `SCRIPT`.

use super::{Command, Flags, Group, Here, KeySpec, help};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::script::Engine;

/// What holds of all that run a script.
pub(super) const RUNS: Flags = Flags::NO_SCRIPT.and(Flags::STALE).and(Flags::SKIP_MONITOR);
const ASKS: Flags = Flags::NO_SCRIPT;
const G: Group = Group::Scripting;
pub(super) const KEYS: KeySpec = KeySpec::Counted { at: 2, target: None };

pub(super) const COMMANDS: &[Command] = &[
    Command::script("eval", -3, RUNS, KEYS, |engine, args, reply| engine.eval(args, false, false, reply)),
    Command::script("evalsha", -3, RUNS, KEYS, |engine, args, reply| engine.eval(args, true, false, reply)),
    Command::script("eval_ro", -3, RUNS.and(Flags::READ), KEYS, |engine, args, reply| engine.eval(args, false, true, reply)),
    Command::script("evalsha_ro", -3, RUNS.and(Flags::READ), KEYS, |engine, args, reply| engine.eval(args, true, true, reply)),
    Command::container("script", G),
    Command::script("script|load", 3, ASKS.and(Flags::STALE), KeySpec::None, load),
    Command::script("script|exists", -3, ASKS, KeySpec::None, exists),
    Command::script("script|flush", -2, ASKS, KeySpec::None, flush),
    Command::here("script|kill", 2, ASKS.and(Flags::ALLOW_BUSY), G, kill),
    Command::here("script|debug", 3, ASKS, G, debug),
    Command::here("script|help", 2, Flags::LOADING.and(Flags::STALE), G, |_, _, reply| {
        help(reply, "SCRIPT", &["DEBUG (YES|SYNC|NO)", "EXISTS <sha1> [<sha1> ...]", "FLUSH [ASYNC|SYNC]", "KILL", "LOAD <script>"])
    }),
];

fn load(engine: &mut Engine, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let digest = engine.load(args.at(2))?;
    reply.bulk(digest.as_bytes());
    Ok(())
}

fn exists(engine: &mut Engine, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.array(args.len() - 2);
    args.from(2).iter().for_each(|digest| reply.int(i64::from(engine.knows(digest))));
    Ok(())
}

fn flush(engine: &mut Engine, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    if args.len() > 2 && !(args.len() == 3 && (args.is(2, "SYNC") || args.is(2, "ASYNC"))) {
        return Err(Fault::fixed("ERR SCRIPT FLUSH only support SYNC|ASYNC option"));
    }
    engine.flush_scripts();
    reply.ok();
    Ok(())
}

fn kill(here: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    here.common.scripts.kill(true)?;
    reply.ok();
    Ok(())
}

/// There is no debugger.
fn debug(_: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    match () {
        () if args.is(2, "NO") => reply.ok(),
        () if args.is(2, "YES") || args.is(2, "SYNC") => return Err(Fault::fixed("ERR The Lua debugger is not there: use redis.log")),
        () => return Err(Fault::fixed("ERR Use SCRIPT DEBUG YES/SYNC/NO")),
    }
    Ok(())
}
