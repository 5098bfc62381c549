//! `XACK`.

use super::{ids, look};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::stream::Stream;
use crate::store::{Kind, View};

pub(super) fn acknowledge(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (key, group) = (args.at(1), args.at(2));
    if look(view, key)?.is_none_or(|stream| stream.groups.get(group).is_none()) {
        reply.int(0);
        return Ok(());
    }
    let ids = ids::all(args.from(3))?;
    let mut slot = view.open(key, Kind::Stream)?;
    let groups = Stream::in_slot(&mut slot).map(|stream| &mut stream.groups);
    let count = groups.and_then(|groups| groups.change(group, |group| ids.into_iter().filter(|id| group.acknowledge(*id)).count()));
    let count = count.unwrap_or(0);
    slot.outcome().changes += count as u64;
    reply.int(count as i64);
    Ok(())
}
