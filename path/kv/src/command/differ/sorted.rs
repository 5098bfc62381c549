//! Commands of sorted sets.

use super::{Order, Words, one_of, words};
use crate::store::Random;

const KEYS: [&str; 7] = ["z", "small", "big", "more", "set", "other", "none"];
/// All of its members have the same score.
const TEXTS: [&str; 4] = ["lex", "lex", "lex", "string"];

fn score(random: &mut Random) -> String {
    match random.below(30) {
        0 => one_of(random, &["inf", "-inf", "+inf", "nan", "x", "", "1e400", "0x10", "-0", "1e17", "123456789012345678", " 1"]).into(),
        1..6 => format!("{}.{}", random.below(100) as i64 - 50, random.below(1000)),
        6 => format!("{}e{}", random.below(1000), random.below(40) as i64 - 20),
        _ => (random.below(20) as i64 - 5).to_string(),
    }
}

fn member(random: &mut Random) -> String {
    match random.below(40) {
        0 => "m".repeat(60 + random.below(10)),
        1 => one_of(random, &["", "-0", "01", "9223372036854775807", "long long long"]).into(),
        number if number % 3 == 0 => number.to_string(),
        number => format!("m{number}"),
    }
}

fn bound(random: &mut Random) -> String {
    match random.below(8) {
        0 => one_of(random, &["-inf", "+inf", "(inf", "(", "", "nan", "1e999", "(-1e999", "((1", "1 "]).into(),
        1..4 => format!("({}", score(random)),
        _ => score(random),
    }
}

fn text_bound(random: &mut Random) -> String {
    match random.below(10) {
        0 | 1 => "-".into(),
        2 | 3 => "+".into(),
        4 => one_of(random, &["", "a", "--", "[", "("]).into(),
        number => format!("{}{}", if number < 7 { '(' } else { '[' }, member(random)),
    }
}

fn place(random: &mut Random) -> String {
    match random.below(20) {
        0 => one_of(random, &["x", "9223372036854775807", "-9223372036854775807"]).into(),
        number if number < 14 => (random.below(16) as i64 - 8).to_string(),
        _ => (random.below(600) as i64 - 300).to_string(),
    }
}

fn options(random: &mut Random, all: &[&str]) -> Words {
    (0..random.below(4)).flat_map(|_| words(one_of(random, all))).collect()
}

fn pairs(random: &mut Random, count: usize) -> Words {
    (0..count).flat_map(|_| [score(random), member(random)]).collect()
}

fn many(random: &mut Random) -> Words {
    let mut all = words(one_of(random, &["ZADD big", "ZADD more", "ZADD big CH"]));
    let (from, count) = (random.below(300), 1 + random.below(300));
    all.extend((from..from + count).flat_map(|number| [(random.below(50)).to_string(), format!("m{number}")]));
    all
}

fn combine(random: &mut Random, name: &str) -> Words {
    let (count, stored) = (1 + random.below(4), name.ends_with("STORE"));
    let mut all = vec![name.to_string()];
    all.extend(stored.then(|| one_of(random, &KEYS).to_string()));
    all.push(if random.below(20) == 0 { one_of(random, &["0", "x", "9", "-1"]).into() } else { count.to_string() });
    all.extend((0..count).map(|_| one_of(random, &KEYS).to_string()));
    if random.below(3) == 0 {
        all.push("WEIGHTS".into());
        all.extend((0..count).map(|_| score(random)));
    }
    all.extend(options(random, &["AGGREGATE MIN", "aggregate max", "AGGREGATE SUM", "WITHSCORES", "WITHSCORES", "LIMIT 2", "LIMIT -1"]));
    all
}

/// A command and how its answer is compared.
pub(super) fn command(random: &mut Random) -> (Words, Order) {
    let (turn, key) = (random.below(60), one_of(random, &KEYS));
    match turn {
        44 => {
            let rest = words(one_of(random, &["-7", "0", "3", "x", "1 2", "-9223372036854775808"]));
            (with(format!("ZRANDMEMBER {key}"), rest), Order::Length)
        }
        45 => (with(format!("ZRANDMEMBER {key} 1000"), vec![]), Order::Any),
        46 => (with(format!("ZRANDMEMBER {key} 1000 WITHSCORES"), vec![]), Order::Pairs),
        0..23 => (writes(random, turn, key), Order::Same),
        23..31 => (reads(random, turn, key), Order::Same),
        31..41 => (ranges(random, turn, key), Order::Same),
        _ => (others(random, turn, key), Order::Same),
    }
}

fn with(line: String, rest: Words) -> Words {
    words(&line).into_iter().chain(rest).collect()
}

