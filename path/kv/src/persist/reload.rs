//! Writes all keys and reads them again, in memory, while nobody else has them.

use super::load;
use super::record;
use super::save::BIG;
use crate::form::Reader;
use crate::store::{Keys, Ms, Outcome, Store};

/// All keys of these shards, as a base has them; they are there still.
fn written(all: &mut [(usize, Box<Keys>)], now: Ms) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (_, keys) in all {
        keys.begin_save(now);
        let (mut cursor, mut later) = (0, Vec::new());
        loop {
            cursor = keys.save(cursor, usize::from(u16::MAX), BIG, &mut later, |key| record::write(key, &mut bytes));
            if cursor == 0 {
                break;
            }
        }
        later.iter().for_each(|key| keys.save_one(key, |key| record::write(key, &mut bytes)));
        keys.end_save();
    }
    bytes
}

/// Whether what was read is what was written.
pub(super) fn reload(store: &Store, all: &mut [(usize, Box<Keys>)], now: Ms) -> Result<(), String> {
    let bytes = written(all, now);
    let mut outcome = Outcome::default();
    for (_, keys) in all.iter_mut() {
        keys.clear(&mut outcome);
    }
    let mut view = store.view_many(all.iter_mut().map(|(number, keys)| (*number, &mut **keys)), now, &mut outcome);
    load::keys(&mut Reader::new(&bytes), &mut view, Some(now)).map(drop).ok_or_else(|| "what was written makes no sense".into())
}
