use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use contract::Endpoint;
use telemetry::Log;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::timeout;

use super::super::retry::Failure;
use super::super::tests::simulation::BOUNDS;
use super::super::{Exchange, NoPeer, Outcome, State};
use super::*;

/// An app whose health answers the status in the cell; 0: it closes without an answer, 1: it never answers.
async fn app(status: Arc<AtomicU16>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 1024];
            let read = stream.read(&mut head).await.unwrap_or(0);
            let expected = format!("GET /up HTTP/1.1\r\nHost: {address}\r\nUser-Agent: plimsoll-health\r\n");
            assert!(head[..read].starts_with(expected.as_bytes()));
            match status.load(Ordering::Relaxed) {
                0 => {}
                1 => silent.push(stream),
                status => {
                    let answer = format!("HTTP/1.1 {status} Any\r\nContent-Length: 0\r\n\r\n");
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            }
        }
    });
    address
}

fn quick(path: Option<&str>) -> Check {
    Check { every: Duration::from_millis(5), ..Check::new(path.map(str::to_string)) }
}

fn outside(address: SocketAddr) -> Endpoint {
    Endpoint::new(&address.to_string(), address, 1, Instant::now())
}

fn group(checked_at_join: bool) -> Arc<Group> {
    Group::new("shop".into(), 1, BOUNDS, checked_at_join, Log::nowhere(), 1, Instant::now())
}

/// Waits until endpoint `index` stands so; the test's own deadline is generous.
async fn until(group: &Group, index: usize, wanted: State) {
    let met = async {
        while group.states(Instant::now()).get(index).is_none_or(|found| found.state != wanted) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(30), met).await.unwrap_or_else(|_| panic!("never {wanted:?}: {:?}", group.states(Instant::now())));
}

#[tokio::test]
async fn an_outside_app_follows_its_answers() {
    let status = Arc::new(AtomicU16::new(204));
    let (list, endpoints) = contract::endpoints(vec![outside(app(status.clone()).await)]);
    let group = group(false);
    let task = tokio::spawn(keep(group.clone(), endpoints, quick(Some("/up"))));
    until(&group, 0, State::Up).await;
    for bad in [500, 404, 0] {
        status.store(bad, Ordering::Relaxed);
        until(&group, 0, State::Down).await;
        status.store(302, Ordering::Relaxed);
        until(&group, 0, State::Up).await;
    }
    // Down: used all the same when nothing else is left, for it takes connections.
    status.store(503, Ordering::Relaxed);
    until(&group, 0, State::Down).await;
    assert!(group.choose(0, Instant::now(), &[]).is_ok());
    list.send_replace(Arc::from([]));
    timeout(Duration::from_secs(30), async {
        while group.choose(0, Instant::now(), &[]).err() != Some(NoPeer::Empty) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .unwrap();
    task.abort();
}

#[tokio::test]
async fn a_port_that_does_not_accept_is_down_and_one_that_does_is_up() {
    // Bound but not listening: refused, and nobody else can take it.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let (_list, endpoints) = contract::endpoints(vec![outside(socket.local_addr().unwrap())]);
    let group = group(false);
    let task = tokio::spawn(keep(group.clone(), endpoints, quick(None)));
    until(&group, 0, State::Down).await;
    let _listener = socket.listen(16).unwrap();
    until(&group, 0, State::Up).await;
    task.abort();
}

#[tokio::test]
async fn one_that_hangs_goes_down_and_the_writer_of_the_list_may_end() {
    let status = Arc::new(AtomicU16::new(200));
    let (list, endpoints) = contract::endpoints(vec![outside(app(status.clone()).await)]);
    let group = group(true);
    group.update(&list.borrow().clone(), Instant::now());
    assert!(group.has_usable(Instant::now()), "the supervisor has checked it");
    let check = Check { timeout: Duration::from_millis(50), ..quick(Some("/up")) };
    let task = tokio::spawn(keep(group.clone(), endpoints, check));
    drop(list);
    status.store(1, Ordering::Relaxed);
    until(&group, 0, State::Down).await;
    task.abort();
}

#[tokio::test]
async fn a_failing_check_does_not_bring_back_what_a_request_found_dead() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_list, endpoints) = contract::endpoints(vec![outside(listener.local_addr().unwrap())]);
    let group = group(true);
    let check = Check { down_after: 1000, ..quick(Some("/up")) };
    let task = tokio::spawn(keep(group.clone(), endpoints, check));
    let failing_check = || async { timeout(Duration::from_secs(30), listener.accept()).await.unwrap().unwrap() };
    failing_check().await;
    let peer = group.choose(0, Instant::now(), &[]).unwrap();
    Exchange::begin(peer, Instant::now()).end(Outcome::Failed(Failure::Connect), Instant::now());
    for _ in 0..3 {
        failing_check().await;
    }
    assert_eq!(group.states(Instant::now())[0].state, State::Down);
    task.abort();
}
