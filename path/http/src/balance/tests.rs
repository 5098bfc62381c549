//! The group as a whole: shares and latencies under simulated load, ejection, the queue, changes of the list.

pub mod simulation;

use std::cell::Cell;
use std::time::{Duration, Instant};

use contract::Endpoint;

use super::{Attempt, Bounds, Decision, Exchange, Failure, Group, NoPeer, Outcome, State};
use simulation::{BOUNDS, Dice, Does, LOAD, Load, Served, endpoints, group, run};

const MS: Duration = Duration::from_millis(1);
const S: Duration = Duration::from_secs(1);

fn share(served: &[Served], endpoint: usize) -> f64 {
    served.iter().filter(|one| one.endpoint == endpoint).count() as f64 / served.len() as f64
}

fn between(served: &[Served], from: Duration, to: Duration) -> Vec<Served> {
    served.iter().filter(|one| one.at >= from && one.at < to).copied().collect()
}

fn p99(served: &[Served]) -> Duration {
    let mut times: Vec<Duration> = served.iter().map(|one| one.took).collect();
    times.sort();
    times[times.len() * 99 / 100]
}

/// Both policies over the same endpoints: (ours, round robin).
fn both(load: Load, count: usize, does: impl Fn(usize, Duration, &mut Dice) -> Does) -> (Vec<Served>, Vec<Served>) {
    let now = Instant::now();
    let ours = run(&load, &endpoints(count, load.loops, now), &[], &does);
    let theirs = run(&Load { round_robin: true, ..load }, &endpoints(count, load.loops, now), &[], &does);
    (ours, theirs)
}

#[test]
fn one_of_three_ten_times_slower_gets_little() {
    for clients in [1, 4, 100] {
        let (ours, theirs) = both(Load { clients, lasts: 3 * S, ..LOAD }, 3, |endpoint, _, dice| {
            Does::Answers(dice.around(if endpoint == 2 { 50 * MS } else { 5 * MS }))
        });
        assert!(share(&ours, 2) < 0.01, "{clients} clients: {}", share(&ours, 2));
        assert!(p99(&ours) <= p99(&theirs).mul_f64(0.8), "{clients} clients: {:?} {:?}", p99(&ours), p99(&theirs));
        assert!((share(&ours, 0) - 0.5).abs() < 0.03, "{clients} clients: {}", share(&ours, 0));
    }
}

#[test]
fn one_of_eight_ten_times_slower_gets_little() {
    let (ours, theirs) = both(LOAD, 8, |endpoint, _, dice| Does::Answers(dice.around(if endpoint == 2 { 50 * MS } else { 5 * MS })));
    assert!(share(&ours, 2) < 0.02, "{}", share(&ours, 2));
    assert!(p99(&ours) <= p99(&theirs).mul_f64(0.8), "{:?} {:?}", p99(&ours), p99(&theirs));
}

#[test]
fn a_slower_one_still_works_when_the_others_have_queues() {
    // Each endpoint serves one request after the other: 5, 5 and 15 ms.
    let free_at: Vec<Cell<Duration>> = vec![Cell::default(); 3];
    let served = run(&LOAD, &endpoints(3, LOAD.loops, Instant::now()), &[], |endpoint, at, _| {
        let done = free_at[endpoint].get().max(at) + if endpoint == 2 { 15 * MS } else { 5 * MS };
        free_at[endpoint].set(done);
        Does::Answers(done - at)
    });
    // All three busy would be 200 + 200 + 67 a second.
    let rate = served.len() as f64 / LOAD.lasts.as_secs_f64();
    assert!(rate > 420.0, "{rate} a second");
}

