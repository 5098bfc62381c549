//! `SORT` and `SORT_RO`.

use super::{Order, Words, one_of, words};
use crate::store::Random;

const SORTED: [&str; 7] = ["list", "set", "texts", "zset", "mixed", "none", "w1"];

fn options(random: &mut Random) -> Words {
    let one = |random: &mut Random| match random.below(16) {
        0..3 => "DESC",
        3..6 => "ALPHA",
        6 => "ASC",
        7 => one_of(random, &["BY w*", "BY w*", "BY h*->weight", "BY nothing", "BY no*", "BY *"]),
        8..11 => one_of(random, &["GET w*", "GET #", "GET h*->name", "GET h*->", "GET nothing", "GET h*", "get #"]),
        11..14 => {
            one_of(random, &["LIMIT 0 3", "LIMIT 2 5", "LIMIT -1 2", "LIMIT 1 -1", "LIMIT 100 1", "LIMIT 3 0", "LIMIT 0 100", "LIMIT x 1"])
        }
        14 => one_of(random, &["STORE target", "STORE", "LIMIT 1", "BY", "GET", "what"]),
        _ => "STORE target",
    };
    (0..random.below(5)).flat_map(|_| words(one(random))).collect()
}

fn element(random: &mut Random) -> String {
    match random.below(12) {
        0 => one_of(random, &["1e1", "0x10", "-1.5", "3.0", "inf"]).into(),
        _ => random.below(12).to_string(),
    }
}

/// A command and how its answer is compared.
pub(super) fn command(random: &mut Random) -> (Words, Order) {
    let with = |name: &str, mut rest: Words| {
        let mut all = words(name);
        all.append(&mut rest);
        all
    };
    match random.below(20) {
        0..9 => {
            let mut all = with(&format!("{} {}", one_of(random, &["SORT", "SORT", "SORT_RO"]), one_of(random, &SORTED)), options(random));
            // By texts that are equal, or of a set as it is, they come in any order.
            let is_loose = all.iter().any(|word| word == "BY");
            // Which of them are left out then, too.
            let is_even = all[1].contains('t') || all.iter().any(|word| word == "ALPHA");
            if is_loose && is_even && all.iter().any(|word| word == "LIMIT") {
                all.truncate(2);
            }
            (all, if is_loose { Order::Length } else { Order::Same })
        }
        9..11 => (with("RPUSH list", vec![element(random), element(random)]), Order::Same),
        11 => (with("SADD set", vec![element(random)]), Order::Same),
        12 => (with("ZADD zset", vec![random.below(5).to_string(), element(random)]), Order::Same),
        13 => (with("SADD texts", vec![one_of(random, &["a", "b", "B", "aa", "", "10", "9"]).into()]), Order::Same),
        14 => (with("RPUSH mixed", vec![one_of(random, &["1", "2", "x", "", " 3", "nan"]).into()]), Order::Same),
        15 => (vec!["SET".into(), format!("w{}", random.below(12)), element(random)], Order::Same),
        16 => (
            with(&format!("HSET h{}", random.below(12)), vec!["weight".into(), element(random), "name".into(), element(random)]),
            Order::Same,
        ),
        17 => (words(one_of(random, &["LRANGE target 0 -1", "OBJECT ENCODING target", "TYPE target"])), Order::Length),
        18 => (words(one_of(random, &["SORT list BY w* GET #", "SORT list STORE list", "SORT list ALPHA STORE w1"])), Order::Same),
        _ => (
            words(one_of(
                random,
                &["DEL list", "DEL set", "DEL mixed", "DEL texts", "DEL zset", "DEL w1 w2 w3", "SET target 1", "EXISTS target"],
            )),
            Order::Same,
        ),
    }
}
