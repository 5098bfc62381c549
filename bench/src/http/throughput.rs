//! CPU per request or per byte under a closed loop.

use std::time::Duration;

use super::present;
use crate::arguments::Arguments;
use crate::contender::{Contender, Work};
use crate::load::{self, Exchange, Load, Outcome, Pace};
use crate::machine::{self, Pins, Tree};
use crate::origin::{LARGE, Origin, SMALL, pattern};
use crate::report::{Row, Target, spread};

const WARM_UP: Duration = Duration::from_secs(1);
const CONNECTIONS: usize = 64;
/// Bodies of a megabyte and more fill the machine with fewer.
const FEW: usize = 8;

/// One contender's rounds.
struct Rounds {
    label: String,
    who: Contender,
    work: Work,
    pins: Pins,
    /// Where its threads may run once it is ready, when that is more than it was started with.
    widened: bool,
    outcomes: Vec<Outcome>,
    rss: Vec<f64>,
}

impl Rounds {
    fn new(who: Contender, work: Work, pins: Pins) -> Rounds {
        Rounds { label: who.name().into(), who, work, pins, widened: false, outcomes: Vec::new(), rss: Vec::new() }
    }

    /// Starts the contender fresh, loads it, keeps what came of it. Any error voids the run.
    fn round(&mut self, exchange: &Exchange, connections: usize, arguments: &Arguments) -> Result<(), String> {
        let running = self.who.start(&self.work, &self.pins.contender)?;
        let tree = running.tree();
        if self.widened {
            machine::pin_processes(&tree.0, &Pins::free().contender);
        }
        let load = Load {
            address: running.address,
            exchange: exchange.clone(),
            connections,
            pace: Pace::Closed,
            warm_up: WARM_UP,
            measured: arguments.measured,
        };
        let outcome = generate(&load, &self.pins.load, &tree)?;
        if outcome.failed() > 0 {
            return Err(format!("{}: wrong answers: {:?}", self.label, outcome.errors));
        }
        self.rss.push(tree.rss() as f64 / f64::from(1 << 20));
        self.outcomes.push(outcome);
        Ok(())
    }

    fn note(&self, row: &mut Row) {
        let of = |figure: &dyn Fn(&Outcome) -> f64| spread(&self.outcomes.iter().map(figure).collect::<Vec<_>>()).0;
        row.notes.push(format!(
            "{}: {:.0} requests/s, p50 {:.0} µs, p99 {:.0} µs, RSS {:.1} MB",
            self.label,
            of(&|outcome| outcome.requests as f64 / outcome.seconds),
            of(&|outcome| outcome.quantile(0.5)),
            of(&|outcome| outcome.quantile(0.99)),
            spread(&self.rss).0,
        ));
    }
}

/// Runs `load` on a thread tied to `cpus`.
pub fn generate(load: &Load, cpus: &[usize], tree: &Tree) -> Result<Outcome, String> {
    machine::pinned(cpus, || load::run(load, || tree.cpu()))
}

/// All rounds, interleaved, into a row of `figure`s.
fn interleave(
    row: &mut Row,
    mut all: Vec<Rounds>,
    exchange: &Exchange,
    connections: usize,
    arguments: &Arguments,
    figure: impl Fn(&Outcome) -> f64,
) -> Result<Vec<Vec<f64>>, String> {
    for _ in 0..arguments.rounds {
        for rounds in &mut all {
            rounds.round(exchange, connections, arguments)?;
        }
    }
    let figures: Vec<Vec<f64>> = all.iter().map(|rounds| rounds.outcomes.iter().map(&figure).collect()).collect();
    for (rounds, figures) in all.iter().zip(&figures) {
        row.add(&rounds.label, figures);
        rounds.note(row);
    }
    Ok(figures)
}

/// 1 KiB through a proxy, the row that the rest is judged by.
pub fn proxy(arguments: &Arguments) -> Result<Row, String> {
    let pins = Pins::apart();
    let origin = Origin::plain(&pins.load).map_err(|error| error.to_string())?;
    let mut row = Row::new("proxy 1 KiB, 64 keep-alive connections", "CPU µs/request");
    let all = present(&Contender::ALL).into_iter().map(|who| Rounds::new(who, Work::proxy(origin.addresses()), pins.clone())).collect();
    interleave(&mut row, all, &Exchange::get("/small", &SMALL), CONNECTIONS, arguments, Outcome::cpu_micros)?;
    row.bound("plimsoll", "haproxy", 1.0, 0.88);
    row.bound("plimsoll", "nginx", 0.9, 0.8);
    Ok(row)
}

/// A file of 1 KiB.
pub fn file_small(arguments: &Arguments) -> Result<Row, String> {
    file(1 << 10, "file 1 KiB, 64 keep-alive connections", 0.8, arguments)
}

