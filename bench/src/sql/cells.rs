//! `pgbench -S` in one mode with so many clients: CPU, throughput, latency.

use std::time::Duration;

use super::pgbench::{self, Mode, Run, Seen};
use super::pooler::Pooler;
use super::present;
use super::server::Server;
use crate::arguments::Arguments;
use crate::machine::Pins;
use crate::report::{Row, Target, ratio};

/// One cell of the table.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    pub mode: Mode,
    pub clients: usize,
}

/// The clients that the CPU's bounds are for.
const JUDGED: usize = 16;
/// From here on latency has a bound.
const MANY: usize = 64;
const MINE: &str = "plimsoll";
const FIRST: &str = "pgbouncer";

type Rounds = Vec<(Pooler, Vec<Seen>)>;

impl Cell {
    /// Its name on the command line.
    pub fn name(self) -> String {
        let plural = if self.clients == 1 { "" } else { "s" };
        format!("{} {} client{plural}", self.mode.name(), self.clients)
    }

    /// Its rows: CPU of the pooler, of the machine, throughput, latency.
    pub fn rows(self, arguments: &Arguments, server: &Server) -> Result<Vec<Row>, String> {
        let rounds = self.rounds(arguments, server)?;
        let mut rows = vec![self.cpu(&rounds), self.machine(&rounds), self.throughput(&rounds)];
        rows.push(self.latency(&rounds));
        Ok(rows)
    }

    fn rounds(self, arguments: &Arguments, server: &Server) -> Result<Rounds, String> {
        let able = present().into_iter().filter(|who| self.mode != Mode::Prepared || who.can_prepare());
        let mut all: Rounds = able.map(|who| (who, Vec::new())).collect();
        for _ in 0..arguments.rounds {
            for (who, seen) in &mut all {
                match self.round(*who, arguments, server) {
                    Ok(one) => seen.push(one),
                    Err(error) if [MINE, FIRST].contains(&who.name()) => return Err(format!("{}: {error}", who.name())),
                    // Another peer's failure voids no comparison but its own.
                    Err(error) => eprintln!("bench: {}: a round of {} is left out: {error}", self.name(), who.name()),
                }
            }
        }
        all.retain(|(_, seen)| !seen.is_empty());
        Ok(all)
    }

    fn round(self, who: Pooler, arguments: &Arguments, server: &Server) -> Result<Seen, String> {
        let pins = Pins::apart();
        let running = who.start(server, &pins.contender)?;
        let measured = match self.clients {
            1 | MANY => arguments.measured.div_f64(2.0).max(Duration::from_secs(1)),
            _ => arguments.measured,
        };
        pgbench::run(Run { mode: self.mode, clients: self.clients, measured, cpus: &pins.load }, &running, server)
    }

    fn row(self, what: &str, unit: &str, rounds: &Rounds, figure: impl Fn(&Seen) -> f64) -> Row {
        let mut row = Row::new(&format!("{}: {what}", self.name()), unit);
        for (who, seen) in rounds {
            row.add(who.name(), &seen.iter().map(&figure).collect::<Vec<_>>());
        }
        row
    }

    fn cpu(self, rounds: &Rounds) -> Row {
        let mut row = self.row("pooler", "CPU µs/query", rounds, |seen| seen.outcome.cpu_micros());
        if self.clients > MANY {
            return row;
        }
        let (must, aim) = match (self.clients == JUDGED, self.mode) {
            (true, Mode::Simple) => (1.1, 1.0),
            (true, Mode::Extended) => (1.05, 0.95),
            (true, Mode::Prepared) => (0.95, 0.85),
            (false, _) => (1.3, 1.0),
        };
        row.bound(MINE, FIRST, must, aim);
        if self.clients == JUDGED {
            rounds.iter().filter(|(who, _)| who.is_rust_peer()).for_each(|(who, _)| row.bound(MINE, who.name(), 1.0, 1.0));
        }
        row
    }

    fn machine(self, rounds: &Rounds) -> Row {
        let mut row = self.row("pooler and Postgres", "CPU µs/query", rounds, |seen| {
            seen.machine.as_secs_f64() * 1e6 / seen.outcome.requests.max(1) as f64
        });
        if self.mode == Mode::Extended && self.clients == JUDGED {
            row.bound(MINE, FIRST, 0.85, 0.7);
        }
        row
    }

    fn throughput(self, rounds: &Rounds) -> Row {
        let mut row = self.row("throughput", "queries/s", rounds, |seen| seen.outcome.requests as f64 / seen.outcome.seconds);
        if self.clients > MANY {
            return row;
        }
        if let (Some(mine), Some(theirs)) = (row.median(MINE), row.median(FIRST)) {
            row.targets.push(Target::least("plimsoll / pgbouncer", ratio(mine, theirs), 0.9, 0.9));
        }
        if let (Some(mine), Some(best)) = (row.median(MINE), best(&row, f64::max)) {
            row.targets.push(Target::least("plimsoll / the best peer", ratio(mine, best), 0.0, 1.15));
        }
        row
    }

    fn latency(self, rounds: &Rounds) -> Row {
        let mut row = self.row("p99", "µs", rounds, |seen| seen.outcome.quantile(0.99));
        if self.clients >= MANY
            && let (Some(mine), Some(best)) = (row.median(MINE), best(&row, f64::min))
        {
            row.targets.push(Target::most("plimsoll / the best peer", ratio(mine, best), 1.1, 0.9));
        }
        row
    }
}

/// The peers' best median.
fn best(row: &Row, better: fn(f64, f64) -> f64) -> Option<f64> {
    row.cells.iter().filter(|cell| cell.who != MINE).map(|cell| cell.median).reduce(better)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_peer_is_none_of_us() {
        let mut row = Row::new("", "");
        assert_eq!(best(&row, f64::max), None);
        [(MINE, 9.0), (FIRST, 5.0), ("pgdog", 7.0)].iter().for_each(|(who, figure)| row.add(who, &[*figure]));
        assert_eq!((best(&row, f64::max), best(&row, f64::min)), (Some(7.0), Some(5.0)));
        assert_eq!(Cell { mode: Mode::Simple, clients: 1 }.name(), "simple 1 client");
    }
}
