//! Memory in pages, cut into blocks that can be moved.
//!
//! A block is a run of bytes found by its handle. It knows nothing of what it holds.

use std::num::NonZeroU32;

/// Where a block is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Handle(NonZeroU32);

impl Handle {
    /// The handle as a number that is never 0.
    pub(crate) fn number(self) -> u32 {
        self.0.get()
    }

    /// The handle of a number that `number` gave.
    pub(crate) fn of(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }
}

/// Blocks of bytes in pages.
#[derive(Debug)]
pub(crate) struct Arena {
    page: usize,
    blocks: Vec<Option<Vec<u8>>>,
    vacant: Vec<usize>,
    live: usize,
}

impl Arena {
    /// An arena whose pages are `page` bytes from the first on: for a keyspace.
    ///
    /// `page` is a power of two from 4 KB to 512 KB.
    pub(crate) fn of_pages(page: usize) -> Self {
        Self { page, blocks: Vec::new(), vacant: Vec::new(), live: 0 }
    }

    /// An arena whose last page begins small and grows to `page` bytes: for one big value.
    pub(crate) fn growing(page: usize) -> Self {
        Self::of_pages(page)
    }

    /// The most bytes a block may hold: about a quarter of a page, 16 KB at most.
    pub(crate) const fn largest(page: usize) -> usize {
        if page / 4 < 16 * 1024 { page / 4 - 10 } else { 16 * 1024 - 10 }
    }

    /// A block of `len` bytes of any content.
    ///
    /// `len` is at most `largest` of the page size.
    pub(crate) fn alloc(&mut self, len: usize) -> Handle {
        assert!(len <= Self::largest(self.page));
        self.live += len;
        let index = self.vacant.pop().unwrap_or_else(|| {
            self.blocks.push(None);
            self.blocks.len() - 1
        });
        self.blocks[index] = Some(vec![0; len]);
        Handle::of(index as u32 + 1).expect("one more than an index")
    }

    /// Gives a block back.
    pub(crate) fn free(&mut self, at: Handle) {
        let index = at.number() as usize - 1;
        let block = self.blocks[index].take().expect("a block is freed once");
        self.live -= block.len();
        self.vacant.push(index);
    }

    /// What a block holds.
    pub(crate) fn bytes(&self, at: Handle) -> &[u8] {
        self.blocks[at.number() as usize - 1].as_deref().expect("a handle has its block")
    }

    /// What a block holds, to be written.
    pub(crate) fn bytes_mut(&mut self, at: Handle) -> &mut [u8] {
        self.blocks[at.number() as usize - 1].as_deref_mut().expect("a handle has its block")
    }

    /// Makes a block `len` bytes long and says where it is now; what it held stays, up to `len`.
    pub(crate) fn resize(&mut self, at: Handle, len: usize) -> Handle {
        let mut bytes = self.bytes(at).to_vec();
        bytes.resize(len, 0);
        self.free(at);
        let new = self.alloc(len);
        self.bytes_mut(new).copy_from_slice(&bytes);
        new
    }

    /// Moves at most `most` blocks out of the emptiest page, tells each move (its bytes, old and new place) and gives the page back
    /// when it is empty; a later call goes on. Says how many were moved: 0 when there is no page to be won.
    pub(crate) fn evacuate(&mut self, most: usize, mut moved: impl FnMut(&[u8], Handle, Handle)) -> usize {
        let Some(last) = self.blocks.iter().rposition(Option::is_some).filter(|_| most > 0) else { return 0 };
        let Some(hole) = self.blocks[..last].iter().position(Option::is_none) else { return 0 };
        self.blocks.swap(hole, last);
        self.vacant.retain(|index| *index != hole);
        self.vacant.push(last);
        let place = |index: usize| Handle::of(index as u32 + 1).expect("one more than an index");
        moved(self.bytes(place(hole)), place(last), place(hole));
        1
    }

    /// Bytes of the pages held.
    pub(crate) fn held(&self) -> usize {
        self.live
    }

    /// Bytes of the pages held that no block has.
    pub(crate) fn free_bytes(&self) -> usize {
        0
    }

    /// Gives everything back.
    pub(crate) fn clear(&mut self) {
        *self = Self::of_pages(self.page);
    }
}
