//! Commands of keys.

use super::{Order, Words, one_of, words};
use crate::store::Random;

const KEYS: [&str; 12] = ["a", "b", "set", "hash", "list", "sorted", "big", "bighash", "biglist", "k:1", "k:2", "none"];

/// A moment that is far or past; those that count from now on are far from those.
fn moment(random: &mut Random) -> (&'static str, String) {
    let far = 4_000_000_000 + random.below(20);
    match random.below(12) {
        0..3 => ("EXPIRE", (100 * (1 + random.below(9))).to_string()),
        3..5 => ("PEXPIRE", (100_000 * (1 + random.below(9))).to_string()),
        5..8 => ("EXPIREAT", far.to_string()),
        8..10 => ("PEXPIREAT", (far * 1000 + random.below(1000)).to_string()),
        10 => ("EXPIRE", one_of(random, &["-1", "0", "x", "", "9223372036854775807", "-9223372036854775808", "9223372036854775"]).into()),
        _ => ("PEXPIREAT", one_of(random, &["-1", "5", "x", "1.5"]).into()),
    }
}

fn expire(random: &mut Random, key: &str) -> Words {
    let (name, number) = moment(random);
    let conditions: &[&str] = if name.ends_with("AT") { &["NX", "XX", "GT", "LT", "lt", "what"] } else { &["NX", "XX", "nx", "what"] };
    let mut all = vec![name.into(), key.into(), number];
    let count = random.below(5).saturating_sub(2);
    all.extend((0..count).map(|_| one_of(random, conditions).into()));
    all
}

fn many(random: &mut Random) -> Words {
    let mut all = words(one_of(random, &["SADD big", "SADD set", "HSET bighash", "RPUSH biglist", "ZADD sorted"]));
    let (from, count) = (random.below(200), 2 * (1 + random.below(200)));
    all.extend((from..from + count).map(|number| number.to_string()));
    all
}

/// A command and how its answer is compared.
pub(super) fn command(random: &mut Random) -> (Words, Order) {
    let (key, other) = (one_of(random, &KEYS), one_of(random, &KEYS));
    let of_key = |name: &str| words(&format!("{name} {key}"));
    let of_two = |name: &str| words(&format!("{name} {key} {other}"));
    match random.below(48) {
        0..5 => (of_key("SET").into_iter().chain([random.below(100).to_string()]).collect(), Order::Same),
        5 => (words(one_of(random, &["SADD set 1 2 x", "RPUSH list 1 2 x", "ZADD sorted 1 x 2 y"])), Order::Same),
        6 => (words("HSET hash f 1 g 2"), Order::Same),
        7..9 => (many(random), Order::Same),
        9..15 => (expire(random, key), Order::Same),
        15..17 => (of_key(one_of(random, &["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"])), Order::Sign),
        17 => (of_key("PERSIST"), Order::Same),
        18..21 => (of_two(one_of(random, &["RENAME", "RENAMENX"])), Order::Same),
        21..24 => {
            let options = one_of(random, &["", " REPLACE", " DB 0", " DB 0 REPLACE", " DB x", " DB", " what", " replace"]);
            (words(&format!("COPY {key} {other}{options}")), Order::Same)
        }
        24 => (of_two(one_of(random, &["EXISTS", "TOUCH", "DEL", "UNLINK"])), Order::Same),
        25 => (of_key("TYPE"), Order::Same),
        26..29 => (of_key("OBJECT ENCODING"), Order::Same),
        29 => (of_key(one_of(random, &["OBJECT REFCOUNT", "OBJECT FREQ", "OBJECT IDLETIME"])), Order::Sign),
        30 => (words(one_of(random, &["OBJECT", "OBJECT ENCODING", "OBJECT what a", "OBJECT ENCODING a b", "OBJECT HELP a"])), Order::Same),
        31..34 => (words(one_of(random, &["KEYS *", "KEYS k:*", "KEYS [a-b]", "KEYS ?", "KEYS b*g", "KEYS"])), Order::Any),
        34..36 => {
            (words(one_of(random, &["SCAN 0 COUNT 10000", "SCAN 0 COUNT 10000 MATCH k:*", "SCAN 0 COUNT 10000 TYPE set"])), Order::Any)
        }
        36 => (words(one_of(random, &["SCAN x", "SCAN 0 COUNT 0", "SCAN 0 COUNT x", "SCAN 0 MATCH", "SCAN 0 what 1"])), Order::Same),
        37..39 => (words("DBSIZE"), Order::Same),
        39 => (words("RANDOMKEY"), Order::Length),
        40 => (words(one_of(random, &["MOVE a 0", "MOVE a x", "MOVE a 99", "MOVE a 9999999999", "MOVE a"])), Order::Same),
        41 => (words(one_of(random, &["FLUSHALL what", "FLUSHDB SYNC ASYNC", "FLUSHALL SYNC x"])), Order::Same),
        42 if random.below(9) == 0 => (words(one_of(random, &["FLUSHALL", "FLUSHDB", "FLUSHALL ASYNC", "FLUSHDB SYNC"])), Order::Same),
        43 => {
            let rest = one_of(
                random,
                &["0 x", "-1 x", "x x", "0 x REPLACE", "0 x what", "0 x IDLETIME -1", "0 x FREQ 256", "0 x IDLETIME 1 FREQ 1"],
            );
            (words(&format!("RESTORE {key} {rest}")), Order::Same)
        }
        44 => (words("SMEMBERS big"), Order::Any),
        45 => (words("HGETALL bighash"), Order::Pairs),
        _ => (of_key("GET"), Order::Same),
    }
}
