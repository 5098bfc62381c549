//! What is done each second, over the last ones: `instantaneous_ops_per_sec` and its like of `INFO`.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::Ms;

/// Looks that are kept, and how far they are apart at least.
const LOOKS: usize = 16;
const APART: Ms = 100;

/// Commands, bytes from clients and bytes to them since the start, at some of the last moments.
#[derive(Debug, Default)]
pub(crate) struct Rates(Mutex<VecDeque<(Ms, [u64; 3])>>);

impl Rates {
    fn looks(&self) -> MutexGuard<'_, VecDeque<(Ms, [u64; 3])>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at `counts`, if the last look was long enough ago.
    pub(crate) fn look(&self, now: Ms, counts: impl FnOnce() -> [u64; 3]) {
        let mut looks = self.looks();
        if looks.back().is_none_or(|(last, _)| now.saturating_sub(*last) >= APART) {
            looks.push_back((now, counts()));
            if looks.len() > LOOKS {
                looks.pop_front();
            }
        }
    }

    /// Each of them for a second.
    pub(crate) fn per_second(&self) -> [f64; 3] {
        let looks = self.looks();
        let (Some((first, before)), Some((last, after))) = (looks.front(), looks.back()) else { return [0.0; 3] };
        let seconds = last.saturating_sub(*first).max(1) as f64 / 1000.0;
        [0, 1, 2].map(|at: usize| after[at].saturating_sub(before[at]) as f64 / seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_last_looks() {
        let rates = Rates::default();
        assert_eq!(rates.per_second(), [0.0; 3]);
        for look in 0..30 {
            rates.look(1000 + look * 100, || [if look < 10 { 0 } else { (look - 10) * 5 }, look, 7]);
            rates.look(1001 + look * 100, || unreachable!("it is too soon"));
        }
        assert_eq!(rates.per_second(), [50.0, 10.0, 0.0]);
    }
}
