//! Commands of HyperLogLogs.

use super::{Order, Words, one_of, words};
use crate::store::Random;

const KEYS: [&str; 6] = ["few", "some", "many", "other", "text", "none"];

/// A command and how its answer is compared.
pub(super) fn command(random: &mut Random) -> (Words, Order) {
    let key = one_of(random, &KEYS);
    let with = |name: &str, mut rest: Words| {
        let mut all = words(name);
        all.append(&mut rest);
        all
    };
    let of_key = |name: &str, rest: Words| with(&format!("{name} {key}"), rest);
    let keys = |random: &mut Random| (0..random.below(4)).map(|_| one_of(random, &KEYS).into()).collect::<Words>();
    let seen = |random: &mut Random, most: usize| (0..random.below(most)).map(|_| random.below(1 << 20).to_string()).collect::<Words>();
    let all = match random.below(24) {
        0..4 => of_key("PFADD", seen(random, 4)),
        4..6 => with("PFADD many", seen(random, 60)),
        6 => with("PFADD some", seen(random, 20)),
        7 => with("PFADD few", vec![one_of(random, &["", "a", "a longer text", "12345678", "123456789"]).into()]),
        8..11 => of_key("PFCOUNT", vec![]),
        11..13 => of_key("PFCOUNT", keys(random)),
        13..15 => of_key("PFMERGE", keys(random)),
        15..18 => of_key("GET", vec![]),
        18 => of_key(one_of(random, &["PFDEBUG DECODE", "PFDEBUG ENCODING", "PFDEBUG TODENSE", "PFDEBUG what"]), vec![]),
        19 => of_key("PFDEBUG GETREG", vec![]),
        20 => words(one_of(
            random,
            &["SET text some", "SET text HYLL", "APPEND other x", "SETRANGE other 4 \u{2}", "SADD set 1", "PFADD set 1"],
        )),
        21 => of_key("OBJECT ENCODING", vec![]),
        22 if random.below(4) == 0 => of_key("DEL", vec![]),
        22 => words(one_of(random, &["DEL few", "DEL text", "DEL other"])),
        _ => words(one_of(
            random,
            &["PFCOUNT set", "PFMERGE few set", "PFDEBUG ENCODING set", "PFADD", "PFCOUNT", "PFDEBUG DECODE few more"],
        )),
    };
    (all, Order::Same)
}
