//! What each step of writing files leaves, should it be the last one.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::persist::watched::{Files, Seen, Watch};
use crate::store::Random;

/// Writes files; steps of it are watched.
struct Scene<'s> {
    folder: &'s Path,
    door: Option<Served>,
    /// The last count that was answered while a log had it.
    safe: Arc<AtomicI64>,
}

impl Scene<'_> {
    fn new(folder: &Path) -> Scene<'_> {
        Scene { folder, door: None, safe: Arc::default() }
    }

    fn opens(&mut self) -> Result<(), String> {
        let loops = Loops::start(1).unwrap();
        let opened = open(self.folder, ALWAYS, &loops);
        if opened.is_err() {
            loops.end();
        }
        self.door = Some(Served { handle: opened?, loops });
        Ok(())
    }

    /// Some steps of it may be made to fail.
    fn opens_at_last(&mut self) {
        while self.opens().is_err() {}
    }

    fn stops(&mut self) {
        let door = self.door.take().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            assert!(door.handle.drain(Duration::from_secs(10)).await);
            // Why not was said.
            let _ = door.handle.keep().await;
        });
    }

    /// What is answered; nobody is when nobody knows what becomes of what they wrote.
    fn says(&self, text: &str) -> String {
        let (mut wire, mut heard) = (self.door.as_ref().unwrap().client(), Vec::new());
        wire.send(&format!("{text}\r\nQUIT"));
        wire.0.read_to_end(&mut heard).unwrap();
        String::from_utf8(heard).unwrap()
    }

    /// Counts on, `times` that are answered.
    fn counts(&self, times: usize, is_safe: bool) {
        let mut done = 0;
        while done < times {
            let said = self.says("MULTI\r\nINCR count\r\nRPUSH list x\r\nEXEC");
            if let Some(count) = said.rsplit_once("*2\r\n:").and_then(|(_, counts)| counts.split("\r\n").next()?.parse().ok()) {
                done += 1;
                if is_safe {
                    self.safe.fetch_max(count, Ordering::SeqCst);
                }
            }
        }
    }

    /// Counts while all is saved, which it is at last.
    fn saves(&self, is_safe: bool) {
        std::thread::scope(|scope| {
            let saving = scope.spawn(|| while !self.says("SAVE").starts_with("+OK\r\n+OK") {});
            self.counts(2, is_safe);
            saving.join().unwrap();
        });
    }

    fn logs(&self, logs: bool) {
        let word = if logs { "yes" } else { "no" };
        self.says(&format!("CONFIG SET appendonly {word}"));
        let wanted = format!("aof_enabled:{}\r\n", i32::from(logs));
        testkit::until("it is heard", || self.says("INFO persistence").contains(&wanted));
    }

    fn plays(&mut self) {
        self.opens_at_last();
        self.counts(2, true);
        self.saves(true);
        self.counts(1, true);
        self.stops();
        // The log of the base says nothing when it is loaded, and then something.
        self.opens_at_last();
        self.saves(true);
        self.stops();
        self.opens_at_last();
        self.stops();
        self.opens_at_last();
        self.counts(1, true);
        self.saves(true);
        self.logs(false);
        self.counts(1, false);
        self.logs(true);
        self.counts(1, false);
        self.saves(false);
        self.counts(1, true);
        self.stops();
    }
}

fn write(folder: &Path, files: &Files) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir(folder).unwrap();
    files.iter().for_each(|(name, bytes)| fs::write(folder.join(name), bytes).unwrap());
}

/// What is loaded, after which as much is written again and loaded.
fn holds(seen: &Seen, folder: &Path) {
    write(folder, &seen.files);
    let shown = || format!("{}\n{:?}", seen.what, seen.files.iter().map(|(name, bytes)| (name, bytes.len())).collect::<Vec<_>>());
    let mut least = seen.noted;
    for _ in 0..2 {
        let mut scene = Scene::new(folder);
        scene.opens().unwrap_or_else(|why| panic!("{why}\n{}", shown()));
        let said = scene.says("INCRBY count 0\r\nLLEN list");
        let numbers: Vec<i64> = said.split("\r\n").filter_map(|line| line.strip_prefix(':')?.parse().ok()).collect();
        assert!(numbers[0] == numbers[1] && numbers[0] >= least, "{numbers:?} of {least}\n{}", shown());
        scene.counts(1, true);
        least = numbers[0] + 1;
        scene.stops();
    }
}

fn all_hold(all: &[Seen], home: &Path) {
    std::thread::scope(|scope| {
        for (number, some) in all.chunks(all.len().div_ceil(4)).enumerate() {
            let folder = home.join(format!("again-{number}"));
            scope.spawn(move || some.iter().for_each(|seen| holds(seen, &folder)));
        }
    });
}

#[test]
fn whatever_the_last_step_was_all_that_was_answered_is_there_and_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("kv");
    let mut scene = Scene::new(&folder);
    let safe = scene.safe.clone();
    let watch = Watch::new(&folder, 0..0, move || safe.load(Ordering::SeqCst));
    scene.plays();
    let all = watch.take();
    assert!(all.len() > 100);
    all_hold(&all, home.path());
}

/// Plays while these steps fail; gives how many there were.
fn plays_failing(failing: Range<usize>) -> usize {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("kv");
    let mut scene = Scene::new(&folder);
    let safe = scene.safe.clone();
    let watch = Watch::new(&folder, failing.clone(), move || safe.load(Ordering::SeqCst));
    scene.plays();
    let all = watch.take();
    // Soon after, and at the end.
    let soon = |seen: &&Seen| (failing.start..failing.end + 8).contains(&seen.number);
    let told = |seen: &Seen| Seen { what: format!("{failing:?} failed, {}", seen.what), ..seen.clone() };
    all_hold(&all.iter().filter(soon).chain(all.last()).map(told).collect::<Vec<_>>(), home.path());
    watch.steps()
}

#[test]
fn whatever_step_fails_all_that_was_answered_is_there() {
    let (mut random, mut steps) = (Random::seeded(3), 1);
    for _ in 0..12 {
        let first = 1 + random.below(steps);
        steps = plays_failing(first..first + 1 + random.below(3));
    }
}

#[test]
#[ignore = "takes minutes"]
fn each_step_may_fail() {
    let mut first = 1;
    while plays_failing(first..first + 1) >= first && plays_failing(first..first + 5) >= first {
        first += 1;
    }
}
