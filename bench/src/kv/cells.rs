//! One command from 50 clients, alone or in batches: CPU of the server and requests a second, by turns.

use std::time::Duration;

use super::client::{Connection, Script};
use super::command::{Answer, Command, Word, one_of};
use super::fill::fill;
use super::store::{Store, Work, ask, present};
use crate::arguments::Arguments;
use crate::load::{self, Load, Outcome, Pace};
use crate::machine::{self, Pins};
use crate::report::{Row, Target, spread};
use crate::running::Running;
use crate::turns::{Figures, MINE, PART, Turns, against};

/// What is measured, as redis-benchmark writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Get,
    Set,
    Incr,
    Lpush,
    Hset,
    Zadd,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    pub kind: Kind,
    /// Commands that a client sends at once.
    pub batch: usize,
}

/// Clients of every cell.
pub const CLIENTS: usize = 50;
/// Keys, fields and members that commands choose among.
const KEYS: u64 = 100_000;
const VALUE: &str = "xxx";
const LIST: &str = "mylist";
const WARM_UP: Duration = Duration::from_millis(200);
/// The peer that the bounds are for.
pub const FIRST: &str = "redis";

impl Kind {
    pub const ALL: [Kind; 6] = [Kind::Get, Kind::Set, Kind::Incr, Kind::Lpush, Kind::Hset, Kind::Zadd];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Get => "get",
            Kind::Set => "set",
            Kind::Incr => "incr",
            Kind::Lpush => "lpush",
            Kind::Hset => "hset",
            Kind::Zadd => "zadd",
        }
    }

    /// As `store` is asked it; `None`: it has no such command.
    fn command(self, store: Store) -> Option<Command> {
        if !store.speaks_resp() {
            return self.memcached();
        }
        let (key, element, text) = (one_of("key:", KEYS), one_of("element:", KEYS), Word::Text);
        let old = || Answer::Exactly(b":0\r\n".to_vec());
        Some(match self {
            Kind::Get => Command::resp(&[text("GET"), key], Answer::Exactly(Answer::text(VALUE))),
            Kind::Set => Command::resp(&[text("SET"), key, text(VALUE)], Answer::Exactly(b"+OK\r\n".to_vec())),
            Kind::Incr => Command::resp(&[text("INCR"), one_of("counter:", KEYS)], Answer::Number),
            Kind::Lpush => Command::resp(&[text("LPUSH"), text(LIST), text(VALUE)], Answer::Number),
            Kind::Hset => Command::resp(&[text("HSET"), text("myhash"), element, text(VALUE)], old()),
            Kind::Zadd => Command::resp(&[text("ZADD"), text("myzset"), one_of("", KEYS), element], old()),
        })
    }

    fn memcached(self) -> Option<Command> {
        let (key, text) = (one_of("key:", KEYS), Word::Text);
        let head = b"VALUE key:".to_vec();
        let tail = format!(" 0 {}\r\n{VALUE}\r\nEND\r\n", VALUE.len()).into_bytes();
        let length = head.len() + 12 + tail.len();
        let stored = Answer::Exactly(b"STORED\r\n".to_vec());
        match self {
            Kind::Get => Some(Command::plain(&[text("get "), key, text("\r\n")], Answer::Framed { head, length, tail })),
            Kind::Set => {
                let rest = format!(" 0 0 {}\r\n{VALUE}\r\n", VALUE.len());
                Some(Command::plain(&[text("set "), key, text(&rest)], stored))
            }
            _ => None,
        }
    }

    /// What is there before: everything that a command may meet, so that the first turn is as the last.
    fn prepare(self, store: Store, running: &Running) -> Result<(), String> {
        let kind = if self == Kind::Get { Kind::Set } else { self };
        match kind.command(store) {
            Some(command) if self != Kind::Lpush => fill(running.address, &command, KEYS),
            _ => Ok(()),
        }
    }
}

impl Cell {
    /// Its name on the command line.
    pub fn name(self) -> String {
        format!("P={} {}", self.batch, self.kind.name())
    }

    /// Its rows, and the ratio of requests a second to the first peer's.
    pub fn rows(self, arguments: &Arguments) -> Result<(Vec<Row>, Option<f64>), String> {
        let able = present().filter(|store| self.kind.command(*store).is_some());
        let all: Vec<_> = able.map(|store| (store.name().to_string(), store)).collect();
        let turns = self.turns(&all, arguments, |store| {
            let running = store.start(Work { threads: 1, bound: None }, &Pins::apart().contender)?;
            Ok((*store, running, Pins::apart().load))
        })?;
        let throughput = self.throughput(&turns);
        let ratio = throughput.ratio(MINE, FIRST);
        Ok((vec![self.cpu(&turns).row, throughput.row], ratio))
    }

