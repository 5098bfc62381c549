use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::prelude::*;

use super::*;

impl Table {
    /// Checks everything that is noted against the handles and their names.
    pub(in crate::store) fn verify(&self, names: &impl Names) {
        assert_eq!(self.iter().count(), self.len);
        if self.segments.len() == 0 {
            return assert_eq!((self.len, self.held()), (0, 0));
        }
        self.directory.verify();
        let mut covered = 0_u128;
        for number in 0..self.segments.len() as u32 {
            let segment = self.segments.get(number);
            covered += 1 << (64 - segment.depth());
            let (ways, wanted) = self.directory.ways(segment.least(), segment.depth(), number);
            assert_eq!(ways, wanted, "segment {number}");
            for (tag_noted, handle) in segment.entries() {
                let hash = names.hash(handle);
                assert!(segment.takes(hash << self.shared), "segment {number}");
                assert_eq!(tag_noted, tag(hash));
            }
            let spilled = self.crowd.iter().any(|(hash, _)| segment.takes(hash << self.shared));
            assert_eq!(segment.is_spilled(), spilled);
            assert!(!spilled || segment.is_full());
        }
        assert_eq!(covered, 1 << 64, "every hash has its segment");
    }
}

/// Names by handle, with hashes that a test chooses.
#[derive(Default)]
struct Book {
    names: HashMap<Handle, (u64, Vec<u8>)>,
    handles: u32,
}

impl Names for Book {
    fn hash(&self, at: Handle) -> u64 {
        self.names[&at].0
    }

    fn is(&self, at: Handle, key: &[u8]) -> bool {
        self.names[&at].1 == key
    }

    fn near(&self, _: Handle) -> u8 {
        0
    }
}

/// A table beside what it should hold.
struct Model {
    table: Table,
    book: Book,
    /// Handles and when they fall due, by key.
    here: BTreeMap<Vec<u8>, (Handle, u64)>,
    shared: u32,
}

/// How hashes are spread: all bits, few leading bits, all equal.
#[derive(Clone, Copy, Debug)]
enum Spread {
    Even,
    Alike(u32),
}

impl Model {
    fn new(shared: u32) -> Self {
        Self { table: Table::new(shared), book: Book::default(), here: BTreeMap::new(), shared }
    }

    fn hash(&self, key: u32, spread: Spread) -> u64 {
        let mixed = u64::from(key).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = mixed ^ mixed >> 32;
        let hash = match spread {
            Spread::Even => mixed,
            Spread::Alike(bits) => mixed & !(u64::MAX >> bits) | 0x55,
        };
        // what all hashes of a table share
        if self.shared == 0 { hash } else { hash >> self.shared | 0b1010_1010_1010_1010 << 48 & !(u64::MAX >> self.shared) }
    }

    fn new_handle(&mut self, hash: u64, key: &[u8]) -> Handle {
        self.book.handles += 1;
        let handle = Handle::of(self.book.handles).expect("counts from 1");
        self.book.names.insert(handle, (hash, key.to_vec()));
        handle
    }

    fn put(&mut self, key: u32, spread: Spread, due: Option<u64>) {
        let (hash, name) = (self.hash(key, spread), key.to_le_bytes().to_vec());
        let handle = self.new_handle(hash, &name);
        let place = match self.table.find(hash, &name, &self.book) {
            Some(place) => {
                assert_eq!(self.table.at(place), self.here[&name].0);
                self.table.set(place, handle);
                place
            }
            None => {
                assert!(!self.here.contains_key(&name));
                self.table.insert(hash, handle, &self.book)
            }
        };
        assert_eq!(self.table.at(place), handle);
        due.iter().for_each(|due| self.table.falls_due(place, *due));
        self.here.insert(name, (handle, due.unwrap_or(u64::MAX)));
    }

    fn take(&mut self, key: u32, spread: Spread) {
        let (hash, name) = (self.hash(key, spread), key.to_le_bytes().to_vec());
        let place = self.table.find(hash, &name, &self.book);
        let wanted = self.here.remove(&name);
        assert_eq!(place.map(|place| self.table.remove(place)), wanted.map(|(handle, _)| handle));
    }

