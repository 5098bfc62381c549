use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Number;

/// Entries beyond twice the statements that there are; then those of statements that are gone are dropped.
const SLACK: usize = 64;

/// Which of the statements that a server has confirmed was used longest ago.
#[derive(Debug, Default)]
pub(super) struct Ages(BinaryHeap<Reverse<(u64, Number)>>);

impl Ages {
    /// A statement was used then.
    pub(super) fn add(&mut self, used: u64, number: Number) {
        self.0.push(Reverse((used, number)));
    }

    /// The one used longest ago, which is taken out; `used` says when a statement was used last, if it is still there.
    pub(super) fn take_oldest(&mut self, used: impl Fn(Number) -> Option<u64>) -> Option<Number> {
        while let Some(Reverse((then, number))) = self.0.pop() {
            match used(number) {
                Some(last) if last == then => return Some(number),
                Some(last) => self.add(last, number),
                None => {}
            }
        }
        None
    }

    /// Drops those that are not there any more, if they are many.
    pub(super) fn tidy(&mut self, there: usize, is_there: impl Fn(Number) -> bool) {
        if self.0.len() > 2 * there + SLACK {
            self.0.retain(|Reverse((_, number))| is_there(*number));
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_used_longest_ago_is_found_and_what_is_gone_is_dropped() {
        let mut ages = Ages::default();
        (0..1000).for_each(|number| ages.add(u64::from(number), number));
        // 0 was used once more, 1 is gone.
        let used = |number| (number != 1).then(|| if number == 0 { 5000 } else { u64::from(number) });
        assert_eq!(ages.take_oldest(used), Some(2));
        ages.tidy(10, |number| number < 10);
        assert!(ages.0.len() < 10);
        assert_eq!((ages.take_oldest(used), ages.take_oldest(|_| None)), (Some(3), None));
    }
}
