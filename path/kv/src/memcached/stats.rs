//! `stats`: what memcached's tools look at, as far as it means something here.

use super::answer::say;
use super::request::{ERROR, ITEM, words};
use super::{Tally, VERSION};
use crate::door::{Door, Shared, now};
use crate::store::Sum;

/// Answers `stats` and what of it is asked for.
pub(super) fn answer(door: &Door, what: &[u8], out: &mut Vec<u8>) {
    let common = &door.common;
    let tallies = || common.events.loops.iter().map(|one| &one.memcached);
    match words(what).next() {
        None => general(door, &common.store.sum(), tallies(), out),
        Some(b"settings") => settings(common, out),
        Some(b"items") => items(&common.store.sum(), out),
        Some(b"slabs") => slabs(common, &common.store.sum(), out),
        // memcached counts them only when it was told to.
        Some(b"sizes") => stat(out, "sizes_status", "disabled"),
        Some(b"reset") => {
            common.tally_base.reset(tallies());
            return say(out, "RESET");
        }
        Some(_) => return say(out, ERROR),
    }
    say(out, "END");
}

fn stat(out: &mut Vec<u8>, name: &str, value: impl std::fmt::Display) {
    say(out, &format!("STAT {name} {value}"));
}

fn general<'t>(door: &Door, sum: &Sum, tallies: impl Iterator<Item = &'t Tally>, out: &mut Vec<u8>) {
    let (common, now) = (&door.common, now());
    let events = &common.events;
    stat(out, "pid", std::process::id());
    stat(out, "uptime", (now - common.started.min(now)) / 1000);
    stat(out, "time", now / 1000);
    stat(out, "version", VERSION.trim_start_matches("VERSION "));
    stat(out, "pointer_size", usize::BITS);
    stat(out, "max_connections", common.config.number("maxclients"));
    stat(out, "curr_connections", common.seats.taken());
    stat(out, "total_connections", events.sum(|one| &one.accepted));
    stat(out, "rejected_connections", events.sum(|one| &one.refused));
    for (name, count) in common.tally_base.since(tallies) {
        stat(out, name, count);
    }
    stat(out, "bytes_read", events.sum(|one| &one.bytes_in));
    stat(out, "bytes_written", events.sum(|one| &one.bytes_out));
    stat(out, "limit_maxbytes", common.store.limit());
    stat(out, "threads", events.loops.len());
    stat(out, "bytes", common.store.used());
    stat(out, "curr_items", sum.keys);
    stat(out, "evictions", sum.counts.evicted);
    stat(out, "reclaimed", sum.counts.expired);
}

fn settings(common: &Shared, out: &mut Vec<u8>) {
    let on_off = |is: bool| if is { "on" } else { "off" };
    stat(out, "maxbytes", common.store.limit());
    stat(out, "maxconns", common.config.number("maxclients"));
    stat(out, "evictions", on_off(common.config.text("maxmemory-policy") != "noeviction"));
    stat(out, "num_threads", common.events.loops.len());
    stat(out, "detail_enabled", "no");
    stat(out, "cas_enabled", "yes");
    stat(out, "auth_enabled_ascii", if common.users.needs_login() { "yes" } else { "no" });
    stat(out, "item_size_max", ITEM);
    stat(out, "flush_enabled", "yes");
    stat(out, "dump_enabled", "no");
    stat(out, "binding_protocol", "ascii");
}

/// All of them are of one class.
fn items(sum: &Sum, out: &mut Vec<u8>) {
    if sum.keys > 0 {
        stat(out, "items:1:number", sum.keys);
        stat(out, "items:1:evicted", sum.counts.evicted);
        stat(out, "items:1:outofmemory", 0);
        stat(out, "items:1:reclaimed", sum.counts.expired);
    }
}

fn slabs(common: &Shared, sum: &Sum, out: &mut Vec<u8>) {
    if sum.keys > 0 {
        stat(out, "1:used_chunks", sum.keys);
        stat(out, "1:mem_requested", common.store.used());
    }
    stat(out, "active_slabs", usize::from(sum.keys > 0));
    stat(out, "total_malloced", common.store.used());
}
