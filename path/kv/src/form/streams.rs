//! Streams as bytes: what is remembered of all entries, the entries, and the groups with their consumers and what is pending.

use std::collections::HashMap;

use super::reader::Reader;
use super::writer::{number, put};
use crate::frame::Owned;
use crate::store::stream::{Group, Id, Log, Stream};

pub(super) fn write(stream: &Stream, to: &mut Vec<u8>) {
    let log = &stream.log;
    id(log.last(), to);
    id(log.deleted(), to);
    number(log.added(), to);
    number(log.len() as u64, to);
    for entry in log.range(Id::MIN, Id::MAX) {
        id(entry.id, to);
        number(entry.fields() as u64, to);
        entry.each(|field, value| {
            put(field, to);
            put(value, to);
        });
    }
    number(stream.groups.len() as u64, to);
    stream.groups.iter().for_each(|(name, group)| write_group(name, group, to));
}

fn write_group(name: &[u8], group: &Group, to: &mut Vec<u8>) {
    put(name, to);
    id(group.last, to);
    // What is not known is -1.
    number(group.read.wrapping_add(1) as u64, to);
    number(group.len() as u64, to);
    let mut places = HashMap::new();
    for (place, consumer) in group.consumers().enumerate() {
        put(&consumer.name, to);
        number(consumer.seen, to);
        places.insert(&*consumer.name, place as u64);
    }
    number(group.pending_count() as u64, to);
    for (at, pending) in group.pending_between(Id::MIN, Id::MAX) {
        id(at, to);
        number(places[&*group.owner(pending).name], to);
        number(pending.time, to);
        number(pending.count, to);
    }
}

fn id(id: Id, to: &mut Vec<u8>) {
    number(id.ms, to);
    number(id.seq, to);
}

/// None if it makes no sense.
pub(super) fn read(from: &mut Reader<'_>) -> Option<Stream> {
    let (mut stream, last, deleted, added) = (Stream::default(), read_id(from)?, read_id(from)?, from.number()?);
    for _ in 0..from.number()? {
        read_entry(from, &mut stream.log)?;
    }
    if last < stream.log.last() || added < stream.log.len() as u64 {
        return None;
    }
    stream.log.set(last, Some(added), Some(deleted));
    for _ in 0..from.number()? {
        let name = from.text()?;
        if !stream.groups.add(name, read_group(from)?) {
            return None;
        }
    }
    from.is_empty().then_some(stream)
}

fn read_entry(from: &mut Reader<'_>, log: &mut Log) -> Option<()> {
    let id = read_id(from).filter(|id| *id > log.last())?;
    let count = from.number().filter(|count| *count > 0)?;
    let mut words = Vec::new();
    for _ in 0..count {
        words.extend([from.text()?, from.text()?]);
    }
    log.push(id, words.into_iter().collect::<Owned>().args());
    Some(())
}

fn read_group(from: &mut Reader<'_>) -> Option<Group> {
    let (last, read, mut names) = (read_id(from)?, from.number()?, Vec::new());
    let mut group = Group::new(last, (read as i64).wrapping_sub(1));
    for _ in 0..from.number()? {
        let name = from.text()?;
        if !group.add(name, from.number()?) {
            return None;
        }
        names.push(name);
    }
    for _ in 0..from.number()? {
        let (id, place) = (read_id(from)?, usize::try_from(from.number()?).ok()?);
        group.give(names.get(place)?, id, from.number()?, from.number()?);
    }
    Some(group)
}

fn read_id(from: &mut Reader<'_>) -> Option<Id> {
    Some(Id { ms: from.number()?, seq: from.number()? })
}

#[cfg(test)]
mod tests {
    use super::super::{reader, writer};
    use super::*;
    use crate::store::{Big, Kind, Value};

    #[test]
    fn what_makes_no_sense_is_no_stream() {
        let (mut stream, words) = (Stream::default(), ["field", "value"]);
        for ms in 1..4 {
            let pairs: Owned = words.iter().map(|word| word.as_bytes()).collect();
            stream.log.push(Id { ms, seq: 0 }, pairs.args());
        }
        assert!(stream.groups.add(b"group", Group::new(Id { ms: 2, seq: 0 }, 2)));
        stream.groups.change(b"group", |group| {
            assert!(group.add(b"consumer", 7));
            group.give(b"consumer", Id { ms: 1, seq: 0 }, 8, 9);
        });
        let mut bytes = Vec::new();
        writer::write(Kind::Stream, Value::Big(&Big::Stream(stream)), &mut bytes);
        assert!(reader::read(&bytes).is_some());
        assert!((0..bytes.len()).all(|length| reader::read(&bytes[..length]).is_none()));
        for (at, bit) in (1..bytes.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut other = bytes.clone();
            other[at] ^= 1 << bit;
            // It may be another stream, but it must be one.
            if let Some(value) = reader::read(&other) {
                assert_eq!(value.kind(), Kind::Stream);
            }
        }
    }
}
