//! A cache at its bound: lengths that shift, blocks that go at random, pages that are emptied as they thin out.

use std::collections::HashMap;

use super::{Arena, Handle};

const BOUND: usize = 6 * 1024 * 1024;
const MOVES: usize = 300;

struct Churn {
    arena: Arena,
    blocks: Vec<Handle>,
    places: HashMap<Handle, usize>,
    random: u64,
    live: usize,
    written: usize,
    moved: usize,
}

impl Churn {
    fn below(&mut self, bound: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 33) as usize % bound
    }

    /// Small, large, evenly spread and log-uniform lengths in turn.
    fn len(&mut self, turn: usize) -> usize {
        match turn / 25_000 % 4 {
            0 => 16 + self.below(100),
            1 => 600 + self.below(1448),
            2 => 16 + self.below(2032),
            _ => {
                let doubling = 16 << self.below(7);
                doubling + self.below(doubling)
            }
        }
    }

    fn put(&mut self, len: usize) {
        while self.arena.held() - self.arena.free_bytes() + len > BOUND * 15 / 16 {
            self.drop_one();
        }
        let at = self.arena.alloc(len);
        self.places.insert(at, self.blocks.len());
        self.blocks.push(at);
        self.live += len;
        self.written += len;
    }

    fn drop_one(&mut self) {
        let index = self.below(self.blocks.len());
        let at = self.blocks.swap_remove(index);
        self.places.remove(&at);
        if let Some(moved) = self.blocks.get(index) {
            self.places.insert(*moved, index);
        }
        self.live -= self.arena.bytes(at).len();
        self.arena.free(at);
    }

    fn evacuate(&mut self) {
        let (places, blocks) = (&mut self.places, &mut self.blocks);
        self.arena.evacuate(MOVES, |bytes, old, new| {
            let index = places.remove(&old).expect("a block has its place");
            places.insert(new, index);
            blocks[index] = new;
            self.moved += bytes.len();
        });
    }
}

#[test]
fn what_is_held_stays_near_what_is_alive_whatever_lengths_come() {
    let mut churn = Churn {
        arena: Arena::of_pages(64 * 1024),
        blocks: Vec::new(),
        places: HashMap::new(),
        random: 88_172_645_463_325_252,
        live: 0,
        written: 0,
        moved: 0,
    };
    let mut worst = 0.0_f64;
    for turn in 0..150_000 {
        let len = churn.len(turn);
        churn.put(len);
        if churn.arena.free_bytes() * 100 > churn.arena.held() * 4 {
            churn.evacuate();
        }
        if churn.live > BOUND / 2 {
            worst = worst.max(churn.arena.held() as f64 / churn.live as f64);
        }
    }
    churn.arena.verify();
    println!("held/live at most {worst:.3}; {:.2} bytes moved for each written", churn.moved as f64 / churn.written as f64);
    assert!(worst <= 1.10, "{worst}");
}
