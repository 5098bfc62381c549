//! The order in which the keys of a shard are to go: a small queue for those that came lately, a main one, and a memory of those
//! that went from the small one (S3-FIFO). Keys are named by 32 bits of their hashes and of their turn.

mod fifo;
mod ghost;

use super::access::Queue;
use fifo::Fifo;
use ghost::Ghost;

/// One of so many keys is in the small queue, if keys come fast enough.
const SMALL: usize = 10;

/// A key in a queue: 20 bits from the top of its hash, 8 from its end, 4 of its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name(u32);

/// Queues of keys.
#[derive(Debug, Default)]
pub(super) struct Order {
    small: Fifo,
    main: Fifo,
    ghost: Ghost,
    turn: u32,
}

/// What becomes of a key whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Goes,
    /// It stands in the main queue once more, with this frequency.
    Stays(u32),
}

/// What becomes of a key that was used so often since its last turn.
pub(super) fn fate(queue: Queue, frequency: u32) -> Fate {
    match (queue, frequency) {
        (Queue::Small, 0 | 1) | (Queue::Main, 0) => Fate::Goes,
        (Queue::Small, _) => Fate::Stays(0),
        (Queue::Main, _) => Fate::Stays(frequency - 1),
    }
}

impl Name {
    /// Of a hash without the bits that are equal for the whole shard.
    pub(super) fn new(hash: u64, turn: u32) -> Name {
        Name((hash >> 44 << 12) as u32 | (hash as u32 & 0xff) << 4 | turn & 15)
    }

    /// A hash that begins and ends alike.
    pub(super) fn hash(self) -> u64 {
        u64::from(self.0 >> 12) << 44 | u64::from(self.0 >> 4 & 0xff)
    }

    pub(super) fn turn(self) -> u32 {
        self.0 & 15
    }

    /// Whether a hash begins and ends so.
    pub(super) fn is_of(self, hash: u64) -> bool {
        Name::new(hash, self.turn()) == self
    }
}

impl Order {
    /// The queue that a new key of this hash is to stand in.
    pub(super) fn queue_for(&mut self, hash: u64) -> Queue {
        if self.ghost.recalls(hash) { Queue::Main } else { Queue::Small }
    }

    /// A key stands in a queue, behind all others; its turn is given.
    pub(super) fn push(&mut self, queue: Queue, hash: u64) -> u32 {
        self.turn = (self.turn + 1) & 15;
        let name = Name::new(hash, self.turn);
        self.of(queue).push(name);
        self.turn
    }

    /// Whose turn it is.
    pub(super) fn pop(&mut self) -> Option<(Queue, Name)> {
        let (small, main) = (self.small.live(), self.main.live());
        let first = if small > 0 && (small * SMALL >= small + main || main == 0) { Queue::Small } else { Queue::Main };
        let second = if first == Queue::Small { Queue::Main } else { Queue::Small };
        let pop = |queue| self.of(queue).pop().map(|name| (queue, name));
        [first, second].into_iter().find_map(pop)
    }

    /// A key goes whose turn came in the small queue: it is remembered for as long as fewer have gone than there are.
    pub(super) fn remember(&mut self, hash: u64) {
        self.ghost.remember(hash, self.small.live() + self.main.live());
    }

    /// Whether no key has a turn.
    pub(super) fn is_empty(&self) -> bool {
        self.small.is_empty() && self.main.is_empty()
    }

    /// A key is gone before its turn.
    pub(super) fn lost(&mut self, queue: Queue) {
        self.of(queue).lost();
    }

    /// A name came to its turn whose key is gone.
    pub(super) fn missed(&mut self, queue: Queue) {
        self.of(queue).missed();
    }

    /// Whether most names of a queue are of keys that are gone.
    pub(super) fn is_sparse(&self, queue: Queue) -> bool {
        match queue {
            Queue::Small => self.small.is_sparse(),
            Queue::Main => self.main.is_sparse(),
        }
    }

    /// Names in a queue of keys that are there.
    #[cfg(test)]
    pub(super) fn live(&self, queue: Queue) -> usize {
        match queue {
            Queue::Small => self.small.live(),
            Queue::Main => self.main.live(),
        }
    }

    /// Looks at the next of a sparse queue, which is dropped unless `is_there`.
    pub(super) fn tidy(&mut self, queue: Queue, is_there: impl FnMut(Name) -> bool) {
        self.of(queue).tidy(is_there);
    }

    pub(super) fn clear(&mut self) {
        *self = Order::default();
    }

    /// Bytes held of the allocator.
    pub(super) fn held(&self) -> usize {
        self.small.held() + self.main.held() + self.ghost.held()
    }

    fn of(&mut self, queue: Queue) -> &mut Fifo {
        match queue {
            Queue::Small => &mut self.small,
            Queue::Main => &mut self.main,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_knows_its_hash() {
        let hash = 0x1234_5678_9abc_def0;
        let name = Name::new(hash, 21);
        assert_eq!((name.turn(), name.hash()), (5, 0x1234_5000_0000_00f0));
        assert!(name.is_of(hash) && !name.is_of(hash ^ 1) && !name.is_of(hash ^ 1 << 44));
    }

    #[test]
    fn the_small_queue_has_its_turn_while_it_has_a_tenth() {
        let mut order = Order::default();
        (0..90).for_each(|hash| _ = order.push(Queue::Main, hash << 44));
        (0..11).for_each(|hash| _ = order.push(Queue::Small, hash << 44));
        let queues: Vec<Queue> = std::iter::from_fn(|| order.pop()).map(|(queue, _)| queue).collect();
        assert_eq!(queues[..2], [Queue::Small, Queue::Small]);
        assert_eq!(queues[2], Queue::Main);
        assert_eq!(queues.len(), 101);
    }

    #[test]
    fn what_was_not_used_again_goes_and_what_was_has_more_turns() {
        assert_eq!((fate(Queue::Small, 1), fate(Queue::Small, 2)), (Fate::Goes, Fate::Stays(0)));
        assert_eq!((fate(Queue::Main, 0), fate(Queue::Main, 3)), (Fate::Goes, Fate::Stays(2)));
    }
}
