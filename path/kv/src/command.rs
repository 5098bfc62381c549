//! command: what clients can ask for, by name, and how each is checked before it runs.
//!
//! A family of commands has a file, which exports them as `COMMANDS`.

mod acl;
mod admit;
pub(crate) mod answer;
pub(crate) mod asked;
mod bitmaps;
pub(crate) mod blocked;
mod blocking;
mod catalog;
mod category;
mod chance;
mod clients;
mod connection;
#[cfg(test)]
pub(crate) mod desk;
#[cfg(test)]
pub(crate) mod differ;
mod execute;
mod functions;
mod geo;
mod hashes;
mod hyperloglog;
mod info;
mod keyspace;
mod latency;
mod lists;
mod long;
mod permit;
mod persistence;
mod pubsub;
mod ranks;
mod replay;
mod scan;
mod scripted;
mod scripting;
mod serve;
mod server;
mod sets;
mod settings;
mod sort;
mod sorted_sets;
mod streams;
mod strings;
mod table;
mod touch;
mod transactions;

use std::sync::Arc;

use crate::client::Client;
use crate::door::Shared;
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::script::Engine;
use crate::store::{OnWait, View};
use asked::Asked;

#[cfg(test)]
pub(crate) use admit::admitted;
pub(crate) use admit::{looked_up, only_reads, silenced, writes};
pub(crate) use answer::{Held, hold};
pub(crate) use category::{Categories, ruled};
pub(crate) use connection::VERSION;
pub(crate) use execute::{run_in_script, shards};
pub(crate) use keyspace::clear;
pub(crate) use permit::{permitted, permitted_in_script};
pub(crate) use replay::{Replayed, TAG, replay};
pub(crate) use serve::{after, settle};
pub(crate) use strings::LONGEST;
pub(crate) use table::{called, find, named};
pub(crate) use touch::Touch;
pub(crate) use transactions::forget_watches;

/// One command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Command {
    /// Its place among all, once it stands there.
    pub(crate) number: usize,
    /// In lower case; a subcommand is `container|sub`.
    pub(crate) name: &'static str,
    /// Words with the name; when negative, at least so many.
    pub(crate) arity: i32,
    pub(crate) flags: Flags,
    /// What it is about, as `ACL CAT` names it.
    pub(crate) group: Group,
    pub(crate) keys: KeySpec,
    pub(crate) run: Run,
    /// About how many elements, or KB, it must touch, when that may be many.
    pub(crate) cost: Option<Cost>,
}

/// Works on the keys alone.
pub(crate) type OnKeys = fn(&mut View<'_>, Args<'_>, &mut Reply<'_>) -> Result<(), Fault>;

/// About how many elements, or KB, a command must touch.
pub(crate) type Cost = fn(&View<'_>, Args<'_>) -> usize;

/// How a command is done.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Run {
    /// On keys that are locked for it.
    Keys(OnKeys),
    /// As [`Run::Keys`], but it may have to wait for what others do to them.
    Waits(OnWait),
    /// By itself, where the client is; it locks no keys.
    Here(OnClient),
    /// Both: where the client is, on keys that are locked for it.
    Both(OnBoth),
    /// By somebody else, for whom the client waits.
    Asks(OnAsk),
    /// Not by itself: the second word says which of its commands is meant.
    Container,
    /// What the client has queued is done.
    Exec,
    /// On the thread that runs scripts.
    Script(OnScript),
}

/// Has to do with the client, or with the door.
pub(crate) type OnClient = fn(&mut Here<'_>, Args<'_>, &mut Reply<'_>) -> Result<(), Fault>;

/// Has somebody else do it.
pub(crate) type OnAsk = fn(&mut Here<'_>, Args<'_>) -> Result<Asked, Fault>;

/// Has to do with the client, or with the door, and works on the keys.
pub(crate) type OnBoth = fn(&mut Here<'_>, &mut View<'_>, Args<'_>, &mut Reply<'_>) -> Result<(), Fault>;

/// Has to do with scripts.
pub(crate) type OnScript = fn(&mut Engine, Args<'_>, &mut Reply<'_>) -> Result<(), Fault>;

/// Where a command is done: its client, and what all loops share.
pub(crate) struct Here<'h> {
    pub(crate) client: &'h mut Client,
    pub(crate) common: &'h Arc<Shared>,
    /// One of several that EXEC does.
    pub(crate) in_transaction: bool,
}

