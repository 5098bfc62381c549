//! Many clients over eight server connections, each with a state of its own and bad manners: nobody ever sees
//! another's state, everybody keeps their own, nobody is stuck, nothing is left behind.
//!
//! `PLIMSOLL_ISOLATION_SECONDS` (15 unless set) and `PLIMSOLL_ISOLATION_CLIENTS` (40) say how long and how many;
//! a failure prints its seed, which `PLIMSOLL_SEED` takes.
#![allow(clippy::unwrap_used)]

mod changes;
mod client;
mod faults;
mod ground;
mod numbers;
mod pins;
mod random;
mod settings;
mod statements;
mod traffic;
mod transactions;

use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use client::Client;
use ground::{Ground, SERVER};

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn nobody_sees_anothers_state_and_everybody_keeps_their_own() {
    let clients = number("PLIMSOLL_ISOLATION_CLIENTS", 40) as usize;
    let time = Duration::from_secs(number("PLIMSOLL_ISOLATION_SECONDS", 15));
    let seed = number("PLIMSOLL_SEED", u64::from(std::process::id()));
    println!("PLIMSOLL_SEED={seed}");
    let ground = Ground::new(clients);
    let done: Vec<Option<u64>> = thread::scope(|scope| {
        let ground = &ground;
        let threads: Vec<_> = (0..clients).map(|id| scope.spawn(move || Client::new(ground, id, seed).run(time))).collect();
        scope.spawn(|| ground.watch());
        let done = threads.into_iter().map(|client| client.join().ok()).collect();
        ground.stop.store(true, Ordering::SeqCst);
        done
    });
    let failed = done.iter().filter(|done| done.is_none()).count();
    assert_eq!(failed, 0, "{failed} clients saw what they must not; what they did is printed above; PLIMSOLL_SEED={seed}");
    let least = done.iter().flatten().min().unwrap();
    println!("{} actions, {least} or more each; {}", done.iter().flatten().sum::<u64>(), ground.seen());
    assert!(*least > 5, "somebody starved: {least} actions of {done:?}");
    ground.clean(SERVER);
}
