use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::entry::Kind;
use super::super::outcome::Outcome;
use super::super::shards::Store;
use super::super::slot::Slot;
use super::*;

/// Runs `with` on the slot of one key.
fn on_slot<T>(store: &Store, with: impl FnOnce(&mut Slot<'_>) -> T) -> T {
    let mut guard = store.lock(0).unwrap_or_else(|_| panic!("no worker has it"));
    let mut outcome = Outcome::default();
    let mut view = store.view(&mut guard, 0, &mut outcome);
    with(&mut view.open(b"key", Kind::Sorted).expect("there is nothing else"))
}

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (-5i32..5).prop_map(f64::from),
        2 => prop::num::f64::NORMAL,
        1 => prop::sample::select(vec![0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, 5e-324, 1e17]),
    ]
}

/// Members of a range, of various lengths.
fn member(number: u16, range: u16) -> Vec<u8> {
    let number = number % range;
    format!("{}{number}", "m".repeat(usize::from(number % 70))).into_bytes()
}

/// What it should be, in order.
fn sorted(model: &BTreeMap<Vec<u8>, f64>) -> Vec<(&[u8], f64)> {
    let mut all: Vec<(&[u8], f64)> = model.iter().map(|(member, score)| (&member[..], *score)).collect();
    all.sort_by(|one, other| compare(one.1, other.1).then_with(|| one.0.cmp(other.0)));
    all
}

fn verify(set: Sorted<'_>, model: &BTreeMap<Vec<u8>, f64>) {
    let all = sorted(model);
    assert_eq!(set.len(), all.len());
    for skip in [0, 1, all.len() / 2, all.len()] {
        assert!(set.iter(Way::Up, skip).eq(all.iter().copied().skip(skip)));
        assert!(set.iter(Way::Down, skip).eq(all.iter().copied().rev().skip(skip)));
    }
    for (rank, (member, score)) in all.iter().enumerate().step_by(1 + all.len() / 20) {
        assert_eq!((set.rank(member), set.score(member)), (Some(rank), Some(*score)));
        let before = all.iter().filter(|(_, other)| other < score).count();
        assert_eq!(set.count_before(|other, _| other < *score), before);
    }
    assert_eq!((set.rank(b"nobody"), set.score(b"nobody")), (None, None));
    if let Sorted::Big(ranked) = set {
        ranked.verify();
        assert!(ranked.copy().iter(Way::Up, 0).eq(all));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn a_sorted_set_is_in_order(
        changes in prop::collection::vec((any::<u16>(), score(), 0u8..10), 0..800),
        range in 20u16..600,
        at_once in 1usize..60,
    ) {
        let store = Store::new(1 << 20, 1).unwrap();
        let mut model = BTreeMap::new();
        for some in changes.chunks(at_once) {
            on_slot(&store, |slot| {
                let mut edit = SortedEdit::open(slot);
                for (number, score, what) in some {
                    let member = member(*number, range);
                    if *what < 8 {
                        edit.set(&member, *score);
                        // An equal score leaves the old one.
                        let old = model.get(&member).copied().filter(|old| old == score);
                        model.insert(member, old.unwrap_or(*score));
                    } else if *what < 9 {
                        assert_eq!(edit.remove(&member), model.remove(&member).is_some());
                    } else {
                        let from = usize::from(*number) % (model.len() + 1);
                        let ranks = from..model.len().min(from + 3);
                        edit.remove_ranks(ranks.clone());
                        let gone: Vec<Vec<u8>> = sorted(&model)[ranks].iter().map(|(member, _)| member.to_vec()).collect();
                        model.retain(|member, _| !gone.contains(member));
                    }
                }
                assert_eq!(edit.close(), !model.is_empty());
                if let Some(value) = slot.value() {
                    verify(Sorted::of(value), &model);
                }
            });
        }
    }

    #[test]
    fn packed_scores_are_read_as_they_were_written(score: f64) {
        prop_assert_eq!(read_score(write_score(score, &mut [0; 8])).to_bits(), score.to_bits());
    }
}

#[test]
fn what_was_many_is_tidied() {
    let mut ranked = Ranked::new();
    let name = |number: u32| format!("member with a long name {number}").into_bytes();
    (0..20_000).for_each(|number| ranked.set(&name(number), f64::from(number % 7)));
    let (full, leaves) = (ranked.held(), ranked.verify());
    for number in (0..20_000).filter(|number| number % 20 != 0) {
        assert!(ranked.remove(&name(number)));
        if number % 997 == 0 {
            ranked.verify();
        }
    }
    assert!(ranked.verify() < leaves / 4, "leaves are joined");
    assert!(ranked.held() < full / 4, "{} of {full} bytes", ranked.held());
    assert!((0..20_000).step_by(20).all(|number| ranked.score(&name(number)) == Some(f64::from(number % 7))));
}

#[test]
fn members_that_come_in_order_fill_their_leaves() {
    for is_up in [true, false] {
        let mut ranked = Ranked::new();
        for number in 0..1_000 {
            let score = if is_up { number } else { -number };
            ranked.set(format!("member:{number:06}").as_bytes(), f64::from(score));
        }
        assert_eq!(ranked.verify(), 1_000 / 8);
    }
}

#[test]
fn the_mark_says_when_redis_has_a_skip_list() {
    let store = Store::new(1 << 20, 1).unwrap();
    on_slot(&store, |slot| {
        let mut edit = SortedEdit::open(slot);
        (0..128).for_each(|number| edit.set(format!("{number}").as_bytes(), 1.0));
        edit.close();
        assert_eq!((slot.mark(), encoding(slot.mark())), (false, "listpack"));
        let mut edit = SortedEdit::open(slot);
        edit.set(b"x", 1.0);
        edit.remove(b"x");
        edit.close();
        assert_eq!((slot.mark(), encoding(slot.mark())), (true, "skiplist"));
        slot.remove();
        let mut edit = SortedEdit::open(slot);
        (0..40).for_each(|number| edit.set(format!("{number:064}").as_bytes(), 1.0));
        edit.close();
        assert!(!slot.mark() && matches!(Sorted::of(slot.value().unwrap()), Sorted::Big(_)));
        let mut edit = SortedEdit::open(slot);
        edit.set(&[b'y'; 65], 1.0);
        edit.close();
        assert!(slot.mark());
    });
}
