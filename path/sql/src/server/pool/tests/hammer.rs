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

async fn client(side: Rc<Side>, key: Arc<Key>, number: usize, done: Sender<()>) {
    for turn in 0..100 {
        let mut lent = side.lend(&key).await.unwrap();
        if (turn + number).is_multiple_of(7) {
            echo(&mut lent).await;
        }
        if (turn + number).is_multiple_of(5) {
            tokio::task::yield_now().await;
        }
        lent.give_back();
        if turn % 10 == 0 {
            tokio::task::yield_now().await;
        }
    }
    done.send(()).unwrap();
}

#[test]
fn sixteen_loops_on_two_connections_lose_no_wake_up() {
    const LOOPS: usize = 16;
    let (loops, opened, (done, all)) = (Loops::start(LOOPS).unwrap(), Arc::default(), channel());
    let (pool, events, messages) = pool(LOOPS, 2);
    let shape = shape(bounds(2));
    for (index, messages) in messages.into_iter().enumerate() {
        let (pool, events, shape, done, opened) = (pool.clone(), events.clone(), shape.clone(), done.clone(), Arc::clone(&opened));
        loops.run(index, move |here| async move {
            let connect = echoing(pool.clone(), opened);
            let side = Side::new(here, pool, events, shape, database(), connect);
            side.start(messages);
            for number in 0..4 {
                let key = side.key("user", "a");
                tokio::task::spawn_local(client(side.clone(), key, number, done.clone()));
            }
        });
    }
    drop(done);
    let mut left = LOOPS * 4;
    while left > 0 {
        match all.recv_timeout(Duration::from_secs(20)) {
            Ok(()) => left -= 1,
            Err(RecvTimeoutError::Timeout) => panic!("{left} clients are stuck: {:?}", pool.sum()),
            Err(RecvTimeoutError::Disconnected) => panic!("{left} clients were refused: {:?}", pool.sum()),
        }
    }
    let sum = pool.sum();
    assert_eq!((sum.busy, sum.waiting, sum.servers()), (0, 0, 2), "{sum:?}");
    assert_eq!(opened.load(Ordering::Relaxed), 2, "connections move, they are not opened again");
    loops.end();
}
