//! Latency under a mixed load while keys expire and others go because memory is full.

use super::cells::{FIRST, generate, note};
use super::client::Script;
use super::command::{Answer, Command, Word, one_of};
use super::fill::fill;
use super::store::{Store, Work, info, present};
use crate::arguments::Arguments;
use crate::load::Pace;
use crate::machine::{self, Pins};
use crate::report::Row;
use crate::running::Running;
use crate::turns::Turns;

/// Keys of texts: those that are there at any time are more than memory has room for.
const KEYS: u64 = 400_000;
/// Those of the other types.
const FEW: u64 = 20_000;
const MEMORY: usize = 16 << 20;
/// A third of what one thread can do, so that a queue is the store's doing.
const RATE: f64 = 40_000.0;
const LENGTH: usize = 100;

/// How the load comes, and to how many threads.
#[derive(Debug, Clone, Copy)]
struct Form {
    name: &'static str,
    pace: Pace,
    threads: usize,
}

const FORMS: [Form; 3] = [
    Form { name: "as fast as it is answered", pace: Pace::Closed, threads: 1 },
    Form { name: "40,000/s open loop", pace: Pace::Open(RATE), threads: 1 },
    Form { name: "as fast as it is answered, two loops, free", pace: Pace::Closed, threads: 2 },
];

/// The rows.
pub fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let forms = FORMS.iter().filter(|form| form.threads <= machine::cpus().len());
    forms.map(|form| row(form, arguments)).collect()
}

fn row(form: &Form, arguments: &Arguments) -> Result<Row, String> {
    let able = present().filter_map(|store| match store {
        Store::Plimsoll => Some((store, "s3fifo")),
        Store::Redis => Some((store, "allkeys-lru")),
        _ => None,
    });
    let all: Vec<_> = able.map(|(store, policy)| (store.name().to_string(), (store, policy))).collect();
    let pins = if form.threads == 1 { Pins::apart() } else { Pins::free() };
    let start = |(store, policy): &(Store, &'static str)| {
        // More threads than one are no help to this Redis, and its documentation advises none for so few CPUs.
        let threads = if store.has_threads() { form.threads } else { 1 };
        let running = store.start(Work { threads, bound: Some((MEMORY, policy)) }, &pins.contender)?;
        fill(running.address, &stays(), KEYS)?;
        // Until as many keys expire and go as will all the time.
        generate(&running, script(), form.pace, &pins.load)?;
        Ok(running)
    };
    let turns = Turns::take(&all, (arguments.rounds, arguments.measured.as_secs()), start, |_, running: &mut Running| {
        let before = gone(running)?;
        let outcome = generate(running, script(), form.pace, &pins.load)?;
        let (expired, evicted) = gone(running)?;
        if expired == before.0 || evicted == before.1 {
            return Err(format!("not both expired and evicted: {before:?}, then {expired} and {evicted}"));
        }
        Ok(Some(outcome))
    })?;
    let mut figures = turns.figures(Row::new(&format!("mixed: {}", form.name), "p99 µs"), |seen| seen.quantile(0.99));
    figures.bound(FIRST, 1.0, 0.8);
    figures.row.notes.extend(turns.each().map(|(who, seen)| note(who, seen)));
    Ok(figures.row)
}

/// Keys that have expired and that went because memory was full, since the start.
fn gone(running: &Running) -> Result<(u64, u64), String> {
    Ok((info(running.address, "expired_keys")?, info(running.address, "evicted_keys")?))
}

fn text() -> String {
    "x".repeat(LENGTH)
}

/// Makes a key that has no expiry.
fn stays() -> Command {
    Command::resp(&[Word::Text("SET"), one_of("key:", KEYS), Word::Text(&text())], Answer::Exactly(b"+OK\r\n".to_vec()))
}

/// Reads, writes with a life of 0.1 to 1 s and without, counters, hashes, sorted sets, lists.
fn script() -> Script {
    let (key, text) = (one_of("key:", KEYS), text());
    let value = Word::Text(&text);
    let word = Word::Text;
    let life = Word::Number { prefix: "", digits: 3, from: 100, below: 1000 };
    let found = Answer::Either(b"$-1\r\n".to_vec(), Answer::text(&text));
    let done = Answer::Exactly(b"+OK\r\n".to_vec());
    let commands = [
        (50, Command::resp(&[word("GET"), key], found)),
        (10, Command::resp(&[word("SET"), key, value, word("PX"), life], done)),
        (25, stays()),
        (5, Command::resp(&[word("INCR"), one_of("counter:", FEW)], Answer::Number)),
        (4, Command::resp(&[word("HSET"), one_of("hash:", FEW), one_of("field:", 20), word("value")], Answer::Number)),
        (4, Command::resp(&[word("ZADD"), one_of("sorted:", FEW), one_of("", KEYS), one_of("member:", 50)], Answer::Number)),
        (2, Command::resp(&[word("LPUSH"), one_of("list:", FEW), word("element")], Answer::Number)),
    ];
    Script { commands: commands.into(), batch: 1 }
}
