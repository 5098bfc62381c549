//! The plan's limits of time: how long a statement runs, a transaction lasts, and a transaction waits for its client.
//!
//! A statement that takes too long is cancelled at the server, whose error the client gets; a transaction that lasts or
//! waits too long ends with its client. Times are looked at when nothing else is to be done, at most 0.2 s late.

use std::task::{Context, Poll};
use std::time::Instant;

use super::flow::Stopped;
use crate::door::now;
use crate::error::{Fault, code};
use crate::events::Failure;
use crate::plan::Limits;
use crate::visit::{After, Hold, Visit};

/// A limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// `limits.statement`.
    Statement,
    /// `limits.transaction`.
    Transaction,
    /// `limits.idle_in_transaction`.
    Idle,
}

/// What a client that holds a connection does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Doing {
    /// Nothing that is limited.
    #[default]
    Nothing,
    /// It waits for answers; so many came before.
    Runs(u64),
    /// Its transaction waits for it.
    Idle,
}

/// Since when a client does what it does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock {
    doing: Doing,
    since: Option<Instant>,
    transaction: Option<Instant>,
    is_cancelled: bool,
}

impl Clock {
    /// The client does this now, in a transaction or not; whether that is something else than before.
    fn see(&mut self, doing: Doing, in_transaction: bool, now: Instant) -> bool {
        let is_news = self.doing != doing || self.transaction.is_some() != in_transaction;
        if self.doing != doing {
            (self.doing, self.since, self.is_cancelled) = (doing, Some(now), false);
        }
        self.transaction = in_transaction.then(|| self.transaction.unwrap_or(now));
        is_news
    }

    /// The limit that is reached next, and when.
    fn next(&self, limits: &Limits) -> Option<(Instant, Over)> {
        let since = |began: Option<Instant>, limit: Option<std::time::Duration>, over| Some((began? + limit?, over));
        let of_doing = match self.doing {
            Doing::Nothing => None,
            Doing::Runs(_) if self.is_cancelled => None,
            Doing::Runs(_) => since(self.since, limits.statement, Over::Statement),
            Doing::Idle => since(self.since, limits.idle_in_transaction, Over::Idle),
        };
        // While a statement runs that was cancelled already, the transaction ends when it does.
        let whole = since(self.transaction, limits.transaction, Over::Transaction).filter(|_| !self.is_cancelled);
        [of_doing, whole].into_iter().flatten().min_by_key(|next| next.0)
    }
}

impl Visit<'_> {
    /// Looks at the time, while the client and its server have nothing to do.
    pub(crate) fn poll_limits(&mut self, context: &mut Context<'_>) -> Poll<Stopped> {
        let limits = self.shape.plan.limits.clone();
        let (doing, in_transaction) = self.doing();
        let mut is_news = self.clock.see(doing, in_transaction, now());
        loop {
            let Some((end, over)) = self.clock.next(&limits) else {
                self.guest.alarm.off();
                return Poll::Pending;
            };
            if is_news {
                self.guest.alarm.set(end.saturating_duration_since(now()));
            }
            if self.guest.alarm.poll_rung(context).is_pending() {
                return Poll::Pending;
            }
            if end <= now() {
                match doing {
                    Doing::Runs(_) => self.cancel(),
                    Doing::Idle | Doing::Nothing => return Poll::Ready(Stopped::Over(over)),
                }
            }
            is_news = true;
        }
    }

    fn doing(&self) -> (Doing, bool) {
        let answers = &self.desk.answers;
        let in_transaction = answers.status() != b'I';
        let doing = match answers.outstanding() {
            0 if in_transaction && answers.is_settled() => Doing::Idle,
            0 => Doing::Nothing,
            _ => Doing::Runs(answers.statements + answers.errors),
        };
        (doing, in_transaction)
    }

    /// Has the server end the statement that runs; its error is the client's.
    fn cancel(&mut self) {
        self.clock.is_cancelled = true;
        self.desk.answers.cut();
        self.door.events().failed(Failure::Limit);
        if let Some(Hold { lent, .. }) = &self.hold {
            tokio::task::spawn_local(lent.cancel.clone().cancel());
        }
    }

    /// Nothing is limited any more.
    pub(super) fn stop_clock(&mut self) {
        self.clock = Clock::default();
        self.guest.alarm.off();
    }

    /// Ends a client whose transaction took too long.
    pub(super) async fn end_over(&mut self, over: Over) -> After {
        self.door.events().failed(Failure::Limit);
        let fault = match over {
            Over::Idle => Fault::new(code::IDLE_IN_TRANSACTION_TIMEOUT, "terminating connection due to idle-in-transaction timeout"),
            Over::Statement | Over::Transaction => {
                Fault::new(code::TRANSACTION_TIMEOUT, "terminating connection due to transaction timeout")
            }
        };
        self.dismiss(&fault).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn limits(statement: u64, transaction: u64, idle: u64) -> Limits {
        let seconds = |count| (count > 0).then(|| Duration::from_secs(count));
        Limits { statement: seconds(statement), transaction: seconds(transaction), idle_in_transaction: seconds(idle) }
    }

    #[test]
    fn each_statement_has_its_own_time() {
        let (mut clock, start, limits) = (Clock::default(), Instant::now(), limits(5, 0, 0));
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(clock.next(&limits), None);
        assert!(clock.see(Doing::Runs(0), false, at(1)) && !clock.see(Doing::Runs(0), false, at(2)));
        assert_eq!(clock.next(&limits), Some((at(6), Over::Statement)));
        assert!(clock.see(Doing::Runs(1), false, at(3)));
        assert_eq!(clock.next(&limits), Some((at(8), Over::Statement)));
        clock.is_cancelled = true;
        assert_eq!(clock.next(&limits), None);
        clock.see(Doing::Runs(2), false, at(9));
        assert_eq!(clock.next(&limits), Some((at(14), Over::Statement)));
    }

    #[test]
    fn what_comes_first_counts() {
        let (mut clock, start, limits) = (Clock::default(), Instant::now(), limits(5, 10, 3));
        let at = |seconds| start + Duration::from_secs(seconds);
        clock.see(Doing::Idle, true, at(0));
        assert_eq!(clock.next(&limits), Some((at(3), Over::Idle)));
        clock.see(Doing::Runs(1), true, at(1));
        assert_eq!(clock.next(&limits), Some((at(6), Over::Statement)));
        clock.see(Doing::Idle, true, at(8));
        assert_eq!(clock.next(&limits), Some((at(10), Over::Transaction)));
        clock.see(Doing::Nothing, false, at(9));
        assert_eq!(clock.next(&limits), None);
    }
}
