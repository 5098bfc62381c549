//! `kill -9` of the postmaster, of Plimsoll's server process and of the keeper, under writes, on every kind of ground:
//! no acknowledged row is lost, it is back soon, there is never a second postmaster, nothing is orphaned.
//! `PLIMSOLL_KILLS` says how often each is killed (3 in the first test, once in the others).
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use testkit::postgres::free_port;
use testkit::wire::Login;
use testkit::{Plimsoll, Up, Wire, descendants, inside, kill, listens, until};

const BINARY: &str = env!("CARGO_BIN_EXE_plimsoll");
const WRITERS: u64 = 4;
/// On a machine that does other things too; what it took is printed.
const BACK: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug)]
enum Fault {
    Postmaster,
    Server,
    Keeper,
}

/// A folder with a file, and how Plimsoll is started there.
struct Ground {
    folder: PathBuf,
    before: Vec<String>,
    port: u16,
    /// Where the data are when the folder is closed to the server's user.
    elsewhere: TempDir,
    _scratch: TempDir,
}

impl Ground {
    /// In a folder that everybody may enter.
    fn new() -> Ground {
        let scratch = tempfile::tempdir().unwrap();
        fs::set_permissions(scratch.path(), Permissions::from_mode(0o755)).unwrap();
        Ground::within(scratch, "shop")
    }

    fn within(scratch: TempDir, name: &str) -> Ground {
        let folder = scratch.path().canonicalize().unwrap().join(name);
        fs::create_dir_all(&folder).unwrap();
        let port = free_port();
        let file = format!("name = \"kills\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[sql.main]\nlisten = \"127.0.0.1:{port}\"\n");
        fs::write(folder.join("plimsoll.toml"), file).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::set_permissions(elsewhere.path(), Permissions::from_mode(0o755)).unwrap();
        Ground { folder, before: Vec::new(), port, elsewhere, _scratch: scratch }
    }

