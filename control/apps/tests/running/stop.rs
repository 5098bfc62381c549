//! Stopping: in order, bounded, and with everything that an app started.

use std::time::Duration;

use crate::ground::{Ground, app, kill, lives, server, until};

#[tokio::test]
async fn a_stubborn_one_is_killed_after_drain() {
    let script = "trap '' TERM; python3 server.py & while :; do sleep 1000; done";
    let ground = Ground::start(vec![app("shop", &["sh", "-c", script], |run| run.drain = Duration::from_millis(300))]);
    ground.handle.ready().await.unwrap();
    let pid = ground.pids("shop")[0];
    ground.handle.stop().await;
    assert!(!lives(pid));
    assert!(ground.list("shop").is_empty());
}

/// As `npm start` does: the process that was started is not the one that serves.
#[tokio::test]
async fn grandchildren_end_with_their_instance() {
    let script = "python3 server.py & echo $! > $DIR/pid; wait";
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap().to_string();
    let file = folder.path().join("pid");
    let ground = Ground::start_in(folder, vec![app("shop", &["sh", "-c", script], |run| run.env.push(("DIR".into(), dir)))]);
    ground.handle.ready().await.unwrap();
    let grandchild = || std::fs::read_to_string(&file).ok()?.trim().parse::<u32>().ok();
    let first = grandchild().unwrap();
    kill(ground.pids("shop")[0]);
    until("the grandchild to end", || !lives(first)).await;
    until("another life", || grandchild().is_some_and(|pid| pid != first) && ground.list("shop").len() == 1).await;
    let second = grandchild().unwrap();
    assert!(lives(second));
    ground.handle.stop().await;
    assert!(!lives(second));
}

#[tokio::test]
async fn a_stop_while_starting_ends_it() {
    let ground = Ground::start(vec![app("other", &["sleep", "1000"], |_| {}), server(|_| {})]);
    until("it to start", || ground.handle.status().iter().all(|app| app.instances.iter().all(|one| one.pid.is_some()))).await;
    let pids = [ground.pids("shop"), ground.pids("other")].concat();
    ground.handle.stop().await;
    assert!(pids.into_iter().all(|pid| !lives(pid)));
}
