//! The thread that loads files at the start, and writes bases from then on.

mod start;

use std::fs::File;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{io, mem};

use super::block::Head;
use super::disk::{self, Disk};
use super::file::LogFile;
use super::folder::Folder;
use super::{Answer, Log, Order, Persist, Rules, Status, log, reload, save};
use crate::door::{Shared, now};
use crate::plan::Plan;
use crate::store::Store;

/// How often it is looked at what is due.
const TICK: Duration = Duration::from_secs(1);
/// How long after a failure it is tried again.
const AGAIN: Duration = Duration::from_secs(5);
/// How often a base is begun anew because all keys were flushed meanwhile.
const TRIES: usize = 3;

/// What only the thread has.
pub(crate) struct Keeper {
    folder: Option<Folder>,
    orders: Receiver<Order>,
    log: Arc<Log>,
    writer: Option<JoinHandle<()>>,
    /// The last one that was given to a file; none before it was looked for.
    generation: Option<u64>,
    rules: Rules,
    /// What is done is logged, and goes on from what was logged before.
    is_logging: bool,
    /// When a base was begun last.
    tried: Instant,
    /// One is wanted, whatever has changed.
    wants_base: bool,
    /// Locked as long as the files are ours.
    lock: Option<File>,
}

/// What follows an order.
enum Then {
    Goes,
    Ends,
}

impl Persist {
    /// What the commands see, and what the thread has, which is to be started.
    pub(crate) fn new(plan: &Plan, folder: Option<&Path>) -> (Persist, Keeper) {
        let (sender, orders) = mpsc::channel();
        let (log, rules) = (Log::new(), Rules::of_plan(plan));
        if let Some(sync) = rules.log {
            log.set_sync(sync);
        }
        let folder = folder.map(|folder| Folder::new(folder, &plan.name));
        let persist = Persist {
            log: log.clone(),
            has_folder: folder.is_some(),
            is_off: (rules == Rules::default()).into(),
            orders: Mutex::new(Some(sender)),
            status: Mutex::new(Status::new(rules.clone(), now())),
            is_troubled: false.into(),
        };
        (
            persist,
            Keeper {
                folder,
                orders,
                log,
                writer: None,
                generation: None,
                rules,
                is_logging: false,
                tried: Instant::now(),
                wants_base: false,
                lock: None,
            },
        )
    }
}

impl Keeper {
    /// Loads what is kept, and goes on by itself until its door is no more. Nobody uses the store meanwhile.
    ///
    /// # Errors
    /// Why what is kept cannot be loaded, or cannot be added to.
    pub(crate) fn start(mut self, common: &Arc<Shared>) -> Result<(), String> {
        let (log, weak) = (self.log.clone(), Arc::downgrade(common));
        let failed = |error: io::Error| format!("no thread can be started: {error}");
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| thread::Builder::new().name(name.into()).spawn(run);
        let writer = weak.clone();
        self.writer = Some(spawn("kv-log", Box::new(move || log::run(log, writer))).map_err(failed)?);
        if let Some(folder) = self.folder.clone().filter(|_| self.rules != Rules::default()) {
            self.load_all(&folder, common)?;
        }
        spawn("kv-keeper", Box::new(move || self.run(&weak))).map_err(failed).map(drop)
    }

