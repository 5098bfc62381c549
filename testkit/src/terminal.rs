//! A pseudo-terminal: what the test types reaches the program as a user's keys would.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// The side of the terminal where keys are typed.
pub struct Terminal {
    keys: File,
}

impl Terminal {
    pub(crate) fn open() -> io::Result<Terminal> {
        let controller: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&controller)?;
        unlockpt(&controller)?;
        Ok(Terminal { keys: controller.into() })
    }

    /// `command` as the leader of a session whose terminal this is. `setsid` (util-linux) does what only
    /// unsafe code could between fork and exec, and becomes the command without a further process.
    pub(crate) fn command(&self, command: &Command) -> io::Result<Command> {
        let name = ptsname(&self.keys, Vec::new())?;
        let path = std::ffi::OsStr::from_bytes(name.as_bytes());
        // NOCTTY: the test must not get it when it has none
        let side = OpenOptions::new().read(true).write(true).custom_flags(rustix::fs::OFlags::NOCTTY.bits() as i32).open(path)?;
        let mut session = Command::new("setsid");
        session.arg("--ctty").arg(command.get_program()).args(command.get_args()).stdin(side);
        session.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            session.current_dir(folder);
        }
        Ok(session)
    }

    /// Types Ctrl-C.
    pub fn interrupt(&mut self) {
        self.keys.write_all(b"\x03").expect("the terminal is open");
    }
}
