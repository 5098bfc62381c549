//! `pgbench -S` in one mode with so many clients: CPU, throughput, latency.

use std::time::Duration;

use super::pgbench::{self, Mode, Run, Seen};
use super::pooler::Pooler;
use super::present;
use super::server::Server;
use crate::arguments::Arguments;
use crate::machine::Pins;
use crate::report::{Row, Target, ratio, spread};
use crate::running::Running;

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
const BEST: &str = "plimsoll / the best peer, median of parts";

/// Measured without a break, before it is another's turn.
const PART: Duration = Duration::from_secs(1);

/// What each had in every part of every round; none: that part of a peer's failed.
type Rounds = Vec<(Pooler, Vec<Option<Seen>>)>;

/// A row and what it was made of, in the order of the parts.
struct Figures {
    row: Row,
    parts: Vec<(Pooler, Vec<Option<f64>>)>,
}

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

    /// In each round everybody is started fresh and then measured in short turns, so that a machine which wanders by the
    /// minute wanders for all of them.
    fn rounds(self, arguments: &Arguments, server: &Server) -> Result<Rounds, String> {
        let able = present().into_iter().filter(|who| self.mode != Mode::Prepared || who.can_prepare());
        let mut all: Rounds = able.map(|who| (who, Vec::new())).collect();
        for _ in 0..arguments.rounds {
            let start = |(who, _): &(Pooler, _)| who.start(server, &Pins::apart().contender);
            let running = all.iter().map(start).collect::<Result<Vec<_>, _>>()?;
            for _ in 0..self.parts(arguments) {
                for ((who, seen), running) in all.iter_mut().zip(&running) {
                    seen.push(self.part(*who, running, arguments, server)?);
                }
            }
        }
        all.retain(|(_, seen)| seen.iter().any(Option::is_some));
        Ok(all)
    }

    /// Parts of a round; with a thousand clients, whose logins take long, it is one.
    fn parts(self, arguments: &Arguments) -> u64 {
        let seconds = arguments.measured.as_secs();
        match self.clients {
            JUDGED => seconds,
            1 | MANY => seconds.div_ceil(2),
            _ => 1,
        }
    }

    fn part(self, who: Pooler, running: &Running, arguments: &Arguments, server: &Server) -> Result<Option<Seen>, String> {
        let measured = if self.clients > MANY { arguments.measured } else { PART };
        match pgbench::run(Run { mode: self.mode, clients: self.clients, measured, cpus: &Pins::apart().load }, running, server) {
            Ok(seen) => Ok(Some(seen)),
            Err(error) if [MINE, FIRST].contains(&who.name()) => Err(format!("{}: {error}", who.name())),
            // Another peer's failure voids no comparison but its own.
            Err(error) => {
                eprintln!("bench: {}: a part of {} is left out: {error}", self.name(), who.name());
                Ok(None)
            }
        }
    }

    fn figures(self, what: &str, unit: &str, rounds: &Rounds, figure: impl Fn(&Seen) -> f64) -> Figures {
        let mut row = Row::new(&format!("{}: {what}", self.name()), unit);
        let figure = |seen: &Option<Seen>| seen.as_ref().map(&figure);
        let parts: Vec<_> = rounds.iter().map(|(who, seen)| (*who, seen.iter().map(figure).collect::<Vec<_>>())).collect();
        parts.iter().for_each(|(who, parts)| row.add(who.name(), &parts.iter().copied().flatten().collect::<Vec<_>>()));
        Figures { row, parts }
    }

    fn cpu(self, rounds: &Rounds) -> Row {
        let mut figures = self.figures("pooler", "CPU µs/query", rounds, |seen| seen.outcome.cpu_micros());
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
            rounds.iter().filter(|(who, _)| who.is_rust_peer()).for_each(|(who, _)| figures.bound(who.name(), 1.0, 1.0));
        }
        figures.row
    }

    fn machine(self, rounds: &Rounds) -> Row {
        let mut figures = self.figures("pooler and Postgres", "CPU µs/query", rounds, |seen| {
            seen.machine.as_secs_f64() * 1e6 / seen.outcome.requests.max(1) as f64
        });
        if self.mode == Mode::Extended && self.clients == JUDGED {
            figures.bound(FIRST, 0.85, 0.7);
        }
        figures.row
    }

    fn throughput(self, rounds: &Rounds) -> Row {
        let mut figures = self.figures("throughput", "queries/s", rounds, |seen| seen.outcome.requests as f64 / seen.outcome.seconds);
        if self.clients > MANY {
            return figures.row;
        }
        let first = figures.ratio(FIRST).map(|ratio| Target::least(&against(FIRST), ratio, 0.9, 0.9));
        let best = figures.ratios().reduce(f64::min).map(|ratio| Target::least(BEST, ratio, 0.0, 1.15));
        figures.row.targets.extend(first.into_iter().chain(best));
        figures.row
    }

    fn latency(self, rounds: &Rounds) -> Row {
        let mut figures = self.figures("p99", "µs", rounds, |seen| seen.outcome.quantile(0.99));
        if self.clients >= MANY {
            let best = figures.ratios().reduce(f64::max).map(|ratio| Target::most(BEST, ratio, 1.1, 0.9));
            figures.row.targets.extend(best);
        }
        figures.row
    }
}

impl Figures {
    /// Bounds the ratio to `theirs`, when they were measured.
    fn bound(&mut self, theirs: &str, must: f64, aim: f64) {
        self.row.targets.extend(self.ratio(theirs).map(|ratio| Target::most(&against(theirs), ratio, must, aim)));
    }

    /// The median of the ratios to `theirs` part by part.
    fn ratio(&self, theirs: &str) -> Option<f64> {
        let of = |name: &str| self.parts.iter().find(|(who, _)| who.name() == name).map(|(_, parts)| parts);
        let ratios: Vec<f64> = of(MINE)?.iter().zip(of(theirs)?).filter_map(|(mine, theirs)| Some(ratio((*mine)?, (*theirs)?))).collect();
        (!ratios.is_empty()).then(|| spread(&ratios).0)
    }

    /// That of every peer.
    fn ratios(&self) -> impl Iterator<Item = f64> {
        self.parts.iter().filter(|(who, _)| who.name() != MINE).filter_map(|(who, _)| self.ratio(who.name()))
    }
}

fn against(theirs: &str) -> String {
    format!("{MINE} / {theirs}, median of parts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_made_part_by_part() {
        let parts = vec![
            (Pooler::Plimsoll, vec![Some(1.0), Some(20.0), Some(3.0)]),
            (Pooler::Pgbouncer, vec![Some(2.0), Some(10.0), Some(3.0)]),
            (Pooler::Pgdog, vec![None, Some(40.0), None]),
        ];
        let mut figures = Figures { row: Row::new("", ""), parts };
        assert_eq!(figures.ratio(FIRST), Some(1.0), "of 0.5, 2 and 1");
        assert_eq!(figures.ratio("pgcat"), None);
        assert_eq!(figures.ratios().collect::<Vec<_>>(), [1.0, 0.5]);
        figures.bound(FIRST, 0.9, 0.9);
        figures.bound("pgcat", 0.9, 0.9);
        assert_eq!(figures.row.targets.iter().map(Target::verdict).collect::<Vec<_>>(), ["MISSED"]);
        assert_eq!(Cell { mode: Mode::Simple, clients: 1 }.name(), "simple 1 client");
    }
}
