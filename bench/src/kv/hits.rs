//! How many reads find their key in a cache that is too small: the same reads for every policy, a key that is missing is written.

use std::io::{BufRead, BufReader, Read as _, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::store::{Store, Work, ask};
use super::zipf::{Read, Trace};
use crate::machine;
use crate::report::{Row, Target};

const KEYS: u32 = 400_000;
const READS: usize = 2_000_000;
/// Reads from scan to scan, and of a scan.
const SCANS: (usize, usize) = (100_000, 40_000);
const VALUE: usize = 100;
/// Reads that are sent at once.
const BATCH: usize = 64;
const MEGABYTES: [usize; 3] = [8, 16, 32];
const PATIENCE: Duration = Duration::from_secs(20);
/// What the best of the others is called.
const MINE: &str = "plimsoll s3fifo";

/// Whose policy, in the words of the store.
const POLICIES: [(Store, &str); 3] = [(Store::Plimsoll, "s3fifo"), (Store::Redis, "allkeys-lru"), (Store::Redis, "allkeys-lfu")];

/// The rows.
pub fn rows() -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for exponent in [0.9, 1.0] {
        for scans in [None, Some(SCANS)] {
            let reads = Trace { keys: KEYS, exponent, scans, reads: READS }.reads();
            let kind = if scans.is_some() { "with scans" } else { "plain" };
            for megabytes in MEGABYTES {
                let name = format!("hits: Zipf {exponent:.1} {kind}, {megabytes} MB");
                rows.push(row(&name, &reads, megabytes << 20)?);
            }
        }
    }
    Ok(rows)
}

/// All policies at the same time, since nothing here depends on how fast they are.
fn row(name: &str, reads: &[Read], memory: usize) -> Result<Row, String> {
    let mut row = Row::new(name, "% of reads");
    let policies = POLICIES.iter().filter(|(store, _)| store.program().is_ok());
    let replayed: Vec<_> = std::thread::scope(|scope| {
        let all: Vec<_> = policies.map(|(store, policy)| (store, policy, scope.spawn(|| replay(*store, policy, reads, memory)))).collect();
        let join = |thread: std::thread::ScopedJoinHandle<_>| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        all.into_iter().map(|(store, policy, thread)| (format!("{} {policy}", store.name()), join(thread))).collect()
    });
    for (who, seen) in replayed {
        let (percent, keys) = seen.map_err(|error: String| format!("{who}: {error}"))?;
        row.add(&who, &[percent]);
        row.notes.push(format!("{who}: {keys} keys at the end"));
    }
    let best = row.cells.iter().filter(|cell| cell.who != MINE).map(|cell| cell.median).reduce(f64::max);
    if let (Some(mine), Some(best)) = (row.median(MINE), best) {
        row.targets.push(Target::least(&format!("{MINE} - the best of redis, points"), mine - best, -0.3, 1.0));
    }
    Ok(row)
}

/// Percent of the reads that found their key, of the later half, without scans; and the keys that were there at the end.
fn replay(store: Store, policy: &'static str, reads: &[Read], memory: usize) -> Result<(f64, String), String> {
    let running = store.start(Work { threads: 1, bound: Some((memory, policy)) }, &machine::cpus())?;
    let fault = |error: std::io::Error| format!("the replay ended early: {error}");
    let mut cache = Cache::connect(running.address).map_err(fault)?;
    let (mut hits, mut counted) = (0u32, 0u32);
    for (index, batch) in reads.chunks(BATCH).enumerate() {
        let found = cache.read(batch).map_err(fault)?;
        if index * BATCH >= reads.len() / 2 {
            let ranked = batch.iter().zip(found).filter(|(read, _)| matches!(read, Read::Ranked(_)));
            ranked.for_each(|(_, found)| {
                counted += 1;
                hits += u32::from(*found);
            });
        }
    }
    Ok((f64::from(hits) * 100.0 / f64::from(counted), ask(running.address, "DBSIZE")?))
}

/// A store as an app uses a cache.
struct Cache {
    stream: BufReader<TcpStream>,
    bytes: Vec<u8>,
    line: Vec<u8>,
    found: Vec<bool>,
}

impl Cache {
    fn connect(address: SocketAddr) -> std::io::Result<Cache> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Cache { stream: BufReader::with_capacity(64 << 10, stream), bytes: Vec::new(), line: Vec::new(), found: Vec::new() })
    }

    /// Which keys were there; those that were not are now.
    fn read(&mut self, batch: &[Read]) -> std::io::Result<&[bool]> {
        self.bytes.clear();
        for read in batch {
            let key = key(*read);
            write!(self.bytes, "*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len())?;
        }
        self.stream.get_mut().write_all(&self.bytes)?;
        self.found.clear();
        for _ in batch {
            let found = self.answer()? != b"$-1\r\n";
            self.found.push(found);
        }
        self.bytes.clear();
        let missing = batch.iter().zip(&self.found).filter(|(_, found)| !**found);
        for (read, _) in missing {
            let key = key(*read);
            write!(self.bytes, "*3\r\n$3\r\nSET\r\n${}\r\n{key}\r\n${VALUE}\r\n{:x<VALUE$}\r\n", key.len(), "")?;
        }
        self.stream.get_mut().write_all(&self.bytes)?;
        for _ in 0..self.found.iter().filter(|found| !**found).count() {
            if self.answer()? != b"+OK\r\n" {
                return Err(std::io::Error::other(format!("a wrong answer: {}", self.line.escape_ascii())));
            }
        }
        Ok(&self.found)
    }

    /// The line of an answer; a text is passed by.
    fn answer(&mut self) -> std::io::Result<&[u8]> {
        self.line.clear();
        self.stream.read_until(b'\n', &mut self.line)?;
        match self.line.first() {
            Some(b'$') if self.line != b"$-1\r\n" => {
                let mut text = [0; VALUE + 2];
                self.stream.read_exact(&mut text)?;
            }
            Some(b'+' | b'$') => {}
            _ => return Err(std::io::Error::other(format!("a wrong answer: {}", self.line.escape_ascii()))),
        }
        Ok(&self.line)
    }
}

fn key(read: Read) -> String {
    match read {
        Read::Ranked(rank) => format!("key:{rank:012}"),
        Read::Scanned(number) => format!("scan:{number:012}"),
    }
}
