//! Bytes of a key: what the resident memory of the server's processes grew by, and what `used_memory` says.

use std::time::Duration;

use super::cells::FIRST;
use super::command::{Answer, Command, Word, one_of};
use super::fill::fill;
use super::store::{Store, Work, ask, info, present};
use crate::machine::Pins;
use crate::report::Row;
use crate::running::Running;
use crate::turns::MINE;

/// What keys hold.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Texts,
    Hashes,
    SortedSets,
}

const TEXTS: u64 = 1_000_000;
const HASHES: u64 = 200_000;
const SORTED_SETS: u64 = 500;
const MEMBERS: u64 = 1000;
/// For what a server moves or gives back a little later.
const SETTLE: Duration = Duration::from_millis(1500);

/// The rows: one round, since memory hardly wanders.
pub fn rows() -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for kind in [Kind::Texts, Kind::Hashes, Kind::SortedSets] {
        rows.extend(kind.rows()?);
    }
    Ok(rows)
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Texts => "1,000,000 texts of 100 bytes",
            Kind::Hashes => "200,000 hashes of 5 fields",
            Kind::SortedSets => "500 sorted sets of 1,000 members",
        }
    }

    fn keys(self) -> u64 {
        match self {
            Kind::Texts => TEXTS,
            Kind::Hashes => HASHES,
            Kind::SortedSets => SORTED_SETS,
        }
    }

    fn rows(self) -> Result<[Row; 2], String> {
        let mut rows = ["resident", "used_memory"].map(|what| Row::new(&format!("bytes of a key: {}, {what}", self.name()), "bytes"));
        for store in present().filter(|store| store.speaks_resp()) {
            let figures = self.round(store).map_err(|error| format!("{}: {error}", store.name()))?;
            rows.iter_mut().zip(figures).for_each(|(row, figure)| row.add(store.name(), &[figure]));
        }
        rows.iter_mut().for_each(|row| row.bound(MINE, FIRST, 1.0, 0.8));
        Ok(rows)
    }

    fn round(self, store: Store) -> Result<[f64; 2], String> {
        let running = store.start(Work { threads: 1, bound: None }, &Pins::apart().contender)?;
        let before = weigh(&running)?;
        self.write(&running)?;
        let after = weigh(&running)?;
        let keys = ask(running.address, "DBSIZE")?;
        if keys != self.keys().to_string() {
            return Err(format!("{keys} keys are there instead of {}", self.keys()));
        }
        Ok([0, 1].map(|of| after[of].saturating_sub(before[of]) as f64 / self.keys() as f64))
    }

    fn write(self, running: &Running) -> Result<(), String> {
        let (word, number) = (Word::Text, || Answer::Number);
        match self {
            Kind::Texts => {
                let text = "x".repeat(100);
                fill(running.address, &Command::resp(&[word("SET"), one_of("key:", TEXTS), word(&text)], number()), TEXTS)
            }
            Kind::Hashes => {
                let mut words = vec![word("HSET"), one_of("user:", HASHES)];
                let fields = [("name", "Ada Lovelace"), ("mail", "ada@example.org"), ("age", "36"), ("city", "London"), ("visits", "1024")];
                words.extend(fields.iter().flat_map(|(field, value)| [word(field), word(value)]));
                fill(running.address, &Command::resp(&words, number()), HASHES)
            }
            Kind::SortedSets => (0..SORTED_SETS).try_for_each(|set| {
                let key = format!("board:{set:012}");
                let score = Word::Number { prefix: "", digits: 6, from: 0, below: MEMBERS };
                let words = [Word::Text("ZADD"), Word::Text(&key), score, one_of("member:", MEMBERS)];
                fill(running.address, &Command::resp(&words, number()), MEMBERS)
            }),
        }
    }
}

/// Resident bytes of its processes, and `used_memory`, once it is at rest.
fn weigh(running: &Running) -> Result<[u64; 2], String> {
    std::thread::sleep(SETTLE);
    Ok([running.tree().rss(), info(running.address, "used_memory")?])
}
