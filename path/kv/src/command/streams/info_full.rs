//! `XINFO STREAM key FULL`: all there is to know, and some of the entries.

use super::info::{head, number, progress};
use super::range::entries;
use crate::frame::Reply;
use crate::store::stream::{Consumer, Group, Id, Stream};

/// Tells of each list no more than `most`.
pub(super) fn tell(stream: &Stream, most: usize, reply: &mut Reply<'_>) {
    head(&stream.log, 9, reply);
    reply.bulk(b"entries");
    entries(stream.log.range(Id::MIN, Id::MAX).take(most), reply);
    reply.bulk(b"groups");
    reply.array(stream.groups.len());
    for (name, group) in stream.groups.iter() {
        reply.map(7);
        reply.bulk(b"name");
        reply.bulk(name);
        progress(stream, group, reply);
        number("pel-count", group.pending_count(), reply);
        pending(group, most, reply);
        reply.bulk(b"consumers");
        reply.array(group.len());
        group.consumers().for_each(|consumer| tell_consumer(group, consumer, most, reply));
    }
}

fn pending(group: &Group, most: usize, reply: &mut Reply<'_>) {
    reply.bulk(b"pending");
    reply.array(group.pending_count().min(most));
    for (id, pending) in group.pending_between(Id::MIN, Id::MAX).take(most) {
        reply.array(4);
        reply.bulk(&id.text());
        reply.bulk(&group.owner(pending).name);
        reply.int(pending.time as i64);
        reply.int(pending.count as i64);
    }
}

fn tell_consumer(group: &Group, consumer: &Consumer, most: usize, reply: &mut Reply<'_>) {
    reply.map(4);
    reply.bulk(b"name");
    reply.bulk(&consumer.name);
    number("seen-time", consumer.seen as usize, reply);
    number("pel-count", consumer.pending_count(), reply);
    reply.bulk(b"pending");
    reply.array(consumer.pending_count().min(most));
    for id in consumer.pending_between(Id::MIN, Id::MAX).take(most) {
        let Some(pending) = group.pending(id) else { continue };
        reply.array(3);
        reply.bulk(&id.text());
        reply.int(pending.time as i64);
        reply.int(pending.count as i64);
    }
}
