//! How many reads find their key in a cache that is too small: Zipf's law, with scans between, for each policy; and, by hand, for a
//! real Redis: `KV_REDIS=PORT cargo test -p plimsoll-kv ratio -- --ignored --nocapture`, with a `redis-server --save ''` there.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use super::super::super::random::Random;
use super::tests::{Cache, NOW};
use super::*;

/// Bytes of a value.
const VALUE: usize = 100;
/// Reads of a millisecond.
const RATE: u64 = 20;
/// Reads that are sent to a Redis at once.
const BATCH: usize = 16;

/// Who asks for what.
#[derive(Clone)]
struct Load {
    /// How likely a key is, or one before it.
    sums: Vec<f64>,
    random: Random,
    /// Reads from scan to scan, and of a scan; a scan reads what is never read again.
    scans: Option<(usize, usize)>,
    reads: usize,
    next: usize,
}

impl Load {
    fn new(keys: usize, exponent: f64, scans: Option<(usize, usize)>, reads: usize) -> Load {
        let mut sum = 0.0;
        let sums: Vec<f64> = (1..=keys)
            .map(|rank| {
                sum += (rank as f64).powf(-exponent);
                sum
            })
            .collect();
        Load { sums, random: Random::seeded(17), scans, reads, next: 0 }
    }

    fn key(&mut self, at: usize) -> String {
        if let Some((every, long)) = self.scans
            && at % every >= every - long
        {
            self.next += 1;
            return format!("scan:{:012}", self.next);
        }
        let share = (self.random.next() >> 11) as f64 / (1_u64 << 53) as f64;
        let total = self.sums.last().expect("there are keys");
        format!("key:{:012}", self.sums.partition_point(|sum| *sum < share * total))
    }

    /// Percent of the reads that found their key, of the later half; scans do not count.
    fn ratio(mut self, mut read: impl FnMut(&[String]) -> Vec<bool>) -> f64 {
        let (mut hits, mut reads) = (0, 0);
        for at in (0..self.reads).step_by(BATCH) {
            let keys: Vec<String> = (at..at + BATCH).map(|at| self.key(at)).collect();
            let found = read(&keys);
            if at >= self.reads / 2 {
                let counted = keys.iter().zip(found).filter(|(key, _)| key.starts_with('k'));
                counted.for_each(|(_, found)| {
                    hits += usize::from(found);
                    reads += 1;
                });
            }
        }
        hits as f64 * 100.0 / reads as f64
    }
}

/// Of a store of our own.
fn ours(load: &Load, memory: usize, policy: Policy) -> f64 {
    let mut cache = Cache::new(memory, policy, Among::All);
    let mut reads = 0;
    load.clone().ratio(|keys| {
        let each = |key: &String| {
            reads += 1;
            cache.now = NOW + reads / RATE;
            cache.reads(key) || {
                assert!(cache.puts(key, &[b'x'; VALUE], None));
                false
            }
        };
        keys.iter().map(each).collect()
    })
}

#[test]
fn s3fifo_finds_as_much_as_the_best_and_more_with_scans() {
    let plain = Load::new(40_000, 1.0, None, 200_000);
    let scans = Load { scans: Some((20_000, 10_000)), ..plain.clone() };
    let of = |load: &Load, policy| ours(load, 1 << 20, policy);
    let (s3fifo, lru, fifo) = (of(&plain, Policy::S3Fifo), of(&plain, Policy::Lru), of(&plain, Policy::Fifo));
    assert!(s3fifo > lru && lru > fifo, "{s3fifo:.2} {lru:.2} {fifo:.2}");
    let (s3fifo, lru) = (of(&scans, Policy::S3Fifo), of(&scans, Policy::Lru));
    assert!(s3fifo > lru + 2.0, "{s3fifo:.2} {lru:.2}");
}

#[test]
#[ignore = "takes minutes, and prints what it finds"]
fn ratios() {
    for (exponent, scans) in [(1.0, None), (0.9, None), (1.0, Some((100_000, 40_000)))] {
        let load = Load::new(400_000, exponent, scans, 2_000_000);
        for megabytes in [8, 16] {
            let memory = megabytes << 20;
            print!("zipf {exponent} {} {megabytes:2} MB:", if scans.is_some() { "scans" } else { "plain" });
            for policy in [Policy::S3Fifo, Policy::Lru, Policy::Lfu] {
                print!("  {policy:?} {:.2}", ours(&load, memory, policy));
            }
            if let Ok(port) = std::env::var("KV_REDIS") {
                for policy in ["allkeys-lru", "allkeys-lfu"] {
                    print!("  redis {policy} {:.2}", redis(&load, memory, policy, &port));
                }
            }
            println!();
        }
    }
}

/// Of a Redis that listens on `port`.
fn redis(load: &Load, memory: usize, policy: &str, port: &str) -> f64 {
    let mut wire = BufReader::new(TcpStream::connect(format!("127.0.0.1:{port}")).expect("a redis-server listens"));
    let first = format!("FLUSHALL\r\nCONFIG SET maxmemory {memory}\r\nCONFIG SET maxmemory-policy {policy}\r\n");
    wire.get_mut().write_all(first.as_bytes()).unwrap();
    (0..3).for_each(|_| assert_eq!(answer(&mut wire), "+OK"));
    load.clone().ratio(|keys| {
        let reads: String = keys.iter().map(|key| format!("GET {key}\r\n")).collect();
        wire.get_mut().write_all(reads.as_bytes()).unwrap();
        let found: Vec<bool> = keys.iter().map(|_| answer(&mut wire) != "$-1").collect();
        let missing: Vec<&String> = keys.iter().zip(&found).filter(|(_, found)| !**found).map(|(key, _)| key).collect();
        let writes: String = missing.iter().map(|key| format!("SET {key} {}\r\n", "x".repeat(VALUE))).collect();
        wire.get_mut().write_all(writes.as_bytes()).unwrap();
        missing.iter().for_each(|_| assert_eq!(answer(&mut wire), "+OK"));
        found
    })
}

/// The line of an answer; its text is passed by.
fn answer(wire: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    wire.read_line(&mut line).unwrap();
    let line = line.trim_end().to_string();
    if let Some(length) = line.strip_prefix('$').and_then(|length| length.parse::<usize>().ok()) {
        wire.read_exact(&mut vec![0; length + 2]).unwrap();
    }
    line
}
