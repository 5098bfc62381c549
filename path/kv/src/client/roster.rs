//! All clients of the tier, by number.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Peer;
use crate::command::{Command, Flags, Run};
use crate::frame::Args;

/// Who is there.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    all: Mutex<BTreeMap<u64, Arc<Peer>>>,
    /// Those that see all commands.
    monitors: Mutex<Vec<Arc<Peer>>>,
}

impl Roster {
    fn locked(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Peer>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, peer: &Arc<Peer>) {
        self.locked().insert(peer.id, peer.clone());
    }

    pub(crate) fn remove(&self, id: u64) {
        self.locked().remove(&id);
    }

    /// The client of that number.
    pub(crate) fn get(&self, id: u64) -> Option<Arc<Peer>> {
        self.locked().get(&id).cloned()
    }

    /// All, in the order in which they came.
    pub(crate) fn all(&self) -> Vec<Arc<Peer>> {
        self.locked().values().cloned().collect()
    }

    /// So many from this number on.
    pub(crate) fn some(&self, from: u64, most: usize) -> Vec<Arc<Peer>> {
        self.locked().range(from..).take(most).map(|(_, peer)| peer.clone()).collect()
    }

    /// Those that are one of these users.
    pub(crate) fn all_of<'u>(&self, users: impl Iterator<Item = &'u [u8]> + Clone) -> Vec<Arc<Peer>> {
        let mut all = self.all();
        all.retain(|peer| users.clone().any(|user| *peer.user() == *user));
        all
    }

    fn monitors(&self) -> MutexGuard<'_, Vec<Arc<Peer>>> {
        self.monitors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `peer` sees all commands from now on.
    pub(crate) fn add_monitor(&self, peer: &Arc<Peer>) {
        self.monitors().push(peer.clone());
    }

    /// The end of it.
    pub(crate) fn remove_monitor(&self, id: u64) {
        self.monitors().retain(|peer| peer.id != id);
    }

    pub(crate) fn has_monitors(&self) -> bool {
        !self.monitors().is_empty()
    }

    /// Shows a command of `peer` to all monitors, if it is to be seen.
    pub(crate) fn show(&self, peer: &Peer, command: &Command, args: Args<'_>) {
        let monitors = self.monitors();
        // That which runs a script is to be skipped only as it is shown before what the script does.
        let is_hidden = command.flags.has(Flags::ADMIN.and(Flags::SKIP_MONITOR)) && !matches!(command.run, Run::Script(_));
        if monitors.is_empty() || is_hidden {
            return;
        }
        self.tell(&peer.address.to_string(), args, &monitors);
    }

    /// Shows a command that a script does.
    pub(crate) fn show_script(&self, command: &Command, args: Args<'_>) {
        let monitors = self.monitors();
        if !monitors.is_empty() && !command.flags.has(Flags::ADMIN.and(Flags::SKIP_MONITOR)) {
            self.tell("lua", args, &monitors);
        }
    }

    fn tell(&self, who: &str, args: Args<'_>, monitors: &[Arc<Peer>]) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut line = format!("+{}.{:06} [0 {who}]", now.as_secs(), now.subsec_micros()).into_bytes();
        for word in args.iter() {
            line.extend_from_slice(b" \"");
            word.iter().for_each(|byte| escape(*byte, &mut line));
            line.push(b'"');
        }
        line.extend_from_slice(b"\r\n");
        let message = line.into();
        monitors.iter().for_each(|peer| peer.post(&message));
    }
}

/// As Redis shows bytes.
fn escape(byte: u8, line: &mut Vec<u8>) {
    match byte {
        b'\\' | b'"' => line.extend_from_slice(&[b'\\', byte]),
        b'\n' => line.extend_from_slice(b"\\n"),
        b'\r' => line.extend_from_slice(b"\\r"),
        b'\t' => line.extend_from_slice(b"\\t"),
        7 => line.extend_from_slice(b"\\a"),
        8 => line.extend_from_slice(b"\\b"),
        b' '..=b'~' => line.push(byte),
        _ => line.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
    }
}
