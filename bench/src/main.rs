//! Plimsoll beside its peers on one machine, as ratios of one run (see docs/bench.md).
//!
//! `cargo run --release -p bench -- http` runs every row of one door; doors join as modules beside `http`.

mod arguments;
mod contender;
mod http;
mod kv;
mod load;
mod machine;
mod origin;
mod random;
mod report;
mod running;
mod sql;
mod turns;

use std::process::ExitCode;

use arguments::Arguments;
use report::Report;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::from(64);
        }
    };
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the rows of the door that was asked for; false when a "must" was missed.
fn run(arguments: &Arguments) -> Result<bool, String> {
    machine::raise_descriptors();
    let report = match arguments.door.as_str() {
        "http" => http::run(arguments)?,
        "kv" => kv::run(arguments)?,
        "sql" => sql::run(arguments)?,
        other => return Err(format!("no door `{other}` to measure yet; there are: http, kv, sql")),
    };
    finish(&report, arguments)
}

fn finish(report: &Report, arguments: &Arguments) -> Result<bool, String> {
    println!("{}", report.markdown());
    if !arguments.dry {
        report.write(&arguments.door, arguments.only.is_none()).map_err(|error| format!("results could not be written: {error}"))?;
    }
    Ok(report.holds())
}
