//! Counts client connections by address. Asked once for a connection, not for a request.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

const SHARDS: usize = 16;

/// Connections of each address over all loops.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    shards: [Mutex<HashMap<IpAddr, usize>>; SHARDS],
    hash: RandomState,
}

/// One connection's count, given back when dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    /// Counts a connection of `address`, unless it has `most` already.
    pub(crate) fn enter(self: &Arc<Addresses>, address: IpAddr, most: usize) -> Option<Counted> {
        let address = address.to_canonical();
        let mut shard = self.shard(address).lock().unwrap_or_else(PoisonError::into_inner);
        let count = shard.entry(address).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Counted { addresses: self.clone(), address })
    }

    fn shard(&self, address: IpAddr) -> &Mutex<HashMap<IpAddr, usize>> {
        &self.shards[self.hash.hash_one(address) as usize % SHARDS]
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut shard = self.addresses.shard(self.address).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = shard.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                shard.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_and_no_more() {
        let addresses = Arc::new(Addresses::default());
        let address = "10.0.0.1".parse().unwrap();
        let first = addresses.enter(address, 1).unwrap();
        assert!(addresses.enter("::ffff:10.0.0.1".parse().unwrap(), 1).is_none());
        assert!(addresses.enter("10.0.0.2".parse().unwrap(), 1).is_some());
        drop(first);
        assert!(addresses.enter(address, 1).is_some());
    }
}
