//! Blocks of any length: those that an arena takes lie there, a longer one lies by itself.

use super::arena::{Arena, Handle};

/// Of a handle's number: the block lies by itself.
const ALONE: u32 = 1 << 31;

/// Blocks of bytes, found by their handles.
#[derive(Debug)]
pub(super) struct Blocks {
    arena: Arena,
    page: usize,
    largest: usize,
    alone: Vec<Vec<u8>>,
    vacant: Vec<u32>,
    /// Bytes held by those alone.
    held: usize,
}

impl Blocks {
    /// None yet; pages of the arena have `page` bytes.
    #[cfg(test)]
    pub(super) fn new(page: usize) -> Blocks {
        Blocks::over(Arena::of_pages(page), page)
    }

    /// None yet; pages of the arena have `page` bytes, but the last one begins small while they are few.
    pub(super) fn growing(page: usize) -> Blocks {
        Blocks::over(Arena::growing(page), page)
    }

    fn over(arena: Arena, page: usize) -> Blocks {
        Blocks { arena, page, largest: Arena::largest(page), alone: Vec::new(), vacant: Vec::new(), held: 0 }
    }

    /// A block of `length` bytes of any content.
    pub(super) fn alloc(&mut self, length: usize) -> Handle {
        if length <= self.largest {
            let at = self.arena.alloc(length);
            assert!(at.number() & ALONE == 0, "a shard has less than 16 GB of pages");
            return at;
        }
        let index = self.vacant.pop().unwrap_or_else(|| {
            self.alone.push(Vec::new());
            u32::try_from(self.alone.len() - 1).expect("a shard has fewer blocks")
        });
        self.set_length(index, length);
        Handle::of(index | ALONE).expect("a bit of it is set")
    }

    pub(super) fn free(&mut self, at: Handle) {
        match alone(at) {
            None => self.arena.free(at),
            Some(index) => {
                let block = std::mem::take(&mut self.alone[index as usize]);
                self.held -= block.capacity();
                self.vacant.push(index);
            }
        }
    }

    pub(super) fn bytes(&self, at: Handle) -> &[u8] {
        match alone(at) {
            None => self.arena.bytes(at),
            Some(index) => &self.alone[index as usize],
        }
    }

    pub(super) fn bytes_mut(&mut self, at: Handle) -> &mut [u8] {
        match alone(at) {
            None => self.arena.bytes_mut(at),
            Some(index) => &mut self.alone[index as usize],
        }
    }

    /// Gives a block another length; what both have stays. It may be elsewhere then.
    pub(super) fn resize(&mut self, at: Handle, length: usize) -> Handle {
        match alone(at) {
            None if length <= self.largest => self.arena.resize(at, length),
            Some(index) if length > self.largest => {
                self.set_length(index, length);
                at
            }
            _ => {
                let new = self.alloc(length);
                let kept: Vec<u8> = self.bytes(at).iter().take(length).copied().collect();
                self.bytes_mut(new)[..kept.len()].copy_from_slice(&kept);
                self.free(at);
                new
            }
        }
    }

    /// One that grows gets an eighth more than it needs, so that appending is not quadratic.
    fn set_length(&mut self, index: u32, length: usize) {
        let block = &mut self.alone[index as usize];
        self.held -= block.capacity();
        if block.capacity() < length {
            let spare = if block.is_empty() { 0 } else { length / 8 };
            block.reserve_exact(length + spare - block.len());
        }
        block.resize(length, 0);
        if block.capacity() > length * 2 {
            block.shrink_to_fit();
        }
        self.held += block.capacity();
    }

    /// Bytes held of the allocator.
    pub(super) fn held(&self) -> usize {
        self.arena.held() + self.held + self.alone.capacity() * size_of::<Vec<u8>>()
    }

    /// Bytes of a page.
    pub(super) fn page(&self) -> usize {
        self.page
    }

    /// Bytes of the arena's pages, and of what is noted about them.
    pub(super) fn pages(&self) -> usize {
        self.arena.held()
    }

    /// Bytes in pages that no block has.
    pub(super) fn free_bytes(&self) -> usize {
        self.arena.free_bytes()
    }

    /// As [`Arena::evacuate`].
    pub(super) fn evacuate(&mut self, most: usize, moved: impl FnMut(&[u8], Handle, Handle)) -> usize {
        self.arena.evacuate(most, moved)
    }

    pub(super) fn clear(&mut self) {
        self.arena.clear();
        (self.alone, self.vacant, self.held) = (Vec::new(), Vec::new(), 0);
    }
}

fn alone(at: Handle) -> Option<u32> {
    (at.number() & ALONE != 0).then_some(at.number() & !ALONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_lengths_have_stays_whatever_the_lengths() {
        let mut blocks = Blocks::new(16 << 10);
        let empty = blocks.held();
        let mut at = blocks.alloc(3);
        blocks.bytes_mut(at).copy_from_slice(b"abc");
        for length in [5, 5000, 100_000, 1 << 20, 70_000, 4000, 3] {
            at = blocks.resize(at, length);
            assert_eq!((&blocks.bytes(at)[..3], blocks.bytes(at).len()), (&b"abc"[..], length));
            assert!(blocks.held() >= empty + length, "{} for {length}", blocks.held());
        }
        let other = blocks.alloc(50_000);
        blocks.bytes_mut(other).fill(7);
        assert_eq!(blocks.bytes(at), b"abc");
        blocks.free(other);
        assert!(blocks.held() < 50_000);
    }
}