    fn move_one(&mut self, key: u32, spread: Spread) {
        let (hash, name) = (self.hash(key, spread), key.to_le_bytes().to_vec());
        if let Some((old, due)) = self.here.get(&name).copied() {
            let new = self.new_handle(hash, &name);
            self.table.replace(hash, old, new);
            self.here.insert(name, (new, due));
        }
    }

    /// Everything due is seen; what is seen falls due never again.
    fn walk(&mut self, now: u64) {
        let (mut from, mut seen) = (0, BTreeSet::new());
        loop {
            from = self.table.walk(from, 2, now, |handles| {
                seen.extend(handles.iter().copied());
                let due = |handle: &Handle| self.here[&self.book.names[handle].1].1;
                handles.iter().map(due).filter(|due| *due > now).min().unwrap_or(u64::MAX)
            });
            if from == 0 {
                break;
            }
        }
        for (handle, due) in self.here.values_mut().filter(|(_, due)| *due <= now) {
            assert!(seen.contains(handle));
            *due = u64::MAX;
        }
    }

    fn verify(&self) {
        self.table.verify(&self.book);
        assert_eq!(self.table.len(), self.here.len());
        let wanted: BTreeSet<Handle> = self.here.values().map(|(handle, _)| *handle).collect();
        assert_eq!(self.table.iter().collect::<BTreeSet<_>>(), wanted);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put(u32, Option<u64>),
    Take(u32),
    Move(u32),
    Walk(u64),
}

fn steps(keys: u32) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..keys, prop::option::of(0..1000_u64)).prop_map(|(key, due)| Step::Put(key, due)),
        5 => (0..keys).prop_map(Step::Take),
        1 => (0..keys).prop_map(Step::Move),
        1 => (0..1000_u64).prop_map(Step::Walk),
    ];
    prop::collection::vec(step, 0..300)
}

fn spreads() -> impl Strategy<Value = Spread> {
    prop_oneof![3 => Just(Spread::Even), 1 => (0..12_u32).prop_map(|bits| Spread::Alike(bits + 1))]
}