    fn run(mut self, common: &Weak<Shared>) {
        loop {
            let order = match self.orders.recv_timeout(TICK) {
                Ok(order) => Some(order),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let Some(common) = common.upgrade() else { break };
            let then = match order {
                Some(order) => self.obey(order, &common),
                None => {
                    self.look(&common);
                    Then::Goes
                }
            };
            if matches!(then, Then::Ends) {
                return;
            }
        }
        // It was said in the log.
        let _ = self.end_log();
    }

    fn obey(&mut self, order: Order, common: &Arc<Shared>) -> Then {
        match order {
            Order::Save(answer) => {
                let done = self.save(common);
                answer.into_iter().for_each(|answer| say(answer, done.clone()));
            }
            Order::Stop(answer) => {
                let done = self.stop(common);
                self.lock = None;
                say(answer, done);
                return Then::Ends;
            }
            Order::Follow => self.follow(common),
            Order::Reload(answer) => say(answer, reload_all(&common.store)),
        }
        Then::Goes
    }

    /// Saves if that is due.
    fn look(&mut self, common: &Arc<Shared>) {
        let is_needed = self.log.needs_base() || self.wants_base;
        if self.folder.is_none() || !is_needed && !self.is_due(common) {
            return;
        }
        let is_well = common.persist.status().is_ok && !is_needed;
        if is_well || self.tried.elapsed() >= AGAIN {
            // How it went is said in the log.
            self.wants_base &= self.save(common).is_err();
        }
    }

    fn is_due(&self, common: &Shared) -> bool {
        let status = common.persist.status();
        let changes = common.events.changes().saturating_sub(status.changes);
        let passed = now().saturating_sub(status.saved_at) / 1000;
        let mut points = self.rules.points.iter();
        let is_time = points.any(|(seconds, least)| passed >= *seconds && changes >= (*least).max(1));
        let (written, percent) = (self.log.written(), common.config.number("auto-aof-rewrite-percentage").max(0) as u64);
        let has_grown = written >= common.config.number("auto-aof-rewrite-min-size").max(0) as u64
            && percent > 0
            && written / percent >= status.bytes / 100;
        is_time || self.rules.log.is_some() && has_grown
    }

    /// The last base, unless nothing has changed or a log has it all.
    fn stop(&mut self, common: &Arc<Shared>) -> Result<(), String> {
        common.persist.orders.lock().map(|mut orders| *orders = None).ok();
        let is_new = common.events.changes() > common.persist.status().changes || !common.persist.status().is_ok;
        let saves = self.rules.at_stop && is_new || self.log.is_broken() || self.log.needs_base();
        let done = if saves { self.save(common) } else { Ok(()) };
        done.and(self.end_log())
    }

    /// Whether the disk has all of it.
    fn end_log(&mut self) -> Result<(), String> {
        self.log.ends();
        // A panic was printed.
        let is_over = self.writer.take().is_none_or(|writer| writer.join().is_ok());
        if is_over && !self.log.is_broken() {
            return Ok(());
        }
        Err(format!("the end of the log is lost: {}", self.log.trouble().unwrap_or_default()))
    }

    /// Follows the parameters from now on; a log begins with a base.
    fn follow(&mut self, common: &Arc<Shared>) {
        let rules = Rules::of_config(&common.config, common.persist.is_off.load(Ordering::Relaxed));
        if let Some(sync) = rules.log {
            self.log.set_sync(sync);
        }
        let before = mem::replace(&mut self.rules, rules.clone());
        common.persist.status().rules = rules.clone();
        if self.folder.is_some() && before.log.is_some() != rules.log.is_some() {
            // If it fails it is tried again.
            self.wants_base = self.save(common).is_err();
        }
        common.look();
    }

    /// Writes a base, and says how that went.
    fn save(&mut self, common: &Arc<Shared>) -> Result<(), String> {
        let Some(folder) = self.folder.clone() else { return Err("there is no folder for it".into()) };
        self.tried = Instant::now();
        common.persist.status().since = Some(self.tried);
        let (changes, moment) = (common.events.changes(), now());
        let mut done = self.write(&folder, common);
        for _ in 1..TRIES {
            if matches!(done, Err(save::Failure::Flushed)) {
                done = self.write(&folder, common);
            }
        }
        let mut status = common.persist.status();
        status.since = None;
        status.is_ok = done.is_ok();
        common.persist.is_troubled.store(done.is_err(), Ordering::Relaxed);
        let told = match done {
            Ok((keys, bytes)) => {
                let took = self.tried.elapsed();
                (status.saved_at, status.changes, status.bytes, status.took) = (moment, changes, bytes, took.as_secs() as i64);
                status.saves += 1;
                common.events.kept(&format!("{keys} keys saved in {} ms, {bytes} bytes", took.as_millis()));
                Ok(())
            }
            Err(why) => {
                let why = why.to_string();
                status.failures += 1;
                common.events.not_saved(&why);
                if self.rules.log.is_some() && (self.log.needs_base() || !self.is_logging) && self.log.fails(&why) {
                    common.events.log_fails(&why);
                }
                Err(why)
            }
        };
        drop(status);
        common.look();
        told
    }

    /// Gives how many keys there are, and in how many bytes. What a kill leaves between two steps is what `generations` says.
    fn write(&mut self, folder: &Folder, common: &Arc<Shared>) -> Result<(u64, u64), save::Failure> {
        let (moment, logs) = (now(), self.rules.log.is_some());
        self.own(folder).map_err(save::Failure::Io)?;
        let generation = match self.generation {
            Some(last) => last + 1,
            None => folder.last().map_err(save::Failure::Io)? + 1,
        };
        let base = Disk::create(&folder.next()).map_err(save::Failure::Io)?;
        let to = save::Writer::new(base, Head::of_base(generation, moment)).map_err(save::Failure::Io)?;
        if logs && !self.is_logging {
            self.log.needs(generation);
        }
        let file = if logs { Some(self.begin_log(folder, generation).map_err(save::Failure::Io)?) } else { None };
        // What becomes of the base: no other file has this one.
        self.generation = Some(generation);
        let (log, before) = (self.log.clone(), self.log.written());
        let done = save::save(&common.store, to, moment, logs, move || log.turn_to(file));
        // Nobody knows how far it came when it panicked.
        self.is_logging = logs && !matches!(done, Err(save::Failure::Panicked));
        let done = done.and_then(|(to, keys)| {
            let bytes = to.written();
            to.into_file().sync().and_then(|()| folder.install()).map_err(save::Failure::Io)?;
            Ok((keys, bytes))
        });
        if done.is_err() {
            // Should it stay, the next one or the next start removes it.
            let _ = disk::remove(&folder.next());
            return done;
        }
        folder.remove_logs_before(generation);
        if self.log.has_base(generation, self.log.written().saturating_sub(before), logs) {
            common.events.log_works();
        }
        done
    }

    /// Nobody else writes or reads these files from now on.
    fn own(&mut self, folder: &Folder) -> io::Result<()> {
        if self.lock.is_none() {
            self.lock = Some(folder.lock()?);
        }
        Ok(())
    }

    fn begin_log(&self, folder: &Folder, generation: u64) -> io::Result<LogFile> {
        let file = LogFile::create(&folder.log(generation), generation, now(), self.log.needs_base())?;
        folder.sync()?;
        Ok(file)
    }
}

fn say(answer: Answer, done: Result<(), String>) {
    // Who asked may be gone.
    let _ = answer.send(done);
}

/// Writes all keys and reads them again, while nobody else has them.
fn reload_all(store: &Arc<Store>) -> Result<(), String> {
    let (numbers, other) = ((0..store.count()).collect(), store.clone());
    let done = store.with_away(numbers, move |all| reload::reload(&other, all, now()));
    done.unwrap_or_else(|| Err(save::Failure::Panicked.to_string()))
}
