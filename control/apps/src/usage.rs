//! Processor time and memory of process groups, from /proc.

use std::collections::HashMap;
use std::fs;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::tier::Shared;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// What is known of each app and each group leader.
#[derive(Debug, Default)]
pub(crate) struct Usages(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    groups: HashMap<u32, Usage>,
    seconds: HashMap<Arc<str>, f64>,
}

/// One group at the last look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usage {
    /// 1.0 = one core, since the look before.
    pub(crate) cpu: f64,
    /// Resident bytes; what processes share is counted for each.
    pub(crate) memory: u64,
    seconds: f64,
    at: Instant,
}

/// A group's sums: seconds of processor time, those of its dead children included, and resident bytes.
type Sums = HashMap<u32, (f64, u64)>;

impl Usages {
    /// The usage of the group that `pid` leads.
    pub(crate) fn of(&self, pid: u32) -> Option<Usage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).groups.get(&pid).copied()
    }

    /// Processor time of an app over all its instances, seconds.
    pub(crate) fn seconds(&self, app: &str) -> f64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).seconds.get(app).copied().unwrap_or(0.0)
    }

    /// Takes in a look at the groups of these leaders.
    fn note(&self, leaders: &[(Arc<str>, u32)], sums: &Sums, now: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut known.groups);
        for (app, pid) in leaders {
            let Some((seconds, memory)) = sums.get(pid).copied() else { continue };
            let last = before.get(pid).copied();
            // The time of a group shrinks when a process leaves it.
            let used = (seconds - last.map_or(0.0, |last| last.seconds)).max(0.0);
            let cpu = last.map_or(0.0, |last| used / now.duration_since(last.at).as_secs_f64().max(0.001));
            known.groups.insert(*pid, Usage { cpu, memory, seconds, at: now });
            *known.seconds.entry(app.clone()).or_default() += used;
        }
    }
}

/// Looks again and again, as long as the tier lives.
pub(crate) async fn sample(shared: Weak<Shared>) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let Some(shared) = shared.upgrade() else { return };
        let leaders: Vec<_> =
            shared.pool().iter().filter_map(|instance| Some((instance.app.clone(), instance.view.borrow().pid?))).collect();
        if leaders.is_empty() {
            continue;
        }
        if let Ok(sums) = tokio::task::spawn_blocking(sums).await {
            shared.usages.note(&leaders, &sums, Instant::now());
        }
    }
}

fn sums() -> Sums {
    let mut sums = Sums::new();
    let Ok(folders) = fs::read_dir("/proc") else { return sums };
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let page = rustix::param::page_size() as u64;
    for folder in folders.flatten() {
        if !folder.file_name().to_string_lossy().starts_with(|first: char| first.is_ascii_digit()) {
            continue;
        }
        let Some((group, used, pages)) = fs::read_to_string(folder.path().join("stat")).ok().and_then(|stat| parse(&stat)) else {
            continue;
        };
        let sum = sums.entry(group).or_default();
        sum.0 += used as f64 / ticks;
        sum.1 += pages * page;
    }
    sums
}

/// Group, ticks and resident pages of a line of proc(5)'s `stat`.
fn parse(stat: &str) -> Option<(u32, u64, u64)> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let ticks = (11..=14).map(number).sum::<Option<u64>>()?;
    Some((number(2)? as u32, ticks, number(21)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_stat_is_read_whatever_the_name() {
        let stat = "7 (a) b) S 3 5 5 0 -1 4194304 1 0 0 0 10 20 30 40 20 0 1 0 99 1000 10 18446744073709551615";
        assert_eq!(parse(stat), Some((5, 100, 10)));
        assert_eq!(parse("7 (a"), None);
    }

    #[test]
    fn this_group_is_among_the_sums() {
        let group = rustix::process::getpgrp().as_raw_nonzero().get() as u32;
        assert!(sums().get(&group).is_some_and(|(_, memory)| *memory > 0));
    }

    #[test]
    fn shares_come_from_two_looks_and_time_only_grows() {
        let (usages, begun) = (Usages::default(), Instant::now());
        let leaders = [("shop".into(), 7)];
        let look = |seconds, after| usages.note(&leaders, &Sums::from([(7, (seconds, 4096))]), begun + Duration::from_secs(after));
        look(1.0, 0);
        look(2.0, 2);
        assert_eq!(usages.of(7).map(|usage| (usage.cpu, usage.memory)), Some((0.5, 4096)));
        look(0.5, 4);
        look(0.75, 6);
        assert_eq!(usages.seconds("shop"), 2.25);
        usages.note(&[], &Sums::new(), begun);
        assert_eq!((usages.of(7), usages.seconds("shop")), (None, 2.25));
    }
}
