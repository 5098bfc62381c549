//! Commands on whole strings.

use super::options::Options;
use super::{expiry, read};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::{Class, Kind, Ms, View};

pub(super) fn get(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    match read(view, args.at(1))? {
        Some(text) => reply.bulk(text),
        None => reply.null(),
    }
    Ok(())
}

/// What becomes of an expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    Never,
    At(Ms),
    AsBefore,
}

/// Puts a string in place of whatever a key holds.
fn put(view: &mut View<'_>, key: &[u8], value: &[u8], until: Until) {
    let mut slot = view.open_any(key, Kind::Str);
    match until {
        Until::Never => slot.put_until(value, None),
        Until::At(moment) => slot.put_until(value, Some(moment)),
        Until::AsBefore => slot.put_anew(value),
    }
    slot.changed(Class::STRING, "set");
    if let Until::At(moment) = until {
        let outcome = slot.outcome();
        outcome.happened(Class::GENERIC, "expire", key);
        if outcome.logs {
            outcome.effect(&[b"SET", key, value, b"PXAT", moment.to_string().as_bytes()]);
        }
    }
}

/// Whether a key is there for a command that may change it.
pub(super) fn is_there(view: &mut View<'_>, key: &[u8]) -> bool {
    view.open_any(key, Kind::Str).kind().is_some()
}

pub(super) fn set(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (key, value) = (args.at(1), args.at(2));
    if args.len() == 3 {
        put(view, key, value, Until::Never);
        reply.ok();
        return Ok(());
    }
    let options = Options::read(args.from(3), true)?;
    let until = match options.ends.map(|ends| ends.moment(view.now(), "set")).transpose()? {
        None => Until::Never,
        Some(None) => Until::AsBefore,
        Some(Some(moment)) => Until::At(moment),
    };
    if options.tells {
        get(view, args, reply)?;
    }
    let is_put = options.if_there.is_none_or(|wanted| wanted == is_there(view, key));
    if is_put {
        put(view, key, value, until);
    }
    match (options.tells, is_put) {
        (true, _) => {}
        (false, true) => reply.ok(),
        (false, false) => reply.null(),
    }
    Ok(())
}

pub(super) fn set_new(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let is_new = !is_there(view, args.at(1));
    if is_new {
        put(view, args.at(1), args.at(2), Until::Never);
    }
    reply.int(i64::from(is_new));
    Ok(())
}

pub(super) fn set_for_seconds(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    set_for("EX", "setex", view, args, reply)
}

pub(super) fn set_for_milliseconds(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    set_for("PX", "psetex", view, args, reply)
}

fn set_for(unit: &str, name: &str, view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let moment = expiry(unit, args.int(2)?, view.now(), name)?;
    put(view, args.at(1), args.at(3), Until::At(moment));
    reply.ok();
    Ok(())
}

pub(super) fn get_set(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    get(view, args, reply)?;
    put(view, args.at(1), args.at(2), Until::Never);
    Ok(())
}

pub(super) fn get_delete(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    get(view, args, reply)?;
    view.delete(args.at(1), Class::GENERIC, "del");
    Ok(())
}

/// `GETEX`.
pub(super) fn get_expire(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let key = args.at(1);
    let Some(ends) = Options::read(args.from(2), false)?.ends else { return get(view, args, reply) };
    let now = view.now();
    let Some(text) = read(view, key)? else {
        reply.null();
        return Ok(());
    };
    let moment = ends.moment(now, "getex")?;
    reply.bulk(text);
    match moment {
        Some(moment) => expire(view, key, moment),
        None => persist(view, key),
    }
    Ok(())
}

/// Gives a key that is there another expiry; one that is past takes it away.
fn expire(view: &mut View<'_>, key: &[u8], moment: Ms) {
    let (now, mut slot) = (view.now(), view.open_any(key, Kind::Str));
    if moment <= now {
        slot.remove();
        slot.changed(Class::GENERIC, "del");
        slot.outcome().effect(&[b"DEL", key]);
    } else {
        slot.set_expiry(Some(moment));
        slot.changed(Class::GENERIC, "expire");
        slot.outcome().effect(&[b"PEXPIREAT", key, moment.to_string().as_bytes()]);
    }
}

/// Takes the expiry of a key that is there away.
fn persist(view: &mut View<'_>, key: &[u8]) {
    let mut slot = view.open_any(key, Kind::Str);
    if slot.expiry().is_some() {
        slot.set_expiry(None);
        slot.changed(Class::GENERIC, "persist");
        slot.outcome().effect(&[b"PERSIST", key]);
    }
}
