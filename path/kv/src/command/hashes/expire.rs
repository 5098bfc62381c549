//! Commands that say when fields expire. For each field they answer -2: it is not there; 0: the condition does not hold; 1: done;
//! 2: it is overdue at once, so it is taken away.
//!
//! What is overdue goes when its key is used next, or when a walk through the keys finds it: see `Keys::purge`.

use super::ends::named;
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::hash::HashEdit;
use crate::store::{Class, Kind, Ms, Slot, View};

/// The last moment at which a field can expire.
const LAST: Ms = (1 << 46) - 1;

pub(super) fn seconds(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let now = view.now();
    expire(view, args, reply, "hexpire", (1000, now))
}

pub(super) fn milliseconds(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let now = view.now();
    expire(view, args, reply, "hpexpire", (1, now))
}

pub(super) fn at_second(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    expire(view, args, reply, "hexpireat", (1000, 0))
}

pub(super) fn at_millisecond(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    expire(view, args, reply, "hpexpireat", (1, 0))
}

/// Which expiries may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum If {
    Always,
    None,
    Some,
    Later,
    Sooner,
}

impl If {
    /// The condition at a place, and how many words it is.
    fn read(args: Args<'_>, at: usize) -> (If, usize) {
        let all = [("NX", If::None), ("XX", If::Some), ("GT", If::Later), ("LT", If::Sooner)];
        let found = all.into_iter().find(|(word, _)| args.is(at, word));
        found.map_or((If::Always, 0), |(_, condition)| (condition, 1))
    }

    /// Whether `until` may follow `old`; to never expire is to expire last.
    fn holds(self, old: Option<Ms>, until: Ms) -> bool {
        match self {
            If::Always => true,
            If::None => old.is_none(),
            If::Some => old.is_some(),
            If::Later => old.is_some_and(|old| until > old),
            If::Sooner => old.is_none_or(|old| until < old),
        }
    }
}

/// The moment that a word stands for, in a unit and from a moment on.
fn moment(args: Args<'_>, name: &str, (scale, base): (u64, Ms)) -> Result<Ms, Fault> {
    let number = args.int(2)?;
    let number = u64::try_from(number).map_err(|_| Fault::fixed("ERR invalid expire time, must be >= 0"))?;
    let moment = number.checked_mul(scale).and_then(|number| number.checked_add(base)).filter(|moment| *moment <= LAST);
    moment.ok_or_else(|| Fault::made(format!("ERR invalid expire time in '{name}' command")))
}

fn expire(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>, name: &str, unit: (u64, Ms)) -> Result<(), Fault> {
    let now = view.now();
    let mut slot = view.open(args.at(1), Kind::Hash)?;
    let until = moment(args, name, unit)?;
    let (condition, words) = If::read(args, 3);
    let fields = named(args, 3 + words, "ERR Parameter `numFields` should be greater than 0")?;
    reply.array(fields.len());
    if slot.kind().is_none() {
        fields.iter().for_each(|_| reply.int(-2));
        return Ok(());
    }
    let mut done = Done::default();
    let mut edit = HashEdit::open(&mut slot);
    for field in fields.iter() {
        reply.int(match edit.hash().expiry(field) {
            None => -2,
            Some(old) if !condition.holds(old, until) => 0,
            Some(_) if until <= now => {
                edit.remove(field);
                done.gone.push(field);
                2
            }
            Some(_) => {
                edit.set_expiry(field, Some(until));
                done.set.push(field);
                1
            }
        });
    }
    let is_there = edit.close();
    done.tell(&mut slot, args.at(1), until, is_there);
    Ok(())
}

/// What became of the fields.
#[derive(Default)]
struct Done<'a> {
    set: Vec<&'a [u8]>,
    gone: Vec<&'a [u8]>,
}

impl Done<'_> {
    /// Tells those who want to know, and the log.
    fn tell(&self, slot: &mut Slot<'_>, key: &[u8], until: Ms, is_there: bool) {
        if !self.set.is_empty() {
            let (until, count) = (until.to_string(), self.set.len().to_string());
            let head = [b"HPEXPIREAT", key, until.as_bytes(), b"FIELDS", count.as_bytes()];
            slot.outcome().effect(&[&head, &self.set[..]].concat());
            slot.changed(Class::HASH, "hexpire");
        }
        if !self.gone.is_empty() {
            slot.outcome().effect(&[&[b"HDEL", key], &self.gone[..]].concat());
            slot.changed(Class::HASH, "hdel");
        }
        if !is_there {
            slot.changed(Class::GENERIC, "del");
        }
    }
}

