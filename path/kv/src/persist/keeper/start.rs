//! Reads what is kept: the base, and the logs since.

use std::fs::{self, File};
use std::io::{self, Seek};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::super::block::{self, Kind};
use super::super::disk::{self, Disk};
use super::super::folder::Folder;
use super::super::generations::{Chain, Found, Missing, chain};
use super::super::load::{self, Loaded};
use super::super::replay::{self, Done};
use super::Keeper;
use crate::command::after;
use crate::door::{Shared, now};
use crate::store::{Outcome, Store};

/// All that was read.
#[derive(Debug, Default)]
struct Read {
    base: Option<Loaded>,
    chain: Chain,
    done: Done,
    /// Bytes of the logs that count.
    logged: u64,
    /// What somebody should know.
    warnings: Vec<String>,
}

const MEND: &str = "restore it from a backup, or move it away to start without it";

fn refused(path: &Path, why: &str) -> String {
    format!("{} {why}; {MEND}", path.display())
}

fn failed(path: &Path) -> impl Fn(io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}

impl Keeper {
    /// Loads all into an empty store, and begins a log if there is to be one.
    pub(super) fn load_all(&mut self, folder: &Folder, common: &Arc<Shared>) -> Result<(), String> {
        let start = Instant::now();
        self.own(folder).map_err(failed(&folder.base()))?;
        // The worker may still be telling shards what goes first.
        common.store.with_away((0..common.store.count()).collect(), |_| ());
        let mut read = self.read(folder, &common.store)?;
        settle(folder, &mut read)?;
        read.warnings.iter().for_each(|warning| common.events.lost(warning));
        let keys: usize = (0..common.store.count()).filter_map(|number| common.store.lock(number).ok().map(|keys| keys.len())).sum();
        if read.base.is_some() || read.done.commands > 0 {
            let text = format!("{keys} keys loaded in {} ms", start.elapsed().as_millis());
            let overdue = read.base.map_or(0, |base| base.overdue);
            let more = if overdue > 0 { format!(", {overdue} that were overdue left out") } else { String::new() };
            let logged = if read.done.commands > 0 { format!(", {} commands of the log done", read.done.commands) } else { String::new() };
            common.events.kept(&format!("{text}{more}{logged}"));
        }
        let mut status = common.persist.status();
        status.loaded = keys as u64;
        if let Some(base) = read.base {
            status.saved_at = base.head.time;
            status.bytes = fs::metadata(folder.base()).map_or(0, |file| file.len());
        }
        drop(status);
        self.log.has_base(read.base.map_or(0, |base| base.head.generation), read.logged, true);
        self.generation = Some(read.chain.next - 1);
        if self.rules.log.is_some() {
            self.log_from_now(folder, common, read.chain.next)?;
        }
        make_room(common);
        Ok(())
    }

    fn log_from_now(&mut self, folder: &Folder, common: &Arc<Shared>, next: u64) -> Result<(), String> {
        let path = folder.log(next);
        let file = self.begin_log(folder, next).map_err(|error| format!("{}: the log cannot be written: {error}", path.display()))?;
        (self.generation, self.is_logging) = (Some(next), true);
        self.log.turn_to(Some(file));
        for number in 0..common.store.count() {
            common.store.with(number, |keys| keys.logs = true);
        }
        Ok(())
    }

    /// Nothing is changed by it but the store.
    fn read(&self, folder: &Folder, store: &Arc<Store>) -> Result<Read, String> {
        for number in 0..store.count() {
            store.with(number, |keys| keys.numbers_from(now()));
        }
        let (mut read, base) = (Read::default(), folder.base());
        let mut file = match File::open(&base) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(&base)(error)),
        };
        let first = match &mut file {
            Some(file) => Some(load::read_head(file, Kind::Base).map_err(|why| refused(&base, &why))?.generation),
            None => None,
        };
        read.chain = chain(first, &found(folder, first.unwrap_or(1))?).map_err(|missing| missing.told(folder))?;
        // What goes without a command is not logged yet: a log that follows may speak of it.
        let is_all = read.chain.counted.is_empty() && self.rules.log.is_none();
        if let Some(mut file) = file {
            file.rewind().map_err(failed(&base))?;
            let length = file.metadata().map_err(failed(&base))?.len();
            let loaded = load::base(file, length, store, now(), is_all, || make_room_if(is_all, store));
            read.base = Some(loaded.map_err(|why| refused(&base, &why))?);
        }
        for generation in read.chain.counted.clone() {
            let path = folder.log(generation);
            let done = one_log(&path, generation, store).map_err(|why| refused(&path, &why))?;
            if done.torn > 0 && read.chain.counted.last() != Some(&generation) {
                return Err(refused(&path, &format!("was cut off at byte {}, but there is another after it", done.whole)));
            }
            if done.failed > 0 {
                read.warnings.push(format!("{}: {} commands could not be done as they were", path.display(), done.failed));
            }
            read.logged += done.whole;
            read.done = Done { commands: read.done.commands + done.commands, ..done };
        }
        Ok(read)
    }
}

