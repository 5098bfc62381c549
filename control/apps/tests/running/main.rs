//! Real processes under the supervisor.

#![allow(clippy::unwrap_used)] // helpers of tests

mod ground;
mod reload;
mod stop;

use std::time::Duration;

use apps::{Plan, Source};
use ground::{Ground, app, children, edited, get, kill, parent, server, signal, until};

#[tokio::test]
async fn instances_answer_and_a_killed_one_comes_back() {
    let ground = Ground::start(vec![server(|run| run.instances = 2)]);
    ground.handle.ready().await.unwrap();
    let list = ground.list("shop");
    assert_eq!(list.iter().map(|endpoint| &*endpoint.name).collect::<std::collections::BTreeSet<_>>(), ["shop.1", "shop.2"].into());
    assert_ne!(list[0].address, list[1].address);
    let victim = get(&list[0], "/").await.strip_prefix("1 ").unwrap().parse().unwrap();
    kill(victim);
    let known = list.clone();
    until("another life", || {
        let now = ground.list("shop");
        now.len() == 2 && !now.iter().any(|endpoint| endpoint.is(&known[0])) && now.iter().any(|endpoint| endpoint.is(&known[1]))
    })
    .await;
    let metrics = ground.registry.render();
    assert!(metrics.contains("app_restarts_total{app=\"shop\"} 1"), "{metrics}");
    assert!(metrics.contains("app_instances{app=\"shop\",state=\"healthy\"} 2"), "{metrics}");
    ground.handle.stop().await;
}

#[tokio::test]
async fn an_instance_finds_its_environment_and_nothing_withheld() {
    let ground = Ground::start(vec![server(|run| run.run.push("--name=$PLIMSOLL_APP".into()))]);
    ground.handle.ready().await.unwrap();
    let list = ground.list("shop");
    let environment = get(&list[0], "/env").await;
    for part in
        ["\"PLIMSOLL_APP\": \"shop\"", "\"PLIMSOLL_INSTANCE\": \"shop.1\"", "\"HOST\": \"127.0.0.1\"", "\"VERSION\": \"1\"", "\"PATH\": "]
    {
        assert!(environment.contains(part), "no {part} in {environment}");
    }
    assert!(!environment.contains("s3cret"), "{environment}");
    let words = std::fs::read_to_string(format!("/proc/{}/cmdline", ground.pids("shop")[0])).unwrap();
    assert!(words.contains("--name=shop\0"), "{words}");
    ground.handle.stop().await;
}

#[tokio::test]
async fn a_failure_tells_the_last_lines() {
    let ground = Ground::start(vec![app("shop", &["sh", "-c", "echo the config is wrong >&2; exit 3"], |_| {})]);
    let failure = ground.handle.ready().await.unwrap_err();
    assert_eq!(failure.reason, "shop.1 ended with status 3 before it was healthy");
    assert_eq!(failure.lines, ["the config is wrong"]);
    until("another try", || ground.app("shop").instances[0].restarts > 0).await;
    assert!(ground.list("shop").is_empty());
    ground.handle.stop().await;
}

#[tokio::test]
async fn a_missing_program_is_a_failure() {
    let ground = Ground::start(vec![app("shop", &["./no-such-program"], |_| {})]);
    let failure = ground.handle.ready().await.unwrap_err();
    assert!(failure.reason.contains("cannot start ./no-such-program in "), "{failure}");
    ground.handle.stop().await;
}

#[tokio::test]
async fn one_that_is_never_well_fails_after_start() {
    let sick = server(|run| {
        run.env.push(("SICK".into(), "1".into()));
        run.start = Duration::from_secs(3);
    });
    let ground = Ground::start(vec![sick]);
    let failure = ground.handle.ready().await.unwrap_err();
    assert!(failure.reason.contains("was not healthy within 3 s: "), "{failure}");
    ground.handle.stop().await;
}

#[tokio::test]
async fn a_worker_gets_no_port_and_no_endpoint() {
    let worker = Plan {
        routed: false,
        health: None,
        ..app("mail", &["sh", "-c", "test -z \"$PORT\" && exec sleep 1000"], |run| run.withheld.push("PORT".into()))
    };
    let ground = Ground::start(vec![worker]);
    ground.handle.ready().await.unwrap();
    assert!(ground.handle.endpoints().is_empty());
    assert_eq!((ground.app("mail").instances[0].state, ground.app("mail").instances[0].endpoint.clone()), ("healthy", None));
    ground.handle.stop().await;
}

#[tokio::test]
async fn an_outside_app_is_its_addresses() {
    let outside = Plan { source: Source::External(vec!["10.0.0.5:3000".parse().unwrap()]), ..server(|_| {}) };
    let ground = Ground::start(vec![outside.clone()]);
    ground.handle.ready().await.unwrap();
    let list = ground.list("shop");
    assert_eq!(&*list[0].name, "10.0.0.5:3000");
    let two = vec!["10.0.0.5:3000".parse().unwrap(), "10.0.0.6:3000".parse().unwrap()];
    ground.handle.plan_roll(vec![Plan { source: Source::External(two), ..outside }]).await.unwrap().commit();
    let now = ground.list("shop");
    assert_eq!(now.len(), 2);
    assert!(now[0].is(&list[0]));
    assert_eq!(ground.app("shop").instances.len(), 2);
}