#[test]
fn a_hanging_one_is_left_within_milliseconds() {
    let hangs = |endpoint: usize, at: Duration, dice: &mut Dice| match endpoint == 1 && at > 5 * S {
        true => Does::Hangs,
        false => Does::Answers(dice.around(5 * MS)),
    };
    let (ours, theirs) = both(LOAD, 3, hangs);
    let lost = between(&ours, 5 * S, 6 * S).iter().filter(|one| one.endpoint == 1 && one.at > 5 * S + 50 * MS).count();
    assert!(lost <= 4, "{lost} requests given to it after 50 ms");
    assert!(share(&between(&ours, 6 * S, 12 * S), 1) < 0.001);
    let after = |served: &[Served]| p99(&between(served, 5 * S + 500 * MS, 12 * S));
    assert!(after(&ours) <= after(&theirs).mul_f64(0.8), "{:?} {:?}", after(&ours), after(&theirs));
}

#[test]
fn one_slow_and_one_hanging_leave_the_third() {
    let (ours, theirs) = both(LOAD, 3, |endpoint, at, dice| match endpoint {
        1 if at > S => Does::Hangs,
        2 => Does::Answers(dice.around(50 * MS)),
        _ => Does::Answers(dice.around(5 * MS)),
    });
    assert!(p99(&ours) <= p99(&theirs).mul_f64(0.8), "{:?} {:?}", p99(&ours), p99(&theirs));
    assert!(share(&between(&ours, 2 * S, 12 * S), 1) < 0.001);
}

#[test]
fn equal_ones_are_shared_evenly_in_parallel_and_one_by_one() {
    for (clients, count) in [(1, 2), (1, 3), (32, 3), (1, 9), (50, 9)] {
        let served = run(&Load { clients, lasts: 5 * S, ..LOAD }, &endpoints(count, LOAD.loops, Instant::now()), &[], |_, _, dice| {
            Does::Answers(dice.around(3 * MS))
        });
        for endpoint in 0..count {
            let off = share(&served, endpoint) * count as f64 - 1.0;
            assert!(off.abs() < 0.06, "{clients} clients, endpoint {endpoint} of {count}: {off:+.3} off its share");
        }
    }
}

#[test]
fn rare_slow_answers_do_not_drive_equal_ones_out() {
    let served = run(&LOAD, &endpoints(3, LOAD.loops, Instant::now()), &[], |_, _, dice| {
        Does::Answers(if dice.roll(200) == 0 { S } else { dice.around(5 * MS) })
    });
    for endpoint in 0..3 {
        assert!((share(&served, endpoint) * 3.0 - 1.0).abs() < 0.25, "{endpoint}: {}", share(&served, endpoint));
    }
}

#[test]
fn one_that_recovered_gets_its_share_again() {
    for clients in [1, 8] {
        let load = Load { clients, lasts: 60 * S, ..LOAD };
        let served = run(&load, &endpoints(3, LOAD.loops, Instant::now()), &[], |endpoint, at, dice| {
            Does::Answers(dice.around(if endpoint == 0 && at < 10 * S { 100 * MS } else { 5 * MS }))
        });
        assert!(share(&between(&served, 2 * S, 10 * S), 0) < 0.02);
        assert!(share(&between(&served, 45 * S, 60 * S), 0) > 0.31, "{clients}: {}", share(&between(&served, 45 * S, 60 * S), 0));
    }
}

#[test]
fn one_that_joins_is_given_more_and_more() {
    let start = Instant::now();
    for clients in [1, 8] {
        let first = endpoints(2, LOAD.loops, start);
        let mut more = first.clone();
        more.push(Endpoint::new("shop.3", ([127, 0, 0, 1], 9003).into(), LOAD.loops, start + 20 * S));
        let load = Load { clients, lasts: 40 * S, ..LOAD };
        let served = run(&load, &first, &[(20 * S, more)], |_, _, dice| Does::Answers(dice.around(5 * MS)));
        let share_at = |second: u32| share(&between(&served, second * S, (second + 1) * S), 2);
        assert!(share_at(20) > 0.01 && share_at(20) < 0.08, "{}", share_at(20));
        assert!(share_at(25) > 0.1 && share_at(25) < 0.25, "{}", share_at(25));
        assert!(share_at(35) > 0.3, "{}", share_at(35));
    }
}

