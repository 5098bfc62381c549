//! When keys expire.

use crate::command::strings::{LAST, no_expiry};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::{Class, Kind, Ms, View};

/// What the number of a command means.
#[derive(Debug, Clone, Copy)]
struct Unit {
    /// The command that it is of.
    name: &'static str,
    /// Milliseconds of one.
    scale: i64,
    /// It counts from now on.
    is_relative: bool,
}

/// When an expiry is set, depending on the one that is there.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Condition {
    /// Only where there is none.
    new: bool,
    /// Only where there is one.
    other: bool,
    /// Only if it becomes later; never is latest.
    later: bool,
    sooner: bool,
}

impl Condition {
    fn read(args: Args<'_>) -> Result<Condition, Fault> {
        const NOT_BOTH: Fault = Fault::fixed("ERR NX and XX, GT or LT options at the same time are not compatible");
        const NOT_EITHER: Fault = Fault::fixed("ERR GT and LT options at the same time are not compatible");
        let mut condition = Condition::default();
        for word in args.iter() {
            let option = match &word.to_ascii_uppercase()[..] {
                b"NX" => &mut condition.new,
                b"XX" => &mut condition.other,
                b"GT" => &mut condition.later,
                b"LT" => &mut condition.sooner,
                _ => return Err(Fault::made(format!("ERR Unsupported option {}", String::from_utf8_lossy(word)))),
            };
            *option = true;
        }
        let Condition { new, other, later, sooner } = condition;
        if new && (other || later || sooner) {
            Err(NOT_BOTH)
        } else if later && sooner {
            Err(NOT_EITHER)
        } else {
            Ok(condition)
        }
    }

    fn holds(self, old: Option<Ms>, new: i64) -> bool {
        let old = old.map(|old| old as i64);
        !(self.new && old.is_some()
            || self.other && old.is_none()
            || self.later && old.is_none_or(|old| new <= old)
            || self.sooner && old.is_some_and(|old| new >= old))
    }
}

pub(super) fn seconds(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    set(Unit { name: "expire", scale: 1000, is_relative: true }, view, args, reply)
}

pub(super) fn milliseconds(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    set(Unit { name: "pexpire", scale: 1, is_relative: true }, view, args, reply)
}

pub(super) fn at_second(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    set(Unit { name: "expireat", scale: 1000, is_relative: false }, view, args, reply)
}

pub(super) fn at_millisecond(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    set(Unit { name: "pexpireat", scale: 1, is_relative: false }, view, args, reply)
}

fn set(unit: Unit, view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (key, now) = (args.at(1), view.now());
    let condition = Condition::read(args.from(3))?;
    let base = if unit.is_relative { now as i64 } else { 0 };
    let when = args.int(2)?.checked_mul(unit.scale).and_then(|when| when.checked_add(base)).ok_or_else(|| no_expiry(unit.name))?;
    let mut slot = view.open_any(key, Kind::Str);
    if slot.kind().is_none() || !condition.holds(slot.expiry(), when) {
        reply.int(0);
        return Ok(());
    }
    match u64::try_from(when).ok().filter(|when| *when > now) {
        Some(when) => {
            slot.set_expiry(Some(when.min(LAST)));
            slot.changed(Class::GENERIC, "expire");
            if slot.outcome().logs {
                slot.outcome().effect(&[b"PEXPIREAT", key, when.to_string().as_bytes()]);
            }
        }
        None => {
            slot.remove();
            slot.changed(Class::GENERIC, "del");
            slot.outcome().effect(&[b"DEL", key]);
        }
    }
    reply.int(1);
    Ok(())
}

pub(super) fn persist(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let mut slot = view.open_any(args.at(1), Kind::Str);
    let expires = slot.expiry().is_some();
    if expires {
        slot.set_expiry(None);
        slot.changed(Class::GENERIC, "persist");
    }
    reply.int(i64::from(expires));
    Ok(())
}

pub(super) fn seconds_left(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    tell(view, args, reply, |expiry, now| (expiry - now + 500) / 1000)
}

pub(super) fn milliseconds_left(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    tell(view, args, reply, |expiry, now| expiry - now)
}

pub(super) fn second(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    tell(view, args, reply, |expiry, _| (expiry + 500) / 1000)
}

pub(super) fn millisecond(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    tell(view, args, reply, |expiry, _| expiry)
}

/// Tells what is made of an expiry; -1 for a key without one, -2 for none.
fn tell(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>, told: fn(Ms, Ms) -> Ms) -> Result<(), Fault> {
    view.look(args.at(1));
    reply.int(match view.expiry(args.at(1)) {
        None => -2,
        Some(None) => -1,
        Some(Some(expiry)) => told(expiry, view.now()) as i64,
    });
    Ok(())
}
