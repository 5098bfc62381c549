//! Which statements there are, how often, how long: bounded per loop, summed when asked; and the log of slow ones.
//!
//! Kinds of statements, not texts: what their fingerprint leaves out is neither counted apart nor ever written.

mod measure;
mod slots;
mod slow;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use telemetry::{Collect, Exposition, Log};

pub(crate) use measure::{Mark, Measure};
use slots::Slots;

/// Kinds of statements that a loop counts apart; what one had counted whose place another took is gone.
const KINDS: usize = 500;

/// Kinds that are told as metrics.
const TOLD: usize = 20;

/// Longest text of a kind as a label, bytes or so.
const LABEL: usize = 100;

/// The statements of one door.
#[derive(Debug)]
pub(crate) struct Top {
    door: Arc<str>,
    loops: Box<[Arc<Slots>]>,
    /// Nanoseconds; a statement that took as long is slow.
    slow: AtomicU64,
    log: Log,
}

/// What is known of one kind of statement, since it was first counted or counted again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopStatement {
    /// The same for all texts of the kind; 0: empty ones, and those whose place another kind took while they ran.
    pub fingerprint: u64,
    /// Its text, constants left out.
    pub text: Arc<str>,
    /// How often it was run.
    pub calls: u64,
    /// How often that failed.
    pub errors: u64,
    /// Rows that it gave or changed.
    pub rows: u64,
    /// From the time it came in to the end of its answer, all together.
    pub total: Duration,
    /// The longest one.
    pub longest: Duration,
}

impl Top {
    /// Of so many loops; `slow` as in the plan.
    pub(crate) fn new(door: Arc<str>, loops: usize, slow: Option<Duration>, log: Log) -> Arc<Top> {
        let loops = (0..loops).map(|_| Arc::new(Slots::new(KINDS))).collect();
        let top = Top { door, loops, slow: AtomicU64::new(0), log };
        top.set_slow(slow);
        Arc::new(top)
    }

    /// From now on a statement is slow that takes so long; `None`: none is.
    pub(crate) fn set_slow(&self, slow: Option<Duration>) {
        let nanos = slow.map_or(u64::MAX, |slow| u64::try_from(slow.as_nanos()).unwrap_or(u64::MAX));
        self.slow.store(nanos, Ordering::Relaxed);
    }

    /// All loops' kinds together, those that took most time in all first.
    pub(crate) fn statements(&self) -> Vec<TopStatement> {
        let mut all: HashMap<u64, TopStatement> = HashMap::new();
        for statement in self.loops.iter().flat_map(|slots| slots.read()) {
            all.entry(statement.fingerprint).and_modify(|known| known.add(&statement)).or_insert(statement);
        }
        let mut all: Vec<TopStatement> = all.into_values().collect();
        all.sort_by_key(|statement| (std::cmp::Reverse(statement.total), statement.fingerprint));
        all
    }
}

impl TopStatement {
    fn add(&mut self, other: &TopStatement) {
        self.calls += other.calls;
        self.errors += other.errors;
        self.rows += other.rows;
        self.total += other.total;
        self.longest = self.longest.max(other.longest);
    }

    fn label(&self) -> String {
        let end = (0..=LABEL.min(self.text.len())).rev().find(|end| self.text.is_char_boundary(*end)).unwrap_or(0);
        let more = if end < self.text.len() { "…" } else { "" };
        format!("{}{more}", &self.text[..end])
    }
}

impl Collect for Top {
    fn collect(&self, out: &mut Exposition) {
        for statement in self.statements().iter().filter(|statement| statement.fingerprint != 0).take(TOLD) {
            let (fingerprint, text) = (format!("{:016x}", statement.fingerprint), statement.label());
            let labels = [("database", &*self.door), ("statement", &*fingerprint), ("text", &*text)];
            let mut count = |name, help, value| out.counter(name, help, &labels, value);
            count("sql_statement_calls_total", "Runs of the statements that took most time.", statement.calls);
            count("sql_statement_errors_total", "Of these, failed ones.", statement.errors);
            count("sql_statement_rows_total", "Rows that they gave or changed.", statement.rows);
            let help = "Time from a statement to the end of its answer.";
            out.counter_seconds("sql_statement_seconds_total", help, &labels, statement.total.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests;
