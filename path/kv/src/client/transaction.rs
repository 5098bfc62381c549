//! What a client has queued since MULTI, and the keys that it watches.

use crate::command::Command;
use crate::frame::Owned;

/// A transaction that is being said.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    pub(crate) queued: Vec<Queued>,
    /// Bytes that they take.
    pub(crate) bytes: usize,
    /// One of its commands was refused: EXEC will be, too.
    pub(crate) is_flawed: bool,
}

/// A command that waits for EXEC.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) command: &'static Command,
    pub(crate) args: Owned,
}

/// A key that is watched.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) key: Box<[u8]>,
    /// Its shard.
    pub(crate) number: usize,
    /// Changes that the shard had counted then.
    pub(crate) version: u64,
    /// It was overdue already: that it goes changes nothing.
    pub(crate) was_overdue: bool,
}

impl Transaction {
    /// One more command.
    pub(crate) fn queue(&mut self, command: &'static Command, args: Owned) {
        self.bytes += size_of::<Queued>() + args.size();
        self.queued.push(Queued { command, args });
    }
}

impl Watch {
    /// Bytes that it takes.
    pub(super) fn size(&self) -> usize {
        size_of::<Watch>() + self.key.len()
    }
}
