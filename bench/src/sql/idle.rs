//! What an idle client costs in memory.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use testkit::Wire;
use testkit::wire::Login;

use super::pooler::Pooler;
use super::present;
use super::server::{NAME, Server};
use crate::machine::{self, Pins};
use crate::report::{Row, Target};

const CLIENTS: usize = 10_000;
/// Served before the first look, so that what a pooler takes once is not counted.
const BEFORE: usize = 64;
/// For what a pooler gives back a little later.
const SETTLE: Duration = Duration::from_secs(2);

/// The row: one round, since ten thousand logins take long and memory hardly wanders.
pub fn idle(server: &Server) -> Result<Row, String> {
    let mut row = Row::new("idle: 10,000 clients after one query each, one round", "KiB each");
    for who in present() {
        match round(who, server) {
            Ok(one) => row.add(who.name(), &[one]),
            Err(error) if who == Pooler::Plimsoll => return Err(error),
            // PgCat lets clients in by md5 only, which this one does not speak.
            Err(error) => row.notes.push(format!("{} is left out: {error}", who.name())),
        }
    }
    if let Some(mine) = row.median("plimsoll") {
        row.targets.push(Target::most("plimsoll, KiB", mine, 4.0, 2.5));
    }
    Ok(row)
}

fn round(who: Pooler, server: &Server) -> Result<f64, String> {
    let running = who.start(server, &Pins::apart().contender)?;
    let open = |count| hold(running.address, count).map_err(|error| format!("a client was refused: {error}"));
    let first = open(BEFORE)?;
    std::thread::sleep(SETTLE);
    let before = running.tree().rss();
    let held = open(CLIENTS)?;
    std::thread::sleep(SETTLE);
    let after = running.tree().rss();
    drop((first, held));
    Ok(after.saturating_sub(before) as f64 / 1024.0 / CLIENTS as f64)
}

/// Clients that are logged in, had one answer and stay. Their half of SCRAM is the long part, so that every CPU takes a share.
fn hold(address: SocketAddr, count: usize) -> io::Result<Vec<Wire>> {
    let threads = machine::cpus().len();
    let share = |index: usize| count / threads + usize::from(index < count % threads);
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|index| scope.spawn(move || (0..share(index)).map(|_| client(address)).collect())).collect();
        let mut held = Vec::with_capacity(count);
        for thread in all {
            let share: io::Result<Vec<Wire>> = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            held.extend(share?);
        }
        Ok(held)
    })
}

fn client(address: SocketAddr) -> io::Result<Wire> {
    let mut wire = Wire::connect(&address.to_string(), &Login::new(NAME, NAME))?;
    let answer = wire.query("SELECT 1")?;
    if answer.rows == [[Some("1".to_string())]] { Ok(wire) } else { Err(io::Error::other(format!("a wrong answer: {answer:?}"))) }
}