    /// Turns of all that `start` starts: which store it is, and the CPUs for the load.
    pub fn turns<W>(
        self,
        all: &[(String, W)],
        arguments: &Arguments,
        start: impl Fn(&W) -> Result<(Store, Running, Vec<usize>), String>,
    ) -> Result<Turns<Outcome>, String> {
        let start = |who: &W| {
            let started = start(who)?;
            self.kind.prepare(started.0, &started.1)?;
            Ok(started)
        };
        let part = |_: &W, (store, running, cpus): &mut (Store, Running, Vec<usize>)| self.part(*store, running, cpus).map(Some);
        Turns::take(all, (arguments.rounds, arguments.measured.as_secs()), start, part)
    }

    fn part(self, store: Store, running: &Running, cpus: &[usize]) -> Result<Outcome, String> {
        if self.kind == Kind::Lpush {
            ask(running.address, &format!("DEL {LIST}"))?;
        }
        let command = self.kind.command(store).ok_or("it has no such command")?;
        generate(running, Script::of(command, self.batch), Pace::Closed, cpus)
    }

    /// CPU of the server, with a bound for the first peer.
    pub fn cpu(self, turns: &Turns<Outcome>) -> Figures {
        let row = Row::new(&format!("{}: server", self.name()), "CPU µs/op");
        let mut figures = turns.figures(row, Outcome::cpu_micros);
        let (must, aim) = if self.batch == 1 { (1.0, 0.9) } else { (0.9, 0.7) };
        figures.bound(FIRST, must, aim);
        figures
    }

    fn throughput(self, turns: &Turns<Outcome>) -> Figures {
        let row = Row::new(&format!("{}: throughput", self.name()), "requests/s");
        let mut figures = turns.figures(row, rate);
        // Each command may stay behind all of them, but not below 0.8 of their bounds.
        let (must, aim) = if self.batch == 1 { (0.72, 0.88) } else { (0.96, 1.28) };
        figures.row.targets.extend(figures.ratio(MINE, FIRST).map(|ratio| Target::least(&against(FIRST), ratio, must, aim)));
        figures.row.notes.extend(turns.each().map(|(who, seen)| note(who, seen)));
        figures
    }
}

/// What is told of `who` below the table.
pub fn note<'a>(who: &str, seen: impl Iterator<Item = &'a Outcome>) -> String {
    let seen: Vec<_> = seen.collect();
    let of = |figure: &dyn Fn(&Outcome) -> f64| spread(&seen.iter().map(|seen| figure(seen)).collect::<Vec<_>>()).0;
    format!(
        "{who}: {:.0} requests/s, a batch's p50 {:.0} µs, p99 {:.0} µs; the generator took {:.2} µs/op",
        of(&rate),
        of(&|seen| seen.quantile(0.5)),
        of(&|seen| seen.quantile(0.99)),
        of(&Outcome::generator_micros),
    )
}

fn rate(seen: &Outcome) -> f64 {
    seen.requests as f64 / seen.seconds
}

/// All commands together: the geometric mean of their ratios, once there is one of each.
pub fn together(batch: usize, ratios: &[f64]) -> Option<Row> {
    let mut row = Row::new(&format!("P={batch} all: throughput"), "requests/s");
    let (must, aim) = if batch == 1 { (0.9, 1.1) } else { (1.2, 1.6) };
    let what = format!("{MINE} / {FIRST}, geometric mean of the commands");
    row.targets.push(Target::least(&what, geometric_mean(ratios), must, aim));
    (ratios.len() == Kind::ALL.len()).then_some(row)
}

fn geometric_mean(figures: &[f64]) -> f64 {
    (figures.iter().map(|figure| figure.ln()).sum::<f64>() / figures.len() as f64).exp()
}

/// Lets `script` run for a part against the server, from threads tied to `cpus`; one wrong answer voids it.
pub fn generate(running: &Running, script: Script, pace: Pace, cpus: &[usize]) -> Result<Outcome, String> {
    let tree = running.tree();
    let load =
        Load::<Connection> { address: running.address, exchange: script, connections: CLIENTS, pace, warm_up: WARM_UP, measured: PART };
    let outcome = machine::pinned(cpus, || load::run(&load, || tree.run_time()))?;
    if outcome.failed() > 0 || outcome.requests == 0 {
        return Err(format!("wrong answers or none: {:?}", outcome.errors));
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_ratios_is_geometric_and_needs_all_commands() {
        assert!((geometric_mean(&[0.5, 2.0]) - 1.0).abs() < 1e-12);
        assert!(together(1, &[1.0; 5]).is_none());
        let all = together(16, &[1.2; 6]).unwrap();
        assert!(all.targets.iter().all(|target| (target.value - 1.2).abs() < 1e-9 && target.must == 1.2 && target.aim == 1.6));
    }

    #[test]
    fn every_store_has_get_and_set_and_only_those_of_redis_the_rest() {
        for kind in Kind::ALL {
            assert!(kind.command(Store::Redis).is_some());
            assert_eq!(kind.command(Store::Memcached).is_some(), [Kind::Get, Kind::Set].contains(&kind));
        }
        let answer = Kind::Get.command(Store::Memcached).unwrap().answer;
        let right = b"VALUE key:000000000007 0 3\r\nxxx\r\nEND\r\n";
        assert_eq!(answer.take(right), super::super::command::Taken::Whole(right.len()));
    }
}
