//! Commands of streams.
//!
//! The clock of a desk stands: entries get the time of day only in `auto`, whose IDs are of a time to come.

use super::{Order, Words, one_of, words};
use crate::store::Random;

const KEYS: [&str; 6] = ["s", "t", "big", "auto", "other", "none"];
const ODD: [&str; 22] = [
    "x",
    "-",
    "+",
    "$",
    ">",
    "(1",
    "1-",
    "-1",
    "1-x",
    "01-2",
    " 1",
    "+3",
    "18446744073709551615-18446744073709551615",
    "18446744073709551616",
    "1-18446744073709551615",
    "0",
    "0-0",
    "(0-0",
    "(18446744073709551615-18446744073709551615",
    "(",
    "(-",
    "5-*",
];

fn id(random: &mut Random) -> String {
    match random.below(12) {
        0 => one_of(random, &ODD).into(),
        1 => random.below(110).to_string(),
        2 => format!("5000000000000-{}", random.below(60)),
        3..8 => format!("99-{}", random.below(60)),
        _ => format!("{}-{}", random.below(110), random.below(4)),
    }
}

/// Of an entry that was most likely there.
fn there(random: &mut Random, key: &str) -> String {
    match key {
        "auto" => format!("5000000000000-{}", random.below(60)),
        "big" => format!("99-{}", random.below(900)),
        _ => id(random),
    }
}

fn ids(random: &mut Random, key: &str) -> Words {
    let count = 1 + random.below(4);
    (0..count).map(|_| there(random, key)).collect()
}

fn edge(random: &mut Random, key: &str, usual: &str) -> String {
    match random.below(4) {
        0 => format!("({}", there(random, key)),
        1 => there(random, key),
        _ => usual.into(),
    }
}

fn text(random: &mut Random) -> String {
    match random.below(12) {
        0 => "long ".repeat(random.below(60)),
        1 if random.below(20) == 0 => "longer ".repeat(random.below(4000)),
        2 => one_of(random, &["", "-1", "127", "128", "-4097", "70000", "-9000000", "5000000000", "9223372036854775807", "01"]).into(),
        3 => "x".repeat(60 + random.below(10)),
        _ => format!("v{}", random.below(100)),
    }
}

fn pairs(random: &mut Random) -> Words {
    match random.below(30) {
        0 => vec!["odd".into()],
        1..20 => vec!["name".into(), text(random), "count".into(), text(random)],
        _ => (0..1 + random.below(3)).flat_map(|_| [text(random), text(random)]).collect(),
    }
}

fn trim(random: &mut Random) -> Words {
    let sign = one_of(random, &["", "", "= ", "~ ", "~ ", "~ "]);
    let mut all = match random.below(8) {
        0..4 => words(&format!("MAXLEN {sign}{}", [0, 20, 150, 300, 450, 600, 700, 800][random.below(8)])),
        4..6 => words(&format!("MINID {sign}99-{}", random.below(900) * random.below(2))),
        6 if random.below(4) == 0 => words(&format!("MINID {sign}{}", id(random))),
        _ => words(one_of(random, &["MAXLEN", "MAXLEN x", "MAXLEN -1", "MINID ~", "MAXLEN 5 MINID 3", "MINID = 4 MAXLEN 4", "maxlen ~ 3"])),
    };
    if random.below(6) == 0 {
        all.extend(words(one_of(random, &["LIMIT 0", "LIMIT 100", "LIMIT 99", "LIMIT 250", "LIMIT -1", "LIMIT x", "LIMIT"])));
    }
    all
}

fn add(random: &mut Random, key: &str) -> Words {
    let mut all = words(&format!("XADD {key}"));
    if random.below(25) == 0 {
        all.extend(trim(random));
    }
    all.extend(match (key, random.below(12)) {
        ("auto", 0..6) => words("5000000000000-1"),
        ("auto", _) => words("NOMKSTREAM *"),
        // It is to become long.
        ("big", 0) => vec![there(random, key)],
        ("big", _) => words("99-*"),
        (_, 0) => words("NOMKSTREAM 99-*"),
        (_, 1) => vec![id(random)],
        (_, 2) => vec![format!("{}-*", random.below(100))],
        _ => words("99-*"),
    });
    all.extend(pairs(random));
    all
}

