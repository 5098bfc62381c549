//! Strings: one value, read and written whole or in part.

use super::{Command, Flags, GROWS, Group, KeySpec, READS_FAST};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::{Class, Kind, Ms, Value, View};

pub(super) const COMMANDS: &[Command] = &[string("get", 2, READS_FAST, KeySpec::ONE, get), string("set", -3, GROWS, KeySpec::ONE, set)];

const fn string(name: &'static str, arity: i32, flags: Flags, keys: KeySpec, run: super::OnKeys) -> Command {
    Command::on_keys(name, arity, flags, Group::String, keys, run)
}

/// The bytes of a string.
pub(super) fn text<'v>(value: Value<'v>) -> &'v [u8] {
    match value {
        Value::Bytes(bytes) => bytes,
        Value::Big(_) => unreachable!("no string is a big value"),
    }
}

fn get(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    match view.read(args.at(1), Kind::Str)? {
        Some(value) => reply.bulk(text(value)),
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

/// The options of `SET`.
struct Set {
    until: Until,
    /// Only if the key is there, or only if it is not.
    if_there: Option<bool>,
    /// What was there is told.
    tells: bool,
}

impl Set {
    fn read(args: Args<'_>, now: Ms) -> Result<Set, Fault> {
        let mut set = Set { until: Until::Never, if_there: None, tells: false };
        let mut at = 0;
        while at < args.len() {
            let is_first = set.until == Until::Never;
            let unit = ["EX", "PX", "EXAT", "PXAT"].into_iter().find(|unit| args.is(at, unit));
            match unit {
                Some(unit) if is_first && at + 1 < args.len() => {
                    at += 1;
                    set.until = Until::At(expiry(unit, args.int(at)?, now, "set")?);
                }
                None if args.is(at, "KEEPTTL") && is_first => set.until = Until::AsBefore,
                None if args.is(at, "NX") && set.if_there != Some(true) => set.if_there = Some(false),
                None if args.is(at, "XX") && set.if_there != Some(false) => set.if_there = Some(true),
                None if args.is(at, "GET") => set.tells = true,
                _ => return Err(Fault::SYNTAX),
            }
            at += 1;
        }
        Ok(set)
    }
}

/// The moment that a number in a unit of `SET` or `EXPIRE` stands for.
pub(super) fn expiry(unit: &str, number: i64, now: Ms, command: &str) -> Result<Ms, Fault> {
    let fault = || Fault::made(format!("ERR invalid expire time in '{command}' command"));
    let (scale, base) = match unit {
        "EX" => (1000, now),
        "PX" => (1, now),
        "EXAT" => (1000, 0),
        _ => (1, 0),
    };
    let number = u64::try_from(number).ok().filter(|number| *number > 0).ok_or_else(fault)?;
    let moment = number.checked_mul(scale).and_then(|number| number.checked_add(base)).ok_or_else(fault)?;
    if moment < 1 << 48 { Ok(moment) } else { Err(fault()) }
}

fn set(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (key, value) = (args.at(1), args.at(2));
    let options = Set::read(args.from(3), view.now())?;
    let mut slot = view.open_any(key, Kind::Str);
    let there = slot.kind();
    if options.tells {
        match (there, slot.value()) {
            (Some(Kind::Str), Some(old)) => reply.bulk(text(old)),
            (Some(_), _) => return Err(Fault::WRONG_TYPE),
            _ => reply.null(),
        }
    }
    if options.if_there.is_some_and(|wanted| wanted != there.is_some()) {
        if !options.tells {
            reply.null();
        }
        return Ok(());
    }
    let until = match options.until {
        Until::Never => None,
        Until::At(moment) => Some(moment),
        Until::AsBefore => slot.expiry(),
    };
    slot.put_until(value, until);
    slot.changed(Class::STRING, "set");
    if let Until::At(moment) = options.until {
        slot.outcome().happened(Class::GENERIC, "expire", key);
        slot.outcome().effect(&[b"SET", key, value, b"PXAT", moment.to_string().as_bytes()]);
    }
    if !options.tells {
        reply.ok();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::desk::Desk;

    #[test]
    fn set_has_its_options() {
        let mut desk = Desk::new();
        desk.says("SET a 1", "+OK\r\n");
        desk.says("GET a", "$1\r\n1\r\n");
        desk.says("SET a 2 NX", "$-1\r\n");
        desk.says("SET b 2 XX", "$-1\r\n");
        desk.says("SET a 3 XX GET", "$1\r\n1\r\n");
        desk.says("SET a 3 NX XX", "-ERR syntax error\r\n");
        desk.says("SET a 3 EX 0", "-ERR invalid expire time in 'set' command\r\n");
        desk.says("SET a 4 PX 100", "+OK\r\n");
        desk.pass(99);
        desk.says("SET a 5 KEEPTTL", "+OK\r\n");
        desk.says("GET a", "$1\r\n5\r\n");
        desk.pass(1);
        desk.says("GET a", "$-1\r\n");
    }

    #[test]
    fn events_are_told_in_order() {
        let mut desk = Desk::new();
        desk.says("SET a 4 EX 1", "+OK\r\n");
        assert_eq!(desk.events(), ["set a", "expire a"]);
        desk.pass(1000);
        desk.says("GET a", "$-1\r\n");
        assert_eq!(desk.events(), ["expired a", "keymiss a"]);
    }
}
