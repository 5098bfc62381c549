use std::sync::atomic::{AtomicU64, Ordering};

use super::{Call, Calls, KINDS, STEPS};
use crate::command::{Command, named};

/// What all loops counted of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CallSum {
    pub(crate) calls: u64,
    /// Of these, those that failed.
    pub(crate) failed: u64,
    /// Not done at all.
    pub(crate) rejected: u64,
    /// Of the calls, those that were timed.
    pub(crate) timed: u64,
    /// That these took.
    pub(crate) nanos: u64,
    steps: [u64; STEPS],
}

/// What all loops counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    commands: Vec<CallSum>,
    errors: Vec<u64>,
}

impl CallSum {
    fn add(&mut self, call: &Call) {
        let read = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        self.calls += read(&call.calls);
        self.failed += read(&call.failed);
        self.rejected += read(&call.rejected);
        self.timed += read(&call.timed);
        self.nanos += read(&call.nanos);
        if let Some(steps) = call.steps.get() {
            self.steps.iter_mut().zip(&**steps).for_each(|(sum, step)| *sum += read(step));
        }
    }

    fn since(&self, before: &CallSum) -> CallSum {
        let less = |now: u64, then: u64| now.saturating_sub(then);
        CallSum {
            calls: less(self.calls, before.calls),
            failed: less(self.failed, before.failed),
            rejected: less(self.rejected, before.rejected),
            timed: less(self.timed, before.timed),
            nanos: less(self.nanos, before.nanos),
            steps: std::array::from_fn(|at| less(self.steps[at], before.steps[at])),
        }
    }

    /// Microseconds of a call, by those that were timed.
    pub(crate) fn micros_per_call(&self) -> f64 {
        if self.timed == 0 { 0.0 } else { self.nanos as f64 / self.timed as f64 / 1e3 }
    }

    /// Microseconds of all calls, by those that were timed.
    pub(crate) fn micros(&self) -> u64 {
        (self.micros_per_call() * self.calls as f64).round() as u64
    }

    /// The bound in microseconds, a power of two, under which this share of the timed calls stayed.
    pub(crate) fn quantile(&self, share: f64) -> u64 {
        let wanted = ((self.timed as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let step = self.steps.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        1 << step.unwrap_or(STEPS - 1)
    }

    /// Bounds in microseconds that some timed call reached, each with how many stayed within it.
    pub(crate) fn histogram(&self) -> Vec<(u64, u64)> {
        let mut seen = 0;
        let within = self.steps.iter().enumerate().map(|(step, count)| {
            seen += count;
            (*count, (1 << step, seen))
        });
        within.filter(|(count, _)| *count > 0).map(|(_, bound)| bound).collect()
    }
}

impl Tally {
    pub(crate) fn of<'c>(all: impl Iterator<Item = &'c Calls>) -> Tally {
        let mut tally = Tally { commands: named().map(|_| CallSum::default()).collect(), errors: vec![0; KINDS.len()] };
        for calls in all {
            tally.commands.iter_mut().zip(&calls.commands).for_each(|(sum, call)| sum.add(call));
            tally.errors.iter_mut().zip(&calls.errors).for_each(|(sum, count)| *sum += count.load(Ordering::Relaxed));
        }
        tally
    }

    /// What was counted after `before`, which may be empty.
    pub(crate) fn since(&self, before: &Tally) -> Tally {
        if before.commands.is_empty() {
            return self.clone();
        }
        let commands = self.commands.iter().zip(&before.commands).map(|(now, then)| now.since(then)).collect();
        let errors = self.errors.iter().zip(&before.errors).map(|(now, then)| now.saturating_sub(*then)).collect();
        Tally { commands, errors }
    }

    /// Commands that were called, or refused.
    pub(crate) fn commands(&self) -> impl Iterator<Item = (&'static Command, &CallSum)> {
        named().zip(&self.commands).filter(|(_, sum)| sum.calls + sum.rejected > 0)
    }

    /// Errors that were told, by their first word.
    pub(crate) fn errors(&self) -> impl Iterator<Item = (&'static str, u64)> {
        KINDS.into_iter().zip(self.errors.iter().copied()).filter(|(_, count)| *count > 0)
    }
}
