use std::collections::VecDeque;

use proptest::prelude::*;

use super::super::entry::Kind;
use super::super::outcome::Outcome;
use super::super::shards::Store;
use super::super::slot::Slot;
use super::*;

#[derive(Debug, Clone)]
enum Change {
    Push(bool, usize, usize),
    Drop(bool, usize),
    Set(usize, usize),
    Insert(usize, usize),
    Remove(usize, usize, bool),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => (any::<bool>(), 0usize..40, 1usize..60).prop_map(|(left, kind, many)| Change::Push(left, kind, many)),
        2 => (any::<bool>(), 0usize..40).prop_map(|(left, many)| Change::Drop(left, many)),
        1 => (any::<bool>(), 0usize..2000).prop_map(|(left, many)| Change::Drop(left, many)),
        1 => (any::<usize>(), 0usize..40).prop_map(|(index, kind)| Change::Set(index, kind)),
        3 => (any::<usize>(), 0usize..40).prop_map(|(index, kind)| Change::Insert(index, kind)),
        1 => (0usize..40, 0usize..100, any::<bool>()).prop_map(|(kind, most, left)| Change::Remove(kind, most, left)),
    ]
}

/// Short ones and a few long ones.
fn element(kind: usize) -> Vec<u8> {
    let length = [kind, kind * 37, kind * 400][usize::from(kind > 30) + usize::from(kind > 36)];
    vec![b'a' + (kind % 26) as u8; length]
}

fn end(left: bool) -> End {
    if left { End::Left } else { End::Right }
}

fn make(edit: &mut ListEdit<'_, '_>, model: &mut VecDeque<Vec<u8>>, change: &Change) {
    match *change {
        Change::Push(left, kind, many) => (0..many).for_each(|more| {
            let element = element((kind + more) % 40);
            edit.push(end(left), &element);
            if left { model.push_front(element) } else { model.push_back(element) }
        }),
        Change::Drop(left, many) => {
            edit.drop_some(end(left), many);
            let many = many.min(model.len());
            if left { drop(model.drain(..many)) } else { model.truncate(model.len() - many) }
        }
        Change::Set(index, kind) if !model.is_empty() => {
            let index = index % model.len();
            edit.set(index, &element(kind));
            model[index] = element(kind);
        }
        Change::Insert(index, kind) => {
            let index = index % (model.len() + 1);
            edit.insert(index, &element(kind));
            model.insert(index, element(kind));
        }
        Change::Remove(kind, most, left) => {
            let element = element(kind);
            let mut places: Vec<usize> = (0..model.len()).filter(|index| model[*index] == element).collect();
            if !left {
                places.reverse();
            }
            places.truncate(most);
            places.sort_unstable();
            places.iter().rev().for_each(|index| drop(model.remove(*index)));
            assert_eq!(edit.remove_equal(&element, most, end(left)), places.len());
        }
        Change::Set(..) => {}
    }
}

fn on_slot<T>(store: &Store, with: impl FnOnce(&mut Slot<'_>) -> T) -> T {
    let mut guard = store.lock(0).unwrap_or_else(|_| panic!("no worker has it"));
    let mut outcome = Outcome::default();
    let mut view = store.view(&mut guard, 0, &mut outcome);
    with(&mut view.open(b"key", Kind::List).expect("there is nothing else"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn a_list_is_as_a_deque(changes in prop::collection::vec(change(), 1..60)) {
        let store = Store::new(1 << 20, 1).unwrap();
        let mut model = VecDeque::new();
        for change in &changes {
            on_slot(&store, |slot| {
                let mut edit = ListEdit::open(slot);
                make(&mut edit, &mut model, change);
                // What a command has emptied it does not go on with.
                assert_eq!(edit.close(), !model.is_empty());
                let Some(list) = slot.value().map(List::of) else { return };
                assert_eq!(list.len(), model.len());
                for skip in [0, 1, model.len() / 3, model.len() - 1, model.len()] {
                    assert!(list.iter(End::Left, skip).eq(model.iter().skip(skip)));
                    assert!(list.iter(End::Right, skip).eq(model.iter().rev().skip(skip)));
                }
                for index in [0, model.len() / 4, model.len() / 2, model.len() - 1] {
                    assert_eq!(list.get(index), Some(&*model[index]));
                }
                if let List::Big(items) = list {
                    items.verify();
                    items.copy().verify();
                }
            });
        }
    }
}

#[test]
fn a_queue_keeps_few_nodes_and_gives_back_what_it_held() {
    let store = Store::new(1 << 20, 1).unwrap();
    for (put, take) in [(End::Left, End::Right), (End::Right, End::Left)] {
        on_slot(&store, |slot| {
            let mut edit = ListEdit::open(slot);
            (0..2_000).for_each(|number| edit.push(put, format!("element {number}").as_bytes()));
            for number in 2_000..20_000 {
                edit.push(put, format!("element {number}").as_bytes());
                edit.drop_some(take, 1);
            }
            let List::Big(items) = edit.list() else { panic!("2,000 are not packed") };
            items.verify();
            assert!(items.nodes() <= 7, "{} nodes", items.nodes());
            assert!(items.held() < 60_000, "{} bytes", items.held());
            edit.drop_some(take, 1_990);
            edit.drop_some(put, 10);
            assert!(!edit.close());
        });
    }
}
