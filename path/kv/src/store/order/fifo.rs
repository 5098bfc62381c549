//! A queue of names in pieces, so that it grows without copying. Keys go before their turn, too; their names stay until then, unless
//! they are more than half of all: then the queue is gone through, some names at a time, in its order.

use std::collections::VecDeque;

use super::Name;

/// Names of a piece.
const PIECE: usize = 512;
/// A queue of fewer is never gone through.
const FEW: usize = 1024;
/// Names that are looked at when a key is lost.
const LOOKS: usize = 4;

#[derive(Debug, Default)]
struct Pieces {
    pieces: VecDeque<Vec<Name>>,
    /// Names of the first piece that are taken.
    taken: usize,
    len: usize,
}

#[derive(Debug, Default)]
pub(super) struct Fifo {
    /// Those that were gone through: they are before all others.
    kept: Pieces,
    all: Pieces,
    /// How many of `all` are still to be gone through.
    unseen: usize,
    /// How many are of keys that are gone.
    gone: usize,
}

impl Pieces {
    fn push(&mut self, name: Name) {
        if self.pieces.back().is_none_or(|last| last.len() == PIECE) {
            self.pieces.push_back(Vec::with_capacity(PIECE));
        }
        self.pieces.back_mut().expect("there is one").push(name);
        self.len += 1;
    }

    fn pop(&mut self) -> Option<Name> {
        let first = self.pieces.front()?;
        let name = first.get(self.taken).copied()?;
        self.taken += 1;
        self.len -= 1;
        if self.taken == first.len() {
            self.pieces.pop_front();
            self.taken = 0;
        }
        Some(name)
    }

    /// Puts all of `other` behind these.
    fn append(&mut self, mut other: Pieces) {
        if let Some(first) = other.pieces.front_mut() {
            first.drain(..other.taken);
        }
        self.pieces.append(&mut other.pieces);
        self.len += other.len;
    }

    fn held(&self) -> usize {
        self.pieces.len() * PIECE * size_of::<Name>() + self.pieces.capacity() * size_of::<Vec<Name>>()
    }
}

impl Fifo {
    pub(super) fn push(&mut self, name: Name) {
        self.all.push(name);
    }

    pub(super) fn pop(&mut self) -> Option<Name> {
        self.kept.pop().or_else(|| {
            self.unseen = self.unseen.saturating_sub(1);
            self.all.pop()
        })
    }

    /// Names of keys that are there.
    pub(super) fn live(&self) -> usize {
        (self.kept.len + self.all.len).saturating_sub(self.gone)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept.len + self.all.len == 0
    }

    /// A key is gone whose name is here.
    pub(super) fn lost(&mut self) {
        self.gone += 1;
        if self.unseen == 0 && self.all.len > FEW && self.gone * 2 > self.all.len {
            self.unseen = self.all.len;
        }
    }

    /// Its name was found.
    pub(super) fn missed(&mut self) {
        self.gone = self.gone.saturating_sub(1);
    }

    /// Whether it is being gone through.
    pub(super) fn is_sparse(&self) -> bool {
        self.unseen > 0
    }

    /// Goes on; drops names that are not there.
    pub(super) fn tidy(&mut self, mut is_there: impl FnMut(Name) -> bool) {
        for _ in 0..LOOKS.min(self.unseen) {
            self.unseen -= 1;
            match self.all.pop() {
                Some(name) if is_there(name) => self.kept.push(name),
                _ => self.missed(),
            }
        }
        if self.unseen == 0 {
            let rest = std::mem::take(&mut self.all);
            self.kept.append(rest);
            self.all = std::mem::take(&mut self.kept);
        }
    }

    pub(super) fn held(&self) -> usize {
        self.kept.held() + self.all.held()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: u64) -> Name {
        Name::new(number << 44, 0)
    }

    #[test]
    fn names_come_out_in_order_whatever_is_gone_through_meanwhile() {
        let mut fifo = Fifo::default();
        let is_there = |name: Name| (name.hash() >> 44).is_multiple_of(3);
        (0..6000).for_each(|number| fifo.push(name(number)));
        let before = fifo.held();
        let mut next = 6000;
        for lost in 0..4000 {
            fifo.lost();
            if fifo.is_sparse() {
                fifo.tidy(is_there);
            }
            // Others come meanwhile, that are there.
            if lost % 10 == 0 {
                fifo.push(name(next * 3));
                next += 1;
            }
        }
        while fifo.is_sparse() {
            fifo.tidy(is_there);
        }
        assert_eq!(fifo.live(), 2000 + 400);
        assert!(fifo.held() < before * 2 / 3, "{} of {before}", fifo.held());
        let left: Vec<u64> = std::iter::from_fn(|| fifo.pop()).filter(|name| is_there(*name)).map(|name| name.hash() >> 44).collect();
        let wanted: Vec<u64> = (0..2000).chain(6000..6400).map(|number| number * 3).collect();
        assert_eq!(left, wanted);
    }

    #[test]
    fn what_is_popped_while_it_is_gone_through_is_not_looked_for() {
        let mut fifo = Fifo::default();
        (0..2000).for_each(|number| fifo.push(name(number)));
        (0..1001).for_each(|_| fifo.lost());
        assert!(fifo.is_sparse());
        let popped = std::iter::from_fn(|| fifo.pop()).count();
        assert_eq!((popped, fifo.is_sparse()), (2000, false));
    }
}
