//! What is opened before anybody asks, closed after a while, refused, or left when the server goes elsewhere.

use std::cell::Cell;

use contract::{DatabaseKeeper, ServerState};
use tokio::task::{spawn_local, yield_now};

use super::*;
use crate::error::ErrorResponse;
use crate::server::pool::open::Connect;
use crate::server::{ConnectError, Refused};

/// One loop's side whose server does what the test says.
struct Scene {
    side: Rc<Side>,
    pool: Arc<Pool>,
    key: Arc<Key>,
    ends: Ends,
    /// What the next tries give instead of a connection.
    errors: Rc<RefCell<Vec<ConnectError>>>,
    tries: Rc<Cell<usize>>,
}

impl Scene {
    fn new(bounds: plan::Pool, database: Database) -> Scene {
        let (pool, events, mut messages) = pool(1, bounds.server);
        let (ends, errors, tries) = (Ends::default(), Rc::<RefCell<Vec<ConnectError>>>::default(), Rc::<Cell<usize>>::default());
        let connect = connecting(pool.clone(), ends.clone(), errors.clone(), tries.clone());
        let side = Side::new(here(0), pool.clone(), events, shape(bounds), database, connect, 1);
        side.start(messages.remove(0));
        Scene { key: side.key("user", "a"), side, pool, ends, errors, tries }
    }

    fn idle(&self) -> usize {
        self.pool.sum().idle
    }
}

fn connecting(pool: Arc<Pool>, ends: Ends, errors: Rc<RefCell<Vec<ConnectError>>>, tries: Rc<Cell<usize>>) -> Connect {
    Box::new(move |wanted| {
        tries.set(tries.get() + 1);
        let error = errors.borrow_mut().pop();
        let (pool, ends) = (pool.clone(), ends.clone());
        Box::pin(async move {
            if let Some(error) = error {
                return Err(error);
            }
            let (connection, end) = connection(pool.new_id(), wanted.address, wanted.key);
            ends.borrow_mut().insert(connection.id, end);
            Ok(connection)
        })
    })
}

async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

async fn seconds(count: u64) {
    tokio::time::sleep(Duration::from_secs(count)).await;
    settle().await;
}

fn verdict(code: &str) -> ConnectError {
    ConnectError::Verdict(ErrorResponse::new(format!("SFATAL\0C{code}\0Mno\0\0").as_bytes()))
}

#[test]
fn what_is_to_be_there_is_opened_and_the_rest_closed_when_idle() {
    run(async {
        let scene = Scene::new(plan::Pool { least: 2, ..bounds(5) }, database());
        settle().await;
        assert_eq!(scene.idle(), 2);
        let mut lent = Vec::new();
        for _ in 0..5 {
            lent.push(scene.side.lend(&scene.key).await.unwrap());
        }
        lent.into_iter().for_each(crate::server::Lent::give_back);
        assert_eq!(scene.idle(), 5);
        seconds(595).await;
        assert_eq!(scene.idle(), 5);
        seconds(10).await;
        assert_eq!(scene.idle(), 2);
        // One that died is replaced.
        scene.ends.borrow_mut().clear();
        seconds(2).await;
        assert_eq!((scene.idle(), scene.tries.get()), (2, 7));
    });
}

#[test]
fn old_ones_are_replaced_one_after_the_other() {
    run(async {
        let scene = Scene::new(plan::Pool { idle: Duration::from_secs(100_000), ..bounds(5) }, database());
        let mut lent = Vec::new();
        for _ in 0..5 {
            lent.push(scene.side.lend(&scene.key).await.unwrap());
        }
        let busy = lent.pop().unwrap();
        lent.into_iter().for_each(crate::server::Lent::give_back);
        seconds(60 * 60 * 4 / 5 - 1).await;
        assert_eq!(scene.idle(), 4);
        let mut before = 4;
        for _ in 0..60 * 60 / 5 + 10 {
            seconds(1).await;
            assert!(before - scene.idle() <= 1);
            before = scene.idle();
        }
        assert_eq!(before, 0);
        busy.give_back();
        assert_eq!(scene.pool.sum().servers(), 0);
    });
}

