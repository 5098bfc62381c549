//! Reads what is kept: the base, and the logs since.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::super::block::{self, Kind};
use super::super::folder::Folder;
use super::super::load::{self, Loaded};
use super::super::replay::{self, Done};
use super::Keeper;
use crate::door::{Shared, now};
use crate::store::{Outcome, Store};

/// All that was read.
#[derive(Debug, Default)]
struct Found {
    base: Option<Loaded>,
    done: Done,
    /// What somebody should know.
    warnings: Vec<String>,
}

impl Keeper {
    /// Loads all into an empty store, and begins a log if there is to be one.
    pub(super) fn load_all(&mut self, folder: &Folder, common: &Arc<Shared>) -> Result<(), String> {
        let start = Instant::now();
        self.own(folder).map_err(|error| format!("{}: {error}", folder.base().display()))?;
        // The worker may still be telling shards what goes first.
        common.store.with_away((0..common.store.count()).collect(), |_| ());
        let found = self.read(folder, &common.store)?;
        found.warnings.iter().for_each(|warning| common.events.lost(warning));
        let keys: usize = (0..common.store.count()).filter_map(|number| common.store.lock(number).ok().map(|keys| keys.len())).sum();
        if found.base.is_some() || found.done.commands > 0 {
            let text = format!("{keys} keys loaded in {} ms", start.elapsed().as_millis());
            let overdue = found.base.map_or(0, |base| base.overdue);
            let more = if overdue > 0 { format!(", {overdue} that were overdue left out") } else { String::new() };
            let logged =
                if found.done.commands > 0 { format!(", {} commands of the log done", found.done.commands) } else { String::new() };
            common.events.kept(&format!("{text}{more}{logged}"));
        }
        let mut status = common.persist.status();
        status.loaded = keys as u64;
        if let Some(base) = found.base {
            status.saved_at = base.head.time;
            status.bytes = fs::metadata(folder.base()).map_or(0, |file| file.len());
        }
        drop(status);
        make_room(&common.store);
        if self.rules.log.is_some() {
            self.log_from_now(folder, common)?;
        }
        Ok(())
    }

    fn log_from_now(&mut self, folder: &Folder, common: &Arc<Shared>) -> Result<(), String> {
        // The log of a base has its generation; each start begins another.
        let last = self.generation.unwrap_or(0);
        let next = if folder.logs().unwrap_or_default().is_empty() { last.max(1) } else { last + 1 };
        self.generation = Some(next);
        let path = folder.log(next);
        let file = self.begin_log(folder, next).map_err(|error| format!("{}: the log cannot be written: {error}", path.display()))?;
        self.log.turn_to(Some(file));
        for number in 0..common.store.count() {
            common.store.with(number, |keys| keys.logs = true);
        }
        Ok(())
    }

    fn read(&mut self, folder: &Folder, store: &Arc<Store>) -> Result<Found, String> {
        const MEND: &str = "restore it from a backup, or move it away to start without it";
        let refused = |path: &Path, why: String| format!("{} {why}; {MEND}", path.display());
        let failed = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
        for number in 0..store.count() {
            store.with(number, |keys| keys.numbers_from(now()));
        }
        let _ = fs::remove_file(folder.next());
        let (mut found, base) = (Found::default(), folder.base());
        let all = folder.logs().map_err(|error| failed(&base, error))?;
        let mut file = match File::open(&base) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(&base, error)),
        };
        let first = match &mut file {
            Some(file) => load::read_head(file, Kind::Base).map_err(|why| refused(&base, why))?.generation,
            None => 1,
        };
        let mut logs: Vec<u64> = all.into_iter().filter(|generation| *generation >= first).collect();
        if let Some(mut file) = file {
            file.rewind().map_err(|error| failed(&base, error))?;
            let length = file.metadata().map_err(|error| failed(&base, error))?.len();
            let loaded = load::base(file, length, store, now(), logs.is_empty(), || make_room_if(logs.is_empty(), store));
            found.base = Some(loaded.map_err(|why| refused(&base, why))?);
            self.generation = Some(first);
        }
        // One that was begun and says nothing yet.
        while let Some(last) =
            logs.last().filter(|last| fs::metadata(folder.log(**last)).is_ok_and(|file| file.len() <= block::HEAD as u64))
        {
            fs::remove_file(folder.log(*last)).map_err(|error| failed(&folder.log(*last), error))?;
            logs.pop();
        }
        for (index, generation) in logs.iter().enumerate() {
            let path = folder.log(*generation);
            if *generation != first + index as u64 {
                let missing = folder.log(first + index as u64);
                return Err(format!("{} is missing, but {} is there; {MEND}", missing.display(), path.display()));
            }
            let done = one_log(&path, store).map_err(|why| refused(&path, why))?;
            if done.torn > 0 && index + 1 < logs.len() {
                return Err(refused(&path, format!("was cut off at byte {}, but there is another after it", done.whole)));
            }
            if done.torn > 0 {
                cut(&path, done.whole).map_err(|error| failed(&path, error))?;
                let text = "its end was torn, as when a machine or a process dies while it writes";
                found.warnings.push(format!("{}: {text}: {} bytes were cut off behind byte {}", path.display(), done.torn, done.whole));
            }
            if done.failed > 0 {
                found.warnings.push(format!("{}: {} commands could not be done as they were", path.display(), done.failed));
            }
            found.done.commands += done.commands;
            self.generation = Some(*generation);
        }
        Ok(found)
    }
}

fn one_log(path: &Path, store: &Arc<Store>) -> Result<Done, String> {
    let cannot = |error: io::Error| format!("cannot be read: {error}");
    let mut file = File::open(path).map_err(cannot)?;
    let length = file.metadata().map_err(cannot)?.len();
    let head = load::read_head(&mut file, Kind::Log)?;
    replay::log(file, head, length, store)
}

fn cut(path: &Path, length: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(length)?;
    file.sync_all()
}

fn make_room_if(may: bool, store: &Store) {
    if may {
        make_room(store);
    }
}

/// More may be kept than there is memory for now.
fn make_room(store: &Store) {
    if store.is_full() {
        store.make_room(now(), &mut Outcome::default(), || false, |_| ());
    }
}
