use std::collections::HashMap;

use proptest::prelude::*;

use super::bins::bin_of;
use super::*;

impl Arena {
    /// Checks everything that is noted against the pages themselves.
    pub(in crate::store) fn verify(&self) {
        let mut linked = self.verify_bins();
        let mut held = self.spare.iter().map(|page| page.bytes().len()).sum::<usize>();
        for (number, page) in self.pages.iter().enumerate() {
            held += page.bytes().len();
            if page.units() == 0 {
                assert_eq!(self.free[number], 0, "no page has nothing free");
                assert!(self.vacant.contains(&(number as u32)));
            } else {
                let free = self.verify_page(number, &mut linked);
                assert_eq!(free, self.free[number], "free units of page {number}");
                assert!(free + 1 < page.units(), "an empty page is given back");
            }
        }
        assert!(linked.is_empty(), "a bin holds what is no hole: {linked:?}");
        assert_eq!(held, self.held);
        assert_eq!(self.free.iter().sum::<u32>() as usize, self.free_units);
        let small = |page: &Page| page.units() > 0 && page.units() < self.whole;
        let grows = (0..self.pages.len()).filter(|number| small(&self.pages[*number]) && self.leaving != Some(*number));
        assert!(grows.eq(self.growing.filter(|page| Some(*page) != self.leaving)), "one page grows");
    }

    /// The holes of the bins, by number, with their units.
    fn verify_bins(&self) -> HashMap<u32, u32> {
        let mut linked = HashMap::new();
        for bin in 0..192 {
            let (mut number, mut previous) = (self.bins.first(bin), 0);
            assert_eq!(self.bins.filled_from(bin) == Some(bin), number != 0);
            while number != 0 {
                let spot = self.spot(number);
                let units = self.pages[spot.page].hole(spot.unit);
                assert_eq!(bin_of(units), bin);
                assert!(linked.insert(number, units).is_none(), "a hole is linked once");
                let (next, before) = self.pages[spot.page].links(spot.unit);
                assert_eq!(before, previous);
                (number, previous) = (next, number);
            }
        }
        linked
    }

    /// Walks a page, takes its holes out of `linked` and counts its free units.
    fn verify_page(&self, number: usize, linked: &mut HashMap<u32, u32>) -> u32 {
        let page = &self.pages[number];
        let (mut unit, mut free, mut after) = (0, 0, false);
        while !page.header(unit).is_end() {
            let header = page.header(unit);
            assert_eq!(header.is_after_hole(), after, "page {number}, unit {unit}");
            let units = if header.is_hole() { page.hole(unit) } else { header.units() };
            if header.is_hole() {
                assert!(!after, "holes beside each other are joined");
                assert_eq!(page.hole_before(unit + units), units);
                let known = linked.remove(&self.number(Spot { page: number, unit }));
                assert_eq!(known, (units > 1 && self.leaving != Some(number)).then_some(units));
                free += units;
            }
            after = header.is_hole();
            unit += units;
        }
        assert_eq!(page.header(unit).is_after_hole(), after);
        assert_eq!(unit + 1, page.units(), "blocks and holes tile the page");
        free
    }
}

/// An arena beside what it should hold.
struct Model {
    arena: Arena,
    blocks: Vec<(Handle, Vec<u8>)>,
    stamp: u32,
}

#[derive(Clone, Debug)]
enum Step {
    Alloc(usize),
    Free(usize),
    Resize(usize, usize),
    Evacuate(usize),
}

impl Model {
    fn new(arena: Arena) -> Self {
        Self { arena, blocks: Vec::new(), stamp: 0 }
    }

    fn fill(&mut self, at: Handle, from: usize) -> Vec<u8> {
        self.stamp += 1;
        let stamp = self.stamp.to_le_bytes();
        let bytes = self.arena.bytes_mut(at);
        bytes[from..].iter_mut().enumerate().for_each(|(index, byte)| *byte = stamp[index % 4] ^ index as u8);
        bytes.to_vec()
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Alloc(len) => {
                let at = self.arena.alloc(len);
                assert_eq!(self.arena.bytes(at).len(), len);
                let bytes = self.fill(at, 0);
                self.blocks.push((at, bytes));
            }
            Step::Free(index) if !self.blocks.is_empty() => {
                let (at, _) = self.blocks.swap_remove(index % self.blocks.len());
                self.arena.free(at);
            }
            Step::Resize(index, len) if !self.blocks.is_empty() => {
                let index = index % self.blocks.len();
                let (at, old) = &self.blocks[index];
                let kept = len.min(old.len());
                let at = self.arena.resize(*at, len);
                assert_eq!(self.arena.bytes(at).len(), len);
                assert_eq!(self.arena.bytes(at)[..kept], old[..kept]);
                self.blocks[index] = (at, self.fill(at, kept));
            }
            Step::Evacuate(most) => self.evacuate(most),
            _ => {}
        }
    }

    fn evacuate(&mut self, most: usize) {
        let mut told = HashMap::new();
        let moves = self.arena.evacuate(most, |bytes, old, new| {
            assert!(told.insert(old, (new, bytes.to_vec())).is_none());
        });
        assert_eq!(moves, told.len());
        assert!(moves <= most);
        for (at, bytes) in &mut self.blocks {
            if let Some((new, moved)) = told.remove(at) {
                assert_eq!(*bytes, moved);
                *at = new;
            }
        }
        assert!(told.is_empty(), "only blocks are moved");
    }

    fn verify(&self) {
        self.arena.verify();
        self.blocks.iter().for_each(|(at, bytes)| assert_eq!(self.arena.bytes(*at), bytes));
    }
}

