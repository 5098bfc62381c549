//! Does once more what a log says.

use std::io::Read;
use std::sync::Arc;

use super::block::{Blocks, Head, Holds, Next};
use super::load::unknown;
use super::log::UNIT_HEAD;
use crate::command::{Replayed, replay};
use crate::form::Reader;
use crate::frame::Owned;
use crate::store::{Outcome, Store, View};

/// What was read of a log.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) commands: u64,
    /// Commands that could not be done as they were.
    pub(super) failed: u64,
    /// Bytes of what is whole.
    pub(super) whole: u64,
    /// Bytes behind that: the end was torn.
    pub(super) torn: u64,
}

/// Does what a log of `length` bytes says, whose head was read.
///
/// # Errors
/// Why it is refused; part of it may be done then.
pub(super) fn log(from: impl Read, head: Head, length: u64, store: &Arc<Store>) -> Result<Done, String> {
    let mut blocks = Blocks::new(from, head.generation, length);
    let (mut done, mut outcome) = (Done::default(), Outcome::default());
    loop {
        let at = blocks.at;
        match blocks.next().map_err(|error| format!("cannot be read at byte {at}: {error}"))? {
            Next::Block(Holds::Commands, bytes) => {
                let Ok(mut guards) = store.lock_many(0..store.count()) else { return Err("is read while a worker has keys".into()) };
                let keys = guards.iter_mut().map(|(number, keys)| (*number, &mut **keys));
                let mut view = store.view_many(keys, head.time, &mut outcome);
                units(bytes, &mut view, &mut done).map_err(|why| format!("{why}, in the block at byte {at}"))?;
            }
            Next::End | Next::Torn => return Ok(Done { whole: at, torn: length - at, ..done }),
            Next::Unknown(number) => return Err(unknown(at, number)),
            Next::Block(..) | Next::Garbled => {
                return Err(format!("is damaged at byte {at}, and there is more behind it: its checksum is wrong"));
            }
        }
    }
}

/// Does what a block says.
fn units(mut bytes: &[u8], view: &mut View<'_>, done: &mut Done) -> Result<(), String> {
    const SENSELESS: &str = "makes no sense";
    while let Some((head, rest)) = bytes.split_first_chunk::<UNIT_HEAD>() {
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
        view.set_now(number(&head[..6]));
        let length = usize::try_from(number(&head[6..])).ok();
        let Some((unit, rest)) = length.and_then(|length| rest.split_at_checked(length)) else { return Err(SENSELESS.into()) };
        let mut from = Reader::new(unit);
        while !from.is_empty() {
            let words = words(&mut from).ok_or(SENSELESS)?;
            match replay(words.args(), view)? {
                Replayed::Done => {}
                Replayed::Failed => done.failed += 1,
            }
            done.commands += 1;
        }
        view.outcome.clear();
        bytes = rest;
    }
    if bytes.is_empty() { Ok(()) } else { Err(SENSELESS.into()) }
}

fn words(from: &mut Reader<'_>) -> Option<Owned> {
    let count = from.number().filter(|count| *count > 0)?;
    let mut words = Vec::new();
    for _ in 0..count {
        words.push(from.text()?);
    }
    Some(words.into_iter().collect())
}
