//! Categories of commands, as rules for users name them.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Command, Flags, Group, Run, find, named};

/// Some categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Categories(u32);

/// In the order in which `ACL CAT` tells them.
const NAMES: [&str; 21] = [
    "keyspace",
    "read",
    "write",
    "set",
    "sortedset",
    "list",
    "hash",
    "string",
    "bitmap",
    "hyperloglog",
    "geo",
    "stream",
    "pubsub",
    "admin",
    "fast",
    "slow",
    "blocking",
    "dangerous",
    "connection",
    "transaction",
    "scripting",
];

/// Which commands there are for rules, by number.
static NUMBERS: LazyLock<HashMap<&'static str, usize>> =
    LazyLock::new(|| ruled().map(|(number, command)| (command.name, number)).collect());

/// The commands that rules may name, with a number for each.
pub(crate) fn ruled() -> impl Iterator<Item = (usize, &'static Command)> {
    named().enumerate().filter(|(_, command)| std::ptr::eq(command.ruled(), *command))
}

impl Categories {
    /// All, each with its name.
    pub(crate) fn all() -> impl Iterator<Item = (&'static str, Categories)> {
        NAMES.iter().enumerate().map(|(at, name)| (*name, Categories(1 << at)))
    }

    /// The one of that name, in any case.
    pub(crate) fn named(name: &[u8]) -> Option<Categories> {
        Categories::all().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name)).map(|(_, category)| category)
    }

    /// Whether one of `other` is among them.
    pub(crate) fn has(self, other: Categories) -> bool {
        self.0 & other.0 != 0
    }

    /// Their names.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        Categories::all().filter(move |(_, category)| self.has(*category)).map(|(name, _)| name)
    }

    const fn of(name: &str) -> u32 {
        let mut at = 0;
        while at < NAMES.len() {
            if same(NAMES[at].as_bytes(), name.as_bytes()) {
                return 1 << at;
            }
            at += 1;
        }
        panic!("there is no such category")
    }
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

impl Command {
    /// The command that rules mean by it: what DEBUG does is one command for them, as in Redis.
    pub(crate) fn ruled(&'static self) -> &'static Command {
        if self.name.starts_with("debug|") { find(b"debug").expect("there is DEBUG") } else { self }
    }

    /// Its number among [`ruled`].
    pub(crate) fn number(&self) -> usize {
        NUMBERS[self.name]
    }

    /// Whether rules may name its parts.
    pub(crate) fn has_parts(&self) -> bool {
        matches!(self.run, Run::Container) && self.name != "debug"
    }

    /// Whether `part` is one of its parts.
    pub(crate) fn is_container_of(&self, part: &Command) -> bool {
        self.has_parts() && part.name.strip_prefix(self.name).is_some_and(|rest| rest.starts_with('|'))
    }

    /// What it belongs to.
    pub(crate) fn categories(&self) -> Categories {
        let is_bare = self.has_parts() && self.name != "command";
        let mut all = if is_bare { 0 } else { self.own_category() };
        let by_flag = [
            (Flags::WRITE, Categories::of("write")),
            (Flags::ADMIN, Categories::of("admin") | Categories::of("dangerous")),
            (Flags::PUBSUB, Categories::of("pubsub")),
            (Flags::FAST, Categories::of("fast")),
            (Flags::BLOCKING, Categories::of("blocking")),
            (Flags::DANGEROUS, Categories::of("dangerous")),
        ];
        all |= by_flag.iter().filter(|(flag, _)| self.flags.has(*flag)).fold(0, |all, (_, category)| all | category);
        if self.flags.has(Flags::READ) && self.group != Group::Scripting {
            all |= Categories::of("read");
        }
        Categories(if self.flags.has(Flags::FAST) { all } else { all | Categories::of("slow") })
    }

    /// By what it is about.
    fn own_category(&self) -> u32 {
        match (self.group, self.name) {
            (_, "sort" | "sort_ro") => Categories::of("set") | Categories::of("sortedset") | Categories::of("list"),
            (_, "flushall" | "flushdb" | "swapdb" | "dbsize") => Categories::of("keyspace"),
            (_, "lastsave" | "role") => Categories::of("admin"),
            (_, "wait") => Categories::of("connection"),
            (_, "command") => Categories::of("connection"),
            (Group::Server, name) if name.starts_with("command|") => Categories::of("connection"),
            (Group::Keyspace, _) => Categories::of("keyspace"),
            (Group::String, _) => Categories::of("string"),
            (Group::Bitmap, _) => Categories::of("bitmap"),
            (Group::List, _) => Categories::of("list"),
            (Group::Set, _) => Categories::of("set"),
            (Group::Sorted, _) => Categories::of("sortedset"),
            (Group::Hash, _) => Categories::of("hash"),
            (Group::Stream, _) => Categories::of("stream"),
            (Group::HyperLogLog, _) => Categories::of("hyperloglog"),
            (Group::Geo, _) => Categories::of("geo"),
            (Group::Transaction, _) => Categories::of("transaction"),
            (Group::Scripting, _) => Categories::of("scripting"),
            (Group::Connection, _) => Categories::of("connection"),
            (Group::PubSub | Group::Server, _) => 0,
        }
    }
}
