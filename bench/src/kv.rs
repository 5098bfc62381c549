//! The rows of the KV door: single commands, two loops, latency while keys go, bytes of a key, hits of a cache.

mod cells;
mod client;
mod command;
mod fill;
mod hits;
mod loops;
mod mixed;
mod store;
mod weight;
mod zipf;

use crate::arguments::Arguments;
use crate::machine::Pins;
use crate::report::Report;
use cells::{CLIENTS, Cell, Kind};
use store::Store;

/// Commands that a client sends at once.
const BATCHES: [usize; 2] = [1, 16];

/// Runs the rows that were asked for.
pub fn run(arguments: &Arguments) -> Result<Report, String> {
    let mut report = Report::new(arguments, Store::ALL.map(|who| (who.name().to_string(), who.version())).into());
    report.missing = Store::ALL.into_iter().filter_map(|who| who.program().err()).collect();
    report.conditions += &format!(
        ", by turns of 1 s; METHOD `pin`: the store on CPU {:?}, one thread for traffic, the load on CPU {:?}; {CLIENTS} clients, TCP on 127.0.0.1",
        Pins::apart().contender,
        Pins::apart().load,
    );
    for batch in BATCHES {
        commands(&mut report, batch, arguments);
    }
    report.measure("loops", arguments, || loops::rows(arguments));
    report.measure("mixed", arguments, || mixed::rows(arguments));
    report.measure("bytes", arguments, weight::rows);
    report.measure("hits", arguments, hits::rows);
    Ok(report)
}

/// Each command, and then all together.
fn commands(report: &mut Report, batch: usize, arguments: &Arguments) {
    let mut ratios = Vec::new();
    for kind in Kind::ALL {
        let cell = Cell { kind, batch };
        report.measure(&cell.name(), arguments, || {
            let (rows, ratio) = cell.rows(arguments)?;
            ratios.extend(ratio);
            Ok(rows)
        });
    }
    report.rows.extend(cells::together(batch, &ratios));
}
