//! The plan's limits of time: how long a statement runs, a transaction lasts, and a transaction waits for its client.
//!
//! A statement that takes too long is cancelled at the server, whose error the client gets; a transaction that lasts or
//! waits too long ends with its client. Times are looked at when nothing else is to be done, at most 0.2 s late.

use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use loops::now;

use super::flow::Stopped;
use crate::error::{Fault, code};
use crate::events::Failure;
use crate::open::Doing;
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
    /// [`GRACE`] after a limit: the client does not take its answer, and so the server cannot end its statement.
    Deaf,
    /// [`GRACE`] after a limit: the server reads what the client does not send, and ends its statement only then.
    Silent,
}

/// For a client to take an answer that was cut short.
const GRACE: Duration = Duration::from_secs(5);

impl Over {
    /// The message of what is cancelled for it, and a hint.
    pub(super) fn said(self) -> (&'static str, &'static str) {
        match self {
            Over::Transaction => (
                "canceling statement due to transaction timeout",
                "The transaction has reached `limits.transaction` of `[sql.NAME]` in plimsoll.toml.",
            ),
            Over::Statement | Over::Idle | Over::Deaf | Over::Silent => (
                "canceling statement due to statement timeout",
                "The statement has reached `limits.statement` of `[sql.NAME]` in plimsoll.toml.",
            ),
        }
    }
}

/// Since when a client does what it does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock {
    doing: Doing,
    /// Answers that had come when it began to wait for the next.
    answered: u64,
    since: Option<Instant>,
    transaction: Option<Instant>,
    /// When what runs was cancelled.
    cancelled: Option<Instant>,
}

impl Clock {
    /// The client does this now, and has so many answers; whether that is something else than before.
    fn see(&mut self, doing: Doing, answered: u64, now: Instant) -> bool {
        let waits = |doing: Doing, answered| (doing.is_running().then_some(answered), doing.is_idle());
        if waits(self.doing, self.answered) != waits(doing, answered) {
            (self.since, self.cancelled) = (Some(now), None);
        }
        let is_news = (self.doing, self.answered) != (doing, answered);
        (self.doing, self.answered) = (doing, answered);
        self.transaction = doing.is_in_transaction().then(|| self.transaction.unwrap_or(now));
        is_news
    }

    /// The limit that is reached next, and when.
    fn next(&self, limits: &Limits) -> Option<(Instant, Over)> {
        let since = |began: Option<Instant>, limit: Option<Duration>, over| Some((began? + limit?, over));
        let of_doing = match self.doing {
            Doing::Rests => None,
            Doing::Statement | Doing::Runs if self.cancelled.is_some() => since(self.cancelled, Some(GRACE), Over::Deaf),
            Doing::Statement | Doing::Runs => since(self.since, limits.statement, Over::Statement),
            Doing::Idle | Doing::Failed => since(self.since, limits.idle_in_transaction, Over::Idle),
        };
        // While a statement runs that was cancelled already, the transaction ends when it does.
        let whole = since(self.transaction, limits.transaction, Over::Transaction).filter(|_| self.cancelled.is_none());
        [of_doing, whole].into_iter().flatten().min_by_key(|next| next.0)
    }
}

impl Visit<'_> {
    /// Looks at the time, while the client and its server have nothing to do.
    pub(crate) fn poll_limits(&mut self, context: &mut Context<'_>) -> Poll<Stopped> {
        let limits = self.shape.plan.limits.clone();
        let (doing, answers) = (self.desk.doing(), &self.desk.answers);
        let mut is_news = self.clock.see(doing, answers.statements + answers.errors, now());
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
                match over {
                    _ if !doing.is_running() => return Poll::Ready(Stopped::Over(over)),
                    Over::Deaf if self.desk.answers.awaits_data() => return Poll::Ready(Stopped::Over(Over::Silent)),
                    Over::Deaf if !self.desk.has_told() => return Poll::Ready(Stopped::Over(over)),
                    // It is the server that takes its time.
                    Over::Deaf => self.clock.cancelled = Some(now()),
                    _ => self.cancel(over),
                }
            }
            is_news = true;
        }
    }

    /// Has the server end the statement that runs; its error is the client's.
    fn cancel(&mut self, over: Over) {
        self.clock.cancelled = Some(now());
        self.desk.answers.cut(over);
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
            Over::Deaf | Over::Silent => {
                let what = if over == Over::Deaf { "does not take its answer" } else { "does not send the data of its COPY" };
                let fault = Fault::new(code::QUERY_CANCELED, format!("terminating connection: it {what}"));
                return self.cut_short(&fault.hint(over.said().1)).await;
            }
        };
        self.dismiss(&fault).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(statement: u64, transaction: u64, idle: u64) -> Limits {
        let seconds = |count| (count > 0).then(|| Duration::from_secs(count));
        Limits { statement: seconds(statement), transaction: seconds(transaction), idle_in_transaction: seconds(idle) }
    }

    #[test]
    fn each_statement_has_its_own_time() {
        let (mut clock, start, limits) = (Clock::default(), Instant::now(), limits(5, 0, 0));
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(clock.next(&limits), None);
        assert!(clock.see(Doing::Statement, 0, at(1)) && !clock.see(Doing::Statement, 0, at(2)));
        assert_eq!(clock.next(&limits), Some((at(6), Over::Statement)));
        assert!(clock.see(Doing::Statement, 1, at(3)));
        assert_eq!(clock.next(&limits), Some((at(8), Over::Statement)));
        clock.cancelled = Some(at(8));
        assert_eq!(clock.next(&limits), Some((at(13), Over::Deaf)));
        clock.see(Doing::Statement, 2, at(9));
        assert_eq!(clock.next(&limits), Some((at(14), Over::Statement)));
        // Its `Sync` has come, and nothing else.
        clock.see(Doing::Runs, 2, at(10));
        assert_eq!(clock.next(&limits), Some((at(14), Over::Statement)));
    }

    #[test]
    fn what_comes_first_counts() {
        let (mut clock, start, limits) = (Clock::default(), Instant::now(), limits(5, 10, 3));
        let at = |seconds| start + Duration::from_secs(seconds);
        clock.see(Doing::Idle, 0, at(0));
        assert_eq!(clock.next(&limits), Some((at(3), Over::Idle)));
        clock.see(Doing::Runs, 1, at(1));
        assert_eq!(clock.next(&limits), Some((at(6), Over::Statement)));
        clock.see(Doing::Idle, 2, at(8));
        assert_eq!(clock.next(&limits), Some((at(10), Over::Transaction)));
        clock.see(Doing::Rests, 2, at(9));
        assert_eq!(clock.next(&limits), None);
    }
}
