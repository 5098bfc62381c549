//! What tests see of the disk: each step in a folder, what a kill and what the death of the machine would leave after it, and steps
//! that fail.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fs, io};

use super::Step;

/// What is in a folder.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// What a moment would leave.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Of the step before it.
    pub(crate) number: usize,
    pub(crate) what: String,
    pub(crate) files: Files,
    /// What the one who watches had noted before that moment.
    pub(crate) noted: i64,
}

/// A folder that is watched until this is dropped.
pub(crate) struct Watch(Arc<Watched>);

struct Watched {
    folder: PathBuf,
    state: Mutex<State>,
}

struct State {
    steps: usize,
    fails: Range<usize>,
    note: Box<dyn Fn() -> i64 + Send>,
    seen: Vec<Seen>,
    /// The file that each name is, now and when the folder was synced last.
    names: BTreeMap<String, usize>,
    kept_names: BTreeMap<String, usize>,
    /// What each file held when it was synced last.
    kept: BTreeMap<usize, Vec<u8>>,
    made: usize,
}

static ALL: Mutex<Vec<Arc<Watched>>> = Mutex::new(Vec::new());

impl Watch {
    /// With what is in it now safe on the disk. Steps of these numbers, from 1 on, fail. `note` is called before each.
    pub(crate) fn new(folder: &Path, fails: Range<usize>, note: impl Fn() -> i64 + Send + 'static) -> Watch {
        let (mut names, mut kept) = (BTreeMap::new(), BTreeMap::new());
        for (number, (name, bytes)) in files(folder).into_iter().enumerate() {
            names.insert(name, number);
            kept.insert(number, bytes);
        }
        let (made, kept_names) = (names.len(), names.clone());
        let state = State { steps: 0, fails, note: Box::new(note), seen: Vec::new(), names, kept_names, kept, made };
        let watched = Arc::new(Watched { folder: folder.into(), state: Mutex::new(state) });
        all().push(watched.clone());
        Watch(watched)
    }

    pub(crate) fn steps(&self) -> usize {
        self.0.state().steps
    }

    /// What was seen since this was asked last.
    pub(crate) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.0.state().seen)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        all().retain(|watched| !Arc::ptr_eq(watched, &self.0));
    }
}

fn all() -> MutexGuard<'static, Vec<Arc<Watched>>> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is in a folder, but for its lock.
pub(crate) fn files(folder: &Path) -> Files {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap());
    let named = entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()));
    named.filter(|(name, _)| !name.ends_with(".lock")).map(|(name, path)| (name, fs::read(path).unwrap_or_default())).collect()
}

pub(in super::super) fn step<T>(path: &Path, step: Step<'_>, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let folder = if step == Step::SyncFolder { path } else { path.parent().unwrap() };
    let watched = all().iter().find(|watched| watched.folder == folder).cloned();
    let Some(watched) = watched else { return work() };
    // One step after the other: what is seen was there.
    let mut state = watched.state();
    let (noted, name, before) = ((state.note)(), name(path), fs::read(path).unwrap_or_default());
    state.steps += 1;
    if state.fails.contains(&state.steps) {
        return Err(io::Error::other("it was made to fail"));
    }
    let done = work()?;
    let all = files(folder);
    // A file may be written after it was removed.
    if step == Step::Write
        && let Some(after) = all.get(&name)
    {
        let half = half(&before, after);
        let mut files = all.clone();
        files.insert(name.clone(), half);
        state.see(format!("half of {step:?} {name}"), files, noted);
    }
    state.follow(step, &name, &all);
    let lost = state.kept_names.iter().map(|(name, file)| (name.clone(), state.kept.get(file).cloned().unwrap_or_default())).collect();
    state.see(format!("death of the machine after {step:?} {name}"), lost, noted);
    state.see(format!("{step:?} {name}"), all, noted);
    Ok(done)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is there when a write is half done.
fn half(before: &[u8], after: &[u8]) -> Vec<u8> {
    let same = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    let middle = same + (after.len() - same) / 2;
    [&after[..middle], before.get(middle..).unwrap_or_default()].concat()
}

impl Watched {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn see(&mut self, what: String, files: Files, noted: i64) {
        // What was there just now with no less noted says nothing new.
        let is_known = self.seen.iter().rev().take(3).any(|seen| seen.files == files && seen.noted == noted);
        if !is_known {
            let what = format!("{}: {what}", self.steps);
            self.seen.push(Seen { number: self.steps, what, files, noted });
        }
    }

    fn follow(&mut self, step: Step<'_>, name: &str, all: &Files) {
        match step {
            Step::Create => {
                self.made += 1;
                self.names.insert(name.into(), self.made);
            }
            Step::Write | Step::Cut => {}
            Step::Sync => {
                if let Some(file) = self.names.get(name) {
                    self.kept.insert(*file, all[name].clone());
                }
            }
            Step::RenameFrom(from) => {
                let file = self.names.remove(&self::name(from)).unwrap();
                self.names.insert(name.into(), file);
            }
            Step::Remove => {
                self.names.remove(name);
            }
            Step::SyncFolder => self.kept_names = self.names.clone(),
        }
    }
}
