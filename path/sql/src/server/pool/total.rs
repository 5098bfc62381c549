use std::sync::atomic::{AtomicUsize, Ordering};

/// How many connections to the server there are, over all loops, users and databases; never more than `most`.
#[derive(Debug)]
pub(super) struct Total {
    open: AtomicUsize,
    most: AtomicUsize,
}

impl Total {
    pub(super) fn new(most: usize) -> Total {
        Total { open: AtomicUsize::new(0), most: AtomicUsize::new(most) }
    }

    /// Counts one more, unless there are as many as there may be.
    pub(super) fn take(&self) -> bool {
        let most = self.most();
        self.open.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |open| (open < most).then_some(open + 1)).is_ok()
    }

    /// Counts one less.
    pub(super) fn give(&self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }

    /// How many more there may be.
    pub(super) fn free(&self) -> usize {
        self.most().saturating_sub(self.open())
    }

    /// How many are there beyond what there may be, after `most` was lowered.
    pub(super) fn surplus(&self) -> usize {
        self.open().saturating_sub(self.most())
    }

    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    pub(super) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    pub(super) fn set_most(&self, most: usize) {
        self.most.store(most, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_threads_never_take_too_many() {
        let total = Total::new(10);
        let taken = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..8).map(|_| scope.spawn(|| (0..100).filter(|_| total.take()).count())).collect();
            tries.into_iter().map(|one| one.join().unwrap()).sum::<usize>()
        });
        assert_eq!((taken, total.open(), total.free()), (10, 10, 0));
        total.set_most(7);
        assert_eq!((total.surplus(), total.take()), (3, false));
        (0..4).for_each(|_| total.give());
        assert!(total.take());
    }
}
