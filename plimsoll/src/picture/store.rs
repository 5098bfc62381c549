use watch::KvState;

use crate::assemble::Store;

/// What the pace of a door is kept under.
pub(crate) fn tier(store: &Store) -> String {
    format!("kv.{}", store.plan.name)
}

/// A door and its store as they are now.
pub(super) fn door(store: &Store, commands_per_second: f64) -> KvState {
    let kv::Counts { clients, commands, errors, hits, misses, evicted, expired, slow, keys, memory, memory_max } = store.handle.counts();
    KvState {
        name: store.plan.name.to_string(),
        listen: store.address.to_string(),
        clients,
        keys,
        memory,
        memory_max,
        commands,
        commands_per_second,
        errors,
        slow,
        hits,
        misses,
        evicted,
        expired,
    }
}
