//! Commands about what is kept of the keys when Plimsoll stops.

use super::asked::Asked;
use super::{Command, Flags, Group, Here, OnAsk, Run};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::persist::Order;

const ALWAYS: Flags = Flags::LOADING.and(Flags::STALE);
const ADMIN: Flags = Flags::ADMIN.and(Flags::NO_SCRIPT);
const ALONE: Flags = ADMIN.and(Flags::NO_MULTI);
const S: Group = Group::Server;

pub(super) const COMMANDS: &[Command] = &[
    Command::here("lastsave", 1, ALWAYS.and(Flags::FAST).and(Flags::DANGEROUS), S, last_save),
    asks("save", 1, ALONE, |here, _| {
        if here.common.persist.status().since.is_some() {
            return Err(BUSY);
        }
        Asked::keeper(&here.common.persist, |answer| Order::Save(Some(answer)))
    }),
    Command::here("bgsave", -1, ADMIN, S, save_beside),
    Command::here("bgrewriteaof", 1, ADMIN, S, rewrite),
    Command::here("shutdown", -1, ALONE.and(ALWAYS).and(Flags::ALLOW_BUSY), S, shutdown),
    asks("debug|reload", -2, ALONE, reload),
];

const BUSY: Fault = Fault::fixed("ERR Background save already in progress");

const fn asks(name: &'static str, arity: i32, flags: Flags, ask: OnAsk) -> Command {
    // What it would do by itself does not count.
    Command { run: Run::Asks(ask), ..Command::here(name, arity, flags, S, last_save) }
}

fn last_save(here: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.int((here.common.persist.status().saved_at / 1000) as i64);
    Ok(())
}

/// `BGSAVE [SCHEDULE]`.
fn save_beside(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let is_later = args.is(1, "SCHEDULE");
    if args.len() > 2 || args.len() == 2 && !is_later {
        return Err(Fault::SYNTAX);
    }
    let goes_on = here.common.persist.status().since.is_some();
    if goes_on && !is_later {
        return Err(BUSY);
    }
    here.common.persist.order(Order::Save(None))?;
    reply.simple(if goes_on { "Background saving scheduled" } else { "Background saving started" });
    Ok(())
}

/// A base, which a log begins with.
fn rewrite(here: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    if here.common.persist.status().since.is_some() {
        return Err(Fault::fixed("ERR Background append only file rewriting already in progress"));
    }
    here.common.persist.order(Order::Save(None))?;
    reply.simple("Background append only file rewriting started");
    Ok(())
}

/// One client does not stop what others use, too.
fn shutdown(_: &mut Here<'_>, _: Args<'_>, _: &mut Reply<'_>) -> Result<(), Fault> {
    Err(Fault::fixed("ERR Plimsoll is not stopped by a client: send it SIGTERM, which saves as `persist` says; SAVE saves now"))
}

/// `DEBUG RELOAD`, without the options that need a file.
fn reload(here: &mut Here<'_>, args: Args<'_>) -> Result<Asked, Fault> {
    if args.len() > 2 {
        return Err(Fault::fixed("ERR DEBUG RELOAD takes no options here: it reads what it has just written"));
    }
    Asked::keeper(&here.common.persist, Order::Reload)
}