#[test]
fn a_wait_ends_with_its_reason() {
    run(async {
        let scene = Scene::new(bounds(1), database());
        let lent = scene.side.lend(&scene.key).await.unwrap();
        let since = now();
        assert!(matches!(scene.side.lend(&scene.key).await, Err(Refused::Busy { most: 1, .. })));
        assert_eq!((now() - since).as_secs(), 30);
        drop(lent);
        let (keeper, database) = DatabaseKeeper::new(ServerState::Down("disk full".into()));
        let scene = Scene::new(bounds(1), database);
        let refused = scene.side.lend(&scene.key).await;
        assert!(matches!(refused, Err(Refused::Away(reason)) if &*reason == "disk full"));
        drop(keeper);
    });
}

#[test]
fn nobody_waits_for_a_server_that_cannot_run_until_somebody_puts_it_right() {
    run(async {
        let (mut keeper, database) = DatabaseKeeper::new(ServerState::Starting);
        let scene = Scene::new(bounds(1), database);
        let (side, key) = (scene.side.clone(), scene.key.clone());
        let waiting = spawn_local(async move { side.lend(&key).await.map(crate::server::Lent::give_back) });
        let since = now();
        seconds(3).await;
        assert!(keeper.wanted.try_recv().is_err());
        keeper.state.send_replace(ServerState::Unable("no programs".into()));
        assert!(matches!(waiting.await.unwrap(), Err(Refused::Unable(reason)) if &*reason == "no programs"));
        assert!(matches!(scene.side.lend(&scene.key).await, Err(Refused::Unable(_))));
        assert_eq!(((now() - since).as_secs(), scene.pool.sum().waiting), (3, 0));
        assert!(keeper.wanted.try_recv().is_ok(), "it is asked to look again");
        keeper.state.send_replace(ServerState::Up(address()));
        scene.side.lend(&scene.key).await.unwrap().give_back();
    });
}

#[test]
fn a_client_that_leaves_swallows_nothing() {
    run(async {
        let scene = Scene::new(bounds(1), database());
        let lent = scene.side.lend(&scene.key).await.unwrap();
        let wait = |scene: &Scene| {
            let (side, key) = (scene.side.clone(), scene.key.clone());
            spawn_local(async move { side.lend(&key).await.map(crate::server::Lent::give_back) })
        };
        let (first, second) = (wait(&scene), wait(&scene));
        settle().await;
        // Handed to the first, which is gone before it looks.
        lent.give_back();
        first.abort();
        second.await.unwrap().unwrap();
        assert_eq!((scene.idle(), scene.pool.sum().waiting), (1, 0));
    });
}

#[test]
fn a_panic_frees_its_place() {
    run(async {
        let scene = Scene::new(bounds(1), database());
        let lent = scene.side.lend(&scene.key).await.unwrap();
        let (side, key) = (scene.side.clone(), scene.key.clone());
        let waiting = spawn_local(async move { side.lend(&key).await.map(crate::server::Lent::give_back) });
        settle().await;
        let panicked = spawn_local(async move {
            let _lent = lent;
            panic!("this panic is part of the test");
        });
        assert!(panicked.await.is_err());
        waiting.await.unwrap().unwrap();
        assert_eq!((scene.idle(), scene.tries.get()), (1, 2));
    });
}

#[test]
fn a_verdict_is_for_those_of_its_key_and_not_tried_again() {
    run(async {
        let scene = Scene::new(bounds(5), database());
        scene.errors.borrow_mut().push(verdict("28P01"));
        assert!(matches!(scene.side.lend(&scene.key).await, Err(Refused::Failed(_))));
        assert_eq!(scene.tries.get(), 1);
        scene.side.lend(&scene.key).await.unwrap().give_back();
        let other = scene.side.key("user", "b");
        scene.errors.borrow_mut().push(verdict("3D000"));
        assert!(matches!(scene.side.lend(&other).await, Err(Refused::Failed(_))));
        assert_eq!(scene.pool.sum().servers(), 1);
    });
}

