use std::collections::HashMap;
use std::sync::Arc;

use super::super::super::access::{Eviction, Queue};
use super::super::super::random::Random;
use super::super::super::shards::Store;
use super::*;
use crate::store::Kind;

pub(super) const NOW: Ms = 1_790_000_000_000;

/// A store at its bound, and a clock.
pub(super) struct Cache {
    pub(super) store: Arc<Store>,
    pub(super) now: Ms,
    outcome: Outcome,
}

impl Cache {
    pub(super) fn new(memory: usize, policy: Policy, among: Among) -> Cache {
        let store = Arc::new(Store::new(memory, 1).unwrap());
        let cache = Cache { store, now: NOW, outcome: Outcome::default() };
        cache.each(|keys| keys.adopt(Eviction { policy, among }, NOW));
        cache
    }

    pub(super) fn reads(&mut self, key: &str) -> bool {
        let Ok(mut keys) = self.store.lock(self.store.number_of(key.as_bytes())) else { panic!("no worker has it") };
        let mut view = self.store.view(&mut keys, self.now, &mut self.outcome);
        view.read(key.as_bytes(), Kind::Str).unwrap().is_some()
    }

    /// Whether there was room for it.
    pub(super) fn puts(&mut self, key: &str, value: &[u8], expiry: Option<Ms>) -> bool {
        let has_room = self.store.make_room(self.now, &mut self.outcome, || false, |view| view.outcome.clear());
        if has_room {
            let Ok(mut keys) = self.store.lock(self.store.number_of(key.as_bytes())) else { panic!("no worker has it") };
            let mut view = self.store.view(&mut keys, self.now, &mut self.outcome);
            view.open(key.as_bytes(), Kind::Str).unwrap().put_until(value, expiry);
        }
        has_room
    }

    fn deletes(&mut self, key: &str) -> bool {
        let Ok(mut keys) = self.store.lock(self.store.number_of(key.as_bytes())) else { panic!("no worker has it") };
        let mut view = self.store.view(&mut keys, self.now, &mut self.outcome);
        view.delete(key.as_bytes(), Class::GENERIC, "del")
    }

    fn each(&self, mut each: impl FnMut(&mut Keys)) {
        for number in 0..self.store.count() {
            let Ok(mut keys) = self.store.lock(number) else { panic!("no worker has it") };
            each(&mut keys);
        }
    }

    fn count(&self) -> usize {
        let mut count = 0;
        self.each(|keys| count += keys.len());
        count
    }

    /// Says exactly what is used.
    fn weigh(&self) {
        self.each(|keys| _ = keys.says_used(1));
    }
}

/// Names that stand in a queue for a key that is there, and the keys that say they stand in it.
fn standings(keys: &mut Keys, queue: Queue) -> (usize, usize) {
    let says = |at| Standing::of(entry::access(keys.blocks.bytes(at))).queue == Some(queue);
    let said = keys.table.iter().filter(|at| says(*at)).count();
    (keys.care.order.live(queue), said)
}

#[test]
fn memory_stays_at_its_bound_whatever_the_policy() {
    for policy in [Policy::Lru, Policy::Lfu, Policy::Fifo, Policy::Ttl, Policy::Random, Policy::S3Fifo] {
        let mut cache = Cache::new(8 << 20, policy, Among::All);
        for number in 0..100_000_u64 {
            assert!(cache.puts(&format!("key:{number}"), &[b'x'; 100], Some(NOW + 1_000_000 + number)), "{policy:?}");
        }
        let (mut held, mut used) = (0, 0);
        cache.each(|keys| {
            held += keys.held();
            used += keys.in_use();
        });
        assert!(used < (8 << 20) * 101 / 100 && held < (8 << 20) * 107 / 100, "{policy:?}: {used} used of {held}");
        assert!(cache.count() > 50_000, "{policy:?}: {}", cache.count());
        assert!(cache.store.peak() < (8 << 20) * 102 / 100);
    }
}

#[test]
fn what_each_policy_cares_for_stays() {
    let survivors = |policy: Policy, old_are_used: usize| {
        let mut cache = Cache::new(2 << 20, policy, Among::All);
        let key = |number: u64| format!("key:{number}");
        for number in 0..40_000 {
            cache.now += 20;
            // The later it comes the sooner it expires.
            cache.puts(&key(number), &[b'x'; 100], Some(NOW + 10_000_000 - number));
            (0..old_are_used).for_each(|_| _ = cache.reads(&key(number % 1000)));
        }
        let mut kept = |from: u64| (from..from + 1000).filter(|number| cache.reads(&key(*number))).count();
        (kept(0), kept(39_000))
    };
    for policy in [Policy::Lru, Policy::Lfu, Policy::S3Fifo] {
        let (used, _) = survivors(policy, 1);
        assert!(used > 980, "{policy:?} {used}");
    }
    let (first, last) = survivors(Policy::Fifo, 1);
    assert!(first == 0 && last > 980, "fifo {first} {last}");
    let (first, last) = survivors(Policy::Ttl, 0);
    assert!(first > 980 && last < 500, "ttl {first} {last}");
    let (first, last) = survivors(Policy::Lru, 0);
    assert!(first == 0 && last > 980, "lru {first} {last}");
}

