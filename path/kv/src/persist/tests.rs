//! Bases and logs against what was there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;

use super::block::{self, Head, Holds, Kind};
use super::{load, record, replay, save};
use crate::command::desk::Desk;
use crate::command::differ;
use crate::form::Reader;
use crate::store::{Keys, Kind as Type, Ms, Outcome, Random, Store, Tag};

const NOW: Ms = 1_790_000_000_000;

fn base(store: &Arc<Store>, now: Ms, cut: impl FnOnce() + Send + 'static) -> (Vec<u8>, u64) {
    let to = save::Writer::new(Vec::new(), Head::of_base(1, now)).unwrap();
    let (to, keys) = save::save(store, to, now, true, cut).unwrap();
    (to.into_file(), keys)
}

fn load_base(bytes: &[u8], store: &Arc<Store>, now: Ms, leaves_out: bool) -> Result<load::Loaded, String> {
    load::base(bytes, bytes.len() as u64, store, now, leaves_out, || ())
}

fn log(blocks: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = save::Writer::new(Vec::new(), Head { kind: Kind::Log, generation: 1, time: NOW, needs_base: false }).unwrap();
    blocks.iter().for_each(|bytes| writer.block(Holds::Commands, bytes).unwrap());
    writer.into_file()
}

fn replay_log(bytes: &[u8], store: &Arc<Store>) -> Result<replay::Done, String> {
    let mut from = bytes;
    let head = load::read_head(&mut from, Kind::Log)?;
    replay::log(from, head, bytes.len() as u64, store)
}

fn desk() -> Desk {
    let mut desk = Desk::new();
    desk.be_patient();
    desk
}

/// Another one, at the same moment.
fn beside(desk: &Desk) -> Desk {
    let mut other = self::desk();
    other.pass(desk.now() - other.now());
    other
}

fn run(desk: &mut Desk, random: &mut Random, count: usize) {
    run_unless(desk, random, count, |_| false);
}

/// All but what ends a save.
fn run_beside(desk: &mut Desk, random: &mut Random, count: usize) {
    run_unless(desk, random, count, |name| name.to_ascii_uppercase().starts_with("FLUSH"));
}

fn run_unless(desk: &mut Desk, random: &mut Random, count: usize, is_left_out: impl Fn(&str) -> bool) {
    for _ in 0..count {
        let words = differ::any(random);
        if is_left_out(&words[0]) {
            continue;
        }
        desk.bytes(&words.iter().map(|word| word.as_bytes()).collect::<Vec<_>>());
        if random.below(20) == 0 {
            desk.pass(random.below(3000) as u64);
        }
    }
}

#[test]
fn what_the_log_says_is_what_was_done() {
    for seed in 1..8 {
        let (mut one, mut random) = (desk(), Random::seeded(seed));
        one.keep_log();
        run(&mut one, &mut random, 3000);
        let bytes = log(&[one.take_log()]);
        let mut other = beside(&one);
        let done = replay_log(&bytes, other.store()).unwrap();
        assert!(done.commands > 500 && done.failed == 0 && done.torn == 0, "{seed}: {done:?}");
        assert_eq!(one.contents(), other.contents(), "{seed}");
    }
}

#[test]
fn what_is_saved_is_what_is_loaded() {
    for seed in 11..18 {
        let (mut one, mut random) = (desk(), Random::seeded(seed));
        run(&mut one, &mut random, 3000);
        let (bytes, keys) = base(one.store(), one.now(), || ());
        let mut other = beside(&one);
        let loaded = load_base(&bytes, other.store(), other.now(), true).unwrap();
        assert_eq!((loaded.keys + loaded.overdue, loaded.head.time), (keys, one.now()));
        assert_eq!(one.contents(), other.contents(), "{seed}");
    }
}

