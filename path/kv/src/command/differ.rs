//! Random commands for a desk and for a real Redis: the answers and the events must be the same.
//!
//! `KV_REDIS=PORT [KV_SEED=… KV_COMMANDS=…] cargo test -p plimsoll-kv differ -- --ignored --test-threads 1`, with a `redis-server --save ''` on
//! that port, which is emptied.

mod bitmaps;
mod geo;
mod hashes;
mod hyperloglogs;
mod keys;
mod lists;
mod sets;
mod sorted;
mod sorting;
mod streams;
mod strings;
mod wire;

use super::desk::Desk;
use crate::store::Random;
use wire::{Node, Wire};

/// A command, in words.
type Words = Vec<String>;

/// How an answer is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// It is the same byte for byte.
    Same,
    /// Its elements may come in any order.
    Any,
    /// Its elements may come in any order, two by two.
    Pairs,
    /// Only its length is the same.
    Length,
    /// A number that has to do with time: only whether it is below zero, and which one then.
    Sign,
    /// It is the same but for the times when entries of streams were given.
    Times,
}

/// Makes commands of a family.
type Family = fn(&mut Random) -> (Words, Order);

/// Both sides.
struct Differ {
    desk: Desk,
    redis: Wire,
    events: Wire,
    random: Random,
    past: Vec<String>,
}

impl Differ {
    fn new(port: &str, resp3: bool, seed: u64) -> Differ {
        let (mut redis, mut events, mut desk) = (Wire::open(port), Wire::open(port), Desk::new());
        redis.ask(&["FLUSHALL"]);
        redis.ask(&["CONFIG", "SET", "notify-keyspace-events", "KEAmn"]);
        events.ask(&["PSUBSCRIBE", "__keyevent@0__:*"]);
        desk.be_patient();
        desk.want_new();
        if resp3 {
            desk.hello_3();
            redis.ask(&["HELLO", "3"]);
        }
        Differ { desk, redis, events, random: Random::seeded(seed), past: Vec::new() }
    }

    /// Runs one command on both sides.
    fn step(&mut self, family: Family) {
        let (words, order) = family(&mut self.random);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.past.push(words.join(" ").chars().take(200).collect());
        let ours = Node::parse(&self.desk.bytes(&words.iter().map(|word| word.as_bytes()).collect::<Vec<_>>()));
        let theirs = self.redis.ask(&words);
        let last = || self.past[self.past.len().saturating_sub(20)..].join("\n");
        assert_eq!(ours.ordered(order), theirs.ordered(order), "ours and theirs, after\n{}", last());
        let (mut ours, mut theirs) = (self.desk.events(), self.events.events());
        if order != Order::Same {
            // Keys are looked up in the order of the elements.
            (ours, theirs) = (sorted(ours), sorted(theirs));
        }
        assert_eq!(ours, theirs, "events of ours and of theirs, after\n{}", last());
    }
}

fn run(name: &str, family: Family) {
    let port = std::env::var("KV_REDIS").expect("KV_REDIS is the port of a redis-server");
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().expect("it is a number"));
    let (seed, commands) = (number("KV_SEED", 1), number("KV_COMMANDS", 50_000));
    for (resp3, seed) in [(false, seed), (true, seed + 1)] {
        let mut differ = Differ::new(&port, resp3, seed);
        (0..commands).for_each(|_| differ.step(family));
        println!("{name}: {commands} commands with seed {seed}, RESP3 {resp3}: the same answers and events");
    }
}

fn sorted(mut all: Vec<String>) -> Vec<String> {
    all.sort();
    all
}

/// A command of any family.
pub(crate) fn any(random: &mut Random) -> Vec<String> {
    const FAMILIES: [Family; 11] = [
        bitmaps::command,
        geo::command,
        hashes::command,
        hyperloglogs::command,
        keys::command,
        lists::command,
        sets::command,
        sorted::command,
        sorting::command,
        streams::command,
        strings::command,
    ];
    FAMILIES[random.below(FAMILIES.len())](random).0
}

/// One of these.
fn one_of<'a>(random: &mut Random, all: &[&'a str]) -> &'a str {
    all[random.below(all.len())]
}

/// Words separated by blanks.
fn words(line: &str) -> Words {
    line.split(' ').map(String::from).collect()
}

#[test]
#[ignore = "it needs a redis-server"]
fn hashes_answer_as_those_of_redis() {
    run("hashes", hashes::command);
}

#[test]
#[ignore = "it needs a redis-server"]
fn sets_answer_as_those_of_redis() {
    run("sets", sets::command);
}

#[test]
#[ignore = "it needs a redis-server"]
fn lists_answer_as_those_of_redis() {
    run("lists", lists::command);
}

#[test]
#[ignore = "it needs a redis-server"]
fn strings_answer_as_those_of_redis() {
    run("strings", strings::command);
}

#[test]
#[ignore = "it needs a redis-server"]
fn sorted_sets_answer_as_those_of_redis() {
    run("sorted sets", sorted::command);
}

#[test]
#[ignore = "it needs a redis-server"]
fn bitmaps_answer_as_those_of_redis() {
    run("bitmaps", bitmaps::command);
}

#[test]
#[ignore = "it needs a redis-server"]
fn positions_answer_as_those_of_redis() {
    run("positions", geo::command);
}

#[test]
#[ignore = "it needs a redis-server"]
fn keys_answer_as_those_of_redis() {
    run("keys", keys::command);
}

#[test]
#[ignore = "it needs a redis-server"]
fn hyperloglogs_answer_as_those_of_redis() {
    run("hyperloglogs", hyperloglogs::command);
}

#[test]
#[ignore = "it needs a redis-server"]
fn sorting_answers_as_that_of_redis() {
    run("sorting", sorting::command);
}

#[test]
#[ignore = "it needs a redis-server"]
fn streams_answer_as_those_of_redis() {
    run("streams", streams::command);
}