#[tokio::test]
async fn a_build_runs_once_and_again_when_sources_change() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_path_buf();
    let script = format!("#!/bin/sh\nexec python3 {}/tests/program/server.py\n", env!("CARGO_MANIFEST_DIR"));
    std::fs::write(dir.join("source.sh"), script).unwrap();
    let plan = app("shop", &["./target/shop"], |run| {
        run.dir = dir.clone();
        run.build = Some(
            ["sh", "-c", "mkdir -p target && cp source.sh target/shop && chmod +x target/shop && echo built >> target/count"]
                .map(String::from)
                .to_vec(),
        );
    });
    let builds = || std::fs::read_to_string(dir.join("target/count")).unwrap().lines().count();
    let ground = Ground::start_in(folder, vec![plan.clone()]);
    ground.handle.ready().await.unwrap();
    assert_eq!(builds(), 1);
    ground.handle.stop().await;
    let ground = Ground::start_in(ground.folder, vec![plan.clone()]);
    ground.handle.ready().await.unwrap();
    assert_eq!(builds(), 1);
    let before = ground.pids("shop");
    // A reload of the same file: only changed code is a reason to build and roll.
    std::fs::write(dir.join("orders"), "1\n").unwrap();
    ground.handle.plan_roll(vec![plan.clone()]).await.unwrap().commit();
    assert_eq!((builds(), ground.pids("shop")), (1, before.clone()));
    std::fs::write(dir.join("more.sh"), "# new\n").unwrap();
    ground.handle.plan_roll(vec![plan]).await.unwrap().commit();
    assert_eq!(builds(), 2);
    until("the old to leave", || ground.pids("shop").len() == 1).await;
    assert_ne!(ground.pids("shop"), before);
    ground.handle.stop().await;
}

#[tokio::test]
async fn what_is_saved_during_a_build_is_built_at_the_next_reload() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_path_buf();
    let script = format!("#!/bin/sh\nexec python3 {}/tests/program/server.py\n", env!("CARGO_MANIFEST_DIR"));
    std::fs::write(dir.join("source.sh"), &script).unwrap();
    std::fs::create_dir(dir.join("target")).unwrap();
    std::fs::write(dir.join("target/hold"), "").unwrap();
    let words = "cp source.sh shop && chmod +x shop && echo >> target/count; while test -e target/hold; do sleep 0.05; done";
    let plan = app("shop", &["./shop"], |run| {
        run.dir = dir.clone();
        run.build = Some(["sh", "-c", words].map(String::from).to_vec());
    });
    let builds = || std::fs::read_to_string(dir.join("target/count")).unwrap_or_default().lines().count();
    let ground = Ground::start_in(folder, vec![plan.clone()]);
    until("the build to have read its source", || builds() == 1).await;
    std::fs::write(dir.join("source.sh"), script.replace("exec", "VERSION=2 exec")).unwrap();
    std::fs::remove_file(dir.join("target/hold")).unwrap();
    ground.handle.ready().await.unwrap();
    ground.handle.plan_roll(vec![plan.clone()]).await.unwrap().commit();
    assert_eq!(builds(), 2);
    assert!(get(&ground.list("shop")[0], "/").await.starts_with("2 "));
    // Once is enough.
    ground.handle.plan_roll(vec![plan]).await.unwrap().commit();
    assert_eq!(builds(), 2);
    ground.handle.stop().await;
}

/// The keeper is stopped, so that the build is given up exactly while it is being started.
#[tokio::test]
async fn a_build_that_nobody_waits_for_any_more_is_killed_even_while_it_starts() {
    let other = app("other", &["python3", "server.py"], |_| {});
    let ground = Ground::start(vec![other.clone()]);
    ground.handle.ready().await.unwrap();
    let keeper = parent(ground.pids("other")[0]);
    signal(keeper, rustix::process::Signal::STOP);
    let words = ["sleep", "1000"].map(String::from).to_vec();
    let built = app("shop", &["python3", "server.py"], |run| run.build = Some(words));
    let rolling = ground.handle.plan_roll(vec![other.clone(), built]);
    // Time enough to ask the keeper; less would only make the test miss what it is after.
    let given_up = tokio::time::timeout(Duration::from_secs(1), rolling).await;
    assert!(given_up.is_err());
    signal(keeper, rustix::process::Signal::CONT);
    // This one starts after the build did.
    let third = app("third", &["python3", "server.py"], |_| {});
    ground.handle.plan_roll(vec![other, third]).await.unwrap().commit();
    // The guard, and two servers.
    until("the build to end", || children(keeper) == 3).await;
    ground.handle.stop().await;
}

#[tokio::test]
async fn a_failed_build_tells_its_last_lines_and_starts_nothing() {
    let plan = edited(&server(|_| {}), |run| run.build = Some(["sh", "-c", "echo no compiler; exit 2"].map(String::from).to_vec()));
    let ground = Ground::start(vec![plan]);
    let failure = ground.handle.ready().await.unwrap_err();
    assert_eq!((failure.reason.as_str(), failure.lines), ("build ended with status 2", vec!["no compiler".to_string()]));
    assert_eq!(ground.app("shop").instances[0].state, "failed");
    ground.handle.stop().await;
}
