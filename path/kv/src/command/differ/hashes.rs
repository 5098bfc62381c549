//! Commands of hashes.

use super::{Order, Words, one_of, words};
use crate::store::Random;

const KEYS: [&str; 5] = ["h", "small", "big", "other", "none"];

fn field(random: &mut Random) -> String {
    match random.below(20) {
        0 => "f".repeat(64 + random.below(2)),
        1 => String::new(),
        number => format!("f{}", number % 12),
    }
}

fn value(random: &mut Random) -> String {
    match random.below(16) {
        0 => "v".repeat(60 + random.below(10)),
        1 => "long ".repeat(random.below(1000)),
        2 => format!("{}.{}", random.below(100), random.below(100)),
        3 => format!("-{}", random.below(1000)),
        4 => one_of(random, &["inf", "9223372036854775807", "-9223372036854775808", "1e3", "nan", " 1", "0x10", "", "3.0e-5"]).into(),
        _ => random.below(1000).to_string(),
    }
}

fn pairs(random: &mut Random, count: usize) -> Words {
    (0..count).flat_map(|_| [field(random), value(random)]).collect()
}

fn many(random: &mut Random) -> Words {
    let (from, count) = (random.below(400), 1 + random.below(300));
    (from..from + count).flat_map(|number| [format!("many{number}"), value(random)]).collect()
}

/// A command and how its answer is compared.
pub(super) fn command(random: &mut Random) -> (Words, Order) {
    let key = one_of(random, &KEYS);
    let count = 1 + random.below(4);
    let with = |name: &str, mut rest: Words| {
        let mut all = words(&format!("{name} {key}"));
        all.append(&mut rest);
        all
    };
    match random.below(34) {
        0..4 => (with("HSET", pairs(random, count)), Order::Same),
        4 => (with("HMSET", pairs(random, count)), Order::Same),
        5 => (with("HSETNX", pairs(random, 1)), Order::Same),
        6 => (vec!["HSET".into(), "big".into()].into_iter().chain(many(random)).collect(), Order::Same),
        7..9 => (with("HGET", vec![field(random)]), Order::Same),
        9 => (with("HMGET", (0..count).map(|_| field(random)).collect()), Order::Same),
        10..12 => (with("HGETALL", vec![]), Order::Pairs),
        12 => (with("HKEYS", vec![]), Order::Any),
        13 => (with("HVALS", vec![]), Order::Any),
        14..17 => (with("HDEL", (0..count).map(|_| field(random)).collect()), Order::Same),
        17 => (with("HLEN", vec![]), Order::Same),
        18 => (with("HSTRLEN", vec![field(random)]), Order::Same),
        19 => (with("HEXISTS", vec![field(random)]), Order::Same),
        20..22 => (with("HINCRBY", vec![field(random), value(random)]), Order::Same),
        22..24 => (with("HINCRBYFLOAT", vec![field(random), value(random)]), Order::Same),
        24 => (with("HRANDFIELD", vec![]), Order::Length),
        25 => (with("HRANDFIELD", vec!["1000000".into()]), Order::Any),
        26 => (with("HRANDFIELD", vec!["1000000".into(), "WITHVALUES".into()]), Order::Pairs),
        27 => (with("HRANDFIELD", vec![one_of(random, &["-5", "0", "3", "x", "-9223372036854775808"]).into()]), Order::Length),
        28 => {
            (with("HRANDFIELD", vec![one_of(random, &["-5", "0", "3"]).into(), one_of(random, &["WITHVALUES", "x"]).into()]), Order::Length)
        }
        29 => (with("HSCAN", words(one_of(random, &["0 COUNT 0", "x", "0 MATCH", "0 TYPE hash", "0 COUNT x"]))), Order::Same),
        30 => (words(&format!("DEL {key}")), Order::Same),
        31 => (words(&format!("SET other {}", random.below(9))), Order::Same),
        32 => (words(&format!("EXISTS {key}")), Order::Same),
        _ => (with(one_of(random, &["HGET", "HSET", "HDEL", "HMGET", "HLEN", "HINCRBY"]), vec![]), Order::Same),
    }
}
