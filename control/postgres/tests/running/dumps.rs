//! Dumps and restores.

use std::fs::File;
use std::io::{Cursor, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use postgres::{Target, Tools};

use crate::ground::{Ground, plan, psql};

fn url(ground: &Ground, socket: &Path, name: &str) -> String {
    let who = ground.handle.credentials(name).unwrap();
    let folder = socket.parent().unwrap().to_str().unwrap().replace('/', "%2F");
    format!("postgres://{}:{}@{folder}/{}", who.user, who.password, who.database)
}

fn tools() -> Tools {
    Tools::find(None, &std::env::vars_os().collect(), Some(13)).unwrap()
}

const ROWS: &str = "SELECT count(*), sum(n), max(word) FROM kept";

#[tokio::test]
async fn dump_drop_restore_gives_the_same_rows() {
    let ground = Ground::new();
    let socket = ground.up().await;
    ground.sql("CREATE EXTENSION pgcrypto; CREATE TABLE kept (n int PRIMARY KEY, word text); INSERT INTO kept SELECT n, 'it''s ' || n FROM generate_series(1, 10000) AS n").await;
    let (before, target) = (ground.sql(ROWS).await, Target::url(&url(&ground, &socket, "main")));
    let file = ground.folder.path().join("main.dump");
    let bytes = postgres::dump_to_file(&tools(), &target, &file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().len(), bytes);
    ground.sql("DROP TABLE kept; CREATE TABLE kept (other int); CREATE TABLE mine (n int)").await;
    postgres::restore(&tools(), &target, File::open(&file).unwrap()).unwrap();
    assert_eq!(ground.sql(ROWS).await, before);
    assert_eq!(ground.sql("SELECT count(*) FROM mine").await, "0");
    ground.handle.stop().await;
}

#[tokio::test]
async fn sql_is_restored_too_and_all_of_it_or_nothing() {
    let ground = Ground::new();
    let socket = ground.up().await;
    let target = Target::url(&url(&ground, &socket, "main"));
    let sql = "CREATE TABLE kept (n int, word text); INSERT INTO kept VALUES (1, 'a');\n";
    postgres::restore(&tools(), &target, Cursor::new(sql)).unwrap();
    assert_eq!(ground.sql(ROWS).await, "1|1|a");
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(b"INSERT INTO kept VALUES (2, 'b');").unwrap();
    postgres::restore(&tools(), &target, Cursor::new(packed.finish().unwrap())).unwrap();
    assert_eq!(ground.sql(ROWS).await, "2|3|b");
    let wrong = postgres::restore(&tools(), &target, Cursor::new("INSERT INTO kept VALUES (3, 'c');\nNONSENSE;\n")).unwrap_err();
    assert!(wrong.contains("NONSENSE"), "{wrong}");
    assert_eq!(ground.sql(ROWS).await, "2|3|b");
    assert_eq!(postgres::restore(&tools(), &target, Cursor::new("")).unwrap_err(), "the dump is empty");
    ground.handle.stop().await;
}

#[tokio::test]
async fn a_dump_that_fails_leaves_no_file() {
    let ground = Ground::new();
    let socket = ground.up().await;
    let target = Target::url(&url(&ground, &socket, "main").replace("/main", "/nowhere"));
    let file = ground.folder.path().join("main.dump");
    let failed = postgres::dump_to_file(&tools(), &target, &file).unwrap_err();
    assert!(failed.contains("nowhere"), "{failed}");
    assert_eq!(std::fs::read_dir(ground.folder.path()).unwrap().count(), 1, "the state alone");
    ground.handle.stop().await;
}

#[tokio::test]
async fn every_database_is_dumped_at_night_and_the_status_tells() {
    let folder = crate::ground::folder();
    let state = folder.path().join("state");
    let ground = Ground::at(folder, &state, plan(&["main", "orders"]));
    let socket = ground.up().await;
    assert_eq!(ground.handle.status().dump.age_seconds, None);
    assert!(
        psql(&ground.handle, &socket, "orders", "CREATE TABLE kept (n int, word text); INSERT INTO kept VALUES (5, 'x')").status.success()
    );
    let bytes = ground.handle.dump().await.unwrap();
    let status = ground.handle.status().dump;
    assert_eq!((status.bytes, status.failures, status.reason), (Some(bytes), 0, None));
    let mut names: Vec<_> = std::fs::read_dir(state.join("dumps")).unwrap().flatten().map(|entry| entry.path()).collect();
    names.sort();
    let of = |name: &str| names.iter().find(|file| file.file_name().unwrap().to_str().unwrap().starts_with(name)).unwrap();
    assert_eq!(names.len(), 2, "{names:?}");
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(of("main-")).unwrap().permissions().mode() & 0o777, 0o600);
    let mut begin = [0; 5];
    File::open(of("orders-")).unwrap().read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"PGDMP");
    // Into another database of the same server.
    let target = Target::url(&url(&ground, &socket, "main"));
    postgres::restore(&tools(), &target, File::open(of("orders-")).unwrap()).unwrap();
    assert_eq!(ground.sql(ROWS).await, "1|5|x");
    let metrics = ground.registry.render();
    assert!(metrics.contains("postgres_dump_failures_total 0") && metrics.contains("postgres_dump_bytes "), "{metrics}");
    ground.handle.stop().await;
    assert_eq!(ground.handle.dump().await.unwrap_err(), "the database is not up");
}

#[tokio::test]
async fn a_night_that_was_missed_is_made_up_for() {
    let ground = Ground::new();
    ground.up().await;
    let made = File::options().write(true).open(ground.data().join("PG_VERSION")).unwrap();
    made.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 86_400)).unwrap();
    // Nobody waits five minutes for the next look at the clock.
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(301)).await;
    tokio::time::resume();
    crate::ground::until("the dump", || ground.handle.status().dump.bytes.is_some()).await;
    assert_eq!(std::fs::read_dir(ground.state.join("dumps")).unwrap().count(), 1);
    crate::ground::until("the log", || ground.lines.text().contains("the night's dump: ")).await;
    ground.handle.stop().await;
}
