use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use rustix::thread::{disable_transparent_huge_pages, transparent_huge_pages_are_disabled};

use crate::{guard, keeper};

const SERVER: &str = "keeper-server";
const GUARD: &str = "keeper-guard";
const BESIDE: &str = "keeper-beside";

/// Which of the processes of this binary the running one is.
#[derive(Debug)]
pub enum Role {
    /// Started by a person or a script, with these arguments (the program's name first).
    User(Vec<OsString>),
    /// The server, started by [`crate::run_keeper`] with these arguments (without the program's name).
    Server(Vec<OsString>),
    /// Started by this crate for itself.
    Hidden(Hidden),
}

/// A process that this crate runs from begin to end.
#[derive(Debug)]
pub struct Hidden(Work);

#[derive(Debug)]
enum Work {
    Guard,
    Beside,
}

impl Role {
    /// Reads the role off the process's own arguments; call it before anything else in `main`.
    pub fn of(arguments: impl IntoIterator<Item = OsString>) -> Role {
        let mut arguments: Vec<OsString> = arguments.into_iter().collect();
        match arguments.get(1).and_then(|first| first.to_str()) {
            Some(SERVER) => {
                name_after(&arguments[0]);
                Role::Server(arguments.split_off(2))
            }
            Some(GUARD) => {
                name_after(&arguments[0]);
                Role::Hidden(Hidden(Work::Guard))
            }
            Some(BESIDE) => Role::Hidden(Hidden(Work::Beside)),
            _ => Role::User(arguments),
        }
    }
}

impl Hidden {
    /// Runs it to its end; the result is the process's.
    pub fn run(self) -> ExitCode {
        match self.0 {
            Work::Guard => guard::run(),
            Work::Beside => keeper::run_beside(),
        }
    }
}

/// Started as `/proc/self/exe`, it would be called `exe` in `ps`.
fn name_after(program: &OsStr) {
    let name = Path::new(program).file_name().and_then(|name| CString::new(name.as_bytes()).ok());
    if let Some(name) = name {
        // Only a name: without it everything works.
        let _ = rustix::thread::set_name(&name);
    }
}

/// The server's command line; `socket` becomes its standard input.
pub(crate) fn server(arguments: &[OsString], socket: Stdio) -> Command {
    let mut command = again(SERVER, socket);
    command.args(arguments).process_group(0);
    command
}

/// The guard's: no environment, so that no marker of an outer Plimsoll makes it a target.
pub(crate) fn guard(pipe: Stdio) -> Command {
    let mut command = again(GUARD, pipe);
    command.env_clear().current_dir("/").stdout(Stdio::null()).process_group(0);
    command
}

/// Starts one of Plimsoll's own processes without transparent huge pages: with them, where the kernel always gives them,
/// a process of a few hundred KB weighs 4 MB more. Apps keep what the machine gives; the caller has a single thread.
pub(crate) fn spawn_light(command: &mut Command) -> io::Result<Child> {
    let before = transparent_huge_pages_are_disabled().unwrap_or(true);
    // A kernel without the switch gives the pages: heavier, not wrong.
    let _ = disable_transparent_huge_pages(true);
    let child = command.spawn();
    let _ = disable_transparent_huge_pages(before);
    child
}

/// A keeper without a server, of the binary `program`.
pub(crate) fn beside(program: &Path, socket: Stdio) -> Command {
    let mut command = Command::new(program);
    command.arg(BESIDE).stdin(socket).process_group(0);
    command
}

/// This binary again, the very file that runs, even when another one has taken its name.
fn again(role: &str, input: Stdio) -> Command {
    let mut command = Command::new("/proc/self/exe");
    if let Some(name) = std::env::args_os().next() {
        command.arg0(name);
    }
    command.arg(role).stdin(input);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(arguments: &[&str]) -> Role {
        Role::of(arguments.iter().map(OsString::from))
    }

    #[test]
    fn the_first_argument_tells_the_role() {
        assert!(matches!(role(&["plimsoll", "up"]), Role::User(arguments) if arguments == ["plimsoll", "up"]));
        assert!(matches!(role(&["plimsoll", SERVER, "up", "x"]), Role::Server(arguments) if arguments == ["up", "x"]));
        assert!(matches!(role(&["plimsoll", GUARD]), Role::Hidden(Hidden(Work::Guard))));
        assert!(matches!(role(&["plimsoll"]), Role::User(_)));
    }
}
