//! `INFO`: the fields that dashboards and clients read.

mod commands;

use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;

use super::{Command, Flags, Group, Here, KeySpec};
use crate::door::now;
use crate::error::Fault;
use crate::events::CutOff;
use crate::frame::{Args, Reply};
use crate::persist::Status;
use crate::store::View;

pub(super) const COMMANDS: &[Command] =
    &[Command::both("info", -1, Flags::LOADING.and(Flags::STALE).and(Flags::DANGEROUS), Group::Server, KeySpec::All, info)];

type Section = fn(&Here<'_>, &View<'_>, &mut String) -> std::fmt::Result;

/// Those that are only told when they are asked for.
const ASKED: [&str; 2] = ["Commandstats", "Latencystats"];

const SECTIONS: [(&str, Section); 12] = [
    ("Server", server),
    ("Clients", clients),
    ("Memory", memory),
    ("Persistence", persistence),
    ("Stats", stats),
    ("Replication", replication),
    ("CPU", cpu),
    ("Commandstats", commands::commandstats),
    ("Errorstats", commands::errorstats),
    ("Latencystats", commands::latencystats),
    ("Cluster", cluster),
    ("Keyspace", keyspace),
];

fn info(here: &mut Here<'_>, view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let asked = |word: &str| (1..args.len()).any(|at| args.is(at, word));
    let (everything, usual) = (asked("all") || asked("everything"), args.len() == 1 || asked("default"));
    let mut text = String::new();
    for (name, section) in SECTIONS {
        if everything || usual && !ASKED.contains(&name) || asked(name) {
            let gap = if text.is_empty() { "" } else { "\r\n" };
            let written = write!(text, "{gap}# {name}\r\n").and_then(|()| section(here, view, &mut text));
            written.expect("a string can be written to");
        }
    }
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

macro_rules! fields {
    ($out:expr, $($name:literal: $value:expr),* $(,)?) => {{
        $(write!($out, concat!($name, ":{}\r\n"), $value)?;)*
        Ok(())
    }};
}

fn server(here: &Here<'_>, _: &View<'_>, out: &mut String) -> std::fmt::Result {
    let up = now().saturating_sub(here.common.started) / 1000;
    fields!(out,
        "redis_version": super::connection::VERSION,
        "redis_git_sha1": "00000000",
        "redis_git_dirty": 0,
        "redis_build_id": "0",
        "redis_mode": "standalone",
        "os": std::env::consts::OS,
        "arch_bits": usize::BITS,
        "multiplexing_api": "epoll",
        "process_id": std::process::id(),
        "run_id": here.common.run_id(),
        "tcp_port": here.common.config.text("port"),
        "server_time_usec": now() * 1000,
        "uptime_in_seconds": up,
        "uptime_in_days": up / 86_400,
        "hz": here.common.config.text("hz"),
        "configured_hz": here.common.config.text("hz"),
        "lru_clock": (now() / 1000) & 0xff_ffff,
        "executable": "plimsoll",
        "config_file": "",
    )
}

fn clients(here: &Here<'_>, _: &View<'_>, out: &mut String) -> std::fmt::Result {
    let all = here.common.roster.all();
    fields!(out,
        "connected_clients": all.len(),
        "cluster_connections": 0,
        "maxclients": here.common.config.text("maxclients"),
        "client_recent_max_input_buffer": all.iter().map(|peer| peer.sent()).max().unwrap_or(0),
        "client_recent_max_output_buffer": all.iter().map(|peer| peer.waiting()).max().unwrap_or(0),
        "blocked_clients": all.iter().filter(|peer| peer.is_blocked()).count(),
        "tracking_clients": 0,
        "clients_in_timeout_table": 0,
    )
}

fn memory(here: &Here<'_>, view: &View<'_>, out: &mut String) -> std::fmt::Result {
    let resident = resident();
    let (kept, clients): (usize, _) = (view.all().map(|keys| keys.in_use()).sum(), here.common.bounds.held());
    let used = kept + clients;
    let peak = here.common.store.peak().max(used);
    let most = here.common.config.number("maxmemory").max(0) as usize;
    let scripts = &here.common.scripts.counts;
    let (lua, functions) = (scripts.eval_bytes.load(Relaxed), scripts.function_bytes.load(Relaxed));
    fields!(out,
        "used_memory": used,
        "used_memory_human": human(used),
        "used_memory_rss": resident,
        "used_memory_rss_human": human(resident),
        "used_memory_peak": peak,
        "used_memory_peak_human": human(peak),
        "used_memory_dataset": kept,
        "mem_clients_normal": clients,
        "maxmemory_clients": here.common.config.most_of_clients(most),
        "used_memory_lua": lua,
        "used_memory_lua_human": human(lua),
        "used_memory_vm_eval": lua,
        "used_memory_vm_functions": functions,
        "used_memory_vm_total": lua + functions,
        "used_memory_vm_total_human": human(lua + functions),
        "used_memory_scripts": 0,
        "number_of_cached_scripts": scripts.scripts.load(Relaxed),
        "number_of_functions": scripts.functions.load(Relaxed),
        "number_of_libraries": scripts.libraries.load(Relaxed),
        "maxmemory": most,
        "maxmemory_human": human(most),
        "maxmemory_policy": here.common.config.text("maxmemory-policy"),
        "mem_fragmentation_ratio": format!("{:.2}", resident as f64 / used.max(1) as f64),
        "mem_allocator": "plimsoll",
        "active_defrag_running": 0,
        "lazyfree_pending_objects": 0,
        "lazyfreed_objects": 0,
    )
}

/// Bytes of the whole process that lie in memory; 0 where the system does not say.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB"));
    kilobytes.and_then(|number| number.trim().parse::<usize>().ok()).unwrap_or(0) << 10
}