fn arenas() -> impl Strategy<Value = fn() -> Arena> {
    prop_oneof![
        Just((|| Arena::of_pages(4096)) as fn() -> Arena),
        Just((|| Arena::growing(4096)) as fn() -> Arena),
        Just((|| Arena::growing(16 * 1024)) as fn() -> Arena),
        Just((|| Arena::of_pages(32 * 1024)) as fn() -> Arena),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let len = || prop_oneof![4 => 0..70usize, 2 => 0..600usize, 1 => 0..=Arena::largest(4096)];
    let step = prop_oneof![
        5 => len().prop_map(Step::Alloc),
        4 => any::<usize>().prop_map(Step::Free),
        2 => (any::<usize>(), len()).prop_map(|(index, len)| Step::Resize(index, len)),
        1 => (0..40usize).prop_map(Step::Evacuate),
    ];
    prop::collection::vec(step, 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn blocks_keep_what_they_hold_whatever_is_taken_and_given_back(arena in arenas(), ramp in 0..300usize, steps in steps()) {
        let mut model = Model::new(arena());
        // so that the steps meet more than one page
        (0..ramp).for_each(|index| model.take(&Step::Alloc(index * 7 % 150)));
        for (index, step) in steps.iter().enumerate() {
            model.take(step);
            if index % 16 == 0 {
                model.verify();
            }
        }
        model.verify();
        while !model.blocks.is_empty() {
            model.take(&Step::Free(model.blocks.len() / 2));
        }
        model.arena.verify();
        assert_eq!(model.arena.free_bytes(), 0, "all pages were given back");
    }
}

#[test]
fn every_length_up_to_the_largest_is_held_to_the_byte() {
    let mut arena = Arena::of_pages(64 * 1024);
    for len in 0..=Arena::largest(64 * 1024) {
        let at = arena.alloc(len);
        assert_eq!(arena.bytes(at).len(), len);
        assert_eq!(arena.bytes_mut(at).len(), len);
        arena.free(at);
    }
    arena.verify();
}

#[test]
fn a_block_grows_into_the_hole_behind_it_and_shrinks_in_place() {
    let mut arena = Arena::of_pages(4096);
    let (first, second, third) = (arena.alloc(100), arena.alloc(100), arena.alloc(100));
    arena.free(second);
    assert_eq!(arena.resize(first, 200), first);
    assert_ne!(arena.resize(first, 900), first, "the third is in the way");
    assert_eq!(arena.resize(third, 3), third);
    arena.verify();
}

#[test]
fn a_small_arena_holds_little_and_one_that_is_cleared_nothing() {
    let mut arena = Arena::growing(16 * 1024);
    assert_eq!(arena.held(), 0, "nothing before the first block");
    arena.alloc(20);
    assert!(arena.held() < 1024, "{}", arena.held());
    (0..130).for_each(|_| _ = arena.alloc(22));
    let live = 131 * 24;
    assert!(arena.held() < live * 5 / 4 + 512, "{}", arena.held());
    arena.clear();
    assert_eq!(arena.held(), 0);
}

#[test]
fn evacuation_stops_and_goes_on_and_blocks_may_go_meanwhile() {
    let mut model = Model::new(Arena::of_pages(4096));
    (0..400).for_each(|_| model.take(&Step::Alloc(60)));
    (0..200).rev().for_each(|index| model.take(&Step::Free(index * 2)));
    let before = model.arena.held();
    let mut calls = 0;
    while model.arena.free_bytes() >= 4096 {
        model.take(&Step::Evacuate(3));
        model.take(&Step::Free(calls));
        model.take(&Step::Alloc(60));
        model.verify();
        calls += 1;
        assert!(calls < 400, "it comes to an end");
    }
    assert!(model.arena.held() < before * 3 / 4, "{} of {before}", model.arena.held());
    assert_eq!(model.arena.evacuate(300, |_, _, _| {}), 0, "there is nothing more to be won");
}