#[test]
fn a_full_server_serves_with_what_there_is() {
    run(async {
        let scene = Scene::new(bounds(5), database());
        let lent = scene.side.lend(&scene.key).await.unwrap();
        scene.errors.borrow_mut().extend((0..100).map(|_| verdict("53300")));
        let (side, key) = (scene.side.clone(), scene.key.clone());
        let waiting = spawn_local(async move { side.lend(&key).await.map(crate::server::Lent::give_back) });
        seconds(3).await;
        assert!(!waiting.is_finished() && scene.tries.get() < 15, "{} tries", scene.tries.get());
        lent.give_back();
        waiting.await.unwrap().unwrap();
        // With none there is the client gets to know.
        drop(scene.side.lend(&scene.key).await.unwrap());
        assert!(matches!(scene.side.lend(&scene.key).await, Err(Refused::Failed(_))));
    });
}

#[test]
fn a_server_that_is_almost_full_refuses_nobody_who_can_wait() {
    run(async {
        let scene = Scene::new(bounds(5), database());
        scene.errors.borrow_mut().extend((0..2).map(|_| verdict("53300")));
        let clients = (0..3).map(|_| {
            let (side, key) = (scene.side.clone(), scene.key.clone());
            spawn_local(async move { side.lend(&key).await.map(crate::server::Lent::give_back) })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.unwrap().unwrap();
        }
    });
}

#[test]
fn a_server_that_cannot_be_reached_is_tried_again() {
    run(async {
        let scene = Scene::new(bounds(5), database());
        scene.errors.borrow_mut().extend((0..5).map(|_| ConnectError::Unreachable("refused".into())));
        let since = now();
        scene.side.lend(&scene.key).await.unwrap().give_back();
        assert!(scene.tries.get() == 6 && now() - since < Duration::from_secs(4), "{:?}", now() - since);
        assert!(!scene.pool.is_failing());
        scene.errors.borrow_mut().extend((0..1000).map(|_| ConnectError::Unreachable("refused".into())));
        drop(scene.side.lend(&scene.key).await.unwrap());
        let refused = scene.side.lend(&scene.key).await;
        assert!(matches!(refused, Err(Refused::Away(reason)) if &*reason == "refused"));
        assert!(scene.pool.is_failing() && scene.tries.get() < 100, "{} tries", scene.tries.get());
    });
}

#[test]
fn a_server_that_sleeps_is_woken_and_waited_for() {
    run(async {
        let (mut keeper, database) = DatabaseKeeper::new(ServerState::Asleep);
        let scene = Scene::new(plan::Pool { least: 1, ..bounds(5) }, database);
        settle().await;
        assert!(keeper.wanted.try_recv().is_err(), "nobody asked");
        let (side, key) = (scene.side.clone(), scene.key.clone());
        let waiting = spawn_local(async move { side.lend(&key).await.map(crate::server::Lent::give_back) });
        assert_eq!(keeper.wanted.recv().await, Some(()));
        keeper.state.send_replace(ServerState::Starting);
        seconds(5).await;
        assert_eq!((waiting.is_finished(), scene.tries.get()), (false, 0));
        let since = now();
        keeper.state.send_replace(ServerState::Up(address()));
        waiting.await.unwrap().unwrap();
        assert!(now() - since < Duration::from_millis(10));
    });
}

#[test]
fn a_server_elsewhere_is_gone_to() {
    run(async {
        let scene = Scene::new(bounds(5), database());
        let (idle, busy) = (scene.side.lend(&scene.key).await.unwrap(), scene.side.lend(&scene.key).await.unwrap());
        idle.give_back();
        let elsewhere = ServerAddress::Tcp("db2".into(), 5432);
        scene.side.swap(shape(bounds(5)), Database::outside(elsewhere.clone()));
        settle().await;
        assert_eq!(scene.pool.sum().servers(), 1);
        busy.give_back();
        assert_eq!(scene.pool.sum().servers(), 0);
        let lent = scene.side.lend(&scene.key).await.unwrap();
        assert_eq!(lent.address, elsewhere);
    });
}

#[test]
fn connections_of_a_user_who_left_the_file_are_closed() {
    run(async {
        let scene = Scene::new(bounds(5), database());
        let other = scene.side.key("user", "b");
        let (idle, busy) = (scene.side.lend(&scene.key).await.unwrap(), scene.side.lend(&other).await.unwrap());
        idle.give_back();
        let without = plan::Plan { users: Default::default(), ..plan(bounds(5)) };
        scene.side.swap(Arc::new(Shape::new(without, None).unwrap()), database());
        assert_eq!((scene.idle(), scene.pool.sum().servers()), (0, 1));
        busy.give_back();
        assert_eq!(scene.pool.sum().servers(), 0);
        scene.side.swap(shape(bounds(5)), database());
        scene.side.lend(&scene.key).await.unwrap().give_back();
        assert_eq!(scene.idle(), 1);
    });
}

#[test]
fn a_lower_bound_holds_as_connections_come_free() {
    run(async {
        let scene = Scene::new(bounds(4), database());
        let mut lent = Vec::new();
        for _ in 0..4 {
            lent.push(scene.side.lend(&scene.key).await.unwrap());
        }
        lent.pop().unwrap().give_back();
        scene.pool.set_most(2);
        seconds(1).await;
        assert_eq!(scene.pool.sum().servers(), 3);
        lent.pop().unwrap().give_back();
        lent.pop().unwrap().give_back();
        assert_eq!((scene.idle(), scene.pool.sum().servers()), (1, 2));
    });
}

#[test]
fn a_drain_serves_those_who_wait_and_keeps_nothing() {
    run(async {
        let scene = Scene::new(bounds(1), database());
        let lent = scene.side.lend(&scene.key).await.unwrap();
        let (side, key) = (scene.side.clone(), scene.key.clone());
        let waiting = spawn_local(async move { side.lend(&key).await });
        settle().await;
        scene.side.drain();
        lent.give_back();
        waiting.await.unwrap().unwrap().give_back();
        assert_eq!((scene.pool.sum().servers(), scene.tries.get()), (0, 1));
    });
}

#[test]
fn the_queue_has_a_bound() {
    run(async {
        let scene = Scene::new(plan::Pool { client: 2, ..bounds(1) }, database());
        let lent = scene.side.lend(&scene.key).await.unwrap();
        for _ in 0..2 {
            let (side, key) = (scene.side.clone(), scene.key.clone());
            spawn_local(async move { side.lend(&key).await.map(crate::server::Lent::give_back) });
        }
        settle().await;
        assert!(matches!(scene.side.lend(&scene.key).await, Err(Refused::Full { most: 2 })));
        lent.give_back();
        settle().await;
        assert_eq!(scene.pool.sum().waiting, 0);
    });
}

#[test]
fn a_connection_that_fits_is_taken_before_the_last_one() {
    run(async {
        let scene = Scene::new(bounds(3), database());
        let mut lent = Vec::new();
        for _ in 0..3 {
            lent.push(scene.side.lend(&scene.key).await.unwrap());
        }
        let [first, second, third] = [lent[0].id, lent[1].id, lent[2].id];
        lent.into_iter().for_each(crate::server::Lent::give_back);
        let fitting = scene.side.try_lend(&scene.key, |connection| connection.id == first).unwrap();
        let last = scene.side.try_lend(&scene.key, |connection| connection.id == first).unwrap();
        let left = scene.side.try_lend(&scene.key, |_| true).unwrap();
        assert_eq!([fitting.id, last.id, left.id], [first, third, second]);
        assert!(scene.side.try_lend(&scene.key, |_| true).is_none());
    });
}
