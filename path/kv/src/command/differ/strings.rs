//! Commands of strings.

use super::{Order, Words, one_of, words};
use crate::store::Random;

const KEYS: [&str; 5] = ["a", "b", "number", "long", "none"];

fn value(random: &mut Random) -> String {
    match random.below(20) {
        0 => String::new(),
        1 => "x".repeat(40 + random.below(10)),
        2 => "long text ".repeat(random.below(600)),
        3 => one_of(random, &["9223372036854775807", "-9223372036854775808", "9223372036854775808", "-0", "01", " 1", "1 ", "+1"]).into(),
        4 => one_of(random, &["inf", "nan", "1e5", "0x10", "3.0e-5", "-1.5", ".5", "1.", "é", "a\0b"]).into(),
        5 => format!("{}.{}", random.below(100), random.below(1000)),
        6..10 => ["a", "b", "c", "d"][random.below(4)].repeat(random.below(4)) + one_of(random, &["abc", "bca", "dd"]),
        _ => random.below(2000).to_string(),
    }
}

fn number(random: &mut Random) -> String {
    match random.below(12) {
        0 => one_of(random, &["x", "", "9223372036854775807", "-9223372036854775808", "1.5", "00"]).into(),
        number if number % 2 == 0 => format!("-{}", random.below(30)),
        _ => random.below(30).to_string(),
    }
}

/// Options of SET and GETEX, right and wrong.
fn options(random: &mut Random) -> Words {
    let one = |random: &mut Random| {
        one_of(
            random,
            &[
                "NX",
                "XX",
                "GET",
                "KEEPTTL",
                "PERSIST",
                "EX 1000",
                "PX 1000000",
                "EXAT 4000000000",
                "PXAT 4000000000000",
                "EX 0",
                "PX -1",
                "EX x",
                "EX",
                "EX 9223372036854775807",
                "get",
                "nx",
                "what",
            ],
        )
    };
    (0..random.below(4)).flat_map(|_| words(one(random))).collect()
}

/// A command and how its answer is compared.
pub(super) fn command(random: &mut Random) -> (Words, Order) {
    let (turn, key) = (random.below(44), one_of(random, &KEYS));
    let all = if turn < 30 { one_string(random, turn, key) } else { several(random, turn, key) };
    let is_time = all[0] == "EXPIRETIME";
    (all, if is_time { Order::Sign } else { Order::Same })
}

fn with(name: &str, mut rest: Words) -> Words {
    let mut all = words(name);
    all.append(&mut rest);
    all
}

fn one_string(random: &mut Random, turn: usize, key: &str) -> Words {
    let of_key = |name: &str, rest: Words| with(&format!("{name} {key}"), rest);
    match turn {
        0..4 => of_key("SET", vec![value(random)]),
        4..7 => of_key("SET", [vec![value(random)], options(random)].concat()),
        7..9 => of_key("GET", vec![]),
        9 => of_key("GETSET", vec![value(random)]),
        10 => of_key("GETDEL", vec![]),
        11 => of_key("GETEX", options(random)),
        12 => of_key("GETEX", words(one_of(random, &["PXAT 5", "EXAT 1", "PERSIST", "EX 1000"]))),
        13 => of_key("SETNX", vec![value(random)]),
        14 => of_key(
            one_of(random, &["SETEX", "PSETEX"]),
            vec![one_of(random, &["100000", "0", "-1", "x", "9223372036854775807"]).into(), value(random)],
        ),
        15..18 => of_key("APPEND", vec![value(random)]),
        18 => of_key("STRLEN", vec![]),
        19..21 => of_key(one_of(random, &["GETRANGE", "SUBSTR"]), vec![number(random), number(random)]),
        21..23 => of_key("SETRANGE", vec![number(random), value(random)]),
        23..25 => of_key(one_of(random, &["INCR", "DECR"]), vec![]),
        25..27 => of_key(one_of(random, &["INCRBY", "DECRBY"]), vec![number(random)]),
        27..29 => with("INCRBYFLOAT float", vec![value(random)]),
        _ => with("SET float", vec![value(random)]),
    }
}

fn several(random: &mut Random, turn: usize, key: &str) -> Words {
    let of_key = |name: &str, rest: Words| with(&format!("{name} {key}"), rest);
    match turn {
        30..32 => with("MGET float set", (0..random.below(4)).map(|_| one_of(random, &KEYS).into()).collect()),
        32 => with(
            one_of(random, &["MSET", "MSETNX"]),
            (0..random.below(6)).flat_map(|_| [one_of(random, &KEYS).into(), value(random)]).collect(),
        ),
        33 => with("MSETNX", vec![one_of(random, &["x", "none", "a"]).into(), value(random), "y".into()]),
        34..37 => {
            let options = one_of(
                random,
                &[
                    "LEN",
                    "IDX",
                    "IDX WITHMATCHLEN",
                    "IDX MINMATCHLEN 2 WITHMATCHLEN",
                    "LEN IDX",
                    "MINMATCHLEN x",
                    "what",
                    "IDX MINMATCHLEN",
                ],
            );
            let options = if random.below(2) == 0 { vec![] } else { words(options) };
            // Two long ones would take both long.
            with(&format!("LCS {} {}", one_of(random, &["a", "small", "none", "set"]), one_of(random, &["small", "other"])), options)
        }
        37 => with(one_of(random, &["SET small", "SET other"]), vec![value(random).chars().take(300).collect()]),
        38..40 => of_key("OBJECT ENCODING", vec![]),
        40 => of_key("OBJECT REFCOUNT", vec![]),
        41 => of_key(one_of(random, &["DEL", "EXPIRETIME", "EXISTS"]), vec![]),
        42 => with("SADD set", vec!["1".into()]),
        _ => with(
            one_of(
                random,
                &[
                    "GET set",
                    "APPEND set x",
                    "INCR set",
                    "SET a",
                    "LCS a",
                    "GETRANGE a 1",
                    "STRLEN set",
                    "SETRANGE set 1 x",
                    "SET set 1 GET",
                ],
            ),
            vec![],
        ),
    }
}
