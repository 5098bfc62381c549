//! Many real loops and few connections: whoever waits is woken.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};

use loops::Loops;

use super::*;
use crate::server::pool::open::Connect;

/// The other end answers each byte.
fn echoing(pool: Arc<Pool>, opened: Arc<AtomicUsize>) -> Connect {
    Box::new(move |wanted| {
        opened.fetch_add(1, Ordering::Relaxed);
        let (connection, mut end) = connection(pool.new_id(), wanted.address, wanted.key);
        std::thread::spawn(move || {
            let mut byte = [0];
            while end.read(&mut byte).is_ok_and(|count| count == 1) && end.write_all(&byte).is_ok() {}
        });
        Box::pin(async move { Ok(connection) })
    })
}

/// Uses a connection so that it must be registered with the loop that has it.
async fn echo(connection: &mut Connection) {
    let mut byte = [0];
    std::future::poll_fn(|context| connection.stream.poll_write(context, b"?")).await.unwrap();
    std::future::poll_fn(|context| connection.stream.poll_read(context, &mut byte)).await.unwrap();
    assert_eq!(&byte, b"?");
}

/// Asks again and again; one time in twenty, if `rough`, it leaves its connection dirty or goes while it waits.
async fn client(side: Rc<Side>, keys: Vec<Arc<Key>>, number: usize, rough: bool, done: Sender<()>) {
    for turn in number..number + 100 {
        let key = &keys[turn % keys.len()];
        if rough && turn % 20 == 7 {
            tokio::select! {
                biased;
                lent = side.lend(key) => drop(lent.unwrap()),
                () = tokio::task::yield_now() => {}
            }
            continue;
        }
        let mut lent = side.lend(key).await.unwrap();
        if turn % 7 == 0 {
            echo(&mut lent).await;
        }
        if turn % 5 == 0 {
            tokio::task::yield_now().await;
        }
        lent.give_back();
        if turn % 10 == 0 {
            tokio::task::yield_now().await;
        }
    }
    done.send(()).unwrap();
}

/// Lets `each` clients hammer on each of `loops` loops; returns the pool and how many connections were opened.
fn hammer(loops: usize, most: usize, each: usize, databases: &'static [&'static str], rough: bool) -> (Arc<Pool>, usize) {
    let (threads, opened, (done, all)) = (Loops::start(loops).unwrap(), Arc::<AtomicUsize>::default(), channel());
    let (pool, events, messages) = pool(loops, most);
    let shape = shape(bounds(most));
    for (index, messages) in messages.into_iter().enumerate() {
        let (pool, events, shape, done, opened) = (pool.clone(), events.clone(), shape.clone(), done.clone(), opened.clone());
        threads.run(index, move |here| async move {
            let side = Side::new(here, pool.clone(), events, shape, database(), echoing(pool, opened), 1);
            side.start(messages);
            let keys: Vec<_> = databases.iter().map(|database| side.key("user", database)).collect();
            for number in 0..each {
                tokio::task::spawn_local(client(side.clone(), keys.clone(), number, rough, done.clone()));
            }
        });
    }
    drop(done);
    let mut left = loops * each;
    while left > 0 {
        match all.recv_timeout(Duration::from_secs(20)) {
            Ok(()) => left -= 1,
            Err(RecvTimeoutError::Timeout) => panic!("{left} clients are stuck: {:?}", pool.sum()),
            Err(RecvTimeoutError::Disconnected) => panic!("{left} clients were refused: {:?}", pool.sum()),
        }
    }
    threads.end();
    (pool, opened.load(Ordering::Relaxed))
}

#[test]
fn sixteen_loops_on_two_connections_lose_no_wake_up() {
    let (pool, opened) = hammer(16, 2, 4, &["a"], false);
    let sum = pool.sum();
    assert_eq!((sum.busy, sum.waiting, sum.servers()), (0, 0, 2), "{sum:?}");
    assert_eq!(opened, 2, "connections move, they are not opened again");
}

#[test]
fn databases_that_take_each_other_s_places_lose_no_wake_up() {
    let (pool, _) = hammer(4, 3, 8, &["a", "a", "b", "c"], true);
    let sum = pool.sum();
    assert_eq!((sum.busy, sum.waiting), (0, 0), "{sum:?}");
    assert!(pool.total.open() <= 3);
}
