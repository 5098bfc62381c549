//! Rolling: the new beside the old, all or nothing.

use std::time::Duration;

use apps::Refused;

use crate::ground::{Ground, app, edited, get, lives, server, until, version};

#[tokio::test]
async fn the_new_take_over_and_the_old_finish_what_they_hold() {
    let plan = server(|run| run.instances = 2);
    let ground = Ground::start(vec![plan.clone()]);
    ground.handle.ready().await.unwrap();
    let (old, old_pids) = (ground.list("shop"), ground.pids("shop"));
    let mut prepared = ground.handle.plan_roll(vec![version(&plan, "2")]).await.unwrap();
    assert!(ground.list("shop").iter().zip(old.iter()).all(|(now, before)| now.is(before)));
    assert!(matches!(ground.handle.plan_roll(vec![plan]).await, Err(Refused::Busy)));
    old[0].in_flight.begin(0);
    prepared.publish();
    for endpoint in ground.list("shop").iter() {
        assert!(get(endpoint, "/").await.starts_with("2 "));
    }
    prepared.commit();
    // The one without a request leaves; the one with an open request answers still.
    let holds =
        old_pids.iter().position(|pid| ground.app("shop").instances.iter().any(|one| one.pid == Some(*pid) && *one.name == *old[0].name));
    let (busy, idle) = if holds == Some(0) { (old_pids[0], old_pids[1]) } else { (old_pids[1], old_pids[0]) };
    until("the idle one to leave", || !lives(idle)).await;
    assert!(lives(busy));
    assert!(get(&old[0], "/").await.starts_with("1 "));
    old[0].in_flight.end(0);
    until("the busy one to leave", || !lives(busy)).await;
    assert_eq!(ground.list("shop").len(), 2);
    ground.handle.stop().await;
}

#[tokio::test]
async fn old_instances_wait_for_websockets_over_several_reloads() {
    let plan = server(|_| {});
    let ground = Ground::start(vec![plan.clone()]);
    ground.handle.ready().await.unwrap();
    let (first, first_pid) = (ground.list("shop")[0].clone(), ground.pids("shop")[0]);
    first.in_flight.begin(0);
    first.in_flight.upgrade(0);
    for next in ["2", "3"] {
        ground.handle.plan_roll(vec![version(&plan, next)]).await.unwrap().commit();
    }
    until("only the one with a WebSocket to stay", || ground.pids("shop").len() == 2).await;
    assert!(lives(first_pid));
    first.in_flight.end_upgraded(0);
    until("the oldest to leave", || !lives(first_pid)).await;
    ground.handle.stop().await;
}

#[tokio::test]
async fn a_refused_reload_leaves_everything_as_it_was() {
    let (plan, other) = (server(|_| {}), app("other", &["python3", "server.py"], |_| {}));
    let ground = Ground::start(vec![plan.clone(), other.clone()]);
    ground.handle.ready().await.unwrap();
    let before = (ground.list("shop"), ground.pids("shop"), ground.pids("other"));
    let broken = edited(&other, |run| run.run = ["sh", "-c", "echo cannot; exit 1"].map(String::from).to_vec());
    let Err(Refused::Failed(failure)) = ground.handle.plan_roll(vec![version(&plan, "2"), broken]).await else { panic!("accepted") };
    assert_eq!((&*failure.app, failure.lines), ("other", vec!["cannot".to_string()]));
    assert_eq!((ground.pids("shop"), ground.pids("other")), (before.1, before.2));
    assert!(ground.list("shop").iter().zip(before.0.iter()).all(|(now, then)| now.is(then)));
    // The next one is not held up.
    ground.handle.plan_roll(vec![plan, other]).await.unwrap().commit();
    ground.handle.stop().await;
}

#[tokio::test]
async fn abandoned_after_publishing_the_old_are_back() {
    let plan = server(|_| {});
    let ground = Ground::start(vec![plan.clone()]);
    ground.handle.ready().await.unwrap();
    let old = ground.list("shop");
    let mut prepared = ground.handle.plan_roll(vec![version(&plan, "2")]).await.unwrap();
    prepared.publish();
    assert!(!ground.list("shop")[0].is(&old[0]));
    prepared.abandon().await;
    assert!(ground.list("shop")[0].is(&old[0]));
    assert_eq!(ground.pids("shop").len(), 1);
    ground.handle.stop().await;
}

#[tokio::test]
async fn another_number_of_instances_restarts_none() {
    let plan = server(|_| {});
    let ground = Ground::start(vec![plan.clone()]);
    ground.handle.ready().await.unwrap();
    let first = ground.pids("shop");
    ground.handle.plan_roll(vec![edited(&plan, |run| run.instances = 3)]).await.unwrap().commit();
    assert_eq!(ground.list("shop").len(), 3);
    assert_eq!(ground.pids("shop")[0], first[0]);
    ground.handle.plan_roll(vec![edited(&plan, |run| run.instances = 1)]).await.unwrap().commit();
    until("two to leave", || ground.pids("shop") == first).await;
    assert_eq!(ground.list("shop").len(), 1);
    ground.handle.stop().await;
}

#[tokio::test]
async fn apps_come_and_go() {
    let (plan, other) = (server(|_| {}), app("other", &["python3", "server.py"], |run| run.drain = Duration::from_secs(60)));
    let ground = Ground::start(vec![plan.clone()]);
    ground.handle.ready().await.unwrap();
    let prepared = ground.handle.plan_roll(vec![other.clone()]).await.unwrap();
    let list = prepared.endpoints()["other"].clone();
    assert_eq!(prepared.endpoints().len(), 1);
    let old = ground.pids("shop")[0];
    prepared.commit();
    assert_eq!(list.borrow().len(), 1);
    until("the removed one to leave", || !lives(old)).await;
    let names = || ground.handle.status().into_iter().map(|app| app.name).collect::<Vec<_>>();
    until("it to be forgotten", || names() == ["other"]).await;
    ground.handle.stop().await;
}
