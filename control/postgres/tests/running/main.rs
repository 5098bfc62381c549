//! A real Postgres under the tier. These tests want one on the machine, with its client programs.

#![allow(clippy::unwrap_used)] // helpers of tests

mod ends;
mod ground;

use std::time::Instant;

use contract::ServerState;
use ground::{Ground, inhabitants, signal};
use process::Signal;

#[tokio::test]
async fn it_sleeps_until_it_is_wanted_and_is_made_then() {
    let ground = Ground::new();
    ground.handle.ready().await.unwrap();
    assert_eq!(ground.handle.database().state(), ServerState::Asleep);
    assert!(!ground.handle.holds_data() && !ground.data().exists());
    let begun = Instant::now();
    ground.up().await;
    eprintln!("from nothing: {:?}", begun.elapsed());
    assert_eq!(ground.sql("SELECT current_user, current_database()").await, "main|main");
    let settings = "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings WHERE name IN \
                    ('data_checksums', 'fsync', 'listen_addresses', 'password_encryption', 'server_encoding', 'wal_level')";
    let expected = "data_checksums=on fsync=on listen_addresses= password_encryption=scram-sha-256 server_encoding=UTF8 wal_level=replica";
    assert_eq!(ground.sql(settings).await, expected);
    assert_eq!(ground.sql("SELECT datcollate FROM pg_database WHERE datname = 'main'").await, "C.UTF-8");
    ground.handle.stop().await;
}

#[tokio::test]
async fn data_are_kept_over_a_stop_and_the_server_starts_with_the_tier() {
    let ground = Ground::new();
    ground.up().await;
    ground.sql("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)").await;
    let data = ground.data();
    ground.handle.stop().await;
    assert_eq!(inhabitants(&data), [0; 0]);
    assert!(!data.join("postmaster.pid").exists(), "a stop in order leaves no pid file");
    let begun = Instant::now();
    let ground = ground.again();
    ground.socket().await;
    eprintln!("warm: {:?}", begun.elapsed());
    assert_eq!(ground.sql("SELECT n FROM kept").await, "7");
    ground.handle.stop().await;
}

#[tokio::test]
async fn a_killed_server_is_back_with_what_it_had() {
    let ground = Ground::new();
    ground.up().await;
    ground.sql("CREATE TABLE kept (n int)").await;
    for round in 1..=3 {
        ground.sql(&format!("INSERT INTO kept VALUES ({round})")).await;
        let pid = ground.pid();
        let begun = Instant::now();
        signal(pid, Signal::KILL);
        ground::until("another life", || ground.handle.status().restarts == round).await;
        ground.socket().await;
        eprintln!("back after: {:?}", begun.elapsed());
        assert_eq!(ground.sql("SELECT count(*) FROM kept").await, round.to_string());
        assert_ne!(ground.pid(), pid);
    }
    let metrics = ground.registry.render();
    assert!(metrics.contains("postgres_restarts_total 3") && metrics.contains("postgres_up 1"), "{metrics}");
    ground.handle.stop().await;
}

#[tokio::test]
async fn data_of_another_major_are_never_started() {
    let ground = Ground::new();
    ground.up().await;
    let data = ground.data();
    ground.handle.stop().await;
    std::fs::write(data.join("PG_VERSION"), "14\n").unwrap();
    let ground = ground.again();
    let reason = ground.down().await;
    assert!(reason.contains("made by PostgreSQL 14") && reason.contains("plimsoll db restore"), "{reason}");
    assert_eq!(ground.handle.ready().await.unwrap_err(), reason);
    assert_eq!(inhabitants(&data), [0; 0]);
    // Whoever puts it right need not start anew.
    std::fs::write(data.join("PG_VERSION"), "15\n").unwrap();
    ground.up().await;
    ground.handle.stop().await;
}

#[tokio::test]
async fn two_on_one_folder_are_refused() {
    let ground = Ground::new();
    let (setup, _) = ground::setup(&ground.state);
    let refused = postgres::Tier::start(ground::plan(&["main"]), setup, &telemetry::Registry::default()).unwrap_err();
    assert!(refused.contains("another Plimsoll"), "{refused}");
    ground.handle.stop().await;
}
