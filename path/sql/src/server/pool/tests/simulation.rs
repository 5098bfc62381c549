//! Loops, clients and a server in one thread under a stopped clock, driven by a seed: after every step the promises hold.

use tokio::task::{JoinHandle, spawn_local, yield_now};

use super::*;
use crate::server::pool::Ledger;
use crate::server::{ConnectError, Lent, Refused};

const LOOPS: usize = 4;

/// A small generator: the same seed, the same run.
#[derive(Clone)]
struct Chance(Rc<std::cell::Cell<u64>>);

impl Chance {
    fn new(seed: u64) -> Chance {
        Chance(Rc::new(std::cell::Cell::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)))
    }

    fn below(&self, end: usize) -> usize {
        let mut state = self.0.get();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        self.0.set(state);
        (state >> 33) as usize % end
    }
}

struct World {
    pool: Arc<Pool>,
    sides: Vec<Rc<Side>>,
    keys: Vec<Arc<Key>>,
    ends: Ends,
    chance: Chance,
    held: Rc<RefCell<Vec<Lent>>>,
    refused: Rc<RefCell<Vec<Refused>>>,
    waiting: Vec<JoinHandle<()>>,
}

impl World {
    /// `failing`: one connect of so many fails; 0: none does.
    fn new(seed: u64, most: usize, failing: usize) -> World {
        let (pool, events, messages) = pool(LOOPS, most);
        let (chance, ends) = (Chance::new(seed), Ends::default());
        let sides: Vec<_> = messages
            .into_iter()
            .enumerate()
            .map(|(index, messages)| {
                let connect = pairs(pool.clone(), chance.clone(), ends.clone(), failing);
                let side = Side::new(here(index), pool.clone(), events.clone(), shape(bounds(most)), database(), connect, seed + 1);
                side.start(messages);
                side
            })
            .collect();
        let keys = ["a", "b", "c"].map(|database| sides[0].key("user", database)).into();
        World { pool, sides, keys, ends, chance, held: Rc::default(), refused: Rc::default(), waiting: Vec::new() }
    }

    fn step(&mut self) {
        match self.chance.below(10) {
            0..4 => self.arrive(),
            4..7 => self.release(Lent::give_back),
            7 => self.release(drop),
            8 if !self.waiting.is_empty() => {
                let index = self.chance.below(self.waiting.len());
                self.waiting.swap_remove(index).abort();
            }
            _ => {
                let some = self.ends.borrow().keys().copied().min();
                if self.chance.below(4) == 0
                    && let Some(id) = some
                {
                    self.ends.borrow_mut().remove(&id);
                }
            }
        }
    }

    fn arrive(&mut self) {
        let side = self.sides[self.chance.below(LOOPS)].clone();
        let key = self.keys[self.chance.below(8).saturating_sub(5)].clone();
        let (held, refused) = (self.held.clone(), self.refused.clone());
        self.waiting.push(spawn_local(async move {
            match side.lend(&key).await {
                Ok(lent) => held.borrow_mut().push(lent),
                Err(error) => refused.borrow_mut().push(error),
            }
        }));
    }

    fn release(&mut self, how: impl FnOnce(Lent)) {
        let count = self.held.borrow().len();
        if count > 0 {
            let lent = self.held.borrow_mut().swap_remove(self.chance.below(count));
            how(lent);
        }
    }

    /// A client that asks so many times and keeps what it gets for 2 ms each time; the longest wait.
    fn worker(&self, at: usize, key: usize, times: usize, longest: &Rc<std::cell::Cell<Duration>>) -> JoinHandle<()> {
        let (side, key, longest) = (self.sides[at].clone(), self.keys[key].clone(), longest.clone());
        spawn_local(async move {
            for _ in 0..times {
                let since = now();
                let lent = side.lend(&key).await.unwrap();
                longest.set(longest.get().max(now() - since));
                tokio::time::sleep(Duration::from_millis(2)).await;
                lent.give_back();
            }
        })
    }

    /// Until every message has arrived.
    async fn settle(&mut self) {
        for _ in 0..40 {
            yield_now().await;
        }
        self.waiting.retain(|task| !task.is_finished());
    }

    fn check(&self, about: &str) {
        let (ledgers, sum) = (self.pool.ledgers(), self.pool.sum());
        assert!(sum.servers() <= self.pool.most(), "{about}: {sum:?}");
        assert_eq!(sum.servers(), self.pool.total.open(), "{about}: every connection is accounted for, {sum:?}");
        assert_eq!(sum.busy, self.held.borrow().len(), "{about}: {sum:?}");
        assert_eq!(sum.waiting, self.waiting.len(), "{about}: {sum:?}");
        for ledger in ledgers.iter() {
            (0..LOOPS).for_each(|index| self.check_loop(ledger, index, about));
        }
    }

