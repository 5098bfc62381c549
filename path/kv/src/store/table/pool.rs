//! Segments without gaps, in chunks: it grows without copying what is there, and gives back what is no longer used.

use super::segment::Segment;

/// Segments of a chunk.
const CHUNK: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Pool {
    chunks: Vec<Vec<Segment>>,
    len: usize,
}

impl Pool {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn get(&self, number: u32) -> &Segment {
        &self.chunks[number as usize / CHUNK][number as usize % CHUNK]
    }

    pub(super) fn get_mut(&mut self, number: u32) -> &mut Segment {
        &mut self.chunks[number as usize / CHUNK][number as usize % CHUNK]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Segment> {
        self.chunks.iter().flatten()
    }

    pub(super) fn push(&mut self, segment: Segment) -> u32 {
        if self.len == self.chunks.len() * CHUNK {
            self.chunks.push(Vec::new());
        }
        // the last chunk may have room for an eighth of all that is held, not more
        let room = (self.len / 8).max(1);
        let chunk = self.chunks.last_mut().expect("one was pushed");
        if chunk.len() == chunk.capacity() {
            chunk.reserve_exact(room.min(CHUNK - chunk.len()));
        }
        chunk.push(segment);
        self.len += 1;
        (self.len - 1) as u32
    }

    /// Takes a segment out; the last one takes its number, which is said if there is one.
    pub(super) fn remove(&mut self, number: u32) -> Option<u32> {
        self.len -= 1;
        let chunk = self.chunks.last_mut().expect("there is a segment");
        let last = chunk.pop().expect("no chunk is empty");
        if chunk.is_empty() {
            self.chunks.pop();
        } else if chunk.len() <= chunk.capacity() / 2 {
            chunk.shrink_to_fit();
        }
        let moved = number != self.len as u32;
        if moved {
            *self.get_mut(number) = last;
        }
        moved.then_some(self.len as u32)
    }

    /// Bytes held.
    pub(super) fn held(&self) -> usize {
        let whole = self.chunks.len().saturating_sub(1) * CHUNK;
        let last = self.chunks.last().map_or(0, Vec::capacity);
        (whole + last) * size_of::<Segment>() + self.chunks.capacity() * size_of::<Vec<Segment>>()
    }
}
