//! `ACL LOG`: what was denied last.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Denied;
use crate::client::Peer;
use crate::store::Ms;

/// Entries that are looked at for one that says the same, and how long one may grow, in milliseconds.
const LOOKED_AT: usize = 10;
const GROWS_FOR: Ms = 60_000;

/// What was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Login,
    Command,
    Key,
    Channel,
}

/// Where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    Plain,
    Transaction,
    Script,
}

/// An entry.
#[derive(Debug, Clone)]
pub(crate) struct Denial {
    pub(crate) count: u64,
    pub(crate) reason: Reason,
    pub(crate) context: Context,
    /// The command, the key, the channel, or AUTH.
    pub(crate) object: Box<[u8]>,
    pub(crate) user: Box<[u8]>,
    /// When it was last denied.
    pub(crate) at: Ms,
    /// The client, as `CLIENT LIST` shows it.
    pub(crate) client: Vec<u8>,
}

/// The last ones, the newest first.
#[derive(Debug, Default)]
pub(crate) struct DenialLog(Mutex<VecDeque<Denial>>);

impl From<Denied> for Reason {
    fn from(denied: Denied) -> Reason {
        match denied {
            Denied::Command => Reason::Command,
            Denied::Key(_) => Reason::Key,
            Denied::Channel(_) => Reason::Channel,
        }
    }
}

impl Reason {
    pub(crate) const ALL: [Reason; 4] = [Reason::Login, Reason::Command, Reason::Key, Reason::Channel];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Reason::Login => "auth",
            Reason::Command => "command",
            Reason::Key => "key",
            Reason::Channel => "channel",
        }
    }
}

impl Context {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Context::Plain => "toplevel",
            Context::Transaction => "multi",
            Context::Script => "lua",
        }
    }
}

impl DenialLog {
    pub(crate) fn kept(&self) -> MutexGuard<'_, VecDeque<Denial>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was denied to a client; at most `most` entries are kept.
    pub(crate) fn note(&self, peer: &Peer, user: &[u8], (reason, object): (Reason, &[u8]), context: Context, (now, most): (Ms, usize)) {
        let new = Denial { count: 1, reason, context, object: object.into(), user: user.into(), at: now, client: peer.line(now) };
        let mut kept = self.kept();
        let same = kept.iter().take(LOOKED_AT).position(|old| old.is_as(&new));
        let count = same.and_then(|at| kept.remove(at)).map_or(0, |old| old.count);
        kept.push_front(Denial { count: count + 1, ..new });
        kept.truncate(most);
    }
}

impl Denial {
    fn is_as(&self, new: &Denial) -> bool {
        (self.reason, self.context, &self.object, &self.user) == (new.reason, new.context, &new.object, &new.user)
            && new.at.abs_diff(self.at) <= GROWS_FOR
    }
}
