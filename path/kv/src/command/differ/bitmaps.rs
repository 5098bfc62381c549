//! Commands of bitmaps.

use super::{Order, Words, one_of, words};
use crate::store::Random;

const KEYS: [&str; 5] = ["a", "b", "ones", "long", "none"];

fn place(random: &mut Random) -> String {
    match random.below(30) {
        0 => one_of(random, &["-1", "x", "4294967296", "99999999999999999999", "#1", ""]).into(),
        1 => (4000 + random.below(9000)).to_string(),
        _ => random.below(150).to_string(),
    }
}

fn end(random: &mut Random) -> String {
    let number = random.below(160) as i64 - 80;
    if random.below(40) == 0 { "x".into() } else { number.to_string() }
}

fn ends(random: &mut Random) -> Words {
    match random.below(8) {
        0 => vec![],
        1 => vec![end(random)],
        2..5 => vec![end(random), end(random)],
        5 => vec![end(random), end(random), one_of(random, &["BYTE", "byte", "what", "BIT x"]).into()],
        _ => vec![end(random), end(random), "BIT".into()],
    }
}

fn field(random: &mut Random) -> Words {
    let shape = |random: &mut Random| match random.below(30) {
        0 => one_of(random, &["u64", "i65", "u0", "x8", "", "i", "u-1", "u08"]).into(),
        1..4 => one_of(random, &["i64", "u63", "i63", "u1", "i1"]).into(),
        _ => format!("{}{}", one_of(random, &["i", "u"]), 1 + random.below(40)),
    };
    let place = |random: &mut Random| format!("{}{}", one_of(random, &["", "", "#"]), place(random));
    let number = |random: &mut Random| match random.below(8) {
        0 => one_of(random, &["9223372036854775807", "-9223372036854775808", "x", "-1"]).into(),
        _ => (random.next() as i64 >> random.below(64)).to_string(),
    };
    match random.below(10) {
        0..3 => vec!["GET".into(), shape(random), place(random)],
        3..6 => vec!["SET".into(), shape(random), place(random), number(random)],
        6..8 => vec!["INCRBY".into(), shape(random), place(random), number(random)],
        8 => vec!["OVERFLOW".into(), one_of(random, &["WRAP", "SAT", "FAIL", "sat", "fail"]).into()],
        _ => words(one_of(random, &["GET u8", "OVERFLOW", "SET u8 0", "what", "OVERFLOW x", "OVERFLOW SAT", "OVERFLOW FAIL"])),
    }
}

/// A command and how its answer is compared.
pub(super) fn command(random: &mut Random) -> (Words, Order) {
    let key = one_of(random, &KEYS);
    if random.below(3) == 0 {
        return (words(&format!("GET {key}")), Order::Same);
    }
    let with = |name: &str, mut rest: Words| {
        let mut all = words(name);
        all.append(&mut rest);
        all
    };
    let of_key = |name: &str, rest: Words| with(&format!("{name} {key}"), rest);
    let all = match random.below(30) {
        0..5 => of_key("SETBIT", vec![place(random), one_of(random, &["0", "1", "1", "1", "2", "x", "-1"]).into()]),
        5..7 => of_key("GETBIT", vec![place(random)]),
        7..10 => of_key("BITCOUNT", ends(random)),
        10..14 => of_key("BITPOS", [vec![one_of(random, &["0", "1", "0", "1", "2", "x"]).into()], ends(random)].concat()),
        14..17 => {
            let sources = (0..1 + random.below(3)).map(|_| one_of(random, &KEYS).into()).collect();
            of_key(&format!("BITOP {}", one_of(random, &["AND", "OR", "XOR", "NOT", "and", "what"])), sources)
        }
        17..23 => of_key("BITFIELD", (0..random.below(5)).flat_map(|_| field(random)).collect()),
        23 => of_key("BITFIELD_RO", (0..random.below(3)).flat_map(|_| field(random)).collect()),
        24 => of_key("GET", vec![]),
        25 => with("SET ones", vec!["\u{7f}\u{7bf}\u{7ff}".repeat(random.below(30))]),
        26 => of_key("SET", vec![one_of(random, &["", "12", "text", "zzzzzzzzzzzzz"]).into()]),
        27 => of_key("DEL", vec![]),
        28 => of_key("OBJECT ENCODING", vec![]),
        _ => with(
            one_of(
                random,
                &[
                    "SADD set 1",
                    "SETBIT set 1 1",
                    "BITCOUNT set",
                    "BITPOS set 1",
                    "BITOP OR a set",
                    "BITFIELD set GET u8 0",
                    "GETBIT set 1",
                ],
            ),
            vec![],
        ),
    };
    (all, Order::Same)
}
