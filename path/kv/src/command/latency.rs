//! `LATENCY`: what took long, and how long commands take.

use super::catalog::parts;
use super::{Command, Flags, Group, Here, find, help};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::latency::History;

const ADMIN: Flags = Flags::ADMIN.and(Flags::NO_SCRIPT).and(Flags::LOADING).and(Flags::STALE);
const HELPS: Flags = Flags::LOADING.and(Flags::STALE);
const S: Group = Group::Server;

pub(super) const COMMANDS: &[Command] = &[
    Command::container("latency", S),
    Command::here("latency|latest", 2, ADMIN, S, latest),
    Command::here("latency|history", 3, ADMIN, S, history),
    Command::here("latency|histogram", -2, ADMIN, S, histogram),
    Command::here("latency|reset", -2, ADMIN, S, reset),
    Command::here("latency|graph", 3, ADMIN, S, graph),
    Command::here("latency|doctor", 2, ADMIN, S, doctor),
    Command::here("latency|help", 2, HELPS, S, |_, _, reply| {
        help(reply, "LATENCY", &["DOCTOR", "GRAPH event", "HISTORY event", "LATEST", "RESET [event ...]", "HISTOGRAM [command ...]"])
    }),
];

/// Columns and rows of a graph.
const COLUMNS: usize = 80;
const ROWS: u64 = 4;

fn latest(here: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let all = here.common.latency.all();
    reply.array(all.len());
    for (name, history) in all {
        let (at, took) = history.samples.back().copied().unwrap_or_default();
        reply.array(4);
        reply.bulk(name.as_bytes());
        [at, took, history.max].into_iter().for_each(|number| reply.int(number as i64));
    }
    Ok(())
}

fn history(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let samples = here.common.latency.of(args.at(2)).map(|(_, history)| history.samples).unwrap_or_default();
    reply.array(samples.len());
    for (at, took) in samples {
        reply.array(2);
        reply.int(at as i64);
        reply.int(took as i64);
    }
    Ok(())
}

fn reset(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let is_named = |name: &str| (2..args.len()).any(|at| args.is(at, name));
    reply.int(here.common.latency.reset(|name| args.len() == 2 || is_named(name)) as i64);
    Ok(())
}

fn graph(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let Some((name, history)) = here.common.latency.of(args.at(2)) else {
        return Err(Fault::made(format!("ERR No samples available for event '{}'", String::from_utf8_lossy(args.at(2)))));
    };
    reply.verbatim("txt", drawn(name, &history, crate::door::now() / 1000).as_bytes());
    Ok(())
}

/// A column for each of the last samples, as high as it took long, and below it how long ago it was.
fn drawn(name: &str, history: &History, now: u64) -> String {
    let from = history.samples.len().saturating_sub(COLUMNS);
    let samples: Vec<(u64, u64)> = history.samples.iter().skip(from).copied().collect();
    let (low, high) = samples.iter().fold((u64::MAX, 0), |(low, high), (_, took)| (low.min(*took), high.max(*took)));
    let mut text = format!("{name} - high {high} ms, low {low} ms (all time high {} ms)\n{}\n", history.max, "-".repeat(COLUMNS));
    for row in (0..ROWS).rev() {
        let line: String = samples.iter().map(|(_, took)| cell(*took, high, row)).collect();
        text += line.trim_end();
        text.push('\n');
    }
    let ages: Vec<Vec<char>> = samples.iter().map(|(at, _)| age(now.saturating_sub(*at)).chars().collect()).collect();
    for row in 0..ages.iter().map(Vec::len).max().unwrap_or(0) {
        let line: String = ages.iter().map(|age| age.get(row).copied().unwrap_or(' ')).collect();
        text.push('\n');
        text += line.trim_end();
    }
    text + "\n"
}

/// A column's sign in a row: its top, what is below it, or nothing.
fn cell(took: u64, high: u64, row: u64) -> char {
    let height = (took * ROWS).div_ceil(high.max(1)).max(1);
    match (row + 1).cmp(&height) {
        std::cmp::Ordering::Less => '|',
        std::cmp::Ordering::Equal if took == high => '#',
        std::cmp::Ordering::Equal => '_',
        std::cmp::Ordering::Greater => ' ',
    }
}

fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

fn doctor(here: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let all = here.common.latency.all();
    let mut text = String::new();
    if here.common.config.latency_threshold() == 0 {
        text += "Nothing is watched: CONFIG SET latency-monitor-threshold <milliseconds> begins it.\n";
    } else if all.is_empty() {
        text += "No command took as long as latency-monitor-threshold says.\n";
    }
    for (name, history) in all {
        let count = history.samples.len() as u64;
        let mean = history.samples.iter().map(|(_, took)| took).sum::<u64>() / count.max(1);
        text +=
            &format!("{name}: in {count} seconds, {mean} ms in the mean of their worst, {} ms at most. See SLOWLOG GET.\n", history.max);
    }
    text += "What takes long is done by a worker: it holds up those who need its keys, and nobody else.\n";
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

/// How long commands took, once all are timed.
fn histogram(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let names = args.from(2);
    let wanted: Vec<&Command> = names.iter().filter_map(find).flat_map(|one| parts(one).into_iter().chain([one])).collect();
    let is_wanted = |command: &Command| names.is_empty() || wanted.iter().any(|one| one.name == command.name);
    let tally = here.common.events.tally();
    let tracked = here.common.config.tracks_latency();
    let all: Vec<_> = tally.commands().filter(|(command, sum)| tracked && sum.timed > 0 && is_wanted(command)).collect();
    reply.map(all.len());
    for (command, sum) in all {
        reply.bulk(command.name.as_bytes());
        reply.map(2);
        reply.bulk(b"calls");
        reply.int(sum.timed as i64);
        reply.bulk(b"histogram_usec");
        let bounds = sum.histogram();
        reply.map(bounds.len());
        for (bound, within) in bounds {
            reply.int(bound as i64);
            reply.int(within as i64);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_has_a_column_for_each_second() {
        let history = History { samples: [(100, 5), (160, 20), (161, 10)].into(), max: 30 };
        let lines: Vec<String> = drawn("command", &history, 221).lines().map(String::from).collect();
        assert_eq!(lines[0], "command - high 20 ms, low 5 ms (all time high 30 ms)");
        assert_eq!(lines[2..], [" #", " |", " |_", "_||", "", "211", "mmm"]);
    }
}
