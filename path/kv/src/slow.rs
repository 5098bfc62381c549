//! `SLOWLOG`: the last commands that took long.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::client::Peer;
use crate::command::{Command, Flags};
use crate::config::Config;
use crate::door::now;
use crate::frame::Args;

/// Words of a command that are kept, and bytes of each.
const WORDS: usize = 32;
const BYTES: usize = 128;

/// A command that took long.
#[derive(Debug, Clone)]
pub(crate) struct Slow {
    pub(crate) id: i64,
    /// Seconds since 1970.
    pub(crate) at: i64,
    /// Microseconds that it took.
    pub(crate) took: i64,
    pub(crate) words: Vec<Box<[u8]>>,
    pub(crate) address: String,
    pub(crate) name: Box<[u8]>,
}

/// The last ones.
#[derive(Debug, Default)]
pub(crate) struct SlowLog(Mutex<Kept>);

#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// The newest first.
    pub(crate) all: VecDeque<Slow>,
    next: i64,
}

impl SlowLog {
    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A command took so long; whether that is slow.
    pub(crate) fn note(&self, config: &Config, peer: &Peer, command: &Command, args: Args<'_>, time: Duration) -> bool {
        let (took, bound) = (i64::try_from(time.as_micros()).unwrap_or(i64::MAX), config.slower_than());
        if bound < 0 || took < bound || command.flags.has(Flags::SKIP_SLOWLOG) {
            return false;
        }
        let mut kept = self.kept();
        let id = kept.next;
        kept.next += 1;
        kept.all.push_front(Slow {
            id,
            at: (now() / 1000) as i64,
            took,
            words: shortened(command, args),
            address: peer.address.to_string(),
            name: peer.name(),
        });
        kept.all.truncate(config.slow_kept());
        true
    }
}

fn shortened(command: &Command, args: Args<'_>) -> Vec<Box<[u8]>> {
    let most = if args.len() > WORDS { WORDS - 1 } else { WORDS };
    let word = |(at, word)| if is_secret(command, args, at) { (*b"(redacted)").into() } else { short(word) };
    let mut words: Vec<Box<[u8]>> = args.before(most).iter().enumerate().map(word).collect();
    if args.len() > WORDS {
        words.push(format!("... ({} more arguments)", args.len() - most).into_bytes().into());
    }
    words
}

/// Whether a word of a command may be a password, or say what a user may do.
fn is_secret(command: &Command, args: Args<'_>, at: usize) -> bool {
    match command.name {
        "acl|setuser" => at >= 2,
        "config|set" => at % 2 == 1 && at > 2 && args.is(at - 1, "requirepass"),
        _ => false,
    }
}

fn short(word: &[u8]) -> Box<[u8]> {
    match word.get(..BYTES) {
        Some(start) if word.len() > BYTES => {
            let more = format!("... ({} more bytes)", word.len() - BYTES);
            [start, more.as_bytes()].concat().into()
        }
        _ => word.into(),
    }
}