/// A file of 64 KiB.
pub fn file_medium(arguments: &Arguments) -> Result<Row, String> {
    file(64 << 10, "file 64 KiB, 64 keep-alive connections", 1.0, arguments)
}

fn file(length: usize, name: &str, aim: f64, arguments: &Arguments) -> Result<Row, String> {
    let pins = Pins::apart();
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let body = pattern(length);
    std::fs::write(folder.path().join("file.bin"), &body).map_err(|error| error.to_string())?;
    let mut row = Row::new(name, "CPU µs/request");
    let both = present(&[Contender::Plimsoll, Contender::Nginx]);
    let all = both.into_iter().map(|who| Rounds::new(who, Work::files(folder.path()), pins.clone())).collect();
    interleave(&mut row, all, &Exchange::get("/file.bin", &body), CONNECTIONS, arguments, Outcome::cpu_micros)?;
    row.bound("plimsoll", "nginx", 1.0, aim);
    Ok(row)
}

/// Uploads of 1 MB.
pub fn post(arguments: &Arguments) -> Result<Row, String> {
    let sent = pattern(1 << 20);
    by_byte("post 1 MB, 8 connections", &Exchange::post("/take", &sent, &SMALL), sent.len(), arguments)
}

/// Downloads of 10 MB.
pub fn get_large(arguments: &Arguments) -> Result<Row, String> {
    by_byte("get 10 MB, 8 connections", &Exchange::get("/large", &LARGE), LARGE.len(), arguments)
}

fn by_byte(name: &str, exchange: &Exchange, bytes: usize, arguments: &Arguments) -> Result<Row, String> {
    let pins = Pins::apart();
    let origin = Origin::plain(&pins.load).map_err(|error| error.to_string())?;
    let mut row = Row::new(name, "CPU µs/MB");
    let megabytes = bytes as f64 / f64::from(1 << 20);
    let all = present(&Contender::ALL).into_iter().map(|who| Rounds::new(who, Work::proxy(origin.addresses()), pins.clone())).collect();
    interleave(&mut row, all, exchange, FEW, arguments, |outcome| outcome.cpu_micros() / megabytes)?;
    row.bound("plimsoll", "haproxy", 1.0, 0.9);
    Ok(row)
}

/// Two threads instead of one, everybody free to run on both CPUs.
pub fn loops(arguments: &Arguments) -> Result<Row, String> {
    if machine::cpus().len() < 2 {
        return Err("needs two CPUs".into());
    }
    let free = Pins::free();
    let origin = Origin::plain(&free.load).map_err(|error| error.to_string())?;
    let mut row = Row::new("loops: two instead of one, proxy 1 KiB, free", "CPU µs/request");
    let mut all = Vec::new();
    for who in present(&Contender::ALL) {
        for threads in [1, 2] {
            let work = Work { threads, ..Work::proxy(origin.addresses()) };
            // One CPU at the start makes Plimsoll take one loop.
            let contender = free.contender[..threads].to_vec();
            let pins = Pins { contender, load: free.load.clone() };
            let label = format!("{} x{threads}", who.name());
            all.push(Rounds { label, widened: true, ..Rounds::new(who, work, pins) });
        }
    }
    interleave(&mut row, all, &Exchange::get("/small", &SMALL), CONNECTIONS, arguments, Outcome::cpu_micros)?;
    row.bound("plimsoll x2", "plimsoll x1", 1.08, 1.03);
    Ok(row)
}

/// What choosing among three endpoints costs.
pub fn balance(arguments: &Arguments) -> Result<Row, String> {
    let pins = Pins::apart();
    let origin = Origin::start(&[Duration::ZERO; 3], &pins.load).map_err(|error| error.to_string())?;
    let mut row = Row::new("balance among 3 endpoints instead of 1, proxy 1 KiB", "CPU µs/request");
    let rounds = |count: usize| {
        let work = Work::proxy(origin.addresses()[..count].to_vec());
        Rounds { label: format!("plimsoll /{count}"), ..Rounds::new(Contender::Plimsoll, work, pins.clone()) }
    };
    // A difference far below what a machine wanders in a minute: many short rounds, compared pair by pair.
    let fine = Arguments { rounds: arguments.rounds * 8, measured: Duration::from_secs(1), ..arguments.clone() };
    let exchange = Exchange::get("/small", &SMALL);
    let figures = interleave(&mut row, vec![rounds(1), rounds(3)], &exchange, CONNECTIONS, &fine, Outcome::cpu_micros)?;
    let differences: Vec<f64> = figures[0].iter().zip(&figures[1]).map(|(one, three)| three - one).collect();
    let (median, _, _) = spread(&differences);
    row.targets.push(Target::most("plimsoll: 3 minus 1, median of pairs, µs", median, 0.5, 0.2));
    Ok(row)
}