#[test]
fn keys_without_an_expiry_never_go_and_nothing_comes_when_there_are_only_such() {
    for policy in [Policy::Lru, Policy::Ttl, Policy::S3Fifo, Policy::Fifo] {
        let mut cache = Cache::new(2 << 20, policy, Among::Ttl);
        let session = |number: u64| format!("session:{number}");
        (0..5000).for_each(|number| assert!(cache.puts(&session(number), &[b'x'; 100], None)));
        (0..50_000).for_each(|number| assert!(cache.puts(&format!("cache:{number}"), &[b'x'; 100], Some(NOW + 60_000))));
        assert!((0..5000).all(|number| cache.reads(&session(number))), "{policy:?}");
        let more = (5000..50_000).take_while(|number| cache.puts(&session(*number), &[b'x'; 100], None)).count();
        assert!(more > 5000 && more < 20_000, "{policy:?} {more}");
        cache.each(|keys| assert_eq!((keys.volatile(), keys.evict(NOW, &mut Outcome::default())), (0, Went::None)));
        // What is deleted makes room.
        (0..500).for_each(|number| assert!(cache.deletes(&session(number))));
        cache.weigh();
        assert!(cache.puts("new", b"x", None), "{policy:?}");
    }
}

#[test]
fn a_key_that_goes_is_told_of() {
    let cache = Cache::new(2 << 20, Policy::Lru, Among::All);
    cache.each(|keys| {
        let mut outcome = Outcome { wanted: Class::EVICTED, ..Outcome::default() };
        keys.logs = true;
        keys.put(None, b"a", hash(&keys.hasher, b"a"), entry::Head::new(Kind::Str), b"1");
        assert_eq!(keys.evict(NOW, &mut outcome), Went::Gone);
        assert_eq!((outcome.events[0].name, &*outcome.events[0].key), ("evicted", &b"a"[..]));
        assert_eq!(outcome.gone, [[Box::from(&b"DEL"[..]), Box::from(&b"a"[..])]]);
        assert_eq!((keys.counts.evicted, keys.len()), (1, 0));
    });
}

#[test]
fn each_key_that_may_go_has_one_standing_whatever_happens_to_it() {
    for (policy, among) in [(Policy::S3Fifo, Among::All), (Policy::S3Fifo, Among::Ttl), (Policy::Fifo, Among::Ttl)] {
        let mut cache = Cache::new(2 << 20, policy, among);
        let mut random = Random::seeded(11);
        for _ in 0..100_000 {
            let key = format!("key:{}", random.below(20_000));
            match random.below(10) {
                0..3 => _ = cache.reads(&key),
                3 => _ = cache.deletes(&key),
                4..7 => assert!(cache.puts(&key, &[b'x'; 100], Some(NOW + 60_000))),
                _ => assert!(cache.puts(&key, &vec![b'x'; random.below(300)], (random.below(2) > 0).then_some(NOW + 90_000))),
            }
        }
        cache.each(|keys| {
            for queue in [Queue::Small, Queue::Main] {
                let (named, said) = standings(keys, queue);
                assert!(named.abs_diff(said) <= said / 100 + 2, "{policy:?} {among:?} {queue:?}: {named} {said}");
            }
            let may = keys.table.iter().filter(|at| among == Among::All || entry::expiry(keys.blocks.bytes(*at)).is_some()).count();
            let said = standings(keys, Queue::Small).1 + standings(keys, Queue::Main).1;
            assert!(said >= may * 99 / 100, "{policy:?} {among:?}: {said} of {may}");
        });
    }
}

#[test]
fn another_policy_finds_the_keys_that_are_there() {
    let mut cache = Cache::new(2 << 20, Policy::None, Among::Ttl);
    let more = (0..50_000).take_while(|number| cache.puts(&format!("key:{number}"), &[b'x'; 100], None)).count();
    assert!(more < 20_000);
    cache.each(|keys| keys.adopt(Eviction { policy: Policy::S3Fifo, among: Among::All }, NOW));
    (50_000..90_000).for_each(|number| assert!(cache.puts(&format!("key:{number}"), &[b'x'; 100], None)));
}

/// Small, large, evenly spread and log-uniform lengths in turn.
fn length(random: &mut Random, turn: usize) -> usize {
    match turn / 20_000 % 4 {
        0 => 100 + random.below(100),
        1 => 600 + random.below(1448),
        2 => 16 + random.below(2032),
        _ => {
            let doubling = 16 << random.below(7);
            doubling + random.below(doubling)
        }
    }
}

#[test]
fn what_is_held_stays_near_what_is_alive_under_churn_at_the_bound() {
    let mut cache = Cache::new(16 << 20, Policy::S3Fifo, Among::All);
    let (mut random, mut worst, mut lengths) = (Random::seeded(7), 0.0_f64, HashMap::new());
    for turn in 0..160_000 {
        let (key, length) = (random.below(1 << 30), length(&mut random, turn));
        assert!(cache.puts(&format!("key:{key}"), &vec![b'x'; length], None));
        lengths.insert(key, length);
        if turn > 40_000 && turn % 2000 == 0 {
            let (mut held, mut live) = (0, 0);
            cache.each(|keys| {
                held += keys.held();
                live += keys.table.held() + keys.care.held() + keys.table.iter().map(|at| keys.blocks.bytes(at).len()).sum::<usize>();
            });
            worst = worst.max(held as f64 / live as f64);
        }
    }
    println!("held/live at most {worst:.3}");
    assert!(worst <= 1.12, "{worst}");
    // All of what is left is whole.
    for (key, length) in lengths {
        let key = format!("key:{key}");
        let number = cache.store.number_of(key.as_bytes());
        let Ok(mut keys) = cache.store.lock(number) else { panic!("no worker has it") };
        let place = keys.find(key.as_bytes(), hash(&keys.hasher.clone(), key.as_bytes()));
        if let Some(place) = place {
            assert!(entry::value(keys.entry_mut(place)) == vec![b'x'; length], "{key}");
        }
    }
}
