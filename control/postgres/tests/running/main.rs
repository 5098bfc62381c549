//! A real Postgres under the tier. These tests want one on the machine, with its client programs.

#![allow(clippy::unwrap_used)] // helpers of tests

mod dumps;
mod ends;
mod ground;
mod places;

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
    let elapsed = begun.elapsed();
    ground::until("the log", || ground.lines.text().contains("is ready after ")).await;
    let (start, made) = (ground.told("is ready after "), ground.told("a new database in "));
    eprintln!("from nothing: {elapsed:?}");
    assert!(start + made < elapsed, "the start is counted from the postmaster's own: {start:?}, made in {made:?}, in all {elapsed:?}");
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
    assert!(matches!(ground.handle.database().state(), ServerState::Unable(_)), "nobody need wait for that");
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

#[tokio::test]
async fn many_wishes_make_one_server() {
    let ground = Ground::new();
    let database = ground.handle.database();
    let waits = (0..50).map(|_| {
        let database = database.clone();
        tokio::spawn(async move {
            database.want();
            let mut state = database.watch();
            state.wait_for(|state| matches!(state, ServerState::Up(_))).await.unwrap().clone()
        })
    });
    let waits: Vec<_> = waits.collect();
    for wait in waits {
        assert!(matches!(wait.await.unwrap(), ServerState::Up(_)));
    }
    let starts = || ground.lines.text().matches("is ready after").count();
    ground::until("the log", || starts() > 0).await;
    assert_eq!((starts(), ground.handle.status().restarts), (1, 0));
    ground.handle.stop().await;
}

#[tokio::test]
async fn a_changed_plan_makes_its_database_in_the_running_server() {
    let ground = Ground::new();
    let socket = ground.up().await;
    let pid = ground.pid();
    ground.handle.change(ground::plan(&["main", "orders"])).unwrap();
    ground::until("the other database", || ground::psql(&ground.handle, &socket, "orders", "SELECT 1").status.success()).await;
    assert_eq!(ground.pid(), pid);
    let may_connect = "SELECT has_database_privilege('main', 'orders', 'CONNECT')";
    ground::until("one app not to see another one's database", || {
        ground::psql(&ground.handle, &socket, "main", may_connect).stdout == b"f\n"
    })
    .await;
    ground.handle.stop().await;
}

/// A role may make databases; one of them may become a section's later.
#[tokio::test]
async fn a_database_that_another_role_made_becomes_its_sections() {
    let ground = Ground::new();
    let socket = ground.up().await;
    ground.sql("CREATE DATABASE orders").await;
    let as_main = ground.handle.credentials("main").unwrap();
    let made = ground::psql_as(&as_main, &socket, "orders", "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)");
    assert!(made.status.success(), "{made:?}");
    ground.handle.change(ground::plan(&["main", "orders"])).unwrap();
    let count = || {
        ground::psql(&ground.handle, &socket, "orders", "INSERT INTO kept VALUES (8); CREATE TABLE mine (n int); SELECT sum(n) FROM kept")
    };
    ground::until("the section to have it", || count().stdout == b"15\n").await;
    ground::until("its maker to be out", || !ground::psql_as(&as_main, &socket, "orders", "SELECT 1").status.success()).await;
    let owners =
        "SELECT string_agg(datname || ' ' || pg_get_userbyid(datdba), ', ' ORDER BY datname) FROM pg_database WHERE NOT datistemplate";
    assert_eq!(ground.sql(owners).await, "main main, orders orders, postgres plimsoll");
    assert!(ground.lines.text().contains("the database orders was there"), "{}", ground.lines.text());
    ground.handle.stop().await;
}

/// A role's password is lost with the file; the server takes the new one.
#[tokio::test]
async fn a_new_password_is_taken() {
    let ground = Ground::new();
    ground.up().await;
    let before = ground.handle.credentials("main").unwrap();
    ground.handle.stop().await;
    std::fs::remove_file(ground.state.join("postgres/passwords/main")).unwrap();
    let ground = ground.again();
    ground.socket().await;
    assert_ne!(ground.handle.credentials("main").unwrap().password, before.password);
    assert_eq!(ground.sql("SELECT current_user").await, "main");
    // Nobody locks an app out for longer than a life.
    ground.sql("ALTER ROLE main PASSWORD 'another'").await;
    ground.handle.stop().await;
    let ground = ground.again();
    assert_eq!(ground.sql("SELECT current_user").await, "main");
    ground.handle.stop().await;
}

#[tokio::test]
async fn what_stops_it_from_starting_is_told_with_what_to_do() {
    let ground = Ground::new();
    ground.up().await;
    let data = ground.data();
    ground.handle.stop().await;
    ground::mode(&data, 0o755);
    let ground = ground.again();
    let reason = ground.down().await;
    assert!(reason.contains(&format!("`chmod 700 {}`", data.display())), "{reason}");
    // Who waits is told why, whenever that is: not that it starts.
    let mut seen = ground.handle.database().watch();
    for _ in 0..3 {
        assert!(matches!(&*seen.borrow_and_update(), ServerState::Down(_)));
        seen.changed().await.unwrap();
    }
    ground::mode(&data, 0o700);
    ground.up().await;
    assert_eq!(ground.handle.status().reason, None);
    ground.handle.stop().await;
}

#[tokio::test]
async fn a_making_that_was_cut_short_leaves_nothing_in_the_way() {
    let ground = Ground::new();
    ground.handle.ready().await.unwrap();
    let aside = ground.state.join("postgres/data.new");
    std::fs::create_dir(&aside).unwrap();
    std::fs::write(aside.join("PG_VERSION"), "15\n").unwrap();
    ground.handle.database().want();
    ground::until("it to be made", || ground.handle.status().state == "making").await;
    ground.handle.stop().await;
    assert!(!ground.handle.holds_data());
    let ground = ground.again();
    ground.up().await;
    assert!(!aside.exists());
    ground.handle.stop().await;
}