fn writes(random: &mut Random, turn: usize, key: &str) -> Words {
    let count = 1 + random.below(4);
    match turn {
        0..8 => with(format!("ZADD {key}"), pairs(random, count)),
        8..12 => {
            let options = options(random, &["NX", "XX", "GT", "LT", "CH", "INCR", "ch"]);
            let pairs = pairs(random, if options.contains(&"INCR".to_string()) { 1 } else { count });
            with(format!("ZADD {key}"), options.into_iter().chain(pairs).collect())
        }
        12 | 13 => many(random),
        14 => with("ZADD lex".into(), (0..count * 3).flat_map(|_| ["0".into(), member(random)]).collect()),
        15..17 => with(format!("ZINCRBY {key}"), vec![score(random), member(random)]),
        17..20 => with(format!("ZREM {key}"), (0..count).map(|_| member(random)).collect()),
        20 => with(format!("ZREMRANGEBYRANK {key}"), vec![place(random), place(random)]),
        21 => with(format!("ZREMRANGEBYSCORE {key}"), vec![bound(random), bound(random)]),
        _ => with(format!("ZREMRANGEBYLEX {}", one_of(random, &TEXTS)), vec![text_bound(random), text_bound(random)]),
    }
}

fn reads(random: &mut Random, turn: usize, key: &str) -> Words {
    let count = 1 + random.below(4);
    match turn {
        23 => with(format!("ZSCORE {key}"), vec![member(random)]),
        24 => with(format!("ZMSCORE {key}"), (0..count).map(|_| member(random)).collect()),
        25 => with(format!("ZCARD {key}"), vec![]),
        26..28 => with(format!("{} {key}", one_of(random, &["ZRANK", "ZREVRANK"])), vec![member(random)]),
        28..30 => with(format!("ZCOUNT {key}"), vec![bound(random), bound(random)]),
        _ => with(format!("ZLEXCOUNT {}", one_of(random, &TEXTS)), vec![text_bound(random), text_bound(random)]),
    }
}

fn ranges(random: &mut Random, turn: usize, key: &str) -> Words {
    let limits = ["WITHSCORES", "LIMIT 0 3", "LIMIT 2 -1", "LIMIT -1 3", "LIMIT 300 3", "LIMIT 1 x"];
    match turn {
        31..33 => with(
            format!("ZRANGE {key}"),
            [place(random), place(random)].into_iter().chain(options(random, &["WITHSCORES", "REV"])).collect(),
        ),
        33 => with(
            format!("ZREVRANGE {key}"),
            [place(random), place(random)].into_iter().chain(options(random, &["WITHSCORES", "WITHSCORES", "REV"])).collect(),
        ),
        34..36 => with(
            format!("{} {key}", one_of(random, &["ZRANGEBYSCORE", "ZREVRANGEBYSCORE"])),
            [bound(random), bound(random)].into_iter().chain(options(random, &limits)).collect(),
        ),
        36 => with(
            format!("ZRANGE {key}"),
            [bound(random), bound(random), "BYSCORE".into()]
                .into_iter()
                .chain(options(random, &["REV", "WITHSCORES", "LIMIT 1 3"]))
                .collect(),
        ),
        37 => with(
            format!("ZRANGE {}", one_of(random, &TEXTS)),
            [text_bound(random), text_bound(random), "BYLEX".into()]
                .into_iter()
                .chain(options(random, &["REV", "LIMIT 1 3", "REV"]))
                .collect(),
        ),
        38..40 => with(
            format!("{} {}", one_of(random, &["ZRANGEBYLEX", "ZREVRANGEBYLEX"]), one_of(random, &TEXTS)),
            [text_bound(random), text_bound(random)].into_iter().chain(options(random, &limits[1..])).collect(),
        ),
        _ => with(
            format!("ZRANGESTORE {} {key}", one_of(random, &KEYS)),
            [place(random), place(random)].into_iter().chain(options(random, &["REV", "BYSCORE", "LIMIT 0 2", "WITHSCORES"])).collect(),
        ),
    }
}

fn others(random: &mut Random, turn: usize, key: &str) -> Words {
    let count = 1 + random.below(4);
    match turn {
        41 => with(format!("{} {key}", one_of(random, &["ZPOPMIN", "ZPOPMAX"])), vec![]),
        42 => {
            with(format!("{} {key}", one_of(random, &["ZPOPMIN", "ZPOPMAX"])), words(one_of(random, &["0", "2", "100", "-1", "x", "1 2"])))
        }
        43 => with(
            format!("ZMPOP 2 {key} {}", one_of(random, &KEYS)),
            words(one_of(random, &["MIN", "MAX", "min COUNT 3", "MAX COUNT 0", "UP", "MIN COUNT"])),
        ),
        47 => with(format!("ZSCAN {key}"), words(one_of(random, &["0 COUNT 0", "x", "0 MATCH", "0 TYPE zset", "0 COUNT x"]))),
        48..50 => combine(random, "ZUNION"),
        50 => combine(random, "ZINTER"),
        51 => combine(random, "ZDIFF"),
        52 => combine(random, "ZINTERCARD"),
        53 => combine(random, "ZUNIONSTORE"),
        54 => {
            let name = one_of(random, &["ZINTERSTORE", "ZDIFFSTORE"]);
            combine(random, name)
        }
        55 => words(&format!("DEL {key}")),
        56 => words(one_of(random, &["SET other 1", "SET string 1"])),
        57 => with("SADD set".into(), (0..count).map(|_| member(random)).collect()),
        58 => words(&format!("SADD set m{} m{}", random.below(40), random.below(40))),
        _ => {
            with(format!("{} {key}", one_of(random, &["ZADD", "ZRANGE", "ZSCORE", "ZUNION", "ZMPOP", "ZCOUNT", "ZINCRBY", "ZREM"])), vec![])
        }
    }
}
