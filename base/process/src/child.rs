use rustix::process::Signal;
use tokio::net::unix::pipe;
use tokio::sync::watch;

use crate::Keeper;
use crate::command::Exit;

/// How far a child is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Life {
    Asked,
    Running(u32),
    Failed(i32),
    Exited(Exit),
    Gone(Exit),
}

/// A process just started.
#[derive(Debug)]
pub struct Child {
    /// Its process id, which is also its group's; 0 when it ended before that could be told.
    pub pid: u32,
    /// What it and its descendants print.
    pub stdout: pipe::Receiver,
    /// The same for errors.
    pub stderr: pipe::Receiver,
    /// To watch and to signal it.
    pub process: Process,
}

/// A child and its descendants, to be watched and signalled. Clones are the same one; dropping them stops nothing.
#[derive(Debug, Clone)]
pub struct Process {
    pub(crate) id: u64,
    pub(crate) pid: u32,
    pub(crate) life: watch::Receiver<Life>,
    pub(crate) keeper: Keeper,
}

impl Process {
    /// Its process id, as [`Child::pid`].
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// How it ended, if it has; its descendants may still run.
    pub fn exit(&self) -> Option<Exit> {
        match *self.life.borrow() {
            Life::Exited(exit) | Life::Gone(exit) => Some(exit),
            _ => None,
        }
    }

    /// Waits until it has ended; its descendants may still run.
    pub async fn exited(&self) -> Exit {
        let mut life = self.life.clone();
        let ended = life.wait_for(|life| matches!(life, Life::Exited(_) | Life::Gone(_))).await.map(|life| *life);
        match ended {
            Ok(Life::Exited(exit) | Life::Gone(exit)) => exit,
            // The keeper is gone, and with it all that it ran.
            _ => Exit::Signal(Signal::KILL.as_raw()),
        }
    }

    /// Waits until it and every descendant have ended. The keeper ends what a process that was not
    /// asked to stop leaves behind; after [`Process::signal`] with TERM that is for the caller, by [`Process::kill`].
    pub async fn gone(&self) {
        // An error says that the keeper is gone, and with it all that it ran.
        let _ = self.life.clone().wait_for(|life| matches!(life, Life::Gone(_))).await;
    }

    /// Sends `signal` to its whole group.
    pub async fn signal(&self, signal: Signal) {
        self.keeper.signal(self.id, signal).await;
    }

    /// Kills its group and every descendant that left it.
    pub async fn kill(&self) {
        self.signal(Signal::KILL).await;
    }
}
