//! Commands of sets.

use super::{Order, Words, one_of, words};
use crate::store::Random;

const KEYS: [&str; 6] = ["numbers", "texts", "big", "more", "other", "none"];

fn member(random: &mut Random, key: &str) -> String {
    match (key, random.below(24)) {
        (_, 0) => "m".repeat(60 + random.below(10)),
        (_, 1) => one_of(random, &["", "-0", "01", "9223372036854775807", "-9223372036854775808", "1.5", "long long long"]).into(),
        ("numbers", number) => format!("{}", number as i64 * 7 - 60),
        (_, number) if number % 3 == 0 => number.to_string(),
        (_, number) => format!("m{number}"),
    }
}

fn many(random: &mut Random) -> Words {
    let mut all = words(one_of(random, &["SADD big", "SADD more", "SREM big"]));
    let (from, count, letter) = (random.below(400), 1 + random.below(300), one_of(random, &["", "n"]));
    all.extend((from..from + count).map(|number| format!("{letter}{number}")));
    all
}

fn keys(random: &mut Random) -> Words {
    let count = 1 + random.below(7);
    (0..count).map(|_| one_of(random, &KEYS).into()).collect()
}

/// A command and how its answer is compared.
pub(super) fn command(random: &mut Random) -> (Words, Order) {
    let key = one_of(random, &KEYS);
    let count = 1 + random.below(4);
    let with = |name: &str, mut rest: Words| {
        let mut all = words(name);
        all.append(&mut rest);
        all
    };
    let of_key = |name: &str, rest: Words| with(&format!("{name} {key}"), rest);
    match random.below(36) {
        0..5 => (of_key("SADD", (0..count * 3).map(|_| member(random, key)).collect()), Order::Same),
        5 => (many(random), Order::Same),
        6..8 => (of_key("SREM", (0..count).map(|_| member(random, key)).collect()), Order::Same),
        8..10 => {
            let to = one_of(random, &KEYS);
            (of_key("SMOVE", vec![to.into(), member(random, key)]), Order::Same)
        }
        10 => (of_key("SCARD", vec![]), Order::Same),
        11..13 => (of_key("SISMEMBER", vec![member(random, key)]), Order::Same),
        13 => (of_key("SMISMEMBER", (0..count).map(|_| member(random, key)).collect()), Order::Same),
        14..16 => (of_key("SMEMBERS", vec![]), Order::Any),
        16 => (words("SPOP other 1000000"), Order::Any),
        17 => (of_key("SPOP", words(one_of(random, &["0", "-1", "x", "1 2"]))), Order::Same),
        18 => (of_key("SRANDMEMBER", words(one_of(random, &["-7", "0", "3", "x", "1 2", "-9223372036854775808"]))), Order::Length),
        19 => (of_key("SRANDMEMBER", words("1000000")), Order::Any),
        20..22 => (with("SINTER", keys(random)), Order::Any),
        22..24 => (with("SUNION", keys(random)), Order::Any),
        24..26 => (with("SDIFF", keys(random)), Order::Any),
        26 => (of_key("SINTERSTORE", keys(random)), Order::Same),
        27 => (of_key("SUNIONSTORE", keys(random)), Order::Same),
        28 => (of_key("SDIFFSTORE", keys(random)), Order::Same),
        29..31 => {
            let (mut keys, count) = (keys(random), random.below(5));
            keys.extend(words(one_of(random, &["LIMIT 3", "LIMIT 0", "LIMIT -1", "LIMIT", "limit 100"])).into_iter().take(random.below(3)));
            (with(&format!("SINTERCARD {count}"), keys), Order::Same)
        }
        31 => (of_key("SSCAN", words(one_of(random, &["0 COUNT 0", "x", "0 MATCH", "0 TYPE set", "0 COUNT x"]))), Order::Same),
        32 => (words(&format!("DEL {key}")), Order::Same),
        33 => (words(&format!("SET other {}", random.below(9))), Order::Same),
        34 => (words("SRANDMEMBER numbers"), Order::Length),
        _ => (of_key(one_of(random, &["SADD", "SREM", "SMOVE", "SISMEMBER", "SMISMEMBER", "SCARD", "SINTERSTORE"]), vec![]), Order::Same),
    }
}
