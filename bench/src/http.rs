//! The rows of the HTTP door.

mod abuse;
mod idle;
mod slow;
mod throughput;
mod up;

use crate::arguments::Arguments;
use crate::contender::Contender;
use crate::report::{Report, Row};

/// One row: its name on the command line and what measures it.
type Measure = fn(&Arguments, &mut Report) -> Result<Row, String>;

const ROWS: [(&str, Measure); 11] = [
    ("proxy", throughput::proxy),
    ("file 1", throughput::file_small),
    ("file 64", throughput::file_medium),
    ("post", throughput::post),
    ("get", throughput::get_large),
    ("loops", throughput::loops),
    ("balance", throughput::balance),
    ("slow", slow::slow),
    ("idle", idle::idle),
    ("abuse", abuse::abuse),
    ("up", up::up),
];

/// Runs the rows that were asked for.
pub fn run(arguments: &Arguments) -> Result<Report, String> {
    let mut report = Report::new(arguments.rounds, arguments.measured.as_secs());
    for who in Contender::ALL {
        if let Err(missing) = who.program() {
            report.missing.push(missing);
        }
    }
    for (name, measure) in ROWS.iter().filter(|(name, _)| arguments.wants(name)) {
        eprintln!("bench: {name} …");
        match measure(arguments, &mut report) {
            Ok(row) => report.rows.push(row),
            // A row that could not be made must not look like one that holds.
            Err(reason) => {
                let mut row = Row::new(name, "void");
                row.notes.push(reason);
                row.targets.push(crate::report::Target { what: "void".into(), value: f64::NAN, must: 0.0, aim: 0.0 });
                report.rows.push(row);
            }
        }
    }
    Ok(report)
}

/// Those of `wanted` that are here.
fn present(wanted: &[Contender]) -> Vec<Contender> {
    wanted.iter().copied().filter(|who| who.program().is_ok()).collect()
}