fn take(model: &mut Model, step: &Step, spread: Spread) {
    match *step {
        Step::Put(key, due) => model.put(key, spread, due),
        Step::Take(key) => model.take(key, spread),
        Step::Move(key) => model.move_one(key, spread),
        Step::Walk(now) => model.walk(now),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn handles_are_found_whatever_is_put_in_and_taken_out(
        spread in spreads(), shared in 0..9_u32, ramp in 0..900_u32, steps in steps(1000)
    ) {
        let mut model = Model::new(shared);
        (0..ramp).for_each(|key| model.put(key, spread, None));
        model.verify();
        for (index, step) in steps.iter().enumerate() {
            take(&mut model, step, spread);
            if index % 64 == 0 {
                model.verify();
            }
        }
        model.verify();
        for key in 0..1000 {
            model.take(key, spread);
            if key % 250 == 0 {
                model.verify();
            }
        }
        prop_assert_eq!((model.table.len(), model.table.held()), (0, 0), "an empty table holds nothing");
    }

    #[test]
    fn a_scan_gives_what_stays_exactly_once_and_what_comes_or_goes_at_most_once(
        spread in spreads(), shared in 0..9_u32, most in 1..40_usize, stays in 0..500_u32, steps in steps(3000)
    ) {
        let mut model = Model::new(shared);
        (0..stays).for_each(|key| model.put(key, spread, None));
        let (mut cursor, mut seen, mut steps) = (0, Vec::new(), steps.iter());
        for calls in 0.. {
            prop_assert!(calls < 4000, "it comes to an end");
            cursor = model.table.scan(cursor, most, &model.book, |at| seen.push(model.book.names[&at].1.clone()));
            if cursor == 0 {
                break;
            }
            // all but the keys below `stays` come and go
            for step in steps.by_ref().take(10) {
                let aside = |key: u32| key + stays;
                match *step {
                    Step::Put(key, due) => model.put(aside(key), spread, due),
                    Step::Take(key) => model.take(aside(key), spread),
                    Step::Move(key) => model.move_one(key, spread),
                    Step::Walk(_) => (0..200).for_each(|key| model.take(aside(key * 15), spread)),
                }
            }
        }
        let once: BTreeSet<_> = seen.iter().collect();
        prop_assert_eq!(once.len(), seen.len(), "none is given twice");
        (0..stays).for_each(|key| assert!(once.contains(&key.to_le_bytes().to_vec()), "{key}"));
    }
}

#[test]
fn a_scan_of_a_table_at_rest_gives_as_many_as_are_asked_for() {
    let mut model = Model::new(3);
    (0..1000).for_each(|key| model.put(key, Spread::Even, None));
    let (mut cursor, mut given) = (0, Vec::new());
    loop {
        let mut count = 0;
        cursor = model.table.scan(cursor, 10, &model.book, |_| count += 1);
        given.push(count);
        if cursor == 0 {
            break;
        }
        assert!(cursor < 1 << 45, "it is what follows the shared bits");
    }
    assert_eq!(given, [10; 100]);
    assert_eq!(model.table.scan(1 << 47, 10, &model.book, |_| panic!()), 0, "a cursor that none gave");
}

#[test]
fn equal_hashes_are_all_kept_and_cost_no_directory() {
    let mut model = Model::new(0);
    (0..500).for_each(|key| model.put(key, Spread::Alike(0), None));
    model.verify();
    assert!(model.table.held() < 500 * 64, "{}", model.table.held());
    let mut count = 0;
    assert_eq!(model.table.scan(0, 10, &model.book, |_| count += 1), 0);
    assert_eq!(count, 500, "those with one cursor leave together");
    assert!((0..100).filter_map(|seed| model.table.random(seed)).collect::<BTreeSet<_>>().len() > 50);
    (0..490).for_each(|key| model.take(key, Spread::Alike(0)));
    model.verify();
    assert!(model.table.random(1).is_some());
}

#[test]
fn a_small_table_holds_little_and_one_that_thins_out_gives_back() {
    let mut model = Model::new(0);
    (0..130).for_each(|key| model.put(key, Spread::Even, None));
    assert!(model.table.held() <= 130 * 14, "{}", model.table.held());
    (130..20_000).for_each(|key| model.put(key, Spread::Even, None));
    model.verify();
    let full = model.table.held();
    assert!(full < 20_000 * 9, "{full}");
    (0..19_000).for_each(|key| model.take(key, Spread::Even));
    model.verify();
    assert!(model.table.held() < full / 6, "{} of {full}", model.table.held());
}

#[test]
fn random_handles_are_as_likely_as_each_other() {
    let mut model = Model::new(0);
    (0..1000).for_each(|key| model.put(key, Spread::Even, None));
    let mut times = HashMap::<Handle, u32>::new();
    for seed in 0..50_000_u64 {
        *times.entry(model.table.random(seed * 3).expect("there are some")).or_default() += 1;
    }
    assert_eq!(times.len(), 1000);
    // 50 each; a deviation of 7
    assert!(times.values().all(|times| (15..=95).contains(times)), "{:?}", times.values().max());
    assert_eq!(Table::new(0).random(1), None);
}

#[test]
fn a_walk_passes_by_where_nothing_is_due() {
    let mut model = Model::new(0);
    (0..2000).for_each(|key| model.put(key, Spread::Even, (key == 1990).then_some(100)));
    let mut seen = 0;
    assert_eq!(model.table.walk(0, 1000, 99, |_| panic!("nothing is due")), 0);
    let end = model.table.walk(0, 1000, 100, |handles| {
        seen += handles.len();
        u64::MAX
    });
    assert!(end == 0 && (1..=60).contains(&seen), "one segment: {seen}");
    assert_eq!(model.table.walk(0, 1000, 100, |_| panic!("it is done")), 0);
}
