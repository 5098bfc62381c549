//! `pgbench -S` in one mode with so many clients: CPU, throughput, latency.

use std::time::Duration;

use super::pgbench::{self, Held, Mode, Run, Seen};
use super::pooler::Pooler;
use super::present;
use super::server::Server;
use crate::arguments::Arguments;
use crate::machine::Pins;
use crate::report::{Row, Target};
use crate::running::Running;
use crate::turns::{Figures, MINE, PART, Turns, against};

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
const FIRST: &str = "pgbouncer";
/// A round of a thousand clients has so many turns for each second that was asked for: their latency wanders most.
const TURNS: u64 = 5;
/// The longest that all turns of a round take.
const ROUND: Duration = Duration::from_secs(1800);
const BEST: &str = "plimsoll / the best peer, median of parts";

/// A pooler in a round.
struct Ready {
    /// The clients that log in once, or why they did not; `None`: not yet, or they log in for every turn.
    held: Option<Result<Held, String>>,
    running: Running,
}

impl Cell {
    /// Its name on the command line.
    pub fn name(self) -> String {
        let plural = if self.clients == 1 { "" } else { "s" };
        format!("{} {} client{plural}", self.mode.name(), self.clients)
    }

    /// Its rows: CPU of the pooler, of the machine, throughput, latency.
    pub fn rows(self, arguments: &Arguments, server: &Server) -> Result<Vec<Row>, String> {
        let able = present().into_iter().filter(|who| self.mode != Mode::Prepared || who.can_prepare());
        let all: Vec<_> = able.map(|who| (who.name().to_string(), who)).collect();
        let start = |who: &Pooler| Ok(Ready { held: None, running: who.start(server, &Pins::apart().contender)? });
        let part = |who: &Pooler, ready: &mut Ready| self.allow(*who, self.part(ready, server));
        let turns = Turns::take(&all, (arguments.rounds, self.parts(arguments)), start, part)?;
        Ok(vec![self.cpu(&turns), self.machine(&turns), self.throughput(&turns), self.latency(&turns)])
    }

    /// Parts of a round.
    fn parts(self, arguments: &Arguments) -> u64 {
        let seconds = arguments.measured.as_secs();
        match self.clients {
            JUDGED => seconds,
            1 | MANY => seconds.div_ceil(2),
            _ => seconds * TURNS,
        }
    }

    fn part(self, Ready { held, running }: &mut Ready, server: &Server) -> Result<Seen, String> {
        let cpus = Pins::apart().load;
        let run = Run { mode: self.mode, clients: self.clients, measured: PART, cpus: &cpus };
        if self.clients <= MANY {
            return pgbench::run(run, running, server);
        }
        match held.get_or_insert_with(|| Held::start(Run { measured: ROUND, ..run }, running)) {
            Ok(held) => held.turn(PART, running, server),
            Err(error) => Err(error.clone()),
        }
    }

    /// Another peer's failure voids no comparison but its own.
    fn allow(self, who: Pooler, result: Result<Seen, String>) -> Result<Option<Seen>, String> {
        match result {
            Ok(seen) => Ok(Some(seen)),
            Err(error) if [MINE, FIRST].contains(&who.name()) => Err(error),
            Err(error) => {
                eprintln!("bench: {}: a part of {} is left out: {error}", self.name(), who.name());
                Ok(None)
            }
        }
    }

    fn figures(self, what: &str, unit: &str, turns: &Turns<Seen>, figure: impl Fn(&Seen) -> f64) -> Figures {
        turns.figures(Row::new(&format!("{}: {what}", self.name()), unit), figure)
    }

    fn cpu(self, turns: &Turns<Seen>) -> Row {
        let mut figures = self.figures("pooler", "CPU µs/query", turns, |seen| seen.outcome.cpu_micros());
        if self.clients > MANY {
            return figures.row;
        }
        let (must, aim) = match (self.clients == JUDGED, self.mode) {
            (true, Mode::Simple) => (1.1, 1.0),
            (true, Mode::Extended) => (1.05, 0.95),
            (true, Mode::Prepared) => (0.95, 0.85),
            (false, _) => (1.3, 1.0),
        };
        figures.bound(FIRST, must, aim);
        if self.clients == JUDGED {
            Pooler::ALL.iter().filter(|who| who.is_rust_peer()).for_each(|who| figures.bound(who.name(), 1.0, 1.0));
        }
        figures.row
    }

    fn machine(self, turns: &Turns<Seen>) -> Row {
        let mut figures = self.figures("pooler and Postgres", "CPU µs/query", turns, |seen| {
            seen.machine.as_secs_f64() * 1e6 / seen.outcome.requests.max(1) as f64
        });
        if self.mode == Mode::Extended && self.clients == JUDGED {
            figures.bound(FIRST, 0.85, 0.7);
        }
        figures.row
    }

    fn throughput(self, turns: &Turns<Seen>) -> Row {
        let mut figures = self.figures("throughput", "queries/s", turns, |seen| seen.outcome.requests as f64 / seen.outcome.seconds);
        if self.clients > MANY {
            return figures.row;
        }
        let first = figures.ratio(MINE, FIRST).map(|ratio| Target::least(&against(FIRST), ratio, 0.9, 0.9));
        let best = figures.ratios().reduce(f64::min).map(|ratio| Target::least(BEST, ratio, 0.0, 1.15));
        figures.row.targets.extend(first.into_iter().chain(best));
        figures.row
    }

    fn latency(self, turns: &Turns<Seen>) -> Row {
        let mut figures = self.figures("p99", "µs", turns, |seen| seen.outcome.quantile(0.99));
        if self.clients >= MANY {
            let best = figures.ratios().reduce(f64::max).map(|ratio| Target::most(BEST, ratio, 1.1, 0.9));
            figures.row.targets.extend(best);
        }
        figures.row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_is_one() {
        assert_eq!(Cell { mode: Mode::Simple, clients: 1 }.name(), "simple 1 client");
        assert_eq!(Cell { mode: Mode::Prepared, clients: 16 }.name(), "prepared 16 clients");
    }
}