fn count(random: &mut Random) -> Words {
    if random.below(3) == 0 {
        return Vec::new();
    }
    words(&format!("COUNT {}", one_of(random, &["1", "2", "3", "7", "150", "0", "-1", "x"])))
}

fn read(random: &mut Random) -> Words {
    let mut all = match random.below(3) {
        0 => words("XREAD"),
        _ => words(&format!("XREADGROUP GROUP {} {}", group(random), consumer(random))),
    };
    all.extend(count(random));
    if random.below(6) == 0 {
        all.extend(words(one_of(random, &["NOACK", "NOACK", "NOACK", "BLOCK x", "BLOCK -1", "GROUP g", "GROUP g a", "COUNT"])));
    }
    let keys: Words = (0..1 + random.below(2)).map(|_| one_of(random, &KEYS).into()).collect();
    let ids = keys.iter().map(|key| match (&*all[0], random.below(3)) {
        ("XREADGROUP", 0..2) => ">".into(),
        _ => there(random, key),
    });
    let ids: Words = ids.collect();
    all.extend(words("STREAMS").into_iter().chain(keys).chain(ids));
    if random.below(30) == 0 {
        all.pop();
    }
    all
}

fn group(random: &mut Random) -> &'static str {
    ["g", "g", "g", "h", "h", "none"][random.below(6)]
}

fn consumer(random: &mut Random) -> &'static str {
    ["a", "b", "c", "d"][random.below(4)]
}

fn claim(random: &mut Random, key: &str) -> Words {
    let idle = one_of(random, &["0", "0", "0", "100000000", "-1", "x"]);
    let mut all = words(&format!("XCLAIM {key} {} {} {idle}", group(random), consumer(random)));
    all.extend(ids(random, key));
    for _ in 0..random.below(3) {
        let options = [
            "FORCE",
            "FORCE",
            "JUSTID",
            "IDLE 5",
            "IDLE 200000000000",
            "TIME 1000",
            "TIME -7",
            "RETRYCOUNT 3",
            "RETRYCOUNT -2",
            "LASTID 99-20",
        ];
        all.extend(words(match random.below(12) {
            0 => one_of(random, &["LASTID x", "IDLE x", "TIME", "RETRYCOUNT 1x", "odd", "TIME x"]),
            _ => one_of(random, &options),
        }));
    }
    all
}

fn claim_idle(random: &mut Random, key: &str) -> Words {
    let idle = one_of(random, &["0", "0", "0", "100000000", "-1", "x"]);
    let usual = one_of(random, &["0", "-", "99-5"]);
    let from = edge(random, key, usual);
    let mut all = words(&format!("XAUTOCLAIM {key} {} {} {idle} {from}", group(random), consumer(random)));
    all.extend(count(random));
    if random.below(4) == 0 {
        all.extend(words(one_of(random, &["JUSTID", "JUSTID", "odd", "COUNT"])));
    }
    all
}

fn change_group(random: &mut Random, key: &str) -> Words {
    let id = match random.below(6) {
        0 => there(random, key),
        1 => "99-50".into(),
        _ => one_of(random, &["$", "0", "0", "99-3"]).into(),
    };
    let mut all = match random.below(16) {
        0..5 if key == "auto" => words(&format!("XGROUP CREATE {key} {} {id}", group(random))),
        0..5 => {
            words(&format!("XGROUP CREATE {key} {} {id} {}", group(random), one_of(random, &["MKSTREAM", "mkstream", "ENTRIESREAD 3"])))
        }
        5..8 => words(&format!("XGROUP SETID {key} {} {id}", group(random))),
        8..11 => words(&format!("XGROUP CREATECONSUMER {key} {} {}", group(random), consumer(random))),
        11..13 => words(&format!("XGROUP DELCONSUMER {key} {} {}", group(random), consumer(random))),
        13..15 => words(&format!("XGROUP DESTROY {key} {}", group(random))),
        _ => words(one_of(
            random,
            &["XGROUP", "XGROUP HELP", "XGROUP HELP x", "XGROUP odd", "XGROUP CREATE s", "XGROUP CREATE s g", "XINFO"],
        )),
    };
    if random.below(10) == 0 {
        all.extend(words(one_of(random, &["ENTRIESREAD 5", "ENTRIESREAD -1", "ENTRIESREAD -2", "ENTRIESREAD x", "ENTRIESREAD", "odd"])));
    }
    all
}

