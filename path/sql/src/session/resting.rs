//! Long unnamed statements of clients that rest: a loop keeps so many bytes of them, and more are given up.

use std::cell::Cell;
use std::rc::Rc;

/// Statements up to this size are not looked at, bytes.
pub(super) const LONG: usize = 16 << 10;

/// Bytes that a loop keeps of the others.
const MOST: usize = 64 << 20;

/// What a loop keeps, bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resting(Rc<Cell<usize>>);

/// One statement of them.
#[derive(Debug)]
pub(super) struct Rest {
    bytes: usize,
    all: Resting,
}

impl Resting {
    /// One more, unless there are too many of them.
    pub(super) fn add(&self, bytes: usize) -> Option<Rest> {
        let sum = self.0.get() + bytes;
        (sum <= MOST).then(|| {
            self.0.set(sum);
            Rest { bytes, all: self.clone() }
        })
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        self.all.0.set(self.all.0.get() - self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_again_when_some_are_gone() {
        let resting = Resting::default();
        let (first, second) = (resting.add(MOST / 2), resting.add(MOST / 2));
        assert!(first.is_some() && second.is_some() && resting.add(1).is_none());
        drop(first);
        assert!(resting.add(MOST / 2 + 1).is_none() && resting.add(MOST / 2).is_some());
    }
}