    /// Nobody waits while something could be had.
    fn check_loop(&self, ledger: &Arc<Ledger>, index: usize, about: &str) {
        use std::sync::atomic::Ordering::SeqCst;
        let cell = ledger.cell(index);
        let (waiting, opening) = (cell.waiting.load(SeqCst), cell.opening.load(SeqCst));
        assert_eq!(waiting == 0, cell.oldest.load(SeqCst) == 0, "{about}");
        if waiting > 0 {
            assert_eq!(ledger.sum().idle, 0, "{about}: loop {index} waits for {:?} although one is idle", ledger.key);
        }
        if waiting > opening {
            assert_eq!(self.pool.total.free(), 0, "{about}: loop {index} waits although there is room");
            assert_eq!(self.pool.sum().idle, 0, "{about}: loop {index} waits although another's is idle");
        }
    }
}

/// Connects in 0 to 20 ms.
fn pairs(pool: Arc<Pool>, chance: Chance, ends: Ends, failing: usize) -> crate::server::pool::open::Connect {
    Box::new(move |wanted| {
        let (pool, chance, ends) = (pool.clone(), chance.clone(), ends.clone());
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(chance.below(20) as u64)).await;
            if failing > 0 && chance.below(failing) == 0 {
                return Err(ConnectError::Unreachable("of this test".into()));
            }
            let (connection, end) = connection(pool.new_id(), wanted.address, wanted.key);
            ends.borrow_mut().insert(connection.id, end);
            Ok(connection)
        })
    })
}

#[test]
fn nobody_waits_while_something_could_be_had() {
    // 208 found a client that did not look although something had passed it by.
    for seed in (0..100).chain([208]) {
        let most = 1 + (seed % 5) as usize;
        run(async {
            let mut world = World::new(seed, most, if seed % 3 == 0 { 4 } else { 0 });
            for step in 0..250 {
                world.step();
                world.settle().await;
                world.check(&format!("seed {seed} step {step}"));
                if world.chance.below(3) == 0 {
                    tokio::time::sleep(Duration::from_millis(world.chance.below(40) as u64)).await;
                    world.settle().await;
                    world.check(&format!("seed {seed} step {step}, later"));
                }
            }
            world.end(&format!("seed {seed}")).await;
        });
    }
}

impl World {
    /// Everybody who still waits is served, and nothing is lost.
    async fn end(&mut self, about: &str) {
        for _ in 0..10_000 {
            self.release(Lent::give_back);
            tokio::time::sleep(Duration::from_millis(1)).await;
            self.settle().await;
            if self.waiting.is_empty() && self.held.borrow().is_empty() {
                break;
            }
        }
        let sum = self.pool.sum();
        assert_eq!((self.waiting.len(), self.refused.borrow().len(), sum.busy), (0, 0, 0), "{about}: {sum:?}");
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.settle().await;
        let sum = self.pool.sum();
        assert_eq!((sum.idle, sum.opening), (self.pool.total.open(), 0), "{about}: {sum:?}");
    }
}

/// Clients that ask again and again, more on one loop and of one key than of the others: nobody is forgotten.
#[test]
fn nobody_starves() {
    for seed in 0..20 {
        run(async {
            let (world, longest) = (World::new(seed, 2, 0), Rc::default());
            let twenty = (0..20).map(|_| world.worker(0, 0, 50, &longest));
            let spread = (20..30).map(|client| world.worker(client % LOOPS, usize::from(client == 29), 50, &longest));
            for client in twenty.chain(spread).collect::<Vec<_>>() {
                client.await.unwrap();
            }
            // 30 clients of 2 ms over 2 connections are 30 ms, the handicaps of another loop and key 100 ms.
            assert!(longest.get() < Duration::from_millis(300), "seed {seed}: {:?}", longest.get());
        });
    }
}

/// A loop that has few connections for its clients gets more, long before they wait for long.
#[test]
fn connections_go_where_clients_wait() {
    run(async {
        let (world, longest) = (World::new(1, 8, 0), Rc::default());
        let mut held = Vec::new();
        for at in [1, 0, 0, 0, 0, 0, 0, 0] {
            held.push(world.sides[at].lend(&world.keys[0]).await.unwrap());
        }
        let workers: Vec<_> = (0..32).map(|client| world.worker(client % 2, 0, 100, &longest)).collect();
        yield_now().await;
        held.into_iter().for_each(Lent::give_back);
        tokio::time::sleep(Duration::from_millis(150)).await;
        let moved = world.pool.ledgers()[0].cell(1).read().servers();
        assert!((3..=5).contains(&moved), "{moved} of 8");
        for worker in workers {
            worker.await.unwrap();
        }
        assert!(longest.get() < Duration::from_millis(50), "{:?}", longest.get());
    });
}
