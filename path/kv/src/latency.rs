//! `LATENCY`: when commands took longer than `latency-monitor-threshold`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::command::{Command, Flags};
use crate::config::Config;
use crate::store::Ms;

/// Samples that are kept of an event.
const KEPT: usize = 160;

/// Events by name.
#[derive(Debug, Default)]
pub(crate) struct Latency(Mutex<BTreeMap<&'static str, History>>);

/// The last samples of an event, one of a second at most.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// Seconds since 1970, and milliseconds.
    pub(crate) samples: VecDeque<(u64, u64)>,
    /// The most milliseconds since the start or the last reset.
    pub(crate) max: u64,
}

impl Latency {
    fn events(&self) -> MutexGuard<'_, BTreeMap<&'static str, History>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A command took so long.
    pub(crate) fn note(&self, config: &Config, command: &Command, time: Duration, now: Ms) {
        let (least, took) = (config.latency_threshold(), time.as_millis() as u64);
        if least == 0 || took < least || command.flags.has(Flags::BLOCKING) && took == 0 {
            return;
        }
        let event = if command.flags.has(Flags::FAST) { "fast-command" } else { "command" };
        self.events().entry(event).or_default().add(now / 1000, took);
    }

    /// The events, by name.
    pub(crate) fn all(&self) -> Vec<(&'static str, History)> {
        self.events().iter().map(|(name, history)| (*name, history.clone())).collect()
    }

    /// What is known of an event.
    pub(crate) fn of(&self, name: &[u8]) -> Option<(&'static str, History)> {
        self.all().into_iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name))
    }

    /// Forgets the events that are chosen; gives how many.
    pub(crate) fn reset(&self, is_chosen: impl Fn(&str) -> bool) -> usize {
        let mut events = self.events();
        let before = events.len();
        events.retain(|name, _| !is_chosen(name));
        before - events.len()
    }
}

impl History {
    fn add(&mut self, second: u64, took: u64) {
        self.max = self.max.max(took);
        match self.samples.back_mut() {
            Some((last, most)) if *last == second => *most = took.max(*most),
            _ => self.samples.push_back((second, took)),
        }
        if self.samples.len() > KEPT {
            self.samples.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_second_the_worst_is_kept() {
        let mut history = History::default();
        for (second, took) in [(1, 5), (1, 9), (1, 7), (2, 4)] {
            history.add(second, took);
        }
        assert_eq!((Vec::from(history.samples.clone()), history.max), (vec![(1, 9), (2, 4)], 9));
        (3..500).for_each(|second| history.add(second, 1));
        assert_eq!((history.samples.len(), history.max), (KEPT, 9));
    }
}
