//! Seeded simulations in virtual time: clients that each send one request after the other to pretended endpoints.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::Endpoint;
use telemetry::Log;

use super::super::{Bounds, Exchange, Failure, Group, Outcome};

pub const BOUNDS: Bounds = Bounds { in_flight: 1000, queue: 1000 };

/// Endpoints that joined at `now`.
pub fn endpoints(count: usize, loops: usize, now: Instant) -> Vec<Endpoint> {
    (1..=count).map(|index| Endpoint::new(&format!("shop.{index}"), ([127, 0, 0, 1], 9000 + index as u16).into(), loops, now)).collect()
}

/// A group of checked endpoints.
pub fn group(endpoints: &[Endpoint], loops: usize, now: Instant) -> Arc<Group> {
    let group = Group::new("shop".into(), loops, BOUNDS, true, Log::nowhere(), 7, now);
    group.update(endpoints, now);
    group
}

/// Numbers from a seed (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    /// `mean` give or take half of it.
    pub fn around(&mut self, mean: Duration) -> Duration {
        mean / 2 + Duration::from_nanos(self.roll(mean.as_nanos() as u64))
    }
}

/// What an endpoint does with a request that comes at a time since the start.
pub enum Does {
    Answers(Duration),
    Hangs,
}

/// One finished request.
#[derive(Clone, Copy)]
pub struct Served {
    pub endpoint: usize,
    pub at: Duration,
    pub took: Duration,
}

/// Load to simulate.
pub struct Load {
    pub clients: usize,
    pub loops: usize,
    pub lasts: Duration,
    pub round_robin: bool,
    pub seed: u64,
}

pub const LOAD: Load = Load { clients: 16, loops: 2, lasts: Duration::from_secs(12), round_robin: false, seed: 1 };

/// A hanging request ends after so long.
const FIRST_BYTE: Duration = Duration::from_secs(2);

/// What happens when: the queue orders by time, then by age.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Send { client: usize },
    End { client: usize, hung: bool },
    Change { index: usize },
}

#[derive(Default)]
struct Agenda {
    queue: BinaryHeap<Reverse<(Duration, u64, Next)>>,
    added: u64,
}

impl Agenda {
    fn add(&mut self, at: Duration, next: Next) {
        self.added += 1;
        self.queue.push(Reverse((at, self.added, next)));
    }
}

/// Runs `load`, and `changes` of the list at their times; gives every request with its endpoint's number, from 0.
pub fn run(
    load: &Load,
    first: &[Endpoint],
    changes: &[(Duration, Vec<Endpoint>)],
    does: impl Fn(usize, Duration, &mut Dice) -> Does,
) -> Vec<Served> {
    let start = first[0].since;
    let group = group(first, load.loops, start);
    let mut dice = Dice(load.seed);
    let mut served = Vec::new();
    let mut open: Vec<Option<Exchange>> = (0..load.clients).map(|_| None).collect();
    let mut agenda = Agenda::default();
    for client in 0..load.clients {
        agenda.add(Duration::from_micros(client as u64), Next::Send { client });
    }
    for (index, (at, _)) in changes.iter().enumerate() {
        agenda.add(*at, Next::Change { index });
    }
    while let Some(Reverse((at, _, next))) = agenda.queue.pop() {
        let now = start + at;
        match next {
            Next::Change { index } => group.update(&changes[index].1, now),
            Next::End { client, hung } => {
                let mut exchange = open[client].take().unwrap();
                if hung {
                    exchange.end(Outcome::Failed(Failure::FirstByte), now);
                } else {
                    exchange.answered(200, now);
                    exchange.end(Outcome::Done, now);
                }
                agenda.add(at, Next::Send { client });
            }
            Next::Send { .. } if at > load.lasts => {}
            Next::Send { client } => {
                let peer = match load.round_robin {
                    true => group.peer_of(client % load.loops, served.len() % first.len()),
                    false => group.choose(client % load.loops, now, &[]).unwrap(),
                };
                let endpoint = peer.id() as usize - 1;
                open[client] = Some(Exchange::begin(peer, now));
                let (took, hung) = match does(endpoint, at, &mut dice) {
                    Does::Answers(took) => (took, false),
                    Does::Hangs => (FIRST_BYTE, true),
                };
                served.push(Served { endpoint, at, took });
                agenda.add(at + took, Next::End { client, hung });
            }
        }
    }
    served
}