fn info(random: &mut Random, key: &str) -> Words {
    match random.below(12) {
        0..4 => words(&format!("XINFO STREAM {key}")),
        4..7 => {
            words(&format!("XINFO STREAM {key} FULL {}", one_of(random, &["COUNT 0", "COUNT 3", "count -1", "COUNT x", "COUNT", "odd 3"])))
        }
        7 => words(&format!("XINFO STREAM {key} {}", one_of(random, &["FULL", "odd"]))),
        8..10 => words(&format!("XINFO GROUPS {key}")),
        10 => words(&format!("XINFO CONSUMERS {key} {}", group(random))),
        _ => words(one_of(random, &["XINFO HELP", "XINFO HELP x", "XINFO odd s", "XINFO STREAM", "XINFO GROUPS s g", "XINFO CONSUMERS s"])),
    }
}

fn pending(random: &mut Random, key: &str) -> Words {
    let mut all = words(&format!("XPENDING {key} {}", group(random)));
    if random.below(4) > 0 {
        if random.below(4) == 0 {
            all.extend(words(one_of(random, &["IDLE 0", "IDLE 100000000", "IDLE x", "IDLE"])));
        }
        all.extend([edge(random, key, "-"), edge(random, key, "+"), one_of(random, &["1", "3", "1000", "0", "-1", "x"]).into()]);
        if random.below(3) == 0 {
            all.push(consumer(random).into());
        }
    }
    all
}

fn set_id(random: &mut Random) -> Words {
    let key = one_of(random, &["s", "t", "none", "other", "big"]);
    let mut all = words(&format!("XSETID {key} {}", there(random, key)));
    if random.below(2) == 0 {
        all.extend(words(one_of(
            random,
            &["ENTRIESADDED 7", "ENTRIESADDED 1000", "ENTRIESADDED -1", "ENTRIESADDED x", "odd", "ENTRIESADDED"],
        )));
    }
    if random.below(2) == 0 {
        all.extend(words(one_of(random, &["MAXDELETEDID 99-4", "MAXDELETEDID 0", "MAXDELETEDID x", "MAXDELETEDID 99-900"])));
    }
    all
}

/// A command and how its answer is compared.
pub(super) fn command(random: &mut Random) -> (Words, Order) {
    let key = if random.below(2) == 0 { "big" } else { one_of(random, &KEYS) };
    let range = |random: &mut Random, name: &str, usual: [&str; 2]| {
        let mut all = words(&format!("{name} {key} {} {}", edge(random, key, usual[0]), edge(random, key, usual[1])));
        all.extend(count(random));
        all
    };
    let of_key = |name: &str, mut rest: Words| {
        let mut all = words(&format!("{name} {key}"));
        all.append(&mut rest);
        all
    };
    match random.below(60) {
        0..22 => (add(random, key), Order::Same),
        22..24 => (range(random, "XRANGE", ["-", "+"]), Order::Same),
        24..26 => (range(random, "XREVRANGE", ["+", "-"]), Order::Same),
        26..30 => (of_key("XDEL", ids(random, key)), Order::Same),
        30 => (of_key("XTRIM", trim(random)), Order::Same),
        31 => (of_key("XLEN", vec![]), Order::Same),
        32..38 => (read(random), Order::Same),
        38..40 => (of_key("XACK", [vec![group(random).into()], ids(random, key)].concat()), Order::Same),
        40..43 => (claim(random, key), Order::Same),
        43..45 => (claim_idle(random, key), Order::Same),
        45..49 => (change_group(random, key), Order::Same),
        49..53 => (info(random, key), Order::Times),
        53..56 => (pending(random, key), Order::Times),
        56 if random.below(8) == 0 => (set_id(random), Order::Same),
        57 if key != "big" || random.below(20) == 0 => (words(&format!("DEL {key}")), Order::Same),
        58 => (words(&format!("SET other {}", random.below(9))), Order::Same),
        _ => (
            of_key(one_of(random, &["XADD", "XRANGE", "XDEL", "XTRIM", "XREAD", "XACK", "XPENDING", "XCLAIM", "XSETID"]), vec![]),
            Order::Same,
        ),
    }
}
