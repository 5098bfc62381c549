//! Slow clients at once: what ordinary traffic notices, and what they cost.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::present;
use super::throughput::generate;
use crate::arguments::Arguments;
use crate::contender::{Contender, Work};
use crate::load::{Exchange, Load, Outcome, Pace};
use crate::machine::{self, Pins};
use crate::origin::{Origin, SMALL};
use crate::report::{Row, Target, spread};

const SLOW_HEADS: usize = 2000;
const SLOW_BODIES: usize = 500;
/// Between two bytes of a slow client.
const PAUSE: Duration = Duration::from_secs(1);
const RATE: f64 = 1000.0;
const MEASURED: Duration = Duration::from_secs(15);

struct Seen {
    quiet: f64,
    loud: f64,
    errors: f64,
    megabytes: f64,
}

/// The row.
pub fn abuse(arguments: &Arguments) -> Result<Row, String> {
    let mut row = Row::new("abuse: 2,000 slow heads and 500 slow bodies, 1,000/s open loop", "p99 over quiet p99");
    let all = present(&Contender::ALL);
    let mut seen: Vec<Vec<Seen>> = all.iter().map(|_| Vec::new()).collect();
    for _ in 0..arguments.rounds {
        for (who, seen) in all.iter().zip(&mut seen) {
            seen.push(round(*who)?);
        }
    }
    for (who, seen) in all.iter().zip(&seen) {
        let of = |figure: &dyn Fn(&Seen) -> f64| spread(&seen.iter().map(figure).collect::<Vec<_>>());
        row.add(who.name(), &seen.iter().map(|seen| seen.loud / seen.quiet.max(1.0)).collect::<Vec<_>>());
        let errors = of(&|seen| seen.errors).2;
        row.notes.push(format!(
            "{}: quiet p99 {:.0} µs, with slow clients {:.0} µs, wrong answers {errors:.0}, memory grew by {:.1} MB",
            who.name(),
            of(&|seen| seen.quiet).0,
            of(&|seen| seen.loud).0,
            of(&|seen| seen.megabytes).0
        ));
        if *who == Contender::Plimsoll {
            row.targets.push(Target::most("p99 over quiet p99", of(&|seen| seen.loud / seen.quiet.max(1.0)).0, 5.0, 2.0));
            row.targets.push(Target::most("wrong answers", errors, 0.0, 0.0));
            row.targets.push(Target::most("memory growth, MB", of(&|seen| seen.megabytes).2, 64.0, 16.0));
        }
    }
    Ok(row)
}

fn round(who: Contender) -> Result<Seen, String> {
    let pins = Pins::apart();
    let origin = Origin::plain(&pins.load).map_err(|error| error.to_string())?;
    let running = who.start(&Work::proxy(origin.addresses()), &pins.contender)?;
    let tree = running.tree();
    let mut load = Load {
        address: running.address,
        exchange: Exchange::get("/small", &SMALL),
        connections: 16,
        pace: Pace::Open(RATE),
        warm_up: Duration::from_secs(1),
        measured: Duration::from_secs(4),
    };
    let quiet = generate(&load, &pins.load, &tree)?;
    let before = tree.rss();
    let stop = AtomicBool::new(false);
    load.measured = MEASURED;
    let (loud, after): (Result<Outcome, String>, u64) = std::thread::scope(|scope| {
        let abuser = scope.spawn(|| {
            machine::pin(&pins.load);
            be_slow(load.address, &stop)
        });
        let loud = generate(&load, &pins.load, &tree);
        let after = tree.rss();
        stop.store(true, Ordering::Relaxed);
        let opened = abuser.join().unwrap_or(0);
        let all = SLOW_HEADS + SLOW_BODIES;
        (if opened < all { Err(format!("only {opened} of {all} slow clients came in")) } else { loud }, after)
    });
    let loud = loud?;
    Ok(Seen {
        quiet: quiet.quantile(0.99),
        loud: loud.quantile(0.99),
        errors: (quiet.failed() + loud.failed()) as f64,
        megabytes: after.saturating_sub(before) as f64 / f64::from(1 << 20),
    })
}

/// Opens all slow clients, sends a byte of each in every [`PAUSE`], opens again what was closed. Returns how many were opened.
fn be_slow(address: SocketAddr, stop: &AtomicBool) -> usize {
    let mut clients: Vec<Option<TcpStream>> = (0..SLOW_HEADS + SLOW_BODIES).map(|_| None).collect();
    let mut opened = 0;
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        for (index, client) in clients.iter_mut().enumerate() {
            let sent = client.as_mut().is_some_and(|stream| stream.write(b"x").is_ok());
            if !sent {
                *client = open(address, index >= SLOW_HEADS).ok();
                opened += usize::from(client.is_some());
            }
            // A thousand at one moment would be a flood, not slowness.
            if index % 25 == 24 {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        std::thread::sleep(PAUSE.saturating_sub(began.elapsed()));
    }
    opened
}

fn open(address: SocketAddr, with_body: bool) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nonblocking(true)?;
    let start: &[u8] = match with_body {
        true => b"POST /take HTTP/1.1\r\nHost: bench.example\r\nContent-Length: 1000000\r\n\r\nx",
        false => b"GET /small HTTP/1.1\r\nHost: bench.example\r\nX-Slow: ",
    };
    stream.write_all(start)?;
    Ok(stream)
}
