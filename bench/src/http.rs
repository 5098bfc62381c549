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
type Measure = fn(&Arguments) -> Result<Row, String>;

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
    let mut report = Report::new(arguments, Contender::ALL.map(|who| (who.name().to_string(), who.version())).into());
    report.missing = Contender::ALL.into_iter().filter_map(|who| who.program().err()).collect();
    for (name, measure) in ROWS {
        report.measure(name, arguments, || measure(arguments).map(|row| vec![row]));
    }
    Ok(report)
}

/// Those of `wanted` that are here.
fn present(wanted: &[Contender]) -> Vec<Contender> {
    wanted.iter().copied().filter(|who| who.program().is_ok()).collect()
}
