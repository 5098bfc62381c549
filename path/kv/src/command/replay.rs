//! Commands that the log says, done once more at the start.

use super::admit::admitted;
use super::execute::on_keys;
use super::{Run, find};
use crate::frame::{Args, Protocol, Reply};
use crate::store::{Kind, Tag, View};

/// What the log says of the tag of a string, which no command sets: the key, and the bytes of the tag.
pub(crate) const TAG: &[u8] = b".tag";

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replayed {
    Done,
    /// It answered an error, which it had not done the first time.
    Failed,
}

/// Does a command on keys that are all locked.
///
/// # Errors
/// There is no such command: the log is of a newer Plimsoll.
pub(crate) fn replay(args: Args<'_>, view: &mut View<'_>) -> Result<Replayed, String> {
    if args.at(0) == TAG && args.len() == 3 {
        return Ok(tag(args.at(1), args.at(2), view));
    }
    let unknown = || format!("was written by a newer Plimsoll: it says {}, which is no command here", args.at(0).escape_ascii());
    find(args.at(0)).ok_or_else(unknown)?;
    let Some(command) = admitted(args).ok().filter(|command| matches!(command.run, Run::Keys(_) | Run::Waits(_))) else {
        return Err(unknown());
    };
    let mut answer = Vec::new();
    let done = on_keys(command, args, view, &mut Reply::new(&mut answer, Protocol::Resp2));
    Ok(done.map_or(Replayed::Failed, |()| Replayed::Done))
}

fn tag(key: &[u8], bytes: &[u8], view: &mut View<'_>) -> Replayed {
    let mut slot = view.open_any(key, Kind::Str);
    match Tag::of(bytes).filter(|_| slot.kind() == Some(Kind::Str)) {
        Some(tag) => {
            slot.set_tag(tag);
            Replayed::Done
        }
        None => Replayed::Failed,
    }
}
