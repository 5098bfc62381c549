//! Random requests to our door and to a real memcached: both must answer the same. `KV_MEMCACHED` is its port, `KV_SEED` and
//! `KV_COMMANDS` say what is asked.
//!
//! Not compared: numbers of `cas` themselves (but which of them are the same), blanks behind a number that became shorter, and what a
//! change of a number does to the marks and, when it needs another digit, to the time of an item.

use std::collections::HashMap;

use super::*;
use crate::store::Random;

const KEYS: [&str; 5] = ["a", "b", "key:c", "d", "none"];
const NUMBERS: [&str; 3] = ["n", "number:2", "n3"];
const TIMES: [&str; 6] = ["0", "1000", "2000", "0", "3000", "-1"];

/// One of both sides.
struct Side {
    wire: Wire,
    /// The numbers that were told, in order.
    told: Vec<String>,
    places: HashMap<String, usize>,
}

impl Side {
    fn new(wire: Wire) -> Side {
        Side { wire, told: Vec::new(), places: HashMap::new() }
    }

    /// What is answered to a request, in which `#N` stands for the Nth number that was told.
    fn ask(&mut self, request: &str, number: Option<usize>) -> String {
        let number = number.map_or("1", |number| self.told.get(number).map_or("1", |told| told.as_str()));
        self.wire.send(&format!("{}\r\nmn", request.replace('#', number)));
        let heard = self.wire.until("MN\r\n");
        self.plain(&heard)
    }

