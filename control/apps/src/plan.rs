//! What shall run: checked and complete, plain data, made from the file by `settings.rs`.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// One app of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its name: `shop` of `[app.shop]`.
    pub name: Arc<str>,
    /// Run by Plimsoll or by others.
    pub source: Source,
    /// Path of the health check; absent: the port accepts.
    pub health: Option<String>,
    /// Whether it gets requests at all; a worker gets none and no `PORT`.
    pub routed: bool,
}

/// Who runs an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Plimsoll does.
    Run(Run),
    /// Somebody else does, at these addresses (names are resolved at load).
    External(Vec<SocketAddr>),
}

/// How Plimsoll runs an app. Its `Debug` names variables without their values: they may be secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Run {
    /// Folder it runs in, absolute.
    pub dir: PathBuf,
    /// Command that builds it, as `run`; skipped when nothing in `dir` changed since it last succeeded.
    pub build: Option<Vec<String>>,
    /// Program and arguments; `settings::expand` fills in `$VAR` and `${VAR}` from the instance's environment.
    pub run: Vec<String>,
    /// Variables of the file, secrets resolved.
    pub env: Vec<(String, String)>,
    /// Names of Plimsoll's own variables that must not be inherited: the secrets that the file names.
    pub withheld: Vec<String>,
    /// User to run as, only when Plimsoll is root.
    pub user: Option<String>,
    /// How many instances, at least 1.
    pub instances: usize,
    /// From spawn to healthy.
    pub start: Duration,
    /// From SIGTERM to SIGKILL, and how long open requests may finish before SIGTERM.
    pub drain: Duration,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Run { dir, build, run, env, withheld, user, instances, start, drain } = self;
        let names: Vec<&str> = env.iter().map(|(name, _)| name.as_str()).collect();
        let mut all = f.debug_struct("Run");
        all.field("dir", dir).field("build", build).field("run", run).field("env", &names).field("withheld", withheld);
        all.field("user", user).field("instances", instances).field("start", start).field("drain", drain).finish()
    }
}
