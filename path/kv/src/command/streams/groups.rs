//! `XGROUP`: groups of consumers come and go.

use super::{ids, misused, noted, peek, tell_help};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::stream::{Group, Id, Stream};
use crate::store::{Class, Kind, Slot, View};

/// What may be said behind the ID.
struct Options {
    makes: bool,
    read: i64,
}

impl Options {
    fn read(args: Args<'_>, creates: bool) -> Result<Options, Fault> {
        let mut options = Options { makes: false, read: Group::UNKNOWN };
        let mut at = 5;
        while at < args.len() {
            if creates && args.is(at, "MKSTREAM") {
                options.makes = true;
                at += 1;
            } else if args.is(at, "ENTRIESREAD") && at + 1 < args.len() {
                options.read = args.int(at + 1)?;
                if options.read < 0 && options.read != Group::UNKNOWN {
                    return Err(Fault::fixed("ERR value for ENTRIESREAD must be positive or -1"));
                }
                at += 2;
            } else {
                return Err(misused(args));
            }
        }
        Ok(options)
    }
}

fn no_key() -> Fault {
    Fault::fixed(
        "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create \
         an empty stream automatically.",
    )
}

pub(super) fn create(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let options = Options::read(args, true)?;
    let (key, group) = (args.at(2), args.at(3));
    let mut slot = view.open(key, Kind::Stream)?;
    let is_there = slot.kind().is_some();
    if !is_there && !options.makes {
        return Err(no_key());
    }
    if args.len() > 8 {
        return Err(misused(args));
    }
    let last = match (args.at(4), slot.value()) {
        (b"$", Some(value)) => Stream::of(value).log.last(),
        (b"$", None) => Id::MIN,
        (id, _) => ids::strict(id)?,
    };
    let stream = Stream::in_slot_or_new(&mut slot);
    if !stream.groups.add(group, Group::new(last, options.read)) {
        return Err(Fault::fixed("BUSYGROUP Consumer Group name already exists"));
    }
    if is_there {
        noted(slot.outcome(), key, "xgroup-create");
    } else {
        slot.changed(Class::STREAM, "xgroup-create");
    }
    reply.ok();
    Ok(())
}

/// The stream of a slot, which must have the group.
fn with_group<'s>(slot: &'s mut Slot<'_>, args: Args<'_>) -> Result<&'s mut Stream, Fault> {
    let stream = Stream::in_slot(slot).ok_or_else(no_key)?;
    if stream.groups.get(args.at(3)).is_some() { Ok(stream) } else { Err(no_group(args.at(2), args.at(3))) }
}

/// Of a command that is about the groups of a key.
pub(super) fn no_group(key: &[u8], group: &[u8]) -> Fault {
    let (key, group) = (String::from_utf8_lossy(key), String::from_utf8_lossy(group));
    Fault::made(format!("NOGROUP No such consumer group '{group}' for key name '{key}'"))
}

pub(super) fn set_id(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let options = Options::read(args, false)?;
    let mut slot = view.open(args.at(2), Kind::Stream)?;
    let stream = with_group(&mut slot, args)?;
    if args.len() > 7 {
        return Err(misused(args));
    }
    let last = if args.at(4) == b"$" { stream.log.last() } else { ids::loose(args.at(4), 0)? };
    stream.groups.change(args.at(3), |group| (group.last, group.read) = (last, options.read));
    noted(slot.outcome(), args.at(2), "xgroup-setid");
    reply.ok();
    Ok(())
}

pub(super) fn destroy(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let mut slot = view.open(args.at(2), Kind::Stream)?;
    let is_gone = Stream::in_slot(&mut slot).ok_or_else(no_key)?.groups.remove(args.at(3));
    if is_gone {
        // Those who wait for the group are told that it is gone.
        slot.changed(Class::STREAM, "xgroup-destroy");
    }
    reply.int(i64::from(is_gone));
    Ok(())
}

pub(super) fn create_consumer(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let now = view.now();
    let mut slot = view.open(args.at(2), Kind::Stream)?;
    let is_new = with_group(&mut slot, args)?.groups.change(args.at(3), |group| group.add(args.at(4), now)) == Some(true);
    if is_new {
        noted(slot.outcome(), args.at(2), "xgroup-createconsumer");
    }
    reply.int(i64::from(is_new));
    Ok(())
}

pub(super) fn delete_consumer(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let mut slot = view.open(args.at(2), Kind::Stream)?;
    let pending = with_group(&mut slot, args)?.groups.change(args.at(3), |group| group.remove(args.at(4))).flatten();
    if pending.is_some() {
        noted(slot.outcome(), args.at(2), "xgroup-delconsumer");
    }
    reply.int(pending.unwrap_or(0) as i64);
    Ok(())
}

pub(super) fn help(_: &mut View<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    tell_help(
        "XGROUP",
        &[
            "CREATE <key> <groupname> <id|$> [option]",
            "    Create a new consumer group. Options are:",
            "    * MKSTREAM",
            "      Create the empty stream if it does not exist.",
            "    * ENTRIESREAD entries_read",
            "      Set the group's entries_read counter (internal use).",
            "CREATECONSUMER <key> <groupname> <consumer>",
            "    Create a new consumer in the specified group.",
            "DELCONSUMER <key> <groupname> <consumer>",
            "    Remove the specified consumer.",
            "DESTROY <key> <groupname>",
            "    Remove the specified group.",
            "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
            "    Set the current group ID and entries_read counter.",
        ],
        reply,
    );
    Ok(())
}

/// What goes with a group or a consumer.
pub(super) fn cost(view: &View<'_>, args: Args<'_>) -> usize {
    let group = peek(view, args.at(2)).and_then(|stream| stream.groups.get(args.at(3)));
    group.map_or(0, |group| match args.get(4) {
        None => group.pending_count() + group.len(),
        Some(name) => group.consumer(name).map_or(0, |consumer| consumer.pending_count()),
    })
}
