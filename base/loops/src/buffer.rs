use std::cell::RefCell;
use std::rc::Rc;

/// Bytes of a pooled buffer.
pub const BUFFER_BYTES: usize = 16 * 1024;

/// Buffers a loop keeps for the next connection that has something to say; more are given back to the allocator.
const KEPT: usize = 256;

/// The free buffers of one loop.
#[derive(Clone, Debug, Default)]
pub struct Buffers(Rc<RefCell<Vec<Box<[u8]>>>>);

/// A piece of memory with read bytes in the middle: `…consumed | unread | space…`. Goes back to its loop when dropped.
#[derive(Debug)]
pub struct Buffer {
    home: Buffers,
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Buffers {
    /// An empty buffer of [`BUFFER_BYTES`].
    pub fn take(&self) -> Buffer {
        let bytes = self.0.borrow_mut().pop().unwrap_or_else(|| vec![0; BUFFER_BYTES].into());
        Buffer { home: self.clone(), bytes, start: 0, end: 0 }
    }
}

impl Buffer {
    /// What was read and not consumed.
    pub fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// How many bytes are unread.
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether nothing is unread.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// How many bytes fit in all.
    pub fn capacity(&self) -> usize {
        self.bytes.len()
    }

    /// Room behind the unread bytes; write into it, then call [`Buffer::filled`].
    pub fn space(&mut self) -> &mut [u8] {
        &mut self.bytes[self.end..]
    }

    /// The first `count` bytes of [`Buffer::space`] now hold unread bytes.
    pub fn filled(&mut self, count: usize) {
        assert!(count <= self.bytes.len() - self.end);
        self.end += count;
    }

    /// The first `count` unread bytes are done with.
    pub fn consume(&mut self, count: usize) {
        assert!(count <= self.len());
        self.start += count;
        if self.start == self.end {
            self.clear();
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    /// Moves the unread bytes to the front when less than half of the buffer is room behind them.
    pub fn compact(&mut self) {
        if self.start > 0 && self.bytes.len() - self.end < self.bytes.len() / 2 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
    }

    /// Makes room for at least `more` bytes behind the unread ones, by moving, else by growing. The caller bounds it.
    pub fn reserve(&mut self, more: usize) {
        if self.bytes.len() - self.end >= more {
            return;
        }
        let unread = self.len();
        if self.bytes.len() - unread >= more {
            self.bytes.copy_within(self.start..self.end, 0);
        } else {
            let mut grown = vec![0; (unread + more).next_power_of_two().max(BUFFER_BYTES)].into_boxed_slice();
            grown[..unread].copy_from_slice(self.unread());
            self.bytes = grown;
        }
        (self.start, self.end) = (0, unread);
    }

    /// Gives back what it has grown by, if what is unread fits into [`BUFFER_BYTES`].
    pub fn shrink(&mut self) {
        if self.bytes.len() > BUFFER_BYTES && self.len() <= BUFFER_BYTES {
            let mut short = self.home.take();
            short.push(self.unread());
            *self = short;
        }
    }

    /// Appends `bytes`, growing when they do not fit. The caller bounds it.
    pub fn push(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.bytes[self.end..self.end + bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
    }
}

impl std::io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut free = self.home.0.borrow_mut();
        if self.bytes.len() == BUFFER_BYTES && free.len() < KEPT {
            free.push(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_buffer_is_taken_again() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take();
        buffer.push(b"secret");
        drop(buffer);
        assert_eq!(buffers.0.borrow().len(), 1);
        assert!(buffers.take().is_empty());
        assert_eq!(buffers.0.borrow().len(), 1);
    }

    #[test]
    fn bytes_survive_moving_and_growing() {
        let mut buffer = Buffers::default().take();
        buffer.push(&[1; BUFFER_BYTES - 2]);
        buffer.push(&[2; 2]);
        buffer.consume(BUFFER_BYTES - 2);
        buffer.reserve(BUFFER_BYTES - 2);
        assert_eq!((buffer.unread(), buffer.capacity()), (&[2, 2][..], BUFFER_BYTES));
        buffer.reserve(BUFFER_BYTES);
        assert_eq!((buffer.unread(), buffer.capacity()), (&[2, 2][..], 2 * BUFFER_BYTES));
        buffer.consume(2);
        assert!(buffer.is_empty());
    }

    #[test]
    fn a_grown_buffer_shrinks_when_little_is_left() {
        let mut buffer = Buffers::default().take();
        buffer.push(&[1; 3 * BUFFER_BYTES]);
        buffer.shrink();
        assert_eq!((buffer.len(), buffer.capacity()), (3 * BUFFER_BYTES, 4 * BUFFER_BYTES));
        buffer.consume(2 * BUFFER_BYTES + 1);
        buffer.shrink();
        assert_eq!((buffer.unread(), buffer.capacity()), (&[1; BUFFER_BYTES - 1][..], BUFFER_BYTES));
    }

    #[test]
    fn a_grown_buffer_is_not_kept() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take();
        buffer.reserve(BUFFER_BYTES + 1);
        drop(buffer);
        assert!(buffers.0.borrow().is_empty());
    }
}