    /// The answer as it is compared.
    fn plain(&mut self, heard: &str) -> String {
        let mut lines = Vec::new();
        for line in heard.split_terminator("\r\n") {
            let mut words: Vec<String> = line.split(' ').map(String::from).collect();
            match &*words[0] {
                "VALUE" if words.len() == 5 => words[4] = self.place(&words[4].clone()),
                "HD" | "VA" | "EX" | "NS" | "NF" => {
                    for word in words.iter_mut().skip(1).filter(|word| word.len() > 1) {
                        let number = word[1..].to_string();
                        match word.as_bytes()[0] {
                            b'c' if number != "0" => *word = format!("c{}", self.place(&number)),
                            // What is past is a great number there.
                            b't' if number.len() > 8 => *word = "t0".into(),
                            b't' if number != "-1" => *word = format!("t{}", (number.parse::<u64>().unwrap() + 500) / 1000),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
            lines.push(words.join(" "));
        }
        trim(&mut lines);
        lines.join("\n")
    }

    fn place(&mut self, number: &str) -> String {
        let next = self.told.len();
        let place = *self.places.entry(number.into()).or_insert(next);
        if place == next {
            self.told.push(number.into());
        }
        format!("#{place}")
    }
}

/// Takes blanks behind numbers away.
fn trim(lines: &mut [String]) {
    for at in 1..lines.len() {
        let short = lines[at].trim_end_matches(' ').len();
        if short < lines[at].len() && lines[at].starts_with(|first: char| first.is_ascii_digit()) {
            let length = lines[at].len().to_string();
            lines[at].truncate(short);
            let words: Vec<String> =
                lines[at - 1].split(' ').map(|word| if word == length { short.to_string() } else { word.into() }).collect();
            lines[at - 1] = words.join(" ");
        }
    }
}

fn one_of<'a>(random: &mut Random, all: &[&'a str]) -> &'a str {
    all[random.below(all.len())]
}

fn value(random: &mut Random) -> String {
    match random.below(12) {
        0 => String::new(),
        1 => "long ".repeat(random.below(2000)),
        2 if random.below(20) == 0 => "x".repeat((1 << 20) - 70 + random.below(20)),
        _ => ["x", "yz", "abc"][random.below(3)].repeat(random.below(4)),
    }
}

/// A request, and the number that it is about.
fn request(random: &mut Random, told: usize) -> (String, Option<usize>) {
    let number = (told > 0 && random.below(8) > 0).then(|| told - 1 - random.below(told.min(6)));
    let request = match random.below(16) {
        0..3 => store(random),
        3..5 => get(random),
        5 => change(random),
        6 => other(random),
        7..10 => meta_get(random),
        10..12 => meta_set(random),
        12 => meta_delete(random),
        13..15 => meta_change(random),
        _ => broken(random),
    };
    (request, number)
}

fn store(random: &mut Random) -> String {
    let (name, is_number) = (one_of(random, &["set", "set", "add", "replace", "append", "prepend", "cas"]), random.below(4) == 0);
    let is_number = is_number && !matches!(name, "append" | "prepend");
    let (key, value) =
        if is_number { (one_of(random, &NUMBERS), random.below(200).to_string()) } else { (one_of(random, &KEYS), value(random)) };
    let (flags, time) = (one_of(random, &["0", "0", "5", "4294967295"]), one_of(random, &TIMES));
    let quiet = one_of(random, &["", "", "", " noreply"]);
    let cas = if name == "cas" { " #" } else { "" };
    format!("{name} {key} {flags} {time} {}{cas}{quiet}\r\n{value}", value.len())
}

fn keys(random: &mut Random) -> String {
    (0..=random.below(4))
        .map(|_| one_of(random, &[KEYS, ["n", "number:2", "n3", "a", "b"]].concat()).to_string())
        .collect::<Vec<_>>()
        .join(" ")
}

fn get(random: &mut Random) -> String {
    match one_of(random, &["get", "gets", "gat", "gats"]) {
        name @ ("gat" | "gats") => format!("{name} {} {}", one_of(random, &TIMES), keys(random)),
        name => format!("{name} {}", keys(random)),
    }
}

fn change(random: &mut Random) -> String {
    let key = if random.below(8) == 0 { one_of(random, &KEYS) } else { one_of(random, &NUMBERS) };
    let by = one_of(random, &["1", "7", "100", "18446744073709551615", "x", "-1", "0"]);
    format!("{} {key} {by}{}", one_of(random, &["incr", "decr"]), one_of(random, &["", "", " noreply"]))
}

fn other(random: &mut Random) -> String {
    let key = one_of(random, &KEYS);
    match random.below(12) {
        0..4 => format!("touch {key} {}{}", one_of(random, &TIMES), one_of(random, &["", "", " noreply"])),
        4..9 => format!("delete {key}{}", one_of(random, &["", "", " noreply", " 0", " 0 noreply", " 1"])),
        9 if random.below(10) == 0 => "flush_all".into(),
        9 => "verbosity 1".into(),
        10 => "version".into(),
        _ => "stats sizes".into(),
    }
}

/// Some flags, each once, in any order.
fn some(random: &mut Random, all: &[&str], most: usize) -> String {
    let mut chosen: Vec<&str> = (0..random.below(most)).map(|_| one_of(random, all)).collect();
    let mut seen = std::collections::HashSet::new();
    // One in many has a flag twice.
    let allows = random.below(40) == 0;
    chosen.retain(|flag| seen.insert(flag.as_bytes()[0]) || allows);
    chosen.iter().map(|flag| format!(" {flag}")).collect()
}

fn meta_get(random: &mut Random) -> String {
    if random.below(4) == 0 {
        return format!("mg {}{}", one_of(random, &NUMBERS), some(random, &["v", "c", "t", "f", "k", "q", "Oabc", "T2000"], 7));
    }
    let flags = ["v", "c", "t", "f", "s", "h", "k", "q", "u", "O12", "N1000", "R1500", "T2000", "N-1", "R0", "Lx", "P"];
    format!("mg {}{}", one_of(random, &KEYS), some(random, &flags, 9))
}

fn meta_set(random: &mut Random) -> String {
    let (key, value) = (one_of(random, &KEYS), value(random));
    let flags = ["c", "k", "q", "O7", "T1000", "T0", "T-1", "F3", "C#", "I", "ME", "MA", "MP", "MR", "MS", "MX", "C1"];
    let mut flags = some(random, &flags, 7);
    if flags.contains(" C#") {
        // Which of two keys has the greater number is not the same.
        flags = flags.replace(" I", "");
    }
    format!("ms {key} {}{flags}\r\n{value}", value.len())
}

fn meta_delete(random: &mut Random) -> String {
    format!("md {}{}", one_of(random, &KEYS), some(random, &["k", "q", "O7", "T1000", "C#", "I", "I", "C1"], 6))
}

fn meta_change(random: &mut Random) -> String {
    let flags = ["c", "k", "q", "O7", "t", "v", "C#", "N0", "N1000", "J12", "D5", "D100", "MI", "MD", "M+", "M-", "MX", "Dx", "Jx"];
    format!("ma {}{}", one_of(random, &NUMBERS), some(random, &flags, 8))
}

fn broken(random: &mut Random) -> String {
    let long = "k".repeat(250 + random.below(2));
    match random.below(24) {
        0 => format!("get {long}"),
        1 => format!("set {long} 0 0 1\r\n1"),
        2 => format!("delete {long}"),
        3 => format!("mg {long} k"),
        4 => format!("ms {long} 1\r\n1"),
        5 => format!("mg n O{}", "x".repeat(30 + random.below(3))),
        6 => format!("ms a 1 O{}\r\n1", "x".repeat(30 + random.below(3))),
        7 => format!("mg a{}", " v".repeat(random.below(25))),
        8 => "set a 0 0 1\r\nabc".into(),
        9 => "ms a 1\r\nabc".into(),
        10 => {
            one_of(random, &["set a 0 0", "set a x 0 1", "set a 0 y 1", "set a 0 0 z", "set a 0 0 -1", "cas a 0 0 1", "set a 0 0 1 2 3 4"])
                .into()
        }
        11 => one_of(
            random,
            &["get", "gets", "gat 5", "gat x a", "mg", "ms", "ms a", "md", "ma", "me", "touch a", "incr n", "decr", "delete"],
        )
        .into(),
        12 => one_of(random, &["", "x", " ", "GET a", "meta", "mx a", "mgx", "foo bar", "slabs reassign x", "lru_crawler foo"]).into(),
        13 => one_of(
            random,
            &[
                "mg a !",
                "mg a Nx",
                "ms a 1 Tx\r\n1",
                "md a !",
                "ma n !",
                "ms a x",
                "ms a -1",
                "mg a C1x",
                "ms a 1 Fx\r\n1",
                "ms a 1 Mxx\r\n1",
            ],
        )
        .into(),
        14 => one_of(random, &["mg cQ== b k v", "ms cQ== 1 b k\r\n1", "mg ! b", "md cQ== b k", "mg YWI b"]).into(),
        15 => one_of(random, &["flush_all x", "verbosity", "verbosity x", "verbosity 1 noreply", "touch a x", "touch a 1 2 3"]).into(),
        16 => "  get   a   b  ".into(),
        17 => "set  a  1  0  2  \r\nhi".into(),
        18 => "set a +5 +0 \t1\r\n1".into(),
        19 => "set a 4294967296 0 1\r\n1".into(),
        20 => "incr n -18446744073709551615".into(),
        21 => "set a 0 0 1 noreply\r\nabc".into(),
        22 => "set n 0 0 3\r\n 7 \r\nincr n 1\r\nset n 0 0 2\r\n7x\r\nincr n 1\r\nset n 0 0 1\r\n1".into(),
        _ => "ms b 3 F7 c\r\nabc\r\nms b 0 MA C# c\r\n".into(),
    }
}

#[test]
#[ignore = "it needs a memcached"]
fn requests_are_answered_as_by_memcached() {
    let port = std::env::var("KV_MEMCACHED").expect("KV_MEMCACHED is the port of a memcached");
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().expect("it is a number"));
    let (seed, commands) = (number("KV_SEED", 1), number("KV_COMMANDS", 50_000));
    let served = Served::new();
    let theirs = Wire(TcpStream::connect(format!("127.0.0.1:{port}")).expect("a memcached listens"));
    theirs.0.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let (mut ours, mut theirs, mut random) = (Side::new(served.memcached()), Side::new(theirs), Random::seeded(seed));
    assert_eq!(ours.ask("flush_all", None), theirs.ask("flush_all", None));
    let mut past: Vec<String> = Vec::new();
    for turn in 0..commands {
        let (request, number) = request(&mut random, ours.told.len());
        past.push(request.chars().take(200).collect());
        let said = (ours.ask(&request, number), theirs.ask(&request, number));
        if said.0 != said.1 {
            let cut = |said: &str| said.chars().take(500).collect::<String>();
            let key = request.split_whitespace().nth(1).unwrap_or_default();
            let about: Vec<&String> = past.iter().filter(|past| past.split_whitespace().any(|word| word == key)).collect();
            let last: Vec<&str> = about[about.len().saturating_sub(25)..].iter().map(|past| past.as_str()).collect();
            panic!("ours: {}\ntheirs: {}\nafter {turn}:\n{}", cut(&said.0), cut(&said.1), last.join("\n"));
        }
    }
    println!("{commands} requests with seed {seed}: the same answers");
}
