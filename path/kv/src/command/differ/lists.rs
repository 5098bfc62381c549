//! Commands of lists.

use super::{Order, Words, one_of, words};
use crate::store::Random;

const KEYS: [&str; 6] = ["l", "small", "big", "long", "other", "none"];

fn element(random: &mut Random, key: &str) -> String {
    match random.below(if key == "long" { 4 } else { 40 }) {
        0 => "long ".repeat(random.below(1000)),
        1 => one_of(random, &["", "-0", "01", "9223372036854775807", "e"]).into(),
        number => format!("{}", number * 3),
    }
}

fn place(random: &mut Random) -> String {
    match random.below(20) {
        0 => one_of(random, &["x", "", "9223372036854775807", "-9223372036854775807", "1.0"]).into(),
        number if number < 10 => (random.below(12) as i64 - 6).to_string(),
        _ => (random.below(1200) as i64 - 600).to_string(),
    }
}

fn end(random: &mut Random) -> String {
    one_of(random, &["LEFT", "RIGHT", "left", "right", "LEFT", "RIGHT", "up"]).into()
}

/// A command and how its answer is compared.
pub(super) fn command(random: &mut Random) -> (Words, Order) {
    let (key, other) = (one_of(random, &KEYS), one_of(random, &KEYS));
    let count = 1 + random.below(4);
    let with = |line: &str, rest: Words| words(line).into_iter().chain(rest).collect::<Words>();
    let elements = |random: &mut Random, many: usize| (0..many).map(|_| element(random, key)).collect::<Words>();
    let all = match random.below(34) {
        0..6 => with(&format!("{} {key}", one_of(random, &["LPUSH", "RPUSH", "LPUSHX", "RPUSHX"])), elements(random, count)),
        6 => {
            let many = random.below(300);
            with(&format!("{} big", one_of(random, &["LPUSH", "RPUSH"])), elements(random, many + 1))
        }
        7..9 => with(&format!("{} {key}", one_of(random, &["LPOP", "RPOP"])), vec![]),
        9 => with(
            &format!("{} {key} {}", one_of(random, &["LPOP", "RPOP"]), one_of(random, &["0", "1", "2", "100", "-1", "x", "2 2"])),
            vec![],
        ),
        10 => with(&format!("LMPOP 2 {key} {other}"), vec![end(random)]),
        11 => with(&format!("LMPOP 1 {key} LEFT COUNT"), words(one_of(random, &["2", "0", "300", "x", "1 COUNT 1"]))),
        12 => with(&format!("LMPOP {} {key}", one_of(random, &["0", "-1", "x", "2", "9223372036854775807"])), vec![end(random)]),
        13 => with(&format!("LLEN {key}"), vec![]),
        14..16 => with(&format!("LINDEX {key}"), vec![place(random)]),
        16..19 => with(&format!("LRANGE {key}"), vec![place(random), place(random)]),
        19 => with(&format!("LRANGE {key} 0 -1"), vec![]),
        20..22 => {
            let mut all = with(&format!("LPOS {key}"), elements(random, 1));
            for _ in 0..random.below(4) {
                let (option, number) = (one_of(random, &["RANK", "COUNT", "MAXLEN", "count"]), random.below(9) as i64 - 3);
                all.extend([option.into(), if option == "COUNT" { number.to_string() } else { (number * 7).to_string() }]);
            }
            if random.below(20) == 0 {
                all.push("RANK".into());
            }
            all
        }
        22 => with(&format!("LSET {key}"), vec![place(random), element(random, key)]),
        23..25 => with(
            &format!("LINSERT {key} {}", one_of(random, &["BEFORE", "AFTER", "after", "in"])),
            vec![element(random, key), element(random, "")],
        ),
        25 => with(&format!("LREM {key} {}", random.below(7) as i64 - 3), elements(random, 1)),
        26 => match random.below(4) {
            0 => with(&format!("LTRIM {key}"), vec![place(random), place(random)]),
            _ => with(&format!("LTRIM {key} {} -{}", random.below(4), 1 + random.below(4)), vec![]),
        },
        27..29 => with(&format!("LMOVE {key} {other}"), vec![end(random), end(random)]),
        29..31 => with(&format!("RPOPLPUSH {key} {other}"), vec![]),
        31 => with(&format!("DEL {key}"), vec![]),
        32 => with("SET other 1", vec![]),
        _ => with(&format!("{} {key}", one_of(random, &["LPUSH", "LPOP", "LINDEX", "LRANGE", "LREM", "LMOVE", "LPOS", "LMPOP"])), vec![]),
    };
    (all, Order::Same)
}