/// One attempt at whatever is chosen, that ends so.
fn attempt(group: &Group, tried: &[u64], outcome: Outcome, now: Instant) -> Result<u64, NoPeer> {
    let peer = group.choose(0, now, tried)?;
    let id = peer.id();
    Exchange::begin(peer, now).end(outcome, now);
    Ok(id)
}

#[test]
fn a_dead_one_is_left_at_once_and_tried_again_when_a_check_finds_it_well() {
    let now = Instant::now();
    let group = group(&endpoints(2, 1, now), 1, now);
    let dead = attempt(&group, &[], Outcome::Failed(Failure::Connect), now).unwrap();
    for _ in 0..100 {
        assert_ne!(attempt(&group, &[], Outcome::Done, now), Ok(dead));
    }
    assert_eq!(group.states(now)[dead as usize - 1].state, State::Down);
    let member = group.members()[dead as usize - 1].clone();
    let other = 3 - dead;
    assert_eq!(group.choose(0, now, &[dead, other]).unwrap_err(), NoPeer::Tried);
    group.checked(&member, super::health::Health::Up, "the port accepts", now);
    assert_eq!(group.states(now)[dead as usize - 1].state, State::Up);
    assert!(group.choose(0, now, &[dead, other]).is_ok(), "it came back since it was tried");
}

#[test]
fn the_only_one_dead_is_waited_for_and_then_tried_again() {
    let now = Instant::now();
    let group = group(&endpoints(1, 1, now), 1, now);
    assert_eq!(attempt(&group, &[], Outcome::Failed(Failure::Connect), now), Ok(1));
    assert_eq!(attempt(&group, &[], Outcome::Done, now), Err(NoPeer::Down));
    assert!(!group.has_usable(now));
    assert_eq!(attempt(&group, &[], Outcome::Done, now + 600 * MS), Ok(1));
}

#[test]
fn failures_in_a_row_eject_but_never_the_last_and_not_half_of_all() {
    let now = Instant::now();
    for count in 1..=4 {
        let group = group(&endpoints(count, 1, now), 1, now);
        for _ in 0..200 {
            attempt(&group, &[], Outcome::Failed(Failure::Closed), now).unwrap();
        }
        let ejected = group.states(now).iter().filter(|state| state.state == State::Ejected).count();
        assert_eq!(ejected, count / 2, "of {count}");
        assert!(group.has_usable(now));
        assert!(group.states(now + 6 * S).iter().all(|state| state.state == State::Up));
    }
}

#[test]
fn a_success_between_failures_keeps_it() {
    let now = Instant::now();
    let group = group(&endpoints(2, 1, now), 1, now);
    for round in 0..100 {
        let mut exchange = Exchange::begin(group.choose(0, now, &[]).unwrap(), now);
        exchange.answered(if round % 8 < 6 { 500 } else { 200 }, now);
        exchange.end(Outcome::Done, now);
    }
    assert!(group.states(now).iter().all(|state| state.state == State::Up && state.failures > 0));
}

#[test]
fn full_ones_get_nothing_and_tried_ones_neither() {
    let now = Instant::now();
    let group = group(&endpoints(2, 2, now), 2, now);
    group.set_bounds(Bounds { in_flight: 2, ..BOUNDS });
    let open: Vec<Exchange> = (0..4).map(|index| Exchange::begin(group.choose(index % 2, now, &[]).unwrap(), now)).collect();
    assert!(group.states(now).iter().all(|state| state.in_flight == 2));
    assert_eq!(group.choose(1, now, &[]).unwrap_err(), NoPeer::Busy);
    drop(open);
    assert_eq!(group.choose(0, now, &[1]).unwrap().id(), 2);
    assert_eq!(group.choose(0, now, &[1, 2]).unwrap_err(), NoPeer::Tried);
}

