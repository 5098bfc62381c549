use std::collections::BTreeSet;

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
    with(&mut view.open(b"key", Kind::Set).expect("there is nothing else"))
}

fn members(slot: &Slot<'_>) -> Vec<Vec<u8>> {
    slot.value().map_or(Vec::new(), |value| Set::of(value).iter().map(|member| member.to_vec()).collect())
}

fn member() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (-100i64..100).prop_map(|number| number.to_string().into_bytes()),
        2 => (0u8..100).prop_map(|number| format!("member {number}").into_bytes()),
        1 => any::<i64>().prop_map(|number| number.to_string().into_bytes()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn a_set_is_as_a_set(changes in prop::collection::vec((member(), prop::bool::weighted(0.8)), 0..400), at_once in 1usize..20) {
        let store = Store::new(1 << 20, 1).unwrap();
        let mut model = BTreeSet::new();
        for some in changes.chunks(at_once) {
            on_slot(&store, |slot| {
                let mut edit = SetEdit::open(slot);
                for (member, is_added) in some {
                    if *is_added {
                        assert_eq!(edit.add(member), model.insert(member.clone()));
                    } else {
                        assert_eq!(edit.remove(member), model.remove(member));
                    }
                }
                assert_eq!(edit.close(), !model.is_empty());
                let mut there = members(slot);
                there.sort_unstable();
                assert!(there.iter().eq(model.iter()));
                assert!(model.iter().all(|member| Set::of(slot.value().unwrap()).has(member)));
            });
        }
    }

    #[test]
    fn integers_alone_are_in_order(numbers in prop::collection::vec(any::<i64>(), 1..60)) {
        let store = Store::new(1 << 20, 1).unwrap();
        on_slot(&store, |slot| {
            let (mut edit, mut loose) = (SetEdit::open(slot), Loose::new());
            for number in &numbers {
                assert_eq!(edit.add(number.to_string().as_bytes()), loose.add(number.to_string().as_bytes()));
            }
            edit.close();
            let sorted: BTreeSet<i64> = numbers.into_iter().collect();
            let sorted: Vec<Vec<u8>> = sorted.into_iter().map(|number| number.to_string().into_bytes()).collect();
            assert_eq!((members(slot), slot.mark(), encoding(slot.mark())), (sorted.clone(), false, "intset"));
            loose.put(slot);
            assert_eq!((members(slot), slot.mark()), (sorted, false));
        });
    }
}

#[test]
fn the_mark_says_when_redis_has_a_table() {
    let store = Store::new(1 << 20, 1).unwrap();
    on_slot(&store, |slot| {
        let mut edit = SetEdit::open(slot);
        (0..512).for_each(|number| assert!(edit.add(format!("{number}").as_bytes())));
        edit.close();
        assert!(!slot.mark());
        let mut edit = SetEdit::open(slot);
        assert!(edit.add(b"512") && edit.remove(b"512"));
        edit.close();
        assert_eq!((slot.mark(), encoding(slot.mark())), (true, "hashtable"));
        let mut edit = SetEdit::open(slot);
        edit.settle();
        edit.close();
        assert!(!slot.mark());
        slot.remove();
        let mut edit = SetEdit::open(slot);
        assert!(edit.add(b"9") && edit.add(b"x") && edit.add(b"7") && edit.remove(b"x"));
        edit.close();
        assert!(slot.mark());
        let mut edit = SetEdit::open(slot);
        edit.settle();
        edit.close();
        assert_eq!((slot.mark(), members(slot)), (false, vec![b"7".to_vec(), b"9".to_vec()]));
        slot.remove();
        let mut edit = SetEdit::open(slot);
        assert!(edit.add(b"1") && edit.add(b"01") && edit.add(b"0"));
        edit.close();
        assert!(slot.mark());
    });
}

#[test]
fn what_is_collected_takes_the_place_of_all_that_was() {
    let store = Store::new(1 << 20, 1).unwrap();
    on_slot(&store, |slot| {
        for count in [5, 300, 7] {
            slot.set_expiry(Some(1 << 40));
            let mut loose = Loose::new();
            (0..count).for_each(|number| assert!(loose.add(format!("m{number}").as_bytes())));
            assert!(!loose.add(b"m0"));
            loose.put(slot);
            let set = Set::of(slot.value().unwrap());
            assert_eq!((set.len(), matches!(set, Set::Big(_)), slot.mark(), slot.expiry()), (count, count > 128, true, None));
        }
    });
}

#[test]
fn what_is_chosen_is_different() {
    let store = Store::new(1 << 20, 1).unwrap();
    let mut random = Random::seeded(3);
    on_slot(&store, |slot| {
        for count in [20, 300] {
            let mut edit = SetEdit::open(slot);
            (0..count).for_each(|number: usize| {
                edit.add(format!("{number}").as_bytes());
            });
            edit.close();
            let set = Set::of(slot.value().unwrap());
            for wanted in [1, 5, count / 2, count, count + 1] {
                let mut chosen = BTreeSet::new();
                set.choose(wanted, &mut random, |member| assert!(chosen.insert(member.to_vec())));
                assert_eq!(chosen.len(), wanted.min(count));
            }
            if let Set::Big(members) = set {
                assert!(members.copy().iter().collect::<BTreeSet<_>>() == members.iter().collect());
            }
            let picked: BTreeSet<_> = (0..count * 20).map(|_| set.pick(&mut random).to_vec()).collect();
            assert_eq!(picked.len(), count);
        }
    });
}
