//! All commands by name.

use std::sync::LazyLock;

use super::{
    Command, Flags, acl, bitmaps, blocking, catalog, clients, connection, functions, geo, hashes, hyperloglog, info, keyspace, latency,
    lists, persistence, pubsub, scripting, server, sets, settings, sort, sorted_sets, streams, strings, transactions,
};

/// Every family.
const FAMILIES: &[&[Command]] = &[
    strings::COMMANDS,
    bitmaps::COMMANDS,
    hyperloglog::COMMANDS,
    keyspace::COMMANDS,
    sort::COMMANDS,
    connection::COMMANDS,
    hashes::COMMANDS,
    sets::COMMANDS,
    transactions::COMMANDS,
    pubsub::COMMANDS,
    clients::COMMANDS,
    settings::COMMANDS,
    latency::COMMANDS,
    persistence::COMMANDS,
    server::COMMANDS,
    info::COMMANDS,
    catalog::COMMANDS,
    acl::COMMANDS,
    lists::COMMANDS,
    sorted_sets::COMMANDS,
    geo::COMMANDS,
    blocking::COMMANDS,
    streams::COMMANDS,
    scripting::COMMANDS,
    functions::COMMANDS,
];

/// Longest name, bytes.
const LONGEST: usize = 32;

static TABLE: LazyLock<Table> = LazyLock::new(Table::new);

/// Open addressing over a hash of the name in lower case.
struct Table {
    /// By number.
    all: Vec<Command>,
    /// Numbers.
    slots: Vec<Option<usize>>,
}

impl Table {
    fn new() -> Table {
        let part = |name: &str| if name.contains('|') { Flags::PART } else { Flags::NONE };
        let numbered = |(number, command): (usize, &Command)| Command { number, flags: command.flags.and(part(command.name)), ..*command };
        let all: Vec<Command> = FAMILIES.iter().flat_map(|family| family.iter()).enumerate().map(numbered).collect();
        let size = (all.len() * 4).next_power_of_two();
        let mut slots = vec![None; size];
        for command in &all {
            let mut at = hash(command.name.as_bytes()) as usize & (size - 1);
            while slots[at].is_some() {
                at = (at + 1) & (size - 1);
            }
            slots[at] = Some(command.number);
        }
        Table { all, slots }
    }

    fn find(&self, name: &[u8]) -> Option<&Command> {
        let mask = self.slots.len() - 1;
        let mut at = hash(name) as usize & mask;
        loop {
            let command = &self.all[self.slots[at]?];
            if command.name.as_bytes().eq_ignore_ascii_case(name) {
                return Some(command);
            }
            at = (at + 1) & mask;
        }
    }
}

/// FNV-1a of the name in lower case: names are short, and known.
fn hash(name: &[u8]) -> u64 {
    let hash = name.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte | 0x20)).wrapping_mul(0x100_0000_01b3));
    hash ^ hash >> 32
}

/// The command of that name, in any case.
pub(crate) fn find(name: &[u8]) -> Option<&'static Command> {
    if name.len() > LONGEST { None } else { TABLE.find(name) }
}

/// The command that a request with this first word asks for; none that is called by two.
#[inline]
pub(crate) fn called(word: &[u8]) -> Option<&'static Command> {
    find(word).filter(|command| !command.flags.has(Flags::PART))
}

/// Every command, by number.
pub(crate) fn named() -> impl Iterator<Item = &'static Command> {
    TABLE.all.iter()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_is_found_by_its_name_in_any_case() {
        let mut seen = HashSet::new();
        for command in named() {
            assert!(seen.insert(command.name), "{} is there twice", command.name);
            assert!(command.name.len() <= LONGEST && command.name == command.name.to_lowercase());
            let found = find(command.name.to_uppercase().as_bytes()).expect("it is there");
            assert_eq!(found.name, command.name);
        }
        assert!(find(b"nothing").is_none() && find(b"").is_none());
        assert!(find(b"config|get").is_some() && called(b"config|get").is_none() && called(b"CONFIG").is_some());
    }
}
