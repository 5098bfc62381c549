//! persist: what is kept of the keys when Plimsoll stops.
//!
//! A base holds all keys as they were at one moment, a log what was done since. A thread, the keeper, writes bases: at a clean stop,
//! from time to time, or when the log has grown. Files are loaded before the door opens.

mod block;
mod disk;
mod file;
mod folder;
mod generations;
mod keeper;
mod load;
mod log;
mod metrics;
mod record;
mod reload;
mod replay;
mod save;
mod status;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::config::Config;
use crate::error::Fault;
use crate::plan::{Fsync, Plan, When};
#[cfg(test)]
pub(crate) use disk::watched;
pub(crate) use log::Log;
#[cfg(test)]
pub(crate) use log::unit;
pub(crate) use metrics::Files;
pub(crate) use save::BIG;
pub(crate) use status::Status;

/// What the keeper is asked for; each says how it went.
#[derive(Debug)]
pub(crate) enum Order {
    /// A base of this moment.
    Save(Option<Answer>),
    /// The last base, and the end.
    Stop(Answer),
    /// The parameters have changed.
    Follow,
    /// All keys are written and read again, in memory.
    Reload(Answer),
}

/// Where it is said how an order went.
pub(crate) type Answer = oneshot::Sender<Result<(), String>>;

/// When bases are written, and whether there is a log, as the parameters say it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Rules {
    /// At a clean stop.
    at_stop: bool,
    /// After so many seconds, if there were so many changes.
    points: Vec<(u64, u64)>,
    log: Option<Fsync>,
}

/// What commands see of it.
#[derive(Debug)]
pub(crate) struct Persist {
    pub(crate) log: Arc<Log>,
    /// There is a folder.
    has_folder: bool,
    /// Nothing is kept unless a client says otherwise.
    is_off: AtomicBool,
    orders: Mutex<Option<Sender<Order>>>,
    status: Mutex<Status>,
    /// Writes may have to be refused.
    is_troubled: AtomicBool,
}

impl Rules {
    fn of_plan(plan: &Plan) -> Rules {
        match plan.persist {
            When::Off => Rules::default(),
            When::Stop => Rules { at_stop: true, ..Rules::default() },
            When::Snapshot(pause) => Rules { at_stop: true, points: vec![(pause.as_secs().max(1), 1)], log: None },
            When::Log(fsync) => Rules { at_stop: false, points: Vec::new(), log: Some(fsync) },
        }
    }

    /// As parameters of Redis.
    pub(crate) fn parameters(plan: &Plan) -> [(&'static str, String); 3] {
        let rules = Rules::of_plan(plan);
        let points: Vec<_> = rules.points.iter().map(|(seconds, changes)| format!("{seconds} {changes}")).collect();
        let fsync = match rules.log {
            Some(Fsync::Always) => "always",
            Some(Fsync::No) => "no",
            _ => "everysec",
        };
        let log = if rules.log.is_some() { "yes" } else { "no" };
        [("save", points.join(" ")), ("appendonly", log.into()), ("appendfsync", fsync.into())]
    }

    /// What the parameters say now. They cannot say that nothing is kept at a stop.
    fn of_config(config: &Config, is_off: bool) -> Rules {
        let fsync = match &*config.text("appendfsync") {
            "always" => Fsync::Always,
            "no" => Fsync::No,
            _ => Fsync::EverySecond,
        };
        let log = (config.text("appendonly") == "yes").then_some(fsync);
        Rules { at_stop: log.is_none() && !is_off, points: points(&config.text("save")).unwrap_or_default(), log }
    }
}

/// Reads `save`: pairs of seconds and changes.
pub(crate) fn points(text: &str) -> Option<Vec<(u64, u64)>> {
    let numbers: Option<Vec<u64>> = text.split_ascii_whitespace().map(|word| word.parse().ok()).collect();
    let numbers = numbers.filter(|numbers| numbers.len().is_multiple_of(2))?;
    let pairs: Vec<_> = numbers.as_chunks::<2>().0.iter().map(|[seconds, changes]| (*seconds, *changes)).collect();
    pairs.iter().all(|(seconds, _)| *seconds > 0).then_some(pairs)
}

impl Persist {
    /// Whether there are files.
    pub(crate) fn is_on(&self) -> bool {
        self.has_folder && self.status().rules != Rules::default()
    }

    /// The file says something else from now on.
    pub(crate) fn follow(&self, plan: &Plan) {
        self.is_off.store(Rules::of_plan(plan) == Rules::default(), Ordering::Relaxed);
        // It is heard by nobody when the door has closed.
        let _ = self.order(Order::Follow);
    }

    pub(crate) fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the keeper do something.
    ///
    /// # Errors
    /// There is no folder, or it has ended.
    pub(crate) fn order(&self, order: Order) -> Result<(), Fault> {
        const OFF: Fault = Fault::fixed("ERR nothing is kept here: `persist` in plimsoll.toml is \"off\"");
        const ENDED: Fault = Fault::fixed("ERR Plimsoll is stopping");
        let may = self.is_on() || matches!(order, Order::Reload(_) | Order::Follow);
        let orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if !may {
            return Err(OFF);
        }
        orders.as_ref().and_then(|orders| orders.send(order).ok()).ok_or(ENDED)
    }

    /// Whether a command that writes is refused, and why: what it did might not be kept.
    #[cold]
    pub(crate) fn refuses(&self, config: &Config) -> Option<Fault> {
        const NOT_SAVED: Fault = Fault::fixed(
            "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify \
             the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails \
             (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.",
        );
        if !self.is_troubled() {
            return None;
        }
        if self.log.is_broken() {
            let why = self.log.trouble().unwrap_or_default();
            return Some(Fault::made(format!("MISCONF Errors writing to the AOF file: {why}")));
        }
        let status = self.status();
        let is_failing = !status.is_ok && !status.rules.points.is_empty();
        (is_failing && config.text("stop-writes-on-bgsave-error") == "yes").then_some(NOT_SAVED)
    }

    /// Whether [`Persist::refuses`] is to be asked.
    pub(crate) fn is_troubled(&self) -> bool {
        self.log.is_broken() || self.is_troubled.load(Ordering::Relaxed)
    }
}
