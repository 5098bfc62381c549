//! What is counted of each command, and of errors, by one loop or by the worker alone.
//!
//! One call in some is timed, unless all are: a clock that is read twice for each would be the dearest part of a short command.

mod sum;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::command::{Command, named};
use crate::error::Fault;
use crate::events::add;

pub(crate) use sum::Tally;

/// Of so many calls of a command one is timed.
const SAMPLE: u64 = 16;
/// Steps of a time's histogram: powers of two of microseconds.
const STEPS: usize = 32;

/// Errors by their first word, as `INFO errorstats` tells them; the last one is any other.
const KINDS: [&str; 21] = [
    "ERR",
    "WRONGTYPE",
    "OOM",
    "NOAUTH",
    "WRONGPASS",
    "NOPERM",
    "EXECABORT",
    "BUSYKEY",
    "BUSYGROUP",
    "NOGROUP",
    "UNBLOCKED",
    "NOPROTO",
    "NOSCRIPT",
    "BUSY",
    "NOTBUSY",
    "UNKILLABLE",
    "NOREPLICAS",
    "LOADING",
    "READONLY",
    "MISCONF",
    "OTHER",
];

/// All commands of one loop.
#[derive(Debug)]
pub(crate) struct Calls {
    /// By the number of a command.
    commands: Box<[Call]>,
    /// By [`KINDS`].
    errors: [AtomicU64; KINDS.len()],
}

#[derive(Debug, Default)]
struct Call {
    calls: AtomicU64,
    failed: AtomicU64,
    rejected: AtomicU64,
    timed: AtomicU64,
    nanos: AtomicU64,
    /// Once one was timed.
    steps: OnceLock<Box<[AtomicU64; STEPS]>>,
}

impl Default for Calls {
    fn default() -> Calls {
        Calls { commands: named().map(|_| Call::default()).collect(), errors: Default::default() }
    }
}

impl Calls {
    fn of(&self, command: &Command) -> &Call {
        &self.commands[command.number]
    }

    /// Whether the next call of a command is to be timed.
    #[inline]
    pub(crate) fn is_due(&self, command: &Command) -> bool {
        self.of(command).calls.load(Ordering::Relaxed).is_multiple_of(SAMPLE)
    }

    /// A command was done.
    #[inline]
    pub(crate) fn called(&self, command: &Command) {
        add(&self.of(command).calls, 1);
    }

    /// A command that was done failed.
    pub(crate) fn failed(&self, command: &Command) {
        add(&self.of(command).failed, 1);
    }

    /// A command was not done at all.
    pub(crate) fn rejected(&self, command: &Command) {
        add(&self.of(command).rejected, 1);
    }

    /// A command took so long.
    pub(crate) fn took(&self, command: &Command, time: Duration) {
        let call = self.of(command);
        add(&call.timed, 1);
        add(&call.nanos, u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        let steps = call.steps.get_or_init(|| Box::new(std::array::from_fn(|_| AtomicU64::new(0))));
        add(&steps[step(time)], 1);
    }

    /// A client was told an error.
    pub(crate) fn error(&self, fault: &Fault) {
        let word = fault.0.split(' ').next().unwrap_or_default();
        let kind = KINDS.iter().position(|kind| *kind == word).unwrap_or(KINDS.len() - 1);
        add(&self.errors[kind], 1);
    }

    /// Errors of all kinds.
    pub(crate) fn errors(&self) -> u64 {
        self.errors.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

/// The step that a time belongs to: the first that it does not exceed.
fn step(time: Duration) -> usize {
    let micros = time.as_nanos().div_ceil(1000).clamp(1, 1 << (STEPS - 1));
    micros.next_power_of_two().trailing_zeros() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::find;

    #[test]
    fn a_time_belongs_to_the_first_step_that_it_does_not_exceed() {
        let steps = [0, 1, 1_000, 1_001, 2_000, 2_001, 1_000_000].map(|nanos| step(Duration::from_nanos(nanos)));
        assert_eq!(steps, [0, 0, 0, 1, 1, 2, 10]);
        assert_eq!(step(Duration::MAX), STEPS - 1);
    }

    #[test]
    fn what_is_counted_is_summed_and_what_was_before_is_taken_off() {
        let (one, other) = (Calls::default(), Calls::default());
        let get = find(b"get").unwrap();
        assert!(one.is_due(get));
        one.called(get);
        assert!(!one.is_due(get));
        one.took(get, Duration::from_micros(3));
        (0..3).for_each(|_| other.called(get));
        other.failed(get);
        other.error(&Fault::WRONG_TYPE);
        other.error(&Fault::made("STRANGE x".into()));
        let before = Tally::of([&one].into_iter());
        let all = Tally::of([&one, &other].into_iter());
        let of_get = |tally: &Tally| tally.commands().find(|(command, _)| command.name == "get").map(|(_, sum)| sum.clone()).unwrap();
        let sum = of_get(&all);
        assert_eq!((sum.calls, sum.failed, sum.timed, sum.micros(), sum.micros_per_call()), (4, 1, 1, 12, 3.0));
        assert_eq!((sum.quantile(0.5), sum.quantile(0.99)), (4, 4));
        assert_eq!(all.errors().collect::<Vec<_>>(), [("WRONGTYPE", 1), ("OTHER", 1)]);
        let since = all.since(&before);
        assert_eq!((of_get(&since).calls, of_get(&since).timed), (3, 0));
    }
}
