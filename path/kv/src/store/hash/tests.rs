use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::entry::Kind;
use super::super::outcome::Outcome;
use super::super::shards::Store;
use super::super::slot::Slot;
use super::*;

/// Runs `with` on the slot of one key.
fn on_slot<T>(store: &Store, with: impl FnOnce(&mut Slot<'_>) -> T) -> T {
    on_slot_at(0, store, with)
}

/// At a moment.
fn on_slot_at<T>(now: Ms, store: &Store, with: impl FnOnce(&mut Slot<'_>) -> T) -> T {
    let mut guard = store.lock(0).unwrap_or_else(|_| panic!("no worker has it"));
    let mut outcome = Outcome::default();
    let mut view = store.view(&mut guard, now, &mut outcome);
    with(&mut view.open(b"key", Kind::Hash).expect("there is nothing else"))
}

fn held(slot: &Slot<'_>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut all = BTreeMap::new();
    if let Some(value) = slot.value() {
        Hash::of(value).each(|field, value| {
            assert!(all.insert(field.to_vec(), value.to_vec()).is_none(), "a field is there once");
        });
    }
    all
}

#[derive(Debug, Clone)]
enum Change {
    Set(u16, usize),
    Remove(u16),
}

fn changes(fields: u16) -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        3 => (0..fields, prop_oneof![9 => 0usize..30, 1 => 0usize..3000]).prop_map(|(field, length)| Change::Set(field, length)),
        1 => (0..fields).prop_map(Change::Remove),
    ];
    prop::collection::vec(change, 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]
    #[test]
    fn a_hash_is_as_a_map(changes in (1u16..300).prop_flat_map(changes), at_once in 1usize..20) {
        let store = Store::new(1 << 20, 1).unwrap();
        let mut model = BTreeMap::new();
        for some in changes.chunks(at_once) {
            let is_there = on_slot(&store, |slot| {
                let mut edit = HashEdit::open(slot);
                for change in some {
                    match *change {
                        Change::Set(field, length) => {
                            let (field, value) = (format!("field {field}").into_bytes(), vec![b'v'; length]);
                            assert_eq!(edit.set(&field, &value), model.insert(field, value).is_none());
                        }
                        Change::Remove(field) => {
                            let field = format!("field {field}").into_bytes();
                            assert_eq!(edit.remove(&field), model.remove(&field).is_some());
                        }
                    }
                }
                edit.close()
            });
            prop_assert_eq!(is_there, !model.is_empty());
            on_slot(&store, |slot| {
                assert_eq!(held(slot), model);
                assert_eq!(slot.kind().is_some(), is_there);
            });
        }
    }
}

#[test]
fn a_value_of_the_same_length_is_written_where_it_is() {
    let store = Store::new(1 << 20, 1).unwrap();
    on_slot(&store, |slot| {
        assert!(!replace(slot, b"a", b"1"));
        let mut edit = HashEdit::open(slot);
        edit.set(b"a", b"1");
        edit.set(b"b", b"a");
        edit.close();
        assert!(replace(slot, b"b", b"2") && !replace(slot, b"b", b"22") && !replace(slot, b"c", b"2"));
        assert_eq!(held(slot).into_values().collect::<Vec<_>>(), [b"1", b"2"]);
    });
}

#[test]
fn the_mark_says_when_redis_has_a_table() {
    let store = Store::new(1 << 20, 1).unwrap();
    on_slot(&store, |slot| {
        let mut edit = HashEdit::open(slot);
        (0..MOST).for_each(|number| {
            edit.set(format!("{number}").as_bytes(), &[0; SHORT]);
        });
        edit.close();
        assert_eq!((slot.mark(), encoding(slot.mark())), (false, "listpack"));
        let mut edit = HashEdit::open(slot);
        edit.set(b"one more", b"");
        edit.remove(b"one more");
        edit.close();
        assert_eq!((slot.mark(), encoding(slot.mark())), (true, "hashtable"));
        slot.remove();
        let mut edit = HashEdit::open(slot);
        edit.set(b"long", &[0; SHORT + 1]);
        edit.close();
        assert!(slot.mark());
    });
}

const MOST: usize = 512;
const SHORT: usize = 64;

#[test]
fn what_is_chosen_is_different_and_even() {
    for count in [20, 300] {
        let store = Store::new(1 << 20, 1).unwrap();
        let mut random = Random::seeded(3);
        on_slot(&store, |slot| {
            let mut edit = HashEdit::open(slot);
            (0..count).for_each(|number: usize| {
                edit.set(format!("{number}").as_bytes(), format!("{number}").as_bytes());
            });
            edit.close();
            let hash = Hash::of(slot.value().unwrap());
            assert_eq!(matches!(hash, Hash::Big(_)), count > 128);
            for wanted in [1, 5, count / 2, count, count + 1] {
                let mut chosen = Vec::new();
                hash.choose(wanted, &mut random, |field, value| {
                    assert_eq!(field, value);
                    chosen.push(field);
                });
                chosen.sort_unstable();
                chosen.dedup();
                assert_eq!(chosen.len(), wanted.min(count));
            }
            let mut counts = BTreeMap::<_, usize>::new();
            (0..count * 100).for_each(|_| *counts.entry(hash.pick(&mut random).0).or_default() += 1);
            assert!(counts.len() == count && counts.values().all(|times| (50..170).contains(times)), "{counts:?}");
        });
    }
}

#[derive(Debug, Clone)]
enum Timed {
    Set(u8, Option<u64>),
    Remove(u8),
    Pass(u64),
}