/// All logs of a folder; the heads of those before `first` do not matter.
fn found(folder: &Folder, first: u64) -> Result<Vec<Found>, String> {
    let mut all = Vec::new();
    for generation in folder.logs().map_err(failed(&folder.base()))? {
        let path = folder.log(generation);
        let mut file = File::open(&path).map_err(failed(&path))?;
        let is_empty = file.metadata().map_err(failed(&path))?.len() <= block::HEAD as u64;
        let is_read = !is_empty && generation >= first;
        let head = is_read.then(|| load::read_head(&mut file, Kind::Log).map_err(|why| refused(&path, &why))).transpose()?;
        all.push(Found { generation, is_empty, needs_base: head.is_some_and(|head| head.needs_base) });
    }
    Ok(all)
}

impl Missing {
    fn told(self, folder: &Folder) -> String {
        match self {
            Missing::Log(missing, there) => {
                format!("{} is missing, but {} is there; {MEND}", folder.log(missing).display(), folder.log(there).display())
            }
            Missing::Base(there) => format!(
                "{} is missing, or older than {}, which goes on from it; restore it from a backup, or move that log and those after it \
                 away to start without them",
                folder.base().display(),
                folder.log(there).display()
            ),
        }
    }
}

/// All was read: what is no part of it goes, and the disk has the rest before there is more.
fn settle(folder: &Folder, read: &mut Read) -> Result<(), String> {
    if let Some(last) = read.chain.counted.last() {
        let path = folder.log(*last);
        let log = Disk::open(&path).map_err(failed(&path))?;
        if read.done.torn > 0 {
            log.cut(read.done.whole).map_err(failed(&path))?;
            let text = "its end was torn, as when a machine or a process dies while it writes";
            read.warnings.push(format!(
                "{}: {text}: {} bytes were cut off behind byte {}",
                path.display(),
                read.done.torn,
                read.done.whole
            ));
        }
        log.sync().map_err(failed(&path))?;
    }
    for generation in &read.chain.orphans {
        let path = folder.log(*generation);
        let aside = folder.put_aside(*generation).map_err(failed(&path))?;
        let text = "Plimsoll was killed before it had saved the keys with which this log begins";
        read.warnings.push(format!("{}: {text}; what it says is not done, and it is {} now", path.display(), aside.display()));
    }
    for generation in &read.chain.needless {
        let path = folder.log(*generation);
        disk::remove(&path).map_err(failed(&path))?;
    }
    // There is none, or it will be written over.
    let _ = disk::remove(&folder.next());
    folder.sync().map_err(failed(&folder.base()))
}

fn one_log(path: &Path, generation: u64, store: &Arc<Store>) -> Result<Done, String> {
    let cannot = |error: io::Error| format!("cannot be read: {error}");
    let mut file = File::open(path).map_err(cannot)?;
    let length = file.metadata().map_err(cannot)?.len();
    let head = load::read_head(&mut file, Kind::Log)?;
    if head.generation != generation {
        return Err(format!("has the generation {}, which is not that of its name", head.generation));
    }
    replay::log(file, head, length, store)
}

fn make_room_if(may: bool, store: &Store) {
    if may && store.is_full() {
        store.make_room(now(), &mut Outcome::default(), || false, |_| ());
    }
}

/// More may be kept than there is memory for now: what goes is logged.
fn make_room(common: &Shared) {
    if common.store.is_full() {
        common.store.make_room(now(), &mut Outcome::default(), || false, |view| after(view, common));
    }
}
