//! Commands that Redis 7.0 has and this door has not. Rules may name them, so that those written for a Redis hold here; it changes nothing.

use crate::command::find;

const COMMANDS: &[&str] = &[
    "asking",
    "bgrewriteaof",
    "bgsave",
    "client|caching",
    "client|tracking",
    "cluster",
    "command|getkeysandflags",
    "failover",
    "migrate",
    "module",
    "psync",
    "readonly",
    "readwrite",
    "replconf",
    "replicaof",
    "restore-asking",
    "save",
    "shutdown",
    "slaveof",
    "sync",
];

/// Whether only a Redis has this command, or the one that it is part of.
pub(super) fn has(name: &[u8]) -> bool {
    let whole = name.split(|byte| *byte == b'|').next().unwrap_or(name);
    let is_of_redis = |name: &[u8]| COMMANDS.iter().any(|command| name.eq_ignore_ascii_case(command.as_bytes()));
    find(name).is_none() && (is_of_redis(name) || is_of_redis(whole))
}
