//! A tier for the tests, with a keeper of its own, and what is asked of its server.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use contract::{ServerAddress, ServerState};
use postgres::{Credentials, Handle, Plan, Setup, Tier};
use process::{Keeper, Signal};
use telemetry::{Log, Registry, Sink};
use tempfile::TempDir;

/// Far beyond what a loaded machine needs; a test that fails waits that long.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// Keeps what is logged.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<String>>);

impl Sink for Lines {
    fn write(&mut self, _stream: &str, lines: &[u8]) {
        self.0.lock().unwrap().push_str(&String::from_utf8_lossy(lines));
    }
    fn flush(&mut self) {}
}

impl Lines {
    pub fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

pub struct Ground {
    pub folder: Arc<TempDir>,
    pub state: PathBuf,
    pub handle: Handle,
    pub registry: Registry,
    pub lines: Lines,
}

pub fn plan(names: &[&str]) -> Plan {
    Plan { databases: names.iter().map(|name| Arc::from(*name)).collect(), bin: None, connections: 20 }
}

pub fn folder() -> Arc<TempDir> {
    let folder = tempfile::Builder::new().prefix("plimsoll-postgres-").tempdir_in("/tmp").unwrap();
    // As a project's folder would be: the server's user may pass.
    mode(folder.path(), 0o755);
    Arc::new(folder)
}

/// Where data are whose state folder is closed to the server's user.
pub fn elsewhere(folder: &TempDir) -> PathBuf {
    folder.path().join("elsewhere")
}

pub fn mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

pub fn setup(state: &Path) -> (Setup, Lines) {
    std::fs::create_dir_all(state).unwrap();
    mode(state, 0o700);
    let lines = Lines::default();
    let setup = Setup {
        keeper: Keeper::beside(Path::new(env!("CARGO_BIN_EXE_postgres-keeper"))).unwrap(),
        state: state.to_path_buf(),
        environment: std::env::vars_os().collect(),
        log: Log::start(Box::new(lines.clone())).0,
    };
    (setup, lines)
}

impl Ground {
    pub fn new() -> Ground {
        let folder = folder();
        let state = folder.path().join("state");
        Ground::at(folder, &state, plan(&["main"]))
    }

    pub fn at(folder: Arc<TempDir>, state: &Path, plan: Plan) -> Ground {
        let ((mut setup, lines), registry) = (setup(state), Registry::default());
        setup.environment.insert("PLIMSOLL_DATA".into(), elsewhere(&folder).into());
        let handle = Tier::start(plan, setup, &registry).unwrap();
        Ground { folder, state: state.to_path_buf(), handle, registry, lines }
    }

    /// The same folder again, with a keeper of its own; the tier before must have been stopped.
    pub fn again(self) -> Ground {
        let (folder, state) = (self.folder.clone(), self.state.clone());
        drop(self);
        Ground::at(folder, &state, plan(&["main"]))
    }

    /// Wants the server and waits for it.
    pub async fn up(&self) -> PathBuf {
        self.handle.database().want();
        self.socket().await
    }

    /// Waits until it takes connections.
    pub async fn socket(&self) -> PathBuf {
        let mut state = self.handle.database().watch();
        let waiting = state.wait_for(|state| matches!(state, ServerState::Up(_)));
        let state =
            tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("not up: {}", self.lines.text())).unwrap().clone();
        match state {
            ServerState::Up(ServerAddress::Unix(socket)) => socket.to_path_buf(),
            other => panic!("{other:?}"),
        }
    }

    /// Waits until it cannot run, and says why.
    pub async fn down(&self) -> String {
        let mut state = self.handle.database().watch();
        let waiting = state.wait_for(|state| matches!(state, ServerState::Down(_) | ServerState::Unable(_)));
        match tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("not down: {}", self.lines.text())).unwrap().clone() {
            ServerState::Down(reason) | ServerState::Unable(reason) => reason.to_string(),
            other => panic!("{other:?}"),
        }
    }

    /// What psql prints, as the role of `main`.
    pub async fn sql(&self, sql: &str) -> String {
        let output = psql(&self.handle, &self.socket().await, "main", sql);
        assert!(output.status.success(), "{output:?}\n{}", self.lines.text());
        String::from_utf8(output.stdout).unwrap().trim_end().to_string()
    }

    /// At least how long something took by the log: the seconds of the line with `words`.
    pub fn told(&self, words: &str) -> Duration {
        let text = self.lines.text();
        let line = text.lines().find_map(|line| line.split_once(words)).unwrap_or_else(|| panic!("not told: {words} in {text}"));
        let seconds = line.1.split(" s").next().unwrap().rsplit(['(', ' ']).next().unwrap();
        Duration::from_secs_f64(seconds.parse::<f64>().unwrap() - 0.005)
    }

    pub fn pid(&self) -> u32 {
        self.handle.status().pid.unwrap()
    }

    pub fn data(&self) -> PathBuf {
        self.handle.status().data.unwrap().into()
    }
}

pub async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub fn signal(pid: u32, signal: Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid as i32).unwrap(), signal).unwrap();
}

/// The processes of a server: whoever stands in its data directory.
pub fn inhabitants(data: &Path) -> Vec<u32> {
    let pids = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder == data)).collect()
}

/// Whether a process of this number lives.
pub fn lives(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// psql as the role of a `[sql.NAME]`.
pub fn psql(handle: &Handle, socket: &Path, name: &str, sql: &str) -> Output {
    let who = handle.credentials(name).unwrap();
    psql_as(&who, socket, &who.database, sql)
}

/// The same in any database.
pub fn psql_as(who: &Credentials, socket: &Path, database: &str, sql: &str) -> Output {
    let mut psql = Command::new("psql");
    psql.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("PGPASSWORD", &who.password);
    psql.arg("-h").arg(socket.parent().unwrap()).args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", &who.user, "-d", database, "-c", sql]);
    psql.output().unwrap()
}
