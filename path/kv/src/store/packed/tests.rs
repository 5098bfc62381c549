use super::*;
use proptest::prelude::*;

/// One change, at a position that is taken modulo what there is.
#[derive(Debug, Clone)]
enum Change {
    Insert(usize, Vec<u8>),
    Push(Vec<u8>),
    Replace(usize, Vec<u8>),
    Remove(usize, usize),
}

fn element() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..20),
        1 => (120usize..136, any::<u8>()).prop_map(|(length, byte)| vec![byte; length]),
        1 => (16_380usize..16_390, any::<u8>()).prop_map(|(length, byte)| vec![byte; length]),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => (any::<usize>(), element()).prop_map(|(at, element)| Change::Insert(at, element)),
        2 => element().prop_map(Change::Push),
        2 => (any::<usize>(), element()).prop_map(|(at, element)| Change::Replace(at, element)),
        1 => (any::<usize>(), 0usize..4).prop_map(|(at, many)| Change::Remove(at, many)),
    ]
}

/// Does the same to both.
fn apply<const TWO_WAY: bool>(change: Change, edit: &mut Edit<'_, TWO_WAY>, model: &mut Vec<Vec<u8>>) {
    let packed = edit.packed();
    match change {
        Change::Insert(at, element) => {
            let index = at % (model.len() + 1);
            let behind = edit.insert(packed.nth(index), &element);
            model.insert(index, element);
            assert_eq!(behind, edit.packed().nth(index + 1));
        }
        Change::Push(element) => {
            edit.push(&element);
            model.push(element);
        }
        Change::Replace(at, element) if !model.is_empty() => {
            let index = at % model.len();
            let behind = edit.replace(packed.nth(index), &element);
            model[index] = element;
            assert_eq!(behind, edit.packed().nth(index + 1));
        }
        Change::Remove(at, many) if !model.is_empty() => {
            let index = at % model.len();
            let many = many.min(model.len() - index);
            edit.remove(packed.nth(index), many);
            model.drain(index..index + many);
        }
        Change::Replace(..) | Change::Remove(..) => {}
    }
}

fn says_the_same<const TWO_WAY: bool>(packed: Packed<'_, TWO_WAY>, model: &[Vec<u8>]) {
    assert_eq!((packed.len(), packed.is_empty()), (model.len(), model.is_empty()));
    assert!(packed.iter().eq(model.iter()));
    assert_eq!(packed.iter().len(), model.len());
    for (index, (at, element)) in packed.placed().enumerate() {
        assert_eq!((at, packed.get(at)), (packed.nth(index), element));
    }
    assert_eq!(packed.nth(model.len()), packed.end());
    assert!(packed.pairs().eq(model.chunks_exact(2).map(|pair| (&pair[0][..], &pair[1][..]))));
}

proptest! {
    #[test]
    fn a_row_is_as_a_vec(changes in prop::collection::vec(change(), 0..40)) {
        let (mut bytes, mut model) = (Vec::new(), Vec::new());
        let mut edit = Edit::<false>::of(&mut bytes);
        changes.into_iter().for_each(|change| apply(change, &mut edit, &mut model));
        says_the_same(Row::of(&bytes), &model);
    }

    #[test]
    fn a_two_way_one_is_as_a_vec_from_both_ends(changes in prop::collection::vec(change(), 0..40), turns in prop::collection::vec(any::<bool>(), 40)) {
        let (mut bytes, mut model) = (Vec::new(), Vec::new());
        let mut edit = Edit::<true>::of(&mut bytes);
        changes.into_iter().for_each(|change| apply(change, &mut edit, &mut model));
        let packed = TwoWay::of(&bytes);
        says_the_same(packed, &model);
        assert!(packed.placed().rev().map(|(_, element)| element).eq(model.iter().rev()));
        let (mut ours, mut theirs) = (packed.placed(), model.iter());
        for from_behind in turns {
            let (our, their) = if from_behind { (ours.next_back(), theirs.next_back()) } else { (ours.next(), theirs.next()) };
            assert_eq!(our.map(|(_, element)| element), their.map(|element| &element[..]));
        }
    }

    #[test]
    fn what_is_found_is_the_first_that_is_looked_at(
        elements in prop::collection::vec(prop::collection::vec(0u8..3, 0..3), 0..24), wanted in prop::collection::vec(0u8..3, 0..3), step in 1usize..4,
    ) {
        let elements = &elements[..elements.len() / step * step];
        let mut bytes = Vec::new();
        let mut edit = Edit::<false>::of(&mut bytes);
        elements.iter().for_each(|element| edit.push(element));
        let packed = Row::of(&bytes);
        let index = elements.iter().step_by(step).position(|element| *element == wanted);
        prop_assert_eq!(packed.find(&wanted, step), index.map(|index| packed.nth(index * step)));
    }
}

#[test]
fn short_elements_take_a_byte_more_than_they_are_long() {
    let (mut row, mut two_way) = (Vec::new(), Vec::new());
    Edit::<false>::of(&mut row).push(&[7; 127]);
    Edit::<true>::of(&mut two_way).push(&[7; 127]);
    assert_eq!((row.len(), two_way.len()), (HEAD + 128, HEAD + 129));
}

#[test]
fn what_is_small_is_small_by_both() {
    assert!(is_small(MOST_ENTRIES, MOST_BYTES));
    assert!(!is_small(MOST_ENTRIES + 1, 10) && !is_small(1, MOST_BYTES + 1));
}
