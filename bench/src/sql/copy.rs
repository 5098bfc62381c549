//! COPY through the pooler with psql, out to /dev/null and in from a stream: CPU of the pooler for each GB.

use std::io::Write;
use std::process::Stdio;

use super::pooler::Pooler;
use super::present;
use super::server::{NAME, Server, client, succeed};
use crate::arguments::Arguments;
use crate::machine::{self, Pins};
use crate::report::{Row, spread};
use crate::running::Running;

/// Which way the rows go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Out,
    In,
}

/// Bytes of a row's text, as long as pgbench's accounts are.
const LENGTH: usize = 100;
const BLOCK: usize = 10_000;
const BLOCKS: usize = 256;
const GIGABYTES: f64 = (LENGTH * BLOCK * BLOCKS) as f64 / 1e9;

struct Seen {
    /// CPU seconds of the pooler for a GB.
    cost: f64,
    seconds: f64,
}

impl Direction {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        if self == Direction::Out { "copy out" } else { "copy in" }
    }

    /// The row.
    pub fn row(self, arguments: &Arguments, server: &Server) -> Result<Row, String> {
        fill(server);
        let mut row = Row::new(&format!("{}: {:.0} MB in rows of {LENGTH} bytes", self.name(), GIGABYTES * 1000.0), "CPU s/GB");
        let mut all: Vec<(Pooler, Vec<Seen>)> = present().into_iter().map(|who| (who, Vec::new())).collect();
        for _ in 0..arguments.rounds {
            for (who, seen) in &mut all {
                seen.push(self.round(*who, server).map_err(|error| format!("{}: {error}", who.name()))?);
            }
        }
        for (who, seen) in &all {
            row.add(who.name(), &seen.iter().map(|seen| seen.cost).collect::<Vec<_>>());
            let seconds = spread(&seen.iter().map(|seen| seen.seconds).collect::<Vec<_>>()).0;
            row.notes.push(format!("{}: {:.0} MB/s", who.name(), GIGABYTES * 1000.0 / seconds));
        }
        row.bound("plimsoll", "pgbouncer", 1.0, 0.7);
        Ok(row)
    }

    fn round(self, who: Pooler, server: &Server) -> Result<Seen, String> {
        let pins = Pins::apart();
        let running = who.start(server, &pins.contender)?;
        server.postgres.psql("TRUNCATE taken");
        // What a login and a new server connection cost is not asked here.
        machine::pinned(&pins.load, || psql(&running, "SELECT 1", None))?;
        let (began, before) = (std::time::Instant::now(), running.tree().run_time());
        machine::pinned(&pins.load, || match self {
            Direction::Out => psql(&running, "\\copy given to /dev/null", None),
            Direction::In => psql(&running, "\\copy taken from pstdin", Some(&block())),
        })?;
        let (cpu, seconds) = (running.tree().run_time().saturating_sub(before), began.elapsed().as_secs_f64());
        if self == Direction::In && server.postgres.psql("SELECT count(*) FROM taken") != (BLOCK * BLOCKS).to_string() {
            return Err("rows were lost".into());
        }
        Ok(Seen { cost: cpu.as_secs_f64() / GIGABYTES, seconds })
    }
}

/// `given` holds what is copied out; `taken` is empty.
fn fill(server: &Server) {
    server.postgres.psql(&format!(
        "SET ROLE {NAME}; DROP TABLE IF EXISTS given, taken; CREATE UNLOGGED TABLE taken (number text, filler text);
         CREATE UNLOGGED TABLE given AS SELECT lpad(number::text, 10, '0') AS number, repeat('x', {}) AS filler
         FROM generate_series(1, {}) AS number;
         RESET ROLE; VACUUM ANALYZE given; CHECKPOINT",
        LENGTH - 12,
        BLOCK * BLOCKS
    ));
}

/// [`BLOCK`] rows as COPY writes them.
fn block() -> Vec<u8> {
    let filler = "x".repeat(LENGTH - 12);
    (0..BLOCK).flat_map(|number| format!("{number:010}\t{filler}\n").into_bytes()).collect()
}

/// Runs one command of psql through the pooler, fed with `block` so many times as there are blocks.
fn psql(running: &Running, what: &str, block: Option<&[u8]>) -> Result<(), String> {
    let mut psql = client("psql");
    psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", &running.address.port().to_string(), "-U", NAME, "-d", NAME]);
    psql.args(["-c", what]).stdout(Stdio::null());
    let Some(block) = block else { return succeed(psql) };
    let mut child = psql.stdin(Stdio::piped()).spawn().map_err(|error| format!("psql: {error}"))?;
    let mut input = child.stdin.take().expect("it was piped");
    // A psql that gave up says why by its exit code.
    let _ = (0..BLOCKS).try_for_each(|_| input.write_all(block));
    drop(input);
    let status = child.wait().map_err(|error| format!("psql: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("psql {what}: {status}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_as_long_as_it_says() {
        let block = block();
        assert_eq!(block.len(), LENGTH * BLOCK);
        assert!(block.starts_with(b"0000000000\tx") && block.ends_with(b"x\n"));
    }
}
