//! The stores under test: how each is configured fairly and started fresh.

use std::io::Result as Outcome;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::Redis;

use crate::running::{Running, built, free_address, program, version};

/// A store that can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    Plimsoll,
    /// The distribution's.
    Redis,
    NewRedis,
    Valkey,
    Memcached,
}

/// What a store is told.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// Threads for traffic.
    pub threads: usize,
    /// Bytes that keys may take, and what goes then, in the words of the store; none: more than any row needs, and nothing goes.
    pub bound: Option<(usize, &'static str)>,
}

/// Far more than what a row keeps.
const AMPLE: &str = "4GB";
/// The same in memcached's unit, MB.
const AMPLE_MB: &str = "4096";

impl Store {
    pub const ALL: [Store; 5] = [Store::Plimsoll, Store::Redis, Store::NewRedis, Store::Valkey, Store::Memcached];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Store::Plimsoll => "plimsoll",
            Store::Redis => "redis",
            Store::NewRedis => "newer redis",
            Store::Valkey => "valkey",
            Store::Memcached => "memcached",
        }
    }

    /// Its program, if there is one; the error says how to get it.
    pub fn program(self) -> Result<PathBuf, String> {
        let (variable, places, hint) = match self {
            Store::Plimsoll => ("PLIMSOLL_BENCH_BIN", vec![built()], "cargo build --release -p plimsoll"),
            Store::Redis => ("PLIMSOLL_BENCH_REDIS", installed("redis-server"), "apt-get install redis-server"),
            Store::NewRedis => ("PLIMSOLL_BENCH_REDIS_NEW", Vec::new(), "make in its repository"),
            Store::Valkey => ("PLIMSOLL_BENCH_VALKEY", Vec::new(), "make in its repository"),
            Store::Memcached => ("PLIMSOLL_BENCH_MEMCACHED", installed("memcached"), "apt-get install memcached"),
        };
        program(self.name(), variable, &places, hint)
    }

    /// What the program says of its version, in one line.
    pub fn version(self) -> String {
        version(self.program(), "--version")
    }

    /// Whether it speaks Redis's protocol.
    pub fn speaks_resp(self) -> bool {
        self != Store::Memcached
    }

    /// Whether further threads are something that its documentation advises.
    pub fn has_threads(self) -> bool {
        matches!(self, Store::Plimsoll | Store::NewRedis | Store::Valkey)
    }

    /// Starts it fresh on `cpus` and waits until it takes connections.
    pub fn start(self, work: Work, cpus: &[usize]) -> Result<Running, String> {
        let fault = |error: std::io::Error| format!("{} could not be started: {error}", self.name());
        let program = self.program()?;
        let scratch = tempfile::tempdir().map_err(fault)?;
        let address = free_address().map_err(fault)?;
        let command = match self {
            Store::Plimsoll => plimsoll(&program, work, address, scratch.path()),
            Store::Memcached => Ok(memcached(&program, work, address)),
            _ => Ok(redis(&program, work, address, scratch.path())),
        };
        Running::start(command.map_err(fault)?, address, scratch, cpus, |running| match self {
            Store::Plimsoll => running.says_ready(),
            _ => running.takes_connections(),
        })
    }
}

/// Those that are here.
pub fn present() -> impl Iterator<Item = Store> {
    Store::ALL.into_iter().filter(|store| store.program().is_ok())
}

/// The answer to one command of Redis's.
pub fn ask(address: SocketAddr, line: &str) -> Result<String, String> {
    let answer = Redis::connect(&address.to_string()).and_then(|mut redis| redis.ask(line));
    answer.map_err(|error| format!("{line}: {error}"))
}

/// What `INFO` says of `field`.
pub fn info(address: SocketAddr, field: &str) -> Result<u64, String> {
    let text = ask(address, "INFO")?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.and_then(|value| value.trim().parse().ok()).ok_or_else(|| format!("INFO says no {field}"))
}

/// `up` with a written file. The number of loops follows from the CPUs it is tied to.
fn plimsoll(program: &Path, work: Work, address: SocketAddr, scratch: &Path) -> Outcome<Command> {
    let file = scratch.join("plimsoll.toml");
    let bound = match work.bound {
        Some((bytes, policy)) => format!("memory = \"{bytes}B\"\nevict = \"{policy}\"\nevict_keys = \"all\"\n"),
        None => format!("memory = \"{AMPLE}\"\nevict = \"none\"\n"),
    };
    let text = format!(
        "name = \"bench\"\nstate = \"state\"\n\n[console]\nlisten = \"127.0.0.1:0\"\n\n[http]\nlisten = [\"127.0.0.1:0\"]\n\n\
         [kv.main]\nlisten = \"{address}\"\n{bound}"
    );
    std::fs::write(&file, text)?;
    let mut command = Command::new(program);
    command.arg("up").arg(file);
    Ok(command)
}

/// As its documentation says for a cache: nothing is saved; I/O threads where there are CPUs for them.
fn redis(program: &Path, work: Work, address: SocketAddr, scratch: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--bind", "127.0.0.1", "--port", &address.port().to_string(), "--save", "", "--appendonly", "no", "--dir"]);
    command.arg(scratch).args(["--io-threads", &work.threads.to_string()]);
    if let Some((bytes, policy)) = work.bound {
        command.args(["--maxmemory", &bytes.to_string(), "--maxmemory-policy", policy]);
    }
    command
}

fn memcached(program: &Path, work: Work, address: SocketAddr) -> Command {
    let mut command = Command::new(program);
    command.args(["-l", "127.0.0.1", "-p", &address.port().to_string(), "-U", "0", "-m", AMPLE_MB]);
    command.args(["-t", &work.threads.to_string()]);
    if rustix::process::getuid().is_root() {
        command.args(["-u", "root"]);
    }
    command
}

fn installed(name: &str) -> Vec<PathBuf> {
    ["/usr/bin", "/usr/local/bin"].map(|folder| Path::new(folder).join(name)).into()
}