/// Where the keys are among the words.
#[derive(Debug, Clone, Copy)]
pub(crate) enum KeySpec {
    None,
    /// Every `step` words from `first` to `last`, which counts from the end when it is negative.
    Range {
        first: i32,
        last: i32,
        step: i32,
    },
    /// The word at `at` says how many follow it; before it there may be one that is written to, at `target`.
    Counted {
        at: usize,
        target: Option<usize>,
    },
    /// The command itself can say.
    Found(fn(Args<'_>) -> Vec<usize>),
    /// The command itself can say, and whether there are others that only its run will show: all shards are needed then.
    Reaching {
        found: fn(Args<'_>) -> Vec<usize>,
        reaches: fn(Args<'_>) -> bool,
    },
    /// None is named, and all shards are needed.
    All,
}

/// What holds of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flags(u32);

/// What a command is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Keyspace,
    String,
    Bitmap,
    List,
    Set,
    Sorted,
    Hash,
    Stream,
    HyperLogLog,
    Geo,
    PubSub,
    Transaction,
    Scripting,
    Connection,
    Server,
}

impl Flags {
    pub(crate) const NONE: Flags = Flags(0);
    pub(crate) const WRITE: Flags = Flags(1);
    pub(crate) const READ: Flags = Flags(1 << 1);
    /// Refused when memory is full.
    pub(crate) const DENY_OOM: Flags = Flags(1 << 2);
    pub(crate) const ADMIN: Flags = Flags(1 << 3);
    pub(crate) const PUBSUB: Flags = Flags(1 << 4);
    /// Not from a script.
    pub(crate) const NO_SCRIPT: Flags = Flags(1 << 5);
    pub(crate) const BLOCKING: Flags = Flags(1 << 6);
    pub(crate) const FAST: Flags = Flags(1 << 7);
    /// Before a client has logged in, too.
    pub(crate) const NO_AUTH: Flags = Flags(1 << 8);
    /// While a script runs too long, too.
    pub(crate) const ALLOW_BUSY: Flags = Flags(1 << 9);
    /// Not in a transaction.
    pub(crate) const NO_MULTI: Flags = Flags(1 << 10);
    /// Its arguments are nobody's business.
    pub(crate) const SKIP_SLOWLOG: Flags = Flags(1 << 11);
    pub(crate) const SKIP_MONITOR: Flags = Flags(1 << 12);
    pub(crate) const MOVABLE_KEYS: Flags = Flags(1 << 13);
    pub(crate) const LOADING: Flags = Flags(1 << 14);
    pub(crate) const STALE: Flags = Flags(1 << 15);
    pub(crate) const DANGEROUS: Flags = Flags(1 << 16);
    /// It is called by two words; the table says it.
    pub(crate) const PART: Flags = Flags(1 << 17);

    /// Both.
    pub(crate) const fn and(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// Whether one of `other` is among them.
    pub(crate) const fn has(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }
}

/// Reads and changes nothing.
pub(crate) const READS: Flags = Flags::READ;
/// As [`READS`], in constant time.
pub(crate) const READS_FAST: Flags = Flags::READ.and(Flags::FAST);
/// Changes keys and needs no more memory.
pub(crate) const WRITES: Flags = Flags::WRITE;
pub(crate) const WRITES_FAST: Flags = Flags::WRITE.and(Flags::FAST);
/// Changes keys and may need more memory.
pub(crate) const GROWS: Flags = Flags::WRITE.and(Flags::DENY_OOM);
pub(crate) const GROWS_FAST: Flags = GROWS.and(Flags::FAST);

impl Command {
    /// One that works on the keys alone.
    pub(crate) const fn on_keys(name: &'static str, arity: i32, flags: Flags, group: Group, keys: KeySpec, run: OnKeys) -> Command {
        Command { number: 0, name, arity, flags, group, keys, run: Run::Keys(run), cost: None }
    }

    /// One that has to do with the client, or with the door.
    pub(crate) const fn here(name: &'static str, arity: i32, flags: Flags, group: Group, run: OnClient) -> Command {
        Command { number: 0, name, arity, flags, group, keys: KeySpec::None, run: Run::Here(run), cost: None }
    }

    /// One that may have to wait.
    pub(crate) const fn waits(name: &'static str, arity: i32, flags: Flags, group: Group, keys: KeySpec, run: OnWait) -> Command {
        Command { number: 0, name, arity, flags, group, keys, run: Run::Waits(run), cost: None }
    }

    /// One that has to do with the client, or with the door, and works on the keys.
    pub(crate) const fn both(name: &'static str, arity: i32, flags: Flags, group: Group, keys: KeySpec, run: OnBoth) -> Command {
        Command { number: 0, name, arity, flags, group, keys, run: Run::Both(run), cost: None }
    }

    /// One that has to do with scripts.
    pub(crate) const fn script(name: &'static str, arity: i32, flags: Flags, keys: KeySpec, run: OnScript) -> Command {
        Command { number: 0, name, arity, flags, group: Group::Scripting, keys, run: Run::Script(run), cost: None }
    }

    /// The name in front of those that are called `name|…`.
    pub(crate) const fn container(name: &'static str, group: Group) -> Command {
        Command { number: 0, name, arity: -2, flags: Flags::NONE, group, keys: KeySpec::None, run: Run::Container, cost: None }
    }

    /// It may take long: about so many elements.
    pub(crate) const fn costs(self, cost: Cost) -> Command {
        Command { cost: Some(cost), ..self }
    }

    /// Whether so many words are right.
    pub(crate) fn takes(&self, words: usize) -> bool {
        let least = self.arity.unsigned_abs() as usize;
        if self.arity < 0 { words >= least } else { words == least }
    }

    /// What is said when they are not.
    pub(crate) fn wrong_count(&self) -> Fault {
        Fault::made(format!("ERR wrong number of arguments for '{}' command", self.name))
    }
}

/// What is said when the words are none that a container's command takes.
fn wrong_use(args: Args<'_>) -> Fault {
    let (sub, container) = (String::from_utf8_lossy(args.at(1)), String::from_utf8_lossy(args.at(0)).to_uppercase());
    Fault::made(format!("ERR unknown subcommand or wrong number of arguments for '{sub}'. Try {container} HELP."))
}

/// What a container says of its commands.
fn help(reply: &mut Reply<'_>, container: &str, lines: &[&str]) -> Result<(), Fault> {
    reply.array(lines.len() + 2);
    reply.simple(&format!("{container} <subcommand> [<arg> ...]. Subcommands are:"));
    lines.iter().for_each(|line| reply.simple(line));
    reply.simple("HELP");
    Ok(())
}

impl KeySpec {
    /// The first word behind the name.
    pub(crate) const ONE: KeySpec = KeySpec::Range { first: 1, last: 1, step: 1 };
    /// All words behind the name.
    pub(crate) const REST: KeySpec = KeySpec::Range { first: 1, last: -1, step: 1 };
    pub(crate) const TWO: KeySpec = KeySpec::Range { first: 1, last: 2, step: 1 };

    /// Which words are keys.
    pub(crate) fn places(self, args: Args<'_>, mut each: impl FnMut(usize)) {
        match self {
            KeySpec::None | KeySpec::All => {}
            KeySpec::Range { first, last, step } => {
                let last = if last < 0 { args.len() as i32 + last } else { last.min(args.len() as i32 - 1) };
                (first..=last).step_by(step as usize).for_each(|place| each(place as usize));
            }
            KeySpec::Counted { at, target } => {
                target.into_iter().for_each(&mut each);
                let there = args.len().saturating_sub(at + 1);
                // What is no count is refused by the command itself.
                let count = if at < args.len() { args.int(at).unwrap_or(0) } else { 0 };
                (0..usize::try_from(count).unwrap_or(0).min(there)).for_each(|index| each(at + 1 + index));
            }
            KeySpec::Found(found) | KeySpec::Reaching { found, .. } => found(args).into_iter().for_each(each),
        }
    }
}