fn timed() -> impl Strategy<Value = Timed> {
    prop_oneof![
        4 => (any::<u8>(), prop::option::of(1u64..1000)).prop_map(|(field, until)| Timed::Set(field, until)),
        1 => any::<u8>().prop_map(Timed::Remove),
        1 => (0u64..200).prop_map(Timed::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]
    #[test]
    fn fields_go_when_they_are_overdue_and_never_before(changes in prop::collection::vec(timed(), 0..600)) {
        let (mut fields, mut model, mut now) = (Fields::new(), BTreeMap::<Vec<u8>, Option<u64>>::new(), 0);
        for change in changes {
            match change {
                Timed::Set(field, after) => {
                    let (field, until) = (field.to_string().into_bytes(), after.map(|after| now + after));
                    prop_assert_eq!(fields.set(&field, &field, until), model.insert(field.clone(), until).is_none());
                    prop_assert_eq!((fields.expiry(&field), fields.get(&field)), (Some(until), Some(&field[..])));
                }
                Timed::Remove(field) => {
                    let field = field.to_string().into_bytes();
                    prop_assert_eq!(fields.remove(&field), model.remove(&field).is_some());
                }
                Timed::Pass(ms) => {
                    now += ms;
                    let due = fields.soonest() <= now;
                    let mut gone = fields.purge(now, usize::MAX);
                    gone.sort_unstable();
                    let over: Vec<_> = model.extract_if(.., |_, until| until.is_some_and(|until| until <= now)).collect();
                    prop_assert!(gone.iter().map(|field| field.to_vec()).eq(over.into_iter().map(|(field, _)| field)));
                    prop_assert!(due || gone.is_empty());
                }
            }
            prop_assert_eq!(fields.len(), model.len());
            let soonest = model.values().flatten().min().copied();
            prop_assert!(fields.soonest() <= soonest.unwrap_or(u64::MAX));
            prop_assert_eq!(fields.soonest() == u64::MAX, soonest.is_none());
        }
        let copy = fields.copy();
        prop_assert_eq!(copy.len(), model.len());
        prop_assert!(model.iter().all(|(field, until)| copy.expiry(field) == Some(*until) && copy.get(field) == Some(field)));
    }
}

/// What a hash of which fields expire goes through.
#[derive(Debug, Clone)]
enum Step {
    Set(u16),
    Update(u16),
    Expire(u16, Option<u64>),
    Remove(u16),
    Pass(u64),
}

fn steps(fields: u16) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..fields).prop_map(Step::Set),
        1 => (0..fields).prop_map(Step::Update),
        3 => (0..fields, prop::option::of(1u64..1000)).prop_map(|(field, after)| Step::Expire(field, after)),
        1 => (0..fields).prop_map(Step::Remove),
        1 => (0u64..300).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 0..250)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]
    #[test]
    fn both_forms_know_when_fields_expire(steps in (1u16..100).prop_flat_map(steps)) {
        let store = Store::new(1 << 20, 1).unwrap();
        let (mut model, mut now) = (BTreeMap::<Vec<u8>, (Vec<u8>, Option<u64>)>::new(), 0);
        for (number, step) in steps.into_iter().enumerate() {
            if let Step::Pass(ms) = step {
                now += ms;
                model.retain(|_, (_, until)| until.is_none_or(|until| until > now));
            }
            // Of such ones two KB hold about fifty.
            let value = format!("{number:030}").into_bytes();
            on_slot_at(now, &store, |slot| {
                let mut edit = HashEdit::open(slot);
                match step {
                    Step::Set(field) => {
                        let field = field.to_string().into_bytes();
                        assert_eq!(edit.set(&field, &value), model.insert(field, (value, None)).is_none());
                    }
                    Step::Update(field) => {
                        let field = field.to_string().into_bytes();
                        edit.update(&field, &value);
                        model.entry(field).or_default().0 = value;
                    }
                    Step::Expire(field, after) => {
                        let field = field.to_string().into_bytes();
                        let until = after.map(|after| now + after);
                        assert_eq!(edit.hash().expiry(&field), model.get(&field).map(|(_, until)| *until));
                        if let Some((_, old)) = model.get_mut(&field) {
                            *old = until;
                            edit.set_expiry(&field, until);
                        }
                    }
                    Step::Remove(field) => {
                        let field = field.to_string().into_bytes();
                        assert_eq!(edit.remove(&field), model.remove(&field).is_some());
                    }
                    Step::Pass(_) => {}
                }
                edit.close();
                assert!(held(slot).into_iter().eq(model.iter().map(|(field, (value, _))| (field.clone(), value.clone()))));
                let Some(value) = slot.value() else { return };
                let hash = Hash::of(value);
                assert_eq!(hash.len(), model.len());
                assert!(model.iter().all(|(field, (value, until))| {
                    hash.get(field) == Some(value) && hash.expiry(field) == Some(*until)
                }));
                assert!(hash.soonest() > now && model.values().filter_map(|(_, until)| *until).all(|until| hash.soonest() <= until));
            });
        }
    }
}

#[test]
fn what_is_purged_keeps_all_else() {
    let store = Store::new(1 << 20, 1).unwrap();
    on_slot(&store, |slot| {
        let mut edit = HashEdit::open(slot);
        edit.set(b"a", &[0; SHORT + 1]);
        edit.set(b"b", b"1");
        edit.set_expiry(b"b", Some(5));
        edit.close();
        slot.set_expiry(Some(100));
        assert!(matches!(Hash::of(slot.value().unwrap()), Hash::Packed(_)));
    });
    on_slot_at(5, &store, |slot| {
        assert_eq!((held(slot).len(), slot.mark(), slot.expiry()), (1, true, Some(100)));
        assert!(Hash::of(slot.value().unwrap()).never_expires());
    });
}