#[test]
fn a_base_is_of_one_moment_and_the_log_of_all_after_it() {
    for seed in 21..27 {
        let (mut one, mut random) = (desk(), Random::seeded(seed));
        one.keep_log();
        run(&mut one, &mut random, 4000);
        let before = one.contents();
        one.take_log();
        let (is_cut, is_done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (store, now, cut, done) = (one.store().clone(), one.now(), is_cut.clone(), is_done.clone());
        let saver = std::thread::spawn(move || {
            let saved = base(&store, now, move || cut.store(true, Ordering::SeqCst));
            done.store(true, Ordering::SeqCst);
            saved.0
        });
        testkit::until("it begins", || is_cut.load(Ordering::SeqCst));
        while !is_done.load(Ordering::SeqCst) {
            run_beside(&mut one, &mut random, 1);
        }
        run(&mut one, &mut random, 500);
        let bytes = saver.join().unwrap();
        let mut then = desk();
        load_base(&bytes, then.store(), now, false).unwrap();
        then.pass(now - then.now());
        assert_eq!(then.contents(), before, "{seed}");
        // What was looked at has no more uses than it had, and nothing was changed by that.
        let mut other = beside(&one);
        load_base(&bytes, other.store(), now, false).unwrap();
        let done = replay_log(&log(&[one.take_log()]), other.store()).unwrap();
        assert_eq!((done.failed, one.contents()), (0, other.contents()), "{seed}");
    }
}

/// All steps of a save, each with the lock of a shard, and commands between them.
#[test]
fn what_changes_before_it_was_saved_is_saved_as_it_was() {
    let mut kept_in_all = 0;
    for seed in 41..49 {
        let (mut one, mut random) = (desk(), Random::seeded(seed));
        run(&mut one, &mut random, 4000);
        let (before, now, store) = (one.contents(), one.now(), one.store().clone());
        let locked = |number: usize| store.lock(number).unwrap_or_else(|_| panic!("no worker has it"));
        (0..store.count()).for_each(|number| locked(number).begin_save(now));
        let mut bytes = Vec::new();
        let mut open: Vec<(usize, u64)> = (0..store.count()).map(|number| (number, 0)).collect();
        while !open.is_empty() {
            let at = random.below(open.len());
            let (number, cursor) = open[at];
            let (mut keys, mut later) = (locked(number), Vec::new());
            let next = keys.save(cursor, 1, 1000, &mut later, |key| record::write(key, &mut bytes));
            drop(keys);
            run_beside(&mut one, &mut random, 5);
            let mut keys = locked(number);
            later.iter().for_each(|key| keys.save_one(key, |key| record::write(key, &mut bytes)));
            let kept = keys.take_kept();
            kept.iter().for_each(|kept| record::write(kept.record(), &mut bytes));
            kept_in_all += kept.len();
            open[at].1 = next;
            if next == 0 {
                assert!(keys.end_save());
                open.remove(at);
            }
        }
        let mut then = desk();
        then.pass(now - then.now());
        let Ok(mut guards) = then.store().lock_many(0..store.count()) else { panic!("no worker has them") };
        let mut outcome = Outcome::default();
        let mut view = then.store().view_many(guards.iter_mut().map(|(number, keys)| (*number, &mut **keys)), now, &mut outcome);
        assert!(load::keys(&mut Reader::new(&bytes), &mut view, None).is_some());
        drop(guards);
        assert_eq!(then.contents(), before, "{seed}");
    }
    assert!(kept_in_all > 20, "{kept_in_all}");
}

#[test]
fn a_key_that_is_overdue_is_left_out_unless_a_log_follows() {
    let mut one = desk();
    one.run("SET a 1 PX 100");
    one.run("SET b 1 PX 5000");
    let (bytes, _) = base(one.store(), one.now(), || ());
    for (leaves_out, keys, overdue) in [(true, 1, 1), (false, 2, 0)] {
        let other = desk();
        let loaded = load_base(&bytes, other.store(), one.now() + 100, leaves_out).unwrap();
        assert_eq!((loaded.keys, loaded.overdue), (keys, overdue));
    }
}

#[test]
fn all_keys_may_go_while_they_are_saved() {
    let mut one = desk();
    (0..500).for_each(|number| drop(one.run(&format!("SET key:{number} x"))));
    let store = one.store().clone();
    let to = save::Writer::new(Vec::new(), Head::of_base(1, NOW)).unwrap();
    let other = store.clone();
    let done = save::save(&store, to, NOW, false, move || {
        // By the worker, right after the moment that is saved.
        other.later(0, |keys| keys.clear(&mut Outcome::default()));
    });
    assert!(matches!(done, Err(save::Failure::Flushed)));
    // The next one is as any other.
    let left = one.contents().len() as u64;
    assert!(left > 0 && left < 500 && base(&store, NOW, || ()).1 == left);
}

/// A disk that is full after so many bytes.
struct Full(usize);

impl std::io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn after_a_full_disk_the_next_base_has_everything() {
    let mut one = desk();
    (0..3000).for_each(|number| drop(one.run(&format!("SET key:{number} {}", "x".repeat(300)))));
    let to = save::Writer::new(Full(300_000), Head::of_base(1, NOW)).unwrap();
    assert!(matches!(save::save(one.store(), to, NOW, false, || ()), Err(save::Failure::Io(_))));
    assert_eq!(base(one.store(), NOW, || ()).1, 3000);
}

/// A base and a log of some random commands.
fn some_files() -> (Vec<u8>, Vec<u8>) {
    let (mut one, mut random) = (desk(), Random::seeded(31));
    one.keep_log();
    let mut blocks = Vec::new();
    for _ in 0..6 {
        run(&mut one, &mut random, 60);
        blocks.push(one.take_log());
    }
    (base(one.store(), one.now(), || ()).0, log(&blocks))
}

#[test]
fn a_base_that_is_cut_anywhere_is_refused() {
    let (base, _) = some_files();
    for length in (0..base.len()).step_by(11) {
        let why = load_base(&base[..length], desk().store(), NOW, false).unwrap_err();
        assert!(why.starts_with("was cut off"), "{length}: {why}");
    }
}

#[test]
fn a_log_that_is_cut_anywhere_is_what_was_done_up_to_there() {
    let (_, log) = some_files();
    let mut wholes = Vec::new();
    for length in (block::HEAD..log.len()).step_by(7) {
        let done = replay_log(&log[..length], desk().store()).unwrap();
        assert_eq!((done.whole + done.torn, done.failed), (length as u64, 0));
        wholes.push(done.whole);
    }
    assert!(wholes.is_sorted());
    wholes.dedup();
    assert_eq!(wholes.len(), 6, "it is cut between blocks");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn garbled_files_are_refused_or_cut(place in any::<prop::sample::Index>(), other in 1u8..) {
        let (base, log) = FILES.get_or_init(some_files).clone();
        let mut garbled = base.clone();
        garbled[place.index(base.len())] ^= other;
        prop_assert!(load_base(&garbled, desk().store(), NOW, false).is_err());
        let mut garbled = log.clone();
        let at = place.index(log.len());
        garbled[at] ^= other;
        if let Ok(done) = replay_log(&garbled, desk().store()) {
            prop_assert!(done.torn > 0 && done.whole <= at as u64 && done.failed == 0);
        }
    }
}

static FILES: std::sync::OnceLock<(Vec<u8>, Vec<u8>)> = std::sync::OnceLock::new();

#[test]
fn a_tag_that_changes_before_it_is_saved_is_saved_as_it_was() {
    let (one, other) = (desk(), desk());
    let (mut outcome, mut bytes) = (Outcome::default(), Vec::new());
    let (old, new) = (Tag { cas: 7, flags: 3, is_stale: true, ..Tag::default() }, Tag { cas: 8, ..Tag::default() });
    let mut put = |keys: &mut Keys, tag: Tag| {
        let mut view = one.store().view(keys, NOW, &mut outcome);
        let mut slot = view.open_any(b"k", Type::Str);
        slot.put(b"v");
        slot.set_tag(tag);
    };
    let (from, to) = (one.store().number_of(b"k"), other.store().number_of(b"k"));
    let (Ok(mut keys), Ok(mut read)) = (one.store().lock(from), other.store().lock(to)) else { panic!("no worker has the keys") };
    put(&mut keys, old);
    keys.begin_save(NOW);
    put(&mut keys, new);
    keys.take_kept().iter().for_each(|kept| record::write(kept.record(), &mut bytes));
    let mut view = other.store().view(&mut read, NOW, &mut outcome);
    assert_eq!(load::keys(&mut Reader::new(&bytes), &mut view, None), Some((1, 0)));
    assert_eq!(view.tag(b"k"), Some(old));
}
