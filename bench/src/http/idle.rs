//! What an idle keep-alive connection costs in memory.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::present;
use crate::arguments::Arguments;
use crate::contender::{Contender, Work};
use crate::machine::Pins;
use crate::origin::{Origin, SMALL};
use crate::report::{Row, Target};

const CONNECTIONS: usize = 5000;
/// Answered before the first look, so that what a server takes once is not counted.
const BEFORE: usize = 64;
/// For what a server gives back a little later.
const SETTLE: Duration = Duration::from_secs(2);

/// The row.
pub fn idle(arguments: &Arguments) -> Result<Row, String> {
    let pins = Pins::apart();
    let origin = Origin::plain(&pins.load).map_err(|error| error.to_string())?;
    let mut row = Row::new("idle: 5,000 keep-alive connections after one request each", "bytes each");
    let all = present(&Contender::ALL);
    let mut figures = vec![Vec::new(); all.len()];
    for _ in 0..arguments.rounds {
        for (who, figures) in all.iter().zip(&mut figures) {
            figures.push(round(*who, &Work::proxy(origin.addresses()), &pins)?);
        }
    }
    all.iter().zip(&figures).for_each(|(who, figures)| row.add(who.name(), figures));
    if let Some(mine) = row.median("plimsoll") {
        let aim = row.median("nginx").unwrap_or(1024.0);
        row.targets.push(Target::most("plimsoll, bytes", mine, 2048.0, aim));
    }
    Ok(row)
}

fn round(who: Contender, work: &Work, pins: &Pins) -> Result<f64, String> {
    let running = who.start(work, &pins.contender)?;
    let tree = running.tree();
    let open = |count: usize| (0..count).map(|_| answered(running.address)).collect::<std::io::Result<Vec<_>>>();
    let fault = |error: std::io::Error| format!("{}: {error}", who.name());
    let first = open(BEFORE).map_err(fault)?;
    std::thread::sleep(SETTLE);
    let before = tree.rss();
    let held = open(CONNECTIONS).map_err(fault)?;
    std::thread::sleep(SETTLE);
    let after = tree.rss();
    drop((first, held));
    Ok(after.saturating_sub(before) as f64 / CONNECTIONS as f64)
}

/// A connection that had one answer and stays.
fn answered(address: std::net::SocketAddr) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"GET /small HTTP/1.1\r\nHost: bench.example\r\n\r\n")?;
    let mut answer = Vec::new();
    let mut space = [0u8; 4096];
    loop {
        let read = stream.read(&mut space)?;
        answer.extend_from_slice(&space[..read]);
        if let Some(end) = memchr::memmem::find(&answer, b"\r\n\r\n")
            && answer.len() >= end + 4 + SMALL.len()
        {
            return if answer[end + 4..] == **SMALL { Ok(stream) } else { Err(std::io::Error::other("a wrong body")) };
        }
        if read == 0 {
            return Err(std::io::Error::other("closed before its answer"));
        }
    }
}
