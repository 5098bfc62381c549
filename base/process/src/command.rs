use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

/// What the keeper shall start, complete: nothing is inherited but the keeper's limits.
///
/// It gets no input, a process group of its own and `PLIMSOLL_KEEPER`, by which its descendants are found again.
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    /// Looked up in the `PATH` of `env` unless it holds a `/`; then relative to `dir`.
    pub program: OsString,
    /// Its arguments, without the program.
    pub arguments: Vec<OsString>,
    /// The whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// Folder it runs in.
    pub dir: PathBuf,
    /// User to run as; only root may ask for another one.
    pub user: Option<User>,
}

/// Values stay out of logs: a command's debug form names no variable.
impl fmt::Debug for Command {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Command").field("program", &self.program).field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// A user by numbers; supplementary groups are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Its primary group.
    pub gid: u32,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status; 0 is well.
    Status(i32),
    /// By this signal.
    Signal(i32),
}

impl fmt::Display for Exit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Status(status) => write!(out, "status {status}"),
            Exit::Signal(signal) => write!(out, "signal {signal}"),
        }
    }
}
