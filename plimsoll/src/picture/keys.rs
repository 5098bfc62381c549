use kv::{KeyClass, KeyTold, KeysAsked, KeysTold};
use watch::{KeyClassState, KeyState, KeysState};

use crate::assemble::{Running, Store};
use crate::orders::KeysOrder;

impl Running {
    /// What is known of the keys of the stores that are meant. Blocks for up to some seconds: not for a loop.
    ///
    /// # Errors
    /// There is no store of that name.
    pub fn keys(&self, order: &KeysOrder) -> Result<Vec<KeysState>, String> {
        let mut stores = self.stores.now();
        if let Some(name) = &order.store {
            let names = stores.iter().map(|store| &*store.plan.name).collect::<Vec<_>>().join(", ");
            stores.retain(|store| *store.plan.name == **name);
            if stores.is_empty() {
                return Err(format!("there is no store {name}; there are: {names}"));
            }
        }
        let asked = KeysAsked { hot: order.hot, big: order.big, most: order.most as usize };
        Ok(stores.iter().map(|store| state(store, asked)).collect())
    }
}

fn state(store: &Store, asked: KeysAsked) -> KeysState {
    let KeysTold { classes, hot, big, counted } = store.handle.keys(asked);
    let kv::Counts { keys, memory, memory_max, .. } = store.handle.counts();
    KeysState {
        name: store.plan.name.to_string(),
        keys,
        memory,
        memory_max,
        counted_seconds_ago: counted.map(|counted| counted.as_secs()),
        classes: classes.into_iter().map(class).collect(),
        hot: asked.hot.then(|| hot.into_iter().map(key).collect()),
        big: asked.big.then(|| big.into_iter().map(|one| KeyState { per_second: None, ..key(one) }).collect()),
    }
}

fn class(class: KeyClass) -> KeyClassState {
    let KeyClass { name, keys, memory, hits, misses, writes, evicted, expired } = class;
    let state = KeyClassState { class: name, keys, memory, hits, misses, hit_ratio: None, writes, evicted, expired };
    KeyClassState { hit_ratio: state.ratio(), ..state }
}

fn key(key: KeyTold) -> KeyState {
    let KeyTold { name, class, kind, memory, ttl, per_second } = key;
    KeyState {
        key: name,
        class,
        kind: kind.map(str::to_string),
        memory,
        ttl_seconds: ttl.map(|ttl| ttl as f64 / 1000.0),
        per_second: Some(per_second),
    }
}
