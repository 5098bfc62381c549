//! The rows of the SQL door: `pgbench -S`, idle clients and COPY through each pooler to one Postgres, and the embedded server's start.

mod cells;
mod copy;
mod embedded;
mod idle;
mod pgbench;
mod pooler;
mod server;

use crate::arguments::Arguments;
use crate::machine::Pins;
use crate::report::{Report, Row};
use cells::Cell;
use copy::Direction;
use pgbench::Mode;
use pooler::Pooler;
use server::Server;

/// What one name on the command line measures.
enum Measure {
    Cell(Cell),
    Copy(Direction),
    Idle,
    Embedded,
}

const CLIENTS: [usize; 3] = [1, 16, 64];

/// Runs the rows that were asked for.
pub fn run(arguments: &Arguments) -> Result<Report, String> {
    let mut report = Report::new(arguments, Pooler::ALL.map(|who| (who.name().to_string(), who.version())).into());
    report.missing = Pooler::ALL.into_iter().filter_map(|who| who.program().err()).collect();
    report.missing.extend(Pooler::ALL.into_iter().filter(|who| who.program().is_ok()).filter_map(Pooler::lacks));
    let server = Server::start(&Pins::apart().load)?;
    report.versions.insert("postgres".into(), server.version());
    report.conditions += &format!(
        " (cells of 1 and 64 clients: half that time), by turns of 1 s (1,000 clients log in once and stand still between theirs); METHOD `pin`: the pooler on CPU {:?}, pgbench and Postgres on CPU {:?}; \
         pgbench -S at scale {}, {} server connections, TCP on 127.0.0.1 and SCRAM on both sides, transaction pooling, fsync off",
        Pins::apart().contender,
        Pins::apart().load,
        server::SCALE,
        pooler::CONNECTIONS,
    );
    for (name, what) in measures() {
        report.measure(&name, arguments, || what.rows(arguments, &server));
    }
    Ok(report)
}

fn measures() -> Vec<(String, Measure)> {
    let cells = Mode::ALL.into_iter().flat_map(|mode| CLIENTS.map(|clients| Cell { mode, clients }));
    let thousand = Cell { mode: Mode::Simple, clients: 1000 };
    let mut all: Vec<_> = cells.chain([thousand]).map(|cell| (cell.name(), Measure::Cell(cell))).collect();
    all.push(("idle".into(), Measure::Idle));
    all.extend([Direction::Out, Direction::In].map(|way| (way.name().to_string(), Measure::Copy(way))));
    all.push(("embedded".into(), Measure::Embedded));
    all
}

impl Measure {
    fn rows(&self, arguments: &Arguments, server: &Server) -> Result<Vec<Row>, String> {
        match self {
            Measure::Cell(cell) => cell.rows(arguments, server),
            Measure::Copy(way) => way.row(arguments, server).map(|row| vec![row]),
            Measure::Idle => idle::idle(server).map(|row| vec![row]),
            Measure::Embedded => embedded::rows(arguments),
        }
    }
}

/// Those that are here.
fn present() -> Vec<Pooler> {
    Pooler::ALL.into_iter().filter(|who| who.program().is_ok()).collect()
}