#[test]
fn endpoints_that_stay_keep_their_state_and_others_are_gone() {
    let now = Instant::now();
    let mut list = endpoints(3, 1, now);
    let group = group(&list, 1, now);
    let kept = group.choose(0, now, &[2, 3]).unwrap();
    let gone = group.choose(0, now, &[1, 3]).unwrap();
    Exchange::begin(kept.clone(), now).end(Outcome::Failed(Failure::Connect), now);
    list.swap(0, 2);
    list.remove(1);
    group.update(&list, now);
    let names: Vec<_> = group.states(now).iter().map(|state| (state.name.to_string(), state.state)).collect();
    assert_eq!(names, [("shop.3".to_string(), State::Up), ("shop.1".to_string(), State::Down)]);
    assert!(gone.is_gone() && !kept.is_gone());
    // The same name and address, but another life: nothing is inherited.
    group.update(&endpoints(1, 1, now), now);
    assert_eq!(group.states(now)[0].state, State::Up);
    assert_eq!(group.choose(0, now, &[]).unwrap().id(), 4);
    group.update(&[], now);
    assert_eq!(group.choose(0, now, &[]).unwrap_err(), NoPeer::Empty);
}

#[test]
fn the_budget_ends_a_storm_of_retries() {
    let now = Instant::now();
    let group = group(&endpoints(3, 1, now), 1, now);
    for _ in 0..1000 {
        group.choose(0, now, &[]).unwrap();
    }
    let refused = Attempt {
        failure: Failure::Connect,
        safe: false,
        sent: false,
        answered: false,
        reused: false,
        replayable: true,
        refreshed: false,
        retries: 0,
    };
    let retried = (0..1000).filter(|_| matches!(group.decide(0, now, &refused), Decision::Elsewhere(_))).count();
    assert_eq!(retried, 300);
    assert_eq!(group.decide(0, now, &refused), Decision::Answer(502, "the retry budget is spent"));
    assert!(matches!(group.decide(0, now + 20 * S, &refused), Decision::Elsewhere(_)));
}

#[test]
fn upgraded_connections_are_counted_apart() {
    let now = Instant::now();
    let group = group(&endpoints(1, 1, now), 1, now);
    let upgraded = Exchange::begin(group.choose(0, now, &[]).unwrap(), now).upgrade();
    let counts = |group: &Group| (group.states(now)[0].in_flight, group.states(now)[0].upgraded);
    assert_eq!(counts(&group), (0, 1));
    drop(upgraded);
    assert_eq!(counts(&group), (0, 0));
}

#[test]
fn a_slow_upload_does_not_make_an_endpoint_slow() {
    let now = Instant::now();
    let group = group(&endpoints(1, 1, now), 1, now);
    for _ in 0..3 {
        let mut exchange = Exchange::begin(group.choose(0, now, &[]).unwrap(), now);
        exchange.sending();
        exchange.sent(now + 10 * S);
        exchange.answered(201, now + 10 * S + 5 * MS);
        exchange.end(Outcome::Done, now + 11 * S);
    }
    assert_eq!(group.states(now)[0].latency, Some(5 * MS));
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_bounded_and_wakes_when_a_place_is_free() {
    let now = Instant::now();
    let group = group(&endpoints(1, 1, now), 1, now);
    group.set_bounds(Bounds { in_flight: 1, queue: 1 });
    let open = Exchange::begin(group.choose(0, now, &[]).unwrap(), now);
    let waiting = group.enqueue().unwrap();
    assert!(group.enqueue().is_none());
    let begun = tokio::time::Instant::now();
    let (_, ()) = tokio::join!(waiting.changed(), async {
        tokio::task::yield_now().await;
        open.end(Outcome::Done, now);
    });
    assert_eq!(begun.elapsed(), Duration::ZERO, "woken, not timed out");
    drop(waiting);
    assert!(group.enqueue().is_some());
}
