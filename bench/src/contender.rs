//! The HTTP servers under test: how each is configured fairly and started fresh.

mod haproxy;
mod nginx;
mod plimsoll;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::running::{Running, built, free_address, program, version};

/// A server that can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contender {
    Plimsoll,
    Nginx,
    Haproxy,
}

/// How endpoints are chosen; Plimsoll always does as it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    RoundRobin,
    LeastConnections,
}

/// What a server does in a row.
#[derive(Debug, Clone)]
pub struct Work {
    /// Apps behind it; none: the folder is served.
    pub endpoints: Vec<SocketAddr>,
    pub policy: Policy,
    /// Whether endpoints are asked for /healthz each second, and given up after 1 s without an answer.
    pub health: bool,
    /// The folder to serve.
    pub folder: Option<PathBuf>,
    pub threads: usize,
}

impl Work {
    /// A proxy in front of `endpoints`, one thread.
    pub fn proxy(endpoints: Vec<SocketAddr>) -> Work {
        Work { endpoints, policy: Policy::RoundRobin, health: false, folder: None, threads: 1 }
    }

    /// The files of `folder`, one thread.
    pub fn files(folder: &Path) -> Work {
        Work { folder: Some(folder.into()), ..Work::proxy(Vec::new()) }
    }
}

impl Contender {
    pub const ALL: [Contender; 3] = [Contender::Plimsoll, Contender::Nginx, Contender::Haproxy];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Contender::Plimsoll => "plimsoll",
            Contender::Nginx => "nginx",
            Contender::Haproxy => "haproxy",
        }
    }

    /// Its program, if there is one; the error says how to get it.
    pub fn program(self) -> Result<PathBuf, String> {
        let (variable, places, hint) = match self {
            Contender::Plimsoll => ("PLIMSOLL_BENCH_BIN", vec![built()], "cargo build --release -p plimsoll"),
            Contender::Nginx => ("PLIMSOLL_BENCH_NGINX", installed("nginx"), "apt-get install nginx-core"),
            Contender::Haproxy => ("PLIMSOLL_BENCH_HAPROXY", installed("haproxy"), "apt-get install haproxy"),
        };
        program(self.name(), variable, &places, hint)
    }

    /// What the program says of its version, in one line.
    pub fn version(self) -> String {
        version(self.program(), if self == Contender::Plimsoll { "--version" } else { "-v" })
    }

    /// Starts it fresh on `cpus` and waits until it answers.
    pub fn start(self, work: &Work, cpus: &[usize]) -> Result<Running, String> {
        let fault = |error: std::io::Error| format!("{} could not be started: {error}", self.name());
        let program = self.program()?;
        let scratch = tempfile::tempdir().map_err(fault)?;
        let address = free_address().map_err(fault)?;
        let command = match self {
            Contender::Plimsoll => plimsoll::command(&program, work, address, scratch.path()),
            Contender::Nginx => nginx::command(&program, work, address, scratch.path()),
            Contender::Haproxy => haproxy::command(&program, work, address, scratch.path()),
        }
        .map_err(fault)?;
        let threads = work.threads;
        Running::start(command, address, scratch, cpus, |running| match self {
            Contender::Plimsoll => running.says_ready(),
            // Its master takes connections before the workers are there.
            Contender::Nginx => running.tree().0.len() > threads && running.takes_connections(),
            Contender::Haproxy => running.takes_connections(),
        })
    }
}

fn installed(name: &str) -> Vec<PathBuf> {
    ["/usr/sbin", "/usr/local/sbin"].map(|folder| Path::new(folder).join(name)).into()
}