    fn up(&self) -> Up {
        let before: Vec<&str> = self.before.iter().map(String::as_str).collect();
        let up = Up::at(BINARY, self.folder.join("plimsoll.toml")).state(&self.folder.join("state")).through(&before);
        up.env("PLIMSOLL_DATA", &self.elsewhere.path().display().to_string())
            // Kept for the next run: what is fetched into it are 30 MB.
            .env("PLIMSOLL_CACHE", &std::env::temp_dir().join("plimsoll-test-cache").display().to_string())
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Who an app would be, as `plimsoll db url` says.
    fn login(&self) -> Login {
        let mut command = Command::new(BINARY);
        command.arg("--file").arg(self.folder.join("plimsoll.toml")).arg("--state").arg(self.folder.join("state"));
        let output = command.args(["db", "url", "--json"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |key: &str| told[key].as_str().unwrap().to_owned();
        Login { password: text("password"), ..Login::new(&text("user"), &text("database")) }
    }
}

/// The postmaster of a Plimsoll and its data directory.
fn postmaster(plimsoll: &Plimsoll) -> (u32, PathBuf) {
    let mut found = None;
    until("the postmaster runs", || {
        let children = descendants(plimsoll.pid());
        let folders = children.iter().filter_map(|pid| fs::read_link(format!("/proc/{pid}/cwd")).ok());
        let data = folders.into_iter().find(|folder| folder.join("postmaster.pid").exists());
        found = data.and_then(|data| Some((*postmasters(&data).first()?, data)));
        found.is_some()
    });
    found.unwrap()
}

/// Processes of the postmaster's name there that are no child of another: a child has that name until it has one of its own.
fn postmasters(data: &Path) -> Vec<u32> {
    let program = |line: &str| line.split(' ').next().is_some_and(|word| word.ends_with("/postgres") || word == "postgres");
    let named: Vec<u32> = inside(data).into_iter().filter(|(_, line)| program(line)).map(|(pid, _)| pid).collect();
    let children: Vec<u32> = named.iter().flat_map(|pid| descendants(*pid)).collect();
    named.into_iter().filter(|pid| !children.contains(pid)).collect()
}

/// How many there are, those left out that are gone a moment later: a child that was just born when its postmaster was killed.
fn lasting_postmasters(data: &Path) -> u64 {
    let first = postmasters(data);
    if first.len() < 2 {
        return first.len() as u64;
    }
    thread::park_timeout(Duration::from_millis(50));
    let second = postmasters(data);
    first.iter().filter(|pid| second.contains(pid)).count() as u64
}

/// Clients that insert one row after the other and remember what was acknowledged, and when that row was sent.
struct Writers {
    address: String,
    login: Login,
    stop: AtomicBool,
    next: AtomicU64,
    acknowledged: Mutex<Vec<(u64, Instant)>>,
}

impl Writers {
    fn run(&self) {
        let mut wire = None;
        while !self.stop.load(Ordering::SeqCst) {
            match wire.take().map_or_else(|| Wire::connect(&self.address, &self.login), Ok) {
                Ok(mut open) => {
                    if self.write(&mut open) {
                        wire = Some(open);
                    }
                }
                Err(_) => thread::park_timeout(Duration::from_millis(10)),
            }
        }
    }

    fn write(&self, wire: &mut Wire) -> bool {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let sent = Instant::now();
        let answer = wire.ask("INSERT INTO kept VALUES ($1::bigint, repeat('x', 500))", &[&number.to_string()]);
        let done = answer.is_ok_and(|answer| answer.errors.is_empty());
        if done {
            self.acknowledged.lock().unwrap().push((number, sent));
        }
        done
    }

    /// Waits until a row that was sent after `from` is acknowledged.
    fn written_since(&self, from: Instant) {
        let written = || self.acknowledged.lock().unwrap().last().is_some_and(|(_, sent)| *sent > from);
        until("a row is acknowledged", written);
    }
}

/// Kills, starts again what is gone, and says how long nothing could be written.
fn strike(ground: &Ground, plimsoll: &mut Plimsoll, fault: Fault, writers: &Writers) -> Duration {
    let (old, data) = postmaster(plimsoll);
    let server = listens(ground.port, &descendants(plimsoll.pid())).expect("the server listens");
    let began = Instant::now();
    match fault {
        Fault::Postmaster => kill(old),
        Fault::Server => kill(server),
        Fault::Keeper => kill(plimsoll.pid()),
    }
    if !matches!(fault, Fault::Postmaster) {
        // at once, while the others may still be dying
        let gone = std::mem::replace(plimsoll, ground.up().spawn());
        plimsoll.wait_ready();
        drop(gone);
    }
    until("another postmaster runs", || postmasters(&data).first().is_some_and(|pid| *pid != old));
    writers.written_since(Instant::now());
    began.elapsed()
}

/// All faults so often, then the count.
fn survives(ground: &Ground, times: usize) {
    let times = std::env::var("PLIMSOLL_KILLS").map_or(times, |text| text.parse().unwrap());
    let mut plimsoll = ground.up().ready();
    let login = ground.login();
    let mut wire = Wire::connect(&ground.address(), &login).unwrap();
    wire.query("CREATE TABLE kept (id bigint, filler text)").unwrap().fine();
    let data = postmaster(&plimsoll).1;
    let (stop, next, acknowledged) = Default::default();
    let writers = Writers { address: ground.address(), login, stop, next, acknowledged };
    let most = AtomicU64::new(0);
    thread::scope(|scope| {
        (0..WRITERS).for_each(|_| drop(scope.spawn(|| writers.run())));
        scope.spawn(|| {
            while !writers.stop.load(Ordering::SeqCst) {
                most.fetch_max(lasting_postmasters(&data), Ordering::SeqCst);
                thread::park_timeout(Duration::from_millis(5));
            }
        });
        let _end = Stop(&writers.stop);
        for (round, fault) in (0..times).flat_map(|round| [Fault::Postmaster, Fault::Server, Fault::Keeper].map(|fault| (round, fault))) {
            writers.written_since(Instant::now());
            let took = strike(ground, &mut plimsoll, fault, &writers);
            println!("round {round}: {fault:?} killed, back after {} ms", took.as_millis());
            assert!(took < BACK, "{fault:?}: back after {took:?}; the log:\n{}", plimsoll.log());
        }
    });
    assert_eq!(most.into_inner(), 1, "never two postmasters");
    nothing_lost(ground, &writers);
    assert_eq!(plimsoll.stop().status.code(), Some(0), "{}", plimsoll.log());
    until("nothing of the server is left", || inside(&data).is_empty() && plimsoll.family().is_empty());
}

/// Ends the writers, also when a test fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn nothing_lost(ground: &Ground, writers: &Writers) {
    let mut wire = Wire::connect(&ground.address(), &writers.login).unwrap();
    let answer = wire.query("SELECT id FROM kept").unwrap().fine();
    let there: BTreeSet<u64> = answer.rows.iter().map(|row| row[0].as_ref().unwrap().parse().unwrap()).collect();
    assert_eq!(there.len(), answer.rows.len(), "a row is there twice");
    let acknowledged = writers.acknowledged.lock().unwrap();
    let lost: Vec<u64> = acknowledged.iter().map(|(number, _)| *number).filter(|number| !there.contains(number)).collect();
    println!("{} acknowledged, {} there, {} lost", acknowledged.len(), there.len(), lost.len());
    assert!(lost.is_empty(), "{} of {} acknowledged rows are lost: {lost:?}", lost.len(), acknowledged.len());
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn as_whoever_we_are() {
    survives(&Ground::new(), 3);
}

#[test]
fn in_a_path_of_120_characters() {
    let scratch = tempfile::tempdir().unwrap();
    fs::set_permissions(scratch.path(), Permissions::from_mode(0o755)).unwrap();
    let rest = 120 - scratch.path().as_os_str().len();
    survives(&Ground::within(scratch, &"long name/".repeat(12)[..rest]), 1);
}

/// As in root's home: the server's user cannot get there.
#[test]
fn below_a_closed_folder() {
    if is_root() {
        survives(&Ground::within(tempfile::tempdir().unwrap(), "shop"), 1);
    }
}

/// Root becomes another for it.
#[test]
fn as_an_ordinary_user() {
    if !is_root() {
        return;
    }
    let mut ground = Ground::new();
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let fields: Vec<&str> = users.lines().find(|line| line.starts_with("nobody:")).unwrap().split(':').collect();
    let (user, group) = (fields[2].parse().unwrap(), fields[3].parse().unwrap());
    // the build's own folder may be closed to that user
    let binary = ground.folder.join("plimsoll");
    fs::copy(BINARY, &binary).unwrap();
    for path in [ground.folder.clone(), ground.folder.join("plimsoll.toml"), binary.clone()] {
        chown(path, Some(user), Some(group)).unwrap();
    }
    let home = format!("HOME={}", ground.folder.display());
    let folder = ground.folder.display().to_string();
    let ids = [format!("--reuid={user}"), format!("--regid={group}")];
    // `sh` takes the build's binary as a word and runs the copy instead
    let copy = ["sh", "-c", "shift; exec ./plimsoll \"$@\"", "sh"];
    let words = [vec!["setpriv", &ids[0], &ids[1], "--clear-groups", "env", "-C", &folder, &home], copy.to_vec()].concat();
    ground.before = words.into_iter().map(String::from).collect();
    survives(&ground, 1);
}

/// Nothing of Postgres is to be seen: Plimsoll fetches a self-contained one, once for all runs.
#[test]
fn without_any_postgres() {
    if !is_root() {
        return;
    }
    let mut ground = Ground::new();
    let empty = ground.folder.join("empty");
    fs::create_dir(&empty).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::split_paths(&path).filter(|folder| !folder.join("postgres").exists() && !folder.join("initdb").exists());
    let path = std::env::join_paths(path).unwrap().into_string().unwrap();
    let hide = "unset PLIMSOLL_PG_BIN; [ ! -d /usr/lib/postgresql ] || mount --bind \"$1\" /usr/lib/postgresql; shift; exec \"$@\"";
    let empty = empty.display().to_string();
    let words = ["unshare", "--mount", "env", &format!("PATH={path}"), "sh", "-c", hide, "sh", &empty].map(String::from);
    ground.before = words.into();
    survives(&ground, 1);
}
