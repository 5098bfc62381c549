//! What a choice costs: one request's bookkeeping over one endpoint and over more. `cargo run --release --example choice_cost`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use contract::Endpoint;
use plimsoll_http::balance::{Bounds, Exchange, Group, Outcome};
use telemetry::Log;

const ROUNDS: u32 = 2_000_000;

fn main() {
    let mut base = None;
    for count in [1, 2, 3, 4, 8, 64] {
        let nanos = (0..5).map(|_| nanos_per_request(count)).fold(f64::INFINITY, f64::min);
        let base = *base.get_or_insert(nanos);
        println!("{count:3} endpoints: {nanos:6.1} ns a request, {:+6.1} over one", nanos - base);
    }
}

fn nanos_per_request(count: usize) -> f64 {
    let now = Instant::now();
    let list: Vec<Endpoint> =
        (0..count).map(|index| Endpoint::new(&format!("shop.{index}"), ([127, 0, 0, 1], 9000).into(), 2, now)).collect();
    let bounds = Bounds { in_flight: 1000, queue: 1000 };
    let group = Group::new("shop".into(), 2, bounds, true, Log::nowhere(), 1, now);
    group.update(&list, now);
    // Past slow start.
    let now = now + Duration::from_secs(60);
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        let peer = black_box(&group).choose(0, now, &[]).expect("all are up");
        let mut exchange = Exchange::begin(peer, now);
        exchange.answered(200, now);
        exchange.end(Outcome::Done, now);
    }
    begun.elapsed().as_nanos() as f64 / f64::from(ROUNDS)
}
