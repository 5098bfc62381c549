//! One of three endpoints ten times slower, one that hangs: an open loop's p99.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::present;
use super::throughput::generate;
use crate::arguments::Arguments;
use crate::contender::{Contender, Policy, Work};
use crate::load::{Exchange, Load, Outcome, Pace};
use crate::machine::Pins;
use crate::origin::{Origin, SMALL};
use crate::report::{Row, Target, spread};

/// The third endpoint answers as the first until it hangs.
const DELAYS: [Duration; 3] = [Duration::from_millis(2), Duration::from_millis(20), Duration::from_millis(2)];
const HANGS_AFTER: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(12);
/// Well below what the two good endpoints can do, so that only the choice counts.
const RATE: f64 = 400.0;

struct Seen {
    p99: f64,
    left_after: f64,
    errors: f64,
}

/// The row.
pub fn slow(arguments: &Arguments) -> Result<Row, String> {
    let mut row = Row::new("slow: one of three 10x slower, one hangs after 2 s, 400/s open loop", "p99 ms");
    let mut all: Vec<(String, Contender, Policy, Vec<Seen>)> = Vec::new();
    for who in present(&Contender::ALL) {
        let policies: &[Policy] =
            if who == Contender::Plimsoll { &[Policy::LeastConnections] } else { &[Policy::LeastConnections, Policy::RoundRobin] };
        for policy in policies {
            let label = if who == Contender::Plimsoll { who.name().to_string() } else { format!("{} {policy:?}", who.name()) };
            all.push((label, who, *policy, Vec::new()));
        }
    }
    for _ in 0..arguments.rounds {
        for (_, who, policy, seen) in &mut all {
            seen.push(round(*who, *policy)?);
        }
    }
    for (label, who, _, seen) in &all {
        let of = |figure: &dyn Fn(&Seen) -> f64| seen.iter().map(figure).collect::<Vec<_>>();
        row.add(label, &of(&|seen| seen.p99));
        let left = spread(&of(&|seen| seen.left_after));
        row.notes.push(format!(
            "{label}: the hanging endpoint left after {:.1} s (up to {:.1}), wrong answers {:.0}",
            left.0,
            left.2,
            spread(&of(&|seen| seen.errors)).0
        ));
        if *who == Contender::Plimsoll {
            row.targets.push(Target::most("hanging endpoint left after, s", left.2, 4.0, 3.0));
        }
    }
    for peer in ["nginx", "haproxy"] {
        row.bound("plimsoll", &format!("{peer} LeastConnections"), 1.0, 0.8);
        row.bound("plimsoll", &format!("{peer} RoundRobin"), 0.8, 0.5);
    }
    Ok(row)
}

fn round(who: Contender, policy: Policy) -> Result<Seen, String> {
    let pins = Pins::apart();
    let origin = Origin::start(&DELAYS, &pins.load).map_err(|error| error.to_string())?;
    let work = Work { policy, health: true, ..Work::proxy(origin.addresses()) };
    let running = who.start(&work, &pins.contender)?;
    let load = Load {
        address: running.address,
        exchange: Exchange::get("/small", &SMALL),
        connections: 32,
        pace: Pace::Open(RATE),
        warm_up: Duration::from_secs(1),
        measured: MEASURED,
    };
    let hanging = &origin.places[2];
    let (outcome, hung_at): (Result<Outcome, String>, Instant) = std::thread::scope(|scope| {
        let generator = scope.spawn(|| generate(&load, &pins.load, &running.tree()));
        std::thread::sleep(load.warm_up + HANGS_AFTER);
        let hung_at = Instant::now();
        hanging.hangs.store(true, Ordering::Relaxed);
        (generator.join().unwrap_or_else(|_| Err("the generator panicked".into())), hung_at)
    });
    let outcome = outcome?;
    let left_after = hanging.last().saturating_duration_since(hung_at).as_secs_f64();
    Ok(Seen { p99: outcome.quantile(0.99) / 1000.0, left_after, errors: outcome.failed() as f64 })
}
