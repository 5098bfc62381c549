//! Plans and a tier for the tests, with a keeper of their own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use apps::{AppStatus, Handle, Plan, Run, Setup, Source, Tier};
use contract::{Endpoint, Endpoints};
use process::{Keeper, Signal};
use telemetry::{Log, Registry};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Far beyond what a loaded machine needs; a test that fails waits that long.
pub const PATIENCE: Duration = Duration::from_secs(240);

pub struct Ground {
    pub folder: TempDir,
    pub handle: Handle,
    pub registry: Registry,
}

impl Ground {
    pub fn start(plans: Vec<Plan>) -> Ground {
        Ground::start_in(tempfile::tempdir().unwrap(), plans)
    }

    pub fn start_in(folder: TempDir, plans: Vec<Plan>) -> Ground {
        let registry = Registry::default();
        let setup = Setup {
            keeper: Keeper::beside(Path::new(env!("CARGO_BIN_EXE_apps-keeper"))).unwrap(),
            loops: 1,
            state: folder.path().join("state"),
            environment: std::env::vars_os().chain([("SECRET".into(), "s3cret".into())]).collect(),
            log: Log::nowhere(),
        };
        let handle = Tier::start(plans, setup, &registry);
        Ground { folder, handle, registry }
    }

    pub fn endpoints(&self, app: &str) -> Endpoints {
        self.handle.endpoints()[app].clone()
    }

    pub fn list(&self, app: &str) -> Arc<[Endpoint]> {
        self.endpoints(app).borrow().clone()
    }

    pub fn app(&self, app: &str) -> AppStatus {
        self.handle.status().into_iter().find(|status| status.name == app).unwrap()
    }

    pub fn pids(&self, app: &str) -> Vec<u32> {
        self.app(app).instances.iter().filter_map(|instance| instance.pid).collect()
    }
}

pub fn app(name: &str, words: &[&str], edit: impl FnOnce(&mut Run)) -> Plan {
    let mut run = Run {
        dir: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/program"),
        build: None,
        run: words.iter().map(|word| word.to_string()).collect(),
        env: vec![("VERSION".into(), "1".into())],
        withheld: vec!["SECRET".into()],
        user: None,
        instances: 1,
        start: PATIENCE,
        drain: Duration::from_secs(20),
    };
    edit(&mut run);
    Plan { name: name.into(), source: Source::Run(run), health: Some("/healthz".into()), routed: true }
}

pub fn server(edit: impl FnOnce(&mut Run)) -> Plan {
    app("shop", &["python3", "server.py"], edit)
}

pub fn version(plan: &Plan, version: &str) -> Plan {
    edited(plan, |run| run.env = vec![("VERSION".into(), version.into())])
}

pub fn edited(plan: &Plan, edit: impl FnOnce(&mut Run)) -> Plan {
    let mut plan = plan.clone();
    if let Source::Run(run) = &mut plan.source {
        edit(run);
    }
    plan
}

/// The body of a GET.
pub async fn get(endpoint: &Endpoint, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(endpoint.address).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_string()
}

pub async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether a process of this number lives.
pub fn lives(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

pub fn kill(pid: u32) {
    signal(pid, Signal::KILL);
}

pub fn signal(pid: u32, signal: Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid as i32).unwrap(), signal).unwrap();
}

pub fn parent(pid: u32) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    status.lines().find_map(|line| line.strip_prefix("PPid:\t")).unwrap().parse().unwrap()
}

/// How many children a process has.
pub fn children(pid: u32) -> usize {
    std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap().split_ascii_whitespace().count()
}
