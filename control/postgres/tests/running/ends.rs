//! However a Plimsoll ends, nothing of its server is left, and nothing that it had acknowledged is lost.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use postgres::Credentials;
use process::Signal;
use tempfile::TempDir;

use crate::ground::{PATIENCE, folder, inhabitants, lives, mode, signal};

/// A keeper, its server and a Postgres.
struct Whole {
    keeper: Child,
    postmaster: u32,
    server: u32,
    socket: PathBuf,
    took: Duration,
}

fn start(state: &Path) -> Whole {
    let begun = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_postgres-keeper"));
    let mut keeper = command.arg(state).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let words: Vec<&str> = line.trim().strip_prefix("ready ").expect("it is ready").split(' ').collect();
    let whole = Whole {
        keeper,
        postmaster: words[0].parse().unwrap(),
        server: words[1].parse().unwrap(),
        socket: words[2].into(),
        took: begun.elapsed(),
    };
    assert_eq!(whole.socket.file_name().unwrap(), ".s.PGSQL.5432");
    whole
}

impl Whole {
    fn data(&self, state: &Path) -> PathBuf {
        state.join("postgres/data").canonicalize().unwrap()
    }

    fn psql(&self, state: &Path, sql: &str) -> Command {
        let who = Credentials::of(state, "main").unwrap();
        let mut psql = Command::new("psql");
        psql.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("PGPASSWORD", &who.password).stderr(Stdio::null());
        psql.arg("-h").arg(self.socket.parent().unwrap()).args(["-XAtq", "-U", &who.user, "-d", &who.database, "-c", sql]);
        psql
    }

    fn ask(&self, state: &Path, sql: &str) -> String {
        let output = self.psql(state, sql).output().unwrap();
        assert!(output.status.success(), "{sql}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().into()
    }

    fn stop(mut self) {
        signal(self.keeper.id(), Signal::TERM);
        assert!(self.keeper.wait().unwrap().success());
    }
}

fn until(what: &str, mut done: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
    begun.elapsed()
}

fn scratch() -> (Arc<TempDir>, PathBuf) {
    let folder = folder();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    mode(&state, 0o700);
    (folder, state)
}

/// A session that computes and looks at nothing else.
fn busy(whole: &Whole, state: &Path) -> Child {
    let child = whole.psql(state, "SELECT count(*) FROM generate_series(1, 100000000000) AS n WHERE n % 7 = 8").spawn().unwrap();
    let data = whole.data(state);
    until("a busy session", || {
        let title = |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        inhabitants(&data).iter().any(|pid| title(pid).contains("SELECT"))
    });
    child
}

#[test]
fn a_stop_in_order_leaves_nothing() {
    let (_folder, state) = scratch();
    let whole = start(&state);
    let data = whole.data(&state);
    whole.stop();
    assert_eq!(inhabitants(&data), [0; 0]);
}

#[test]
fn a_killed_keeper_leaves_nothing_even_of_a_busy_session() {
    let (_folder, state) = scratch();
    let mut whole = start(&state);
    let (data, mut session) = (whole.data(&state), busy(&whole, &state));
    whole.keeper.kill().unwrap();
    whole.keeper.wait().unwrap();
    let took = until("everything to be gone", || inhabitants(&data).is_empty());
    assert!(took < Duration::from_secs(2), "{took:?}");
    session.wait().unwrap();
}

#[test]
fn whoever_is_killed_what_was_acknowledged_is_there_in_the_next_life() {
    let (_folder, state) = scratch();
    let whole = start(&state);
    let data = whole.data(&state);
    whole.ask(&state, "CREATE TABLE kept (n int)");
    whole.stop();
    let acknowledged = AtomicU32::new(0);
    // Each of the three as often as it says; twice unless somebody wants to see more.
    let kills = std::env::var("PLIMSOLL_TEST_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(2);
    for round in 0..3 * kills {
        let mut whole = start(&state);
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !ended.load(Ordering::SeqCst) {
                    if whole.psql(&state, "INSERT INTO kept VALUES (1)").status().unwrap().success() {
                        acknowledged.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
            let before = acknowledged.load(Ordering::SeqCst);
            until("some rows", || acknowledged.load(Ordering::SeqCst) > before + 5);
            signal([whole.postmaster, whole.server, whole.keeper.id()][round % 3], Signal::KILL);
            if round % 3 == 0 {
                until("the server to be back", || whole.psql(&state, "SELECT 1").status().unwrap().success());
                signal(whole.keeper.id(), Signal::KILL);
            }
            ended.store(true, Ordering::SeqCst);
        });
        let next = start(&state);
        assert!(next.took < Duration::from_secs(20), "{:?}", next.took);
        eprintln!("round {round}: the next one was up after {:?}", next.took);
        let rows: u32 = next.ask(&state, "SELECT count(*) FROM kept").parse().unwrap();
        let known = acknowledged.load(Ordering::SeqCst);
        // What was in doubt when it was killed may be there, too.
        assert!(rows >= known, "{rows} of {known}");
        acknowledged.store(rows, Ordering::SeqCst);
        next.stop();
        whole.keeper.wait().unwrap();
        until("everything to be gone", || inhabitants(&data).is_empty() && !lives(whole.server));
    }
}