/// As Redis says sizes to people.
fn human(bytes: usize) -> String {
    let units = [(1 << 40, "T"), (1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")];
    let unit = units.into_iter().find(|(size, _)| bytes >= *size);
    unit.map_or_else(|| format!("{bytes}B"), |(size, letter)| format!("{:.2}{letter}", bytes as f64 / size as f64))
}

fn persistence(here: &Here<'_>, _: &View<'_>, out: &mut String) -> std::fmt::Result {
    let (changes, log) = (here.common.events.changes(), &here.common.persist.log);
    let status = here.common.persist.status();
    let (changes, logs, goes_on) = (changes.saturating_sub(status.changes), status.logs(), status.since.is_some());
    let Status { saved_at, took, saves, loaded, bytes, .. } = *status;
    let is_ok = if status.is_ok { "ok" } else { "err" };
    let current = status.since.map_or(-1, |since| since.elapsed().as_secs() as i64);
    drop(status);
    fields!(out,
        "loading": 0,
        "async_loading": 0,
        "current_cow_size": 0,
        "rdb_changes_since_last_save": changes,
        "rdb_bgsave_in_progress": u8::from(goes_on && !logs),
        "rdb_last_save_time": saved_at / 1000,
        "rdb_last_bgsave_status": is_ok,
        "rdb_last_bgsave_time_sec": took,
        "rdb_current_bgsave_time_sec": current,
        "rdb_saves": saves,
        "rdb_last_load_keys_loaded": loaded,
        "aof_enabled": u8::from(logs),
        "aof_rewrite_in_progress": u8::from(goes_on && logs),
        "aof_rewrite_scheduled": 0,
        "aof_last_rewrite_time_sec": took,
        "aof_current_rewrite_time_sec": current,
        "aof_last_bgrewrite_status": is_ok,
        "aof_last_write_status": if log.is_broken() { "err" } else { "ok" },
    )?;
    if logs {
        return fields!(out, "aof_current_size": log.written(), "aof_base_size": bytes, "aof_buffer_length": log.waiting());
    }
    Ok(())
}

fn stats(here: &Here<'_>, view: &View<'_>, out: &mut String) -> std::fmt::Result {
    let (since, rates, channels) = (here.common.events.since_reset(), here.common.rates.per_second(), &here.common.channels);
    let sum = |count: fn(&crate::store::Counts) -> u64| view.all().map(|keys| count(&keys.counts)).sum::<u64>();
    fields!(out,
        "total_connections_received": since.accepted,
        "total_commands_processed": since.commands,
        "instantaneous_ops_per_sec": rates[0].round(),
        "total_net_input_bytes": since.bytes_in,
        "total_net_output_bytes": since.bytes_out,
        "instantaneous_input_kbps": format!("{:.2}", rates[1] / 1024.0),
        "instantaneous_output_kbps": format!("{:.2}", rates[2] / 1024.0),
        "rejected_connections": since.refused,
        "sync_full": 0,
        "sync_partial_ok": 0,
        "sync_partial_err": 0,
        "expired_keys": sum(|counts| counts.expired),
        "expired_stale_perc": "0.00",
        "expired_time_cap_reached_count": 0,
        "evicted_keys": sum(|counts| counts.evicted),
        "evicted_clients": here.common.events.count_of_cut(CutOff::Memory),
        "keyspace_hits": sum(|counts| counts.hits),
        "keyspace_misses": sum(|counts| counts.misses),
        "pubsub_channels": channels.count(crate::pubsub::To::Channel),
        "pubsub_patterns": channels.count(crate::pubsub::To::Pattern),
        "pubsubshard_channels": channels.count(crate::pubsub::To::Shard),
        "latest_fork_usec": 0,
        "total_forks": 0,
        "client_query_buffer_limit_disconnections": here.common.events.count_of_cut(CutOff::QueryBuffer),
        "client_output_buffer_limit_disconnections": here.common.events.count_of_cut(CutOff::OutputBuffer),
        "total_error_replies": since.tally.errors().map(|(_, count)| count).sum::<u64>(),
    )
}

fn replication(_: &Here<'_>, _: &View<'_>, out: &mut String) -> std::fmt::Result {
    fields!(out,
        "role": "master",
        "connected_slaves": 0,
        "master_failover_state": "no-failover",
        "master_replid": "0000000000000000000000000000000000000000",
        "master_repl_offset": 0,
        "second_repl_offset": -1,
        "repl_backlog_active": 0,
    )
}

/// Seconds that the process worked, as the system counts them.
fn cpu(_: &Here<'_>, _: &View<'_>, out: &mut String) -> std::fmt::Result {
    // Hundredths of a second: field 14 and 15, of which the name in brackets is the second.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11);
    let mut next = || fields.next().and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or(0.0) / 100.0;
    let (user, system) = (next(), next());
    fields!(out, "used_cpu_sys": format!("{system:.6}"), "used_cpu_user": format!("{user:.6}"))
}

fn cluster(_: &Here<'_>, _: &View<'_>, out: &mut String) -> std::fmt::Result {
    fields!(out, "cluster_enabled": 0)
}

fn keyspace(_: &Here<'_>, view: &View<'_>, out: &mut String) -> std::fmt::Result {
    let volatile: usize = view.all().map(|keys| keys.volatile()).sum();
    match view.count() {
        0 => Ok(()),
        count => write!(out, "db0:keys={count},expires={volatile},avg_ttl=0\r\n"),
    }
}