/// `HPERSIST`: -2 of a field that is not there, -1 of one that never expires.
pub(super) fn never(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let mut slot = view.open(args.at(1), Kind::Hash)?;
    let fields = named(args, 2, "ERR Number of fields must be a positive integer")?;
    reply.array(fields.len());
    if slot.kind().is_none() {
        fields.iter().for_each(|_| reply.int(-2));
        return Ok(());
    }
    let mut edit = HashEdit::open(&mut slot);
    let mut count = 0;
    for field in fields.iter() {
        reply.int(match edit.hash().expiry(field) {
            None => -2,
            Some(None) => -1,
            Some(Some(_)) => {
                edit.set_expiry(field, None);
                count += 1;
                1
            }
        });
    }
    edit.close();
    if count > 0 {
        slot.changed(Class::HASH, "hpersist");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::command::desk::Desk;

    fn ints(numbers: &[i64]) -> String {
        let words = numbers.iter().map(|number| format!(":{number}\r\n"));
        format!("*{}\r\n", numbers.len()) + &words.collect::<String>()
    }

    /// A hash of three fields, of which the first expires in a second.
    fn desk() -> Desk {
        let mut desk = Desk::new();
        desk.says("HSET h a 1 b 2 c 3", ":3\r\n");
        desk.says("HPEXPIRE h 1000 FIELDS 2 a x", &ints(&[1, -2]));
        desk
    }

    #[test]
    fn fields_are_gone_when_they_are_overdue() {
        let mut desk = desk();
        desk.says("HPTTL h FIELDS 4 a b x a", &ints(&[1000, -1, -2, 1000]));
        desk.pass(999);
        desk.says("HGET h a", "$1\r\n1\r\n");
        desk.says("HTTL h FIELDS 1 a", &ints(&[1]));
        desk.pass(1);
        desk.effects();
        desk.says("HLEN h", ":2\r\n");
        assert_eq!(desk.effects(), ["HDEL h a"]);
        desk.says("HGET h a", "$-1\r\n");
        desk.says("HMGET h a b c", "*3\r\n$-1\r\n$1\r\n2\r\n$1\r\n3\r\n");
        assert_eq!(desk.events(), ["hset h", "hexpire h", "hexpired h"]);
    }

    #[test]
    fn a_hash_whose_fields_are_all_overdue_is_not_there() {
        let mut desk = desk();
        desk.says("HEXPIRE h 5 FIELDS 2 b c", &ints(&[1, 1]));
        desk.pass(5000);
        desk.says("EXISTS h", ":0\r\n");
        assert_eq!(desk.events(), ["hset h", "hexpire h", "hexpire h", "hexpired h", "del h", "keymiss h"]);
        desk.says("HSET h a 1", ":1\r\n");
        desk.says("HLEN h", ":1\r\n");
    }

    #[test]
    fn a_sweep_finds_what_nobody_asks_for() {
        let mut desk = desk();
        desk.says("SET k 1 PX 700", "+OK\r\n");
        desk.says("HSET big f 1", ":1\r\n");
        (0..2000).for_each(|number| {
            desk.says(&format!("HSET big f{number} 1"), ":1\r\n");
            desk.says(&format!("HPEXPIRE big 500 FIELDS 1 f{number}"), &ints(&[1]));
        });
        desk.pass(499);
        desk.events();
        desk.sweep();
        assert!(desk.events().is_empty());
        desk.pass(1);
        desk.effects();
        desk.sweep();
        assert_eq!(desk.events(), ["hexpired big"]);
        let count = desk.effects()[0].split(' ').count() - 2;
        assert!((1000..1100).contains(&count), "{count} at once");
        desk.sweep();
        desk.pass(200);
        desk.sweep();
        assert_eq!(desk.events(), ["hexpired big", "expired k"]);
        desk.says("HLEN big", ":1\r\n");
        desk.pass(300);
        desk.sweep();
        assert_eq!((desk.events(), desk.effects().last().map(String::as_str)), (vec!["hexpired h".into()], Some("HDEL h a")));
        desk.sweep();
        assert!(desk.events().is_empty());
    }

    #[test]
    fn conditions_decide() {
        let mut desk = desk();
        desk.says("HPEXPIRE h 500 NX FIELDS 2 a b", &ints(&[0, 1]));
        desk.says("HPEXPIRE h 700 XX FIELDS 2 a c", &ints(&[1, 0]));
        desk.says("HPEXPIRE h 700 gt FIELDS 3 a b c", &ints(&[0, 1, 0]));
        desk.says("HPEXPIRE h 600 LT FIELDS 3 a b c", &ints(&[1, 1, 1]));
        desk.says("HPTTL h FIELDS 3 a b c", &ints(&[600, 600, 600]));
    }

    #[test]
    fn what_is_over_goes_at_once() {
        let mut desk = desk();
        desk.events();
        desk.effects();
        desk.says("HEXPIREAT h 1 NX FIELDS 4 a b x b", &ints(&[0, 2, -2, -2]));
        desk.says("HPEXPIREAT h 1 FIELDS 2 a c", &ints(&[2, 2]));
        assert_eq!(desk.events(), ["hdel h", "hdel h", "del h"]);
        assert_eq!(desk.effects(), ["HDEL h b", "HDEL h a c"]);
        desk.says("HEXPIRE h 1 FIELDS 1 a", &ints(&[-2]));
    }

    #[test]
    fn a_new_value_never_expires_and_a_changed_one_does() {
        let mut desk = desk();
        desk.says("HPEXPIRE h 1000 FIELDS 1 b", &ints(&[1]));
        desk.says("HSET h a 5", ":0\r\n");
        desk.says("HINCRBY h b 1000", ":1002\r\n");
        desk.says("HINCRBYFLOAT h b 0.5", "$6\r\n1002.5\r\n");
        desk.says("HPTTL h FIELDS 2 a b", &ints(&[-1, 1000]));
        desk.says("HPERSIST h FIELDS 3 a b x", &ints(&[-1, 1, -2]));
        desk.says("HPERSIST x FIELDS 1 a", &ints(&[-2]));
        desk.pass(10_000);
        desk.says("HMGET h a b c", "*3\r\n$1\r\n5\r\n$6\r\n1002.5\r\n$1\r\n3\r\n");
        assert!(desk.events().ends_with(&["hincrbyfloat h".into(), "hpersist h".into()]));
    }

    #[test]
    fn moments_are_told_in_both_units() {
        let mut desk = desk();
        desk.effects();
        desk.says("HEXPIREAT h 1790000009 FIELDS 1 a", &ints(&[1]));
        desk.says("HPEXPIREAT h 1790000009001 FIELDS 1 b", &ints(&[1]));
        desk.says("HEXPIRETIME h FIELDS 3 a b c", &ints(&[1_790_000_009, 1_790_000_010, -1]));
        desk.says("HPEXPIRETIME h FIELDS 2 a b", &ints(&[1_790_000_009_000, 1_790_000_009_001]));
        desk.says("HEXPIRE h 10 FIELDS 2 a b", &ints(&[1, 1]));
        let last = desk.effects().pop();
        assert_eq!(last.as_deref(), Some("HPEXPIREAT h 1790000010000 FIELDS 2 a b"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let mut desk = desk();
        desk.says("HEXPIRE h x FIELDS 1 a", "-ERR value is not an integer or out of range\r\n");
        desk.says("HEXPIRE h -1 FIELDS 1 a", "-ERR invalid expire time, must be >= 0\r\n");
        desk.says("HPEXPIREAT h 70368744177664 FIELDS 1 a", "-ERR invalid expire time in 'hpexpireat' command\r\n");
        desk.says("HEXPIRE h 9223372036854775807 FIELDS 1 a", "-ERR invalid expire time in 'hexpire' command\r\n");
        let missing = "-ERR Mandatory argument FIELDS is missing or not at the right position\r\n";
        desk.says("HEXPIRE h 1 NX XX FIELDS 1 a", missing);
        desk.says("HTTL h FIELD 1 a", missing);
        desk.says("HEXPIRE h 1 FIELDS 0 a", "-ERR Parameter `numFields` should be greater than 0\r\n");
        desk.says("HTTL h FIELDS x a", "-ERR Number of fields must be a positive integer\r\n");
        let mismatch = "-ERR The `numfields` parameter must match the number of arguments\r\n";
        desk.says("HEXPIRE h 1 FIELDS 2 a", mismatch);
        desk.says("HPERSIST h FIELDS 1 a b", mismatch);
        desk.says("SET s 1", "+OK\r\n");
        desk.says("HTTL s FIELDS 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
        desk.says("HEXPIRE s x FIELDS 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    }
}
